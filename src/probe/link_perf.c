// SPDX-License-Identifier: GPL-2.0-only
/*
 * A perf uprobe is opened for the thread-group leader, but the kernel only
 * uses that to pick the address space the breakpoint goes into: the BPF
 * program runs before the event is looked for in the running thread's context
 * (kernel/trace/trace_uprobe.c, __uprobe_perf_func). So one event sees all
 * threads of the process, including later ones, and also a vfork or CLONE_VM
 * child while it shares the memory. A fork child inherits the breakpoints, but
 * on the first hit uprobe_perf_filter disowns it and they are removed.
 */
#include "probe/link_perf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* format/ref_ctr_offset: config:32-63 */
#define COUNTER_OFFSET_SHIFT 32

#define UPROBE_PMU "/sys/bus/event_source/devices/uprobe/"

/* The number in a sysfs file, after an optional "config:" prefix. */
static int read_number(const char *file, const char *format, unsigned *value)
{
	FILE *f CLEANUP_FCLOSE = fopen(file, "re");

	if (!f)
		return -ENODEV;
	return fscanf(f, format, value) == 1 ? 0 : -ENODEV;
}

int link_perf_open(const char *path, pid_t pid, bool is_return,
		   const struct probe_point *point)
{
	unsigned type, return_bit;
	int fd;

	if (point->counter_offset >> (64 - COUNTER_OFFSET_SHIFT))
		return -EINVAL;
	if (read_number(UPROBE_PMU "type", "%u", &type) ||
	    read_number(UPROBE_PMU "format/retprobe", "config:%u",
			&return_bit) ||
	    return_bit > 63)
		return -ENODEV;
	struct perf_event_attr attr = {
		.type = type,
		.size = sizeof(attr),
		.config = (is_return ? 1ULL << return_bit : 0) |
			  point->counter_offset << COUNTER_OFFSET_SHIFT,
		.config1 = (uintptr_t)path,    /* uprobe_path */
		.config2 = point->file_offset, /* probe_offset */
	};
	fd = (int)syscall(SYS_perf_event_open, &attr, pid, -1 /* any CPU */,
			  -1 /* no group */, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int link_perf_create(const char *path, int program_fd, pid_t pid,
		     bool is_return, const struct probe_point *point)
{
	union bpf_attr attr;
	int event CLEANUP_CLOSE = link_perf_open(path, pid, is_return, point);
	int link;

	if (event < 0)
		return event;
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)program_fd;
	attr.link_create.target_fd = (uint32_t)event;
	attr.link_create.attach_type = BPF_PERF_EVENT;
	attr.link_create.perf_event.bpf_cookie = point->cookie;
	link = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (link < 0)
		return -errno;
	/* The link holds the event, so its descriptor can go. */
	if (ioctl(event, PERF_EVENT_IOC_ENABLE, 0)) {
		int error = -errno;

		close(link);
		return error;
	}
	return link;
}
