/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"

/* It is called many times a second. */
#define OBSERVED_AT_ONCE 16

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

int targets_init(struct targets *t)
{
	*t = (struct targets){.containers = containers_new()};
	return t->containers ? 0 : -ENOMEM;
}

struct target_process *targets_add(struct targets *t, struct process *p)
{
	struct target_process *added = calloc(1, sizeof(*added));

	if (added && t->count == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 16;
		struct target_process **list = realloc(
			t->list, capacity * sizeof(struct target_process *));

		if (list) {
			t->list = list;
			t->capacity = capacity;
		}
	}
	if (!added || t->count == t->capacity) {
		free(added);
		process_close(p);
		diag_error("out of memory");
		return NULL;
	}
	added->process = *p;
	containers_of_process(t->containers, p->pid, &added->container);
	t->list[t->count++] = added;
	return added;
}

struct target_process *targets_find(const struct targets *t, pid_t pid)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i]->process.pid == pid)
			return t->list[i];
	return NULL;
}

void targets_remove(struct targets *t, struct target_process *p)
{
	size_t at = 0;

	while (at < t->count && t->list[at] != p)
		at++;
	if (at == t->count)
		return;
	/* In order: reports show them as they came. */
	memmove(t->list + at, t->list + at + 1,
		(t->count - at - 1) * sizeof(t->list[0]));
	t->count--;
	process_close(&p->process);
	free(p);
}

enum exit_code targets_open(struct targets *t, const pid_t *pids, size_t count)
{
	enum exit_code first = EXIT_CODE_OK;

	for (size_t i = 0; i < count; i++) {
		struct target_process *added;
		enum process_refusal why;
		struct process p;
		char text[256];
		int error;

		why = process_open(&p, pids[i], &error);
		if (why == PROCESS_OK) {
			added = targets_add(t, &p);
			if (!added)
				return EXIT_CODE_INTERNAL;
			added->given = true;
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

	tracer_attach_many(tracer);
	for (size_t i = 0; i < t->count;) {
		int err = tracer_attach(tracer, &t->list[i]->process);

		if (!err) {
			i++;
			continue;
		}
		targets_remove(t, t->list[i]);
		if (first == EXIT_CODE_OK)
			first = code_of_attach(err);
	}
	tracer_attach_done(tracer);
	return t->count ? EXIT_CODE_OK : first;
}

static void observe(struct target_process *t)
{
	struct process_memory now;

	if (t->ended)
		return;
	if (!process_memory(&t->process, &now))
		t->memory = now;
	if (process_alive(&t->process))
		return;
	t->ended = true;
	t->ended_ns = monotonic_ns();
	diag(t->given ? DIAG_INFO : DIAG_DEBUG, "process %d (%s) has ended",
	     (int)t->process.pid, t->process.comm);
}

void targets_observe(struct targets *t)
{
	for (size_t i = 0; i < t->count && i < OBSERVED_AT_ONCE; i++)
		observe(t->list[t->next++ % t->count]);
}

void targets_observe_all(struct targets *t)
{
	for (size_t i = 0; i < t->count; i++)
		observe(t->list[i]);
}

uint64_t targets_resident(const struct targets *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct target_process *p = t->list[i];

		if (p->memory.rss_anon_bytes > p->anon_before)
			sum += p->memory.rss_anon_bytes - p->anon_before;
	}
	return sum;
}

void targets_close(struct targets *t)
{
	while (t->count)
		targets_remove(t, t->list[t->count - 1]);
	free(t->list);
	containers_free(t->containers);
	*t = (struct targets){0};
}
