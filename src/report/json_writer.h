/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes JSON (RFC 8259), whatever the texts hold: bytes that are no UTF-8
 * become U+FFFD, numbers that are none become null. `<` is escaped, so that a
 * document can stand inside an HTML page. Keys are NULL inside arrays.
 */
#ifndef REPORT_JSON_WRITER_H
#define REPORT_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 16

/* {.out = file} begins a document. Errors stay with the stream. */
struct json {
	FILE *out;
	int depth;
	bool filled[JSON_DEPTH_MAX]; /* something stands at this depth */
	char closing[JSON_DEPTH_MAX];
};

void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j); /* the innermost object or array */
void json_text(struct json *j, const char *key, const char *value);
/* Ten significant digits, whole numbers below 2^53 exactly. */
void json_number(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);

#endif
