# leakbpf: make, make install DESTDIR=, make deb, make check, make soak,
# make bench, make lint, make format, make asan. Everything built lands in build/.

VERSION := 0.1.0

BUILD  ?= build
PREFIX ?= /usr/local
CC     ?= gcc
CLANG  ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
LLVM_STRIP ?= $(firstword $(wildcard /usr/bin/llvm-strip /usr/lib/llvm-14/bin/llvm-strip) llvm-strip)

ifeq ($(origin CC),default)
CC := gcc
endif

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wpointer-arith \
	-Wno-unused-parameter
CPPFLAGS += -D_GNU_SOURCE -DLEAKBPF_VERSION='"$(VERSION)"' -Iinclude -Isrc -I$(BUILD)
CFLAGS   ?= -O2 -g
CFLAGS   += -std=c11 $(WARN) -fno-strict-aliasing -fstack-protector-strong
LIBS     := -lbpf -ldw -lelf -lz -llzma -lbz2 -lcapstone -liberty -ljson-c -lncursesw -ltinfo -levent_extra -levent_core -linih -lcap-ng -lpthread -lm

# One static binary, so that it can be copied into any container; sanitizers
# need the shared libc.
SANITIZE ?=
ifeq ($(SANITIZE),)
LDFLAGS += -static
else
CFLAGS  += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS += -fsanitize=$(SANITIZE)
endif

BPF_ARCH   := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -std=gnu11 -Wall -Werror \
	-Wno-unused-function -D__TARGET_ARCH_$(BPF_ARCH) -Iinclude -Ibpf \
	-I/usr/include/$(shell uname -m)-linux-gnu

BPF_SRC := $(wildcard bpf/*.bpf.c)
SKEL    := $(BPF_SRC:bpf/%.bpf.c=$(BUILD)/bpf/%.skel.h)
SRC     := $(filter-out src/cli/main.c,$(wildcard src/*/*.c))
OBJ     := $(SRC:%.c=$(BUILD)/%.o) $(BUILD)/src/report/page/page.o
LIB     := $(BUILD)/libleakbpf.a
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*_test.c))

.PHONY: all clean install deb unit check soak arm64-syntax bench lint format format-check asan fuzz
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/leakbpf

# libevent and libcap-ng can look up names, which a static libc warns of; they are
# never asked to. The linker's --no-warnings would hide its errors, too.
$(BUILD)/leakbpf: $(BUILD)/src/cli/main.o $(LIB)
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) 2> $@.log || { cat $@.log >&2; exit 1; }

$(LIB): $(OBJ)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/src/%.o: src/%.c | $(SKEL)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The HTML report's page is part of the binary.
$(BUILD)/src/report/page/page.o: $(wildcard src/report/page/*)
	@mkdir -p $(@D)
	$(CC) -c -o $@ src/report/page/page.S

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<
	$(LLVM_STRIP) -g $@

$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $(subst .,_,$*)_bpf > $@

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Ibpf -Itests/unit $(CFLAGS) -MMD -MP -o $@ $< $(LIB) -lcmocka $(filter-out -static,$(LDFLAGS)) $(LIBS)

# Makes the memory images of tests/unit/data/v8: tools/v8_image/make_all.sh.
V8_IMAGE := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/v8_image/*.c))

$(BUILD)/tools/v8_image/%.o: tools/v8_image/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tools/v8_image/v8_image: $(V8_IMAGE) $(LIB)
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

unit: $(UNIT)
	@set -e; for t in $(UNIT); do echo "== $$t"; timeout 120 $$t; done

install: $(BUILD)/leakbpf
	install -D -m 0755 $(BUILD)/leakbpf $(DESTDIR)$(PREFIX)/sbin/leakbpf
	for page in man/*.1; do \
		install -D -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man1/$${page##*/} || exit 1; \
	done
	install -D -m 0644 completion/leakbpf.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/leakbpf

# build/leakbpf_VERSION_ARCHITECTURE.deb
deb: $(BUILD)/leakbpf
	tools/deb.sh $(BUILD) $(VERSION)

clean:
	rm -rf $(BUILD)

# The real thing: set-up, unit tests, end-to-end tests.
check:
	tools/check.sh

