/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/layout.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "v8/lab_site.h"
#include "v8/refill_site.h"
#include "v8/layout_code.h"
#include "v8/layout_symbols.h"
#include "v8/layout_table.h"

__attribute__((format(printf, 3, 4))) static void
decide(struct v8_engine *e, enum v8_support support, const char *format, ...)
{
	va_list arguments;

	e->support = support;
	va_start(arguments, format);
	vsnprintf(e->reason, sizeof(e->reason), format, arguments);
	va_end(arguments);
}

const char *v8_version_text(const struct v8_version *version, char *text,
			    size_t size)
{
	if (version->build || version->patch)
		snprintf(text, size, "V8 %u.%u.%u.%u", version->major,
			 version->minor, version->build, version->patch);
	else
		snprintf(text, size, "V8 %u.%u", version->major,
			 version->minor);
	return text;
}

static uint32_t helper_number(const struct object *o,
			      const struct v8_symbols *s, enum v8_helper helper)
{
	int32_t value;

	if (!s->helpers[helper].address ||
	    !v8_int_read(o, s->helpers[helper].address, &value) || value < 0)
		return 0;
	return (uint32_t)value;
}

/* A stripped Node 24 keeps its constants but not its version: the row that
 * all of them agree with. They include the numbers of instance types, which
 * change with every version. */
static const struct v8_row *row_by_constants(const struct object *o,
					     const struct v8_symbols *s)
{
	const char *differs;

	for (size_t i = 0; i < v8_row_count; i++)
		if (v8_constants_agree(o, s, &v8_rows[i].layout, &differs))
			return &v8_rows[i];
	return NULL;
}

static const struct v8_row *row_of(const struct object *o,
				   const struct v8_symbols *s,
				   struct v8_version *version)
{
	const struct v8_row *row;

	*version = (struct v8_version){
		.major = helper_number(o, s, V8_VERSION_MAJOR),
		.minor = helper_number(o, s, V8_VERSION_MINOR),
		.build = helper_number(o, s, V8_VERSION_BUILD),
		.patch = helper_number(o, s, V8_VERSION_PATCH),
	};
	if (!version->major) {
		row = row_by_constants(o, s);
		if (row) {
			version->major = row->major;
			version->minor = row->minor;
		}
		return row;
	}
	for (size_t i = 0; i < v8_row_count; i++)
		if (v8_rows[i].major == version->major &&
		    v8_rows[i].minor == version->minor)
			return &v8_rows[i];
	return NULL;
}

static void decide_unknown(struct v8_engine *e)
{
	char known[96] = "";
	size_t used = 0;

	for (size_t i = 0; i < v8_row_count && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used,
					 "%s%u.%u", i ? ", " : "",
					 v8_rows[i].major, v8_rows[i].minor);
	if (e->version.major)
		decide(e, V8_UNKNOWN,
		       "V8 %u.%u is not one of the known versions (%s)",
		       e->version.major, e->version.minor, known);
	else
		decide(e, V8_UNKNOWN,
		       "this V8 does not tell its version, and is not like any "
		       "of the known ones (%s)",
		       known);
}

static const char *const point_texts[] = {
	[V8_POINT_ALLOCATE] = "SpaceWithLinearArea::ComputeLimit",
	[V8_POINT_ACCOUNT] = "SpaceWithLinearArea::AdvanceAllocationObservers",
	[V8_POINT_RESET_LAB] = "MainAllocator::ResetLab",
	[V8_POINT_LARGE_PAGE] = "LargeObjectSpace::AddPage",
	[V8_POINT_SCAVENGED] =
		"ScavengerCollector::HandleSurvivingNewLargeObjects",
	[V8_POINT_MARKED] = "MarkCompactCollector::ClearNonLiveReferences",
	[V8_POINT_EVACUATED] = "Heap::ProcessWeakListRoots",
	[V8_POINT_GC_BEGIN] = "Heap::GarbageCollectionPrologueInSafepoint",
	[V8_POINT_GC_END] = "Heap::GarbageCollectionEpilogueInSafepoint",
	[V8_POINT_SIZE_OF_OBJECTS] = "Heap::SizeOfObjects",
	[V8_POINT_TEAR_DOWN] = "Heap::TearDown",
};

