/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/layout_code.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"
#include "probe/insn.h"

/* Of a function's code: what we look for is near the start. */
#define CODE_BYTES_MAX 4096

/* kRootRegister (r13) points this far into the isolate:
 * IsolateData::kIsolateRootBias. */
#define ISOLATE_ROOT_BIAS 128

/* ExternalMemoryAccounting is among the first members of a Heap. */
#define HEAP_EXTERNAL_MAX 0x200

/* Isolate holds its Heap by value, far behind its start. */
#define ISOLATE_BYTES_MIN 0x1000
#define ISOLATE_BYTES_MAX 0x100000

/* Whether the instruction is the one looked for; if so, the number in it. */
typedef bool (*insn_match)(const cs_insn *i, int64_t *value);

static const cs_x86_op *operand(const cs_insn *i, unsigned int n,
				x86_op_type type)
{
	const cs_x86 *x = &i->detail->x86;

	return n < x->op_count && x->operands[n].type == type ? &x->operands[n]
							      : NULL;
}

/* The first instruction of the function that matches. */
static bool search(const struct object *o, const struct v8_symbol *function,
		   insn_match match, int64_t *value)
{
	uint8_t code[CODE_BYTES_MAX];
	struct insn_reader reader;
	uint64_t offset, size = function->size;
	struct insn insn;
	bool found = false;

	if (size > sizeof(code))
		size = sizeof(code);
	if (!function->address || !size ||
	    !object_address_to_offset(o, function->address, &offset) ||
	    object_read(o, offset, code, size) ||
	    insn_reader_open(&reader, code, size, function->address, true))
		return false;
	while (!found && insn_read(&reader, &insn))
		found = reader.detail->detail && match(reader.detail, value);
	insn_reader_close(&reader);
	return found;
}

/* The bitmap's word: [page + index * 4 or 8 + offset]. */
static bool match_bitmap(const cs_insn *i, int64_t *value)
{
	for (unsigned int n = 0; n < 2; n++) {
		const cs_x86_op *op = operand(i, n, X86_OP_MEM);

		if (!op || op->mem.base == X86_REG_INVALID ||
		    op->mem.index == X86_REG_INVALID || op->mem.scale < 4)
			continue;
		*value = op->mem.disp;
		return true;
	}
	return false;
}

/* lea -distance(heap), isolate: Isolate::FromHeap. */
static bool match_isolate(const cs_insn *i, int64_t *value)
{
	const cs_x86_op *op = operand(i, 1, X86_OP_MEM);

	if (i->id != X86_INS_LEA || !op || op->mem.index != X86_REG_INVALID ||
	    op->mem.base == X86_REG_RBP || op->mem.base == X86_REG_RSP ||
	    op->mem.base == X86_REG_RIP || op->mem.disp > -ISOLATE_BYTES_MIN ||
	    op->mem.disp < -ISOLATE_BYTES_MAX)
		return false;
	*value = -op->mem.disp;
	return true;
}

/* mov rbp, offset(r13): the exit frame becomes c_entry_fp. */
static bool match_c_entry_fp(const cs_insn *i, int64_t *value)
{
	const cs_x86_op *to = operand(i, 0, X86_OP_MEM);
	const cs_x86_op *from = operand(i, 1, X86_OP_REG);

	if (i->id != X86_INS_MOV || !to || !from || from->reg != X86_REG_RBP ||
	    to->mem.base != X86_REG_R13 || to->mem.index != X86_REG_INVALID)
		return false;
	*value = to->mem.disp + ISOLATE_ROOT_BIAS;
	return true;
}

/* mov offset(register), register; `base` X86_REG_INVALID: any but rip. */
static bool match_load(const cs_insn *i, x86_reg base, int64_t *value)
{
	const cs_x86_op *from = operand(i, 1, X86_OP_MEM);

	if (i->id != X86_INS_MOV || !operand(i, 0, X86_OP_REG) || !from ||
	    from->mem.base == X86_REG_RIP ||
	    from->mem.base == X86_REG_INVALID ||
	    from->mem.index != X86_REG_INVALID)
		return false;
	if (base != X86_REG_INVALID && from->mem.base != base)
		return false;
	*value = from->mem.disp;
	return true;
}

static bool match_load_of_this(const cs_insn *i, int64_t *value)
{
	return match_load(i, X86_REG_RDI, value);
}

static bool match_any_load(const cs_insn *i, int64_t *value)
{
	return match_load(i, X86_REG_INVALID, value);
}

