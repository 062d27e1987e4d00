/* SPDX-License-Identifier: GPL-2.0-only */
/* What a hostile or broken object, a dying worker and too little time or
 * memory do: names get worse, nothing else happens. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "symbol_fixture.h"

static const char source[] = "__attribute__((noinline)) int work(int x)\n"
			     "{\n"
			     "	where(\"work\", __LINE__, 0, 0);\n"
			     "	return x + 1;\n"
			     "}\n"
			     "int main(int argc, char **argv)\n"
			     "{\n"
			     "	return work(argc) == 0;\n"
			     "}\n";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture_start(f, NULL);
	fixture_write(f, "work.c", fixture_common, source);
	assert_int_equal(fixture_run(f, "gcc -O1 -g -o program work.c"), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fixture_stop(f);
	free(f);
	return 0;
}

static void restart(struct fixture *f, const struct symbolizer_options *options)
{
	symbolizer_free(f->symbols);
	f->symbols = symbolizer_new(f->objects, options);
	assert_non_null(f->symbols);
}

static struct symbolizer_stats stats(const struct fixture *f)
{
	struct symbolizer_stats now;

	symbolizer_stats(f->symbols, &now);
	return now;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void check_work(struct fixture *f, const char *program)
{
	uint32_t lines[3];
	uint64_t address = fixture_where(f, "program", "work", lines);
	const struct symbol *s =
		fixture_resolve(f, fixture_open(f, program), address);

	check_level(s, 0, "work", "work.c", lines[0], false);
}

/* ---- The worker's life -------------------------------------------------- */

static void a_killed_worker_is_replaced(void **state)
{
	struct fixture *f = *state;

	check_work(f, "program");
	pid_t first = symbolizer_worker(f->symbols);
	assert_true(first > 0);
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_int_equal(fixture_run(f, "cp program second"), 0);
	check_work(f, "second");
	assert_true(symbolizer_worker(f->symbols) > 0);
	assert_int_not_equal(symbolizer_worker(f->symbols), first);
	assert_int_equal(stats(f).worker_deaths, 1);
	assert_int_equal(stats(f).objects_given_up, 0);
}

static void an_idle_worker_leaves_and_that_is_no_death(void **state)
{
	struct fixture *f = *state;
	struct symbolizer_options options = {.idle_ms = 100};

	restart(f, &options);
	check_work(f, "program");
	pid_t worker = symbolizer_worker(f->symbols);
	for (int i = 0; i < 300 && kill(worker, 0) == 0; i++)
		usleep(10000);
	/* Gone altogether, not a zombie. */
	assert_int_equal(kill(worker, 0), -1);
	assert_int_equal(fixture_run(f, "cp program second"), 0);
	check_work(f, "second");
	assert_int_equal(stats(f).worker_deaths, 0);
}

static void a_stuck_worker_costs_bounded_time(void **state)
{
	struct fixture *f = *state;
	struct symbolizer_options options = {.request_ms = 300};

	restart(f, &options);
	check_work(f, "program");
	assert_int_equal(kill(symbolizer_worker(f->symbols), SIGSTOP), 0);
	assert_int_equal(fixture_run(f, "cp program second"), 0);
	struct object *o = fixture_open(f, "second");
	uint32_t lines[3];
	uint64_t address = fixture_where(f, "program", "work", lines);
	double start = seconds();
	const struct symbol *s = fixture_resolve(f, o, address);
	assert_true(seconds() - start >= 0.3);
	assert_true(seconds() - start < 1.5);
	/* Its DWARF is blamed, its symbol table still answers. */
	check_level(s, 0, "work", NULL, 0, false);
	assert_null(s->levels[0].file);
	assert_int_equal(stats(f).worker_deaths, 1);
	assert_int_equal(stats(f).objects_given_up, 1);
}

static bool status_has(pid_t pid, const char *expected)
{
	char path[64], line[256];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		found |= !strncmp(line, expected, strlen(expected));
	fclose(file);
	return found;
}