/* A function that heap tracking needs and the object does not name, or NULL.
 * V8 12 moved allocation from SpaceWithLinearArea to MainAllocator. */
static const char *missing_point(const struct v8_engine *e)
{
	bool has_allocator = e->version.major >= 12;

	for (int i = 0; i < V8_POINTS; i++) {
		bool other =
			i == V8_POINT_RESET_LAB ? !has_allocator
			: i <= V8_POINT_ACCOUNT
				? has_allocator || e->points[V8_POINT_REFILLED]
				: i < V8_POINT_RESET_LAB;

		if (!other && !e->points[i])
			return point_texts[i];
	}
	return NULL;
}

static void forget_heap(struct v8_layout *l)
{
	l->allocator_heap = l->allocator_lab = l->scavenger_heap = 0;
	l->allocator_lock = l->lab_top_register = 0;
	l->page_flags = l->page_metadata = 0;
	l->metadata_mark_bits = l->metadata_area_start = 0;
	l->isolate_from_heap = l->isolate_c_entry_fp = 0;
}

static void decide_heap(const struct object *o, const struct v8_symbols *s,
			struct v8_engine *e)
{
	const char *missing = missing_point(e);
	const char *differs = v8_code_contradicts(o, s, &e->layout);
	char version[48];

	if (missing)
		decide(e, V8_FRAMES, "no symbol %s%s", missing,
		       e->points[V8_POINT_GC_BEGIN] ? "" : " (stripped?)");
	else if (differs)
		decide(e, V8_FRAMES,
		       "this %s keeps %s elsewhere than the known build",
		       v8_version_text(&e->version, version, sizeof(version)),
		       differs);
	else
		decide(e, V8_FRAMES_AND_HEAP, "%s", "");
	if (e->support == V8_FRAMES)
		forget_heap(&e->layout);
}

/* V8 10 and 11: where the program's own areas are filled, or all. */
static void choose_refill(const struct object *o, const struct v8_symbols *s,
			  struct v8_engine *e)
{
	struct v8_refill_sites sites;
	int none = V8_POINT_NEW_AREA, end = V8_POINT_RESET_LAB;

	if (v8_refill_sites_find(o, s, &sites)) {
		e->points[V8_POINT_NEW_LIMIT] = sites.limit_function.address;
		e->points_size[V8_POINT_NEW_LIMIT] = sites.limit_function.size;
		e->points_inside[V8_POINT_NEW_LIMIT] = sites.limit;
		e->points[V8_POINT_REFILLED] = e->points[V8_POINT_REFILL_LOCK];
		e->points_size[V8_POINT_REFILLED] =
			e->points_size[V8_POINT_REFILL_LOCK];
		e->points_inside[V8_POINT_REFILL_LOCK] = sites.lock;
		e->points_inside[V8_POINT_REFILLED] = sites.unlock;
		e->layout.allocator_lock = sites.lock_offset;
		none = V8_POINT_ALLOCATE;
		end = V8_POINT_NEW_AREA;
	}
	for (int i = none; i < end; i++)
		e->points[i] = e->points_size[i] = 0;
}

