/* SPDX-License-Identifier: GPL-2.0-only */
/* Each different key once, numbered 0, 1, 2... in the order of arrival. */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct intern;

struct intern *intern_new(void); /* NULL without memory */
void intern_free(struct intern *t);

/* The number of this key. 0 or -ENOMEM. */
int intern_put(struct intern *t, const void *key, size_t size,
	       uint32_t *number);
uint32_t intern_count(const struct intern *t);
/* The key, followed by a NUL byte that does not count; aligned for any type;
 * valid until intern_free. */
const void *intern_key(const struct intern *t, uint32_t number, size_t *size);

#endif
