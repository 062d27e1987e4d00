/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs for the symbolizer's tests, compiled when the test runs, each in a
 * folder that is removed afterwards. A program tells by itself where its calls
 * are: it prints "TAG ADDRESS LINE..." with the link-time look-up address of
 * the call (return address minus one) and the lines that the compiler's
 * __LINE__ gave, so that the expectation does not come from what is tested.
 */
#ifndef TESTS_SYMBOL_FIXTURE_H
#define TESTS_SYMBOL_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "leakbpf/abi_user.h"
#include "object/object.h"
#include "symbol/symbolizer.h"

struct fixture {
	char folder[64];
	struct object_registry *objects;
	struct symbolizer *symbols;
};

static const char fixture_common[] =
	"#include <stdio.h>\n"
	"#include <stdlib.h>\n"
	"extern char __ehdr_start __attribute__((visibility(\"hidden\")));\n"
	"#ifdef ABSOLUTE\n"
	"#define BIAS ((char *)0)\n"
	"#else\n"
	"#define BIAS (&__ehdr_start)\n"
	"#endif\n"
	"__attribute__((noinline, noclone)) void where(const char *tag,\n"
	"					       int a, int b, int c)\n"
	"{\n"
	"	char *at = (char *)__builtin_return_address(0) - 1;\n"
	"	printf(\"%s %lx %d %d %d\\n\", tag,\n"
	"	       (unsigned long)(at - BIAS), a, b, c);\n"
	"}\n";

/* Runs a shell command in the fixture's folder; its exit status. */
__attribute__((format(printf, 2, 3))) static inline int
fixture_run(const struct fixture *f, const char *format, ...)
{
	char command[4096];
	va_list arguments;
	int at = snprintf(command, sizeof(command), "cd %s && exec 2>>log && ",
			  f->folder);

	va_start(arguments, format);
	vsnprintf(command + at, sizeof(command) - (size_t)at, format,
		  arguments);
	va_end(arguments);
	int status = system(command);
	return status < 0 ? -1 : status;
}

static inline bool have_tool(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", name);
	return system(command) == 0;
}

static inline void fixture_write(const struct fixture *f, const char *name,
				 const char *first, const char *second)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(first, file);
	fputs(second, file);
	assert_int_equal(fclose(file), 0);
}

static inline void fixture_start(struct fixture *f,
				 const struct symbolizer_options *options)
{
	strcpy(f->folder, "/tmp/leakbpf-symbol-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	/* mkdtemp makes it private; the worker gets open files anyway. */
	f->objects = object_registry_new();
	assert_non_null(f->objects);
	f->symbols = symbolizer_new(f->objects, options);
	assert_non_null(f->symbols);
}

static inline void fixture_stop(struct fixture *f)
{
	char command[128];

	symbolizer_free(f->symbols);
	object_registry_free(f->objects);
	snprintf(command, sizeof(command), "rm -rf %s", f->folder);
	assert_int_equal(system(command), 0);
}

static inline struct object *fixture_open(struct fixture *f, const char *name)
{
	char path[256];
	struct object *object = NULL;

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(object_open(f->objects, fd, path, &object), 0);
	return object;
}

static inline uint64_t frame_of(const struct object *o, uint64_t address)
{
	return (uint64_t)o->id << FRAME_OBJECT_SHIFT | address;
}

static inline const struct symbol *
fixture_resolve(struct fixture *f, const struct object *o, uint64_t address)
{
	uint64_t frame = frame_of(o, address);

	assert_int_equal(symbolizer_resolve(f->symbols, getpid(), &frame, 1),
			 0);
	return symbolizer_get(f->symbols, frame);
}

/* What the program printed for `tag`: its numbers. */
static inline uint64_t fixture_where(const struct fixture *f,
				     const char *program, const char *tag,
				     uint32_t lines[3])
{
	char command[256], line[256], found[64];
	unsigned long address = 0;

	snprintf(command, sizeof(command), "cd %s && ./%s", f->folder, program);
	FILE *output = popen(command, "r");
	assert_non_null(output);
	while (fgets(line, sizeof(line), output)) {
		unsigned long at;
		uint32_t n[3];

		if (sscanf(line, "%63s %lx %u %u %u", found, &at, &n[0], &n[1],
			   &n[2]) == 5 &&
		    !strcmp(found, tag)) {
			address = at;
			memcpy(lines, n, sizeof(n));
		}
	}
	pclose(output);
	assert_true(address != 0);
	return address;
}

/* The address of a symbol, from nm. */
static inline uint64_t fixture_symbol(const struct fixture *f,
				      const char *program, const char *symbol)
{
	char command[512];
	unsigned long address = 0;

	snprintf(command, sizeof(command),
		 "cd %s && nm %s | awk '$3 == \"%s\" { print $1 }'", f->folder,
		 program, symbol);
	FILE *output = popen(command, "r");
	assert_non_null(output);
	assert_int_equal(fscanf(output, "%lx", &address), 1);
	pclose(output);
	return address;
}

static inline void check_level(const struct symbol *s, uint32_t i,
			       const char *function, const char *file,
			       uint32_t line, bool inlined)
{
	assert_true(i < s->level_count);
	assert_string_equal(s->levels[i].function, function);
	if (file) {
		const char *slash;

		assert_non_null(s->levels[i].file);
		slash = strrchr(s->levels[i].file, '/');
		assert_string_equal(slash ? slash + 1 : s->levels[i].file,
				    file);
		assert_int_equal(s->levels[i].line, line);
	}
	assert_int_equal(s->levels[i].inlined, inlined);
}

#endif
