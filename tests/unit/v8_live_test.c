/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Offsets on live processes: Node of every version that is installed runs a
 * script that says where its objects are (%DebugPrint) and what its script's
 * id is (the inspector), and collects garbage in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "v8/layout.h"
#include "v8_binaries.h"

#define SECONDS_MAX "30"
#define MAP_URL	    "live.js.map"

static const char script[] =
	"'use strict';\n"
	"const { Session } = require('inspector');\n"
	"const session = new Session(); session.connect(); let id = 0;\n"
	"session.on('Debugger.scriptParsed', m => {\n"
	"  if (m.params.url.endsWith(__filename)) id = m.params.scriptId; });\n"
	"session.post('Debugger.enable'); session.post('Debugger.disable');\n"
	"session.disconnect();\n"
	"function outer() { const a = [1]; return function inner(x) {\n"
	"  return () => a[x]; }; }\n"
	"class Class { method(q) { return q; } }\n"
	"function hot(n) { let s = 0; for (let i = 0; i < n; i++) s += i;\n"
	"  return s; }\n"
	"const inner = outer(); const arrow = inner(0); arrow();\n"
	"%PrepareFunctionForOptimization(hot); hot(9); hot(9);\n"
	"%OptimizeFunctionOnNextCall(hot); hot(9);\n"
	"const array = [10, 20, 30].slice(); const big = new Array(99999);\n"
	"const objects = { outer, inner, arrow, Class,\n"
	"  method: Class.prototype.method, hot, array, big };\n"
	"function show() {\n"
	"  console.log('@script %d', id);\n"
	"  for (const name in objects) {\n"
	"    console.log('@object ' + name); %DebugPrint(objects[name]); }\n"
	"  console.log('@end'); }\n"
	"show();\n"
	"process.stdin.on('data', () => { gc(); gc(); show(); });\n"
	"setTimeout(() => process.exit(), " SECONDS_MAX "000);\n"
	"//# sourceMappingURL=" MAP_URL "\n";

enum object_name {
	OUTER,
	INNER,
	ARROW,
	CLASS,
	METHOD,
	HOT,
	ARRAY,
	BIG,
	OBJECTS
};

static const char *const object_names[] = {"outer",  "inner", "arrow", "Class",
					   "method", "hot",   "array", "big"};

struct node {
	pid_t pid;
	FILE *out;
	int in;
	struct v8_memory memory;
	struct v8_layout layout;
	uint32_t script_id;
	uint64_t objects[OBJECTS]; /* untagged */
	int32_t literals[OBJECTS];
};

static char script_path[] = "/tmp/leakbpf-v8-live-XXXXXX";
static struct v8_engine engine;

/* ---- The process -------------------------------------------------------- */

