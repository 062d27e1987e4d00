/* SPDX-License-Identifier: GPL-2.0-only */
/* Names, files, lines and inlined calls from every source they may have. */
#include <sys/auxv.h>
#include <sys/mman.h>

#include "symbol_fixture.h"

static const char inline_source[] =
	"static inline __attribute__((always_inline)) void innermost(int out,\n"
	"							     int mid)\n"
	"{\n"
	"	where(\"chain\", __LINE__, mid, out);\n"
	"	__asm__ volatile(\"\");\n"
	"}\n"
	"static inline __attribute__((always_inline)) void middle(int out)\n"
	"{\n"
	"	int line = __LINE__ + 1;\n"
	"	innermost(out, line);\n"
	"}\n"
	"__attribute__((noinline)) void outermost(void)\n"
	"{\n"
	"	middle(__LINE__);\n"
	"}\n"
	"__attribute__((noinline)) static void hidden(void)\n"
	"{\n"
	"	where(\"hidden\", __LINE__, 0, 0);\n"
	"	__asm__ volatile(\"\");\n"
	"}\n"
	"int main(void)\n"
	"{\n"
	"	outermost();\n"
	"	hidden();\n"
	"	where(\"main\", __LINE__, 0, 0);\n"
	"	return 0;\n"
	"}\n";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture_start(f, NULL);
	fixture_write(f, "chain.c", fixture_common, inline_source);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fixture_stop(f);
	free(f);
	return 0;
}

static void check_chain(struct fixture *f, const char *program,
			const struct object *o)
{
	uint32_t lines[3];
	uint64_t address = fixture_where(f, program, "chain", lines);
	const struct symbol *s = fixture_resolve(f, o, address);

	assert_true(s->named);
	assert_int_equal(s->level_count, 3);
	check_level(s, 0, "innermost", "chain.c", lines[0], true);
	check_level(s, 1, "middle", "chain.c", lines[1], true);
	check_level(s, 2, "outermost", "chain.c", lines[2], false);
	address = fixture_where(f, program, "main", lines);
	s = fixture_resolve(f, o, address);
	assert_int_equal(s->level_count, 1);
	check_level(s, 0, "main", "chain.c", lines[0], false);
	assert_true(s->function_offset > 0 && s->function_offset < 4096);
}

static void inlined_calls_have_the_true_lines(void **state)
{
	static const char *const builds[] = {
		"gcc -gdwarf-5 -O2",
		"gcc -gdwarf-4 -O2",
		"gcc -gdwarf-5 -O2 -gz=zlib",
		"gcc -gdwarf-5 -O3 -flto",
		"gcc -gdwarf-5 -O2 -ffunction-sections -Wl,--gc-sections",
		"gcc -gdwarf-5 -O2 -static -DABSOLUTE -no-pie",
		"gcc -gdwarf-4 -O2 -no-pie -DABSOLUTE",
		"gcc -gdwarf-4 -O2 -static-pie -fPIE",
		"clang -gdwarf-5 -O2",
		"clang -gdwarf-4 -O2",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
		char program[32];

		if (!strncmp(builds[i], "clang", 5) && !have_tool("clang"))
			continue;
		snprintf(program, sizeof(program), "chain%zu", i);
		print_message("    %s\n", builds[i]);
		assert_int_equal(
			fixture_run(f, "%s -o %s chain.c", builds[i], program),
			0);
		check_chain(f, program, fixture_open(f, program));
	}
}