# Hours of processes that come and go (tests/e2e/soak.py): for every night.
SOAK_MINUTES ?= 60
soak: all
	$(MAKE) -s -C tests/targets
	/usr/bin/python3 -B tests/e2e/soak.py $(SOAK_MINUTES)

# Whether user space compiles for arm64; nothing is installed.
arm64-syntax: all
	tools/arm64-syntax.sh $(BUILD)

# tools/bench lays out chains of generated functions by hand.
C_FILES = $(shell git ls-files '*.c' '*.h' '*.cc' ':!tools/bench')

format:
	@clang-format -i $(C_FILES)

format-check:
	@clang-format --dry-run -Werror $(C_FILES)

# What is left out: cppcheck knows neither the architecture macros of the
# compiler nor libbpf's option macro, and takes realloc and strcmp idioms for
# faults.
CPPCHECK_FLAGS := --std=c11 --enable=warning,performance,portability \
	--inline-suppr --error-exitcode=1 -q --library=posix \
	--suppress=missingIncludeSystem --suppress=nullPointerOutOfMemory \
	--suppress=nullPointerOutOfResources \
	--suppress=memleak:src/symbol/demangle.c --suppress=memleak:src/trace/load.c \
	--suppress=identicalInnerCondition:src/symbol/symbol_cache.c \
	--suppress=resourceLeak \
	--suppress=readdirCalled --suppress=ctuuninitvar \
	-D_GNU_SOURCE -D__x86_64__ -DLEAKBPF_VERSION='""' \
	'-DLIBBPF_OPTS(type,name,...)=struct type name = {__VA_ARGS__}' \
	-Iinclude -Isrc

lint: format-check
	cppcheck $(CPPCHECK_FLAGS) src

# Everything again in build-asan/, unit tests run under the sanitizers.
asan:
	ASAN_OPTIONS=detect_leaks=1 $(MAKE) BUILD=build-asan \
		SANITIZE=address,undefined unit

# Every tests/fuzz/fuzz_*.c for FUZZ_SECONDS, from seeds made of this system's
# files. What a fuzzer finds is left in build/fuzz/ and fails the target.
FUZZ_SECONDS ?= 20
FUZZ_FLAGS := -O1 -g -std=c11 $(WARN) -fno-strict-aliasing \
	-fno-sanitize-recover=all -Wno-unused-command-line-argument
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_OBJ := $(patsubst src/%.c,$(BUILD)/fuzz/src/%.o,$(wildcard \
	$(addsuffix /*.c,src/base src/object src/service src/unwind src/symbol src/target src/capture src/v8) $(addprefix src/probe/,insn.c code_slots.c alloc_names.c)))

$(BUILD)/fuzz/src/%.o: src/%.c
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined \
		-MMD -MP -c -o $@ $<

$(BUILD)/fuzz/lib.a: $(FUZZ_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(BUILD)/fuzz/lib.a
	$(CLANG) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined \
		-MMD -MP -o $@ $< $(BUILD)/fuzz/lib.a $(LIBS)

fuzz: $(FUZZ_BIN)
	@set -e; for f in $(FUZZ_BIN); do \
		name=$$(basename $$f); corpus=$(BUILD)/fuzz/corpus/$$name; \
		tests/fuzz/seeds.sh $$name $$corpus; \
		echo "== $$name"; \
		$$f -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -timeout=10 \
			-rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(BUILD)/fuzz/$$name- $$corpus; \
	done

# Writes the tables of BENCHMARKS.md; BENCH_QUICK=1 for a short run.
$(BUILD)/bench/floor: tools/bench/floor.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Ibpf $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(LIB) $(LIBS)

bench: all $(BUILD)/bench/floor
	/usr/bin/python3 -B tools/bench/run.py $(BUILD)/leakbpf $(BUILD) BENCHMARKS.md

-include $(OBJ:.o=.d) $(BUILD)/src/cli/main.d $(wildcard $(BUILD)/bpf/*.d) $(UNIT:=.d) \
	$(BUILD)/bench/floor.d \
	$(FUZZ_OBJ:.o=.d) $(FUZZ_BIN:=.d) $(V8_IMAGE:.o=.d)
