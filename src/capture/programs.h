/* SPDX-License-Identifier: GPL-2.0-only */
/* What a capture says, at one moment, of a selection whose processes come and
 * go, and of the heaps of Go programs. */
#ifndef CAPTURE_PROGRAMS_H
#define CAPTURE_PROGRAMS_H

#include "capture/codec.h"

#define CAPTURE_REASONS_MAX	16
#define CAPTURE_GO_MAX		64
#define CAPTURE_SELECTION_BYTES 1024

struct capture_reason {
	char key[32];
	uint64_t processes;
};

struct capture_following {
	bool present;
	char selection[CAPTURE_SELECTION_BYTES];
	uint64_t attached, let_go, waiting, no_room, starts_missed;
	/* Why processes are not traced. */
	struct capture_reason reasons[CAPTURE_REASONS_MAX];
	uint32_t reason_count;
};

struct capture_go_heap {
	uint32_t pid;
	uint64_t collections;
	double settled_seconds_ago; /* negative: nothing is settled */
	bool rate_known;
	double rate;
};

struct capture_go {
	struct capture_go_heap heaps[CAPTURE_GO_MAX];
	uint32_t heap_count;
	bool all; /* every target is a Go program */
};

/* What does not fit is dropped. */
void code_following(struct codec *c, struct capture_following *f);
void code_go(struct codec *c, struct capture_go *g);

#endif
