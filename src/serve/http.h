/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that speaks HTTP (libevent's evhttp). */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include <stdbool.h>

#define HTTP_TOKEN_BYTES 256

struct http_rules {
	char token[HTTP_TOKEN_BYTES]; /* "": none is asked for */
	bool check_host;	      /* it must name a loopback address */
	unsigned connections;
	unsigned timeout_seconds;
};

/* Serves until the other end of `control` is closed; then returns. 0 or
 * -errno. */
int http_serve(int control, int listener, const struct http_rules *rules);

#endif
