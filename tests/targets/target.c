// SPDX-License-Identifier: GPL-2.0-only
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHAINS 256

struct chain {
	const char *name;
	long bytes, objects;
};

static struct chain chains[CHAINS];
static size_t chain_count;
static bool unexpected;
void *volatile target_sink;

static void put(const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(STDOUT_FILENO, text, size);

		if (n <= 0)
			_exit(4);
		text += n;
		size -= (size_t)n;
	}
}

/* stdio would allocate its buffers. */
void target_wait(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1)
		if (c == '\n')
			return;
}

void target_say(const char *name, const char *value)
{
	static char line[4096];
	int n = snprintf(line, sizeof(line), "{\"%s\": \"%s\"}\n", name, value);

	put(line, (size_t)n);
}

void target_ready(void)
{
	target_say("state", "ready");
	target_wait();
}

void truth(const char *chain, long bytes, long objects)
{
	size_t i = 0;

	while (i < chain_count && strcmp(chains[i].name, chain))
		i++;
	if (i == CHAINS)
		abort();
	if (i == chain_count)
		chains[chain_count++].name = chain;
	chains[i].bytes += bytes;
	chains[i].objects += objects;
}

void target_unexpected(const char *file, int line, const char *condition)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%s:%d: not true: %s\n", file,
			 line, condition);

	unexpected = true;
	if (write(STDERR_FILENO, text, (size_t)n) != n)
		_exit(4);
}

int target_done(void)
{
	static char line[CHAINS * 256];
	size_t used;

	used = (size_t)snprintf(line, sizeof(line), "{\"truth\": [");
	for (size_t i = 0; i < chain_count; i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used,
					 "%s{\"chain\": \"%s\", \"bytes\": "
					 "%ld, \"objects\": %ld}",
					 i ? ", " : "", chains[i].name,
					 chains[i].bytes, chains[i].objects);
	used += (size_t)snprintf(line + used, sizeof(line) - used, "]}\n");
	put(line, used);
	target_wait();
	return unexpected ? 3 : 0;
}
