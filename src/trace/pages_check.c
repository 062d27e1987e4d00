// SPDX-License-Identifier: GPL-2.0-only
/* Whether the pages on the books are still held. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "target/pagemap.h"
#include "trace/tracer_internal.h"

/* At most one part in that many of the time is spent on it. */
#define CHECK_SHARE 500

struct page {
	uint32_t owner;
	uint64_t address;
};

struct page_list {
	struct page *pages;
	size_t count, capacity;
};

static int add_page(struct page_list *l, uint32_t owner, uint64_t address)
{
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 1024;
		struct page *grown =
			realloc(l->pages, capacity * sizeof(*l->pages));

		if (!grown)
			return -ENOMEM;
		l->pages = grown;
		l->capacity = capacity;
	}
	l->pages[l->count++] = (struct page){owner, address};
	return 0;
}

/* The programs change the table meanwhile: what is read here is checked again
 * when it is taken off. */
static int list_line(const struct tracer *t, uint32_t line,
		     struct page_list *out)
{
	const struct block_line *keys = &t->pages.lines[line];
	int err = 0;

	for (uint32_t k = 0; k < BLOCK_LINE_KEYS && !err; k++) {
		uint64_t key =
			__atomic_load_n(&keys->keys[k], __ATOMIC_RELAXED);
		const struct block *b =
			&t->pages.blocks[line * BLOCK_LINE_KEYS + k];
		uint32_t owner = b->owner;

		if (key && b->booking && b->draw)
			err = add_page(out, owner, key ^ (uint64_t)owner << 48);
	}
	return err;
}

static int by_owner_and_address(const void *a, const void *b)
{
	const struct page *x = a, *y = b;

	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static int list_pages(const struct tracer *t, struct page_list *out)
{
	int err = 0;

	for (uint32_t i = 0; i < t->plan.block_lines && !err; i++)
		err = list_line(t, i, out);
	if (out->count)
		qsort(out->pages, out->count, sizeof(*out->pages),
		      by_owner_and_address);
	return err;
}

static int take_off(struct tracer *t, uint32_t owner, uint64_t before_ns,
		    const uint64_t *addresses, size_t count)
{
	struct gone_pages_pass pass = {
		.owner = owner,
		.count = (uint32_t)count,
		.before_ns = before_ns,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &pass,
		    .ctx_size_in = sizeof(pass));

	memcpy(t->pages.gone, addresses, count * sizeof(*addresses));
	if (bpf_prog_test_run_opts(
		    bpf_program__fd(t->pages.skel->progs.pages_gone), &opts))
		return -errno;
	return 0;
}

/* Its figures stay when it has ended; and the pid may be another's then. */
static bool checkable(const struct tracee *e)
{
	return e && e->alive && (e->pages || e->pages_beside) &&
	       !e->new_image && e->process && process_alive(e->process);
}

/* `pages`: of one process, in the order of their addresses. */
static int check_process(struct tracer *t, uint64_t before_ns,
			 const struct page *pages, size_t count)
{
	const struct tracee *e = tracee_find(t, (pid_t)pages[0].owner);
	CLEANUP_FREE uint64_t *addresses = calloc(count, sizeof(*addresses));
	CLEANUP_CLOSE int fd = pagemap_open((pid_t)pages[0].owner);
	ssize_t gone;
	int err = 0;

	if (!addresses)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		addresses[i] = pages[i].address;
	gone = fd < 0 ? fd : pagemap_gone(fd, addresses, count);
	if (!checkable(e))
		return 0;
	for (ssize_t i = 0; !err && i < gone; i += GONE_PAGES_MAX) {
		size_t left = (size_t)(gone - i);

		err = take_off(t, pages[0].owner, before_ns, addresses + i,
			       left < GONE_PAGES_MAX ? left : GONE_PAGES_MAX);
	}
	return gone < 0 && gone != -ESRCH ? (int)gone : err;
}

static int check_all(struct tracer *t)
{
	struct page_list list = {0};
	uint64_t before_ns = monotonic_ns();
	int err = list_pages(t, &list);
	size_t end;

	for (size_t i = 0; !err && i < list.count; i = end) {
		end = i + 1;
		while (end < list.count &&
		       list.pages[end].owner == list.pages[i].owner)
			end++;
		err = check_process(t, before_ns, list.pages + i, end - i);
	}
	free(list.pages);
	return err;
}

void tracer_check_pages(struct tracer *t)
{
	t->pages.check_ns = 0;
}

void pages_check(struct tracer *t)
{
	struct pages *p = &t->pages;
	uint64_t begin_ns = monotonic_ns();
	int err;

	if (!p->skel || begin_ns - p->checked_ns < p->check_ns * CHECK_SHARE)
		return;
	err = check_all(t);
	if (err)
		diag_warn("cannot find out which pages are still held: %s",
			  strerror(-err));
	p->checked_ns = monotonic_ns();
	p->check_ns = p->checked_ns - begin_ns;
}
