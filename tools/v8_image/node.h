/* SPDX-License-Identifier: GPL-2.0-only */
/* A Node process under ptrace. Any failure ends the program. */
#ifndef TOOLS_V8_IMAGE_NODE_H
#define TOOLS_V8_IMAGE_NODE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "v8/layout.h"

struct node {
	pid_t pid;
	FILE *output;
	/* Of the main thread, when it was stopped last. */
	uint64_t stack, stack_end;
};

void node_fail(const char *what) __attribute__((noreturn));
void node_start(struct node *n, char **arguments);
void node_stop(struct node *n);
/* Lets it run until the main thread is at `address`, not yet there now. */
void node_run_to(struct node *n, uint64_t address);
/* The engine among the files that it maps, and the load bias. */
void node_find_engine(const struct node *n, struct v8_engine *engine,
		      uint64_t *bias);
void node_end(struct node *n);

#endif