static void the_worker_has_no_rights(void **state)
{
	struct fixture *f = *state;

	check_work(f, "program");
	pid_t worker = symbolizer_worker(f->symbols);
	assert_true(status_has(worker, "CapEff:\t0000000000000000"));
	assert_true(status_has(worker, "CapPrm:\t0000000000000000"));
	assert_true(status_has(worker, "CapAmb:\t0000000000000000"));
	assert_true(status_has(worker, "NoNewPrivs:\t1"));
	if (getuid() == 0) {
		assert_true(status_has(worker, "CapBnd:\t0000000000000000"));
		assert_true(status_has(worker, "Uid:\t65534\t65534\t65534"));
		assert_true(status_has(worker, "Gid:\t65534\t65534\t65534"));
		assert_true(status_has(worker, "Groups:\t \n"));
	}
#if !defined(__SANITIZE_ADDRESS__)
	assert_true(status_has(worker, "Seccomp:\t2"));
#endif
}

static void nothing_stays_behind(void **state)
{
	struct fixture *f = *state;

	check_work(f, "program");
	pid_t worker = symbolizer_worker(f->symbols);
	symbolizer_free(f->symbols);
	assert_int_equal(kill(worker, 0), -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	f->symbols = symbolizer_new(f->objects, NULL);
}

/* ---- Hostile objects ---------------------------------------------------- */

static void a_file_truncated_under_the_worker_kills_only_that(void **state)
{
	struct fixture *f = *state;
	uint32_t lines[3];
	uint64_t address = fixture_where(f, "program", "work", lines);
	char path[256];

	assert_int_equal(fixture_run(f, "cp program shrinking"), 0);
	struct object *o = fixture_open(f, "shrinking");
	fixture_resolve(f, o, address + 1);
	/* It is mapped now; touching what is gone raises SIGBUS. */
	snprintf(path, sizeof(path), "%s/shrinking", f->folder);
	assert_int_equal(truncate(path, 64), 0);
	uint64_t frames[300];
	for (size_t i = 0; i < 300; i++)
		frames[i] = frame_of(o, o->text_base + i);
	assert_int_equal(symbolizer_resolve(f->symbols, getpid(), frames, 300),
			 0);
	for (size_t i = 0; i < 300; i++)
		assert_true(symbolizer_get(f->symbols, frames[i])
				    ->levels[0]
				    .function[0]);
	assert_true(stats(f).worker_deaths >= 1);
	/* The next object is not affected. */
	check_work(f, "program");
}

/* Kills each worker of `zygote` as soon as it is seen. */
static void hunt_workers(pid_t zygote)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", zygote,
		 zygote);
	for (;;) {
		FILE *file = fopen(path, "r");
		int worker;

		if (!file)
			_exit(0);
		while (fscanf(file, "%d", &worker) == 1)
			kill(worker, SIGKILL);
		fclose(file);
	}
}

static pid_t zygote_of(pid_t worker)
{
	char path[64], line[256];
	pid_t parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", worker);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "PPid:\t%d", &parent);
	fclose(file);
	assert_true(parent > 1);
	return parent;
}

static void an_object_that_keeps_killing_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct object *o = fixture_open(f, "program");
	uint64_t address = o->text_base;

	check_work(f, "program");
	pid_t zygote = zygote_of(symbolizer_worker(f->symbols));
	pid_t hunter = fork();
	if (hunter == 0)
		hunt_workers(zygote);
	/* It dies at some request or between two; only the former count. */
	for (int i = 0; i < 20000 && !stats(f).objects_given_up; i++)
		fixture_resolve(f, o, address++);
	kill(hunter, SIGKILL);
	waitpid(hunter, NULL, 0);
	assert_true(stats(f).worker_deaths >= 2);
	assert_int_equal(stats(f).objects_given_up, 1);
	/* Others still get everything. */
	assert_int_equal(fixture_run(f, "cp program second"), 0);
	check_work(f, "second");
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Where the sections that matter to the worker are in the file. */
static size_t parsed_ranges(const struct fixture *f, unsigned long list[][2],
			    size_t most)
{
	char command[512];
	size_t count = 0;

	snprintf(command, sizeof(command),
		 "cd %s && readelf -SW program | sed 's/^ *\\[ *[0-9]*\\]//' | "
		 "awk '$1 ~ /debug|symtab|strtab/ { print $4, $5 }'",
		 f->folder);
	FILE *output = popen(command, "r");
	assert_non_null(output);
	while (count < most &&
	       fscanf(output, "%lx %lx", &list[count][0], &list[count][1]) == 2)
		count++;
	pclose(output);
	assert_true(count >= 5);
	return count;
}

