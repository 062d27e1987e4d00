/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a long run keeps of root's rights. Once the BPF programs are loaded and
 * the helper processes forked, following processes takes these and no other:
 *
 *   CAP_BPF                 maps, links
 *   CAP_PERFMON             uprobes in other users' processes
 *   CAP_SYS_PTRACE          /proc/PID/{maps,root,mem} of other users' processes
 *   CAP_DAC_READ_SEARCH     program files in directories of theirs
 *   CAP_CHECKPOINT_RESTORE  /proc/PID/map_files: files that have been deleted
 *                           or replaced, or are hidden by another mount
 *
 * and CAP_SYS_ADMIN where probes are perf events, which the kernel grants to
 * nobody else (perf_uprobe_event_init in kernel/events/core.c; kernels
 * before 6.6 have no other kind). docs/serving.md has what fails without each.
 * The user stays root, without root's capabilities: files that root owns can be
 * written.
 */
#ifndef SERVICE_PRIVILEGES_H
#define SERVICE_PRIVILEGES_H

#include <stdbool.h>

/* Gives up all other capabilities, in every set, for good; also no_new_privs.
 * Says at DIAG_DEBUG what is kept, and warns of what was not there to keep.
 * 0 or -errno, reported. */
int privileges_keep_few(bool perf_events);

#endif
