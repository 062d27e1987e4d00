/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/names.h"

#include <errno.h>

#include "symbol/js_names.h"

static int live_resolve(void *context, uint32_t tgid, const uint64_t *frames,
			size_t count)
{
	const struct names_live *live = context;
	int err = symbolizer_resolve(live->symbols, (int)tgid, frames, count);

	if (live->scripts)
		js_names_show(live->scripts, frames, count);
	/* Anything else was reported, and the frames have fallback symbols. */
	return err == -ENOMEM ? err : 0;
}

static const struct symbol *live_get(void *context, uint64_t frame)
{
	const struct names_live *live = context;

	return symbolizer_get(live->symbols, frame);
}

static bool live_object(void *context, uint32_t id, struct names_object *out)
{
	const struct names_live *live = context;
	const struct object *o = object_by_id(live->objects, id);

	if (!o)
		return false;
	*out = (struct names_object){
		.path = o->path,
		.build_id = o->build_id,
		.build_id_size = o->build_id_size,
		.text_start = o->text_base,
		.text_end = o->text_end,
	};
	if (!object_address_to_offset(o, o->text_base, &out->text_offset))
		out->text_offset = 0;
	return true;
}

static uint32_t live_given_up(void *context)
{
	const struct names_live *live = context;
	struct symbolizer_stats stats;

	symbolizer_stats(live->symbols, &stats);
	return stats.objects_given_up;
}

struct names names_of_live(struct names_live *live)
{
	return (struct names){
		.resolve = live_resolve,
		.get = live_get,
		.object = live_object,
		.objects_given_up = live_given_up,
		.context = live,
	};
}
