/* SPDX-License-Identifier: GPL-2.0-only */
/* Symbol names are the target's: demangling any must end, within 64 KiB, in
 * text that a terminal can be given. libFuzzer entry point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/name.h"
#include "symbol/symbolizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1);

	if (!name)
		return 0;
	if (size)
		memcpy(name, data, size);
	name[size] = '\0';
	char *shown = symbol_demangle(name);
	size_t length = strlen(shown);
	if (length > 65535 || symbol_clean_name(shown, length) != length)
		abort();
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)shown[i] < 0x20 || shown[i] == 0x7f)
			abort();
	free(shown);
	free(name);
	return 0;
}
