/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of the last run may have been written by anybody: what is taken
 * from it is bounded. libFuzzer entry point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/last_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct last_run run;

	check(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (!last_run_parse(text, &run)) {
		check(run.count <= LAST_RUN_TARGETS_MAX);
		check(run.until_ms <= last_run_now_ms());
		for (size_t i = 0; i < run.count; i++) {
			const struct last_run_target *t = &run.targets[i];

			check(t->pid > 0 && strlen(t->comm) < sizeof(t->comm));
			check(last_run_find(&run, t->pid,
					    t->start_time_ticks) != NULL);
		}
		last_run_free(&run);
	}
	free(text);
	return 0;
}
