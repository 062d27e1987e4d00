// SPDX-License-Identifier: GPL-2.0-only
/* The call graph of an allocator's functions: see alloc_graph.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "leakbpf/abi_user.h"
#include "probe/alloc_graph.h"
#include "probe/alloc_names.h"
#include "probe/code_flow.h"
#include "probe/code_slots.h"
#include "probe/code_starts.h"
#include "probe/insn.h"

#define VISITS_MAX    2048 /* functions behind the public ones */
#define TAIL_DEPTH    3	   /* jumps followed from one to the next */
#define CALL_DEPTH    2	   /* calls likewise */
#define INTERNALS_MAX 256

struct visit {
	uint64_t address;
	unsigned depth;
	bool by_jump; /* from a public function by jumps only */
};

struct graph {
	const struct object *object;
	struct alloc_functions *functions;
	struct code_slots slots;
	struct code_starts starts;
	struct visit *visits; /* queue, and set of what was queued */
	size_t visit_count;
};

/* Where a step leads that leaves its function. */
struct destination {
	const struct alloc_function *function; /* of the catalogue, or NULL */
	uint32_t kind; /* enum alloc_kind, 0 for others */
	/* Code of this object that is not in the catalogue: reached directly,
	 * or as a public function through the PLT. */
	uint64_t local, exported;
};