static const char cpp_source[] =
	"#include <vector>\n"
	"namespace space {\n"
	"template <class T, int N> struct Box {\n"
	"	T v;\n"
	"	__attribute__((noinline)) void put(T x)\n"
	"	{\n"
	"		where(\"method\", __LINE__, 0, 0);\n"
	"		v = x;\n"
	"	}\n"
	"};\n"
	"namespace {\n"
	"__attribute__((noinline)) int anonymous(int x)\n"
	"{\n"
	"	where(\"anonymous\", __LINE__, 0, 0);\n"
	"	return x + 1;\n"
	"}\n"
	"}\n"
	"template <class F> __attribute__((noinline)) int apply(F f)\n"
	"{\n"
	"	return f(3) + 1;\n"
	"}\n"
	"}\n"
	"struct Base {\n"
	"	virtual ~Base() {}\n"
	"	__attribute__((noinline)) Base()\n"
	"	{\n"
	"		where(\"constructor\", __LINE__, 0, 0);\n"
	"		x = 1;\n"
	"	}\n"
	"	int x;\n"
	"};\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	space::Box<long, 7> box;\n"
	"	box.put(argc);\n"
	"	Base base;\n"
	"	auto lambda = [&](int k) __attribute__((noinline)) {\n"
	"		where(\"lambda\", __LINE__, 0, 0);\n"
	"		return k + argc;\n"
	"	};\n"
	"	return space::anonymous(argc) + space::apply(lambda) +\n"
	"	       (int)box.v + base.x > 1000;\n"
	"}\n";

static void check_function(struct fixture *f, const struct object *o,
			   const char *program, const char *tag,
			   const char *function)
{
	uint32_t lines[3];
	uint64_t address = fixture_where(f, program, tag, lines);
	const struct symbol *s = fixture_resolve(f, o, address);

	check_level(s, 0, function, "names.cc", lines[0], s->levels[0].inlined);
}

static void cpp_functions_have_scopes_and_template_arguments(void **state)
{
	static const char *const compilers[] = {"g++", "clang++"};
	struct fixture *f = *state;

	fixture_write(f, "names.cc", fixture_common, cpp_source);
	for (size_t i = 0; i < 2; i++) {
		const char *c = compilers[i];

		if (!have_tool(c))
			continue;
		assert_int_equal(fixture_run(f,
					     "%s -Wno-attributes -O1 -g "
					     "-o %s names.cc",
					     c, c),
				 0);
		struct object *o = fixture_open(f, c);
		check_function(f, o, c, "method", "space::Box<long, 7>::put");
		check_function(f, o, c, "anonymous",
			       "space::(anonymous namespace)::anonymous");
		check_function(f, o, c, "constructor", "Base::Base");
		uint32_t lines[3];
		const struct symbol *s = fixture_resolve(
			f, o, fixture_where(f, c, "lambda", lines));
		assert_non_null(strstr(s->levels[0].function, "operator()"));
		assert_non_null(strstr(s->levels[0].function, "main::"));
		assert_int_equal(s->levels[0].line, lines[0]);
	}
}

static const char rust_source[] =
	"mod inner {\n"
	"    #[inline(never)]\n"
	"    pub fn work<T: std::fmt::Debug>(x: T) -> usize {\n"
	"        let s = format!(\"{:?}\", x); s.len()\n"
	"    }\n"
	"}\n"
	"fn main() { println!(\"{}\", inner::work(vec![1u8, 2])); }\n";

static void rust_functions_are_readable(void **state)
{
	static const char *const schemes[] = {"legacy", "v0"};
	struct fixture *f = *state;

	fixture_write(f, "service.rs", rust_source, "");
	for (size_t i = 0; i < 2; i++) {
		/* A tool-chain manager may have its command but no compiler. */
		if (fixture_run(f,
				"rustc -g -O -C symbol-mangling-version=%s "
				"-o rust%zu service.rs || RUSTC_BOOTSTRAP=1 "
				"rustc -g -O -Z "
				"unstable-options -C symbol-mangling-version="
				"%s -o rust%zu service.rs",
				schemes[i], i, schemes[i], i)) {
			print_message("    no rustc, or not with %s\n",
				      schemes[i]);
			continue;
		}
		char program[32], symbol[256] = "";
		snprintf(program, sizeof(program), "rust%zu", i);
		struct object *o = fixture_open(f, program);
		assert_int_equal(fixture_run(f,
					     "nm %s | awk '/inner.*4work/ "
					     "{ print $3; exit }' > name",
					     program),
				 0);
		char path[256];
		snprintf(path, sizeof(path), "%s/name", f->folder);
		FILE *name = fopen(path, "r");
		assert_int_equal(fscanf(name, "%255s", symbol), 1);
		fclose(name);
		const struct symbol *s = fixture_resolve(
			f, o, fixture_symbol(f, program, symbol) + 1);
		const struct symbol_level *last =
			&s->levels[s->level_count - 1];
		assert_non_null(strstr(last->function, "service::inner::work"));
		assert_null(strstr(last->function, "17h"));
		assert_non_null(strstr(last->file, "service.rs"));
		assert_in_range(last->line, 3, 4);
	}
}

