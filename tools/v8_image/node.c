/* SPDX-License-Identifier: GPL-2.0-only */
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/maps.h"

#define INT3 0xccL

void node_fail(const char *what)
{
	fprintf(stderr, "v8_image: %s: %s\n", what, strerror(errno));
	exit(1);
}

void node_start(struct node *n, char **arguments)
{
	int ends[2];

	if (pipe(ends))
		node_fail("pipe");
	n->pid = fork();
	if (n->pid == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		execv(arguments[0], arguments);
		node_fail(arguments[0]);
	}
	close(ends[1]);
	n->output = fdopen(ends[0], "r");
	if (n->pid < 0 || !n->output)
		node_fail("fork");
}

static void find_stack(struct node *n)
{
	struct user_regs_struct registers;
	const struct mapping *m;
	struct maps maps;

	if (ptrace(PTRACE_GETREGS, n->pid, NULL, &registers) ||
	    maps_read(&maps, n->pid, false))
		node_fail("registers");
	m = maps_find(&maps, registers.rsp);
	if (!m)
		node_fail("no stack");
	n->stack = registers.rsp;
	n->stack_end = m->end;
	maps_free(&maps);
}

void node_stop(struct node *n)
{
	int status;

	usleep(200000); /* from the last line of output to the wait */
	if (ptrace(PTRACE_SEIZE, n->pid, NULL, (void *)PTRACE_O_EXITKILL) ||
	    ptrace(PTRACE_INTERRUPT, n->pid, NULL, NULL) ||
	    waitpid(n->pid, &status, 0) != n->pid || !WIFSTOPPED(status))
		node_fail("ptrace");
	find_stack(n);
}

static void put_word(const struct node *n, uint64_t address, long word)
{
	if (ptrace(PTRACE_POKETEXT, n->pid, (void *)address, (void *)word))
		node_fail("breakpoint");
}

void node_run_to(struct node *n, uint64_t address)
{
	struct user_regs_struct registers;
	int status;
	long code;

	/* One instruction first: it may stand there. */
	if (ptrace(PTRACE_SINGLESTEP, n->pid, NULL, NULL) ||
	    waitpid(n->pid, &status, 0) != n->pid)
		node_fail("step");
	code = ptrace(PTRACE_PEEKTEXT, n->pid, (void *)address, NULL);
	put_word(n, address, (code & ~0xffL) | INT3);
	if (ptrace(PTRACE_CONT, n->pid, NULL, NULL) ||
	    waitpid(n->pid, &status, 0) != n->pid || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTRAP ||
	    ptrace(PTRACE_GETREGS, n->pid, NULL, &registers) ||
	    registers.rip != address + 1)
		node_fail("breakpoint not reached");
	put_word(n, address, code);
	registers.rip = address;
	if (ptrace(PTRACE_SETREGS, n->pid, NULL, &registers))
		node_fail("registers");
	find_stack(n);
}

void node_find_engine(const struct node *n, struct v8_engine *engine,
		      uint64_t *bias)
{
	struct object_registry *objects = object_registry_new();
	struct maps maps;

	if (!objects || maps_read(&maps, n->pid, true))
		node_fail("maps");
	for (size_t i = 0; i < maps.count; i++) {
		const struct mapping *m = &maps.list[i];
		struct object *o;
		uint64_t address;

		if (!m->inode ||
		    object_open(objects, open(m->path, O_RDONLY), m->path,
				&o) ||
		    v8_engine_find(o, engine) || engine->support < V8_FRAMES ||
		    !object_offset_to_address(o, m->file_offset, &address))
			continue;
		*bias = m->start - address;
		break;
	}
	if (engine->support < V8_FRAMES)
		node_fail(engine->reason);
	maps_free(&maps);
	object_registry_free(objects);
}

void node_end(struct node *n)
{
	kill(n->pid, SIGKILL);
	waitpid(n->pid, NULL, 0);
	fclose(n->output);
}
