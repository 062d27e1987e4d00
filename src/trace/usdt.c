// SPDX-License-Identifier: GPL-2.0-only
#include "trace/usdt.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "object/usdt.h"
#include "trace/tracer_internal.h"

#define PROVIDER "otel_memory"
/* Code that was inlined in many places has its probes there. */
#define PROBES_MAX 128

/* ---- Finding ---------------------------------------------------------------
 */

/* Offsets in the kernel's struct pt_regs (arch/x86/include/asm/ptrace.h), by
 * the register's number in machine code. */
static const uint16_t register_offsets[USDT_NO_REGISTER + 1] = {
	80,
	88,
	96,
	40,
	152,
	32,
	104,
	112, /* ax cx dx bx sp bp si di */
	72,
	64,
	56,
	48,
	24,
	16,
	8,
	0, /* r8 to r15 */
	USDT_NO_OFFSET,
};

static void translate(const struct usdt_argument *from, struct usdt_operand *to)
{
	static const uint8_t kinds[] = {
		[USDT_CONSTANT] = USDT_IS_CONSTANT,
		[USDT_REGISTER] = USDT_IS_REGISTER,
		[USDT_MEMORY] = USDT_IS_MEMORY,
	};
	bool memory = from->place == USDT_MEMORY;

	*to = (struct usdt_operand){
		.value = from->value,
		.base = register_offsets[from->base],
		.index =
			memory ? register_offsets[from->index] : USDT_NO_OFFSET,
		.kind = kinds[from->place],
		.scale = from->scale,
		.is_signed = from->is_signed,
		.unused_bits = (uint8_t)(64 - 8 * from->size),
	};
}

struct finding {
	const struct object *object;
	struct usdt_probes *out;
	bool allocations, frees, refused;
};

static int look_at(const struct usdt_note *note, void *context)
{
	struct finding *f = context;
	struct usdt_argument arguments[USDT_SPEC_OPERANDS];
	struct usdt_probe *grown, *p;
	bool alloc = !strcmp(note->name, "alloc");
	int count, wanted = alloc ? 2 : 1;

	if (strcmp(note->provider, PROVIDER) != 0 ||
	    (!alloc && strcmp(note->name, "free") != 0))
		return 0;
	count = usdt_parse_arguments(note->arguments, arguments,
				     USDT_SPEC_OPERANDS);
	if (count < wanted || f->out->count == PROBES_MAX) {
		f->refused = true;
		return 0;
	}
	grown = realloc(f->out->list, (f->out->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	f->out->list = grown;
	p = &grown[f->out->count++];
	*p = (struct usdt_probe){
		.address = note->address,
		.semaphore = note->semaphore,
		.kind = alloc ? USDT_ALLOC : USDT_FREE,
	};
	for (int i = 0; i < count && i < USDT_SPEC_OPERANDS; i++)
		translate(&arguments[i], &p->spec.operands[i]);
	*(alloc ? &f->allocations : &f->frees) = true;
	return 0;
}

int usdt_find(const struct object *o, struct usdt_probes *out)
{
	struct finding f = {.object = o, .out = out};
	int err = usdt_each(o, look_at, &f);

	out->usable = !err && !f.refused && f.allocations && f.frees;
	if (!err && !out->usable && (f.refused || f.allocations))
		diag_warn("%s: its " PROVIDER " probes are not used: %s",
			  o->path,
			  f.refused ? "their arguments are not understood"
				    : "it does not tell of frees");
	return err;
}

/* ---- Using ------------------------------------------------------------------
 */

bool usdt_present(struct tracer *t, const struct tracee *e)
{
	for (size_t i = 0; t->options.own_samplers && i < e->range_count; i++) {
		const struct object *o = e->ranges[i].object;
		const struct allocator *a =
			o && !o->is_vdso ? allocator_of(&t->allocators, o)
					 : NULL;

		if (!a || !a->usdt.usable)
			continue;
		diag_info("process %d samples its allocations itself "
			  "(USDT " PROVIDER " of %s), which is followed; "
			  "--no-samplers probes its allocator instead",
			  (int)e->pid, o->path);
		return true;
	}
	return false;
}

/* Where the instruction is stays as it was marked: nothing to plan. */
int usdt_place(struct tracer *t, struct tracee *e, const struct object *o,
	       const struct usdt_probe *p, struct probe_point *out)
{
	struct probe_site plan = {
		.emulated = true,
		.instruction = "nop",
		.kind = p->kind,
	};
	struct alloc_function f = {.address = p->address, .kind = p->kind};
	uint32_t site;
	int err;

	if (p->semaphore &&
	    !object_address_to_offset(o, p->semaphore, &plan.counter_offset))
		return -ENOEXEC;
	snprintf(f.name, sizeof(f.name), PROVIDER ":%s",
		 p->kind == USDT_ALLOC ? "alloc" : "free");
	err = site_place_planned(t, e, o, &f, "USDT", false, &plan, out);
	if (err)
		return err;
	site = PROBE_COOKIE_SITE(out->cookie);
	return bpf_map_update_elem(bpf_map__fd(t->skel->maps.usdt_specs), &site,
				   &p->spec, BPF_ANY)
		       ? -errno
		       : 0;
}
