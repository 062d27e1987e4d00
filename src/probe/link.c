// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files are named to the kernel as /proc/self/fd/N: a magic link that leads to
 * the very file the descriptor is open on, whatever has become of its name, in
 * whichever mount namespace it was, and whether or not the process it was
 * found in still lives.
 */
#include "probe/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "probe/link_perf.h"

#define MULTI_RETURN 1u /* BPF_F_UPROBE_MULTI_RETURN */

/* The part of union bpf_attr that BPF_LINK_CREATE takes for uprobe_multi. */
struct link_create_uprobe_multi {
	uint32_t program_fd;
	uint32_t target_fd; /* not used */
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_ctr_offsets;
	uint64_t cookies;
	uint32_t count;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t reserved;
};

static int create_multi(const char *path, enum link_kind kind, int program_fd,
			pid_t pid, bool is_return,
			const struct probe_point *points, size_t count)
{
	uint64_t *offsets CLEANUP_FREE = calloc(count, sizeof(*offsets));
	uint64_t *cookies CLEANUP_FREE = calloc(count, sizeof(*cookies));
	uint64_t *counters CLEANUP_FREE = calloc(count, sizeof(*counters));

	if (!offsets || !cookies || !counters)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		offsets[i] = points[i].file_offset;
		cookies[i] = points[i].cookie;
		counters[i] = points[i].counter_offset;
	}
	struct link_create_uprobe_multi attr = {
		.program_fd = (uint32_t)program_fd,
		.attach_type = kind == LINK_SESSION
				       ? LB_BPF_TRACE_UPROBE_SESSION
				       : LB_BPF_TRACE_UPROBE_MULTI,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)offsets,
		.ref_ctr_offsets = (uintptr_t)counters,
		.cookies = (uintptr_t)cookies,
		.count = (uint32_t)count,
		.multi_flags = is_return ? MULTI_RETURN : 0,
		.pid = (uint32_t)pid,
	};
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

static int reserve(struct probe_links *links, size_t more)
{
	int *fds = realloc(links->fds, (links->count + more) * sizeof(*fds));

	if (!fds)
		return -ENOMEM;
	links->fds = fds;
	return 0;
}

static int add_perf(struct probe_links *links, const char *path, int program_fd,
		    pid_t pid, bool is_return, const struct probe_point *points,
		    size_t count)
{
	struct probe_links added = {0};
	int error = reserve(links, count);

	if (error)
		return error;
	added.fds = malloc(count * sizeof(*added.fds));
	if (!added.fds)
		return -ENOMEM;
	for (; added.count < count; added.count++) {
		int fd = link_perf_create(path, program_fd, pid, is_return,
					  &points[added.count]);
		if (fd < 0) {
			probe_links_close(&added);
			return fd;
		}
		added.fds[added.count] = fd;
		added.perf_events++;
	}
	memcpy(links->fds + links->count, added.fds,
	       count * sizeof(*added.fds));
	links->count += count;
	links->perf_events += count;
	free(added.fds);
	return 0;
}

/* To the kernel. */
#define EVERY_PROCESS 0

static int add_multi(struct probe_links *links, const char *path,
		     enum link_kind kind, int program_fd, pid_t pid,
		     bool is_return, const struct probe_point *points,
		     size_t count)
{
	int error, fd;

	/* Of a session the entry program decides about the return. */
	if (kind != LINK_MULTI && (kind != LINK_SESSION || is_return))
		return -EINVAL;
	error = reserve(links, 1);
	if (error)
		return error;
	fd = create_multi(path, kind, program_fd, pid, is_return, points,
			  count);
	if (fd < 0)
		return fd;
	links->fds[links->count++] = fd;
	return 0;
}

int probe_links_add(struct probe_links *links, enum link_kind kind,
		    int program_fd, int file_fd, pid_t pid, bool is_return,
		    const struct probe_point *points, size_t count)
{
	char path[32];

	if (pid <= 0 || count > UINT32_MAX)
		return -EINVAL;
	if (!count)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
	if (kind == LINK_PERF)
		return add_perf(links, path, program_fd, pid, is_return, points,
				count);
	return add_multi(links, path, kind, program_fd, pid, is_return, points,
			 count);
}

int probe_links_add_shared(struct probe_links *links, enum link_kind kind,
			   int program_fd, int file_fd,
			   const struct probe_point *points, size_t count)
{
	char path[32];

	if (!count || count > UINT32_MAX)
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
	return add_multi(links, path, kind, program_fd, EVERY_PROCESS, false,
			 points, count);
}

/*
 * When a consumer of a uprobe is unregistered, the kernel goes through every
 * address space that maps the file and removes the breakpoints that no
 * remaining consumer's filter wants (kernel/events/uprobes.c,
 * register_for_each_vma). A link for ourselves, made and closed, is such a
 * consumer; the probed process's own link keeps the breakpoints there.
 */
int probe_links_sweep_forks(struct probe_links *passing, enum link_kind kind,
			    int program_fd, int file_fd,
			    const struct probe_point *points, size_t count)
{
	if (kind == LINK_PERF)
		return 0;
	return probe_links_add(passing, kind, program_fd, file_fd, getpid(),
			       false, points, count);
}

void probe_links_take(struct probe_links *into, struct probe_links *from)
{
	if (!from->count)
		return;
	if (reserve(into, from->count)) { /* one after the other, then */
		probe_links_close(from);
		return;
	}
	memcpy(into->fds + into->count, from->fds,
	       from->count * sizeof(*from->fds));
	into->count += from->count;
	into->perf_events += from->perf_events;
	free(from->fds);
	*from = (struct probe_links){0};
}
