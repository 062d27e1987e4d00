/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames of JavaScript and what they mean to people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbol/js_functions.h"
#include "symbol/js_names.h"
#include "symbol/js_sources.h"

#define JS(n) ((uint64_t)FRAME_OBJECT_JS << FRAME_OBJECT_SHIFT | (n))

struct world {
	struct object_registry *objects;
	struct symbolizer *symbols;
	struct js_names *names;
};

static void open_world(struct world *w)
{
	w->objects = object_registry_new();
	assert_non_null(w->objects);
	w->symbols = symbolizer_new(w->objects, NULL);
	assert_non_null(w->symbols);
	w->names = js_names_new(w->symbols, true);
	assert_non_null(w->names);
}

static void close_world(struct world *w)
{
	js_names_free(w->names);
	symbolizer_free(w->symbols);
	object_registry_free(w->objects);
}

static struct js_level level(const char *function, const char *file,
			     uint32_t line, uint32_t column)
{
	return (struct js_level){
		.function = (char *)(uintptr_t)function,
		.file = (char *)(uintptr_t)file,
		.line = line,
		.column = column,
	};
}

static void learn(struct world *w, uint64_t frame, uint32_t thread,
		  struct js_level inner, const struct js_level *outer)
{
	struct js_frame f = {
		.frame = frame,
		.tgid = 7,
		.tid = 6 + thread,
		.thread = thread,
	};
	struct js_location l = {.levels = {inner}, .level_count = 1};

	if (outer)
		l.levels[l.level_count++] = *outer;
	js_names_learn(w->names, &f, &l);
}

static size_t expand(struct world *w, uint64_t frame, uint64_t out[4],
		     bool *known)
{
	*known = true;
	return js_names_expand(w->names, frame, out, 4, known);
}

/* The only frame that `frame` means. */
static uint64_t meaning(struct world *w, uint64_t frame)
{
	uint64_t out[4];
	bool known;

	assert_int_equal(expand(w, frame, out, &known), 1);
	assert_true(known);
	return out[0];
}

static void unknown_frames_mean_themselves_for_now(void **state)
{
	struct world w;
	uint64_t out[4];
	bool known;

	open_world(&w);
	assert_int_equal(expand(&w, JS(5), out, &known), 1);
	assert_int_equal(out[0], JS(5));
	assert_false(known);
	assert_int_equal(meaning(&w, 0x1234), 0x1234);
	assert_string_equal(
		symbolizer_get(w.symbols, JS(5))->levels[0].function,
		"(JavaScript)");
	close_world(&w);
}

static void forms_of_one_line_mean_the_same(void **state)
{
	struct world w;
	uint64_t frame;
	const struct symbol *s;

	open_world(&w);
	learn(&w, JS(1), 1, level("leak", "/a.js", 12, 5), NULL);
	learn(&w, JS(2), 1, level("leak", "/a.js", 12, 9), NULL);
	learn(&w, JS(3), 1, level("leak", "/a.js", 13, 5), NULL);
	learn(&w, JS(4), 1, level("leak", "/b.js", 12, 5), NULL);
	frame = meaning(&w, JS(1));
	assert_int_equal(meaning(&w, JS(2)), frame);
	assert_int_not_equal(meaning(&w, JS(3)), frame);
	assert_int_not_equal(meaning(&w, JS(4)), frame);
	/* It means itself. */
	assert_int_equal(meaning(&w, frame), frame);
	s = symbolizer_get(w.symbols, frame);
	assert_true(s->script && s->named);
	assert_string_equal(s->levels[0].function, "leak");
	assert_string_equal(s->levels[0].file, "/a.js");
	assert_int_equal(s->levels[0].line, 12);
	assert_int_equal(s->levels[0].column, 5);
	assert_string_equal(s->module, "");
	close_world(&w);
}

