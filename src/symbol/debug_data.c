/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/debug_data.h"

#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>

#define OUTPUT_MAX  (64u << 20)
#define DECODER_MAX (128u << 20)

static bool enlarge(uint8_t **data, size_t *capacity)
{
	size_t wanted = *capacity ? 2 * *capacity : 256 * 1024;

	if (wanted > OUTPUT_MAX)
		return false;
	uint8_t *grown = realloc(*data, wanted);
	if (!grown)
		return false;
	*data = grown;
	*capacity = wanted;
	return true;
}

uint8_t *debug_data_unpack(const void *xz, size_t xz_size, size_t *size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret state = lzma_stream_decoder(&stream, DECODER_MAX, 0);
	uint8_t *data = NULL;
	size_t capacity = 0;

	stream.next_in = xz;
	stream.avail_in = xz_size;
	while (state == LZMA_OK) {
		size_t done = stream.total_out;

		if (done == capacity && !enlarge(&data, &capacity))
			break;
		stream.next_out = data + done;
		stream.avail_out = capacity - done;
		state = lzma_code(&stream, LZMA_FINISH);
	}
	*size = stream.total_out;
	lzma_end(&stream);
	if (state == LZMA_STREAM_END && *size > 0)
		return data;
	free(data);
	return NULL;
}
