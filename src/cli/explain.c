/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/explain.h"

#include <errno.h>
#include <inttypes.h>

#include "base/diag.h"

static void print_object(FILE *out, const struct tracer_site *s)
{
	char build_id[2 * BUILD_ID_BYTES_MAX + 1], path[4096];

	object_build_id_text(s->object, build_id);
	if (s->processes > 1)
		fprintf(out, "\n%u processes", s->processes);
	else
		fprintf(out, "\nprocess %d", (int)s->pid);
	fprintf(out, ": %s\n",
		diag_escape(path, sizeof(path), s->object->path));
	fprintf(out, "  allocator %s, build-id %s\n",
		s->allocator ? s->allocator : "-",
		build_id[0] ? build_id : "none");
	fprintf(out, "  %-28s %-7s %-9s %-8s %-6s %10s  %s\n", "function",
		"offset", "probe", "link", "return", "hits", "instruction");
}

static void print_site(FILE *out, const struct tracer_site *s)
{
	char name[4 * sizeof(s->site.instruction)];
	char text[4 * sizeof(s->site.instruction)];

	diag_escape(name, sizeof(name), s->function);
	diag_escape(text, sizeof(text), s->site.instruction);
	fprintf(out,
		"  %-28s +0x%-4" PRIx32 " %-9s %-8s %-6s %10" PRIu64
		"  %s%s%s%s\n",
		name, s->site.offset, s->site.emulated ? "emulated" : "stepped",
		link_kind_name(s->link), s->return_probe ? "yes" : "no",
		s->hits, text, s->site.reason ? " (" : "",
		s->site.reason ? s->site.reason : "",
		s->site.reason ? ")" : "");
}

int explain_print(FILE *out, const struct tracer *t)
{
	size_t count = tracer_site_count(t);
	const struct object *object = NULL;

	fprintf(out,
		"%zu probe%s. \"emulated\": the kernel carries the probed "
		"instruction out itself;\n\"stepped\": it has to single-step "
		"it, which costs several times as much.\n",
		count, count == 1 ? "" : "s");
	for (size_t i = 0; i < count; i++) {
		struct tracer_site site;

		tracer_site(t, i, &site);
		if (!site.object)
			continue;
		if (site.object != object)
			print_object(out, &site);
		object = site.object;
		print_site(out, &site);
	}
	errno = 0;
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
