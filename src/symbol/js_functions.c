/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/js_functions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"

struct js_functions {
	struct intern *keys; /* struct key */
	struct intern *texts;
	const char **prefixes; /* by number - 1; NULL: not known */
	uint32_t capacity;
};

/* No padding: it is a key. */
struct key {
	uint32_t thread;
	int32_t script_id, literal_id;
};

struct js_functions *js_functions_new(void)
{
	struct js_functions *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->keys = intern_new();
	f->texts = intern_new();
	if (f->keys && f->texts)
		return f;
	js_functions_free(f);
	return NULL;
}

void js_functions_free(struct js_functions *f)
{
	if (!f)
		return;
	intern_free(f->keys);
	intern_free(f->texts);
	free(f->prefixes);
	free(f);
}

static bool reserve(struct js_functions *f, uint32_t count)
{
	uint32_t capacity = f->capacity ? 2 * f->capacity : 256;
	const char **grown;

	if (count <= f->capacity)
		return true;
	grown = reallocarray(f->prefixes, capacity, sizeof(*grown));
	if (!grown)
		return false;
	memset(grown + f->capacity, 0,
	       (capacity - f->capacity) * sizeof(*grown));
	f->prefixes = grown;
	f->capacity = capacity;
	return true;
}

static const char *copy_name(struct js_functions *f, const char *name)
{
	uint32_t number;

	return intern_put(f->texts, name, strlen(name), &number)
		       ? NULL
		       : intern_key(f->texts, number, NULL);
}

uint32_t js_functions_put(struct js_functions *f, uint32_t thread,
			  int32_t script_id, int32_t literal_id,
			  const char *prefix)
{
	struct key key = {thread, script_id, literal_id};
	uint32_t number;

	if (intern_count(f->keys) >= JS_FUNCTIONS_MAX ||
	    !reserve(f, intern_count(f->keys) + 1) ||
	    intern_put(f->keys, &key, sizeof(key), &number))
		return 0;
	if (prefix && !f->prefixes[number])
		f->prefixes[number] = copy_name(f, prefix);
	return number + 1;
}

const char *js_functions_prefix(const struct js_functions *f, uint32_t number)
{
	return number ? f->prefixes[number - 1] : NULL;
}

bool js_functions_are_many(const struct js_functions *f)
{
	return intern_count(f->keys) > JS_FUNCTIONS_MAX / 4 * 3;
}

int js_functions_keep(struct js_functions *f, uint32_t *numbers)
{
	struct js_functions *fresh = js_functions_new(), old = *f;
	bool good = fresh != NULL;

	for (uint32_t i = 0; good && i < intern_count(f->keys); i++) {
		const struct key *key = intern_key(f->keys, i, NULL);

		if (!numbers[i + 1])
			continue;
		numbers[i + 1] =
			js_functions_put(fresh, key->thread, key->script_id,
					 key->literal_id, f->prefixes[i]);
		good = numbers[i + 1] != 0;
	}
	if (good) {
		*f = *fresh;
		*fresh = old;
	}
	js_functions_free(fresh);
	return good ? 0 : -ENOMEM;
}

/* Names that tell what they belong to, or nothing. */
static bool is_full(const char *function)
{
	return strchr("(#", function[0]) || !strncmp(function, "get ", 4) ||
	       !strncmp(function, "set ", 4) ||
	       (function[0] != '[' && strchr(function, '.'));
}

bool js_function_name(const char *function, const char *prefix,
		      struct text *out)
{
	if (!prefix || is_full(function))
		return false;
	text_add(out, prefix);
	text_add(out, function);
	return !out->failed;
}
