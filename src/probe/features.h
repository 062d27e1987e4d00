/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel can do, found out by doing it to a function of our own,
 * never by version number (distributions backport, and on some kernels
 * programs load whose links then fail; docs/kernels.md).
 */
#ifndef PROBE_FEATURES_H
#define PROBE_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

struct probe_links;

enum link_kind {
	LINK_NONE = 0,
	LINK_PERF,    /* one perf event per probe and direction */
	LINK_MULTI,   /* uprobe_multi, entry and return separately */
	LINK_SESSION, /* uprobe_multi session: entry decides about return */
};

struct kernel_features {
	bool btf;
	bool bpf; /* programs and maps can be created */
	bool ring_buffer;
	bool attach_cookie; /* bpf_get_attach_cookie in perf uprobes */
	bool uprobe_perf;
	bool uprobe_multi; /* with the per-process (not per-thread) filter */
	bool uprobe_session;
	/* A return probe in a process with a seccomp filter kills it: kernels
	 * with the uretprobe system call but without its seccomp
	 * pass-through. */
	bool return_probe_kills_seccomp;
	/* Cost of one probe hit with an empty program on this machine, ns. */
	uint32_t entry_emulated_ns;
	uint32_t entry_stepped_ns;
	uint32_t return_ns; /* in addition to the entry */
};

/* Probes and measures everything; takes some 50 ms. 0, or -EPERM when the
 * process may not use BPF or perf events at all. `tried` gets the links that
 * were made for it: closing them takes longer than all else, and half a minute
 * where the kernel's own threads wait for a CPU. NULL: closed here. */
int features_probe(struct kernel_features *f, struct probe_links *tried);
/* The best link kind, or LINK_NONE; `forced` != LINK_NONE must be possible. */
enum link_kind features_best_link(const struct kernel_features *f,
				  enum link_kind forced);
const char *link_kind_name(enum link_kind kind); /* "session", ... */
/* One line naming what is missing for the tool to work; "" when nothing. */
void features_missing(const struct kernel_features *f, char *text,
		      unsigned long text_size);
/* Why features_probe may have given -EPERM: how many privileges this process
 * lacks, and their names ("CAP_BPF, CAP_PERFMON") in `text`. 0: it has them
 * all, so something else forbids it (lockdown, a security module). */
int features_missing_capabilities(char *text, unsigned long text_size);

#endif
