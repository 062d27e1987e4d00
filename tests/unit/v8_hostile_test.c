/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that is not there, was torn, or is made to hurt: the answer may lack
 * something, but is not wrong, ends, and crashes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "v8/code.h"
#include "v8_image.h"

#define DATA "tests/unit/data/v8/"

static struct v8_image *image;
static struct js_scripts *scripts;

static int open_named(const char *path)
{
	image = image_open(path);
	scripts = js_scripts_new(1 << 20);
	return image && scripts && image->frame_count ? 0 : -1;
}

static int open_image(void **state)
{
	return open_named(DATA "node24.gz");
}

/* Its last frame returns into the deoptimiser. */
static int open_invalid(void **state)
{
	return open_named(DATA "node24-maglev-invalid.gz");
}

static int close_image(void **state)
{
	js_scripts_free(scripts);
	free(image);
	return 0;
}

static void resolve(const struct js_frame *frame, struct js_location *at)
{
	size_t before = image->reads;

	assert_int_equal(js_frame_resolve(&image->engine, image->bias,
					  &image->memory, scripts, frame, at),
			 0);
	assert_in_range(image->reads - before, 0, V8_REQUEST_READS);
}

static bool same_level(const struct js_level *a, const struct js_level *b)
{
	return strcmp(a->function, b->function) == 0 &&
	       strcmp(a->file ? a->file : "", b->file ? b->file : "") == 0 &&
	       a->line == b->line && a->column == b->column;
}

/* What is told of a frame with a page missing is as without. */
static void check_partial(const struct js_location *whole,
			  const struct js_location *part)
{
	const struct js_level *last, *outermost;

	if (part->shortfall == JS_COMPLETE) {
		assert_int_equal(part->level_count, whole->level_count);
		for (uint32_t i = 0; i < part->level_count; i++)
			assert_true(same_level(&part->levels[i],
					       &whole->levels[i]));
		return;
	}
	if (part->level_count == 0)
		return;
	last = &part->levels[part->level_count - 1];
	outermost = &whole->levels[whole->level_count - 1];
	assert_string_equal(last->function, outermost->function);
	if (last->file)
		assert_string_equal(last->file, outermost->file);
	if (last->line)
		assert_int_equal(last->line, outermost->line);
}

static void what_cannot_be_read_is_missing_not_wrong(void **state)
{
	size_t incomplete = 0;

	for (size_t i = 0; i < image->frame_count; i++) {
		struct js_location whole, part;

		image->hidden = IMAGE_NOTHING_HIDDEN;
		resolve(&image->frames[i], &whole);
		for (size_t b = i % 3; b < image->block_count; b += 3) {
			image->hidden = b;
			/* Sources that are remembered are not read again. */
			js_scripts_free(scripts);
			scripts = js_scripts_new(1 << 20);
			resolve(&image->frames[i], &part);
			check_partial(&whole, &part);
			incomplete += part.shortfall != JS_COMPLETE;
			js_location_free(&part);
		}
		js_location_free(&whole);
	}
	assert_true(incomplete > 50);
}

static uint32_t shortfall_of(const struct js_frame *frame, uint32_t *levels)
{
	struct js_location at;
	uint32_t shortfall;

	resolve(frame, &at);
	shortfall = at.shortfall;
	*levels = at.level_count;
	js_location_free(&at);
	return shortfall;
}

static void reasons_are_told_apart(void **state)
{
	struct js_frame f = image->frames[0];
	uint32_t levels;

	assert_int_equal(f.kind, JS_CODE_INTERPRETED);
	f.kind = JS_CODE_UNKNOWN;
	assert_int_equal(shortfall_of(&f, &levels), JS_OTHER_CODE);
	assert_int_equal(levels, 1);

	f = image->frames[0];
	f.bytecode_array = f.shared;
	assert_int_equal(shortfall_of(&f, &levels), JS_MOVED);
	assert_int_equal(levels, 1);

	/* Another function at the same address. */
	f = image->frames[0];
	f.function_literal_id++;
	assert_int_equal(shortfall_of(&f, &levels), JS_MOVED);
	assert_int_equal(levels, 0);

	/* What moved is found through the closure, if that did not. */
	f = image->frames[0];
	f.shared = f.bytecode_array;
	assert_int_equal(shortfall_of(&f, &levels), JS_COMPLETE);
	assert_int_equal(levels, 1);

	f = image->frames[0];
	f.shared = f.function = 0x1001;
	assert_int_equal(shortfall_of(&f, &levels), JS_UNREADABLE);
	assert_int_equal(levels, 0);

	f = image->frames[0];
	f.position = UINT32_MAX;
	assert_int_equal(shortfall_of(&f, &levels), JS_MOVED);
	assert_int_equal(levels, 1);
}

