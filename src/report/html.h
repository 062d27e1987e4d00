/* SPDX-License-Identifier: GPL-2.0-only */
/* The page around a document of leakbpf: parts from src/report/page, which is
 * where it is programmed. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdio.h>

/* `put_data` writes the document in JSON. 0 or what it returned. */
int html_write(FILE *out, int (*put_data)(FILE *out, void *context),
	       void *context);

#endif
