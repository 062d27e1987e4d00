/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Event source: pages of anonymous memory, in the moment when a process comes
 * to hold them (--growth). No probes in the target: raw tracepoints, for all
 * allocators and languages.
 *
 * page_fault_user, page_fault_kernel  say at which address a thread faults.
 * rss_stat          follows when the process holds more anonymous memory for
 *                   it. It does not for what a process held before: pages that
 *                   are copied after fork, of files, moved between nodes.
 * mm_page_alloc     between the two tells the size of a huge page.
 * vm_unmapped_area  in mremap says where pages move to: without a fault.
 *
 * Pages that go are not watched: that would cost every process on the machine.
 * The loader looks whether those on the books are still there whenever it needs
 * figures (src/trace/pages_check.c), and says so with pages_gone.
 *
 * Whether a page is sampled depends on its address alone (page_draw). So of a
 * page on the books everything is seen that happens to it later, at no cost for
 * all others.
 *
 * Not seen: pages that come without a fault (MAP_POPULATE, mlock, userfaultfd).
 */
#ifndef BPF_PAGES_H
#define BPF_PAGES_H

#include "calls.h"

/* Of one huge page. */
#define PAGES_ORDER_MAX 9
/* linux/mm_types_task.h, linux/mmzone.h: never changed so far. */
#define MM_ANONPAGES	1
#define MM_SWAPENTS	2
#define MIGRATE_MOVABLE 1
/* Of one mremap: 32 GiB. */
#define PAGES_MOVED_MAX (1u << 23)

/* Of the process whose memory it is, if its pages are counted. Nearly always
 * not: this is what each fault of every other process on the machine pays. */
static __always_inline struct target *page_target(__u32 tgid)
{
	__u32 at = tgid & (TARGET_SLOTS - 1);
	struct target_slot *slot = bpf_map_lookup_elem(&target_slots, &at);
	struct target *target;

	if (!slot || !slot->tgid)
		return NULL;
	target = slot->tgid == tgid ? &slot->target
				    : bpf_map_lookup_elem(&targets, &tgid);
	return target && target->pages ? target : NULL;
}

static __always_inline __u32 page_draw(__u64 address, __u32 owner)
{
	__u64 h = (address >> 12 ^ (__u64)owner << 40) * (block_hash_seed | 1);

	h = (h ^ h >> 29) * 0x9e3779b97f4a7c15ULL;
	return h >> 32 ? h >> 32 : 1;
}

static __always_inline bool page_sampled(__u64 address, __u32 owner,
					 __u32 threshold)
{
	return !threshold || page_draw(address, owner) < threshold;
}

/* What a page is known by in the table of blocks: no block has such an address.
 */
static __always_inline __u64 page_key(__u64 address)
{
	return address | 1;
}

/* Computed once for each interval: faults are many. */
__u64 page_interval = ~0ULL;
__u32 page_interval_threshold = 0;

static __always_inline __u32 page_threshold(void)
{
	__u64 interval = sampling.interval_bytes;

	if (interval < page_interval_min)
		interval = page_interval_min;
	if (interval != page_interval) {
		page_interval_threshold =
			sampling_threshold(GROWTH_PAGE_BYTES, interval);
		barrier();
		page_interval = interval;
	}
	return page_interval_threshold;
}

/* ---- Faults -----------------------------------------------------------------
 */

/* Nearly never shared: 4096 threads of neighbouring ids have one each. */
static __always_inline struct page_fault *page_fault_slot(__u32 tid)
{
	__u32 at = tid & (PAGE_FAULTS - 1);

	return bpf_map_lookup_elem(&page_faults, &at);
}

/* Why and where the current thread entered the kernel. */
static __always_inline bool page_entry(struct arch_entry *out)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return arch_entry_read((void *)bpf_task_pt_regs(task), out);
}

static __always_inline bool page_entry_note(struct page_fault *f)
{
	struct arch_entry entry;

	if (!page_entry(&entry))
		return false;
	f->pc = entry.pc;
	f->call = entry.call;
	return true;
}

/* Whether the thread is still in the fault. One in user mode is an exception of
 * its own; one in a system call may be over, but calls that give memory back do
 * not fault before. */
static __always_inline bool page_fault_lasts(const struct page_fault *f)
{
	struct arch_entry entry;

	return page_entry(&entry) && f->pc == entry.pc && f->call == entry.call;
}

