/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The catalogue on the allocators of Debian 12, shared and linked in, and on
 * programs compiled here. Prints where each function would be probed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "leakbpf/abi_user.h"
#include "probe/alloc_names.h"
#include "probe/catalogue.h"
#include "probe/site.h"
#include "scratch.h"

#define LIB  "/usr/lib/x86_64-linux-gnu/"
#define MUSL "/usr/lib/x86_64-linux-musl/libc.so"

/* ---- Objects ---- */

struct subject {
	struct object_registry *registry;
	struct object *object;
	struct alloc_functions functions;
};

/* Compiles `source`; `command` has %s for the output and for the source. */
static const char *compiled(const char *name, const char *source,
			    const char *command)
{
	static char output[256];
	char input[256], line[1024];
	FILE *f;

	snprintf(output, sizeof(output), "%s/%s", scratch, name);
	snprintf(input, sizeof(input), "%s/%s.cc", scratch, name);
	f = fopen(input, "w");
	assert_non_null(f);
	fputs(source, f);
	assert_int_equal(fclose(f), 0);
	snprintf(line, sizeof(line), command, output, input);
	if (system(line))
		fail_msg("failed: %s", line);
	return output;
}

static void subject_open(struct subject *s, const char *path, bool maps)
{
	struct catalogue_options options = {.memory_maps = maps};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		fail_msg("%s is missing: run tools/setup.sh test", path);
	s->registry = object_registry_new();
	assert_non_null(s->registry);
	err = object_open(s->registry, fd, path, &s->object);
	if (err)
		fail_msg("%s: %s", path, strerror(-err));
	err = catalogue_find(s->object, &options, &s->functions);
	if (err)
		fail_msg("%s: %s", path, strerror(-err));
}

static void subject_close(struct subject *s)
{
	alloc_functions_free(&s->functions);
	object_registry_free(s->registry);
}

static const struct alloc_function *function_named(const struct subject *s,
						   const char *name)
{
	for (size_t i = 0; i < s->functions.count; i++)
		if (!strcmp(s->functions.list[i].name, name))
			return &s->functions.list[i];
	return NULL;
}

static void plan(const struct subject *s, const struct alloc_function *f,
		 struct probe_site *site)
{
	uint8_t *code = malloc(f->size);
	uint64_t offset;
	int err;

	assert_non_null(code);
	assert_true(object_address_to_offset(s->object, f->address, &offset));
	assert_int_equal(object_read(s->object, offset, code, f->size), 0);
	err = site_plan(code, f->size, f->address, f->kind, site);
	if (err)
		fail_msg("%s: %s", f->name, strerror(-err));
	free(code);
}

static void print_sites(const struct subject *s)
{
	print_message("%s: %s\n", s->object->path, s->functions.allocator);
	for (size_t i = 0; i < s->functions.count; i++) {
		const struct alloc_function *f = &s->functions.list[i];
		struct probe_site site;

		plan(s, f, &site);
		print_message(
			"  %-35s +%-2u %-8s %s%s%s%s%s\n", f->name, site.offset,
			site.emulated ? "emulated" : "STEPPED",
			site.instruction, site.reason ? " (" : "",
			site.reason ? site.reason : "", site.reason ? ")" : "",
			f->flags & PROBE_TAIL_CALLS ? " tail-calls" : "");
	}
}

/* Opens, prints and checks what holds for every object. */
static void examine(struct subject *s, const char *path, bool maps)
{
	subject_open(s, path, maps);
	print_sites(s);
	for (size_t i = 0; i < s->functions.count; i++) {
		const struct alloc_function *f = &s->functions.list[i];

		if (!f->size || f->size > 1 << 20)
			fail_msg("%s: size %lu", f->name,
				 (unsigned long)f->size);
		if (i && f->address <= s->functions.list[i - 1].address)
			fail_msg("%s is not sorted, or twice", f->name);
	}
}

static void expect_kind(const struct subject *s, const char *name,
			uint32_t kind)
{
	const struct alloc_function *f = function_named(s, name);

	if (!f)
		fail_msg("%s: expected to find %s", s->object->path, name);
	if (f->kind != kind)
		fail_msg("%s: %s: expected kind %u, seen %u", s->object->path,
			 name, kind, f->kind);
}

