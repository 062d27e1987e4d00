/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * USDT probes: places in a program that it has marked for tracers, each a nop
 * with a note of where it is and where its arguments are (section
 * .note.stapsdt; SystemTap's sys/sdt.h, "UserSpaceProbeImplementation").
 *
 * Notes are the target's bytes: bounded, checked, and decoded without
 * allocating.
 */
#ifndef OBJECT_USDT_H
#define OBJECT_USDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "object/object.h"

/* An argument of a probe, x86-64: a constant, a register, or what lies in
 * memory at displacement + base + index * scale. Registers by their number in
 * machine code (rax 0, rcx 1, rdx 2, rbx 3, rsp 4, ...). */
enum usdt_place { USDT_CONSTANT, USDT_REGISTER, USDT_MEMORY };
#define USDT_NO_REGISTER 16

struct usdt_argument {
	enum usdt_place place;
	uint8_t size; /* bytes: 1, 2, 4, 8 */
	bool is_signed;
	int64_t value; /* the constant, or the displacement */
	uint8_t base, index, scale;
};

#define USDT_ARGUMENTS_MAX 12

/* Texts are valid during the callback only. */
struct usdt_note {
	uint64_t address;   /* link-time */
	uint64_t semaphore; /* link-time address of its counter; 0: none */
	const char *provider, *name, *arguments;
};

/* Calls `each` for every note of the section, until it returns non-zero, which
 * is then returned. `base`: link-time address of .stapsdt.base, 0: unknown. */
int usdt_each_note(const uint8_t *notes, size_t size, uint64_t base,
		   int (*each)(const struct usdt_note *note, void *context),
		   void *context);
/* The same for an object; 0 when it has none. */
int usdt_each(const struct object *o,
	      int (*each)(const struct usdt_note *note, void *context),
	      void *context);

/* Decodes "8@%rdi -4@$5 8@-8(%rbp)": the number of arguments, or -EINVAL when
 * one of the first `max` is of a form that is not known (vector registers,
 * symbols). */
int usdt_parse_arguments(const char *text, struct usdt_argument *out,
			 size_t max);

#endif
