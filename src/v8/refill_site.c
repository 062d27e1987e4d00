/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/refill_site.h"

#include "probe/insn.h"

#define CODE_BYTES_MAX 2048
/* sizeof(PagedSpace) is below. */
#define LOCK_OFFSET_MAX 0x400

struct search {
	const struct v8_symbols *symbols;
	uint64_t function;
	int64_t lock_offset; /* of the last lea from `this`; 0: not seen */
	unsigned int locks, limits, unlocks; /* the last, after the limit */
	struct v8_refill_sites sites;
};

/* lea lock(this), register: before the first call, `this` is in rdi. */
static void look_for_lock(struct search *s, const cs_insn *i)
{
	const cs_x86 *x = &i->detail->x86;

	if (i->id == X86_INS_LEA && x->op_count == 2 &&
	    x->operands[1].type == X86_OP_MEM &&
	    x->operands[1].mem.base == X86_REG_RDI &&
	    x->operands[1].mem.index == X86_REG_INVALID)
		s->lock_offset = x->operands[1].mem.disp;
}

static void look_at_call(struct search *s, const struct insn *i)
{
	uint32_t offset = (uint32_t)(i->address - s->function);

	if (i->target == s->symbols->helpers[V8_MUTEX_LOCK].address) {
		s->sites.lock = offset;
		s->locks++;
		if (s->lock_offset > 0 && s->lock_offset < LOCK_OFFSET_MAX)
			s->sites.lock_offset = (uint16_t)s->lock_offset;
	} else if (i->target == s->symbols->points[V8_POINT_ALLOCATE].address) {
		s->sites.limit = offset;
		s->limits++;
	} else if (s->limits &&
		   i->target == s->symbols->helpers[V8_MUTEX_UNLOCK].address) {
		/* The one before is where nothing was found. */
		s->sites.unlock = offset;
		s->unlocks++;
	}
}

static bool search(const struct object *o, const struct v8_symbol *function,
		   struct search *s)
{
	uint64_t offset, size = function->size;
	uint8_t code[CODE_BYTES_MAX];
	struct insn_reader reader;
	struct insn insn;
	bool whole;

	s->function = function->address;
	if (!function->address || !size || size > sizeof(code) ||
	    !object_address_to_offset(o, function->address, &offset) ||
	    object_read(o, offset, code, size) ||
	    insn_reader_open(&reader, code, size, function->address, true))
		return false;
	while (insn_read(&reader, &insn)) {
		if (insn.flow == INSN_CALL)
			look_at_call(s, &insn);
		else if (reader.detail->detail && !s->locks)
			look_for_lock(s, reader.detail);
	}
	whole = insn_reader_at_end(&reader);
	insn_reader_close(&reader);
	return whole && s->limits == 1;
}

bool v8_refill_sites_find(const struct object *o, const struct v8_symbols *s,
			  struct v8_refill_sites *out)
{
	struct search old = {.symbols = s}, young = {.symbols = s};

	if (!s->points[V8_POINT_ALLOCATE].address ||
	    !s->helpers[V8_MUTEX_LOCK].address ||
	    !s->helpers[V8_MUTEX_UNLOCK].address ||
	    !search(o, &s->points[V8_POINT_REFILL_LOCK], &old) ||
	    !search(o, &s->points[V8_POINT_NEW_AREA], &young))
		return false;
	*out = old.sites;
	out->limit = young.sites.limit;
	return old.locks == 1 && old.unlocks == 1 && out->lock_offset;
}
