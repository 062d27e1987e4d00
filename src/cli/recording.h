/* SPDX-License-Identifier: GPL-2.0-only */
/* `leakbpf record`: what every report is made from also goes to a capture. */
#ifndef CLI_RECORDING_H
#define CLI_RECORDING_H

#include "capture/writer.h"
#include "cli/targets.h"
#include "report/report.h"

/* Creates the capture: 0 or -errno, reported. */
int recording_open(const char *path, struct capture_writer **out);
/* Ends a snapshot whose stacks have been added. The report is the one that was
 * made of the same stacks. Targets get their numbers in the capture. 0 or
 * -errno, reported. */
int recording_snapshot(struct capture_writer *w, struct targets *all,
		       const struct report *r,
		       const struct diagnosis_facts *facts,
		       const struct cohort_layout *cohorts,
		       uint64_t attached_ns, uint64_t now_ns);
int recording_close(struct capture_writer *w, const char *path);

#endif
