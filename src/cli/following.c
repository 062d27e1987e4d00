/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/following.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "cli/attach_queue.h"
#include "cli/signals.h"
#include "target/proc_file.h"

/* A process that has just been forked often calls exec next, and many end
 * before it would be worth attaching them. */
#define SETTLE_NS 200000000ULL
/* All processes are gone through that often, sooner if starts were missed; so
 * many at a time. */
#define SCAN_GAP_NS  3000000000ULL
#define SCAN_SOON_NS 1000000000ULL
#define SCAN_AT_ONCE 64
/* Longest time for which nothing else is looked after. */
#define STEP_NS	      100000000ULL
#define ANNOUNCED_MAX 32 /* one by one; of more nothing is said */
/* Of those that have ended: shown for so long, so many. */
#define ENDED_SHOWN_NS	60000000000ULL
#define ENDED_SHOWN_MAX 32
/* However far apart reports are: those that have ended take up room. */
#define GAP_NS	      5000000000ULL
#define SCARCE_GAP_NS 1000000000ULL

struct following {
	struct selection *selection;
	struct targets *targets;
	struct attach_queue queue;
	struct refusals refusals;

	bool running; /* who comes now joins the others */
	DIR *proc;    /* being gone through; NULL: not just now */
	uint64_t scanned_ns, tidied_ns;
	uint64_t missed_before; /* starts, when that began */

	uint64_t attached, let_go;
};

int following_new(const struct selection_criteria *criteria,
		  struct targets *targets, struct following **out, char *error,
		  size_t error_size)
{
	struct following *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->targets = targets;
	err = selection_new(criteria, targets->containers, &f->selection, error,
			    error_size);
	if (err)
		following_free(f);
	else
		*out = f;
	return err;
}

void following_free(struct following *f)
{
	if (!f)
		return;
	if (f->proc)
		closedir(f->proc);
	refusals_free(&f->refusals);
	selection_free(f->selection);
	free(f);
}

void following_select(struct following *f, struct selection *selection)
{
	selection_free(f->selection);
	f->selection = selection;
	/* Whoever is there is looked at now: scan(). */
	if (f->proc)
		closedir(f->proc);
	f->proc = NULL;
	f->scanned_ns = 0;
}

/* ---- One process --------------------------------------------------------- */

static void let_go(struct following *f, struct tracer *tracer,
		   struct target_process *t)
{
	pid_t pid = t->process.pid;

	tracer_forget(tracer, &pid, 1);
	targets_remove(f->targets, t);
	f->let_go++;
}

static void announce(struct following *f, const struct process *p)
{
	f->attached++;
	diag(f->attached <= ANNOUNCED_MAX ? DIAG_INFO : DIAG_DEBUG,
	     "tracing process %d (%s)", (int)p->pid, p->comm);
	if (f->attached == ANNOUNCED_MAX)
		diag_info("tracing more processes as they come");
}

static void note_failure(struct following *f, const struct process *p, int err)
{
	if (err == -ESRCH)
		return;
	diag_debug("process %d (%s) is not traced: %s", (int)p->pid, p->comm,
		   strerror(-err));
	refusals_add(&f->refusals, p->pid, p->start_time_ticks,
		     not_traced_of(err), monotonic_ns());
}

static void attach(struct following *f, struct tracer *tracer,
		   struct process *p)
{
	struct target_process *t = targets_add(f->targets, p);
	int err;

	if (!t)
		return;
	err = tracer_attach_quietly(tracer, &t->process);
	if (err) {
		note_failure(f, &t->process, err);
		targets_remove(f->targets, t);
		return;
	}
	if (f->running && !process_memory(&t->process, &t->memory))
		t->anon_before = t->memory.rss_anon_bytes;
	t->joins = true;
}

static void note_refusal(struct following *f, pid_t pid,
			 enum process_refusal why)
{
	enum not_traced reason;
	struct proc_stat stat;

	switch (why) {
	case PROCESS_32BIT:
	case PROCESS_OTHER_ARCH:
		reason = NOT_TRACED_OTHER_ARCH;
		break;
	case PROCESS_DENIED:
		reason = NOT_TRACED_DENIED;
		break;
	default: /* gone, or about to be */
		return;
	}
	if (!proc_stat_read(pid, &stat))
		refusals_add(&f->refusals, pid, stat.start_time_ticks, reason,
			     monotonic_ns());
}

