/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/function.h"

#include <errno.h>

#include "v8/string.h"

/* From this many on, context locals are in a hash table, one word, instead of
 * names in the ScopeInfo itself: kScopeInfoMaxInlinedLocalNamesSize. */
#define LOCALS_INLINE_MAX 74
#define LOCALS_MAX	  (1 << 20)

/* ScopeInfo has no length: its elements start behind the map. */
static int scope_element(const struct v8_reader *r, uint64_t scope_info,
			 uint32_t index, uint64_t *out)
{
	return v8_field(r, scope_info, 8 + 8 * index, out);
}

/* Names are often missing; only what stops everything is an error. */
static int string_if_any(const struct v8_reader *r, uint64_t word,
			 struct text *out)
{
	uint16_t type;
	int err;

	if (!v8_is_pointer(word))
		return 0;
	err = v8_type(r, word, &type, NULL);
	if (err || !v8_is_string_type(v8_layout_of(r), type))
		return err;
	return v8_string_utf8(r, word, V8_NAME_BYTES, out);
}

/*
 * Behind the context's locals (a name and a Smi each) a function's ScopeInfo
 * holds: its name (a String or Smi 0), the name's stack slot (Smi), and the
 * inferred name (String or undefined). Scopes of other kinds leave them out,
 * and have something else there.
 */
static int scope_names(const struct v8_reader *r, uint64_t scope_info,
		       struct text *name, struct text *inferred)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint64_t word, own, slot;
	uint32_t at;
	int32_t locals;
	int err = scope_element(r, scope_info, l->scope_info_context_locals,
				&word);

	if (err)
		return err;
	locals = v8_is_smi(word) ? v8_smi(word) : -1;
	if (locals < 0 || locals > LOCALS_MAX)
		return -ESTALE;
	at = l->scope_info_first_vars + (uint32_t)locals +
	     (locals > LOCALS_INLINE_MAX ? 1 : (uint32_t)locals);
	err = scope_element(r, scope_info, at, &own);
	if (!err)
		err = scope_element(r, scope_info, at + 1, &slot);
	if (!err)
		err = scope_element(r, scope_info, at + 2, &word);
	if (err || !v8_is_smi(slot))
		return err;
	err = string_if_any(r, own, name);
	return err ? err : string_if_any(r, word, inferred);
}

static int function_names(const struct v8_reader *r, uint64_t shared,
			  struct text *name, struct text *inferred)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint64_t word = 0;
	uint16_t type;
	int err = v8_expect(r, shared, l->type_shared_function_info);

	if (!err)
		err = v8_field(r, shared, l->shared_name_or_scope_info, &word);
	if (err || !v8_is_pointer(word))
		return err;
	err = v8_type(r, word, &type, NULL);
	if (err)
		return err;
	if (type == l->type_scope_info)
		return scope_names(r, word, name, inferred);
	return string_if_any(r, word, name);
}

int v8_function_name(const struct v8_reader *r, uint64_t shared,
		     struct text *out)
{
	struct text name = {0}, inferred = {0};
	int err = function_names(r, shared, &name, &inferred);

	if (!err && name.size)
		text_append(out, name.data, name.size);
	else if (!err && inferred.size)
		text_append(out, inferred.data, inferred.size);
	else if (!err)
		text_add(out, "(anonymous)");
	text_free(&name);
	text_free(&inferred);
	return err ? err : out->failed ? -ENOMEM : 0;
}

int v8_function_script(const struct v8_reader *r, uint64_t shared,
		       uint64_t *script)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint16_t type;
	int err = v8_field(r, shared, l->shared_script, script);

	if (err)
		return err;
	if (!v8_is_pointer(*script))
		return -ENOENT;
	err = v8_type(r, *script, &type, NULL);
	if (err)
		return err;
	return type == l->type_script ? 0 : -ENOENT;
}

int v8_function_shared(const struct v8_reader *r, uint64_t function,
		       uint64_t *shared)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint16_t type;
	int err = v8_type(r, function, &type, NULL);

	if (!err && !v8_is_function_type(l, type))
		err = -ESTALE;
	if (!err)
		err = v8_field(r, function, l->function_shared, shared);
	return err ? err : v8_expect(r, *shared, l->type_shared_function_info);
}
