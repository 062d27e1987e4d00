// SPDX-License-Identifier: GPL-2.0-only
#include "report/json_go.h"

void json_put_go(struct json *j, const struct report *r)
{
	if (!r->go)
		return;
	json_array(j, "go");
	for (size_t i = 0; i < r->go->heap_count; i++) {
		const struct report_go_heap *h = &r->go->heaps[i];

		json_object(j, NULL);
		json_number(j, "pid", (double)h->pid);
		json_number(j, "collections", (double)h->collections);
		if (h->settled_seconds_ago >= 0)
			json_number(j, "settled_seconds_ago",
				    h->settled_seconds_ago);
		if (h->rate_known)
			json_number(j, "sample_bytes", h->rate);
		json_end(j);
	}
	json_end(j);
}
