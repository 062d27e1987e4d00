// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each feature is tried on a function of our own, and what counts is whether
 * its program ran: programs load on kernels whose links then fail, links are
 * made whose cookies are 0 or whose filter takes one thread for the process.
 */
#include "probe/features.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "probe/feature_lab.h"
#include "probe/features_calibrate.h"
#include "probe/features_seccomp.h"
#include "probe/link_perf.h"

#define COOKIE 0x1122334455667788ULL

static bool have_btf(void)
{
	int fd CLEANUP_CLOSE =
		open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	char magic[2];

	return fd >= 0 && read(fd, magic, 2) == 2;
}

static int try_map(enum bpf_map_type type, uint32_t key_size,
		   uint32_t value_size, uint32_t entries)
{
	int fd = bpf_map_create(type, "leakbpf_probe", key_size, value_size,
				entries, NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static void *call_it(void *function)
{
	(*(own_function *)function)();
	return NULL;
}

/* Calls `f` here and in a second thread: a filter by thread, as the first
 * kernels with uprobe_multi had it, sees only one of the two calls. */
static bool call_in_two_threads(own_function f)
{
	pthread_t thread;

	f();
	if (pthread_create(&thread, NULL, call_it, &f))
		return false;
	return !pthread_join(thread, NULL);
}

/* Whether there are perf uprobes at all, where a program cannot be attached to
 * them. Asked only then: closing an event takes 50 ms. */
static int probe_bare_perf(own_function f, struct kernel_features *features)
{
	struct probe_point point = {0};
	int error = own_function_offset(f, &point.file_offset);
	int event = error ? error
			  : link_perf_open("/proc/self/exe", getpid(), false,
					   &point);

	if (event < 0)
		return event;
	close(event);
	features->uprobe_perf = true;
	return 0;
}

static int probe_perf(struct lab *lab, struct kernel_features *features)
{
	own_function f = lab_function(lab, OWN_EMULATED);
	struct lab_program *program;
	/* Does not load where there are no cookies. */
	int error = lab_load(lab, "count_entry", LINK_PERF, &program);

	if (!error)
		error = lab_attach(lab, program, LINK_PERF, getpid(), false,
				   COOKIE, f);
	if (error)
		return probe_bare_perf(f, features);
	features->uprobe_perf =
		call_in_two_threads(f) && program->counts->entry_hits == 2;
	features->attach_cookie =
		features->uprobe_perf && program->counts->last_cookie == COOKIE;
	return 0;
}

static int probe_multi(struct lab *lab, struct kernel_features *features)
{
	own_function f = lab_function(lab, OWN_EMULATED);
	struct lab_program *entry, *at_return;
	int error = lab_load(lab, "count_entry", LINK_MULTI, &entry);

	if (!error)
		error = lab_load(lab, "count_return", LINK_MULTI, &at_return);
	if (!error)
		error = lab_attach(lab, entry, LINK_MULTI, getpid(), false,
				   COOKIE, f);
	if (!error)
		error = lab_attach(lab, at_return, LINK_MULTI, getpid(), true,
				   COOKIE, f);
	if (error)
		return error;
	features->uprobe_multi = call_in_two_threads(f) &&
				 entry->counts->entry_hits == 2 &&
				 at_return->counts->return_hits == 2 &&
				 entry->counts->last_cookie == COOKIE &&
				 at_return->counts->last_cookie == COOKIE;
	return 0;
}

static int probe_session(struct lab *lab, struct kernel_features *features)
{
	own_function f = lab_function(lab, OWN_EMULATED);
	struct lab_program *program;
	int error = lab_load(lab, "count_session", LINK_SESSION, &program);

	if (!error)
		error = lab_attach(lab, program, LINK_SESSION, getpid(), false,
				   COOKIE, f);
	if (error)
		return error;
	volatile struct feature_counts *counts = program->counts;

	if (!call_in_two_threads(f) || counts->entry_hits != 2 ||
	    counts->return_hits != 2)
		return 0;
	counts->skip_return = 1;
	f();
	features->uprobe_session = counts->entry_hits == 3 &&
				   counts->return_hits == 2 &&
				   counts->last_cookie == COOKIE;
	return 0;
}

/* Tries the kinds of links; -EPERM when none works for want of privileges. */
static int probe_links(struct lab *lab, struct kernel_features *features)
{
	int perf = probe_perf(lab, features);
	int multi = probe_multi(lab, features);
	int session = probe_session(lab, features);

	diag_debug("feature probes: perf %d, multi %d, session %d", perf, multi,
		   session);
	if (features_best_link(features, LINK_NONE) != LINK_NONE)
		return 0;
	if (perf == -EPERM || perf == -EACCES || multi == -EPERM)
		return -EPERM;
	return 0;
}

static void measure(struct lab *lab, struct kernel_features *features)
{
	enum link_kind kind = features_best_link(features, LINK_NONE);
	struct probe_costs costs = {0};

	if (kind == LINK_NONE)
		return;
	features->return_probe_kills_seccomp =
		features_return_kills_seccomp(lab, kind);
	if (features_calibrate(lab, kind, &costs))
		diag_warn("the cost of a probe could not be measured; "
			  "overhead will be shown as 0");
	features->entry_emulated_ns = costs.entry_emulated_ns;
	features->entry_stepped_ns = costs.entry_stepped_ns;
	features->return_ns = costs.return_ns;
}

int features_probe(struct kernel_features *f, struct probe_links *tried)
{
	struct lab lab;
	int error;

	memset(f, 0, sizeof(*f));
	f->btf = have_btf();
	error = try_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	if (error == -EPERM)
		return -EPERM;
	f->bpf = !error;
	if (!f->bpf)
		return 0;
	f->ring_buffer = !try_map(BPF_MAP_TYPE_RINGBUF, 0, 0,
				  (uint32_t)sysconf(_SC_PAGESIZE));
	error = lab_open(&lab);
	if (error)
		return error;
	error = probe_links(&lab, f);
	if (!error)
		measure(&lab, f);
	if (tried)
		probe_links_take(tried, &lab.links);
	lab_close(&lab);
	return error;
}

static bool kind_works(const struct kernel_features *f, enum link_kind kind)
{
	switch (kind) {
	case LINK_PERF:
		return f->uprobe_perf && f->attach_cookie;
	case LINK_MULTI:
		return f->uprobe_multi;
	case LINK_SESSION:
		return f->uprobe_session;
	default:
		return false;
	}
}

enum link_kind features_best_link(const struct kernel_features *f,
				  enum link_kind forced)
{
	static const enum link_kind best_first[] = {LINK_SESSION, LINK_MULTI,
						    LINK_PERF};

	if (forced != LINK_NONE)
		return kind_works(f, forced) ? forced : LINK_NONE;
	for (size_t i = 0; i < sizeof(best_first) / sizeof(best_first[0]); i++)
		if (kind_works(f, best_first[i]))
			return best_first[i];
	return LINK_NONE;
}

const char *link_kind_name(enum link_kind kind)
{
	switch (kind) {
	case LINK_PERF:
		return "perf";
	case LINK_MULTI:
		return "multi";
	case LINK_SESSION:
		return "session";
	default:
		return "none";
	}
}

/* Appends `item`, after a comma when it is not the first; truncates. */
static void add_item(char *text, unsigned long size, const char *item)
{
	size_t used = strnlen(text, size);

	if (used < size)
		snprintf(text + used, size - used, "%s%s", used ? ", " : "",
			 item);
}

void features_missing(const struct kernel_features *f, char *text,
		      unsigned long text_size)
{
	if (!text_size)
		return;
	text[0] = '\0';
	if (!f->bpf) {
		add_item(text, text_size,
			 "the bpf system call (CONFIG_BPF_SYSCALL)");
		return; /* nothing else could be tried */
	}
	if (!f->btf)
		add_item(text, text_size,
			 "kernel BTF (CONFIG_DEBUG_INFO_BTF, "
			 "/sys/kernel/btf/vmlinux)");
	if (!f->ring_buffer)
		add_item(text, text_size, "BPF ring buffer (Linux 5.8)");
	if (features_best_link(f, LINK_NONE) != LINK_NONE)
		return;
	if (!f->uprobe_perf)
		add_item(text, text_size,
			 "user-space probes (CONFIG_UPROBE_EVENTS, "
			 "/sys/bus/event_source/devices/uprobe)");
	else
		add_item(text, text_size,
			 "BPF cookies on user-space probes "
			 "(CONFIG_BPF_EVENTS, Linux 5.15)");
}
