/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames and objects of real processes: against what V8 and the scripts
 * themselves said when the images were made (v8_image.h). */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "v8/code.h"
#include "v8/function.h"
#include "v8_image.h"

#define DATA	    "tests/unit/data/v8/"
#define CACHE_BYTES (4u << 20)

static struct v8_image *image;
static struct js_scripts *scripts;

static void open_image(const char *path)
{
	image = image_open(path);
	scripts = js_scripts_new(CACHE_BYTES);
	assert_non_null(scripts);
	if (!image || !image->frame_count)
		fail_msg("%s: no image; run from the top of the repository",
			 path);
}

static void close_image(void)
{
	js_scripts_free(scripts);
	free(image);
}

/* Every image whose name matches. */
static void for_each(const char *pattern, void (*check)(const char *path))
{
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		open_image(found.gl_pathv[i]);
		check(found.gl_pathv[i]);
		close_image();
	}
	globfree(&found);
}

static void resolve(const struct js_frame *frame, struct js_location *at)
{
	assert_int_equal(js_frame_resolve(&image->engine, image->bias,
					  &image->memory, scripts, frame, at),
			 0);
}

static bool same_function(const char *expected, const char *found)
{
	return strcmp(expected[0] ? expected : "(anonymous)", found) == 0;
}

static bool same_file(const char *expected, const char *found)
{
	if (!found)
		return !expected[0];
	if (strcmp(expected, "file:///srv/with%20blank.mjs") == 0)
		return strcmp(found, "/srv/with blank.mjs") == 0;
	return strcmp(expected, found) == 0;
}

static void check_level(const char *path, size_t i, const struct js_level *l)
{
	const struct image_expected *x = &image->expected[i];
	/* The first was taken a few lines further up in the same function. */
	bool same_place =
		i == 0 || (x->line == l->line && x->column == l->column);

	if (!same_function(x->function, l->function) ||
	    !same_file(x->file, l->file) || !same_place || l->approximate)
		fail_msg("%s, level %zu: expected %s %s:%u:%u, got %s %s:%u:%u",
			 path, i, x->function, x->file, x->line, x->column,
			 l->function, l->file ? l->file : "", l->line,
			 l->column);
}

static void check_stack(const char *path)
{
	size_t at = 0;

	for (size_t i = 0; i < image->frame_count; i++) {
		struct js_location location;

		resolve(&image->frames[i], &location);
		if (location.shortfall != JS_COMPLETE)
			fail_msg("%s, frame %zu: shortfall %d", path, i,
				 location.shortfall);
		for (uint32_t k = 0; k < location.level_count; k++, at++) {
			assert_in_range(at, 0, image->expected_count - 1);
			check_level(path, at, &location.levels[k]);
		}
		js_location_free(&location);
	}
	assert_int_equal(at, image->expected_count);
}

static void stacks_are_as_v8_prints_them(void **state)
{
	for_each(DATA "*[0-9].gz", check_stack);
}

/* Of the functions in stop.js that have one, and of two that must not. */
static const struct {
	const char *function, *prefix;
} prefixes[] = {
	{"again", "Renewed."}, {"start", "Session."}, /* called as Renewed.start
						       */
	{"map", "Array."},     {"sparkplug", NULL},   {"run", NULL},
};

#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

static void check_prefixes(const char *path)
{
	bool seen[PREFIXES] = {false};

	for (size_t i = 0; i < image->frame_count; i++) {
		struct js_location location;
		const struct js_level *l;

		resolve(&image->frames[i], &location);
		l = &location.levels[location.level_count - 1];
		for (size_t k = 0; k < PREFIXES; k++) {
			if (strcmp(l->function, prefixes[k].function) != 0)
				continue;
			seen[k] = true;
			if (!prefixes[k].prefix)
				assert_null(l->prefix);
			else if (!l->prefix ||
				 strcmp(l->prefix, prefixes[k].prefix) != 0)
				fail_msg("%s: %s has %s", path, l->function,
					 l->prefix ? l->prefix : "no class");
		}
		js_location_free(&location);
	}
	for (size_t k = 0; k < PREFIXES; k++)
		if (!seen[k])
			fail_msg("%s: no %s", path, prefixes[k].function);
}

static void methods_have_the_class_that_defines_them(void **state)
{
	for_each(DATA "*[0-9].gz", check_prefixes);
}

static void check_tiers(const char *path)
{
	bool seen[JS_CODE_BUILTIN + 1] = {false};

	for (size_t i = 0; i < image->frame_count; i++)
		seen[image->frames[i].kind] = true;
	assert_true(seen[JS_CODE_INTERPRETED]);
	assert_true(seen[JS_CODE_BASELINE]);
	assert_true(seen[JS_CODE_OPTIMISED]);
	assert_true(seen[JS_CODE_BUILTIN]);
}

static void images_have_all_tiers(void **state)
{
	for_each(DATA "*[0-9].gz", check_tiers);
}