static void columns_count_in_long_lines_and_without_names(void **state)
{
	struct js_level first = level("leak", "/min.js", 1, 20);
	struct js_level second = level("leak", "/min.js", 1, 6000);
	struct world w;

	open_world(&w);
	first.long_line = second.long_line = true;
	learn(&w, JS(1), 1, first, NULL);
	learn(&w, JS(2), 1, second, NULL);
	learn(&w, JS(3), 1, level("(anonymous)", "/a.js", 3, 8), NULL);
	learn(&w, JS(4), 1, level("(anonymous)", "/a.js", 3, 20), NULL);
	assert_int_not_equal(meaning(&w, JS(1)), meaning(&w, JS(2)));
	assert_int_not_equal(meaning(&w, JS(3)), meaning(&w, JS(4)));
	close_world(&w);
}

/* An exact line of the loop's head is not better, but another place. */
static void somewhere_in_a_loop_is_not_its_head(void **state)
{
	struct js_level somewhere = level("leak", "/a.js", 12, 5);
	struct world w;

	somewhere.approximate = somewhere.in_loop = true;
	open_world(&w);
	learn(&w, JS(1), 1, somewhere, NULL);
	learn(&w, JS(2), 1, level("leak", "/a.js", 12, 5), NULL);
	assert_int_not_equal(meaning(&w, JS(1)), meaning(&w, JS(2)));
	assert_true(symbolizer_get(w.symbols, meaning(&w, JS(1)))
			    ->levels[0]
			    .approximate);
	close_world(&w);
}

static void threads_are_kept_apart(void **state)
{
	struct world w;

	open_world(&w);
	learn(&w, JS(1), 1, level("leak", "/a.js", 12, 5), NULL);
	learn(&w, JS(2), 2, level("leak", "/a.js", 12, 5), NULL);
	assert_int_not_equal(meaning(&w, JS(1)), meaning(&w, JS(2)));
	assert_string_equal(
		symbolizer_get(w.symbols, meaning(&w, JS(2)))->module,
		"worker 8");
	close_world(&w);
}

static void inlined_functions_are_unfolded(void **state)
{
	struct js_level outer = level("outer", "/a.js", 20, 1);
	struct world w;
	uint64_t out[4];
	bool known;

	open_world(&w);
	learn(&w, JS(1), 1, level("inner", "/a.js", 12, 5), &outer);
	learn(&w, JS(2), 1, level("inner", "/a.js", 12, 5), NULL);
	assert_int_equal(expand(&w, JS(1), out, &known), 2);
	assert_true(known);
	assert_int_equal(out[0], meaning(&w, JS(2)));
	assert_string_equal(
		symbolizer_get(w.symbols, out[1])->levels[0].function, "outer");
	/* Never more than there is room for. */
	assert_int_equal(js_names_expand(w.names, JS(1), out, 1, &known), 1);
	assert_int_equal(js_names_expand(w.names, JS(1), out, 0, &known), 0);
	close_world(&w);
}

static void an_exact_line_replaces_an_approximate_one(void **state)
{
	struct js_level guess = level("leak", "/a.js", 12, 0);
	struct world w;
	uint64_t frame;

	open_world(&w);
	guess.approximate = true;
	learn(&w, JS(1), 1, guess, NULL);
	frame = meaning(&w, JS(1));
	assert_true(symbolizer_get(w.symbols, frame)->levels[0].approximate);
	learn(&w, JS(2), 1, level("leak", "/a.js", 12, 5), NULL);
	assert_int_equal(meaning(&w, JS(2)), frame);
	assert_false(symbolizer_get(w.symbols, frame)->levels[0].approximate);
	learn(&w, JS(3), 1, guess, NULL);
	assert_false(symbolizer_get(w.symbols, frame)->levels[0].approximate);
	close_world(&w);
}

static void node_itself_is_internal(void **state)
{
	struct world w;

	open_world(&w);
	learn(&w, JS(1), 1, level("alloc", "node:buffer", 400, 5), NULL);
	learn(&w, JS(2), 1, level("Map.set", NULL, 0, 0), NULL);
	learn(&w, JS(3), 1, level("leak", "/a.js", 12, 5), NULL);
	assert_true(js_names_internal(w.names, meaning(&w, JS(1))));
	assert_true(js_names_internal(w.names, meaning(&w, JS(2))));
	assert_false(js_names_internal(w.names, meaning(&w, JS(3))));
	assert_false(js_names_internal(w.names, 0x1234));
	assert_string_equal(
		symbolizer_get(w.symbols, meaning(&w, JS(2)))->module,
		"builtin");
	close_world(&w);
}