static __always_inline int page_fault_begins(__u64 address)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct target *target = page_target(id >> 32);
	struct page_fault *f;

	if (!target || address >= ARCH_USER_ADDRESS_MAX)
		return 0;
	f = page_fault_slot((__u32)id);
	if (!f)
		return 0;
	address &= -GROWTH_PAGE_BYTES;
	/* Of others it does not matter, unless they are huge. */
	if (page_sampled(address, target->owner, page_threshold()) &&
	    !page_entry_note(f))
		return 0;
	f->tid = (__u32)id;
	f->order = 0;
	f->booked = 0;
	f->address = address;
	return 0;
}

/* TP_PROTO(unsigned long address, struct pt_regs *regs, unsigned long error) */
SEC("?raw_tp/page_fault_user")
int page_fault_user(struct bpf_raw_tracepoint_args *ctx)
{
	return page_fault_begins(ctx->args[0]);
}

SEC("?raw_tp/page_fault_kernel")
int page_fault_kernel(struct bpf_raw_tracepoint_args *ctx)
{
	return page_fault_begins(ctx->args[0]);
}

/* TP_PROTO(struct page *page, unsigned int order, gfp_t flags, int type) */
SEC("?raw_tp/mm_page_alloc")
int page_allocated(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 order = ctx->args[1];
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct page_fault *f;

	if (!order || order > PAGES_ORDER_MAX ||
	    (__u32)ctx->args[3] != MIGRATE_MOVABLE ||
	    !page_target(bpf_get_current_pid_tgid() >> 32))
		return 0;
	f = page_fault_slot(tid);
	if (f && f->tid == tid && f->address && page_entry_note(f))
		f->order = order;
	return 0;
}

/* ---- New pages --------------------------------------------------------------
 */

/* STACK_ID_NONE: there was no scratch space. */
static __always_inline __u32 page_stack(const struct target *target, __u32 tgid)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *s = scratch_get();
	struct arch_entry entry = {};
	__u64 start = timing_start();
	void *regs;
	__u32 id;

	if (!s) {
		count(COUNTER_LOST_SCRATCH, 1);
		return STACK_ID_NONE;
	}
	regs = (void *)bpf_task_pt_regs(task);
	arch_entry_read(regs, &entry);
	walk_from_position(&s->walk, tgid, target->map_epoch,
			   STACK_SOURCE_GROWTH, entry.pc, entry.sp,
			   arch_entry_fp(regs));
	timing_stop(start, COUNTER_UNWIND_NS);
	id = stack_intern(&s->walk);
	scratch_put(s);
	return id;
}

struct page_booking {
	__u64 address; /* of the first page */
	__u32 owner;
	__u32 stack;
	__u32 threshold;
	__u32 reserved;
};

static __always_inline void page_book(const struct page_booking *b,
				      __u64 address)
{
	struct block old;

	/* It has been given back meanwhile, and comes anew. */
	if (block_take(page_key(address), b->owner, &old))
		block_freed(&old);
	block_held(b->owner, page_key(address), GROWTH_PAGE_BYTES, b->stack,
		   b->threshold, page_draw(address, b->owner));
}

static long page_book_next(__u32 i, struct page_booking *b)
{
	__u64 address = b->address + i * GROWTH_PAGE_BYTES;

	if (page_sampled(address, b->owner, b->threshold))
		page_book(b, address);
	return 0;
}

/* For all pages of the fault, of which some are sampled. */
static __always_inline void page_book_all(const struct target *target,
					  __u32 tgid, struct page_fault *f,
					  __u64 address)
{
	struct page_booking b = {
		.owner = target->owner,
		.threshold = page_threshold(),
	};
	__u32 order = f->order <= PAGES_ORDER_MAX ? f->order : PAGES_ORDER_MAX;
	__u64 start = timing_start();

	b.stack = page_stack(target, tgid);
	if (b.stack == STACK_ID_NONE)
		return;
	b.address = address & -(GROWTH_PAGE_BYTES << order);
	if (order) {
		bpf_loop(1u << order, page_book_next, &b, 0);
	} else {
		if (block_find(page_key(address), b.owner) == BLOCK_NOWHERE)
			f->booked = address;
		page_book(&b, address);
	}
	timing_stop(start, COUNTER_PAGE_NS);
}

/* It came from swap: the process held it before. */
static __always_inline void page_unbook(const struct target *target,
					struct page_fault *f)
{
	struct block b;

	if (f->booked && block_take(page_key(f->booked), target->owner, &b))
		block_freed(&b);
	f->booked = 0;
}

/* More anonymous memory, or less. */
static __always_inline void page_count(const struct target *target, __u32 tgid,
				       struct page_fault *f, __u64 mm)
{
	__u64 address = f->address;
	struct task_struct *task;

