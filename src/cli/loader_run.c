/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/loader_run.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "cli/signals.h"
#include "probe/catalogue.h"
#include "target/maps.h"
#include "target/proc_file.h"

#define PROGRAM_HEADERS_MAX 64
#define DYNAMIC_ENTRIES_MAX 256
#define AUXV_BYTES	    4096
/* _dl_debug_state is called twice; a program that makes it be called forever
 * is not waited for. */
#define STOPS_MAX 64

/* ---- Processor ----------------------------------------------------------- */

#if defined(__x86_64__)
#define BREAKPOINT_MASK 0xffUL
#define BREAKPOINT_CODE 0xccUL /* int3 */

static int get_pc(pid_t pid, uint64_t *pc)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &registers))
		return -errno;
	*pc = registers.rip - 1; /* a trap: the breakpoint has been passed */
	return 0;
}

static int set_pc(pid_t pid, uint64_t pc)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &registers))
		return -errno;
	registers.rip = pc;
	return ptrace(PTRACE_SETREGS, pid, NULL, &registers) ? -errno : 0;
}
#elif defined(__aarch64__)
#include <sys/uio.h>

#define BREAKPOINT_MASK 0xffffffffUL
#define BREAKPOINT_CODE 0xd4200000UL /* brk #0 */

static int registers_of(pid_t pid, int request,
			struct user_regs_struct *registers)
{
	struct iovec data = {registers, sizeof(*registers)};

	return ptrace(request, pid, (void *)NT_PRSTATUS, &data) ? -errno : 0;
}

static int get_pc(pid_t pid, uint64_t *pc)
{
	struct user_regs_struct registers;
	int err = registers_of(pid, PTRACE_GETREGSET, &registers);

	*pc = err ? 0 : registers.pc;
	return err;
}

static int set_pc(pid_t pid, uint64_t pc)
{
	struct user_regs_struct registers;
	int err = registers_of(pid, PTRACE_GETREGSET, &registers);

	registers.pc = pc;
	return err ? err : registers_of(pid, PTRACE_SETREGSET, &registers);
}
#endif

struct breakpoint {
	uint64_t address; /* 0: none */
	long original;	  /* the word there */
	bool set;
};

static int breakpoint_set(pid_t pid, struct breakpoint *b)
{
	unsigned long word;

	if (!b->address || b->set)
		return 0;
	errno = 0;
	b->original = ptrace(PTRACE_PEEKTEXT, pid, (void *)b->address, NULL);
	if (errno)
		return -errno;
	word = ((unsigned long)b->original & ~BREAKPOINT_MASK) |
	       BREAKPOINT_CODE;
	if (ptrace(PTRACE_POKETEXT, pid, (void *)b->address, (void *)word))
		return -errno;
	b->set = true;
	return 0;
}

static int breakpoint_clear(pid_t pid, struct breakpoint *b)
{
	if (!b->set)
		return 0;
	b->set = false;
	return ptrace(PTRACE_POKETEXT, pid, (void *)b->address,
		      (void *)b->original)
		       ? -errno
		       : 0;
}

/* ---- Waiting ------------------------------------------------------------- */

/* The next stop of the child; its status, or a negative errno. */
static int wait_stop(pid_t pid)
{
	for (;;) {
		int status;
		pid_t got = waitpid(pid, &status, __WALL);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got < 0) {
			if (signals_stop_requested())
				return -EINTR;
			continue;
		}
		if (!WIFSTOPPED(status))
			return -ECHILD;
		return status;
	}
}

static bool is_event(int status, int event)
{
	return status >> 8 == (SIGTRAP | event << 8);
}

/* Lets a stopped child go on; a stop by a signal is passed on. */
static int go_on(pid_t pid, int request, int status)
{
	int event = status >> 16, signal_number = WSTOPSIG(status);
	long pass = event || signal_number == SIGTRAP ? 0 : signal_number;

	return ptrace(request, pid, NULL, (void *)pass) ? -errno : 0;
}

int loader_wait_exec(pid_t pid)
{
	for (;;) {
		int err, status = wait_stop(pid);

		if (status < 0)
			return status;
		if (is_event(status, PTRACE_EVENT_EXEC))
			return 0;
		err = go_on(pid, PTRACE_CONT, status);
		if (err)
			return err == -ESRCH ? -ECHILD : err;
	}
}

/* ---- Finding the places -------------------------------------------------- */

struct start_facts {
	uint64_t entry, loader_base;
	uint64_t headers, header_count;
};

/* The auxiliary vector (getauxval(3)), as the kernel left it. */
static int read_facts(pid_t pid, struct start_facts *f)
{
	union {
		char bytes[AUXV_BYTES];
		Elf64_auxv_t entries[AUXV_BYTES / sizeof(Elf64_auxv_t)];
	} vector = {{0}};
	ssize_t got =
		proc_read(pid, "auxv", vector.bytes, sizeof(vector.bytes));

	*f = (struct start_facts){0};
	if (got < 0)
		return (int)got;
	for (size_t i = 0; i < (size_t)got / sizeof(vector.entries[0]); i++) {
		uint64_t value = vector.entries[i].a_un.a_val;

		switch (vector.entries[i].a_type) {
		case AT_ENTRY:
			f->entry = value;
			break;
		case AT_BASE:
			f->loader_base = value;
			break;
		case AT_PHDR:
			f->headers = value;
			break;
		case AT_PHNUM:
			f->header_count = value;
			break;
		}
	}
	return f->entry ? 0 : -ENOEXEC;
}

