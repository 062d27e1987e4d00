// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks that are hard to walk. Every scenario is one argument; all are built
 * without frame pointers.
 *
 *   depth N     N frames of recursion between `descend_top` and the leak
 *   signal      a handler on the same stack, interrupting a leaf function
 *   altstack    the same on an alternate stack
 *   libc        a handler that interrupts the C library
 *   vdso        a handler that interrupts the vdso
 *   drap        functions that realign their stack (DRAP), with alloca
 *   alloca      a frame of variable size
 *   asm         hand-written assembly with CFI
 *   asm-odd     the same, but its frame hangs on a register that no walk
 *               outside the process follows
 *   asm-bare    hand-written assembly without CFI, with a frame pointer
 *   asm-lost    hand-written assembly without CFI and frame pointer
 */
#include <alloca.h>
#include <immintrin.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "target.h"

SITE static void leak_here(void)
{
	target_sink = malloc(1000);
	KEEP_FRAME();
}

/* ---- Depth ----------------------------------------------------------------
 */

SITE static void descend(long n)
{
	if (n > 1)
		descend(n - 1);
	else
		leak_here();
	KEEP_FRAME();
}

SITE static void run_depth(long n)
{
	descend(n);
	KEEP_FRAME();
}

/* ---- Signals --------------------------------------------------------------
 */

static volatile sig_atomic_t caught;

SITE static void handler(int number)
{
	if (!caught)
		leak_here();
	caught = 1;
}

static void arm(bool alternate)
{
	static char stack[64 * 1024];
	stack_t alternative = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = alternate ? SA_ONSTACK : 0,
	};
	struct itimerval timer = {.it_value.tv_usec = 50 * 1000};

	if (alternate)
		sigaltstack(&alternative, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* A leaf without a frame: nothing is pushed, the return address is on top. */
SITE static uint64_t spin_in_leaf(uint64_t x)
{
	while (!caught)
		x = x * 6364136223846793005u + 1442695040888963407u;
	return x;
}

SITE static void run_signal(bool alternate)
{
	arm(alternate);
	target_sink = (void *)(uintptr_t)spin_in_leaf(1);
}

SITE static void run_libc(void)
{
	static char from[1 << 20], to[1 << 20];

	arm(false);
	while (!caught)
		memcpy(OPAQUE((char *)to), OPAQUE((char *)from), sizeof(from));
}

SITE static void run_vdso(void)
{
	struct timespec t;

	arm(false);
	while (!caught)
		for (int i = 0; i < 100; i++)
			clock_gettime(CLOCK_MONOTONIC, &t);
}

/* ---- Frames of their own kind ----------------------------------------------
 */

SITE __attribute__((force_align_arg_pointer)) static void realigned(size_t n)
{
	__attribute__((aligned(64))) char buffer[128];
	char *variable = alloca(n);

	memset(buffer, 1, sizeof(buffer));
	memset(variable, 2, n);
	target_sink = OPAQUE((char *)buffer);
	leak_here();
	target_sink = OPAQUE(variable);
}

SITE static void run_drap(void)
{
	for (size_t n = 1; n < 4000; n = n * 3 + 1)
		realigned(OPAQUE(n));
	KEEP_FRAME();
}

SITE static void variable_frame(size_t n)
{
	char *variable = alloca(n);

	memset(variable, 2, n);
	leak_here();
	target_sink = OPAQUE(variable);
}

SITE static void run_alloca(void)
{
	variable_frame(OPAQUE((size_t)100));
	variable_frame(OPAQUE((size_t)10000));
	KEEP_FRAME();
}

/* assembly.S */
void asm_with_cfi(void (*call)(void));
void asm_with_odd_cfi(void (*call)(void));
void asm_with_frame_pointer(void (*call)(void));
void asm_without_anything(void (*call)(void));

SITE static void run_asm(void (*function)(void (*)(void)))
{
	function(leak_here);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	const char *scenario = argc > 1 ? argv[1] : "depth";

	target_ready();
	if (!strcmp(scenario, "depth"))
		run_depth(argc > 2 ? atol(argv[2]) : 10);
	else if (!strcmp(scenario, "signal"))
		run_signal(false);
	else if (!strcmp(scenario, "altstack"))
		run_signal(true);
	else if (!strcmp(scenario, "libc"))
		run_libc();
	else if (!strcmp(scenario, "vdso"))
		run_vdso();
	else if (!strcmp(scenario, "drap"))
		run_drap();
	else if (!strcmp(scenario, "alloca"))
		run_alloca();
	else if (!strcmp(scenario, "asm"))
		run_asm(asm_with_cfi);
	else if (!strcmp(scenario, "asm-odd"))
		run_asm(asm_with_odd_cfi);
	else if (!strcmp(scenario, "asm-bare"))
		run_asm(asm_with_frame_pointer);
	else if (!strcmp(scenario, "asm-lost"))
		run_asm(asm_without_anything);
	return target_done();
}
