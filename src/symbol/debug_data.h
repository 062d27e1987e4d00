/* SPDX-License-Identifier: GPL-2.0-only */
/* .gnu_debugdata ("MiniDebugInfo"): an xz-compressed ELF file that holds only
 * a symbol table. */
#ifndef SYMBOL_DEBUG_DATA_H
#define SYMBOL_DEBUG_DATA_H

#include <stddef.h>
#include <stdint.h>

/* Decompresses, at most 64 MiB; malloc'ed, NULL on failure. */
uint8_t *debug_data_unpack(const void *xz, size_t xz_size, size_t *size);

#endif
