/* SPDX-License-Identifier: GPL-2.0-only */
/* The wire format of protocol buffers, as far as profile.proto needs it
 * (https://protobuf.dev/programming-guides/encoding). Zero and empty values
 * are left out: they are the defaults. A packed list is put together with
 * leb128_put. */
#ifndef REPORT_PROTO_H
#define REPORT_PROTO_H

#include <stdint.h>

#include "base/text.h"

void proto_number(struct text *t, uint32_t field, uint64_t value);
void proto_bytes(struct text *t, uint32_t field, const void *data, size_t size);
/* A message or packed list that was put together in `message`, which is
 * emptied; present even when it is empty. */
void proto_message(struct text *t, uint32_t field, struct text *message);
#endif
