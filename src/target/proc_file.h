/* SPDX-License-Identifier: GPL-2.0-only */
/* Small files beneath /proc/PID and /sys, read whole and picked apart. */
#ifndef TARGET_PROC_FILE_H
#define TARGET_PROC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* /proc/PID/status, whose list of groups may be long. */
#define PROC_STATUS_BYTES 16384

/* Reads up to size - 1 bytes and adds a NUL. Bytes read (the rest is silently
 * left out), or -errno. */
ssize_t file_read(const char *path, char *text, size_t size);
/* The same for /proc/PID/NAME. */
ssize_t proc_read(pid_t pid, const char *name, char *text, size_t size);

/* The number behind the line that starts with `key`, say "VmRSS:"; "unlimited"
 * and anything else that is no number is no number. */
bool text_field(const char *text, const char *key, uint64_t *value);

/* /proc/PID/stat (fs/proc/array.c). The command name in it may hold anything,
 * also blanks and parentheses. */
struct proc_stat {
	char state;
	uint32_t flags; /* PF_* of include/linux/sched.h */
	uint64_t user_ticks, system_ticks;
	uint64_t start_time_ticks;
};
int proc_stat_parse(const char *text, struct proc_stat *s); /* 0 or -EINVAL */
int proc_stat_read(pid_t pid, struct proc_stat *s);

#endif