static void expect_none(const struct subject *s, const char *name)
{
	if (function_named(s, name))
		fail_msg("%s: expected that %s is left out", s->object->path,
			 name);
}

static void expect_allocator(const struct subject *s, const char *name)
{
	if (!s->functions.count)
		fail_msg("%s: expected %s, seen no allocator", s->object->path,
			 name);
	assert_string_equal(s->functions.allocator, name);
}

static void expect_no_allocator(const char *path)
{
	struct subject s;

	subject_open(&s, path, true);
	if (s.functions.count)
		fail_msg("%s: expected no allocator, seen %s", path,
			 s.functions.list[0].name);
	subject_close(&s);
}

static void expect_emulated(const struct subject *s, const char *name)
{
	const struct alloc_function *f = function_named(s, name);
	struct probe_site site;

	if (!f)
		fail_msg("%s: expected to find %s", s->object->path, name);
	plan(s, f, &site);
	if (!site.emulated)
		fail_msg("%s: %s: expected an emulated site, seen %s (%s)",
			 s->object->path, name, site.instruction, site.reason);
}

static bool is_internal(const struct subject *s, uint64_t address)
{
	for (size_t i = 0; i < s->functions.internal_count; i++)
		if (address >= s->functions.internals[i].start &&
		    address < s->functions.internals[i].end)
			return true;
	return false;
}

struct lookup {
	const char *name;
	uint64_t address;
};

static int match_symbol(const struct object_symbol *symbol, void *context)
{
	struct lookup *l = context;

	if (strcmp(symbol->name, l->name))
		return 0;
	l->address = symbol->address;
	return 1;
}

static uint64_t address_of(const struct subject *s, const char *name)
{
	struct lookup l = {.name = name};

	if (object_each_symbol(s->object, match_symbol, &l) != 1)
		fail_msg("%s has no symbol %s", s->object->path, name);
	return l.address;
}

/* ---- Shared objects ---- */

static void expect_basics(const struct subject *s)
{
	expect_kind(s, "malloc", ALLOC_SIZE);
	expect_kind(s, "calloc", ALLOC_COUNT_SIZE);
	expect_kind(s, "realloc", ALLOC_REALLOC);
	expect_kind(s, "free", FREE_POINTER);
	expect_emulated(s, "malloc");
	expect_emulated(s, "free");
	expect_emulated(s, "realloc");
}

static void test_glibc(void **state)
{
	struct subject s;
	uint64_t hook;

	examine(&s, LIB "libc.so.6", false);
	expect_allocator(&s, "glibc");
	expect_basics(&s);
	expect_kind(&s, "posix_memalign", ALLOC_OUT_ALIGN_SIZE);
	expect_kind(&s, "reallocarray", ALLOC_REALLOC_COUNT);
	expect_kind(&s, "aligned_alloc", ALLOC_ALIGN_SIZE);
	expect_kind(&s, "valloc", ALLOC_SIZE);
	expect_kind(&s, "pvalloc", ALLOC_SIZE);
	expect_emulated(&s, "calloc");
	expect_none(&s, "__libc_malloc"); /* aliases */
	expect_none(&s, "cfree");
	expect_none(&s, "memalign");
	expect_none(&s, "mmap"); /* only with --mmap */
	/* realloc(NULL, n) jumps to malloc, reallocarray to realloc,
	 * memalign to _mid_memalign and that to malloc. */
	assert_true(function_named(&s, "realloc")->flags & PROBE_TAIL_CALLS);
	assert_true(function_named(&s, "reallocarray")->flags &
		    PROBE_TAIL_CALLS);
	assert_true(function_named(&s, "aligned_alloc")->flags &
		    PROBE_TAIL_CALLS);
	assert_false(function_named(&s, "malloc")->flags & PROBE_TAIL_CALLS);
	assert_false(function_named(&s, "calloc")->flags & PROBE_TAIL_CALLS);
	assert_false(catalogue_find_loader_hook(s.object, &hook));
	subject_close(&s);
}

