/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/tree.h"

#include <errno.h>
#include <stdlib.h>

struct edge {
	uint32_t parent, group;
};

/* What makes frames the same in a tree. */
struct group {
	uint32_t function, module, flags;
};

struct making {
	struct tree *tree;
	const struct document *document;
	struct intern *edges, *groups;
};

void tree_free(struct tree *t)
{
	free(t->nodes);
	*t = (struct tree){0};
}

static int append(struct tree *t, uint32_t parent, uint32_t frame)
{
	struct tree_node *node;

	if (t->count == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 1024;
		struct tree_node *nodes =
			realloc(t->nodes, capacity * sizeof(*nodes));

		if (!nodes)
			return -ENOMEM;
		t->nodes = nodes;
		t->capacity = capacity;
	}
	node = &t->nodes[t->count++];
	*node = (struct tree_node){.parent = parent, .frame = frame};
	if (t->count > 1)
		node->level = t->nodes[parent].level + 1;
	if (node->level > t->levels)
		t->levels = node->level;
	return 0;
}

static void add_to(struct tree_node *node, const struct document_stack *s)
{
	node->bytes += s->bytes;
	node->before += s->before;
	if (s->verdict)
		node->kinds[s->verdict->kind] += s->bytes;
}

static int group_of(struct making *m, uint32_t frame, uint32_t *number)
{
	const struct document_frame *f = document_frame(m->document, frame);
	const struct group group = {f->function, f->module,
				    f->flags & DOCUMENT_FRAME_ROOT};

	return intern_put(m->groups, &group, sizeof(group), number);
}

/* Nodes are numbered like the edges that lead to them, the root before all. */
static int step(struct making *m, uint32_t *node, uint32_t frame)
{
	struct edge e = {.parent = *node};
	uint32_t number;
	int err = group_of(m, frame, &e.group);

	if (!err)
		err = intern_put(m->edges, &e, sizeof(e), &number);
	if (err)
		return err;
	*node = number + 1;
	return *node == m->tree->count ? append(m->tree, e.parent, frame) : 0;
}

static int add_stack(struct making *m, const struct document_stack *s)
{
	struct tree *t = m->tree;
	uint32_t node = TREE_ROOT;
	int err = 0;

	add_to(&t->nodes[TREE_ROOT], s);
	for (uint32_t i = 0; i < s->depth && !err; i++) {
		err = step(m, &node, m->document->path[s->path + i]);
		if (!err)
			add_to(&t->nodes[node], s);
	}
	return err;
}

int tree_make(struct tree *t, const struct document *d)
{
	struct making m = {
		.tree = t,
		.document = d,
		.edges = intern_new(),
		.groups = intern_new(),
	};
	int err;

	*t = (struct tree){0};
	err = m.edges && m.groups ? append(t, TREE_ROOT, DOCUMENT_NONE)
				  : -ENOMEM;
	for (size_t i = 0; i < d->stack_count && !err; i++)
		err = add_stack(&m, &d->stacks[i]);
	intern_free(m.edges);
	intern_free(m.groups);
	return err;
}