/* Run-time address of the loader's hook; 0 when there is no loader. */
static uint64_t find_hook(const struct process *process,
			  struct object_registry *objects,
			  const struct start_facts *facts)
{
	const struct mapping *mapping;
	uint64_t address, result = 0;
	struct object *loader;
	struct maps maps;
	int fd;

	if (!facts->loader_base || maps_read(&maps, process->pid, false))
		return 0;
	mapping = maps_find(&maps, facts->loader_base);
	fd = mapping ? process_open_mapping(process, mapping) : -ENOENT;
	if (fd >= 0 && !object_open(objects, fd, mapping->path, &loader) &&
	    catalogue_find_loader_hook(loader, &address))
		/* AT_BASE is the load bias of the interpreter. */
		result = facts->loader_base + address;
	maps_free(&maps);
	return result;
}

/* Run-time address of the program's dynamic section; 0 when unknown. */
static uint64_t find_dynamic(const struct process *process,
			     const struct start_facts *facts)
{
	Elf64_Phdr header[PROGRAM_HEADERS_MAX];
	uint64_t bias = 0, dynamic = 0;
	bool bias_known = false;
	size_t count = facts->header_count < PROGRAM_HEADERS_MAX
			       ? facts->header_count
			       : PROGRAM_HEADERS_MAX;

	if (process_read(process, facts->headers, header,
			 count * sizeof(header[0])) !=
	    (ssize_t)(count * sizeof(header[0])))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (header[i].p_type == PT_PHDR) {
			bias = facts->headers - header[i].p_vaddr;
			bias_known = true;
		} else if (header[i].p_type == PT_DYNAMIC) {
			dynamic = header[i].p_vaddr;
		}
	}
	return bias_known && dynamic ? bias + dynamic : 0;
}

/* Whether the loader says that it is done (SVR4 debugger interface, link.h):
 * the program's DT_DEBUG entry points to its struct r_debug. */
static bool loader_done(const struct process *process, uint64_t dynamic)
{
	Elf64_Dyn entry[DYNAMIC_ENTRIES_MAX];
	ssize_t got = process_read(process, dynamic, entry, sizeof(entry));
	struct r_debug debug;

	for (ssize_t i = 0; i < got / (ssize_t)sizeof(entry[0]); i++) {
		if (entry[i].d_tag == DT_NULL)
			break;
		if (entry[i].d_tag != DT_DEBUG || !entry[i].d_un.d_ptr)
			continue;
		return process_read(process, entry[i].d_un.d_ptr, &debug,
				    sizeof(debug)) == sizeof(debug) &&
		       debug.r_state == RT_CONSISTENT;
	}
	return false;
}

/* ---- Running ------------------------------------------------------------- */

struct run {
	const struct process *process;
	pid_t pid;
	uint64_t dynamic;
	struct breakpoint hook, entry;
};

static int clear_all(struct run *r)
{
	int err = breakpoint_clear(r->pid, &r->hook);

	return err ? err : breakpoint_clear(r->pid, &r->entry);
}

/* Past the hook and on: its instruction is executed with the breakpoint
 * taken out. */
static int step_over_hook(struct run *r)
{
	int status, err = breakpoint_clear(r->pid, &r->hook);

	if (!err)
		err = set_pc(r->pid, r->hook.address);
	if (!err && ptrace(PTRACE_SINGLESTEP, r->pid, NULL, NULL))
		err = -errno;
	if (err)
		return err;
	status = wait_stop(r->pid);
	if (status < 0)
		return status;
	err = breakpoint_set(r->pid, &r->hook);
	return err ? err : go_on(r->pid, PTRACE_CONT, status);
}

/* Handles one stop: 1 arrived, 0 it goes on, or -errno. */
static int handle_stop(struct run *r, int status)
{
	uint64_t pc = 0;
	int err;

	/* A constructor has called exec: the new program is watched from its
	 * first instruction, the breakpoints are gone with the old one. */
	if (is_event(status, PTRACE_EVENT_EXEC)) {
		r->hook.set = r->entry.set = false;
		return 1;
	}
	if (status >> 8 != SIGTRAP)
		return go_on(r->pid, PTRACE_CONT, status);
	err = get_pc(r->pid, &pc);
	if (err)
		return err;
	if (r->hook.set && pc == r->hook.address &&
	    !loader_done(r->process, r->dynamic))
		return step_over_hook(r);
	if (!(r->hook.set && pc == r->hook.address) &&
	    !(r->entry.set && pc == r->entry.address))
		return go_on(r->pid, PTRACE_CONT, status);
	err = clear_all(r);
	if (!err)
		err = set_pc(r->pid, pc);
	return err ? err : 1;
}

int loader_run(const struct process *process, struct object_registry *objects)
{
	struct run r = {.process = process, .pid = process->pid};
	struct start_facts facts;
	int err = read_facts(r.pid, &facts);

	if (err)
		return err;
	r.entry.address = facts.entry;
	r.dynamic = find_dynamic(process, &facts);
	if (r.dynamic)
		r.hook.address = find_hook(process, objects, &facts);
	diag_debug("process %d: waiting at %s", (int)r.pid,
		   r.hook.address ? "the loader's hook" : "the entry point");
	err = breakpoint_set(r.pid, &r.hook);
	if (!err)
		err = breakpoint_set(r.pid, &r.entry);
	if (!err && ptrace(PTRACE_CONT, r.pid, NULL, NULL))
		err = -errno;
	for (int stops = 0; !err && stops < STOPS_MAX; stops++) {
		int status = wait_stop(r.pid);

		err = status < 0 ? status : handle_stop(&r, status);
	}
	if (err == 1)
		return 0;
	return err == -ESRCH ? -ECHILD : err ? err : -ELOOP;
}
