/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture file as a report: all its snapshots go through a profile, as if it
 * were watched again, and the report is the one at its end. */
#ifndef CLI_LOADED_H
#define CLI_LOADED_H

#include "capture/reader.h"
#include "cli/exit_codes.h"
#include "cli/heap_facts.h"
#include "cli/options.h"
#include "cli/program_facts.h"
#include "report/report.h"
#include "symbol/debuginfod.h"
#include "symbol/names_local.h"

struct loaded {
	struct capture *capture;
	struct profile *profile;
	struct names in_file, names;
	struct heap_facts heaps;
	struct program_facts programs;
	struct names_local *local;
	struct debuginfod *debuginfod;
	struct report_target targets[CAPTURE_PROCESSES_MAX];
	size_t target_count;
	struct diagnosis *diagnosis;
	struct report report;
};

/* What went wrong has been reported. loaded_free in every case; `l` must not
 * move. */
enum exit_code loaded_read(struct loaded *l, const char *path,
			   const struct options *options);
void loaded_free(struct loaded *l);

#endif