static void test_memory_maps_are_found_on_request(void **state)
{
	struct subject s;

	examine(&s, LIB "libc.so.6", true);
	expect_kind(&s, "mmap", MAP_MMAP);
	expect_kind(&s, "munmap", MAP_MUNMAP);
	expect_kind(&s, "mremap", MAP_MREMAP);
	expect_kind(&s, "malloc", ALLOC_SIZE);
	for (size_t i = 0; i < s.functions.internal_count; i++)
		assert_false(s.functions.internals[i].start ==
			     function_named(&s, "munmap")->address);
	subject_close(&s);
	/* It replaces the libc's. */
	examine(&s, LIB "libtcmalloc.so.4", true);
	expect_kind(&s, "mmap", MAP_MMAP);
	subject_close(&s);
}

static void test_jemalloc(void **state)
{
	struct subject s;

	examine(&s, LIB "libjemalloc.so.2", false);
	expect_allocator(&s, "jemalloc");
	expect_basics(&s);
	expect_emulated(&s, "calloc");
	expect_kind(&s, "mallocx", ALLOC_SIZE);
	expect_kind(&s, "rallocx", ALLOC_REALLOC);
	expect_kind(&s, "dallocx", FREE_POINTER);
	expect_kind(&s, "sdallocx", FREE_POINTER);
	expect_kind(&s, "_Znwm", ALLOC_SIZE);
	expect_kind(&s, "_ZdlPvm", FREE_POINTER);
	assert_true(function_named(&s, "_Znwm")->flags & PROBE_THROWS);
	assert_false(function_named(&s, "_ZnwmRKSt9nothrow_t")->flags &
		     PROBE_THROWS);
	expect_none(&s, "_ZdlPv"); /* jmp free@plt */
	expect_none(&s, "_Znam");  /* jmp _Znwm */
	expect_none(&s, "xallocx");
	subject_close(&s);
}

static void test_tcmalloc(void **state)
{
	static const char *const files[] = {"libtcmalloc.so.4",
					    "libtcmalloc_minimal.so.4"};

	for (int i = 0; i < 2; i++) {
		char path[128];
		struct subject s;

		snprintf(path, sizeof(path), LIB "%s", files[i]);
		examine(&s, path, false);
		expect_allocator(&s, "tcmalloc");
		expect_basics(&s);
		expect_emulated(&s, "calloc");
		expect_emulated(&s, "_Znwm");
		assert_true(function_named(&s, "_Znwm")->flags & PROBE_THROWS);
		assert_false(function_named(&s, "malloc")->flags &
			     (PROBE_THROWS | PROBE_TAIL_CALLS));
		expect_none(&s, "tc_malloc"); /* aliases */
		expect_none(&s, "_ZdlPv");
		/* It rounds the size that it asks the other one for. */
		expect_kind(&s, "pvalloc", ALLOC_SIZE);
		expect_none(&s, "valloc");
		subject_close(&s);
	}
}

static void test_mimalloc(void **state)
{
	struct subject s;

	examine(&s, LIB "libmimalloc.so.2", false);
	expect_allocator(&s, "mimalloc");
	expect_kind(&s, "malloc", ALLOC_SIZE);
	expect_kind(&s, "calloc", ALLOC_COUNT_SIZE);
	expect_kind(&s, "free", FREE_POINTER);
	expect_emulated(&s, "malloc");
	expect_emulated(&s, "free");
	expect_kind(&s, "mi_heap_malloc", ALLOC_ALIGN_SIZE);
	expect_kind(&s, "mi_heap_calloc", ALLOC_HEAP_COUNT_SIZE);
	/* realloc only puts the heap in front and jumps on */
	expect_kind(&s, "mi_heap_realloc", ALLOC_HEAP_REALLOC);
	expect_emulated(&s, "mi_heap_realloc");
	expect_none(&s, "realloc");
	expect_none(&s, "posix_memalign"); /* jmp mi_posix_memalign */
	expect_kind(&s, "mi_posix_memalign", ALLOC_OUT_ALIGN_SIZE);
	subject_close(&s);
}

