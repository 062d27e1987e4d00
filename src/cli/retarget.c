/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/retarget.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "cli/following.h"

/* ---- What can fail ------------------------------------------------------- */

static int open_process(struct retarget *t, pid_t pid)
{
	enum process_refusal why;
	char text[256];
	int error;

	why = process_open(&t->opened[t->count], pid, &error);
	if (why == PROCESS_OK) {
		t->count++;
		return 0;
	}
	process_refusal_text(why, pid, error, text, sizeof(text));
	diag_error("reload: %s", text);
	return -ESRCH;
}

static int open_processes(struct retarget *t, const struct options *fresh,
			  const struct reporting *r)
{
	int err = 0;

	t->opened = calloc(fresh->pid_count + 1, sizeof(*t->opened));
	if (!t->opened)
		return -ENOMEM;
	for (size_t i = 0; i < fresh->pid_count && !err; i++)
		if (!targets_find(r->targets, fresh->pids[i]))
			err = open_process(t, fresh->pids[i]);
	return err;
}

static int make_selection(struct retarget *t, const struct options *fresh,
			  const struct reporting *r)
{
	char error[1024] = "out of memory";
	int err;

	if (!selection_wanted(&fresh->selection))
		return 0;
	/* The kernel is asked to tell of new processes at the start. */
	if (!r->following) {
		diag_error("reload: to select processes takes a restart, as "
			   "none were selected so far");
		return -EINVAL;
	}
	err = selection_new(&fresh->selection, r->targets->containers,
			    &t->selection, error, sizeof(error));
	if (err)
		diag_error("reload: %s", error);
	return err;
}

int retarget_prepare(struct retarget *t, const struct options *fresh,
		     const struct reporting *r)
{
	int err;

	*t = (struct retarget){.count = 0};
	err = open_processes(t, fresh, r);
	if (!err)
		err = make_selection(t, fresh, r);
	if (err)
		retarget_cancel(t);
	return err;
}

void retarget_cancel(struct retarget *t)
{
	for (size_t i = 0; i < t->count; i++)
		process_close(&t->opened[i]);
	free(t->opened);
	selection_free(t->selection);
	*t = (struct retarget){.count = 0};
}

/* ---- The change ---------------------------------------------------------- */

static bool is_given(const struct options *o, pid_t pid)
{
	for (size_t i = 0; i < o->pid_count; i++)
		if (o->pids[i] == pid)
			return true;
	return false;
}

static void let_go(struct reporting *r, struct target_process *t)
{
	pid_t pid = t->process.pid;

	diag_info("process %d (%s) is no target any more", (int)pid,
		  t->process.comm);
	tracer_forget(r->tracer, &pid, 1);
	targets_remove(r->targets, t);
}

/* What was given and is not any more stays only if it is selected. */
static void review_given(const struct retarget *now,
			 const struct options *fresh, struct reporting *r)
{
	for (size_t i = r->targets->count; i > 0; i--) {
		struct target_process *t = r->targets->list[i - 1];
		bool was_given = t->given;

		t->given = is_given(fresh, t->process.pid);
		if (was_given && !t->given &&
		    !selection_holds(now->selection, t->process.pid))
			let_go(r, t);
	}
}

static void add_given(struct retarget *now, struct reporting *r)
{
	for (size_t i = 0; i < now->count; i++) {
		struct target_process *t =
			targets_add(r->targets, &now->opened[i]);

		if (!t)
			continue;
		t->given = true;
		if (tracer_attach(r->tracer, &t->process))
			targets_remove(r->targets, t);
		else
			diag_info("tracing process %d (%s)",
				  (int)t->process.pid, t->process.comm);
	}
	now->count = 0;
}

void retarget_apply(struct retarget *t, const struct options *fresh,
		    struct reporting *r)
{
	/* New ones first: without any target a session may end. */
	add_given(t, r);
	/* The command is what it was. */
	if (!fresh->command)
		review_given(t, fresh, r);
	if (r->following) {
		following_select(r->following, t->selection);
		t->selection = NULL;
	}
	retarget_cancel(t);
}
