// SPDX-License-Identifier: GPL-2.0-only
/* The table of outstanding blocks, compiled for user space: nothing is lost,
 * nothing is taken twice, and no line keeps anything when all is freed. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "leakbpf/abi_user.h"

#undef __always_inline
#define __always_inline	      inline __attribute__((always_inline))
#define __noinline	      static __attribute__((noinline))
#define barrier_var(variable) __asm__ volatile("" : "+r"(variable))
#define arch_store_release(to, value)                                          \
	__atomic_store_n(to, value, __ATOMIC_RELEASE)

#define LINES	  1024
#define SIZED_FOR (LINES * 4) /* as src/trace/memory_plan.c fills it */

static const uint32_t block_line_mask = LINES - 1;
static uint64_t block_hash_seed;
static struct block_line lines[LINES];
static struct block blocks[LINES * BLOCK_LINE_KEYS];

static struct block_line *block_line_at(uint32_t line)
{
	return line < LINES ? &lines[line] : NULL;
}

static struct block *block_at(uint32_t number)
{
	return number < LINES * BLOCK_LINE_KEYS ? &blocks[number] : NULL;
}

#include "block_table.h"

static int empty_table(void **state)
{
	(void)state;
	memset(lines, 0, sizeof(lines));
	memset(blocks, 0, sizeof(blocks));
	block_hash_seed = 0x2545f4914f6cdd1dULL;
	return 0;
}

static struct block block_of(uint64_t address, uint32_t owner)
{
	return (struct block){
		.size = address * 3 + 1,
		.birth_ns = address ^ owner,
		.booking = BLOCK_BOOKING(7, (uint32_t)address | 1),
		.owner = owner,
	};
}

static bool insert(uint64_t address, uint32_t owner)
{
	struct block b = block_of(address, owner);

	return block_insert(address, &b);
}

static void assert_extracts(uint64_t address, uint32_t owner)
{
	struct block expected = block_of(address, owner), b;

	block_extract(address, owner, &b);
	assert_int_equal(b.booking, expected.booking);
	assert_int_equal(b.size, expected.size);
	assert_int_equal(b.birth_ns, expected.birth_ns);
	assert_int_equal(b.owner, owner);
	block_extract(address, owner, &b);
	assert_int_equal(b.booking, 0);
}

static void assert_nothing_left(void)
{
	for (unsigned n = 0; n < LINES; n++) {
		assert_int_equal(lines[n].displaced, 0);
		for (unsigned k = 0; k < BLOCK_LINE_KEYS; k++)
			assert_int_equal(lines[n].keys[k], 0);
	}
	for (unsigned i = 0; i < LINES * BLOCK_LINE_KEYS; i++)
		assert_int_equal(blocks[i].booking, 0);
}

static uint64_t nth_address(unsigned i, unsigned spacing)
{
	return 0x7f1234000010ULL + (uint64_t)i * spacing;
}

/* Three quarters of what the table is sized for is where the loader begins to
 * thin it: up to there every block must find a place, whatever the seed. */
static void holds_what_it_is_sized_for(void **state)
{
	const unsigned spacings[] = {16, 32, 48, 4096, 65536};

	for (unsigned i = 0; i < 5 * 16; i++) {
		unsigned spacing = spacings[i % 5], lost = 0, n;

		empty_table(state);
		block_hash_seed = (i + 1) * 0xd1342543de82ef95ULL;
		for (n = 0; n < SIZED_FOR * 3 / 4; n++)
			assert_true(insert(nth_address(n, spacing), 42));
		for (; n < SIZED_FOR; n++)
			lost += !insert(nth_address(n, spacing), 42);
		assert_in_range(lost, 0, SIZED_FOR / 1000);
		for (n = 0; n < SIZED_FOR * 3 / 4; n++)
			assert_extracts(nth_address(n, spacing), 42);
		for (; n < SIZED_FOR; n++) {
			struct block b;

			block_extract(nth_address(n, spacing), 42, &b);
		}
		assert_nothing_left();
	}
}

static void refuses_but_never_evicts(void **state)
{
	static bool in[LINES * BLOCK_LINE_KEYS * 2];
	unsigned all = sizeof(in) / sizeof(*in), refused = 0;

	(void)state;
	for (unsigned i = 0; i < all; i++) {
		in[i] = insert(nth_address(i, 16), 1);
		refused += !in[i];
	}
	assert_true(refused >= all / 2);
	for (unsigned i = 0; i < all; i++)
		if (in[i])
			assert_extracts(nth_address(i, 16), 1);
		else
			assert_int_equal(block_find(nth_address(i, 16), 1),
					 BLOCK_NOWHERE);
	assert_nothing_left();
}