static void test_musl(void **state)
{
	struct subject s;
	uint64_t hook;

	examine(&s, MUSL, true);
	expect_allocator(&s, "musl");
	expect_basics(&s);
	expect_emulated(&s, "calloc");
	expect_kind(&s, "aligned_alloc", ALLOC_ALIGN_SIZE);
	expect_kind(&s, "mmap", MAP_MMAP);
	/* malloc, free and realloc only jump: what is behind belongs to them,
	 * also where it calls malloc again. */
	assert_int_equal(function_named(&s, "realloc")->size, 5);
	assert_true(s.functions.internal_count >= 3);
	assert_true(catalogue_find_loader_hook(s.object, &hook));
	assert_int_equal(hook, address_of(&s, "_dl_debug_state"));
	subject_close(&s);
}

static void test_objects_without_an_allocator_of_their_own(void **state)
{
	/* operator new, calling malloc */
	expect_no_allocator(LIB "libstdc++.so.6");
	/* a private malloc, in some versions */
	expect_no_allocator("/lib64/ld-linux-x86-64.so.2");
	/* only calls it */
	expect_no_allocator("/proc/self/exe");
}

static void test_the_dynamic_loader_has_the_hook(void **state)
{
	struct subject s;
	uint64_t hook = 0;

	subject_open(&s, "/lib64/ld-linux-x86-64.so.2", false);
	assert_true(catalogue_find_loader_hook(s.object, &hook));
	assert_int_equal(hook, address_of(&s, "_dl_debug_state"));
	subject_close(&s);
	subject_open(&s, LIB "libstdc++.so.6", false);
	assert_false(catalogue_find_loader_hook(s.object, &hook));
	subject_close(&s);
}

/* ---- Programs ---- */

static const char uses_all[] =
	"#include <stdlib.h>\n"
	"int main(int n, char **v) {\n"
	"	void *p = malloc(n), *q = 0;\n"
	"	p = realloc(p, n * 2);\n"
	"	free(p);\n"
	"	p = calloc(n, 3);\n"
	"	return posix_memalign(&q, 64, n) + (p == q);\n"
	"}\n";

static void test_static_glibc(void **state)
{
	struct subject s;
	const char *path = compiled("static_glibc", uses_all,
				    "gcc -x c -O1 -static -o %s %s");

	examine(&s, path, false);
	expect_allocator(&s, "glibc");
	expect_basics(&s);
	expect_emulated(&s, "calloc");
	expect_kind(&s, "posix_memalign", ALLOC_OUT_ALIGN_SIZE);
	subject_close(&s);
}

static void test_static_musl(void **state)
{
	struct subject s;
	const char *path = compiled("static_musl", uses_all,
				    "musl-gcc -x c -O1 -static -o %s %s");

	examine(&s, path, false);
	expect_allocator(&s, "musl");
	expect_emulated(&s, "malloc");
	expect_emulated(&s, "calloc");
	/* free and realloc jump to these */
	expect_emulated(&s, "__libc_free");
	expect_emulated(&s, "__libc_realloc");
	expect_none(&s, "free");
	expect_none(&s, "realloc");
	assert_true(is_internal(&s, address_of(&s, "__libc_malloc_impl")));
	subject_close(&s);
}

static void test_static_cxx_has_its_operator_new_left_out(void **state)
{
	struct subject s;
	const char *path =
		compiled("static_cxx",
			 "#include <string>\n"
			 "#include <cstdlib>\n"
			 "int main(int n, char **) {\n"
			 "	int *p = new int[n];\n"
			 "	std::string *q = new std::string(n, 'x');\n"
			 "	bool b = p[0] == (int)q->size();\n"
			 "	delete[] p; delete q;\n"
			 "	void *r = realloc(malloc(n), 5); free(r);\n"
			 "	return b;\n"
			 "}\n",
			 "g++ -O1 -static -o %s %s");

	examine(&s, path, false);
	expect_allocator(&s, "glibc");
	expect_basics(&s);
	expect_none(&s, "_Znwm");
	expect_none(&s, "_Znam");
	expect_none(&s, "_ZdlPv");
	expect_none(&s, "_ZdlPvm");
	subject_close(&s);
}

