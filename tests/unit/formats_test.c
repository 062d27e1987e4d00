/* SPDX-License-Identifier: GPL-2.0-only */
/* What the file formats are put together from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cursor.h"
#include "base/gzip.h"
#include "base/intern.h"
#include "base/leb128.h"
#include "report/json_writer.h"
#include "report/proto.h"

static void json_is_valid_whatever_the_texts_hold(void **state)
{
	char *text = NULL;
	size_t size;
	struct json j = {.out = open_memstream(&text, &size)};

	json_object(&j, NULL);
	json_text(&j, "a\"\\", "</script>\n\x01\x7f");
	json_text(&j, "utf", "\xc3\xa9\xff\xed\xa0\x80\xe2\x80\xa8");
	json_array(&j, "list");
	json_text(&j, NULL, "");
	json_bool(&j, NULL, true);
	json_object(&j, NULL);
	json_end(&j);
	json_end(&j);
	json_end(&j);
	fclose(j.out);
	assert_string_equal(
		text, "{\n\"a\\u0022\\u005c\":\"\\u003c/script>\\u000a\\u0001"
		      "\\u007f\",\n"
		      "\"utf\":\"\xc3\xa9\\ufffd\\ufffd\\ufffd\\ufffd"
		      "\\u2028\",\n"
		      "\"list\":[\n\"\",\ntrue,\n{}]}\n");
	free(text);
}

static void json_numbers_are_numbers(void **state)
{
	static const double numbers[] = {
		0,   -0.0, 7,	    -12,      1234567890123.0, 9e15, 1e300,
		0.1, -2.5, 1.0 / 3, INFINITY, -INFINITY,       NAN,
	};
	char *text = NULL;
	size_t size;
	struct json j = {.out = open_memstream(&text, &size)};

	j.depth = 3; /* no line breaks */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		json_number(&j, NULL, numbers[i]);
	fclose(j.out);
	assert_string_equal(text, "0,0,7,-12,1234567890123,9000000000000000,"
				  "1e+300,0.1,-2.5,0.3333333333,null,null,"
				  "null");
	free(text);
}

static void leb128_is_read_as_it_was_written(void **state)
{
	static const int64_t values[] = {0,    1,	  -1,	    63,	 64,
					 -64,  -65,	  127,	    128, 300,
					 -300, INT64_MAX, INT64_MIN};
	size_t count = sizeof(values) / sizeof(*values);
	struct text t = {0};
	struct cursor c;

	for (size_t i = 0; i < count; i++) {
		leb128_put(&t, (uint64_t)values[i]);
		leb128_put_signed(&t, values[i]);
	}
	c = cursor_make(t.data, t.size);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(cursor_uleb(&c), (uint64_t)values[i]);
		assert_int_equal(cursor_sleb(&c), values[i]);
	}
	assert_true(!c.failed && !cursor_left(&c));
	text_free(&t);
}

/* The examples of protobuf.dev/programming-guides/encoding. */
static void proto_fields_are_encoded_as_documented(void **state)
{
	struct text t = {0}, message = {0};

	proto_number(&t, 1, 150);
	proto_number(&t, 2, 0); /* the default: left out */
	proto_bytes(&t, 2, "testing", 7);
	proto_number(&message, 1, 150);
	proto_message(&t, 3, &message);
	assert_int_equal(message.size, 0);
	proto_message(&t, 4, &message); /* present, though empty */
	assert_int_equal(t.size, 19);
	assert_memory_equal(t.data,
			    "\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01"
			    "\x22\x00",
			    t.size);
	text_free(&t);
	text_free(&message);
}

static void interned_keys_keep_their_numbers(void **state)
{
	struct intern *t = intern_new();
	uint32_t number;
	char key[16];
	size_t size;

	assert_non_null(t);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			snprintf(key, sizeof(key), "key %u", i);
			assert_int_equal(
				intern_put(t, key, strlen(key), &number), 0);
			assert_int_equal(number, i);
		}
	}
	assert_int_equal(intern_count(t), 5000);
	assert_string_equal(intern_key(t, 4321, &size), "key 4321");
	assert_int_equal(size, 8);
	assert_int_equal(intern_put(t, "a\0b", 3, &number), 0);
	assert_int_equal(number, 5000);
	assert_int_equal(intern_put(t, "a", 1, &number), 0);
	assert_int_equal(number, 5001);
	assert_int_equal(intern_put(t, "", 0, &number), 0);
	assert_int_equal(number, 5002);
	intern_free(t);
}

static void gzip_files_open(void **state)
{
	size_t size = 300000, got;
	char path[] = "/tmp/formats_test.XXXXXX";
	FILE *out = fdopen(mkstemp(path), "w");
	char *bytes = malloc(size), *back = malloc(size + 1);
	gzFile in;

	assert_true(out && bytes && back);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * i / 7);
	assert_int_equal(gzip_write(out, bytes, size), 0);
	assert_int_equal(fclose(out), 0);
	in = gzopen(path, "rb");
	remove(path);
	got = (size_t)gzread(in, back, (unsigned)size + 1);
	assert_int_equal(got, size);
	assert_memory_equal(back, bytes, size);
	gzclose(in);
	free(bytes);
	free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_valid_whatever_the_texts_hold),
		cmocka_unit_test(json_numbers_are_numbers),
		cmocka_unit_test(leb128_is_read_as_it_was_written),
		cmocka_unit_test(proto_fields_are_encoded_as_documented),
		cmocka_unit_test(interned_keys_keep_their_numbers),
		cmocka_unit_test(gzip_files_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
