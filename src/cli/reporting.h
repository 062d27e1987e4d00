/* SPDX-License-Identifier: GPL-2.0-only */
/* From counters to reports: takes a snapshot of the tracer, adds it to the
 * profile, has it written. */
#ifndef CLI_REPORTING_H
#define CLI_REPORTING_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/writer.h"
#include "cli/exit_codes.h"
#include "cli/following.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/reporting_go.h"
#include "cli/reporting_v8.h"
#include "cli/targets.h"
#include "profile/merge.h"
#include "profile/profile.h"
#include "report/report.h"
#include "symbol/js_names.h"
#include "symbol/names.h"
#include "trace/tracer.h"

struct reporting {
	const struct options *options;
	struct tracer *tracer;
	struct targets *targets;
	struct following *following; /* NULL: none come or go */
	struct names names;
	struct profile *profile;
	struct stack_merge *merge;
	struct js_names *js_names;
	struct object_registry *objects;
	struct symbolizer *symbols;
	struct output *output;
	struct capture_writer *capture; /* NULL: nothing is recorded */
	uint64_t attached_ns;		/* CLOCK_MONOTONIC */
	uint64_t unwatched_seconds;	/* report.h */

	/* The last report, and what it refers to. */
	uint64_t observed_ns; /* the last snapshot; 0: none yet */
	uint64_t forgot_ns;   /* when forgetting.h was last at work */
	struct report report;
	struct report_target *report_targets;
	struct report_following report_following;
	struct diagnosis *diagnosis;
	struct diagnosis_facts facts;
	struct reporting_v8 v8;
	struct reporting_go go;
	uint64_t counters[COUNTER_COUNT];
};

/* When the next snapshot between reports is due: verdicts need more points than
 * there are reports. CLOCK_MONOTONIC. */
uint64_t reporting_due_ns(const struct reporting *r);
/* Takes one (and records it, if there is a capture). 0 or -errno, reported. */
int reporting_observe(struct reporting *r);

/* Takes a snapshot and fills `report`. 0 or -errno, reported. */
int reporting_update(struct reporting *r, bool final);
/* Adds the diagnosis to the report of the last update. 0 or -ENOMEM. */
int reporting_diagnose(struct reporting *r);
/* Releases what updates have allocated. */
void reporting_close(struct reporting *r);

/* The parts of a report: the text, if anybody wants it, and the files that are
 * due. 0; -EPIPE when nobody reads the text; another -errno, reported. */
int reporting_text(struct output *output, const struct report *report);
int reporting_files(struct output *output, const struct report *report);
/* Updates and writes one report. 0; -EPIPE when nobody reads it any more;
 * another -errno, reported. */
int reporting_write(struct reporting *r, bool final);
/* For the -errno of any of these. */
enum exit_code reporting_exit_code(int err);

#endif