static void test_jemalloc_linked_in(void **state)
{
	struct subject s;
	const char *path =
		compiled("linked_jemalloc", uses_all,
			 "gcc -x c -O1 -o %s %s -x none " LIB
			 "libjemalloc.a -lstdc++ -lm -lpthread -ldl");

	examine(&s, path, false);
	expect_allocator(&s, "jemalloc");
	expect_basics(&s);
	subject_close(&s);
}

static void test_stripped_program_that_exports_its_allocator(void **state)
{
	struct subject s;
	const char *path = compiled("stripped_tcmalloc", uses_all,
				    "gcc -x c -O1 -s -rdynamic -o %s %s -x "
				    "none " LIB "libtcmalloc_minimal.a "
				    "-lstdc++ -lm -lpthread");

	examine(&s, path, false);
	expect_allocator(&s, "tcmalloc");
	expect_basics(&s);
	expect_emulated(&s, "_Znwm");
	subject_close(&s);
}

static void test_prefixed_names_need_their_own_malloc_and_free(void **state)
{
	struct subject s;
	const char *path = compiled(
		"prefixed",
		"char pool[4096]; int used; volatile int sink;\n"
		"__attribute__((noinline)) void *_rjem_malloc(unsigned long "
		"n)\n"
		"{ used += n; return pool + used; }\n"
		"__attribute__((noinline)) void _rjem_sdallocx(void *p,\n"
		"	unsigned long n, int f) { sink = n; }\n"
		"__attribute__((noinline)) void _rjem_free(void *p)\n"
		"{ sink = 1; }\n"
		"/* a namesake without a malloc beside it */\n"
		"__attribute__((noinline)) void mi_free(void *p)\n"
		"{ sink = 2; }\n"
		"/* not the allocator's: there is no malloc here */\n"
		"__attribute__((noinline)) void cfree(void *p) { sink = 3; }\n"
		"int main(int n, char **v) { void *p = _rjem_malloc(n);\n"
		"	_rjem_sdallocx(p, n, 0); _rjem_free(p); mi_free(p);\n"
		"	cfree(p); return sink; }\n",
		"gcc -x c -w -O1 -fno-builtin -o %s %s");

	examine(&s, path, false);
	expect_allocator(&s, "jemalloc");
	expect_kind(&s, "_rjem_malloc", ALLOC_SIZE);
	expect_kind(&s, "_rjem_free", FREE_POINTER);
	expect_kind(&s, "_rjem_sdallocx", FREE_POINTER);
	expect_none(&s, "mi_free");
	expect_none(&s, "cfree");
	subject_close(&s);
}

static const char forwarder[] =
	"#include <stddef.h>\n"
	"void *__libc_malloc(size_t); void __libc_free(void *);\n"
	"void *__libc_calloc(size_t, size_t);\n"
	"void *__libc_realloc(void *, size_t);\n"
	"volatile int count;\n"
	"void *malloc(size_t n) { count++; return __libc_malloc(n); }\n"
	"void *calloc(size_t n, size_t s) { void *p = __libc_calloc(n, s);\n"
	"	count++; return p; }\n"
	"void *realloc(void *p, size_t n) { count++;\n"
	"	return __libc_realloc(p, n); }\n"
	"void free(void *p) { count--; __libc_free(p); }\n";

static void test_a_library_that_only_forwards_has_no_allocator(void **state)
{
	expect_no_allocator(compiled("forwarder.so", forwarder,
				     "gcc -x c -O2 -shared -fPIC -o %s %s"));
	expect_no_allocator(
		compiled("forwarder_lazy.so", forwarder,
			 "gcc -x c -O0 -fcf-protection -shared -fPIC -Wl,-z,"
			 "lazy -o %s %s"));
	expect_no_allocator(compiled("forwarder_noplt.so", forwarder,
				     "gcc -x c -O2 -fno-plt -shared -fPIC -o "
				     "%s %s"));
}

