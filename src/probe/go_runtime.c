// SPDX-License-Identifier: GPL-2.0-only
#include "probe/go_runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "object/go_table.h"
#include "probe/insn.h"

/* Bytes decoded of a function in search of MemProfileRate. */
#define RATE_CODE_BYTES 512
#define PROLOGUE_BYTES	32

/* ---- The table of functions ------------------------------------------------
 */

static const char *const point_names[GO_POINT_COUNT] = {
	[GO_POINT_MALLOC] = "runtime.mProf_Malloc",
	[GO_POINT_FREE_SPECIAL] = "runtime.freeSpecial",
	[GO_POINT_FREE] = "runtime.mProf_Free",
	[GO_POINT_GC_BEGIN] = "runtime.(*gcControllerState).startCycle",
	[GO_POINT_GC_END] = "runtime.gcMarkTermination",
};

static const char *const root_names[GO_ROOTS] = {"runtime.goexit",
						 "runtime.mstart"};

/* Functions that read runtime.MemProfileRate to compare it with 1: the first of
 * them that is not inlined into the next. */
static const char *const rate_readers[] = {"runtime.nextSample",
					   "runtime.profilealloc"};
#define RATE_READERS (sizeof(rate_readers) / sizeof(rate_readers[0]))

struct table_file {
	uint8_t *bytes;
	struct go_table table;
};

/* Position-independent programs get the start of their text by a relocation;
 * without one it is that of .text. */
static void fix_text_start(const struct object *o, struct table_file *f,
			   uint64_t table_address)
{
	CLEANUP_FREE uint8_t *data = NULL, *text = NULL;
	size_t size, text_size;
	uint64_t address;

	if (f->table.text_start)
		return;
	if (!object_section(o, ".rela.dyn", &data, &size, &address) &&
	    go_table_text_start(data, size,
				table_address + GO_TABLE_TEXT_START_OFFSET,
				&f->table.text_start))
		return;
	if (!object_section(o, ".text", &text, &text_size, &address))
		f->table.text_start = address;
}

static int open_table(const struct object *o, struct table_file *f)
{
	uint64_t address;
	size_t size;
	int err = object_section(o, ".gopclntab", &f->bytes, &size, &address);

	if (err)
		err = object_section(o, ".data.rel.ro.gopclntab", &f->bytes,
				     &size, &address);
	if (!err)
		err = go_table_open(&f->table, f->bytes, size);
	if (!err)
		fix_text_start(o, f, address);
	return err;
}

/* ---- Code -------------------------------------------------------------------
 */

static size_t read_code(const struct object *o,
			const struct go_runtime_function *f, uint8_t *code,
			size_t room)
{
	uint64_t offset;
	size_t size = f->size < room ? f->size : room;

	if (!f->address || !object_address_to_offset(o, f->address, &offset) ||
	    object_read(o, offset, code, size))
		return 0;
	return size;
}

/*
 * "cmp 0x10(%r14),%rsp; jbe", or for large frames "lea -N(%rsp),%r12; cmp
 * 0x10(%r14),%r12; jbe" (cmd/internal/obj/x86/obj6.go, stacksplit). Nothing of
 * that touches an argument, and the kernel emulates the jump.
 */
uint32_t go_runtime_cheap_offset(const uint8_t *code, uint64_t size)
{
	static const uint8_t small[] = {0x49, 0x3b, 0x66, 0x10};
	static const uint8_t large[] = {0x4d, 0x3b, 0x66, 0x10};
	static const uint8_t lea8[] = {0x4c, 0x8d, 0x64, 0x24};
	static const uint8_t lea32[] = {0x4c, 0x8d, 0xa4, 0x24};
	uint32_t at = 0;

	if (size < PROLOGUE_BYTES)
		return 0;
	if (!memcmp(code, lea8, sizeof(lea8)))
		at = sizeof(lea8) + 1;
	else if (!memcmp(code, lea32, sizeof(lea32)))
		at = sizeof(lea32) + 4;
	if (memcmp(code + at, at ? large : small, sizeof(small)))
		return 0;
	at += sizeof(small);
	return code[at] == 0x76 || (code[at] == 0x0f && code[at + 1] == 0x86)
		       ? at
		       : 0;
}

/* The address of a 64-bit memory operand relative to %rip, 0: it is none. */
static uint64_t global_of(const cs_insn *i, const cs_x86_op *op)
{
	if (op->type != X86_OP_MEM || op->size != 8 ||
	    op->mem.base != X86_REG_RIP || op->mem.index != X86_REG_INVALID)
		return 0;
	return i->address + i->size + (uint64_t)op->mem.disp;
}

