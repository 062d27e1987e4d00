/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identity and facts of a process to be traced. A pid alone is no identity
 * (it is reused): a pidfd is held, and /proc is read only while it still
 * refers to the same process.
 */
#ifndef TARGET_PROCESS_H
#define TARGET_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "target/maps.h"

struct process {
	pid_t pid; /* thread group id in the caller's pid namespace */
	int pidfd;
	uint64_t start_time_ticks; /* /proc/PID/stat field 22 */
	char comm[16 + 1];
	char *command_line;  /* arguments joined by blanks, escaped, capped */
	bool seccomp_filter; /* some thread runs under a seccomp filter */
};

enum process_refusal {
	PROCESS_OK = 0,
	PROCESS_NOT_FOUND, /* no such pid, or gone meanwhile */
	PROCESS_KERNEL_THREAD,
	PROCESS_ZOMBIE,
	PROCESS_32BIT, /* ELF class or machine not ours */
	PROCESS_OTHER_ARCH,
	PROCESS_DENIED,	   /* /proc says EACCES/EPERM */
	PROCESS_IS_THREAD, /* a tid that is not a thread group leader */
	PROCESS_FAILED,	   /* anything else; *error_out has the errno */
};

/* Opens and checks; on refusal nothing is left open. `error_out`: errno. */
enum process_refusal process_open(struct process *p, pid_t pid, int *error_out);
void process_close(struct process *p);
/* It has called exec: reads its names again. */
void process_rename(struct process *p);
bool process_alive(const struct process *p);
/* One clear line, what to do next included: for the refusals above. */
void process_refusal_text(enum process_refusal why, pid_t pid, int error,
			  char *text, size_t text_size);

/* Resident set and its parts, bytes (/proc/PID/status and smaps_rollup not
 * needed): 0 or -ESRCH. */
struct process_memory {
	uint64_t rss_bytes;
	uint64_t rss_anon_bytes;
	uint64_t vm_bytes;
};
int process_memory(const struct process *p, struct process_memory *m);

/* CPU time used by all threads so far, ns; 0 when unknown. */
uint64_t process_cpu_ns(const struct process *p);

/*
 * Size from which a single allocation may fail outright, bytes: smallest of
 * RAM + swap, the cgroup's memory limit, and the room left under RLIMIT_AS and
 * RLIMIT_DATA, with a margin of a quarter; with strict overcommit
 * (vm.overcommit_memory = 2) also what CommitLimit leaves. Never 0.
 */
uint64_t process_allocation_room(const struct process *p);

/* The memory limit that the process will meet first: its control group's, or
 * the machine's RAM. What is used of it, by whomever. Bytes; limit 0: not
 * known. */
struct process_limit {
	uint64_t limit;
	uint64_t used;
	bool of_group; /* the control group's */
};
void process_memory_limit(const struct process *p, struct process_limit *out);

/* Opens the file behind a mapping: /proc/PID/map_files first, then
 * /proc/PID/root + path (beneath it, no magic links, same device and inode).
 * Returns a descriptor or a negative errno. */
int process_open_mapping(const struct process *p, const struct mapping *m);

/* Copies memory; returns bytes copied (may be fewer than asked) or -errno. */
ssize_t process_read(const struct process *p, uint64_t address, void *to,
		     size_t size);

#endif