static void builtins_are_hidden(void **state)
{
	uint64_t object = 3ULL << FRAME_OBJECT_SHIFT;
	struct world w;
	uint64_t out[4];
	bool known;

	open_world(&w);
	js_names_hide(w.names, 3, 0x1000, 0x2000);
	assert_int_equal(expand(&w, object | 0x1000, out, &known), 0);
	assert_int_equal(expand(&w, object | 0x1fff, out, &known), 0);
	assert_int_equal(meaning(&w, object | 0x2000), object | 0x2000);
	assert_int_equal(meaning(&w, object | 0xfff), object | 0xfff);
	assert_int_equal(meaning(&w, 0x1800), 0x1800);
	/* Another range of the same object; functions that are not there. */
	js_names_hide(w.names, 3, 0x5000, 0x5010);
	js_names_hide(w.names, 3, 0, 0);
	assert_int_equal(expand(&w, object | 0x5008, out, &known), 0);
	assert_int_equal(expand(&w, object | 0x1000, out, &known), 0);
	assert_int_equal(meaning(&w, object), object);
	close_world(&w);
}

#define ENGINES 100

static bool is_hidden(struct world *w, uint64_t object, uint64_t address)
{
	uint64_t out[4];
	bool known;

	return !expand(w, object << FRAME_OBJECT_SHIFT | address, out, &known);
}

/* As many containers have a Node.js of their own. */
static void builtins_of_many_engines_are_hidden(void **state)
{
	static bool gone[OBJECTS_MAX];
	struct world w;

	open_world(&w);
	for (uint32_t i = 0; i < ENGINES; i++) {
		uint32_t object = 1 + i * 37 % ENGINES;

		for (uint64_t k = 1; k <= 5; k++)
			js_names_hide(w.names, object, k * 0x1000,
				      k * 0x1000 + object);
	}
	assert_int_equal(js_names_incomplete(w.names), 0);
	gone[50] = true;
	js_names_forget_objects(w.names, gone);
	for (uint32_t object = 1; object <= ENGINES; object++)
		for (uint64_t k = 1; k <= 5; k++) {
			uint64_t end = k * 0x1000 + object;

			assert_int_equal(is_hidden(&w, object, end - 1),
					 object != 50);
			assert_false(is_hidden(&w, object, end));
		}
	for (uint32_t object = 200; object < 400; object++)
		js_names_hide(w.names, object, 0x1000, 0x2000);
	assert_int_equal(js_names_incomplete(w.names), 200 + 495 - 512);
	close_world(&w);
}

static void many_frames_are_remembered(void **state)
{
	struct world w;
	char function[32];

	open_world(&w);
	for (uint64_t i = 1; i <= 20000; i++) {
		snprintf(function, sizeof(function), "f%u", (unsigned)i % 100);
		learn(&w, JS(i * 77), 1, level(function, "/a.js", 12, 5), NULL);
	}
	assert_int_equal(js_names_lost(w.names), 0);
	assert_int_equal(meaning(&w, JS(77)), meaning(&w, JS(77 * 19901)));
	for (uint64_t i = 20001; i <= 100000; i++)
		learn(&w, JS(i * 77), 1, level("g", "/a.js", 12, 5), NULL);
	assert_true(js_names_lost(w.names) > 0);
	close_world(&w);
}

/* A method of script 3, function 4. */
static struct js_level method(uint32_t line, const char *prefix)
{
	struct js_level l = level("add", "/a.js", line, 5);

	l.script_id = 3;
	l.literal_id = 4;
	l.prefix = (char *)(uintptr_t)prefix;
	return l;
}

static const char *shown(struct world *w, uint64_t frame)
{
	js_names_show(w->names, &frame, 1);
	return symbolizer_get(w->symbols, frame)->levels[0].function;
}

