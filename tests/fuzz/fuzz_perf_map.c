/* SPDX-License-Identifier: GPL-2.0-only */
/* A perf map is a file of the target: any bytes, cut into any pieces, must
 * parse to the same names within their bounds. libFuzzer entry point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/perf_map.h"

#define ADDRESSES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(struct perf_match m[ADDRESSES], const uint8_t *data,
		  size_t size, size_t piece)
{
	struct perf_map_reader reader = {.matches = m, .count = ADDRESSES};

	for (size_t i = 0; i < ADDRESSES; i++)
		m[i] = (struct perf_match){.address = i * i * 0x1111};
	for (size_t at = 0; at < size; at += piece)
		perf_map_feed(&reader, (const char *)data + at,
			      size - at < piece ? size - at : piece);
	perf_map_finish(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_match whole[ADDRESSES], cut[ADDRESSES];

	parse(whole, data, size, size ? size : 1);
	parse(cut, data, size, size ? 1 + data[0] % 32 : 1);
	for (size_t i = 0; i < ADDRESSES; i++) {
		if (!whole[i].name != !cut[i].name)
			abort();
		if (whole[i].name &&
		    (strcmp(whole[i].name, cut[i].name) ||
		     strlen(whole[i].name) > PERF_MAP_NAME_MAX ||
		     whole[i].start > whole[i].address))
			abort();
		free(whole[i].name);
		free(cut[i].name);
	}
	return 0;
}