/* Exact, or marked as approximate and close. */
static void check_line(const char *path, const struct image_expected *x,
		       const struct js_level *l)
{
	assert_string_equal(l->function, x->function);
	if (l->line != x->line &&
	    (!l->approximate || l->line + 2 < x->line || l->line > x->line + 2))
		fail_msg("%s: %s in line %u, got %s%u", path, x->function,
			 x->line, l->approximate ? "~" : "", l->line);
}

static void check_allocation(const char *path)
{
	struct js_location at;

	resolve(&image->frames[0], &at);
	assert_int_equal(at.shortfall, JS_COMPLETE);
	assert_int_equal(at.level_count, 2);
	check_line(path, &image->expected[0], &at.levels[0]);
	check_line(path, &image->expected[1], &at.levels[1]);
	js_location_free(&at);
}

/* The code of a loop that was optimised while it ran is found by its address:
 * the function does not lead to it. */
static void check_unknown(const char *path)
{
	assert_int_equal(image->frames[0].kind, JS_CODE_UNKNOWN);
	assert_int_equal(image->frames[0].code, 0);
	check_allocation(path);
}

static void code_is_found_by_its_address(void **state)
{
	for_each(DATA "*-osr.gz", check_unknown);
}

static void allocations_are_those_of_the_inlined_function(void **state)
{
	for_each(DATA "*-*[nrv].gz", check_allocation); /* not -invalid */
}

/* Where calls return to that return into the deoptimiser. */
static void check_exit(const char *path)
{
	struct v8_reader r = {&image->engine, image->bias, &image->memory};
	unsigned int exits = 0;

	for (size_t i = 0; i < image->frame_count; i++) {
		const struct js_frame *f = &image->frames[i];
		uint32_t offset, call;
		struct v8_code code;

		v8_memory_begin(&image->memory);
		if (f->kind != JS_CODE_OPTIMISED && f->kind != JS_CODE_UNKNOWN)
			continue;
		assert_int_equal(f->code ? v8_code_read(&r, f->code, &code)
					 : v8_code_at(&r, f->pc, &code),
				 0);
		offset = call = (uint32_t)(f->pc - code.instructions);
		assert_int_equal(v8_call_offset(&r, &code, &call), 0);
		exits += call < offset;
	}
	if (exits != 1)
		fail_msg("%s: %u frames return into the deoptimiser", path,
			 exits);
	check_stack(path);
}

static void invalid_code_is_where_its_call_was(void **state)
{
	for_each(DATA "*-invalid.gz", check_exit);
}

/* The rule for allocations is for the innermost frame only. */
static void other_frames_take_the_call_before(void **state)
{
	struct js_frame outer;
	struct js_location at;

	open_image(DATA "node20-turbofan.gz");
	resolve(&image->frames[0], &at);
	assert_true(at.levels[0].approximate);
	js_location_free(&at);
	outer = image->frames[0];
	outer.leaf = 0;
	resolve(&outer, &at);
	assert_true(at.level_count > 0);
	assert_false(at.levels[0].approximate);
	js_location_free(&at);
	close_image();
}

static void check_objects(const char *path)
{
	char type[128];

	assert_true(image->object_count > 30);
	for (size_t i = 0; i < image->object_count; i++) {
		const struct image_object *o = &image->objects[i];

		assert_int_equal(js_object_type(&image->engine, &image->memory,
						o->address, type, sizeof(type)),
				 0);
		if (strcmp(type, o->type) != 0)
			fail_msg("%s: expected %s, got %s", path, o->type,
				 type);
	}
	/* An address where no object starts. */
	assert_int_equal(js_object_type(&image->engine, &image->memory,
					image->objects[0].address + 8, type,
					sizeof(type)),
			 -EINVAL);
}

static void objects_are_what_the_script_made(void **state)
{
	for_each(DATA "*[0-9].gz", check_objects);
}

static void check_code(const char *path)
{
	struct v8_reader r = {&image->engine, image->bias, &image->memory};
	size_t checked = 0;

	for (size_t i = 0; i < image->frame_count; i++) {
		const struct js_frame *f = &image->frames[i];
		uint64_t code;

		v8_memory_begin(&image->memory);
		if (f->kind != JS_CODE_BASELINE && f->kind != JS_CODE_OPTIMISED)
			continue;
		assert_int_equal(v8_function_code(&r, f->function, &code), 0);
		assert_int_equal(code, f->code);
		checked++;
	}
	assert_true(checked > 0);
}

/* Through the dispatch table in V8 13. */
static void functions_lead_to_their_code(void **state)
{
	for_each(DATA "*[0-9nv].gz", check_code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_are_as_v8_prints_them),
		cmocka_unit_test(methods_have_the_class_that_defines_them),
		cmocka_unit_test(images_have_all_tiers),
		cmocka_unit_test(allocations_are_those_of_the_inlined_function),
		cmocka_unit_test(code_is_found_by_its_address),
		cmocka_unit_test(invalid_code_is_where_its_call_was),
		cmocka_unit_test(other_frames_take_the_call_before),
		cmocka_unit_test(objects_are_what_the_script_made),
		cmocka_unit_test(functions_lead_to_their_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
