// SPDX-License-Identifier: GPL-2.0-only
#include "probe/own_function.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define OWN_SPACING 16 /* bytes from one function to the next */

/* Written in assembly because the first instruction is the point. Which ones
 * are emulated: arch/x86/kernel/uprobes.c, arch/arm64/kernel/probes/. */
#if defined(__x86_64__)
#define EMULATED_BODY "push %rbp\n pop %rbp\n ret\n"
#define STEPPED_BODY  "test %rdi, %rdi\n ret\n"
#elif defined(__aarch64__)
#define EMULATED_BODY "b 1f\n 1: ret\n"
#define STEPPED_BODY  "mov x9, x9\n ret\n"
#else
#error "unknown architecture"
#endif

/* clang-format off */
__asm__(
	".pushsection .text\n"
	".balign 16\n"
	".globl leakbpf_own_emulated\n"
	".hidden leakbpf_own_emulated\n"
	".type leakbpf_own_emulated, %function\n"
	"leakbpf_own_emulated:\n"
	".rept 16\n"
	".balign 16\n"
	EMULATED_BODY
	".endr\n"
	".balign 16\n"
	".globl leakbpf_own_stepped\n"
	".hidden leakbpf_own_stepped\n"
	".type leakbpf_own_stepped, %function\n"
	"leakbpf_own_stepped:\n"
	".rept 16\n"
	".balign 16\n"
	STEPPED_BODY
	".endr\n"
	".popsection\n");
/* clang-format on */

_Static_assert(OWN_FUNCTIONS == 16, "as many as .rept makes");

extern void leakbpf_own_emulated(void) __attribute__((visibility("hidden")));
extern void leakbpf_own_stepped(void) __attribute__((visibility("hidden")));

own_function own_function_get(enum own_function_kind kind, unsigned index)
{
	uintptr_t first =
		(uintptr_t)(kind == OWN_EMULATED ? leakbpf_own_emulated
						 : leakbpf_own_stepped);

	return (own_function)(first + (uintptr_t)index * OWN_SPACING);
}

int own_function_offset(own_function f, uint64_t *file_offset)
{
	FILE *maps CLEANUP_FCLOSE = fopen("/proc/self/maps", "re");
	char *line CLEANUP_FREE = NULL;
	size_t capacity = 0;

	if (!maps)
		return -errno;
	/* Link-time addresses would need the segment table and the load bias,
	 * which differ for static, static-pie and PIE; the mapping tells. */
	while (getline(&line, &capacity, maps) > 0) {
		uint64_t start, end, offset;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &start,
			   &end, &offset) != 3)
			continue;
		if ((uintptr_t)f < start || (uintptr_t)f >= end)
			continue;
		*file_offset = (uintptr_t)f - start + offset;
		return 0;
	}
	return -ENOENT;
}

int own_executable_open(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