static void test_an_interposer_with_a_pointer_is_an_allocator(void **state)
{
	struct subject s;
	const char *path = compiled(
		"interposer.so",
		"#define _GNU_SOURCE\n"
		"#include <dlfcn.h>\n#include <stddef.h>\n"
		"static void *(*real)(size_t); static void (*unreal)(void *);\n"
		"static char early[64];\n"
		"void *malloc(size_t n) {\n"
		"	if (!real) real = dlsym(RTLD_NEXT, \"malloc\");\n"
		"	return real ? real(n) : early; }\n"
		"void free(void *p) {\n"
		"	if (!unreal) unreal = dlsym(RTLD_NEXT, \"free\");\n"
		"	if (p != early) unreal(p); }\n",
		"gcc -x c -O2 -shared -fPIC -o %s %s");

	examine(&s, path, false);
	expect_emulated(&s, "malloc");
	expect_emulated(&s, "free");
	/* to the malloc that dlsym found, which is probed as well */
	assert_true(function_named(&s, "malloc")->flags & PROBE_TAIL_CALLS);
	assert_string_equal(s.functions.allocator, "malloc replacement");
	subject_close(&s);
}

static void test_a_path_around_the_inner_call_keeps_a_function(void **state)
{
	struct subject s;
	const char *path = compiled(
		"paths",
		"#include <stddef.h>\n"
		"static char pool[1 << 16]; static size_t used;\n"
		"__attribute__((noipa)) void *malloc(size_t n)\n"
		"{ used += n; return pool + used; }\n"
		"__attribute__((noipa)) void free(void *p) { used--; }\n"
		"/* one of its paths does not call malloc */\n"
		"__attribute__((noipa)) void *valloc(size_t n)\n"
		"{ if (n == 7) return pool; return malloc(n); }\n"
		"/* all of them do */\n"
		"__attribute__((noipa)) void *mallocx(size_t n)\n"
		"{ if (n == 7) return malloc(1); return malloc(n + 9); }\n"
		"/* helps memalign, and calls malloc */\n"
		"__attribute__((noipa)) void *helper(size_t n)\n"
		"{ char *p = malloc(n); return p + 1; }\n"
		"__attribute__((noipa)) void *memalign(size_t a, size_t n)\n"
		"{ char *p = a > 8 ? helper(n) : pool; return p + 1; }\n"
		"__attribute__((noipa)) void *user(size_t n)\n"
		"{ return (char *)malloc(n) + 1; }\n"
		"int main(int n, char **v) { free(valloc(n)); "
		"free(mallocx(n));\n"
		"	free(memalign(n, n)); free(user(n)); return 0; }\n",
		"gcc -x c -w -O2 -fno-builtin -o %s %s");

	examine(&s, path, false);
	expect_kind(&s, "malloc", ALLOC_SIZE);
	expect_kind(&s, "valloc", ALLOC_SIZE);
	assert_true(function_named(&s, "valloc")->flags & PROBE_TAIL_CALLS);
	expect_none(&s, "mallocx");
	expect_kind(&s, "memalign", ALLOC_ALIGN_SIZE);
	assert_true(is_internal(&s, address_of(&s, "helper")));
	assert_false(is_internal(&s, address_of(&s, "user")));
	assert_false(is_internal(&s, address_of(&s, "main")));
	subject_close(&s);
}

