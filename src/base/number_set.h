/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers that are collected first, and asked for afterwards. */
#ifndef BASE_NUMBER_SET_H
#define BASE_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number_set {
	uint64_t *list;
	size_t count, capacity;
	bool failed; /* no memory: incomplete */
};

void number_set_add(struct number_set *s, uint64_t number);
/* Before the first question, and after the last number. */
void number_set_sort(struct number_set *s);
bool number_set_has(const struct number_set *s, uint64_t number);
void number_set_free(struct number_set *s);

#endif