static size_t read_file(const struct fixture *f, const char *name,
			uint8_t **bytes)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	*bytes = malloc(1 << 20);
	size_t size = fread(*bytes, 1, 1 << 20, file);
	fclose(file);
	return size;
}

static void write_bytes(const struct fixture *f, const char *name,
			const uint8_t *bytes, size_t size)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

/* Resolves addresses all over the object; every frame must have a symbol.
 * False: not taken for an object at all. */
static bool resolve_everywhere(struct fixture *f, const char *name)
{
	char path[256];
	struct object *o = NULL;
	uint64_t frames[64];

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (object_open(f->objects, fd, path, &o))
		return false;
	for (size_t i = 0; i < 64; i++)
		frames[i] = frame_of(o, (o->text_base + i * 7) &
						FRAME_ADDRESS_MASK);
	assert_int_equal(symbolizer_resolve(f->symbols, getpid(), frames, 64),
			 0);
	for (size_t i = 0; i < 64; i++) {
		const struct symbol *s = symbolizer_get(f->symbols, frames[i]);

		assert_true(s->level_count >= 1);
		for (uint32_t l = 0; l < s->level_count; l++)
			assert_true(s->levels[l].function[0] != '\0');
	}
	return true;
}

static void corrupted_debug_information_is_survived(void **state)
{
	struct fixture *f = *state;
	unsigned long ranges[32][2];
	size_t range_count = parsed_ranges(f, ranges, 32);
	uint8_t *bytes;
	size_t size = read_file(f, "program", &bytes);
	uint8_t *copy = malloc(size);
	uint32_t seed = 20240607;

	for (int variant = 0; variant < 150; variant++) {
		char name[32];
		int flips = 1 + variant % 40;

		memcpy(copy, bytes, size);
		for (int i = 0; i < flips; i++) {
			unsigned long *r =
				ranges[next_random(&seed) % range_count];

			copy[(r[0] + next_random(&seed) % r[1]) % size] =
				(uint8_t)next_random(&seed);
		}
		snprintf(name, sizeof(name), "flipped%d", variant);
		write_bytes(f, name, copy, size);
		assert_true(resolve_everywhere(f, name));
	}
	print_message("    deaths %u, given up %u\n", stats(f).worker_deaths,
		      stats(f).objects_given_up);
	check_work(f, "program");
	free(copy);
	free(bytes);
}

static void truncated_objects_are_survived(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes;
	size_t size = read_file(f, "program", &bytes);

	for (size_t cut = 0; cut < 40; cut++) {
		char name[32];

		snprintf(name, sizeof(name), "cut%zu", cut);
		write_bytes(f, name, bytes, size * cut / 40);
		resolve_everywhere(f, name);
	}
	check_work(f, "program");
	free(bytes);
}

/* Names that no assembler writes: '#' stands for `byte` until then. */
static void patch_bytes(uint8_t *bytes, size_t size, const char *name,
			char byte)
{
	size_t length = strlen(name);

	for (size_t i = 0; i + length < size; i++) {
		if (memcmp(bytes + i, name, length))
			continue;
		for (size_t k = 0; k < length; k++)
			if (name[k] == '#')
				bytes[i + k] = (uint8_t)byte;
	}
}

