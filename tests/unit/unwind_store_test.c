/* SPDX-License-Identifier: GPL-2.0-only */
/* Unwind tables of objects that come and go, in maps of the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/unwind_store.h"

#define RULES_EACH 240 /* of an object */
#define OBJECTS	   (UNWIND_RULES_EXT_MAX / RULES_EACH + 2)

struct fixture {
	char directory[64];
	struct object_registry *registry;
	struct object *objects[OBJECTS];
	struct unwind_store_maps maps;
	struct unwind_store *store;
};

/* ---- Objects --------------------------------------------------------------
 */

/* The nth object's first rule has CFA = *(rsp + this). */
static uint32_t first_offset(uint32_t n)
{
	return 1 + n * RULES_EACH;
}

static void write_source(struct fixture *f, uint32_t n)
{
	char path[128];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%u.s", f->directory, n);
	to = fopen(path, "w");
	assert_non_null(to);
	fprintf(to, ".text\n.globl all\nall:\n.cfi_startproc\n");
	for (uint32_t i = 0; i < RULES_EACH; i++) {
		uint32_t offset = first_offset(n) + i;

		fprintf(to, ".cfi_escape 0x0f, 4, 0x77, %u, %u, 6\nnop\n",
			0x80 | (offset & 0x7f), offset >> 7);
	}
	fprintf(to, ".cfi_endproc\n"
		    ".section .note.GNU-stack,\"\",@progbits\n");
	assert_int_equal(fclose(to), 0);
}

static void open_object(struct fixture *f, uint32_t n)
{
	char line[256], path[128];

	write_source(f, n);
	snprintf(path, sizeof(path), "%s/%u.so", f->directory, n);
	snprintf(line, sizeof(line), "cc -shared -nostdlib -o %s %s/%u.s", path,
		 f->directory, n);
	assert_int_equal(system(line), 0);
	assert_int_equal(object_open(f->registry,
				     open(path, O_RDONLY | O_CLOEXEC), path,
				     &f->objects[n]),
			 0);
}

/* ---- What the kernel has --------------------------------------------------
 */

/* How many rows of the nth object lead to the rule of their own. */
static uint32_t right_rows(struct fixture *f, uint32_t n)
{
	uint32_t id = f->objects[n]->id, map_id, right = 0;
	int rows_fd;

	assert_int_equal(bpf_map_lookup_elem(f->maps.objects_fd, &id, &map_id),
			 0);
	rows_fd = bpf_map_get_fd_by_id(map_id);
	assert_true(rows_fd >= 0);
	for (uint32_t i = 0; i < unwind_store_rows(f->store, id); i++) {
		struct unwind_row row;
		struct unwind_rule_ext rule;
		uint32_t number;

		assert_int_equal(bpf_map_lookup_elem(rows_fd, &i, &row), 0);
		if (UNWIND_RULE_KIND(row.rule) != UNWIND_EXT)
			continue;
		number = UNWIND_RULE_INDEX(row.rule);
		assert_int_equal(
			bpf_map_lookup_elem(f->maps.rules_fd, &number, &rule),
			0);
		right += rule.deref &&
			 rule.cfa_offset == (int32_t)(first_offset(n) + right);
	}
	close(rows_fd);
	return right;
}

static uint64_t roomless(struct fixture *f)
{
	struct unwind_store_stats s;

	unwind_store_stats(f->store, &s);
	return s.roomless_rows;
}

static void add(struct fixture *f, uint32_t n)
{
	assert_int_equal(unwind_store_add(f->store, f->objects[n], NULL, 0), 0);
}

/* ---- Tests ----------------------------------------------------------------
 */

static void rules_there_is_no_room_for_are_counted(void **state)
{
	struct fixture *f = *state;
	uint32_t missing = OBJECTS * RULES_EACH - UNWIND_RULES_EXT_MAX;

	for (uint32_t n = 0; n < OBJECTS; n++)
		add(f, n);
	assert_int_equal(roomless(f), missing);
	for (uint32_t n = 0; n < OBJECTS - 2; n++)
		assert_int_equal(right_rows(f, n), RULES_EACH);
	assert_int_equal(right_rows(f, OBJECTS - 2), 2 * RULES_EACH - missing);
	assert_int_equal(right_rows(f, OBJECTS - 1), 0);
}

static void objects_that_come_and_go_never_use_the_rules_up(void **state)
{
	struct fixture *f = *state;
	const uint32_t at_once = OBJECTS - 2;

	for (uint32_t i = 0; i < 5 * OBJECTS; i++) {
		if (i >= at_once)
			unwind_store_drop(
				f->store,
				f->objects[(i - at_once) % OBJECTS]->id);
		add(f, i % OBJECTS);
		assert_int_equal(right_rows(f, i % OBJECTS), RULES_EACH);
	}
	assert_int_equal(roomless(f), 0);
	/* The others' are still theirs. */
	for (uint32_t i = 5 * OBJECTS - at_once; i < 5 * OBJECTS; i++)
		assert_int_equal(right_rows(f, i % OBJECTS), RULES_EACH);
}

/* ---- Set-up ---------------------------------------------------------------
 */

static int make_maps(struct unwind_store_maps *maps)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	LIBBPF_OPTS(bpf_map_create_opts, inner,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	int like = bpf_map_create(BPF_MAP_TYPE_ARRAY, "like", sizeof(uint32_t),
				  sizeof(struct unwind_row), 1, &inner);

	opts.inner_map_fd = (uint32_t)like;
	maps->rules_fd = bpf_map_create(
		BPF_MAP_TYPE_ARRAY, "rules", sizeof(uint32_t),
		sizeof(struct unwind_rule_ext), UNWIND_RULES_EXT_MAX, NULL);
	maps->objects_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "objects",
					  sizeof(uint32_t), sizeof(uint32_t),
					  OBJECTS_MAX, &opts);
	if (like >= 0)
		close(like);
	return maps->rules_fd < 0 || maps->objects_fd < 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	*state = f;
	strcpy(f->directory, "/tmp/unwind_store_test.XXXXXX");
	f->registry = object_registry_new();
	if (!mkdtemp(f->directory) || !f->registry || make_maps(&f->maps))
		return -1;
	f->store = unwind_store_new(&f->maps, 64 << 20);
	for (uint32_t n = 0; n < OBJECTS; n++)
		open_object(f, n);
	return f->store ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char line[128];

	snprintf(line, sizeof(line), "rm -rf %s", f->directory);
	unwind_store_free(f->store);
	object_registry_free(f->registry);
	close(f->maps.rules_fd);
	close(f->maps.objects_fd);
	free(f);
	return system(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			rules_there_is_no_room_for_are_counted, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			objects_that_come_and_go_never_use_the_rules_up, setup,
			teardown),
	};

	if (geteuid() != 0) {
		print_message("SKIPPED: needs root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