static const struct alloc_function *function_at(const struct alloc_functions *f,
						uint64_t address)
{
	size_t low = 0, high = f->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->list[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < f->count && f->list[low].address == address ? &f->list[low]
								 : NULL;
}

static bool in_text(const struct object *o, uint64_t address)
{
	return address >= o->text_base && address < o->text_end;
}

static void destination_of(const struct graph *g, const struct flow_step *s,
			   struct destination *out)
{
	const struct code_slot *slot = NULL;
	bool by_slot = s->flow == INSN_JUMP_SLOT || s->flow == INSN_CALL_SLOT;

	memset(out, 0, sizeof(*out));
	if (by_slot) {
		slot = code_slots_find(&g->slots, s->target);
	} else {
		out->function = function_at(g->functions, s->target);
		by_slot =
			!out->function &&
			code_slots_stub(&g->slots, g->object, s->target, &slot);
	}
	if (slot && slot->address)
		out->function = function_at(g->functions, slot->address);
	if (out->function)
		out->kind = out->function->kind;
	else if (slot && slot->kind)
		out->kind = slot->kind;
	else if (slot)
		out->exported = slot->address;
	else if (!by_slot && in_text(g->object, s->target))
		out->local = s->target;
}

static int flow_of(const struct graph *g, uint64_t address, uint64_t size,
		   struct flow *out)
{
	uint64_t offset, bound = size;
	uint8_t *code;
	int err;

	memset(out, 0, sizeof(*out));
	if (!bound)
		bound = code_starts_after(&g->starts, g->object, address) -
			address;
	if (bound > FLOW_FUNCTION_BYTES_MAX)
		bound = FLOW_FUNCTION_BYTES_MAX;
	if (!object_address_to_offset(g->object, address, &offset))
		return 0;
	code = malloc(bound);
	if (!code)
		return -ENOMEM;
	while (bound && object_read(g->object, offset, code, bound))
		bound /= 2; /* beyond the file's end */
	err = bound ? flow_read(code, bound, address, size != 0, out) : 0;
	free(code);
	return err;
}

/* ---- Functions that only forward ---- */

static bool is_realloc(uint32_t kind)
{
	return kind == ALLOC_REALLOC || kind == ALLOC_REALLOC_COUNT ||
	       kind == ALLOC_HEAP_REALLOC;
}

/* pvalloc asks for whole pages, but its caller for what it said. */
static bool changes_size(const struct alloc_function *f)
{
	return f && strstr(f->name, "pvalloc");
}

struct forwarding {
	const struct graph *graph;
	const struct alloc_function *from;
};

/* A call that does all that `from` is watched for. */
static bool takes_over(const struct flow_step *s, void *context)
{
	const struct forwarding *f = context;
	struct destination to;

	destination_of(f->graph, s, &to);
	return to.kind && to.function != f->from &&
	       alloc_kind_class(to.kind) == alloc_kind_class(f->from->kind) &&
	       is_realloc(to.kind) == is_realloc(f->from->kind) &&
	       changes_size(to.function) == changes_size(f->from);
}

static int drop_forwarders(struct graph *g)
{
	struct alloc_functions *f = g->functions;
	bool *drop = calloc(f->count, 1);
	size_t kept = 0;
	int err = drop ? 0 : -ENOMEM;

	for (size_t i = 0; i < f->count && !err; i++) {
		struct forwarding context = {g, &f->list[i]};
		struct flow flow;

		if (alloc_kind_class(f->list[i].kind) == CLASS_MAP)
			continue;
		err = flow_of(g, f->list[i].address, f->list[i].size, &flow);
		if (err)
			break;
		drop[i] = flow_always_enters(&flow, takes_over, &context);
		if (!f->list[i].size)
			f->list[i].size = flow.size;
		flow_free(&flow);
	}
	for (size_t i = 0; i < f->count && !err; i++)
		if (!drop[i])
			f->list[kept++] = f->list[i];
	if (!err)
		f->count = kept;
	free(drop);
	return err;
}

/* ---- Jumps from one to another ---- */

static int tail_calls(const struct graph *g, const struct alloc_function *from,
		      uint64_t address, uint64_t size, unsigned depth,
		      bool *found)
{
	struct flow flow;
	int err = flow_of(g, address, size, &flow);

	for (size_t i = 0; i < flow.count && !err && !*found; i++) {
		const struct flow_step *s = &flow.steps[i];
		struct destination to;
		uint64_t next;

		/* An interposer jumps to what dlsym found: another allocator.
		 */
		if (s->flow == INSN_JUMP_COMPUTED && !g->functions->allocator)
			*found = true;
		if (!flow_is_jump(s) || !flow_leaves(&flow, s))
			continue;
		destination_of(g, s, &to);
		if (to.function != from && to.kind &&
		    alloc_kind_class(to.kind) == CLASS_ALLOC)
			*found = true;
		next = to.local ? to.local : to.exported;
		if (!*found && next && next != address && depth)
			err = tail_calls(g, from, next, 0, depth - 1, found);
	}
	flow_free(&flow);
	return err;
}

static int flag_tail_calls(struct graph *g)
{
	int err = 0;

	for (size_t i = 0; i < g->functions->count && !err; i++) {
		struct alloc_function *f = &g->functions->list[i];
		bool found = false;

		if (alloc_kind_class(f->kind) != CLASS_ALLOC)
			continue;
		err = tail_calls(g, f, f->address, f->size, TAIL_DEPTH, &found);
		if (found)
			f->flags |= PROBE_TAIL_CALLS;
	}
	return err;
}

/* ---- Internals ---- */

static void visit_queue(struct graph *g, uint64_t address, unsigned depth,
			bool by_jump)
{
	for (size_t i = 0; i < g->visit_count; i++)
		if (g->visits[i].address == address)
			return;
	if (g->visit_count < VISITS_MAX)
		g->visits[g->visit_count++] =
			(struct visit){address, depth, by_jump};
}

/* Queues the code behind a function; says whether it calls an allocation
 * function. */
static bool visit_flow(struct graph *g, const struct flow *flow, unsigned depth,
		       bool by_jump)
{
	bool allocates = false;

	for (size_t i = 0; i < flow->count; i++) {
		const struct flow_step *s = &flow->steps[i];
		bool jump = flow_is_jump(s);
		struct destination to;

		if (!flow_leaves(flow, s))
			continue;
		destination_of(g, s, &to);
		allocates |= alloc_kind_class(to.kind) == CLASS_ALLOC;
		if (to.local && depth)
			visit_queue(g, to.local, jump ? depth : depth - 1,
				    by_jump && jump);
	}
	return allocates;
}

static int internal_add(struct alloc_functions *f, const struct flow *flow)
{
	if (!flow->size || f->internal_count >= INTERNALS_MAX)
		return 0;
	if (!f->internals) {
		f->internals = calloc(INTERNALS_MAX, sizeof(*f->internals));
		if (!f->internals)
			return -ENOMEM;
	}
	f->internals[f->internal_count++] = (struct alloc_internal){
		flow->address, flow->address + flow->size};
	return 0;
}

/* Code that a public function jumps to is part of it. Code that it calls
 * counts when it calls public functions in turn. What it reaches through the
 * PLT is not the allocator's alone. */
static int find_internals(struct graph *g)
{
	struct alloc_functions *f = g->functions;
	struct flow flow;
	int err = 0;

	for (size_t i = 0; i < f->count && !err; i++) {
		if (alloc_kind_class(f->list[i].kind) == CLASS_MAP)
			continue;
		err = flow_of(g, f->list[i].address, f->list[i].size, &flow);
		if (err)
			break;
		visit_flow(g, &flow, CALL_DEPTH, true);
		flow_free(&flow);
	}
	for (size_t i = 0; i < g->visit_count && !err; i++) {
		struct visit v = g->visits[i];

		err = flow_of(g, v.address, 0, &flow);
		if (err)
			break;
		if (visit_flow(g, &flow, v.depth, v.by_jump) || v.by_jump)
			err = internal_add(f, &flow);
		flow_free(&flow);
	}
	return err;
}

int alloc_graph_refine(const struct object *o, struct alloc_functions *f)
{
	struct graph g = {.object = o, .functions = f};
	int err = code_slots_read(o, &g.slots);

	if (!err)
		err = code_starts_read(o, &g.starts);
	if (!err) {
		g.visits = calloc(VISITS_MAX, sizeof(*g.visits));
		if (!g.visits)
			err = -ENOMEM;
	}
	if (!err)
		err = drop_forwarders(&g);
	if (!err)
		err = flag_tail_calls(&g);
	if (!err)
		err = find_internals(&g);
	free(g.visits);
	code_slots_free(&g.slots);
	code_starts_free(&g.starts);
	return err;
}
