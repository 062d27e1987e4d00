/* SPDX-License-Identifier: GPL-2.0-only */
#include "top/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/blame.h"

const char *top_order_name(enum top_order order)
{
	static const char *const names[TOP_ORDERS] = {
		[TOP_BY_GROWTH] = "growth",
		[TOP_BY_BYTES] = "bytes",
		[TOP_BY_OBJECTS] = "blocks",
		[TOP_BY_AGE] = "age",
	};

	return names[order];
}

void top_view_free(struct top_view *v)
{
	free(v->rows);
	free(v->expanded);
	*v = (struct top_view){0};
}

/* ---- Expanded stacks ----------------------------------------------------- */

static size_t expanded_at(const struct top_view *v, uint32_t id)
{
	size_t i = 0;

	while (i < v->expanded_count && v->expanded[i] != id)
		i++;
	return i;
}

/* Without memory nothing is expanded, which the user sees. */
static void toggle(struct top_view *v, uint32_t id)
{
	size_t at = expanded_at(v, id);

	if (at < v->expanded_count) {
		v->expanded[at] = v->expanded[--v->expanded_count];
		return;
	}
	if (v->expanded_count == v->expanded_capacity) {
		size_t capacity =
			v->expanded_capacity ? 2 * v->expanded_capacity : 16;
		uint32_t *grown =
			realloc(v->expanded, capacity * sizeof(*grown));

		if (!grown)
			return;
		v->expanded = grown;
		v->expanded_capacity = capacity;
	}
	v->expanded[v->expanded_count++] = id;
}

/* ---- Order and filter ---------------------------------------------------- */

static double value_of(const struct profile_stack *s, enum top_order order)
{
	switch (order) {
	case TOP_BY_BYTES:
		return s->live_bytes.value;
	case TOP_BY_OBJECTS:
		return s->live_objects.value;
	case TOP_BY_AGE:
		return s->mean_age_seconds;
	default:
		return s->growth_bytes_per_minute;
	}
}

