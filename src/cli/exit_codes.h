/* SPDX-License-Identifier: GPL-2.0-only */
/* What the exit status says. Scripts rely on the numbers: never reuse one.
 * The man page repeats this list; a test compares the two. */
#ifndef CLI_EXIT_CODES_H
#define CLI_EXIT_CODES_H

#define EXIT_CODES(X)                                                          \
	X(OK, 0, "success: the final report was written")                      \
	X(INTERNAL, 1, "unexpected failure")                                   \
	X(USAGE, 2, "wrong options or nonsense numbers")                       \
	X(PRIVILEGES, 3, "not root, or a capability is missing")               \
	X(NO_PROCESS, 4, "no such process")                                    \
	X(NOT_A_PROGRAM, 5, "a kernel thread, a zombie, or a thread's id")     \
	X(ARCHITECTURE, 6, "a 32-bit program, or one for another processor")   \
	X(NO_ALLOCATOR, 7, "no known allocator in the process")                \
	X(KERNEL, 8, "the kernel lacks something that is needed")              \
	X(REFUSED, 9, "tracing could harm the process, so it is refused")      \
	X(OUTPUT, 10, "an output cannot be written")                           \
	X(GONE, 11, "the process ended before it could be traced")             \
	X(COMMAND, 12, "the command of -c could not be started")               \
	X(CAPTURE, 13, "a capture file cannot be read")                        \
	X(INTERRUPTED, 130, "second Ctrl-C: gave up at once")

enum exit_code {
#define X(id, number, text) EXIT_CODE_##id = number,
	EXIT_CODES(X)
#undef X
};

#endif
