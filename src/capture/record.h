/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture file is a sequence of records, each with its length and a checksum,
 * only ever appended to: whatever happens to the writer, all records but the
 * last can be read. docs/capture-format.md has the layout.
 */
#ifndef CAPTURE_RECORD_H
#define CAPTURE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"

#define CAPTURE_VERSION 3 /* is written; older ones are read */
/* Bytes of one record, unpacked: far more than any stack table needs. */
#define CAPTURE_RECORD_MAX (64u << 20)

enum capture_record {
	CAPTURE_META = 1, /* first */
	CAPTURE_PROCESS,
	CAPTURE_OBJECT,
	CAPTURE_STRINGS,
	CAPTURE_SYMBOLS,
	CAPTURE_STACKS,
	CAPTURE_SNAPSHOT,
	CAPTURE_GENERATED,
};

/* Of CAPTURE_PROCESS, between the pid and the number. */
#define CAPTURE_PROCESS_TEXTS 4

/* ---- Writing: 0 or -errno -------------------------------------------------
 */

int record_write_head(FILE *out);
/* Writes and empties `payload`. Nothing is written of one that is empty. */
int record_write(FILE *out, enum capture_record type, struct text *payload);

/* ---- Reading: any bytes may come -------------------------------------------
 */

struct record_reader {
	FILE *in;
	uint64_t position; /* behind the last good record */
	uint64_t unpacked; /* bytes so far */
	struct text packed, payload;
};

/* What came of looking for the next record. */
enum record_end {
	RECORD_GOOD = 1,
	RECORD_END,  /* the file ends behind a record */
	RECORD_TORN, /* it ends within one, or the checksum is wrong */
};

/* 0; -EINVAL: no capture file; -ENOTSUP: of another version; or -errno. */
int record_read_head(struct record_reader *r);
/* A record_end; its payload is valid until the next call. -EFBIG: larger than
 * any capture is; -ENOMEM, -EIO. */
int record_read(struct record_reader *r, uint32_t *type);
void record_reader_free(struct record_reader *r);

#endif