/* One call tells it, of another line and later; stacks stay what they were. */
static void a_method_has_its_class_everywhere(void **state)
{
	struct js_level other = method(12, NULL);
	struct world w;
	uint64_t first, second;

	open_world(&w);
	learn(&w, JS(1), 1, method(12, NULL), NULL);
	learn(&w, JS(2), 2, method(12, NULL), NULL);
	first = meaning(&w, JS(1));
	assert_string_equal(shown(&w, first), "add");
	learn(&w, JS(3), 1, method(13, "Store."), NULL);
	second = meaning(&w, JS(3));
	assert_string_equal(shown(&w, second), "Store.add");
	assert_string_equal(shown(&w, first), "Store.add");
	assert_string_equal(shown(&w, first), "Store.add");
	learn(&w, JS(4), 1, method(12, "Store."), NULL);
	assert_int_equal(meaning(&w, JS(4)), first);
	/* Another function, and one of another thread. */
	other.literal_id = 5;
	other.line = 20;
	learn(&w, JS(5), 1, other, NULL);
	assert_string_equal(shown(&w, meaning(&w, JS(5))), "add");
	assert_string_equal(shown(&w, meaning(&w, JS(2))), "add");
	close_world(&w);
}

static void names_that_say_it_get_no_class(void **state)
{
	static const struct {
		const char *function, *full;
	} names[] = {
		{"Old.add", NULL},
		{"get size", NULL},
		{"set size", NULL},
		{"(anonymous)", NULL},
		{"#hidden", NULL},
		{"add", "Store.add"},
		{"getAll", "Store.getAll"},
		{"[Symbol.iterator]", "Store.[Symbol.iterator]"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct text full = {0};

		assert_int_equal(
			js_function_name(names[i].function, "Store.", &full),
			names[i].full != NULL);
		if (names[i].full)
			assert_string_equal(full.data, names[i].full);
		assert_false(js_function_name(names[i].function, NULL, &full));
		text_free(&full);
	}
}

/* They have no line that would tell them apart. */
static void builtins_of_two_classes_are_two(void **state)
{
	struct js_level map = level("get", NULL, 0, 0), weak = map;
	struct world w;

	map.prefix = (char *)(uintptr_t) "Map.";
	weak.prefix = (char *)(uintptr_t) "WeakMap.";
	open_world(&w);
	learn(&w, JS(1), 1, map, NULL);
	learn(&w, JS(2), 1, weak, NULL);
	assert_string_equal(shown(&w, meaning(&w, JS(1))), "Map.get");
	assert_string_equal(shown(&w, meaning(&w, JS(2))), "WeakMap.get");
	close_world(&w);
}

/* A use of a map of a script with 99 units. */
static struct js_map_url *map_at(const char *url)
{
	struct js_map_url *map = malloc(sizeof(*map) + strlen(url) + 1);

	*map = (struct js_map_url){
		.uses = 1,
		.units = 99,
		.size = strlen(url),
	};
	strcpy(map->text, url);
	return map;
}

#define MAP                                                                    \
	"data:application/json,{\"sources\":[\"../src/a.ts\"],\"mappings\":"   \
	"\"AAAA;;AASI,IAAI\"}"

static void show(struct world *w, uint64_t frame)
{
	js_names_show(w->names, &frame, 1);
}

/* Line 3 of the script is line 10 of a.ts, columns 5 and 9. */
static void scripts_with_a_map_are_shown_as_their_sources(void **state)
{
	struct js_level leak = level("leak", "/dist/a.js", 3, 1);
	struct world w;
	const struct symbol *s;
	uint64_t frame;

	open_world(&w);
	leak.map = map_at(MAP);
	learn(&w, JS(1), 1, leak, NULL);
	frame = meaning(&w, JS(1));
	s = symbolizer_get(w.symbols, frame);
	assert_string_equal(s->levels[0].file, "/dist/a.js");
	assert_null(s->levels[0].generated_file);
	/* Only what is shown is looked up, once. */
	for (int i = 0; i < 2; i++) {
		show(&w, frame);
		s = symbolizer_get(w.symbols, frame);
		assert_string_equal(s->levels[0].function, "leak");
		assert_string_equal(s->levels[0].file, "/src/a.ts");
		assert_int_equal(s->levels[0].line, 10);
		assert_int_equal(s->levels[0].column, 5);
		assert_string_equal(s->levels[0].generated_file, "/dist/a.js");
		assert_int_equal(s->levels[0].generated_line, 3);
		assert_int_equal(s->levels[0].generated_column, 1);
	}
	/* What comes later of the same script, too. */
	leak.column = 6;
	leak.function = (char *)(uintptr_t) "(anonymous)";
	learn(&w, JS(2), 1, leak, NULL);
	frame = meaning(&w, JS(2));
	show(&w, frame);
	assert_int_equal(symbolizer_get(w.symbols, frame)->levels[0].column, 9);
	js_map_url_release(leak.map);
	close_world(&w);
}

static void an_exact_line_is_looked_up_again(void **state)
{
	struct js_level leak = level("leak", "/dist/a.js", 3, 1);
	struct world w;
	const struct symbol *s;
	uint64_t frame;

	open_world(&w);
	leak.map = map_at(MAP);
	leak.approximate = true;
	learn(&w, JS(1), 1, leak, NULL);
	frame = meaning(&w, JS(1));
	show(&w, frame);
	s = symbolizer_get(w.symbols, frame);
	assert_true(s->levels[0].approximate);
	assert_string_equal(s->levels[0].file, "/src/a.ts");
	leak.approximate = false;
	leak.column = 6;
	learn(&w, JS(2), 1, leak, NULL);
	show(&w, frame);
	s = symbolizer_get(w.symbols, frame);
	assert_false(s->levels[0].approximate);
	assert_string_equal(s->levels[0].file, "/src/a.ts");
	assert_int_equal(s->levels[0].column, 9);
	js_map_url_release(leak.map);
	close_world(&w);
}

/* Line 2 comes from nowhere; the others have no map that can be had. */
static void what_no_map_tells_stays_as_it_is(void **state)
{
	static const char *const urls[] = {MAP, "data:application/json,{}",
					   "http://localhost/a.js.map",
					   "a.js.map"};
	struct world w;

	open_world(&w);
	for (uint64_t i = 0; i < 4; i++) {
		struct js_level leak = level("leak", "/dist/a.js", 2, 1);
		uint64_t frame;

		leak.map = map_at(urls[i]);
		leak.line += (uint32_t)i;
		learn(&w, JS(1 + i), 1, leak, NULL);
		frame = meaning(&w, JS(1 + i));
		show(&w, frame);
		assert_string_equal(
			symbolizer_get(w.symbols, frame)->levels[0].file,
			"/dist/a.js");
		js_map_url_release(leak.map);
	}
	close_world(&w);
}

static bool is_in(uint64_t frame, void *context)
{
	return number_set_has(context, frame);
}

/* When there is no room for more, what no stack leads through is forgotten; the
 * rest keeps its meaning and its name. */
static void what_is_not_in_use_is_forgotten(void **state)
{
	struct js_level outer = level("outer", "/a.js", 3, 1);
	struct number_set in_use = {0};
	uint64_t before[4], after[4];
	struct world w;
	bool known;

	open_world(&w);
	for (uint64_t i = 1; i <= 100000; i++)
		learn(&w, JS(i * 77), 1, level("inner", "/a.js", 12, 5),
		      i == 5 ? &outer : NULL);
	assert_true(js_names_is_full(w.names));
	assert_int_equal(expand(&w, JS(5 * 77), before, &known), 2);
	number_set_add(&in_use, JS(5 * 77));
	number_set_sort(&in_use);
	assert_int_equal(js_names_forget(w.names, &in_use), 0);
	assert_false(js_names_is_full(w.names));
	assert_int_equal(expand(&w, JS(5 * 77), after, &known), 2);
	assert_true(known);
	assert_memory_equal(before, after, 2 * sizeof(*before));
	assert_true(js_names_knows(w.names, before[1]));
	assert_false(js_names_knows(w.names, JS(6 * 77)));
	learn(&w, JS(6 * 77), 1, level("inner", "/a.js", 12, 5), NULL);
	assert_int_equal(meaning(&w, JS(6 * 77)), before[0]);
	number_set_free(&in_use);
	close_world(&w);
}

/* Functions and scripts of what is in use are, too. */
static void what_frames_refer_to_is_kept_with_them(void **state)
{
	struct js_level gone = method(12, "Gone."), kept = method(3, "Kept.");
	struct number_set in_use = {0};
	struct world w;
	const struct symbol *s;
	uint64_t frame;

	gone.file = (char *)(uintptr_t) "/dist/gone.js";
	gone.literal_id = 9;
	gone.map = map_at("gone.js.map");
	kept.file = (char *)(uintptr_t) "/dist/a.js";
	kept.map = map_at(MAP);
	open_world(&w);
	learn(&w, JS(1), 1, gone, NULL);
	learn(&w, JS(2), 1, kept, NULL);
	number_set_add(&in_use, JS(2));
	number_set_sort(&in_use);
	assert_int_equal(js_names_forget(w.names, &in_use), 0);
	frame = meaning(&w, JS(2));
	assert_string_equal(shown(&w, frame), "Kept.add");
	s = symbolizer_get(w.symbols, frame);
	assert_string_equal(s->levels[0].file, "/src/a.ts");
	assert_int_equal(s->levels[0].line, 10);
	assert_int_equal(gone.map->uses, 1);
	assert_int_equal(kept.map->uses, 2);
	/* Others may come. */
	learn(&w, JS(1), 1, gone, NULL);
	assert_string_equal(shown(&w, meaning(&w, JS(1))), "Gone.add");
	number_set_free(&in_use);
	close_world(&w);
	js_map_url_release(gone.map);
	js_map_url_release(kept.map);
}

/* A script of its own, "/dist/NUMBER.js", with a map of its own. */
static void learn_script(struct world *w, uint64_t number)
{
	char file[32];
	struct js_level leak;

	snprintf(file, sizeof(file), "/dist/%u.js", (unsigned int)number);
	leak = level("leak", file, 3, 1);
	leak.map = map_at(MAP);
	learn(w, JS(number), 1, leak, NULL);
	js_map_url_release(leak.map);
}

static void sources_there_is_no_room_for_are_counted(void **state)
{
	const uint64_t beyond = 10;
	const struct symbol *s;
	struct world w;

	open_world(&w);
	for (uint64_t i = 1; i <= JS_SOURCES_MAX + beyond; i++)
		learn_script(&w, i);
	assert_true(js_names_is_full(w.names));
	assert_int_equal(js_names_incomplete(w.names), beyond);
	s = symbolizer_get(w.symbols, meaning(&w, JS(JS_SOURCES_MAX + 1)));
	assert_string_equal(s->levels[0].function, "leak");
	assert_string_equal(s->levels[0].file, "/dist/4097.js");
	close_world(&w);
}

/* As cli/forgetting.c does it, every few seconds. */
static void forget_all_but(struct world *w, uint64_t first, uint64_t last)
{
	struct number_set in_use = {0};

	if (!js_names_is_full(w->names))
		return;
	for (uint64_t i = first; i <= last; i++)
		number_set_add(&in_use, JS(i));
	number_set_sort(&in_use);
	assert_int_equal(js_names_forget(w->names, &in_use), 0);
	number_set_free(&in_use);
}

static void sources_of_programs_that_come_and_go_never_fill_it(void **state)
{
	const uint64_t each = 100, last = 4 * JS_SOURCES_MAX;
	const struct symbol *s;
	struct world w;
	uint64_t frame;

	open_world(&w);
	for (uint64_t i = 1; i <= last; i++) {
		learn_script(&w, i);
		if (i % each == 0)
			forget_all_but(&w, i - each + 1, i);
	}
	assert_int_equal(js_names_incomplete(w.names), 0);
	assert_int_equal(js_names_lost(w.names), 0);
	frame = meaning(&w, JS(last));
	show(&w, frame);
	s = symbolizer_get(w.symbols, frame);
	assert_string_equal(s->levels[0].file, "/src/a.ts");
	assert_string_equal(s->levels[0].generated_file, "/dist/16384.js");
	close_world(&w);
}

/* Nothing to refer to stays nothing, whatever else there is. */
static void no_map_and_no_class_come_from_forgetting(void **state)
{
	struct js_level kept = method(3, "Kept.");
	struct number_set in_use = {0};
	struct world w;
	const struct symbol *s;

	kept.file = (char *)(uintptr_t) "/dist/a.js";
	kept.map = map_at(MAP);
	open_world(&w);
	learn(&w, JS(1), 1, level("plain", "/dist/b.js", 3, 1), NULL);
	number_set_add(&in_use, JS(1));
	number_set_sort(&in_use);
	assert_int_equal(js_names_forget(w.names, &in_use), 0);
	assert_string_equal(shown(&w, meaning(&w, JS(1))), "plain");
	learn(&w, JS(2), 1, kept, NULL);
	number_set_add(&in_use, JS(2));
	number_set_sort(&in_use);
	assert_int_equal(js_names_forget(w.names, &in_use), 0);
	assert_string_equal(shown(&w, meaning(&w, JS(2))), "Kept.add");
	assert_string_equal(shown(&w, meaning(&w, JS(1))), "plain");
	s = symbolizer_get(w.symbols, meaning(&w, JS(1)));
	assert_string_equal(s->levels[0].file, "/dist/b.js");
	assert_null(s->levels[0].generated_file);
	number_set_free(&in_use);
	close_world(&w);
	js_map_url_release(kept.map);
}

/* What the cache gives up is that of other frames. */
static void names_survive_when_others_are_forgotten(void **state)
{
	static const bool no_object[OBJECTS_MAX];
	struct number_set in_use = {0};
	struct world w;
	uint64_t kept;

	open_world(&w);
	for (uint64_t i = 1; i <= 1000; i++)
		learn(&w, JS(i * 77), 1, level("f", "/a.js", (uint32_t)i, 5),
		      NULL);
	kept = meaning(&w, JS(10 * 77));
	number_set_add(&in_use, kept);
	number_set_sort(&in_use);
	assert_int_equal(
		symbolizer_forget(w.symbols, no_object, is_in, &in_use), 0);
	assert_int_equal(symbolizer_get(w.symbols, kept)->levels[0].line, 10);
	assert_true(symbolizer_get(w.symbols, kept)->script);
	assert_false(
		symbolizer_get(w.symbols, meaning(&w, JS(11 * 77)))->named);
	number_set_free(&in_use);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_frames_mean_themselves_for_now),
		cmocka_unit_test(forms_of_one_line_mean_the_same),
		cmocka_unit_test(columns_count_in_long_lines_and_without_names),
		cmocka_unit_test(somewhere_in_a_loop_is_not_its_head),
		cmocka_unit_test(threads_are_kept_apart),
		cmocka_unit_test(a_method_has_its_class_everywhere),
		cmocka_unit_test(names_that_say_it_get_no_class),
		cmocka_unit_test(builtins_of_two_classes_are_two),
		cmocka_unit_test(scripts_with_a_map_are_shown_as_their_sources),
		cmocka_unit_test(an_exact_line_is_looked_up_again),
		cmocka_unit_test(what_no_map_tells_stays_as_it_is),
		cmocka_unit_test(inlined_functions_are_unfolded),
		cmocka_unit_test(an_exact_line_replaces_an_approximate_one),
		cmocka_unit_test(node_itself_is_internal),
		cmocka_unit_test(builtins_are_hidden),
		cmocka_unit_test(builtins_of_many_engines_are_hidden),
		cmocka_unit_test(many_frames_are_remembered),
		cmocka_unit_test(what_is_not_in_use_is_forgotten),
		cmocka_unit_test(what_frames_refer_to_is_kept_with_them),
		cmocka_unit_test(sources_there_is_no_room_for_are_counted),
		cmocka_unit_test(
			sources_of_programs_that_come_and_go_never_fill_it),
		cmocka_unit_test(no_map_and_no_class_come_from_forgetting),
		cmocka_unit_test(names_survive_when_others_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