static void hostile_names_are_made_harmless(void **state)
{
	static const struct {
		const char *name;
		char byte;
		const char *shown;
	} names[] = {
		{"semi;colon", 0, "semi;colon"},
		{"<script>alert(1)</script>", 0, "<script>alert(1)</script>"},
		{"two#lines", '\n', "two?lines"},
		{"esc#[2J", '\033', "esc?[2J"},
		{"bad##utf", '\377', "bad??utf"},
	};
	struct fixture *f = *state;
	char text[16384] = ".text\n", *at = text + strlen(text);
	char longest[4001];
	uint8_t *bytes;

	for (size_t i = 0; i < 5; i++)
		at += sprintf(at,
			      ".type \"%s\",@function\n\"%s\":\n.zero 16\n"
			      ".size \"%s\",16\n",
			      names[i].name, names[i].name, names[i].name);
	memset(longest, 'x', 4000);
	longest[4000] = '\0';
	sprintf(at, ".type %s,@function\n%s:\n.zero 16\n", longest, longest);
	fixture_write(f, "names.s", text, "");
	assert_int_equal(
		fixture_run(f, "gcc -shared -nostdlib -o plain.so names.s"), 0);
	uint64_t start = fixture_symbol(f, "plain.so", "semi;colon");
	size_t size = read_file(f, "plain.so", &bytes);
	for (size_t i = 0; i < 5; i++)
		patch_bytes(bytes, size, names[i].name, names[i].byte);
	write_bytes(f, "names.so", bytes, size);
	free(bytes);
	struct object *o = fixture_open(f, "names.so");
	for (size_t i = 0; i < 5; i++) {
		const struct symbol *s =
			fixture_resolve(f, o, start + 16 * i + 3);

		check_level(s, 0, names[i].shown, NULL, 0, false);
	}
	const struct symbol *s = fixture_resolve(f, o, start + 16 * 5);
	assert_string_equal(s->levels[0].function, longest);
	assert_int_equal(stats(f).worker_deaths, 0);
}

static void frames_that_make_no_sense_get_a_fallback(void **state)
{
	struct fixture *f = *state;
	struct object *o = fixture_open(f, "program");
	uint64_t frames[] = {0,
			     UINT64_MAX,
			     frame_of(o, 0),
			     frame_of(o, FRAME_ADDRESS_MASK),
			     (uint64_t)4095 << FRAME_OBJECT_SHIFT | 5,
			     0x7f0000001234};

	assert_int_equal(symbolizer_resolve(f->symbols, 0, frames, 6), 0);
	for (size_t i = 0; i < 6; i++) {
		const struct symbol *s = symbolizer_get(f->symbols, frames[i]);

		assert_false(s->named);
		assert_int_equal(s->level_count, 1);
		assert_true(s->levels[0].function[0] != '\0');
	}
	assert_string_equal(
		symbolizer_get(f->symbols, frames[5])->levels[0].function,
		"0x7f0000001234");
	/* Also for a frame that was never resolved. */
	assert_non_null(symbolizer_get(f->symbols, 77)->levels[0].function);
}

static void a_full_cache_is_counted(void **state)
{
	struct fixture *f = *state;
	struct symbolizer_options options = {.cache_bytes = 200000};
	uint64_t frames[20000];

	restart(f, &options);
	struct object *o = fixture_open(f, "program");
	for (size_t i = 0; i < 20000; i++)
		frames[i] = frame_of(o, i);
	assert_int_equal(
		symbolizer_resolve(f->symbols, getpid(), frames, 20000), 0);
	for (size_t i = 0; i < 20000; i++)
		assert_true(symbolizer_get(f->symbols, frames[i])
				    ->levels[0]
				    .function[0]);
	assert_true(stats(f).symbols_dropped > 0);
	assert_true(stats(f).cache_bytes <= 200000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_killed_worker_is_replaced),
		TEST(an_idle_worker_leaves_and_that_is_no_death),
		TEST(a_stuck_worker_costs_bounded_time),
		TEST(the_worker_has_no_rights),
		TEST(nothing_stays_behind),
		TEST(a_file_truncated_under_the_worker_kills_only_that),
		TEST(an_object_that_keeps_killing_is_given_up),
		TEST(corrupted_debug_information_is_survived),
		TEST(truncated_objects_are_survived),
		TEST(hostile_names_are_made_harmless),
		TEST(frames_that_make_no_sense_get_a_fallback),
		TEST(a_full_cache_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
