/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From which size on may one allocation fail? Each limit that the kernel or
 * the administrator sets is asked for the room it leaves; the smallest counts.
 *
 * A memory cgroup does not make an allocation fail (it kills later), but no
 * program that works asks for more at once than it may ever use.
 */
#include "target/process.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "target/process_cgroup.h"
#include "target/proc_file.h"

#define MEMINFO_BYTES 8192
#define KIB	      1024ULL

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t left_of(uint64_t limit, uint64_t used)
{
	return limit > used ? limit - used : 0;
}

/* RAM and swap, and with strict overcommit what the commit limit leaves
 * (Documentation/mm/overcommit-accounting.rst). */
static uint64_t machine_room(void)
{
	uint64_t ram, swap = 0, limit, committed, room = UINT64_MAX;
	char info[MEMINFO_BYTES], mode[16];

	if (file_read("/proc/meminfo", info, sizeof(info)) < 0)
		return room;
	text_field(info, "SwapTotal:", &swap);
	if (text_field(info, "MemTotal:", &ram))
		room = (ram + swap) * KIB;
	if (file_read("/proc/sys/vm/overcommit_memory", mode, sizeof(mode)) >
		    0 &&
	    mode[0] == '2' && text_field(info, "CommitLimit:", &limit) &&
	    text_field(info, "Committed_AS:", &committed))
		room = smaller(room, left_of(limit, committed) * KIB);
	return room;
}

/* The soft limits of /proc/PID/limits; "unlimited" is no number there. */
static uint64_t resource_room(const struct process *p)
{
	uint64_t limit, used, room = UINT64_MAX;
	char limits[4096], status[PROC_STATUS_BYTES];

	if (proc_read(p->pid, "limits", limits, sizeof(limits)) < 0 ||
	    proc_read(p->pid, "status", status, sizeof(status)) < 0)
		return room;
	if (text_field(limits, "Max address space", &limit) &&
	    text_field(status, "VmSize:", &used))
		room = smaller(room, left_of(limit, used * KIB));
	if (text_field(limits, "Max data size", &limit) &&
	    text_field(status, "VmData:", &used))
		room = smaller(room, left_of(limit, used * KIB));
	return room;
}

uint64_t process_allocation_room(const struct process *p)
{
	uint64_t room = machine_room();

	room = smaller(room, resource_room(p));
	room = smaller(room, process_cgroup_limit(p->pid));
	room -= room / 4;
	return room ? room : 1;
}

void process_memory_limit(const struct process *p, struct process_limit *out)
{
	uint64_t total, available;
	struct cgroup_room room;
	char info[MEMINFO_BYTES];

	*out = (struct process_limit){0};
	if (file_read("/proc/meminfo", info, sizeof(info)) > 0 &&
	    text_field(info, "MemTotal:", &total) &&
	    text_field(info, "MemAvailable:", &available))
		*out = (struct process_limit){
			.limit = total * KIB,
			.used = left_of(total, available) * KIB,
		};
	process_cgroup_room(p->pid, &room);
	if (room.limit == UINT64_MAX ||
	    (out->limit &&
	     left_of(room.limit, room.used) >= left_of(out->limit, out->used)))
		return;
	*out = (struct process_limit){room.limit, room.used, true};
}