static bool is_one(const cs_x86_op *op)
{
	return op->type == X86_OP_IMM && op->imm == 1;
}

/* MemProfileRate is the global that is compared with 1, in memory or after it
 * was loaded. */
static uint64_t compared_with_one(const uint8_t *code, size_t size,
				  uint64_t address)
{
	uint64_t loaded[X86_REG_ENDING] = {0}, found = 0;
	struct insn_reader r;
	struct insn i;

	if (insn_reader_open(&r, code, size, address, true))
		return 0;
	while (!found && insn_read(&r, &i)) {
		const cs_x86 *x = &r.detail->detail->x86;
		const cs_x86_op *a = &x->operands[0], *b = &x->operands[1];

		if (x->op_count != 2)
			continue;
		if (r.detail->id == X86_INS_CMP && is_one(b))
			found = a->type == X86_OP_REG ? loaded[a->reg]
						      : global_of(r.detail, a);
		else if (a->type == X86_OP_REG && r.detail->id == X86_INS_MOV)
			loaded[a->reg] = global_of(r.detail, b);
	}
	insn_reader_close(&r);
	return found;
}

static uint64_t find_rate(const struct object *o,
			  const struct go_runtime_function *readers)
{
	uint8_t code[RATE_CODE_BYTES];
	uint64_t found = 0;

	for (size_t i = 0; i < RATE_READERS && !found; i++) {
		size_t size = read_code(o, &readers[i], code, sizeof(code));

		if (size)
			found = compared_with_one(code, size,
						  readers[i].address);
	}
	return found;
}

/* ---- All together
 * ------------------------------------------------------------- */

static void take(struct go_runtime_function *to, const char *name,
		 const struct go_function *f)
{
	if (strcmp(f->name, name) != 0 || to->address)
		return;
	*to = (struct go_runtime_function){
		.name = name,
		.address = f->address,
		.size = f->end - f->address,
	};
}

static void look_at(struct go_runtime *out,
		    struct go_runtime_function readers[RATE_READERS],
		    const struct go_function *f)
{
	for (int i = 0; i < GO_POINT_COUNT; i++)
		take(&out->points[i], point_names[i], f);
	for (size_t i = 0; i < GO_ROOTS; i++)
		take(&out->roots[i], root_names[i], f);
	for (size_t i = 0; i < RATE_READERS; i++)
		take(&readers[i], rate_readers[i], f);
	/* The latter since Go 1.23. */
	if (!strcmp(f->name, "runtime.MemProfile") ||
	    !strcmp(f->name, "runtime.memProfileInternal"))
		out->profiled = true;
}

static const char *missing(const struct go_runtime *g)
{
	if (!g->points[GO_POINT_MALLOC].address)
		return "runtime.mProf_Malloc is not in it";
	if (!g->points[GO_POINT_FREE_SPECIAL].address ||
	    !g->points[GO_POINT_FREE].address)
		return "runtime.freeSpecial or mProf_Free is not in it";
	if (!g->points[GO_POINT_GC_BEGIN].address ||
	    !g->points[GO_POINT_GC_END].address)
		return "its garbage collector is not as expected";
	return NULL;
}

int go_runtime_find(const struct object *o, struct go_runtime *out,
		    const char **reason)
{
	struct go_runtime_function readers[RATE_READERS] = {0};
	struct table_file f = {0};
	struct go_function function;
	uint8_t code[PROLOGUE_BYTES];
	int err = open_table(o, &f);

	*out = (struct go_runtime){0};
	*reason = "its table of functions (.gopclntab) is not that of Go 1.18 "
		  "or later";
	for (uint32_t i = 0; !err && i < f.table.count; i++)
		if (go_table_function(&f.table, i, &function) &&
		    !strncmp(function.name, "runtime.", 8))
			look_at(out, readers, &function);
	free(f.bytes);
	if (err)
		return err == -EINVAL ? -ENOENT : err;
	*reason = missing(out);
	if (*reason)
		return -ENOENT;
	for (int i = 0; i < GO_POINT_COUNT; i++) {
		size_t size = read_code(o, &out->points[i], code, sizeof(code));

		out->points[i].cheap_offset =
			go_runtime_cheap_offset(code, size);
	}
	out->rate_address = find_rate(o, readers);
	return 0;
}
