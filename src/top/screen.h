/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal of the live view (ncurses). Messages that would be printed to
 * standard error are kept and shown in the last line but one, and printed when
 * the terminal has been given back.
 */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stdbool.h>

#include "top/view.h"

struct top_screen;

/* 0; -ENOTTY when standard input or output is no terminal, -EINVAL when its
 * type (TERM) is not known; reported. */
int top_screen_open(struct top_screen **out, bool colour);
/* Gives the terminal back as it was. NULL is fine. */
void top_screen_close(struct top_screen *s);

/* Draws; `r` NULL: nothing to show yet. */
void top_screen_draw(struct top_screen *s, struct top_view *v,
		     const struct report *r);

/* The next key (enum top_key or a character), -1 when there is none. Does not
 * wait. TOP_KEY_RESIZE: the terminal has another size now. */
int top_screen_key(struct top_screen *s);
#define TOP_KEY_RESIZE 0x120000

/* Rows of the list that fit. */
size_t top_screen_page(const struct top_screen *s);

#endif
