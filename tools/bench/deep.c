/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * malloc+free pairs below a given number of frames, each a function of its own
 * with a frame of its own size, without frame pointers. `set N`: N frames (at
 * least 7); `set 1000 + N`: the same, but every call chain begins at another
 * stack address, so that no walk can be answered from memory of an earlier one:
 * that is what unwinding itself costs.
 *
 * An operation is one pair, at the end of one descent, so the descent is in the
 * cost of every setting, untraced ones included.
 */
#include <alloca.h>

#include "target.h"

#define NOINLINE __attribute__((noinline, noclone))
#define PAIRS	 64

/* malloc, pairs, descend, batch, bench_work, start_thread, clone3 */
#define FRAMES_AROUND 7

/* Stack addresses used in turn: many times what leakbpf remembers. */
#define PLACES 16384

NOINLINE static uint64_t pairs(void)
{
	char *volatile p = malloc(64);

	free(p);
	return 1;
}

#define NO_LEVEL(unused) pairs()
#define LEVEL(n, next)                                                         \
	NOINLINE static uint64_t level_##n(uint64_t left)                      \
	{                                                                      \
		volatile char room[8 * (n) + 8];                               \
		uint64_t done;                                                 \
                                                                               \
		room[0] = n;                                                   \
		done = left > 1 ? next(left - 1) : pairs();                    \
		return done + room[0] - n;                                     \
	}
LEVEL(40, NO_LEVEL)
LEVEL(39, level_40) LEVEL(38, level_39) LEVEL(37, level_38) LEVEL(36, level_37)
LEVEL(35, level_36) LEVEL(34, level_35) LEVEL(33, level_34) LEVEL(32, level_33)
LEVEL(31, level_32) LEVEL(30, level_31) LEVEL(29, level_30) LEVEL(28, level_29)
LEVEL(27, level_28) LEVEL(26, level_27) LEVEL(25, level_26) LEVEL(24, level_25)
LEVEL(23, level_24) LEVEL(22, level_23) LEVEL(21, level_22) LEVEL(20, level_21)
LEVEL(19, level_20) LEVEL(18, level_19) LEVEL(17, level_18) LEVEL(16, level_17)
LEVEL(15, level_16) LEVEL(14, level_15) LEVEL(13, level_14) LEVEL(12, level_13)
LEVEL(11, level_12) LEVEL(10, level_11) LEVEL(9, level_10) LEVEL(8, level_9)
LEVEL(7, level_8) LEVEL(6, level_7) LEVEL(5, level_6) LEVEL(4, level_5)
LEVEL(3, level_4) LEVEL(2, level_3) LEVEL(1, level_2)

NOINLINE static uint64_t descend(uint64_t frames, size_t shift)
{
	volatile char *room = alloca(shift + 16);
	uint64_t done;

	room[0] = 0;
	done = frames > FRAMES_AROUND ? level_1(frames - FRAMES_AROUND) :
					pairs();
	return done + room[0];
}

static uint64_t batch(uint64_t setting)
{
	static size_t place;
	uint64_t done = 0;

	for (int i = 0; i < PAIRS; i++) {
		/* An odd stride: the addresses come in no particular order. */
		place = setting >= 1000 ? (place + 7919) % PLACES : 0;
		done += descend(setting % 1000, place * 16);
	}
	return done;
}

int main(void)
{
	return bench_main(batch, FRAMES_AROUND);
}
