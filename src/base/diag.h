/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Diagnostics to standard error: one line per message, "leakbpf: " in front.
 * An error says what happened, to what, and what the user can do next.
 *
 * Functions all over the project return 0 or a positive count on success and
 * a negative errno on failure. Whoever detects a failure of a file, system
 * call or target reports it once; callers pass the number on silently.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>

enum diag_level { DIAG_ERROR, DIAG_WARN, DIAG_INFO, DIAG_DEBUG };

/* Messages above this level are dropped. Default DIAG_INFO. */
void diag_set_level(enum diag_level level);

/* Lines begin with "<N>", their priority of syslog(3), in place of "leakbpf: ":
 * for systemd's journal, which knows who writes. */
void diag_show_priorities(bool shown);

/* Gives every line (without the "leakbpf: ") to `sink` instead of standard
 * error, while the terminal is used otherwise. NULL: as before. */
typedef void (*diag_sink_fn)(const char *line, void *context);
void diag_set_sink(diag_sink_fn sink, void *context);

/* Control bytes in the formatted text are printed as \xNN: names of files and
 * symbols come from the target and must not reach the terminal raw. */
void diag(enum diag_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define diag_error(...) diag(DIAG_ERROR, __VA_ARGS__)
#define diag_warn(...)	diag(DIAG_WARN, __VA_ARGS__)
#define diag_info(...)	diag(DIAG_INFO, __VA_ARGS__)
#define diag_debug(...) diag(DIAG_DEBUG, __VA_ARGS__)

/* What is being done, before it takes long: a line that stays on the terminal
 * until it is done or another message comes. Nothing where standard error is no
 * terminal, or informative messages are not wanted. */
void diag_progress(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void diag_progress_end(void);

/* Files from that size on take about a second to index, bytes. */
#define DIAG_PROGRESS_BYTES (24u << 20)

/* Bytes below 0x20 and 0x7f as \xNN; truncates. Returns `to`. */
const char *diag_escape(char *to, unsigned long to_size, const char *text);

#endif
