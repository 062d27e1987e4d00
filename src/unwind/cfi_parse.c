// SPDX-License-Identifier: GPL-2.0-only
/* CIEs and FDEs. */
#include "unwind/cfi.h"

#include <string.h>

/* A CIE's program runs once for each of its FDEs. Without this cap a large one
 * would make the work quadratic in the section's size; real ones have some 30
 * bytes. */
#define CIE_BYTES_MAX 256

/* DW_EH_PE_*: LSB Core 10.5.1 */
enum {
	PE_ABSPTR = 0x00,
	PE_ULEB128 = 0x01,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SLEB128 = 0x09,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_FORMAT = 0x0f,
	PE_PCREL = 0x10,
	PE_APPLICATION = 0x70,
	PE_INDIRECT = 0x80,
	PE_OMIT = 0xff,
};

static uint64_t section_address(const struct cfi_section *s,
				const struct cursor *c)
{
	return s->address + (uint64_t)(c->at - s->data);
}

static uint64_t read_format(struct cursor *c, uint8_t encoding)
{
	switch (encoding & PE_FORMAT) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		return cursor_u64(c);
	case PE_ULEB128:
		return cursor_uleb(c);
	case PE_SLEB128:
		return (uint64_t)cursor_sleb(c);
	case PE_UDATA2:
		return cursor_u16(c);
	case PE_SDATA2:
		return (uint64_t)(int16_t)cursor_u16(c);
	case PE_UDATA4:
		return cursor_u32(c);
	case PE_SDATA4:
		return (uint64_t)(int32_t)cursor_u32(c);
	default:
		c->failed = true;
		return 0;
	}
}

/* An encoded code address. Others than absolute and pc-relative ones do not
 * occur for code on x86-64. */
uint64_t cfi_read_pointer(const struct cfi_section *s, struct cursor *c,
			  uint8_t encoding)
{
	uint64_t base = 0;

	if (encoding & PE_INDIRECT || encoding == PE_OMIT)
		c->failed = true;
	else if ((encoding & PE_APPLICATION) == PE_PCREL)
		base = section_address(s, c);
	else if (encoding & PE_APPLICATION)
		c->failed = true;
	return base + read_format(c, encoding);
}

/* ---- CIE -------------------------------------------------------------------
 */

/* The routine itself is of no interest, only how long its pointer is. */
static void skip_personality(struct cursor *c)
{
	uint8_t encoding = cursor_u8(c);

	if (encoding != PE_OMIT)
		read_format(c, encoding);
}

static void parse_augmentation(struct cfi_cie *cie, struct cursor *c,
			       const char *letters)
{
	struct cursor data;
	const uint8_t *bytes;
	size_t size;

	if (*letters != 'z') {
		/* Without a length, unknown letters cannot be skipped. */
		if (*letters)
			c->failed = true;
		return;
	}
	cie->has_augmentation_data = true;
	size = cursor_uleb(c);
	bytes = cursor_bytes(c, size);
	if (!bytes)
		return;
	data = cursor_make(bytes, size);
	for (letters++; *letters && !data.failed; letters++) {
		switch (*letters) {
		case 'R':
			cie->pointer_encoding = cursor_u8(&data);
			break;
		case 'L':
			cursor_u8(&data);
			break;
		case 'P':
			skip_personality(&data);
			break;
		case 'S':
			cie->is_signal_frame = true;
			break;
		case 'B': /* arm64 pointer authentication */
		case 'G':
			break;
		default:
			return; /* the rest of the data is skipped */
		}
	}
	if (data.failed)
		c->failed = true;
}

/* `c`: the record after its id field. */
static bool parse_cie(struct cursor c, size_t offset, struct cfi_cie *cie)
{
	uint8_t version = cursor_u8(&c);
	const char *augmentation = cursor_string(&c);

	memset(cie, 0, sizeof(*cie));
	cie->offset = offset;
	if (!augmentation || (version != 1 && version != 3 && version != 4))
		return false;
	if (version == 4 && (cursor_u8(&c) != 8 || cursor_u8(&c) != 0))
		return false; /* address size, segment selector size */
	cie->code_align = cursor_uleb(&c);
	cie->data_align = cursor_sleb(&c);
	cie->return_register = version == 1 ? cursor_u8(&c) : cursor_uleb(&c);
	parse_augmentation(cie, &c, augmentation);
	cie->program = c;
	return !c.failed && cie->return_register == CFI_REG_RA;
}