static void
test_a_local_namesake_is_not_taken_for_the_public_function(void **state)
{
	struct subject s;
	size_t frees = 0;
	const char *path = compiled(
		"namesake.so",
		"#include <stddef.h>\n"
		"#ifdef OTHER\n"
		"extern int used;\n"
		"__attribute__((noipa)) static void free(void *node)\n"
		"{ used += 2; }\n"
		"void list_drop(void *node) { free(node); }\n"
		"#else\n"
		"static char pool[1 << 16]; int used;\n"
		"void *malloc(size_t n) { used += n; return pool + used; }\n"
		"void free(void *p) { used--; }\n"
		"__attribute__((noipa)) static void *calloc(size_t n, size_t "
		"s)\n"
		"{ used += n * s; return pool + used; }\n"
		"void *zeroed(size_t n) { return calloc(n, 1); }\n"
		"#endif\n",
		"o=%1$s; gcc -x c -w -O2 -fno-builtin -fPIC -c -o $o.1.o %2$s "
		"&& gcc -x c -w -O2 -fno-builtin -fPIC -DOTHER -c -o $o.2.o "
		"%2$s && gcc -shared -o $o $o.1.o $o.2.o");

	examine(&s, path, false);
	for (size_t i = 0; i < s.functions.count; i++)
		frees += !strcmp(s.functions.list[i].name, "free");
	assert_int_equal(frees, 1);
	expect_kind(&s, "malloc", ALLOC_SIZE);
	/* A local name counts where there is no public one: it may be a static
	 * program's. */
	expect_kind(&s, "calloc", ALLOC_COUNT_SIZE);
	subject_close(&s);
}

/* ---- Damage ---- */

static uint8_t *read_whole(const char *path, size_t *size)
{
	FILE *f = fopen(path, "r");
	uint8_t *bytes = malloc(1 << 20);

	assert_non_null(f);
	assert_non_null(bytes);
	*size = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	assert_in_range(*size, 1000, (1 << 20) - 1);
	return bytes;
}

