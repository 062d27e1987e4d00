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
 * docs/serving.md has what fails without each. The user stays root, without
 * root's capabilities: files that root owns can be written.
 */
#ifndef SERVICE_PRIVILEGES_H
#define SERVICE_PRIVILEGES_H

/* Gives up all other capabilities, in every set, for good; also no_new_privs.
 * Says at DIAG_DEBUG what is kept, and warns of what was not there to keep.
 * 0 or -errno, reported. */
int privileges_keep_few(void);

#endif