/* The function's code is looked up again when the programs could not. */
static void unknown_code_is_looked_for(void **state)
{
	for (size_t i = 0; i < image->frame_count; i++) {
		struct js_frame f = image->frames[i];
		struct js_location whole, again;

		if (f.kind != JS_CODE_BASELINE && f.kind != JS_CODE_OPTIMISED)
			continue;
		resolve(&f, &whole);
		f.kind = JS_CODE_UNKNOWN;
		f.code = 0;
		resolve(&f, &again);
		assert_int_equal(again.shortfall, JS_COMPLETE);
		assert_int_equal(again.level_count, whole.level_count);
		for (uint32_t k = 0; k < again.level_count; k++)
			assert_true(
				same_level(&again.levels[k], &whole.levels[k]));
		js_location_free(&whole);
		js_location_free(&again);
	}
}

/* Scripts are forgotten and read again without a difference. */
static void a_small_cache_forgets(void **state)
{
	js_scripts_free(scripts);
	scripts = js_scripts_new(2048);
	assert_non_null(scripts);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 1, at = 1; i < image->frame_count; i++) {
			const struct image_expected *x;
			struct js_location location;

			resolve(&image->frames[i], &location);
			x = &image->expected[at + location.level_count - 1];
			at += location.level_count;
			/* Too many lines for this cache: none. */
			if (location.shortfall == JS_COMPLETE)
				assert_int_equal(
					location.levels[location.level_count -
							1]
						.line,
					x->line);
			else
				assert_int_equal(location.shortfall,
						 JS_NO_POSITION);
			js_location_free(&location);
		}
	}
}

/* Words swapped between objects, sizes and offsets made up. */
static void torn_memory_ends(void **state)
{
	uint32_t random = 12345;

	for (int round = 0; round < 3000; round++) {
		struct js_frame *f = &image->frames[round % image->frame_count];
		struct image_block *b, saved;
		struct js_location at;
		char type[64];

		random = random * 1103515245 + 12345;
		b = &image->blocks[random / 65536 % image->block_count];
		saved = *b;
		for (size_t i = 0; i < IMAGE_BLOCK_BYTES; i++) {
			random = random * 1103515245 + 12345;
			if (random >> 29 == 0)
				b->bytes[i] = (uint8_t)(random >> 16);
		}
		js_scripts_free(scripts);
		scripts = js_scripts_new(1 << 20);
		resolve(f, &at);
		js_location_free(&at);
		js_object_type(
			&image->engine, &image->memory,
			image->objects[round % image->object_count].address,
			type, sizeof(type));
		*b = saved;
	}
}

static uint8_t *byte_at(uint64_t address)
{
	for (size_t i = 0; i < image->block_count; i++)
		if (address - image->blocks[i].address < IMAGE_BLOCK_BYTES)
			return image->blocks[i].bytes + address -
			       image->blocks[i].address;
	return NULL;
}

/* Maglev's table of safepoints: a header of 16 bytes and 11 entries of 6. */
static void damaged_safepoints_end(void **state)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
	const struct js_frame *f = &image->frames[image->frame_count - 1];
	struct v8_reader r = {&image->engine, image->bias, &image->memory};
	struct v8_code code;
	size_t lost = 0;

	v8_memory_begin(&image->memory);
	assert_int_equal(v8_code_at(&r, f->pc, &code), 0);
	for (uint64_t i = 0; i < (16 + 11 * 6) * sizeof(values); i++) {
		uint8_t *byte = byte_at(code.instructions + code.size +
					i / sizeof(values));
		uint8_t saved;
		struct js_location at;

		assert_non_null(byte);
		saved = *byte;
		*byte = values[i % sizeof(values)];
		resolve(f, &at);
		assert_true(at.level_count > 0);
		assert_string_equal(at.levels[at.level_count - 1].function,
				    "outer");
		lost += at.shortfall != JS_COMPLETE;
		js_location_free(&at);
		*byte = saved;
	}
	assert_true(lost > 10);
}

int main(void)
{
#define WITH_IMAGE(test)                                                       \
	cmocka_unit_test_setup_teardown(test, open_image, close_image)
#define WITH_INVALID(test)                                                     \
	cmocka_unit_test_setup_teardown(test, open_invalid, close_image)
	const struct CMUnitTest tests[] = {
		WITH_IMAGE(what_cannot_be_read_is_missing_not_wrong),
		WITH_IMAGE(reasons_are_told_apart),
		WITH_IMAGE(unknown_code_is_looked_for),
		WITH_IMAGE(a_small_cache_forgets),
		WITH_IMAGE(torn_memory_ends),
		WITH_INVALID(what_cannot_be_read_is_missing_not_wrong),
		WITH_INVALID(damaged_safepoints_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