	f->address = 0;
	if (!address)
		return;
	count_work(COUNTER_PAGES, 1ULL << (f->order & 15));
	if (!f->order &&
	    !page_sampled(address, target->owner, page_threshold()))
		return;
	/* Not for memory of others, as exec and debuggers get it. */
	task = bpf_get_current_task_btf();
	if (mm == (__u64)task->mm && page_fault_lasts(f))
		page_book_all(target, tgid, f, address);
}

/* TP_PROTO(struct mm_struct *mm, int member) */
SEC("?raw_tp/rss_stat")
int page_counted(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 member = ctx->args[1];
	__u64 id = bpf_get_current_pid_tgid();
	struct target *target;
	struct page_fault *f;

	if (member != MM_ANONPAGES && member != MM_SWAPENTS)
		return 0;
	target = page_target(id >> 32);
	f = target ? page_fault_slot((__u32)id) : NULL;
	if (!f || f->tid != (__u32)id)
		return 0;
	if (member == MM_ANONPAGES)
		page_count(target, id >> 32, f, ctx->args[0]);
	else if (f->booked && page_fault_lasts(f))
		page_unbook(target, f);
	return 0;
}

/* ---- Pages that move or go ------------------------------------------------
 */

struct page_move {
	__u64 from, to; /* of the first page */
	__u32 owner;
	__u32 reserved;
};

static long page_move_next(__u32 i, struct page_move *m)
{
	__u64 from = m->from + i * GROWTH_PAGE_BYTES,
	      to = m->to + i * GROWTH_PAGE_BYTES;
	struct block b = {}, old;

	if (!block_take(from, m->owner, &b))
		return 0;
	if (block_take(to, m->owner, &old))
		block_freed(&old);
	__sync_fetch_and_add(&outstanding_count, 1);
	if (!block_insert(to, &b)) {
		__sync_fetch_and_add(&outstanding_count, -1);
		block_freed(&b);
	}
	return 0;
}

/*
 * TP_PROTO(unsigned long address, struct vm_unmapped_area_info *info). A place
 * was found for mremap(old, old length, new length, ...); failure from here on
 * is rare. Where more was asked for, to align it, the place is not the one.
 */
SEC("?raw_tp/vm_unmapped_area")
int pages_moved(struct bpf_raw_tracepoint_args *ctx)
{
	struct target *target = page_target(bpf_get_current_pid_tgid() >> 32);
	struct vm_unmapped_area_info *info = (void *)ctx->args[1];
	struct page_move m = {.to = ctx->args[0]};
	struct arch_entry entry;
	__u64 length, pages;

	if (!target || m.to >= ARCH_USER_ADDRESS_MAX || !page_entry(&entry) ||
	    entry.call != ARCH_CALL_MREMAP)
		return 0;
	length = (entry.third + GROWTH_PAGE_BYTES - 1) & -GROWTH_PAGE_BYTES;
	if (BPF_CORE_READ(info, length) != length || m.to == entry.first)
		return 0;
	if (entry.second < length)
		length = entry.second;
	pages = (length + GROWTH_PAGE_BYTES - 1) / GROWTH_PAGE_BYTES;
	m.from = page_key(entry.first);
	m.to = page_key(m.to);
	m.owner = target->owner;
	bpf_loop(pages < PAGES_MOVED_MAX ? pages : PAGES_MOVED_MAX,
		 page_move_next, &m, 0);
	return 0;
}

static long page_gone_next(__u32 i, struct gone_pages_pass *pass)
{
	__u64 *address = bpf_map_lookup_elem(&gone_pages, &i);
	__u32 where =
		address ? block_find(*address, pass->owner) : BLOCK_NOWHERE;
	struct block *b, taken;

	if (where == BLOCK_NOWHERE)
		return 0;
	b = block_at(BLOCK_NUMBER(where));
	if (!b || !b->draw || b->birth_ns >= pass->before_ns)
		return 0;
	if (block_take(*address, pass->owner, &taken)) {
		block_freed(&taken);
		pass->removed++;
	}
	return 0;
}

SEC("?syscall")
int pages_gone(struct gone_pages_pass *arguments)
{
	struct gone_pages_pass pass = {
		.owner = arguments->owner,
		.count = arguments->count,
		.before_ns = arguments->before_ns,
	};

	if (pass.count > GONE_PAGES_MAX)
		return 0;
	bpf_loop(pass.count, page_gone_next, &pass, 0);
	arguments->removed = pass.removed;
	return 0;
}

#endif
