/* SPDX-License-Identifier: GPL-2.0-only */
/* Source maps: what they say, and what is made of maps that lie. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbol/base64.h"
#include "symbol/source_map.h"
#include "symbol/source_path.h"
#include "symbol/source_segments.h"

static struct source_map *parse(const char *text)
{
	char *copy = strdup(text);
	struct source_map *m = source_map_parse(copy, strlen(copy));

	free(copy);
	return m;
}

/* "FILE:LINE:COLUMN" of a place, all from 0; "" for none. */
static const char *find(const struct source_map *m, uint32_t line,
			uint32_t column)
{
	static char text[256];
	struct source_place place = {0};

	text[0] = '\0';
	if (source_map_find(m, line, column, &place))
		snprintf(text, sizeof(text), "%s:%u:%u", place.file.data,
			 place.line, place.column);
	text_free(&place.file);
	return text;
}

#define HEAD "{\"version\":3,\"sources\":[\"a.ts\",\"b.ts\"],\"names\":[\"x\"],"

/* Line 1: columns 0 -> a.ts 0:0, 4 -> a.ts 0:10 (named), 9 -> nowhere;
 * line 3: column 2 -> b.ts 5:1. */
#define MAPPINGS "\"mappings\":\";AAAA,IAAUA,K;;ECKT\""

static void
segments_hold_until_the_next_one_or_the_end_of_their_line(void **state)
{
	struct source_map *m = parse(HEAD MAPPINGS "}");

	assert_non_null(m);
	assert_string_equal(find(m, 0, 0), "");
	assert_string_equal(find(m, 1, 0), "a.ts:0:0");
	assert_string_equal(find(m, 1, 3), "a.ts:0:0");
	assert_string_equal(find(m, 1, 4), "a.ts:0:10");
	assert_string_equal(find(m, 1, 8), "a.ts:0:10");
	assert_string_equal(find(m, 1, 9), "");
	assert_string_equal(find(m, 2, 0), "");
	assert_string_equal(find(m, 3, 1), "");
	assert_string_equal(find(m, 3, 2), "b.ts:5:1");
	assert_string_equal(find(m, 3, UINT32_MAX), "b.ts:5:1");
	assert_string_equal(find(m, 4, 0), "");
	source_map_free(m);
}

/* Writes a number as base 64 VLQ. */
static char *put_vlq(char *to, int32_t value)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
				     "pqrstuvwxyz0123456789+/";
	uint32_t left =
		value < 0 ? (uint32_t)-value << 1 | 1 : (uint32_t)value << 1;

	do {
		uint32_t digit = left & 31;

		left >>= 5;
		*to++ = digits[digit | (left ? 32 : 0)];
	} while (left);
	return to;
}

#define LINES 300
#define EACH  40

/* Every place of a large map, found from the marks in it as by reading all. */
static void large_maps_are_searched_from_marks(void **state)
{
	char *text = malloc(LINES * EACH * 40), *at = text;
	int32_t source_line = 0, last_line = 0;
	struct source_segments s;
	struct source_segment found;

	for (uint32_t line = 0; line < LINES; line++) {
		for (uint32_t i = 0; i < EACH; i++) {
			source_line =
				(int32_t)(line * 7919 + i * 104729) % 1000000;
			at = put_vlq(at, i ? 5 : 3);
			at = put_vlq(at, 0);
			at = put_vlq(at, source_line - last_line);
			at = put_vlq(at, 0);
			*at++ = i + 1 < EACH ? ',' : ';';
			last_line = source_line;
		}
		*at++ = ';'; /* every second line has none */
	}
	assert_int_equal(source_segments_read(&s, text, (size_t)(at - text)),
			 0);
	for (uint32_t line = 0; line < LINES; line++) {
		for (uint32_t column = 0; column < 5 * EACH + 5; column++) {
			uint32_t i = column < 3 ? 0 : (column - 3) / 5;

			assert_false(source_segments_find(&s, 2 * line + 1,
							  column, &found));
			assert_int_equal(source_segments_find(&s, 2 * line,
							      column, &found),
					 column >= 3);
			if (column < 3)
				continue;
			i = i < EACH ? i : EACH - 1;
			assert_int_equal(found.column, 3 + 5 * i);
			assert_int_equal(found.source_line,
					 (line * 7919 + i * 104729) % 1000000);
		}
	}
	source_segments_free(&s);
	free(text);
}

