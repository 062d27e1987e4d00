/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/gzip.h"

#include <errno.h>
#include <zlib.h>

#define GZIP_WINDOW_BITS (MAX_WBITS + 16) /* + 16: gzip's frame, zlib.h */
#define INPUT_MOST	 (1u << 30)	  /* zlib counts in 32 bits */

static int deflate_to(z_stream *z, int flush, FILE *out)
{
	unsigned char buffer[1 << 14] = {0};

	do {
		size_t size;

		z->next_out = buffer;
		z->avail_out = sizeof(buffer);
		deflate(z, flush); /* fails on misuse only */
		size = sizeof(buffer) - z->avail_out;
		if (fwrite(buffer, 1, size, out) != size)
			return errno ? -errno : -EIO;
	} while (!z->avail_out);
	return 0;
}

int gzip_write(FILE *out, const void *data, size_t size)
{
	z_stream z = {.next_in = (z_const Bytef *)data};
	int err = 0;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
			 GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	do {
		z.avail_in = size < INPUT_MOST ? (uInt)size : INPUT_MOST;
		size -= z.avail_in;
		err = deflate_to(&z, size ? Z_NO_FLUSH : Z_FINISH, out);
	} while (size && !err);
	deflateEnd(&z);
	return err;
}