static void fill(const struct object *o, const struct v8_symbols *s,
		 const struct v8_row *row, struct v8_engine *e)
{
	const struct v8_symbol *sizes = &s->helpers[V8_BYTECODE_SIZES];
	struct v8_lab_site lab;

	e->layout = row->layout;
	v8_constants_apply(o, s, &e->layout);
	v8_types_read(o, s, e);
	for (int i = 0; i < V8_POINTS; i++) {
		e->points[i] = s->points[i].address;
		e->points_size[i] = s->points[i].size;
	}
	if (v8_lab_site_find(o, &s->points[V8_POINT_RESET_LAB], &lab)) {
		e->points_inside[V8_POINT_RESET_LAB] = lab.offset;
		e->layout.allocator_lock = lab.lock;
		e->layout.lab_top_register = lab.top_register;
	}
	choose_refill(o, s, e);
	e->default_isolate_group = s->helpers[V8_DEFAULT_ISOLATE_GROUP].address;
	e->isolate_group_dispatch_table = row->isolate_group_dispatch_table;
	v8_code_dispatch_table(o, s, &e->isolate_group_dispatch_table);
	e->bytecode_sizes = sizes->address;
	if (sizes->size <= UINT32_MAX)
		e->bytecode_sizes_bytes = (uint32_t)sizes->size;
	for (int i = 0; i < 2; i++) {
		e->allocate[i] = s->helpers[V8_ALLOCATE_YOUNG + i].address;
		e->allocate_size[i] = s->helpers[V8_ALLOCATE_YOUNG + i].size;
		e->allocate_page[i] = s->helpers[V8_ALLOCATE_PAGE + i].address;
		e->allocate_page_size[i] =
			s->helpers[V8_ALLOCATE_PAGE + i].size;
	}
	for (int i = 0; i < V8_API_CALLS; i++) {
		e->api_call[i] = s->helpers[V8_HANDLE_API_CALL + i].address;
		e->api_call_size[i] = s->helpers[V8_HANDLE_API_CALL + i].size;
	}
	if (!v8_code_external(o, s, &e->heap_external))
		e->heap_external = -1;
	if (!v8_code_builtins(o, s, &e->builtins_start, &e->builtins_end))
		e->builtins_start = e->builtins_end = 0;
}

static void examine(const struct object *o, const struct v8_symbols *s,
		    struct v8_engine *e)
{
	uint32_t tagged = helper_number(o, s, V8_TAGGED_SIZE);
	const struct v8_row *row = row_of(o, s, &e->version);

	if (o->machine != EM_X86_64)
		decide(e, V8_UNSUPPORTED, "V8 is known on x86-64 only");
	else if (s->helpers[V8_TAGGED_SIZE].address && tagged != 8)
		decide(e, V8_UNSUPPORTED,
		       "this V8 compresses pointers (as Electron's does)");
	else if (!row)
		decide_unknown(e);
	else {
		fill(o, s, row, e);
		decide_heap(o, s, e);
	}
}

int v8_engine_find(const struct object *o, struct v8_engine *out)
{
	CLEANUP_FREE struct v8_symbols *symbols = malloc(sizeof(*symbols));
	int err;

	memset(out, 0, sizeof(*out));
	if (!symbols)
		return -ENOMEM;
	err = v8_symbols_collect(o, symbols);
	if (err)
		return err;
	if (symbols->constant_count)
		examine(o, symbols, out);
	else
		decide(out, V8_ABSENT, "no V8 in this file");
	return 0;
}

static bool in_either(const uint64_t start[2], const uint64_t size[2],
		      uint64_t address)
{
	for (int i = 0; i < 2; i++)
		if (start[i] && address - start[i] < size[i])
			return true;
	return false;
}

bool v8_engine_allocates(const struct v8_engine *engine, uint64_t address)
{
	return in_either(engine->allocate, engine->allocate_size, address);
}

bool v8_engine_maps_heap(const struct v8_engine *engine, uint64_t address)
{
	return in_either(engine->allocate_page, engine->allocate_page_size,
			 address);
}

int v8_engine_bind(const struct v8_engine *engine, struct v8_memory *memory,
		   uint64_t bias, struct v8_layout *out)
{
	uint64_t group, table;
	int err;

	*out = engine->layout;
	if (!engine->default_isolate_group ||
	    !engine->isolate_group_dispatch_table)
		return 0;
	err = v8_read_word(memory, bias + engine->default_isolate_group,
			   &group);
	if (!err && !group)
		return -EAGAIN;
	if (!err)
		err = v8_read_word(memory,
				   group + engine->isolate_group_dispatch_table,
				   &table);
	if (err)
		return err;
	if (!table)
		return -EAGAIN;
	out->dispatch_table = table;
	return 0;
}
