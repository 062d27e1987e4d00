/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/record.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Shorter payloads are not worth packing. */
#define PACK_LEAST 128
/* Unpacked bytes of a whole file: a guard against files made to unpack for
 * hours. */
#define UNPACKED_MAX (8ull << 30)

static const char magic[8] = "\x89LBPF\r\n\x1a";

struct file_head {
	char magic[8];
	uint32_t version; /* little-endian, like all that follows */
	uint32_t reserved;
};

struct record_head {
	uint32_t type;
	uint32_t stored;   /* bytes that follow */
	uint32_t unpacked; /* of the payload; == stored: it is not packed */
	uint32_t crc;	   /* CRC-32 of the fields above and what follows */
};

static uint32_t checksum(const struct record_head *h, const void *bytes)
{
	uLong crc =
		crc32(0, (const Bytef *)h, offsetof(struct record_head, crc));

	return (uint32_t)crc32(crc, bytes, le32toh(h->stored));
}

/* ---- Writing ------------------------------------------------------------- */

static int write_all(FILE *out, const void *bytes, size_t size)
{
	errno = 0;
	if (fwrite(bytes, 1, size, out) == size)
		return 0;
	return errno ? -errno : -EIO;
}

int record_write_head(FILE *out)
{
	struct file_head h = {.version = htole32(CAPTURE_VERSION)};

	memcpy(h.magic, magic, sizeof(magic));
	return write_all(out, &h, sizeof(h));
}

static int write_stored(FILE *out, enum capture_record type, const void *bytes,
			size_t stored, size_t unpacked)
{
	struct record_head h = {
		.type = htole32(type),
		.stored = htole32((uint32_t)stored),
		.unpacked = htole32((uint32_t)unpacked),
	};
	int err;

	h.crc = htole32(checksum(&h, bytes));
	err = write_all(out, &h, sizeof(h));
	return err ? err : write_all(out, bytes, stored);
}

int record_write(FILE *out, enum capture_record type, struct text *payload)
{
	size_t size = payload->size;
	uLongf packed_size = compressBound(size);
	Bytef *packed;
	int err;

	if (payload->failed)
		return -ENOMEM;
	if (!size)
		return 0;
	if (size > CAPTURE_RECORD_MAX)
		return -EFBIG;
	packed = malloc(packed_size);
	if (!packed)
		return -ENOMEM;
	if (size < PACK_LEAST ||
	    compress(packed, &packed_size, (const Bytef *)payload->data,
		     size) != Z_OK ||
	    packed_size >= size)
		err = write_stored(out, type, payload->data, size, size);
	else
		err = write_stored(out, type, packed, packed_size, size);
	free(packed);
	text_clear(payload);
	return err;
}

/* ---- Reading ------------------------------------------------------------- */

int record_read_head(struct record_reader *r)
{
	struct file_head h;

	if (fread(&h, sizeof(h), 1, r->in) != 1)
		return ferror(r->in) ? -errno : -EINVAL;
	if (memcmp(h.magic, magic, sizeof(magic)))
		return -EINVAL;
	if (!le32toh(h.version) || le32toh(h.version) > CAPTURE_VERSION)
		return -ENOTSUP;
	r->position = sizeof(h);
	return 0;
}

/* Replaces what the text holds by `size` bytes from the file, in pieces: a
 * length in a damaged file is no reason to take that much memory. */
static int read_bytes(struct record_reader *r, struct text *to, size_t size)
{
	char piece[1 << 14];

	text_clear(to);
	while (to->size < size) {
		size_t left = size - to->size;
		size_t want = left < sizeof(piece) ? left : sizeof(piece);
		size_t got = fread(piece, 1, want, r->in);

		text_append(to, piece, got);
		if (to->failed)
			return -ENOMEM;
		if (got != want)
			return ferror(r->in) ? -EIO : RECORD_TORN;
	}
	return RECORD_GOOD;
}

static int unpack(struct record_reader *r, size_t size)
{
	char piece[1 << 14];
	z_stream z = {
		.next_in = (z_const Bytef *)r->packed.data,
		.avail_in = (uInt)r->packed.size,
	};
	int result = Z_OK;

	text_clear(&r->payload);
	if (inflateInit(&z) != Z_OK)
		return -ENOMEM;
	while (result == Z_OK && r->payload.size <= size) {
		z.next_out = (Bytef *)piece;
		z.avail_out = sizeof(piece);
		result = inflate(&z, Z_NO_FLUSH);
		text_append(&r->payload, piece, sizeof(piece) - z.avail_out);
	}
	inflateEnd(&z);
	if (r->payload.failed)
		return -ENOMEM;
	return result == Z_STREAM_END && r->payload.size == size ? RECORD_GOOD
								 : RECORD_TORN;
}

static int read_payload(struct record_reader *r, const struct record_head *h)
{
	uint32_t stored = le32toh(h->stored), size = le32toh(h->unpacked);
	int result;

	if (!stored || stored > size || size > CAPTURE_RECORD_MAX)
		return RECORD_TORN;
	result = read_bytes(r, &r->packed, stored);
	if (result != RECORD_GOOD)
		return result;
	if (checksum(h, r->packed.data) != le32toh(h->crc))
		return RECORD_TORN;
	r->unpacked += size;
	if (r->unpacked > UNPACKED_MAX)
		return -EFBIG;
	if (stored != size)
		return unpack(r, size);
	text_clear(&r->payload);
	text_append(&r->payload, r->packed.data, stored);
	return r->payload.failed ? -ENOMEM : RECORD_GOOD;
}

int record_read(struct record_reader *r, uint32_t *type)
{
	struct record_head h;
	size_t got = fread(&h, 1, sizeof(h), r->in);
	int result;

	if (got != sizeof(h)) {
		if (ferror(r->in))
			return -EIO;
		return got ? RECORD_TORN : RECORD_END;
	}
	result = read_payload(r, &h);
	if (result == RECORD_GOOD) {
		*type = le32toh(h.type);
		r->position += sizeof(h) + le32toh(h.stored);
	}
	return result;
}

void record_reader_free(struct record_reader *r)
{
	text_free(&r->packed);
	text_free(&r->payload);
}