/* Not so while the ended one is a zombie. */
static bool is_reused(const struct process *ended)
{
	struct proc_stat stat;

	return !proc_stat_read(ended->pid, &stat) &&
	       stat.start_time_ticks != ended->start_time_ticks;
}

/* One that is traced may have left, become another program, or ended and given
 * its pid to another. True: it stays as it is. */
static bool keep(struct following *f, struct tracer *tracer,
		 struct target_process *t)
{
	if (!process_alive(&t->process)) {
		if (!is_reused(&t->process))
			return true;
		let_go(f, tracer, t);
		return false;
	}
	if (t->given)
		return true;
	/* The tracer has given it up, for what it has become by exec. */
	if (!tracer_traces(tracer, t->process.pid)) {
		note_failure(f, &t->process, -ENOTSUP);
		let_go(f, tracer, t);
		return true;
	}
	if (!selection_holds(f->selection, t->process.pid)) {
		diag_debug("process %d (%s) does not belong any more",
			   (int)t->process.pid, t->process.comm);
		let_go(f, tracer, t);
	}
	return true;
}

static void consider(struct following *f, struct tracer *tracer, pid_t pid)
{
	struct target_process *t = targets_find(f->targets, pid);
	enum process_refusal why;
	struct process p;
	int error;

	if ((t && keep(f, tracer, t)) || !selection_holds(f->selection, pid))
		return;
	why = process_open(&p, pid, &error);
	if (why == PROCESS_OK)
		attach(f, tracer, &p);
	else
		note_refusal(f, pid, why);
}

/* ---- As they start ------------------------------------------------------- */

void following_started(struct following *f, pid_t pid)
{
	struct target_process *t = targets_find(f->targets, pid);

	/* By exec: with another name. */
	if (t && !t->ended)
		process_rename(&t->process);
	refusals_forget(&f->refusals, pid);
	attach_queue_add(&f->queue, pid, monotonic_ns() + SETTLE_NS);
}

static uint64_t group_of(void *context, pid_t pid)
{
	const struct following *f = context;
	struct container c;

	return containers_of_process(f->targets->containers, pid, &c);
}

static void attach_due(struct following *f, struct tracer *tracer)
{
	uint64_t begin = monotonic_ns(), before = begin;
	pid_t pid;

	while (before - begin < STEP_NS &&
	       (pid = attach_queue_next(&f->queue, group_of, f)) > 0) {
		uint64_t after;

		consider(f, tracer, pid);
		after = monotonic_ns();
		attach_queue_spent(&f->queue, after - before);
		before = after;
	}
}

/* Those of which nothing was seen before tracer_attach_done. */
static void announce_all(struct following *f)
{
	for (size_t i = 0; i < f->targets->count; i++) {
		struct target_process *t = f->targets->list[i];

		if (t->joins)
			announce(f, &t->process);
		t->joins = false;
	}
}

static void attach_all_due(struct following *f, struct tracer *tracer)
{
	tracer_attach_many(tracer);
	attach_due(f, tracer);
	tracer_attach_done(tracer);
	announce_all(f);
}

/* ---- All processes ------------------------------------------------------- */

/* Worth attaching: not traced, not refused, and it belongs. */
static bool is_new(const struct following *f, pid_t pid)
{
	struct proc_stat stat;

	return !proc_stat_read(pid, &stat) &&
	       !refusals_hold(&f->refusals, pid, stat.start_time_ticks,
			      monotonic_ns()) &&
	       selection_holds(f->selection, pid);
}

bool following_selects(const struct following *f, pid_t pid)
{
	return is_new(f, pid);
}

static void look_at(struct following *f, struct tracer *tracer, pid_t pid)
{
	struct target_process *t = targets_find(f->targets, pid);

	if (t ? !keep(f, tracer, t) : is_new(f, pid))
		attach_queue_add(&f->queue, pid, monotonic_ns());
}

static void scan_end(struct following *f)
{
	closedir(f->proc);
	f->proc = NULL;
}