static void an_index_map_is_its_sections_one_after_the_other(void **state)
{
	struct source_map *m =
		parse("{\"version\":3,\"sections\":["
		      "{\"offset\":{\"line\":0,\"column\":0},\"map\":{"
		      "\"version\":3,\"sources\":[\"a\"],\"mappings\":"
		      "\"AAAA\"}},"
		      "{\"offset\":{\"line\":0,\"column\":50},\"map\":{"
		      "\"version\":3,\"sources\":[\"b\"],\"mappings\":"
		      "\"EAAA;AACA\"}}]}");

	assert_non_null(m);
	assert_string_equal(find(m, 0, 49), "a:0:0");
	assert_string_equal(find(m, 0, 51), "");
	assert_string_equal(find(m, 0, 52), "b:0:0");
	assert_string_equal(find(m, 1, 0), "b:1:0");
	source_map_free(m);
}

static void the_map_may_be_in_a_url_or_guarded(void **state)
{
	/* HEAD with a.ts only, AAAA */
	static const char *const texts[] = {
		"data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpb"
		"ImEudHMiXSwibWFwcGluZ3MiOiJBQUFBIn0=",
		"data:application/json;charset=utf-8;base64,"
		"eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbImEudHMiXSwibWFwcGluZ3MiOiJBQ"
		"UFBIn0",
		"data:application/json,%7B%22version%22:3,%22sources%22:"
		"[%22a.ts%22],%22mappings%22:%22AAAA%22}",
		")]}'\n{\"version\":3,\"sources\":[\"a.ts\"],\"mappings\":"
		"\"AAAA\"}",
		"\xef\xbb\xbf{\"version\":3,\"sources\":[\"a.ts\"],"
		"\"mappings\":\"AAAA\"}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct source_map *m = parse(texts[i]);

		assert_non_null(m);
		assert_string_equal(find(m, 0, 0), "a.ts:0:0");
		source_map_free(m);
	}
}

static void source_root_stands_in_front(void **state)
{
	struct source_map *m =
		parse(HEAD "\"sourceRoot\":\"/src\"," MAPPINGS "}");

	assert_string_equal(find(m, 1, 0), "/src/a.ts:0:0");
	source_map_free(m);
	m = parse(HEAD "\"sourceRoot\":\"src/\"," MAPPINGS "}");
	assert_string_equal(find(m, 1, 0), "src/a.ts:0:0");
	source_map_free(m);
}

/* Segments that go wrong make the whole map wrong: all that follow would be. */
static void what_is_no_map_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"null",
		"data:",
		"data:application/json;base64,????",
		"{\"version\":3}",
		"{\"sources\":{},\"mappings\":\"AAAA\"}",
		"{\"sources\":[],\"mappings\":7}",
		"{\"sources\":[],\"mappings\":\"AA\"}",	    /* two fields */
		"{\"sources\":[],\"mappings\":\"AAAAAA\"}", /* six */
		"{\"sources\":[],\"mappings\":\"A!AA\"}",
		"{\"sources\":[],\"mappings\":\"AAAg\"}",     /* cut short */
		"{\"sources\":[],\"mappings\":\"D\"}",	      /* column -1 */
		"{\"sources\":[],\"mappings\":\"AADA\"}",     /* line -1 */
		"{\"sources\":[],\"mappings\":\"gggggggB\"}", /* 2^35 */
		"{\"sections\":[{\"offset\":{\"line\":1,\"column\":0}}]}",
		"{\"sections\":[{\"map\":{\"sources\":[],\"mappings\":\"\"},"
		"\"offset\":{\"line\":9,\"column\":0}},{\"map\":{\"sources\":"
		"[],\"mappings\":\"\"},\"offset\":{\"line\":1,\"column\":0}}]}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct source_map *m = parse(texts[i]);

		if (m)
			fail_msg("taken: %s", texts[i]);
	}
}

/* An index beyond the list, or something else in it. */
static void sources_that_are_not_there_are_nowhere(void **state)
{
	struct source_map *m = parse("{\"sources\":[null,7],\"mappings\":"
				     "\"AAAA,CCAA,CCAA,C+///DAA\"}");

	assert_non_null(m);
	for (uint32_t column = 0; column < 5; column++)
		assert_string_equal(find(m, 0, column), "");
	source_map_free(m);
}