/* Process ids that differ by 65536 share their part of the key. */
static void tells_owners_apart(void **state)
{
	const uint32_t owners[] = {1, 2, 1 + 65536, 1 + 2 * 65536, 4194304};

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		assert_true(insert(0x1000, owners[i]));
	assert_int_equal(block_find(0x1000, 3), BLOCK_NOWHERE);
	assert_int_equal(block_find(0x1000, 2 + 65536), BLOCK_NOWHERE);
	for (unsigned i = 5; i-- > 0;)
		assert_extracts(0x1000, owners[i]);
	assert_nothing_left();
}

static void a_claimed_entry_is_seen_by_nobody(void **state)
{
	uint32_t where = block_claim(0x5000, 9);
	struct block b;

	(void)state;
	assert_int_not_equal(where, BLOCK_NOWHERE);
	assert_int_equal(block_find(0x5000, 9), BLOCK_NOWHERE);
	block_extract(0x5000, 9, &b);
	assert_int_equal(b.booking, 0);
	block_release(where, 0x5000, 9);
	assert_nothing_left();
}

/* ---- Several processors ----------------------------------------------------
 */

#define THREADS	   4
#define PER_THREAD 1000
#define ROUNDS	   300
#define ROUNDS_MAX 30000 /* for a sweeper that is kept waiting */

static volatile bool sweeping;
static volatile uint64_t swept;

struct churner {
	uint32_t owner;
	uint64_t refused, taken, missed, rounds;
};

static bool goes_on(uint64_t rounds)
{
	return rounds < ROUNDS || (sweeping && !swept && rounds < ROUNDS_MAX);
}

/* Inserts and takes out its own blocks over and over. */
static void *churn(void *argument)
{
	struct churner *c = argument;

	for (; goes_on(c->rounds); c->rounds++) {
		for (unsigned i = 0; i < PER_THREAD; i++)
			c->refused += !insert(nth_address(i, 16), c->owner);
		for (unsigned i = 0; i < PER_THREAD; i++) {
			struct block b;

			block_extract(nth_address(i, 16), c->owner, &b);
			if (!b.booking)
				c->missed++;
			else if (b.size == nth_address(i, 16) * 3 + 1 &&
				 b.owner == c->owner)
				c->taken++;
		}
	}
	return NULL;
}

/* Takes blocks off as the loader's passes do (bpf/upkeep.h). */
static void *sweep(void *argument)
{
	(void)argument;
	while (sweeping)
		for (uint32_t i = 0; i < LINES * BLOCK_LINE_KEYS; i += 5) {
			uint32_t where =
				i / BLOCK_LINE_KEYS << 3 | i % BLOCK_LINE_KEYS;
			struct block *b = &blocks[i];
			uint32_t owner;

			if (!b->booking ||
			    !__sync_lock_test_and_set(&b->booking, 0))
				continue;
			owner = b->owner;
			block_release(where,
				      block_key(*block_key_at(where), owner),
				      owner);
			swept++;
		}
	return NULL;
}

static void run_threads(bool with_sweeper)
{
	struct churner churners[THREADS] = {0};
	uint64_t refused = 0, taken = 0, missed = 0, rounds = 0;
	pthread_t threads[THREADS], sweeper;

	swept = 0;
	sweeping = with_sweeper;
	if (with_sweeper)
		pthread_create(&sweeper, NULL, sweep, NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		churners[i].owner = 100 + i % 2 + i / 2 * 65536;
		pthread_create(&threads[i], NULL, churn, &churners[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		refused += churners[i].refused;
		taken += churners[i].taken;
		missed += churners[i].missed;
		rounds += churners[i].rounds;
	}
	sweeping = false;
	if (with_sweeper)
		pthread_join(sweeper, NULL);
	assert_int_equal(taken + missed, rounds * PER_THREAD);
	/* Each was taken once: by its thread or by the sweeper. */
	assert_int_equal(missed, refused + swept);
	assert_nothing_left();
}

static void threads_take_each_block_once(void **state)
{
	(void)state;
	run_threads(false);
	empty_table(state);
	run_threads(true);
	assert_true(swept > 0);
}

#define TEST(name) cmocka_unit_test_setup(name, empty_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(holds_what_it_is_sized_for),
		TEST(refuses_but_never_evicts),
		TEST(tells_owners_apart),
		TEST(a_claimed_entry_is_seen_by_nobody),
		TEST(threads_take_each_block_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
