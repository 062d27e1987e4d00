/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The few kernel types the programs look into, reduced to the members used.
 * CO-RE relocates each access to the running kernel's layout (its BTF), so no
 * vmlinux.h of the build machine is needed.
 */
#ifndef BPF_KERNEL_TYPES_H
#define BPF_KERNEL_TYPES_H

#include <linux/types.h>

#define CORE __attribute__((preserve_access_index))

struct xol_area {
	unsigned long vaddr; /* also the address of the return trampoline */
} CORE;

struct uprobes_state {
	struct xol_area *xol_area;
} CORE;

struct mm_struct {
	struct uprobes_state uprobes_state;
} CORE;

struct vm_unmapped_area_info {
	unsigned long length;
} CORE;

struct return_instance {
	unsigned long stack; /* address of the replaced return address */
	unsigned long orig_ret_vaddr;
	struct return_instance *next;
} CORE;

struct uprobe_task {
	struct return_instance *return_instances;
} CORE;

struct task_struct {
	int pid;
	int tgid;
	struct mm_struct *mm;
	struct uprobe_task *utask;
} CORE;

#undef CORE

#endif
