/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/diag.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#define MESSAGE_MAX 1024

/* The only settings kept for the whole process: how much to print, where,
 * and how. */
static _Atomic int max_level = DIAG_INFO;
static diag_sink_fn sink;
static void *sink_context;
static bool priorities_shown;
static bool progress_shown;

void diag_set_sink(diag_sink_fn function, void *context)
{
	sink = function;
	sink_context = context;
}

void diag_set_level(enum diag_level level)
{
	atomic_store(&max_level, (int)level);
}

void diag_show_priorities(bool shown)
{
	priorities_shown = shown;
}

/* Of syslog(3). */
static int priority(enum diag_level level)
{
	static const int priorities[] = {
		[DIAG_ERROR] = LOG_ERR,
		[DIAG_WARN] = LOG_WARNING,
		[DIAG_INFO] = LOG_INFO,
		[DIAG_DEBUG] = LOG_DEBUG,
	};

	return priorities[level];
}

static bool is_control(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7f;
}

const char *diag_escape(char *to, unsigned long to_size, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	unsigned long used = 0;

	if (!to_size)
		return to;
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		unsigned long need = is_control(byte) ? 4 : 1;

		if (need >= to_size - used)
			break;
		if (need == 1) {
			to[used++] = *text;
			continue;
		}
		to[used++] = '\\';
		to[used++] = 'x';
		to[used++] = hex[byte >> 4];
		to[used++] = hex[byte & 15];
	}
	to[used] = 0;
	return to;
}

void diag(enum diag_level level, const char *format, ...)
{
	char raw[MESSAGE_MAX], safe[4 * MESSAGE_MAX];
	va_list arguments;

	if ((int)level > atomic_load(&max_level))
		return;
	va_start(arguments, format);
	if (vsnprintf(raw, sizeof(raw), format, arguments) < 0)
		raw[0] = 0;
	va_end(arguments);
	diag_escape(safe, sizeof(safe), raw);
	if (sink) {
		sink(safe, sink_context);
		return;
	}
	diag_progress_end();
	/* One call, so that lines of several threads do not mix. */
	if (priorities_shown)
		fprintf(stderr, "<%d>%s\n", priority(level), safe);
	else
		fprintf(stderr, "leakbpf: %s\n", safe);
}

void diag_progress(const char *format, ...)
{
	char raw[MESSAGE_MAX], safe[4 * MESSAGE_MAX];
	va_list arguments;

	if (sink || atomic_load(&max_level) < DIAG_INFO ||
	    !isatty(STDERR_FILENO))
		return;
	va_start(arguments, format);
	if (vsnprintf(raw, sizeof(raw), format, arguments) < 0)
		raw[0] = 0;
	va_end(arguments);
	/* Longer ones would take a second line, which stays. */
	fprintf(stderr, "\r\033[Kleakbpf: %.70s...",
		diag_escape(safe, sizeof(safe), raw));
	progress_shown = true;
}

void diag_progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}
