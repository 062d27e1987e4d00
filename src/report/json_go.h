/* SPDX-License-Identifier: GPL-2.0-only */
/* What JSON reports say about Go's heaps. */
#ifndef REPORT_JSON_GO_H
#define REPORT_JSON_GO_H

#include "report/json_writer.h"
#include "report/report.h"

/* Member "go", when a target is a Go program. */
void json_put_go(struct json *j, const struct report *r);

#endif
