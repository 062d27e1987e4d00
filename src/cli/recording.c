/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/recording.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/diag.h"
#include "capture/reader.h"
#include "cli/heap_facts.h"
#include "cli/program_facts.h"

static int told(int err, const char *path)
{
	if (err)
		diag_error("cannot write %s: %s%s", path, strerror(-err),
			   err == -ENXIO ? " (a capture is a regular file)"
					 : "");
	return err;
}

/* It is written anew from time to time, which a pipe or device cannot be. */
static int check_regular(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? 0 : -ENXIO;
}

int recording_open(const char *path, struct capture_writer **out)
{
	struct utsname system = {.release = ""};
	struct capture_meta meta = {
		.generator = "leakbpf " LEAKBPF_VERSION,
		.kernel = system.release,
	};
	int err = check_regular(path);

	uname(&system);
	meta.started_ns = realtime_ns();
	if (!err)
		err = capture_create(path, &meta, out);
	return told(err, path);
}

/* The number of a process in the capture: the next, or that of one that is
 * gone; 0: there is none. */
static size_t take_number(struct targets *targets)
{
	bool taken[CAPTURE_PROCESSES_MAX + 1] = {false};
	size_t number = 1;

	if (targets->recorded < CAPTURE_PROCESSES_MAX)
		return ++targets->recorded;
	for (size_t i = 0; i < targets->count; i++)
		taken[targets->list[i]->recorded] = true;
	while (number <= CAPTURE_PROCESSES_MAX && taken[number])
		number++;
	return number <= CAPTURE_PROCESSES_MAX ? number : 0;
}

/* Names those that have come since the last snapshot, as far as there is
 * room. */
static int name_processes(struct capture_writer *w, struct targets *targets)
{
	int err = 0;

	for (size_t i = 0; i < targets->count && !err; i++) {
		struct target_process *t = targets->list[i];
		const struct process *p = &t->process;
		char label[CONTAINER_TEXT_BYTES];
		size_t number = 0;

		if (!t->recorded)
			number = take_number(targets);
		if (t->recorded || !number)
			continue;
		err = capture_process(w, number, p->pid, p->comm,
				      p->command_line ? p->command_line : "",
				      container_label(&t->container, label),
				      t->container.pod);
		t->recorded = number;
	}
	return err;
}

static struct cohort_layout since_attach(const struct cohort_layout *cohorts,
					 uint64_t attached_ns)
{
	struct cohort_layout l = *cohorts;

	for (uint32_t i = 0; i < l.count && i < COHORTS; i++)
		l.start_ns[i] = l.start_ns[i] > attached_ns
					? l.start_ns[i] - attached_ns
					: 0;
	return l;
}

int recording_snapshot(struct capture_writer *w, struct targets *all,
		       const struct report *r,
		       const struct diagnosis_facts *facts,
		       const struct cohort_layout *cohorts,
		       uint64_t attached_ns, uint64_t now_ns)
{
	int err = name_processes(w, all);
	CLEANUP_FREE struct capture_target *targets =
		calloc(all->recorded + 1, sizeof(*targets));
	struct capture_snapshot s = {
		.elapsed_ns = now_ns - attached_ns,
		.final = r->final,
		.status = r->status,
		.cohorts = since_attach(cohorts, attached_ns),
		.dead_sites = r->dead_sites,
		.objects_given_up =
			r->names->objects_given_up(r->names->context),
		.limit_bytes = (uint64_t)facts->limit_bytes,
		.limit_used_bytes = (uint64_t)facts->limit_used_bytes,
		.limit_is_group = facts->limit_is_group,
		.collections = facts->collections,
		.settled_ns = (uint64_t)llround(facts->settled_seconds * 1e9),
		.resident_bytes = targets_resident(all),
		.targets = targets,
		.target_count = all->recorded,
	};

	if (err)
		return told(err, "the capture");
	if (!targets)
		return told(-ENOMEM, "the capture");
	memcpy(s.counters, r->counters, sizeof(s.counters));
	s.left_out = heap_facts_take(&s.heaps, r);
	program_facts_take(&s, r);
	for (size_t i = 0; i < all->recorded; i++)
		targets[i].gone = true;
	for (size_t i = 0; i < all->count; i++) {
		const struct target_process *t = all->list[i];

		if (!t->recorded) {
			s.left_out++;
			continue;
		}
		targets[t->recorded - 1].memory = t->memory;
		targets[t->recorded - 1].alive = process_alive(&t->process);
		targets[t->recorded - 1].gone = false;
	}
	return told(capture_end(w, &s, r->names), "the capture");
}

int recording_close(struct capture_writer *w, const char *path)
{
	int err = w ? capture_close(w) : 0;

	if (w && !err)
		diag_info("recorded to %s; `leakbpf report %s` shows it", path,
			  path);
	return told(err, path);
}