static int compare(const void *a, const void *b, void *order)
{
	const struct profile_stack *x = *(const struct profile_stack *const *)a;
	const struct profile_stack *y = *(const struct profile_stack *const *)b;
	double vx = value_of(x, *(enum top_order *)order);
	double vy = value_of(y, *(enum top_order *)order);

	if (vx != vy)
		return vx < vy ? 1 : -1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static bool name_matches(const char *name, const char *filter)
{
	return name && strcasestr(name, filter);
}

static bool stack_matches(const struct report *r, const struct profile_stack *s,
			  const char *filter)
{
	for (uint32_t i = 0; i < s->depth; i++) {
		const struct symbol *symbol = report_symbol(r, s->frames[i]);

		if (name_matches(symbol->module, filter))
			return true;
		for (uint32_t l = 0; l < symbol->level_count; l++)
			if (name_matches(symbol->levels[l].function, filter) ||
			    name_matches(symbol->levels[l].file, filter))
				return true;
	}
	return false;
}

/* ---- Rows ---------------------------------------------------------------- */

static int add_row(struct top_view *v, const struct profile_stack *s,
		   uint32_t frame, uint32_t level)
{
	if (v->row_count == v->row_capacity) {
		size_t capacity = v->row_capacity ? 2 * v->row_capacity : 256;
		struct top_row *grown =
			realloc(v->rows, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		v->rows = grown;
		v->row_capacity = capacity;
	}
	v->rows[v->row_count++] = (struct top_row){s, s->id, frame, level};
	return 0;
}

static int add_levels(struct top_view *v, const struct report *r,
		      const struct profile_stack *s)
{
	int err = report_resolve(r, &s, 1);

	for (uint32_t i = 0; i < s->depth && !err; i++) {
		uint32_t count = report_symbol(r, s->frames[i])->level_count;

		for (uint32_t l = 0; l < count && !err; l++)
			err = add_row(v, s, i, l);
	}
	if (!err && s->end != STACK_END_ROOT)
		err = add_row(v, s, TOP_ROW_END, 0);
	return err;
}

static int add_stack(struct top_view *v, const struct report *r,
		     const struct profile_stack *s)
{
	int err = add_row(v, s, TOP_ROW_STACK, 0);

	if (!err && expanded_at(v, s->id) < v->expanded_count)
		err = add_levels(v, r, s);
	return err;
}

/* Where the cursor was: its stack, and how far below the stack's own row. */
struct place {
	uint32_t id;
	size_t below;
	bool known;
};

static struct place place_of_cursor(const struct top_view *v)
{
	struct place p = {0};
	size_t at = v->cursor;

	if (at >= v->row_count)
		return p;
	while (at && v->rows[at].frame != TOP_ROW_STACK)
		at--;
	return (struct place){v->rows[at].id, v->cursor - at, true};
}

static void restore_cursor(struct top_view *v, struct place p)
{
	for (size_t i = 0; p.known && i < v->row_count; i++) {
		if (v->rows[i].frame != TOP_ROW_STACK || v->rows[i].id != p.id)
			continue;
		v->cursor = i;
		while (p.below-- && v->cursor + 1 < v->row_count &&
		       v->rows[v->cursor + 1].frame != TOP_ROW_STACK)
			v->cursor++;
		return;
	}
	if (v->cursor >= v->row_count)
		v->cursor = v->row_count ? v->row_count - 1 : 0;
}

static int list_stacks(struct top_view *v, const struct report *r,
		       const struct profile_stack *const *stacks, size_t count)
{
	int err = v->filter[0] ? report_resolve(r, stacks, count) : 0;

	for (size_t i = 0; i < count && !err; i++) {
		if (v->filter[0] && !stack_matches(r, stacks[i], v->filter)) {
			v->stacks_hidden++;
			continue;
		}
		v->stacks++;
		err = add_stack(v, r, stacks[i]);
	}
	return err;
}

int top_view_update(struct top_view *v, const struct report *r)
{
	struct place place = place_of_cursor(v);
	size_t count;
	const struct profile_stack *const *sorted =
		profile_sorted(r->profile, PROFILE_BY_LIVE, &count);
	CLEANUP_FREE const struct profile_stack **stacks =
		malloc((count ? count : 1) * sizeof(*stacks));
	int err;

	v->row_count = v->stacks = v->stacks_hidden = 0;
	if (!stacks)
		return -ENOMEM;
	if (count)
		memcpy(stacks, sorted, count * sizeof(*stacks));
	qsort_r(stacks, count, sizeof(*stacks), compare, &v->order);
	err = list_stacks(v, r, stacks, count);
	restore_cursor(v, place);
	return err;
}

/* ---- Keys ---------------------------------------------------------------- */

static void move(struct top_view *v, size_t up, size_t down)
{
	v->cursor = v->cursor > up ? v->cursor - up : 0;
	v->cursor += down;
	if (v->cursor >= v->row_count)
		v->cursor = v->row_count ? v->row_count - 1 : 0;
}

static bool move_key(struct top_view *v, int key, size_t page)
{
	switch (key) {
	case TOP_KEY_UP:
	case 'k':
		move(v, 1, 0);
		return true;
	case TOP_KEY_DOWN:
	case 'j':
		move(v, 0, 1);
		return true;
	case TOP_KEY_PAGE_UP:
		move(v, page, 0);
		return true;
	case TOP_KEY_PAGE_DOWN:
		move(v, 0, page);
		return true;
	case TOP_KEY_HOME:
	case 'g':
		v->cursor = 0;
		return true;
	case TOP_KEY_END:
	case 'G':
		move(v, 0, v->row_count);
		return true;
	}
	return false;
}

static bool filter_key(struct top_view *v, int key)
{
	size_t length = strlen(v->filter);

	if (key == TOP_KEY_ENTER) {
		v->editing_filter = false;
		return false;
	}
	if (key == TOP_KEY_ESCAPE) {
		v->editing_filter = false;
		v->filter[0] = '\0';
		return true;
	}
	if (key == TOP_KEY_BACKSPACE && length) {
		v->filter[length - 1] = '\0';
		return true;
	}
	if (key >= ' ' && key < 0x7f && length + 1 < sizeof(v->filter)) {
		v->filter[length] = (char)key;
		v->filter[length + 1] = '\0';
		return true;
	}
	return false;
}

bool top_view_key(struct top_view *v, int key, size_t page)
{
	if (v->editing_filter)
		return filter_key(v, key);
	if (v->help) { /* any key leaves it */
		v->help = false;
		return false;
	}
	if (move_key(v, key, page))
		return false;
	switch (key) {
	case TOP_KEY_ENTER:
	case ' ':
		if (v->cursor < v->row_count)
			toggle(v, v->rows[v->cursor].id);
		return true;
	case '/':
		v->editing_filter = true;
		break;
	case TOP_KEY_ESCAPE:
		v->filter[0] = '\0';
		return true;
	case 's':
		v->order = (v->order + 1) % TOP_ORDERS;
		return true;
	case 'p':
		v->paused = !v->paused;
		break;
	case 'h':
	case '?':
		v->help = true;
		break;
	case 'q':
		v->quit = true;
		break;
	}
	return false;
}

void top_view_scroll(struct top_view *v, size_t page)
{
	if (!page)
		page = 1;
	if (v->cursor < v->first)
		v->first = v->cursor;
	if (v->cursor >= v->first + page)
		v->first = v->cursor - page + 1;
	if (v->first + page > v->row_count)
		v->first = v->row_count > page ? v->row_count - page : 0;
}
