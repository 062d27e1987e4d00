/* SPDX-License-Identifier: GPL-2.0-only */
/* What reports say of a selection and of Go programs, to a capture and back. */
#ifndef CLI_PROGRAM_FACTS_H
#define CLI_PROGRAM_FACTS_H

#include "capture/snapshot.h"
#include "cli/refusals.h"
#include "report/report.h"

/* `s` must have zeroes there. */
void program_facts_take(struct capture_snapshot *s, const struct report *r);

struct program_facts {
	struct report_following following;
	struct report_go go;
	struct report_go_heap heaps[CAPTURE_GO_MAX];
};

/* Fills in the parts of the report; valid as long as `f` and `from` are. */
void program_facts_show(struct program_facts *f,
			const struct capture_snapshot *from, struct report *r);

/* Why processes are not traced. */
extern const struct not_traced_text not_traced_texts[NOT_TRACED_COUNT];

#endif