static void scan_some(struct following *f, struct tracer *tracer, size_t most)
{
	for (size_t i = 0; f->proc && i < most; i++) {
		struct dirent *entry = readdir(f->proc);

		if (!entry)
			scan_end(f);
		else if (isdigit((unsigned char)entry->d_name[0]))
			look_at(f, tracer, atoi(entry->d_name));
	}
}

static void scan_begin(struct following *f, const struct tracer *tracer,
		       uint64_t now_ns)
{
	f->proc = opendir("/proc");
	f->scanned_ns = now_ns;
	f->missed_before = tracer_starts_missed(tracer);
}

static void scan(struct following *f, struct tracer *tracer)
{
	uint64_t now = monotonic_ns();
	bool missed = tracer_starts_missed(tracer) != f->missed_before ||
		      f->queue.overflowed;

	if (!f->proc &&
	    now - f->scanned_ns >= (missed ? SCAN_SOON_NS : SCAN_GAP_NS)) {
		f->queue.overflowed = false;
		scan_begin(f, tracer, now);
	}
	scan_some(f, tracer, SCAN_AT_ONCE);
}

void following_begin(struct following *f, struct tracer *tracer)
{
	scan_begin(f, tracer, monotonic_ns());
	while ((f->proc || attach_queue_due(&f->queue)) &&
	       !signals_stop_requested()) {
		scan_some(f, tracer, SCAN_AT_ONCE);
		attach_queue_refill(&f->queue);
		attach_all_due(f, tracer);
	}
	f->running = true;
	if (!f->targets->count)
		diag_info("no process that can be traced belongs to %s yet: "
			  "waiting for one",
			  selection_text(f->selection));
}

void following_step(struct following *f, struct tracer *tracer)
{
	bool scarce = tracer_room_scarce(tracer);

	scan(f, tracer);
	attach_all_due(f, tracer);
	if (monotonic_ns() - f->tidied_ns >= (scarce ? SCARCE_GAP_NS : GAP_NS))
		following_tidy(f, tracer);
}

/* ---- Those that have ended ------------------------------------------------
 */

/* Drops what need not be shown, all at once: each time costs a pass over the
 * table of outstanding blocks. */
static void forget_all(struct following *f, struct tracer *tracer,
		       struct target_process **list, size_t count)
{
	pid_t *pids = malloc((count + 1) * sizeof(*pids));

	if (!pids)
		return;
	for (size_t i = 0; i < count; i++)
		pids[i] = list[i]->process.pid;
	tracer_forget(tracer, pids, count);
	for (size_t i = 0; i < count; i++)
		targets_remove(f->targets, list[i]);
	f->let_go += count;
	free(pids);
}

void following_tidy(struct following *f, struct tracer *tracer)
{
	struct targets *all = f->targets;
	struct target_process **gone =
		calloc(all->count + 1, sizeof(struct target_process *));
	uint64_t now = monotonic_ns();
	/* Those that live need it more. */
	bool scarce = tracer_room_scarce(tracer);
	size_t count = 0, shown = 0;

	f->tidied_ns = now;
	targets_observe_all(all);
	/* The latest are those that are shown. */
	for (size_t i = all->count; gone && i > 0; i--) {
		struct target_process *t = all->list[i - 1];

		if (t->given || !t->ended)
			continue;
		if (scarce || now - t->ended_ns > ENDED_SHOWN_NS ||
		    shown == ENDED_SHOWN_MAX ||
		    !tracer_outstanding(tracer, t->process.pid))
			gone[count++] = t;
		else
			shown++;
	}
	if (count)
		forget_all(f, tracer, gone, count);
	free(gone);
}

void following_figures(const struct following *f, const struct tracer *tracer,
		       struct following_figures *out)
{
	*out = (struct following_figures){
		.selection = selection_text(f->selection),
		.attached = f->attached,
		.let_go = f->let_go,
		.waiting = attach_queue_due(&f->queue),
		.no_room = f->refusals.total[NOT_TRACED_NO_ROOM],
		.starts_missed = tracer_starts_missed(tracer),
	};
	memcpy(out->not_traced, f->refusals.total, sizeof(out->not_traced));
}