const char *v8_code_contradicts(const struct object *o,
				const struct v8_symbols *s,
				const struct v8_layout *layout)
{
	const struct check {
		const struct v8_symbol *function;
		insn_match match;
		int64_t expected;
		const char *what;
	} checks[] = {
		{&s->helpers[V8_IS_UNMARKED_HEAP_OBJECT], match_bitmap,
		 layout->metadata_mark_bits, "mark bits"},
		{&s->helpers[V8_COLLECT_GARBAGE], match_isolate,
		 layout->isolate_from_heap, "the isolate"},
		{&s->helpers[V8_C_ENTRY], match_c_entry_fp,
		 layout->isolate_c_entry_fp, "the last exit from JavaScript"},
		{&s->points[V8_POINT_ACCOUNT], match_load_of_this,
		 layout->allocator_lab, "the allocation area"},
		{&s->points[V8_POINT_RESET_LAB], match_load_of_this,
		 layout->allocator_lab, "the allocation area"},
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const struct check *c = &checks[i];
		int64_t value;

		if (c->function->address &&
		    (!search(o, c->function, c->match, &value) ||
		     value != c->expected))
			return c->what;
	}
	return NULL;
}

bool v8_code_dispatch_table(const struct object *o, const struct v8_symbols *s,
			    uint32_t *offset)
{
	int64_t value;

	if (!search(o, &s->helpers[V8_DISPATCH_TABLE_ADDRESS], match_any_load,
		    &value) ||
	    value <= 0 || value > INT32_MAX)
		return false;
	*offset = (uint32_t)value;
	return true;
}

bool v8_code_external(const struct object *o, const struct v8_symbols *s,
		      int32_t *offset)
{
	int64_t value;

	/* total - low_since_mark_compact: the total is loaded first. */
	if (!search(o, &s->helpers[V8_EXTERNAL_SINCE_MARK_COMPACT],
		    match_load_of_this, &value) ||
	    value < 0 || value > HEAP_EXTERNAL_MAX || value % 8)
		return false;
	*offset = (int32_t)value;
	return true;
}

/* mov immediate, register: programs at fixed addresses. */
static bool match_immediate(const cs_insn *i, int64_t *value)
{
	const cs_x86_op *op = operand(i, 1, X86_OP_IMM);

	if (!op || (i->id != X86_INS_MOV && i->id != X86_INS_MOVABS))
		return false;
	*value = op->imm;
	return true;
}

/* mov or lea offset(rip), register: the address of a variable. */
static bool match_variable(const cs_insn *i, int64_t *value)
{
	const cs_x86_op *op = operand(i, 1, X86_OP_MEM);

	if (!op || op->mem.base != X86_REG_RIP ||
	    (i->id != X86_INS_MOV && i->id != X86_INS_LEA))
		return false;
	*value = (int64_t)(i->address + i->size) + op->mem.disp;
	return true;
}

/* What the dynamic linker will add the load address to, in `variable`. */
static bool relocated(const struct object *o, uint64_t variable,
		      uint64_t *value)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	uint64_t address;
	size_t size;

	if (object_section(o, ".rela.dyn", &bytes, &size, &address))
		return false;
	for (size_t at = 0; size - at >= sizeof(Elf64_Rela);
	     at += sizeof(Elf64_Rela)) {
		Elf64_Rela r;

		memcpy(&r, bytes + at, sizeof(r));
		if (r.r_offset != variable ||
		    ELF64_R_TYPE(r.r_info) != R_X86_64_RELATIVE)
			continue;
		*value = (uint64_t)r.r_addend;
		return true;
	}
	return false;
}

static bool variable_value(const struct object *o, uint64_t variable,
			   uint64_t *value)
{
	uint64_t offset;

	if (relocated(o, variable, value))
		return true;
	return object_address_to_offset(o, variable, &offset) &&
	       object_read(o, offset, value, sizeof(*value)) == 0;
}

bool v8_code_builtins(const struct object *o, const struct v8_symbols *s,
		      uint64_t *start, uint64_t *end)
{
	const struct v8_symbol *code = &s->helpers[V8_BLOB_CODE];
	int64_t found, size_variable;
	int32_t size;

	if (search(o, code, match_immediate, &found))
		*start = (uint64_t)found;
	else if (!search(o, code, match_variable, &found) ||
		 !variable_value(o, (uint64_t)found, start))
		return false;
	if (!search(o, &s->helpers[V8_BLOB_CODE_SIZE], match_variable,
		    &size_variable) ||
	    !v8_int_read(o, (uint64_t)size_variable, &size) || size <= 0)
		return false;
	*end = *start + (uint64_t)size;
	return *start >= o->text_base && *end <= o->text_end && *start < *end;
}
