/* SPDX-License-Identifier: GPL-2.0-only */
/* The stacks of a document merged into a tree of callers and callees. */
#ifndef REPORT_TREE_H
#define REPORT_TREE_H

#include "report/document.h"

#define TREE_ROOT 0

struct tree_node {
	uint32_t parent; /* smaller than the node's own number */
	/* Of the document; stands for all calls of the same function, from any
	 * line. DOCUMENT_NONE: the root. */
	uint32_t frame;
	uint32_t level; /* 0: the root */
	double bytes, before;
	double kinds[VERDICT_KINDS]; /* bytes by verdict, where there is one */
};

/* In a tree nodes stand behind their parents, and siblings in the order in
 * which stacks stand in the document. */
struct tree {
	struct tree_node *nodes;
	size_t count, capacity;
	uint32_t levels; /* of the deepest node */
};

/* 0 or -ENOMEM; tree_free in every case. */
int tree_make(struct tree *t, const struct document *d);
void tree_free(struct tree *t);

#endif
