/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

static enum exit_code code_of_refusal(enum process_refusal why)
{
	switch (why) {
	case PROCESS_OK:
		return EXIT_CODE_OK;
	case PROCESS_NOT_FOUND:
		return EXIT_CODE_NO_PROCESS;
	case PROCESS_KERNEL_THREAD:
	case PROCESS_ZOMBIE:
	case PROCESS_IS_THREAD:
		return EXIT_CODE_NOT_A_PROGRAM;
	case PROCESS_32BIT:
	case PROCESS_OTHER_ARCH:
		return EXIT_CODE_ARCHITECTURE;
	case PROCESS_DENIED:
		return EXIT_CODE_PRIVILEGES;
	case PROCESS_FAILED:
		break;
	}
	return EXIT_CODE_INTERNAL;
}

static enum exit_code code_of_attach(int err)
{
	switch (-err) {
	case 0:
		return EXIT_CODE_OK;
	case ENOENT:
		return EXIT_CODE_NO_ALLOCATOR;
	case ESRCH:
		return EXIT_CODE_GONE;
	case EPERM:
	case EACCES:
		return EXIT_CODE_PRIVILEGES;
	case ENOTSUP:
		return EXIT_CODE_REFUSED;
	default:
		return EXIT_CODE_INTERNAL;
	}
}

enum exit_code targets_open(struct targets *t, const pid_t *pids, size_t count)
{
	enum exit_code first = EXIT_CODE_OK;

	*t = (struct targets){
		.list = calloc(count, sizeof(*t->list)),
		.ended = calloc(count, sizeof(*t->ended)),
		.memory = calloc(count, sizeof(*t->memory)),
	};
	if (!t->list || !t->ended || !t->memory) {
		diag_error("out of memory");
		return EXIT_CODE_INTERNAL;
	}
	for (size_t i = 0; i < count; i++) {
		struct process *p = &t->list[t->count];
		enum process_refusal why;
		char text[256];
		int error;

		why = process_open(p, pids[i], &error);
		if (why == PROCESS_OK) {
			t->count++;
			continue;
		}
		process_refusal_text(why, pids[i], error, text, sizeof(text));
		diag_error("%s", text);
		if (first == EXIT_CODE_OK)
			first = code_of_refusal(why);
	}
	return t->count ? EXIT_CODE_OK : first;
}

enum exit_code targets_attach(struct targets *t, struct tracer *tracer)
{
	enum exit_code first = EXIT_CODE_OK;
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i++) {
		/* Into its final place first: the tracer keeps the address. */
		struct process *p = &t->list[kept];
		int err;

		if (kept != i) {
			*p = t->list[i];
			t->list[i].pidfd = -1;
			t->list[i].command_line = NULL;
		}
		err = tracer_attach(tracer, p);
		if (!err) {
			kept++;
			continue;
		}
		process_close(p);
		if (first == EXIT_CODE_OK)
			first = code_of_attach(err);
	}
	t->count = kept;
	return kept ? EXIT_CODE_OK : first;
}

void targets_observe(struct targets *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct process_memory now;

		if (t->ended[i])
			continue;
		if (!process_memory(&t->list[i], &now))
			t->memory[i] = now;
		if (process_alive(&t->list[i]))
			continue;
		t->ended[i] = true;
		diag_info("process %d (%s) has ended", (int)t->list[i].pid,
			  t->list[i].comm);
	}
}

void targets_close(struct targets *t)
{
	for (size_t i = 0; i < t->count; i++)
		process_close(&t->list[i]);
	free(t->list);
	free(t->ended);
	free(t->memory);
	*t = (struct targets){0};
}