static void start(struct node *n, const char *path)
{
	int in[2], out[2];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	n->pid = fork();
	assert_true(n->pid >= 0);
	if (!n->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		alarm(atoi(SECONDS_MAX));
		execl(path, path, "--allow-natives-syntax", "--expose-gc",
		      script_path, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	n->in = in[1];
	n->out = fdopen(out[0], "r");
	assert_non_null(n->out);
}

static void end(struct node *n)
{
	kill(n->pid, SIGKILL);
	waitpid(n->pid, NULL, 0);
	fclose(n->out);
	close(n->in);
	v8_memory_close(&n->memory);
}

/* What show() prints: the first address after a name is the object's. */
static void read_objects(struct node *n)
{
	char line[4096], name[32] = "";

	memset(n->objects, 0, sizeof(n->objects));
	n->script_id = 0;
	while (fgets(line, sizeof(line), n->out)) {
		const char *address = strstr(line, "0x");

		if (!strncmp(line, "@end", 4))
			return;
		if (sscanf(line, "@script %u", &n->script_id) == 1 ||
		    sscanf(line, "@object %31s", name) == 1)
			continue;
		for (int i = 0; address && i < OBJECTS; i++)
			if (!strcmp(name, object_names[i]) && !n->objects[i])
				n->objects[i] = strtoull(address, NULL, 16) &
						~V8_TAG_MASK;
	}
	fail_msg("node ended early");
}

/* ---- Its memory --------------------------------------------------------- */

static uint64_t word(struct node *n, uint64_t address)
{
	uint64_t value;

	v8_memory_begin(&n->memory);
	if (v8_read_word(&n->memory, address, &value))
		fail_msg("cannot read %#llx", (unsigned long long)address);
	return value;
}

static uint32_t half(struct node *n, uint64_t address)
{
	return (uint32_t)word(n, address);
}

/* A field that holds an object: its untagged address. */
static uint64_t field(struct node *n, uint64_t object, uint16_t offset)
{
	uint64_t value = word(n, object + offset);

	assert_int_equal(value & V8_TAG_MASK, V8_TAG);
	return value - V8_TAG;
}

static uint32_t smi(struct node *n, uint64_t object, uint32_t offset)
{
	uint64_t value = word(n, object + offset);

	assert_int_equal((uint32_t)value, 0);
	return (uint32_t)(value >> V8_SMI_SHIFT);
}

static uint16_t type(struct node *n, uint64_t object)
{
	return (uint16_t)half(n, field(n, object, 0) +
					 n->layout.map_instance_type);
}

/* ---- What is checked ---------------------------------------------------- */

static void check_map_url(struct node *n, uint64_t owner)
{
	const struct v8_layout *l = &n->layout;
	uint64_t url = field(n, owner, l->script_source_map_url);
	char text[sizeof(MAP_URL)] = "";

	assert_true(type(n, url) < l->type_first_nonstring);
	assert_int_equal(half(n, url + l->string_length), strlen(MAP_URL));
	v8_memory_begin(&n->memory);
	assert_int_equal(v8_read(&n->memory, url + l->string_chars, text,
				 strlen(MAP_URL)),
			 0);
	assert_string_equal(text, MAP_URL);
}

static void check_function(struct node *n, enum object_name name)
{
	const struct v8_layout *l = &n->layout;
	uint64_t function = n->objects[name];
	uint64_t shared, owner;

	assert_in_range(type(n, function), l->type_js_function_first,
			l->type_js_function_last);
	shared = field(n, function, l->function_shared);
	assert_int_equal(type(n, shared), l->type_shared_function_info);
	owner = field(n, shared, l->shared_script);
	assert_int_equal(type(n, owner), l->type_script);
	assert_int_equal(smi(n, owner, l->script_id), n->script_id);
	assert_int_equal(smi(n, owner, l->script_line_offset), 0);
	assert_int_equal(smi(n, owner, l->script_column_offset), 0);
	check_map_url(n, owner);
	n->literals[name] =
		(int32_t)half(n, shared + l->shared_function_literal_id);
}

/* Distinct, and increasing in the order of the source; the class's own comes
 * after its method's. */
static void check_literals(const struct node *n)
{
	static const enum object_name order[] = {OUTER,	 INNER, ARROW,
						 METHOD, CLASS, HOT};

	assert_true(n->literals[OUTER] > 0);
	for (int i = 0; i < 5; i++)
		assert_true(n->literals[order[i]] < n->literals[order[i + 1]]);
	assert_int_equal(n->literals[HOT] - n->literals[OUTER], 5);
}

/* "a" is the only variable of `outer` that a context holds. */
static void check_scope_info(struct node *n)
{
	const struct v8_layout *l = &n->layout;
	uint64_t shared = field(n, n->objects[OUTER], l->function_shared);
	uint64_t info = field(n, shared, l->shared_name_or_scope_info);
	uint64_t name;

	assert_int_equal(type(n, info), l->type_scope_info);
	assert_int_equal(smi(n, info, 8 + 8 * l->scope_info_context_locals), 1);
	name = field(n, info, (uint16_t)(8 + 8 * l->scope_info_first_vars));
	assert_true(type(n, name) < l->type_first_nonstring);
	assert_int_equal(half(n, name + l->string_length), 1);
	assert_int_equal((uint8_t)half(n, name + l->string_chars), 'a');
}

static uint64_t code_of(struct node *n, uint64_t function)
{
	const struct v8_layout *l = &n->layout;
	uint32_t handle;

	if (!l->function_dispatch_handle)
		return field(n, function, l->function_code);
	assert_true(l->dispatch_table != 0);
	handle = half(n, function + l->function_dispatch_handle);
	/* The entry's second word: Code << 16, flags below. */
	return word(n, l->dispatch_table +
			       (handle >> V8_DISPATCH_SHIFT) *
				       V8_DISPATCH_ENTRY_BYTES +
			       8) >>
		       16 &
	       ~V8_TAG;
}

static void check_code(struct node *n, enum object_name name, bool is_optimised)
{
	const struct v8_layout *l = &n->layout;
	uint64_t code = code_of(n, n->objects[name]);
	uint32_t kind;

	assert_int_equal(type(n, code), l->type_code);
	kind = half(n, code + l->code_flags) & l->code_kind_mask;
	assert_int_equal(kind > l->code_kind_baseline, is_optimised);
	assert_in_range(half(n, code + l->code_instruction_size), 16, 1 << 16);
	if (!l->code_instructions_inline)
		word(n, word(n, code + l->code_instruction_start));
	if (!is_optimised)
		return;
	/* Both arrays of an optimised function. */
	assert_in_range(smi(n, field(n, code, l->code_deoptimization_data),
			    l->array_length),
			l->deopt_inlining_positions_index + 1, 4096);
	assert_in_range(smi(n, field(n, code, l->code_source_positions),
			    l->array_length),
			1, 4096);
}

static void check_array(struct node *n)
{
	/* JSArray: map, properties, elements. */
	uint64_t elements = field(n, n->objects[ARRAY], 16);

	assert_int_equal(smi(n, elements, n->layout.array_length), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(smi(n, elements, n->layout.array_data + 8 * i),
				 10 * (i + 1));
}

/* An object's map is a map, also that of a large object on pages of its own. */
static void check_map(struct node *n, uint64_t object)
{
	assert_int_equal(type(n, field(n, object, 0)), n->layout.type_map);
}

static void check_all(struct node *n)
{
	for (int i = OUTER; i <= HOT; i++)
		check_function(n, i);
	assert_int_equal(type(n, n->objects[CLASS]),
			 n->layout.type_js_function_last);
	check_literals(n);
	check_scope_info(n);
	check_code(n, METHOD, false);
	check_code(n, HOT, true);
	check_array(n);
	for (int i = 0; i < OBJECTS; i++)
		check_map(n, n->objects[i]);
	check_map(n, field(n, n->objects[BIG], 16)); /* large object */
}

static void check_node(struct object_registry *registry, const char *path)
{
	struct node n = {0};
	uint64_t inner;
	int32_t literals[OBJECTS];
	struct object *o;

	assert_int_equal(object_open(registry, open(path, O_RDONLY | O_CLOEXEC),
				     path, &o),
			 0);
	assert_int_equal(v8_engine_find(o, &engine), 0);
	assert_int_equal(engine.support, V8_FRAMES_AND_HEAP);
	print_message("%s\n", path);
	assert_int_equal(o->type, 2); /* ET_EXEC: no bias */
	start(&n, path);
	read_objects(&n); /* after exec, and V8 is initialised */
	n.layout = engine.layout;
	assert_int_equal(v8_memory_open(&n.memory, n.pid), 0);
	assert_int_equal(v8_engine_bind(&engine, &n.memory, 0, &n.layout), 0);
	check_all(&n);

	inner = n.objects[INNER];
	memcpy(literals, n.literals, sizeof(literals));
	assert_int_equal(write(n.in, "\n", 1), 1);
	read_objects(&n);
	check_all(&n);
	/* What was new has moved and keeps its identity. */
	assert_int_not_equal(n.objects[INNER], inner);
	assert_memory_equal(n.literals, literals, sizeof(literals));
	end(&n);
}

static void offsets_hold_in_live_processes(void **state)
{
	struct object_registry *registry = object_registry_new();
	int fd = mkstemp(script_path), checked = 0;
	glob_t paths;

	assert_int_equal(write(fd, script, strlen(script)), strlen(script));
	close(fd);
	v8_binaries(&paths);
	for (size_t i = 0; i < paths.gl_pathc; i++) {
		if (strstr(paths.gl_pathv[i], "libnode"))
			continue;
		check_node(registry, paths.gl_pathv[i]);
		checked++;
	}
	globfree(&paths);
	unlink(script_path);
	object_registry_free(registry);
	if (!checked) {
		print_message("no Node: tools/setup.sh test\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_hold_in_live_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
