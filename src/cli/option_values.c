/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/option_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at *at; false when there are none or they exceed 64 bits. */
static bool take_digits(const char **at, uint64_t *out)
{
	uint64_t value = 0;

	if (!is_digit(**at))
		return false;
	for (; is_digit(**at); (*at)++)
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(**at - '0'),
					   &value))
			return false;
	*out = value;
	return true;
}

static bool within(uint64_t value, uint64_t min, uint64_t max, uint64_t *out)
{
	*out = value;
	return value >= min && value <= max;
}

bool value_count(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t value;

	return take_digits(&text, &value) && !*text &&
	       within(value, min, max, out);
}

bool value_size(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	static const char units[] = "KMGT";
	uint64_t value, unit = 1;

	if (!take_digits(&text, &value))
		return false;
	for (int i = 0; units[i]; i++)
		if ((*text & ~0x20) == units[i])
			unit = 1ULL << (10 * (i + 1));
	if (unit > 1) {
		text++;
		if (!strcasecmp(text, "b") || !strcasecmp(text, "ib"))
			text += strlen(text);
	}
	return !*text && !__builtin_mul_overflow(value, unit, &value) &&
	       within(value, min, max, out);
}

/* The decimals behind a dot at *at, in thousandths; false: none, too many. */
static bool take_thousandths(const char **at, uint64_t *out)
{
	uint64_t weight = 100;

	*out = 0;
	if (!is_digit(*++*at))
		return false;
	for (; is_digit(**at); (*at)++, weight /= 10) {
		if (!weight)
			return false;
		*out += (uint64_t)(**at - '0') * weight;
	}
	return true;
}

bool value_percent(const char **text, double max, double *out)
{
	uint64_t whole, thousandths = 0;

	if (!take_digits(text, &whole) ||
	    (**text == '.' && !take_thousandths(text, &thousandths)))
		return false;
	if (**text == '%')
		++*text;
	*out = (double)whole + (double)thousandths / 1000;
	return *out <= max;
}

bool value_seconds(const char *text, uint64_t min_ms, uint64_t max_ms,
		   uint64_t *out_ms)
{
	uint64_t value, unit = 1, thousandths = 0;

	if (!take_digits(&text, &value) ||
	    __builtin_mul_overflow(value, (uint64_t)1000, &value) ||
	    (*text == '.' && !take_thousandths(&text, &thousandths)))
		return false;
	value += thousandths;
	if (*text == 's' || *text == 'm' || *text == 'h') {
		unit = *text == 'h' ? 3600 : *text == 'm' ? 60 : 1;
		text++;
	}
	return !*text && !__builtin_mul_overflow(value, unit, &value) &&
	       within(value, min_ms, max_ms, out_ms);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* One quoted or unquoted piece of a word: advances *from and *to. False when a
 * quotation does not end. */
static bool take_piece(const char **from, char **to)
{
	const char *at = *from;
	char quote = *at;

	if (quote == '\\') {
		if (!at[1])
			return false;
		/* Backslash and line break together are nothing (POSIX shell,
		 * 2.2.1). */
		if (at[1] != '\n')
			*(*to)++ = at[1];
		*from = at + 2;
		return true;
	}
	if (quote != '\'' && quote != '"') {
		*(*to)++ = quote;
		*from = at + 1;
		return true;
	}
	for (at++; *at && *at != quote; at++) {
		/* Inside double quotes a backslash only quotes these. */
		if (quote == '"' && *at == '\\' && at[1] &&
		    strchr("$`\"\\\n", at[1])) {
			at++;
			if (*at == '\n')
				continue;
		}
		*(*to)++ = *at;
	}
	*from = at + 1;
	return *at == quote;
}

int split_words(const char *text, char ***words)
{
	/* A word takes at least one byte and a separator. */
	size_t size = strlen(text), most = size / 2 + 2, count = 0;
	char **list = malloc(most * sizeof(*list) + size + 1);
	char *to;

	if (!list)
		return -ENOMEM;
	to = (char *)(list + most);
	for (;;) {
		while (is_blank(*text))
			text++;
		if (!*text)
			break;
		list[count++] = to;
		while (*text && !is_blank(*text)) {
			if (!take_piece(&text, &to)) {
				free(list);
				return -EINVAL;
			}
		}
		*to++ = '\0';
	}
	list[count] = NULL;
	if (!count || !*list[0]) {
		free(list);
		return -EINVAL;
	}
	*words = list;
	return 0;
}
