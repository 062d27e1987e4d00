// SPDX-License-Identifier: GPL-2.0-only
/* Library functions that allocate for their caller: the caller is to blame. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

SITE static void leak_strdup(void)
{
	target_sink = strdup(OPAQUE((const char *)"sixteen letters."));
	truth("leak_strdup;run;main", 17, 1);
}

SITE static void leak_strndup(void)
{
	target_sink = strndup(OPAQUE((const char *)"sixteen letters."), 7);
	truth("leak_strndup;run;main", 8, 1);
}

SITE static void leak_asprintf(void)
{
	char *text = NULL;

	EXPECT(asprintf(&text, "%s %d", "text", OPAQUE(12345)) == 10);
	target_sink = text;
	truth("leak_asprintf;run;main", 11, 1);
}

/* The block's size comes back from getline. */
SITE static void leak_getline(void)
{
	static char buffer[4096];
	FILE *f = fopen("/proc/self/status", "r");
	char *line = NULL;
	size_t size = 0;

	EXPECT(f);
	if (!f)
		return;
	setvbuf(f, buffer, _IOFBF, sizeof(buffer));
	EXPECT(getline(&line, &size, f) > 0);
	fclose(f);
	target_sink = line;
	truth("leak_getline;run;main", (long)size, 1);
}

SITE static void leak_open_memstream(void)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	EXPECT(f);
	if (!f)
		return;
	fputs("some text", f);
	fclose(f);
	free(text);
	KEEP_FRAME();
}

SITE static void run(void)
{
	leak_strdup();
	leak_strndup();
	leak_asprintf();
	leak_getline();
	leak_open_memstream();
	KEEP_FRAME();
}

int main(void)
{
	target_ready();
	run();
	return target_done();
}
