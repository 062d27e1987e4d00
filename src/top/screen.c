/* SPDX-License-Identifier: GPL-2.0-only */
#include "top/screen.h"

#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "top/lines.h"

/* Header, at least one row, message, footer. */
#define LINES_LEAST   (TOP_HEADER_LINES + 3)
#define COLUMNS_LEAST 20
#define MESSAGES_KEPT 64

#define PAIR_LEAKING 1

struct top_screen {
	SCREEN *terminal;
	struct text text; /* scratch */
	char *messages[MESSAGES_KEPT];
	size_t message_count; /* all; the last MESSAGES_KEPT are kept */
};

/* ---- Messages ------------------------------------------------------------ */

static void keep_message(const char *line, void *context)
{
	struct top_screen *s = context;
	char **slot = &s->messages[s->message_count % MESSAGES_KEPT];

	free(*slot);
	*slot = strdup(line);
	s->message_count++;
}

static const char *last_message(const struct top_screen *s)
{
	const char *last =
		s->message_count
			? s->messages[(s->message_count - 1) % MESSAGES_KEPT]
			: NULL;

	return last ? last : "";
}

static void print_messages(struct top_screen *s)
{
	size_t first = s->message_count > MESSAGES_KEPT
			       ? s->message_count - MESSAGES_KEPT
			       : 0;

	for (size_t i = first; i < s->message_count; i++) {
		char *line = s->messages[i % MESSAGES_KEPT];

		if (line)
			fprintf(stderr, "leakbpf: %s\n", line);
		free(line);
	}
}

/* ---- The terminal -------------------------------------------------------- */

int top_screen_open(struct top_screen **out, bool colour)
{
	struct top_screen *s;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		diag_error("leakbpf top needs a terminal; without one use "
			   "leakbpf -p PID");
		return -ENOTTY;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	setlocale(LC_CTYPE, "");
	s->terminal = newterm(NULL, stdout, stdin);
	if (!s->terminal) {
		diag_error("leakbpf top: terminal type '%s' is not known; set "
			   "TERM",
			   getenv("TERM") ? getenv("TERM") : "");
		free(s);
		return -EINVAL;
	}
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	if (colour && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_LEAKING, COLOR_RED, -1);
	}
	diag_set_sink(keep_message, s);
	*out = s;
	return 0;
}

void top_screen_close(struct top_screen *s)
{
	if (!s)
		return;
	diag_set_sink(NULL, NULL);
	endwin();
	delscreen(s->terminal);
	print_messages(s);
	text_free(&s->text);
	free(s);
}

int top_screen_key(struct top_screen *s)
{
	static const struct {
		int curses, key;
	} keys[] = {
		{KEY_UP, TOP_KEY_UP},
		{KEY_DOWN, TOP_KEY_DOWN},
		{KEY_PPAGE, TOP_KEY_PAGE_UP},
		{KEY_NPAGE, TOP_KEY_PAGE_DOWN},
		{KEY_HOME, TOP_KEY_HOME},
		{KEY_END, TOP_KEY_END},
		{KEY_ENTER, TOP_KEY_ENTER},
		{'\n', TOP_KEY_ENTER},
		{'\r', TOP_KEY_ENTER},
		{27, TOP_KEY_ESCAPE},
		{KEY_BACKSPACE, TOP_KEY_BACKSPACE},
		{8, TOP_KEY_BACKSPACE},
		{127, TOP_KEY_BACKSPACE},
		{KEY_RESIZE, TOP_KEY_RESIZE},
	};
	int got = getch();

	if (got == ERR)
		return -1;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (got == keys[i].curses)
			return keys[i].key;
	return got;
}

size_t top_screen_page(const struct top_screen *s)
{
	int rows = LINES - TOP_HEADER_LINES - 2;

	return rows > 0 ? (size_t)rows : 1;
}

/* ---- Drawing ------------------------------------------------------------- */

/* A line of the scratch text, in `attributes` over the whole width. */
static void put_line(struct top_screen *s, int line, attr_t attributes)
{
	attrset(attributes);
	if (attributes & A_REVERSE)
		mvhline(line, 0, ' ', COLS);
	if (s->text.data && s->text.size)
		mvaddstr(line, 0, s->text.data);
	attrset(A_NORMAL);
	text_clear(&s->text);
}

static void draw_help(struct top_screen *s)
{
	const char *line;

	for (unsigned i = 0; (int)i < LINES && (line = top_line_help(i)); i++) {
		text_append(&s->text, line, strnlen(line, (size_t)COLS));
		put_line(s, (int)i, A_NORMAL);
	}
}

static attr_t row_attributes(const struct report *r, const struct top_view *v,
			     size_t i)
{
	const struct top_row *row = &v->rows[i];

	if (i == v->cursor)
		return A_REVERSE;
	if (row->frame != TOP_ROW_STACK)
		return A_DIM;
	return top_row_leaks(r, row->stack) ? (attr_t)COLOR_PAIR(PAIR_LEAKING)
					    : A_NORMAL;
}

static void draw_list(struct top_screen *s, struct top_view *v,
		      const struct report *r)
{
	size_t page = top_screen_page(s);

	for (unsigned i = 0; i < TOP_HEADER_LINES; i++) {
		top_line_header(&s->text, r, v, i, (size_t)COLS);
		put_line(s, (int)i,
			 i + 1 == TOP_HEADER_LINES ? A_REVERSE : A_NORMAL);
	}
	top_view_scroll(v, page);
	for (size_t i = 0; i < page && v->first + i < v->row_count; i++) {
		size_t at = v->first + i;

		top_line_row(&s->text, r, v, &v->rows[at], (size_t)COLS);
		put_line(s, TOP_HEADER_LINES + (int)i,
			 row_attributes(r, v, at));
	}
}

static void draw_bottom(struct top_screen *s, const struct top_view *v)
{
	const char *message = last_message(s);

	text_append(&s->text, message, strnlen(message, (size_t)COLS));
	put_line(s, LINES - 2, A_DIM);
	top_line_footer(&s->text, v, (size_t)COLS - 1);
	put_line(s, LINES - 1, A_BOLD);
}

void top_screen_draw(struct top_screen *s, struct top_view *v,
		     const struct report *r)
{
	erase();
	if (LINES < LINES_LEAST || COLS < COLUMNS_LEAST) {
		text_add(&s->text, "terminal too small");
		put_line(s, 0, A_NORMAL);
	} else if (v->help) {
		draw_help(s);
	} else {
		if (r) {
			draw_list(s, v, r);
		} else {
			text_add(&s->text, "leakbpf top: attaching ...");
			put_line(s, 0, A_NORMAL);
		}
		draw_bottom(s, v);
	}
	refresh();
}