static void a_shared_object_without_symbols_gives_its_exports(void **state)
{
	struct fixture *f = *state;
	static const char source[] =
		"__attribute__((noinline)) static int hidden(int x)\n"
		"{ __asm__ volatile(\"\"); return x * 3; }\n"
		"int exported(int x) { return hidden(x) + 1; }\n";

	fixture_write(f, "lib.c", source, "");
	assert_int_equal(fixture_run(f, "gcc -O1 -shared -fPIC "
					"-Wl,--build-id=0xabcdef0123456789 "
					"-o full.so lib.c && "
					"strip -o lib.so full.so"),
			 0);
	struct object *o = fixture_open(f, "lib.so");
	uint64_t hidden = fixture_symbol(f, "full.so", "hidden");
	const struct symbol *s = fixture_resolve(
		f, o, fixture_symbol(f, "full.so", "exported") + 2);
	char expected[128];

	assert_true(s->named);
	check_level(s, 0, "exported", NULL, 0, false);
	assert_int_equal(s->function_offset, 2);
	assert_string_equal(s->module, "lib.so");
	s = fixture_resolve(f, o, hidden + 1);
	snprintf(expected, sizeof(expected), "lib.so+0x%lx [abcdef01]",
		 (unsigned long)hidden + 1);
	assert_false(s->named);
	check_level(s, 0, expected, NULL, 0, false);
}

static void mini_debug_info_names_local_functions(void **state)
{
	struct fixture *f = *state;
	uint32_t lines[3];

	if (!have_tool("xz")) {
		print_message("    no xz\n");
		skip();
	}
	/* As rpm builds do it (gdb manual, "MiniDebugInfo"). */
	assert_int_equal(
		fixture_run(f, "gcc -O2 -g -o full chain.c && "
			       "objcopy -S --remove-section .gdb_index "
			       "--keep-symbol=hidden --keep-symbol=main "
			       "--only-keep-debug full mini && "
			       "objcopy --keep-symbol=hidden "
			       "--keep-symbol=main -S full mini && "
			       "xz -kf mini && strip -o bare full && "
			       "objcopy --add-section .gnu_debugdata=mini.xz "
			       "bare withmini"),
		0);
	uint64_t address = fixture_where(f, "full", "hidden", lines);
	const struct symbol *s =
		fixture_resolve(f, fixture_open(f, "bare"), address);
	assert_false(s->named);
	s = fixture_resolve(f, fixture_open(f, "withmini"), address);
	assert_true(s->named);
	check_level(s, 0, "hidden", NULL, 0, false);
}

static void a_debug_file_is_found_by_link_beside_the_object(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		fixture_run(f, "gcc -O2 -g -Wl,--build-id=none -o full "
			       "chain.c && mkdir -p .debug && "
			       "objcopy --only-keep-debug full "
			       ".debug/full.debug && strip -o linked full && "
			       "objcopy --add-gnu-debuglink=.debug/full.debug "
			       "linked"),
		0);
	check_chain(f, "full", fixture_open(f, "linked"));
}

static void a_debug_file_with_another_checksum_is_not_used(void **state)
{
	struct fixture *f = *state;
	uint32_t lines[3];

	assert_int_equal(
		fixture_run(f, "gcc -O2 -g -Wl,--build-id=none -o full "
			       "chain.c && objcopy --only-keep-debug full "
			       "full.debug && strip -o linked full && "
			       "objcopy --add-gnu-debuglink=full.debug linked "
			       "&& echo more >> full.debug"),
		0);
	uint64_t address = fixture_where(f, "full", "hidden", lines);
	assert_false(
		fixture_resolve(f, fixture_open(f, "linked"), address)->named);
}

