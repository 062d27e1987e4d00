/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as people write them. All false on anything but a whole, sensible
 * number within [min, max]; no signs, no surrounding blanks. */
#ifndef CLI_OPTION_VALUES_H
#define CLI_OPTION_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool value_count(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* Bytes, with K, M, G or T for powers of 1024; "64M", "64MiB". */
bool value_size(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* Seconds with up to three decimals, or with s, m, h behind: "2.5", "5m".
 * In milliseconds. */
bool value_seconds(const char *text, uint64_t min_ms, uint64_t max_ms,
		   uint64_t *out_ms);

/* Up to three decimals, '%' allowed behind; "2", "0.5%". Advances *text to what
 * follows. */
bool value_percent(const char **text, double max, double *out);

/*
 * Splits a command line as a shell does: blanks separate words, 'single' and
 * "double" quotes and backslashes quote; nothing is expanded. 0 and a
 * NULL-terminated array in one allocation (*words, free it with free), or
 * -EINVAL for an unfinished quotation or no word at all, -ENOMEM.
 */
int split_words(const char *text, char ***words);

#endif