static int fd_of(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("damaged", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

/* Any answer will do, as long as there is one, and soon. */
static void test_damaged_objects_do_no_harm(void **state)
{
	const char *path = compiled("damaged.so", forwarder,
				    "gcc -x c -O2 -shared -fPIC -o %s %s");
	size_t size, opened = 0;
	uint8_t *whole = read_whole(path, &size);
	unsigned seed = 7;

	for (int round = 0; round < 400; round++) {
		struct object_registry *registry = object_registry_new();
		struct catalogue_options options = {.memory_maps = true};
		uint8_t *bytes = malloc(size);
		struct alloc_functions f;
		struct object *o;
		size_t left = round % 4 ? size : rand_r(&seed) % size;
		uint64_t hook;

		assert_non_null(bytes);
		memcpy(bytes, whole, size);
		for (int i = 0; i < 1 << round % 10; i++)
			bytes[64 + rand_r(&seed) % (size - 64)] =
				(uint8_t)rand_r(&seed);
		if (!object_open(registry, fd_of(bytes, left), path, &o)) {
			opened++;
			catalogue_find_loader_hook(o, &hook);
			if (!catalogue_find(o, &options, &f))
				alloc_functions_free(&f);
		}
		object_registry_free(registry);
		free(bytes);
	}
	free(whole);
	assert_true(opened > 100);
}

/* ---- Names ---- */

static void test_names_and_kinds(void **state)
{
	static const struct {
		const char *name;
		uint32_t kind; /* 0: not in the catalogue */
	} names[] = {
		{"malloc", ALLOC_SIZE},
		{"__libc_memalign", ALLOC_ALIGN_SIZE},
		{"je_sdallocx", FREE_POINTER},
		{"_rjem_rallocx", ALLOC_REALLOC},
		{"mi_heap_realloc", ALLOC_HEAP_REALLOC},
		{"tc_new_nothrow", ALLOC_SIZE},
		{"rpposix_memalign", ALLOC_OUT_ALIGN_SIZE},
		{"free_aligned_sized", FREE_POINTER},
		{"_ZnamSt11align_val_tRKSt9nothrow_t", ALLOC_SIZE},
		{"_ZdaPvmSt11align_val_t", FREE_POINTER},
		{"mremap", MAP_MREMAP},
		{"mallo", 0},
		{"malloc_trim", 0},
		{"mallinfo", 0},
		{"je_", 0},
		{"", 0},
		{"free_list", 0},
		{"__libc_freeres", 0},
		{"_ZnwmX", 0},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct alloc_match match;
		bool found = alloc_name_find(names[i].name, &match);
		uint32_t kind = found ? match.entry->kind : 0;

		if (kind != names[i].kind)
			fail_msg("%s: expected kind %u, seen %u", names[i].name,
				 names[i].kind, kind);
	}
}

static void test_transparent_names(void **state)
{
	static const struct {
		const char *name;
		bool transparent;
	} names[] = {
		{"malloc", true},
		{"__libc_calloc", true},
		{"strdup", true},
		{"__strdup", true},
		{"strdup@GLIBC_2.2.5", true},
		{"getline", true},
		{"__asprintf_chk", true},
		{"vasprintf", true},
		{"fopen", true},
		{"getaddrinfo", true},
		{"opendir", true},
		{"xmalloc", true},
		{"xmalloc.part.0", true},
		{"xmalloc(unsigned long)", true},
		{"ztrymalloc_usable_internal", true},
		{"g_malloc0", true},
		{"PyObject_Malloc", true},
		{"CRYPTO_zalloc", true},
		{"ngx_palloc", true},
		{"operator new(unsigned long)", true},
		{"operator new[](unsigned long, std::nothrow_t const&)", true},
		{"_Znwm", true},
		{"std::allocator<int>::allocate(unsigned long)", true},
		{"__gnu_cxx::new_allocator<int>::allocate(unsigned long, "
		 "void const*)",
		 true},
		{"std::__cxx11::basic_string<char, std::char_traits<char>, "
		 "std::allocator<char> >::_M_create(unsigned long&, unsigned "
		 "long)",
		 true},
		{"void std::vector<Foo, std::allocator<Foo> "
		 ">::_M_realloc_insert<Foo const&>(__gnu_cxx::"
		 "__normal_iterator<Foo*, std::vector<Foo> >, Foo const&)",
		 true},
		{"alloc::raw_vec::RawVec<T,A>::grow_amortized", true},
		{"<alloc::string::String as core::clone::Clone>::clone", true},
		{"hashbrown::raw::RawTable<T,A>::reserve_rehash", true},
		{"__rust_alloc", true},
		{"", false},
		{"main", false},
		{"leak_path", false},
		{"xmallocator", false},
		{"mallocs", false},
		{"handle_request", false},
		{"Cache::insert(std::string const&)", false},
		{"void leak<std::string>(std::string)", false},
		{"std::vector<int>& my::get(int)", false},
		{"my::std::foo", false},
		{"bool operator==(A const&, B const&)", false},
		{"(anonymous namespace)::leak()", false},
		{"std::rt::lang_start", false},
		{"std::thread::_State_impl<std::thread::_Invoker<"
		 "std::tuple<void (*)()> > >::_M_run()",
		 false},
		{"<<<<((((", false},
		{" ", false},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (catalogue_is_transparent(names[i].name) !=
		    names[i].transparent)
			fail_msg("%s: expected %s", names[i].name,
				 names[i].transparent ? "transparent"
						      : "not transparent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glibc),
		cmocka_unit_test(test_memory_maps_are_found_on_request),
		cmocka_unit_test(test_jemalloc),
		cmocka_unit_test(test_tcmalloc),
		cmocka_unit_test(test_mimalloc),
		cmocka_unit_test(test_musl),
		cmocka_unit_test(
			test_objects_without_an_allocator_of_their_own),
		cmocka_unit_test(test_the_dynamic_loader_has_the_hook),
		cmocka_unit_test(test_static_glibc),
		cmocka_unit_test(test_static_musl),
		cmocka_unit_test(test_static_cxx_has_its_operator_new_left_out),
		cmocka_unit_test(test_jemalloc_linked_in),
		cmocka_unit_test(
			test_stripped_program_that_exports_its_allocator),
		cmocka_unit_test(
			test_prefixed_names_need_their_own_malloc_and_free),
		cmocka_unit_test(
			test_a_library_that_only_forwards_has_no_allocator),
		cmocka_unit_test(
			test_an_interposer_with_a_pointer_is_an_allocator),
		cmocka_unit_test(
			test_a_path_around_the_inner_call_keeps_a_function),
		cmocka_unit_test(
			test_a_local_namesake_is_not_taken_for_the_public_function),
		cmocka_unit_test(test_damaged_objects_do_no_harm),
		cmocka_unit_test(test_names_and_kinds),
		cmocka_unit_test(test_transparent_names),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