/* Hands the debug file out under the object's build-id. */
static void install_by_build_id(struct fixture *f, const char *file,
				const char *build_id)
{
	assert_int_equal(fixture_run(f,
				     "mkdir -p debug/.build-id/%.2s && mv %s "
				     "debug/.build-id/%.2s/%s.debug",
				     build_id, file, build_id, build_id + 2),
			 0);
}

static void a_debug_file_is_found_by_build_id(void **state)
{
	static const char id[] = "00112233445566778899aabbccddeeff";
	struct fixture *f = *state;
	char directory[128];

	assert_int_equal(
		fixture_run(f,
			    "gcc -O2 -g -Wl,--build-id=0x%s -o full "
			    "chain.c && objcopy --only-keep-debug full d && "
			    "strip -o bare full",
			    id),
		0);
	install_by_build_id(f, "d", id);
	snprintf(directory, sizeof(directory), "%s/debug", f->folder);
	struct symbolizer_options options = {.debug_directory = directory};
	symbolizer_free(f->symbols);
	f->symbols = symbolizer_new(f->objects, &options);
	assert_non_null(f->symbols);
	check_chain(f, "full", fixture_open(f, "bare"));
}

static void a_debug_file_with_another_build_id_is_not_used(void **state)
{
	static const char id[] = "00112233445566778899aabbccddeeff";
	struct fixture *f = *state;
	uint32_t lines[3];
	char directory[128];

	assert_int_equal(
		fixture_run(f,
			    "gcc -O2 -g -Wl,--build-id=0x%s -o full "
			    "chain.c && strip -o bare full && gcc -O1 -g "
			    "-Wl,--build-id=0x1234 -o other chain.c && "
			    "objcopy --only-keep-debug other d",
			    id),
		0);
	install_by_build_id(f, "d", id);
	snprintf(directory, sizeof(directory), "%s/debug", f->folder);
	struct symbolizer_options options = {.debug_directory = directory};
	symbolizer_free(f->symbols);
	f->symbols = symbolizer_new(f->objects, &options);
	uint64_t address = fixture_where(f, "full", "hidden", lines);
	assert_false(
		fixture_resolve(f, fixture_open(f, "bare"), address)->named);
}

static void a_dwz_supplement_is_used(void **state)
{
	static const char id[] = "00112233445566778899aabbccddeeff";
	struct fixture *f = *state;
	char directory[128];

	if (!have_tool("dwz")) {
		print_message("    no dwz\n");
		skip();
	}
	assert_int_equal(
		fixture_run(f,
			    "gcc -O2 -gdwarf-4 -Wl,--build-id=0x%s -o full "
			    "chain.c && objcopy --only-keep-debug full d && "
			    "gcc -O1 -gdwarf-4 -o other chain.c && "
			    "mkdir -p debug/.dwz && "
			    "dwz -m debug/.dwz/shared.debug "
			    "-M ../../.dwz/shared.debug d other && "
			    "readelf -S d | grep -q gnu_debugaltlink && "
			    "strip -o bare full",
			    id),
		0);
	install_by_build_id(f, "d", id);
	snprintf(directory, sizeof(directory), "%s/debug", f->folder);
	struct symbolizer_options options = {.debug_directory = directory};
	symbolizer_free(f->symbols);
	f->symbols = symbolizer_new(f->objects, &options);
	check_chain(f, "full", fixture_open(f, "bare"));
}

static void without_dwarf_the_symbol_table_names(void **state)
{
	struct fixture *f = *state;
	struct symbolizer_options options = {.no_dwarf = true};
	uint32_t lines[3];

	symbolizer_free(f->symbols);
	f->symbols = symbolizer_new(f->objects, &options);
	assert_int_equal(fixture_run(f, "gcc -O2 -g -o full chain.c"), 0);
	uint64_t address = fixture_where(f, "full", "chain", lines);
	const struct symbol *s =
		fixture_resolve(f, fixture_open(f, "full"), address);
	assert_int_equal(s->level_count, 1);
	check_level(s, 0, "outermost", NULL, 0, false);
	assert_null(s->levels[0].file);
}

