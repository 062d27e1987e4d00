/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/json_frames.h"

void json_put_frames(struct json *j, const struct document *d)
{
	json_array(j, "frames");
	for (uint32_t i = 0; i < intern_count(d->frames); i++) {
		const struct document_frame *f = document_frame(d, i);

		json_object(j, NULL);
		json_text(j, "function", document_text(d, f->function));
		if (f->file != DOCUMENT_NONE)
			json_text(j, "file", document_text(d, f->file));
		if (f->line)
			json_number(j, "line", f->line);
		if (f->column)
			json_number(j, "column", f->column);
		if (f->generated_file != DOCUMENT_NONE) {
			json_object(j, "generated");
			json_text(j, "file",
				  document_text(d, f->generated_file));
			json_number(j, "line", f->generated_line);
			json_number(j, "column", f->generated_column);
			json_end(j);
		}
		if (f->module != DOCUMENT_NONE)
			json_text(j, "module", document_text(d, f->module));
		if (f->flags & DOCUMENT_FRAME_INLINED)
			json_bool(j, "inlined", true);
		if (f->flags & DOCUMENT_FRAME_ROOT)
			json_bool(j, "root", true);
		json_end(j);
	}
	json_end(j);
}

void json_put_path(struct json *j, const struct document *d,
		   const struct document_stack *s)
{
	json_array(j, "frames");
	for (uint32_t i = 0; i < s->depth; i++)
		json_number(j, NULL, d->path[s->path + i]);
	json_end(j);
	if (s->blame != DOCUMENT_NONE)
		json_number(j, "blame", s->blame);
}
