/* SPDX-License-Identifier: GPL-2.0-only */
/* Assembles .eh_frame and .debug_frame sections byte by byte. */
#ifndef TESTS_UNIT_CFI_IMAGE_H
#define TESTS_UNIT_CFI_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define IMAGE_BYTES	65536
#define IMAGE_ADDRESS	0x8000ULL /* of the section */
#define TEXT_BASE	0x1000ULL
#define TEXT_END	0x5000ULL
#define PE_ABSPTR	0x00
#define PE_PCREL_SDATA4 0x1b

/* How records are written. */
struct cfi_form {
	bool is_debug_frame;
	bool is_64bit;
	uint8_t version;		  /* of CIEs; 0: 1 */
	const char *augmentation;	  /* NULL: "zR" (.eh_frame) or "" */
	uint8_t encoding;		  /* 'R'; 0 with "" */
	uint8_t address_size;		  /* version 4; 0: 8 */
	const uint8_t *augmentation_data; /* NULL: just the encoding */
	size_t augmentation_size;
	uint8_t return_register; /* 0: 16 */
};

struct cfi_image {
	struct cfi_form form;
	uint8_t bytes[IMAGE_BYTES];
	size_t size;
	size_t cie;    /* offset of the last CIE */
	size_t record; /* of the open record */
};

static inline void put(struct cfi_image *i, uint64_t value, size_t size)
{
	if (i->size + size <= IMAGE_BYTES)
		memcpy(i->bytes + i->size, &value, size);
	i->size += size;
}

static inline void put_uleb(struct cfi_image *i, uint64_t value)
{
	do {
		put(i, (value & 0x7f) | (value > 0x7f ? 0x80 : 0), 1);
		value >>= 7;
	} while (value);
}

static inline void put_bytes(struct cfi_image *i, const uint8_t *bytes,
			     size_t size)
{
	for (size_t n = 0; n < size; n++)
		put(i, bytes[n], 1);
}

static inline size_t length_bytes(const struct cfi_image *i)
{
	return i->form.is_64bit ? 12 : 4;
}

static inline void open_record(struct cfi_image *i)
{
	i->record = i->size;
	if (i->form.is_64bit)
		put(i, 0xffffffff, 4);
	put(i, 0, i->form.is_64bit ? 8 : 4);
}

static inline void close_record(struct cfi_image *i)
{
	uint64_t length = i->size - i->record - length_bytes(i);
	size_t at = i->record + (i->form.is_64bit ? 4 : 0);

	memcpy(i->bytes + at, &length, i->form.is_64bit ? 8 : 4);
}

static inline size_t id_bytes(const struct cfi_image *i)
{
	return i->form.is_64bit && i->form.is_debug_frame ? 8 : 4;
}

static inline const char *image_augmentation(const struct cfi_image *i)
{
	if (i->form.augmentation)
		return i->form.augmentation;
	return i->form.is_debug_frame ? "" : "zR";
}

static inline void add_cie(struct cfi_image *i, const uint8_t *program,
			   size_t size)
{
	const struct cfi_form *f = &i->form;
	const char *augmentation = image_augmentation(i);

	i->cie = i->size;
	open_record(i);
	put(i, f->is_debug_frame ? UINT64_MAX : 0, id_bytes(i));
	put(i, f->version ? f->version : 1, 1);
	put_bytes(i, (const uint8_t *)augmentation, strlen(augmentation) + 1);
	if (f->version == 4)
		put(i, f->address_size ? f->address_size : 8, 2);
	put_uleb(i, 1);	 /* code alignment */
	put(i, 0x78, 1); /* data alignment: -8 */
	put(i, f->return_register ? f->return_register : 16, 1);
	if (augmentation[0] == 'z' && f->augmentation_data) {
		put_uleb(i, f->augmentation_size);
		put_bytes(i, f->augmentation_data, f->augmentation_size);
	} else if (augmentation[0] == 'z') {
		put_uleb(i, 1);
		put(i, f->encoding, 1);
	}
	put_bytes(i, program, size);
	close_record(i);
}

/* The usual one: CFA = rsp + 8, return address at CFA - 8. */
static inline void add_usual_cie(struct cfi_image *i)
{
	static const uint8_t program[] = {0x0c, 7, 8, 0x90, 1};

	add_cie(i, program, sizeof(program));
}

static inline void put_encoded(struct cfi_image *i, uint8_t encoding,
			       uint64_t value)
{
	static const uint8_t sizes[16] = {8, 0, 2, 4, 8, 0, 0, 0,
					  8, 0, 2, 4, 8, 0, 0, 0};

	if ((encoding & 0x70) == 0x10)
		value -= IMAGE_ADDRESS + i->size;
	if ((encoding & 0x0f) == 1)
		put_uleb(i, value);
	else
		put(i, value, sizes[encoding & 0x0f]);
}

static inline void add_fde(struct cfi_image *i, uint64_t start, uint64_t length,
			   const uint8_t *program, size_t size)
{
	uint64_t back;

	open_record(i);
	back = i->form.is_debug_frame ? i->cie : i->size - i->cie;
	put(i, back, id_bytes(i));
	put_encoded(i, i->form.encoding, start);
	put_encoded(i, i->form.encoding & 0x0f, length);
	if (image_augmentation(i)[0] == 'z')
		put_uleb(i, 0);
	put_bytes(i, program, size);
	close_record(i);
}

#endif