/* ---- Records ----------------------------------------------------------------
 */

struct record {
	size_t offset; /* of the record */
	bool is_64bit;
	bool is_cie;
	size_t cie_offset;  /* FDE: of its CIE */
	struct cursor body; /* after the id field */
};

/* Zero lengths end the part of one input file. Static linking leaves some in
 * the middle. */
static void skip_terminators(struct cursor *c)
{
	static const uint8_t zero[4];

	while (cursor_left(c) >= sizeof(zero) &&
	       memcmp(c->at, zero, sizeof(zero)) == 0)
		cursor_skip(c, sizeof(zero));
}

/* The record at the cursor, which moves behind it. False: a length that leads
 * nowhere. */
static bool next_record(const struct cfi_section *s, struct cursor *c,
			struct record *r)
{
	uint64_t length, id, id_offset;
	const uint8_t *body;

	r->offset = (size_t)(c->at - s->data);
	length = cursor_u32(c);
	r->is_64bit = length == 0xffffffff;
	if (r->is_64bit)
		length = cursor_u64(c);
	if (c->failed)
		return false;
	body = cursor_bytes(c, length);
	if (!body)
		return false;
	r->body = cursor_make(body, length);
	id_offset = (uint64_t)(body - s->data);
	/* In .eh_frame the id stays 32 bits wide in 64-bit records too. */
	if (r->is_64bit && !s->is_eh_frame) {
		id = cursor_u64(&r->body);
		r->is_cie = id == UINT64_MAX;
	} else {
		id = cursor_u32(&r->body);
		r->is_cie = s->is_eh_frame ? id == 0 : id == UINT32_MAX;
	}
	r->cie_offset = s->is_eh_frame ? id_offset - id : id;
	return true;
}

static bool load_cie(const struct cfi_section *s, size_t offset,
		     struct cfi_cie *cie)
{
	struct cursor c;
	struct record r;

	if (offset >= s->size)
		return false;
	c = cursor_make(s->data + offset, s->size - offset);
	return next_record(s, &c, &r) && r.is_cie &&
	       cursor_left(&r.body) <= CIE_BYTES_MAX &&
	       parse_cie(r.body, offset, cie);
}

static bool parse_fde(const struct cfi_section *s, const struct record *r,
		      const struct cfi_cie *cie, struct cfi_fde *fde)
{
	struct cursor c = r->body;
	uint64_t length;

	fde->section = s;
	fde->cie = cie;
	fde->start = cfi_read_pointer(s, &c, cie->pointer_encoding);
	length = read_format(&c, cie->pointer_encoding);
	fde->end = fde->start + length;
	if (cie->has_augmentation_data)
		cursor_skip(&c, cursor_uleb(&c));
	fde->program = c;
	return !c.failed && fde->end > fde->start;
}

int cfi_each_fde(const struct cfi_section *s,
		 int (*each)(const struct cfi_fde *fde, void *context),
		 void *context, size_t *malformed)
{
	struct cursor c = cursor_make(s->data, s->size);
	struct cfi_cie cie = {.offset = SIZE_MAX};
	bool cie_valid = false;
	struct record r;

	*malformed = 0;
	for (skip_terminators(&c); cursor_left(&c); skip_terminators(&c)) {
		struct cfi_fde fde;
		int result;

		if (!next_record(s, &c, &r)) {
			(*malformed)++;
			break;
		}
		if (r.is_cie)
			continue;
		if (cie.offset != r.cie_offset) {
			cie_valid = load_cie(s, r.cie_offset, &cie);
			cie.offset = r.cie_offset;
		}
		if (!cie_valid || !parse_fde(s, &r, &cie, &fde)) {
			(*malformed)++;
			continue;
		}
		result = each(&fde, context);
		if (result)
			return result;
	}
	return 0;
}