static void check_fits(const char *text, uint32_t units, bool fits)
{
	int fd = memfd_create("script", 0);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(source_map_fits(fd, units), fits);
	close(fd);
}

/* V8 counts in UTF-16, and leaves a byte order mark out, or does not. */
static void a_script_is_known_by_its_length(void **state)
{
	check_fits("let a = 1;\n", 11, true);
	check_fits("let a = 1;\n", 12, false);
	check_fits("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 4, true);
	check_fits("\xef\xbb\xbflet", 3, true);
	check_fits("\xef\xbb\xbflet", 4, true);
	check_fits("", 0, false);
}

static void base_64_is_decoded_in_place(void **state)
{
	char text[] = "TWFueSBoYW5kcw==";

	assert_int_equal(base64_decode(text, strlen(text), text), 10);
	assert_memory_equal(text, "Many hands", 10);
	assert_int_equal(base64_decode("T?==", 4, text), -1);
}

static void check_map_path(const char *script, const char *url,
			   const char *expected)
{
	struct text path = {0};
	int err = source_map_path(script, url, &path);

	assert_int_equal(err, expected ? 0 : -ENOENT);
	if (expected)
		assert_string_equal(path.data, expected);
	text_free(&path);
}

static void maps_are_beside_their_script(void **state)
{
	check_map_path("/srv/dist/a.js", "a.js.map", "/srv/dist/a.js.map");
	check_map_path("/srv/dist/a.js", "../maps/./a.map", "/srv/maps/a.map");
	check_map_path("/srv/a.js", "../../../etc/passwd", "/etc/passwd");
	check_map_path("/srv/a.js", "a%20b.map?v=1#x", "/srv/a b.map");
	check_map_path("/srv/a.js", "/maps/a.map", "/maps/a.map");
	check_map_path("/srv/a.js", "file:///maps/a.map", "/maps/a.map");
	check_map_path("[eval]", "/maps/a.map", "/maps/a.map");
	check_map_path("/srv/a.js", "..", "/");
	check_map_path("[eval]", "a.map", NULL);
	check_map_path("/srv/a.js", "", NULL);
	check_map_path("/srv/a.js", "https://cdn.example/a.map", NULL);
	check_map_path("node:fs", "fs.map", NULL);
}

static void check_source_path(const char *base, const char *source,
			      const char *expected)
{
	struct text path = {0};

	assert_int_equal(source_path(base, source, &path), 0);
	assert_string_equal(path.data, expected);
	text_free(&path);
}

static void sources_are_told_by_path(void **state)
{
	const char *map = "/srv/dist/js/app.js.map";

	check_source_path(map, "../../src/app.ts", "/srv/src/app.ts");
	check_source_path(map, "app.ts", "/srv/dist/js/app.ts");
	check_source_path(map, "/build/src/app.ts", "/build/src/app.ts");
	check_source_path(map, "file:///build/a%20b.ts", "/build/a b.ts");
	check_source_path(map, "webpack://shop/./src/app.ts",
			  "webpack://shop/src/app.ts");
	check_source_path(map, "webpack:///./src/app.ts",
			  "webpack:///src/app.ts");
	check_source_path(map, "webpack://shop/../../../x", "webpack://shop/x");
	check_source_path(map, "webpack://shop", "webpack://shop");
	check_source_path(map, "C:\\src\\app.ts",
			  "/srv/dist/js/C:\\src\\app.ts");
	check_source_path("[eval]", "app.ts", "app.ts");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			segments_hold_until_the_next_one_or_the_end_of_their_line),
		cmocka_unit_test(large_maps_are_searched_from_marks),
		cmocka_unit_test(
			an_index_map_is_its_sections_one_after_the_other),
		cmocka_unit_test(the_map_may_be_in_a_url_or_guarded),
		cmocka_unit_test(source_root_stands_in_front),
		cmocka_unit_test(what_is_no_map_is_refused),
		cmocka_unit_test(sources_that_are_not_there_are_nowhere),
		cmocka_unit_test(a_script_is_known_by_its_length),
		cmocka_unit_test(base_64_is_decoded_in_place),
		cmocka_unit_test(maps_are_beside_their_script),
		cmocka_unit_test(sources_are_told_by_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