static void aliases_show_the_public_name(void **state)
{
	struct fixture *f = *state;
	static const char source[] =
		"int __libc_thing(int x) { return x + 1; }\n"
		"extern int thing(int) "
		"__attribute__((alias(\"__libc_thing\")));\n"
		"extern int __thing(int) __attribute__((weak, "
		"alias(\"__libc_thing\")));\n";

	fixture_write(f, "alias.c", source, "");
	assert_int_equal(
		fixture_run(f, "gcc -shared -fPIC -O1 -o alias.so alias.c"), 0);
	const struct symbol *s =
		fixture_resolve(f, fixture_open(f, "alias.so"),
				fixture_symbol(f, "alias.so", "thing"));
	check_level(s, 0, "thing", NULL, 0, false);
}

static void the_vdso_is_resolved_from_memory(void **state)
{
	struct fixture *f = *state;
	const uint8_t *image = (void *)getauxval(AT_SYSINFO_EHDR);
	struct object *o = NULL;

	if (!image)
		skip();
	/* Its dynamic symbols, from a program that the linker bound to it. */
	assert_int_equal(
		object_from_memory(f->objects, image, 8192, "[vdso]", &o), 0);
	size_t named = 0;
	for (uint64_t a = o->text_base; a < o->text_end; a += 16)
		named += fixture_resolve(f, o, a)->named;
	assert_true(named > 0);
}

/* This very test program, with all its libraries, is the sample. */
static void lines_agree_with_addr2line(void **state)
{
	struct fixture *f = *state;
	char command[512], text[4096];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct object *o = NULL;
	size_t compared = 0, levels = 0;

	assert_int_equal(object_open(f->objects, fd, "/proc/self/exe", &o), 0);
	snprintf(command, sizeof(command),
		 "objdump -d --no-show-raw-insn /proc/%d/exe | "
		 "awk '/\\tcall/ { sub(/:/, \"\", $1); print $1 }' | "
		 "awk 'NR %% 11 == 0 && n++ < 400' > %s/addresses; "
		 "addr2line -i -a -e /proc/%d/exe < %s/addresses",
		 getpid(), f->folder, getpid(), f->folder);
	FILE *output = popen(command, "r");
	assert_non_null(output);
	uint64_t address = 0;
	const struct symbol *s = NULL;
	uint32_t i = 0, line;
	while (fgets(text, sizeof(text), output)) {
		if (text[0] == '0' && text[1] == 'x') {
			assert_true(!s || !s->levels[0].file ||
				    i == s->level_count);
			address = strtoull(text, NULL, 16);
			s = fixture_resolve(f, o, address);
			i = 0;
			compared++;
			continue;
		}
		char *colon = strrchr(text, ':');
		assert_non_null(colon);
		line = (uint32_t)strtoul(colon + 1, NULL, 10);
		assert_true(i < s->level_count);
		if (s->levels[i].line != line)
			print_message("    %lx level %u: expected %s",
				      (unsigned long)address, i, text);
		assert_int_equal(s->levels[i].line, line);
		i++;
		levels += i > 1;
	}
	pclose(output);
	print_message("    %zu addresses, %zu inlined calls\n", compared,
		      levels);
	assert_true(compared >= 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inlined_calls_have_the_true_lines),
		TEST(cpp_functions_have_scopes_and_template_arguments),
		TEST(rust_functions_are_readable),
		TEST(a_shared_object_without_symbols_gives_its_exports),
		TEST(mini_debug_info_names_local_functions),
		TEST(a_debug_file_is_found_by_link_beside_the_object),
		TEST(a_debug_file_with_another_checksum_is_not_used),
		TEST(a_debug_file_is_found_by_build_id),
		TEST(a_debug_file_with_another_build_id_is_not_used),
		TEST(a_dwz_supplement_is_used),
		TEST(without_dwarf_the_symbol_table_names),
		TEST(aliases_show_the_public_name),
		TEST(the_vdso_is_resolved_from_memory),
		TEST(lines_agree_with_addr2line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
