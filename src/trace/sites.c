// SPDX-License-Identifier: GPL-2.0-only
#include "trace/sites.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/tracer_internal.h"

/* ---- Planning ------------------------------------------------------------ */

static uint8_t *read_code(const struct object *o,
			  const struct alloc_function *f, size_t *size)
{
	size_t want = f->size && f->size < SITE_FUNCTION_BYTES_MAX
			      ? f->size
			      : SITE_WINDOW_BYTES;
	uint64_t offset;
	uint8_t *code;

	if (!object_address_to_offset(o, f->address, &offset))
		return NULL;
	code = malloc(want);
	while (code && want >= 1 && object_read(o, offset, code, want))
		want /= 2; /* function of unknown size at the file's end */
	if (code && !want) {
		free(code);
		return NULL;
	}
	*size = want;
	return code;
}

static int plan_site(const struct object *o, const struct alloc_function *f,
		     struct probe_site *plan)
{
	size_t size = 0;
	uint8_t *code = read_code(o, f, &size);
	int err = code ? site_plan(code, size, f->address, f->kind, plan)
		       : -ENOEXEC;

	free(code);
	return err;
}

/* ---- Places -------------------------------------------------------------- */

uint64_t site_hits(const struct tracer *t, size_t index)
{
	return tracer_percpu_sum(t->skel->maps.site_hits, (uint32_t)index);
}

/* Its hits go to the sums, and it begins anew. */
static void give_up(struct tracer *t, size_t index)
{
	const struct site *s = &t->sites.list[index];
	struct past_hits *past = &t->sites.past;
	uint64_t zeros[TRACER_CPUS_MAX] = {0}, hits = site_hits(t, index);
	uint32_t key = (uint32_t)index;

	if (site_kind_frees(s->kind))
		past->frees += hits;
	else if (site_kind_allocates(s->kind))
		past->allocations += hits;
	if (s->plan.emulated)
		past->emulated += hits;
	else
		past->stepped += hits;
	bpf_map_update_elem(bpf_map__fd(t->skel->maps.site_hits), &key, zeros,
			    BPF_ANY);
	if (s->kind == USDT_ALLOC || s->kind == USDT_FREE)
		bpf_map_delete_elem(bpf_map__fd(t->skel->maps.usdt_specs),
				    &key);
}

static struct site *take_free(struct sites *all)
{
	size_t i = 0;

	while (all->list[i].object)
		i++;
	all->free--;
	return &all->list[i];
}

/* A place for one more; NULL: there is none. */
static struct site *site_add(struct tracer *t)
{
	struct sites *all = &t->sites;
	struct site *grown;

	if (all->free)
		return take_free(all);
	for (size_t i = 0; all->count == PROBE_SITES_MAX && i < all->count;
	     i++) {
		if (all->list[i].users)
			continue;
		give_up(t, i);
		return &all->list[i];
	}
	if (all->count == PROBE_SITES_MAX)
		return NULL;
	if (!(all->count & (all->count - 1))) {
		size_t room = all->count ? all->count * 2 : 1;

		grown = realloc(all->list, room * sizeof(*grown));
		if (!grown)
			return NULL;
		all->list = grown;
	}
	return &all->list[all->count++];
}

static struct site *find_site(struct tracer *t, const struct object *o,
			      const struct alloc_function *f)
{
	for (size_t i = 0; i < t->sites.count; i++) {
		struct site *s = &t->sites.list[i];

		if (s->object == o && s->address == f->address &&
		    s->kind == f->kind)
			return s;
	}
	return NULL;
}

/* `known`: the plan; NULL: it is to be made. */
static struct site *plan_new(struct tracer *t, const struct object *o,
			     const struct alloc_function *f,
			     const char *allocator, bool returns,
			     const struct probe_site *known, int *err)
{
	struct probe_site plan = {0};
	struct site *site;

	if (known)
		plan = *known;
	*err = !known && plan_site(o, f, &plan) ? -ENOEXEC : 0;
	if (*err)
		return NULL;
	site = site_add(t);
	if (!site) {
		*err = -ENOSPC;
		return NULL;
	}
	*site = (struct site){
		.object = o,
		.allocator = allocator,
		.address = f->address,
		.kind = f->kind,
		.plan = plan,
		.return_probe = returns,
	};
	memcpy(site->function, f->name, sizeof(site->function));
	return site;
}

static int note_use(struct tracee *e, struct site *site, size_t index)
{
	struct site_uses *uses = &e->sites;
	uint16_t *list = realloc(uses->list, (uses->count + 1) * sizeof(*list));

	if (!list)
		return -ENOMEM;
	uses->list = list;
	uses->list[uses->count++] = (uint16_t)index;
	if (!site->users++)
		site->pid = e->pid;
	return 0;
}

int site_place(struct tracer *t, struct tracee *e, const struct object *o,
	       const struct alloc_function *f, const char *allocator,
	       bool returns, struct probe_point *out)
{
	return site_place_planned(t, e, o, f, allocator, returns, NULL, out);
}

int site_place_planned(struct tracer *t, struct tracee *e,
		       const struct object *o, const struct alloc_function *f,
		       const char *allocator, bool returns,
		       const struct probe_site *plan, struct probe_point *out)
{
	struct site *site = find_site(t, o, f);
	size_t index;
	int err = 0;

	if (!site)
		site = plan_new(t, o, f, allocator, returns, plan, &err);
	if (!site)
		return err;
	if (!object_address_to_offset(o, f->address + site->plan.offset,
				      &out->file_offset))
		return -ENOEXEC;
	/* One of many may be left out, one that was asked for not. */
	if (e->quiet && !site->shared && site->users >= SITE_USERS_MAX)
		return -ENOSPC;
	out->counter_offset = site->plan.counter_offset;
	index = (size_t)(site - t->sites.list);
	out->cookie = PROBE_COOKIE(
		site->plan.kind,
		f->flags | (site->plan.emulated ? 0 : PROBE_STEPPED),
		site->plan.stack_depth, index);
	out->cookie = PROBE_COOKIE_METERED(out->cookie, e->meter);
	return note_use(e, site, index);
}

void sites_release(struct tracer *t, struct tracee *e)
{
	for (size_t i = 0; i < e->sites.count; i++)
		t->sites.list[e->sites.list[i]].users--;
	free(e->sites.list);
	e->sites = (struct site_uses){0};
}

void sites_release_object(struct tracer *t, struct tracee *e,
			  const struct object *o)
{
	struct site_uses *uses = &e->sites;
	size_t kept = 0;

	for (size_t i = 0; i < uses->count; i++) {
		struct site *s = &t->sites.list[uses->list[i]];

		if (s->object == o)
			s->users--;
		else
			uses->list[kept++] = uses->list[i];
	}
	uses->count = kept;
}

void sites_forget_object(struct tracer *t, const struct object *o)
{
	for (size_t i = 0; i < t->sites.count; i++) {
		if (t->sites.list[i].object != o)
			continue;
		give_up(t, i);
		t->sites.list[i] = (struct site){0};
		t->sites.free++;
	}
}
