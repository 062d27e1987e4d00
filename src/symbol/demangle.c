/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mangled names to readable ones, through GNU libiberty.
 *
 * C++ functions are shown with scopes and template arguments but without
 * parameter list and return type ("std::vector<int>::push_back"): stacks are
 * read in 80 columns, and file:line tells overloads apart. Rust names lose
 * their "::h0123456789abcdef" hash and crate disambiguators. Clone suffixes
 * (.part.0, .cold) of mangled names are dropped with the parameters.
 *
 * Mangled names can expand exponentially (back references), so the
 * demanglers write through a callback that stops them at 64 KiB. They are
 * left by longjmp, there being no other way: the C++ demangler holds no heap
 * memory in callback mode; the Rust one may hold one identifier's.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "symbol/name.h"
#include "symbol/symbolizer.h"

/* libiberty puts about 80 bytes per input byte on the stack. */
#define INPUT_MAX  8192
#define OUTPUT_MAX 65535

struct sink {
	char *data;
	size_t size;
	jmp_buf full;
};

static void collect(const char *bytes, size_t size, void *context)
{
	struct sink *sink = context;

	if (size > OUTPUT_MAX - sink->size) {
		memcpy(sink->data + sink->size, bytes, OUTPUT_MAX - sink->size);
		sink->size = OUTPUT_MAX;
		longjmp(sink->full, 1);
	}
	memcpy(sink->data + sink->size, bytes, size);
	sink->size += size;
}

typedef int demangler(const char *name, int options,
		      demangle_callbackref callback, void *context);

/* `sink` lives in the caller, so it is intact after the longjmp. */
static bool demangle_with(demangler *demangle, int options, const char *name,
			  struct sink *sink)
{
	sink->size = 0;
	if (setjmp(sink->full))
		return true; /* cut off at the limit */
	return demangle(name, options, collect, sink) && sink->size > 0;
}

static bool demangle_d(const char *name, struct sink *sink)
{
	char *text = dlang_demangle(name, 0);

	if (!text)
		return false;
	/* "module.function(int)": as for C++, without parameters. */
	size_t size = strcspn(text, "(");
	sink->size = size < OUTPUT_MAX ? size : OUTPUT_MAX;
	memcpy(sink->data, text, sink->size);
	free(text);
	return sink->size > 0;
}

/* "_D" is D only when a length-prefixed identifier follows; without this,
 * dlang_demangle would take any C name beginning with _D... */
static bool looks_like_d(const char *name)
{
	return name[0] == '_' && name[1] == 'D' &&
	       (isdigit((unsigned char)name[2]) || !strcmp(name, "_Dmain"));
}

static bool demangle_any(const char *name, struct sink *sink)
{
	if (name[0] != '_')
		return false;
	if (name[1] == 'R' || name[1] == 'Z') {
		/* Also recognises the legacy Rust scheme by its hash. */
		if (demangle_with(rust_demangle_callback, 0, name, sink))
			return true;
	}
	if (name[1] == 'Z')
		return demangle_with(cplus_demangle_v3_callback, DMGL_ANSI,
				     name, sink);
	return looks_like_d(name) && demangle_d(name, sink);
}

char *symbol_demangle(const char *name)
{
	size_t size = strnlen(name, OUTPUT_MAX + 1);
	struct sink sink = {0};
	char *shrunk;

	sink.data = malloc(OUTPUT_MAX + 1);
	if (!sink.data)
		return NULL;
	if (size > INPUT_MAX || !demangle_any(name, &sink)) {
		sink.size = size < OUTPUT_MAX ? size : OUTPUT_MAX;
		memcpy(sink.data, name, sink.size);
	}
	sink.size = symbol_clean_name(sink.data, sink.size);
	sink.data[sink.size] = '\0';
	shrunk = realloc(sink.data, sink.size + 1);
	return shrunk ? shrunk : sink.data;
}
