/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What v8_engine_find makes of an object: of small libraries with V8's symbols,
 * assembled here, and of real Node where it is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "v8/layout.h"
#include "v8/layout_symbols.h"
#include "v8/layout_table.h"
#include "v8_binaries.h"
#include "registry.h"
#include "scratch.h"

/* ---- Libraries assembled here ------------------------------------------- */

static struct v8_engine engine;

static const char macros[] =
	".macro function name:req\n"
	".text; .globl \"\\name\"; .type \"\\name\", @function\n"
	"\"\\name\":\n"
	".endm\n"
	".macro done name:req\n"
	".size \"\\name\", . - \"\\name\"\n"
	".endm\n"
	".macro empty name:req\n"
	"function \\name; ret; done \\name\n"
	".endm\n"
	".macro int name:req, value:req\n"
	".if \\value\n.data\n.else\n.bss\n.endif\n"
	".balign 4; .globl \\name; .type \\name, @object\n"
	"\\name: .long \\value; .size \\name, 4\n"
	".endm\n"
	".macro dbg name:req, value:req\n"
	"int v8dbg_\\name, \\value\n"
	".endm\n"
	".macro lab name:req, offset:req\n"
	"function \\name\n"
	"push %rbp; mov %rsp, %rbp; mov \\offset(%rdi), %rax; pop %rbp; ret\n"
	"done \\name\n"
	".endm\n"
	".macro bitmap offset:req, scale:req\n"
	"function "
	"_ZN2v88internal20MarkCompactCollector20IsUnmarkedHeapObjectEPN"
	"S0_4HeapENS0_14FullObjectSlotE\n"
	"mov (%rsi), %rcx; nopl 0(%rax,%rax,1)\n"
	"and \\offset(%rsi,%rdx,\\scale), %rax; sete %al; ret\n"
	"done _ZN2v88internal20MarkCompactCollector20IsUnmarkedHeapObjectEPNS0_"
	"4HeapENS0_14FullObjectSlotE\n"
	".endm\n"
	".macro collect distance:req\n"
	"function _ZN2v88internal4Heap14CollectGarbageENS0_15AllocationSpaceE\n"
	"push %rbp; mov %rsp, %rbp; sub $0x2000, %rsp\n"
	"lea -0x1800(%rbp), %rax; lea -0x8(%rdi), %rax\n"
	"lea -\\distance(%rdi), %r15; lea -0x5000(%rdi), %r15; leave; ret\n"
	"done _ZN2v88internal4Heap14CollectGarbageENS0_15AllocationSpaceE\n"
	".endm\n"
	".macro version major:req, minor:req\n"
	"int _ZN2v88internal7Version6major_E, \\major\n"
	"int _ZN2v88internal7Version6minor_E, \\minor\n"
	"int _ZN2v88internal7Version6build_E, 7\n"
	"int _ZN2v88internal7Version6patch_E, 0\n"
	".endm\n"
	".macro collector\n"
	"empty _ZN2v88internal18ScavengerCollector30HandleSurvivingNewLargeObje"
	"ctsEv\n"
	"empty _ZN2v88internal20MarkCompactCollector22ClearNonLiveReferencesEv."
	"cold\n"
	"empty "
	"_ZN2v88internal20MarkCompactCollector22ClearNonLiveReferencesEv\n"
	"empty _ZN2v88internal4Heap20ProcessWeakListRootsEPNS0_18WeakObjectReta"
	"inerE\n"
	"empty _ZN2v88internal4Heap36GarbageCollectionPrologueInSafepointEv\n"
	"empty _ZN2v88internal4Heap36GarbageCollectionEpilogueInSafepointENS0_1"
	"6GarbageCollectorE\n"
	"empty _ZN2v88internal4Heap13SizeOfObjectsEv\n"
	"empty _ZN2v88internal4Heap8TearDownEv\n"
	".endm\n"
	/* More code than an object without V8 may have unexamined. */
	".text; .skip 5 << 20\n";

/* A V8 13.6 in parts, so that tests can leave one out. */
#define VERSION_13 "dbg TaggedSize, 8; version 13, 6\n"
#define COLLECTOR  "collector\n"
#define LARGE_PAGE                                                             \
	"empty _ZN2v88internal16LargeObjectSpace7AddPageEPNS0_"                \
	"17LargePageMetadataEm\n"
#define RESET_LAB "lab _ZN2v88internal13MainAllocator8ResetLabEmmm, 0xa0\n"
#define BITMAP	  "bitmap 0x140, 8\n"
#define COLLECT	  "collect 0xeff8\n"

/* Constants of Node 24, as many as tell it from other versions. */
#define CONSTANTS_13                                                           \
	"dbg off_fp_context, -8\n"                                             \
	"dbg off_fp_function, -16\n"                                           \
	"dbg off_fp_bytecode_array, -32\n"                                     \
	"dbg off_fp_bytecode_offset, -40\n"                                    \
	"dbg type_Map__MAP_TYPE, 272\n"                                        \
	"dbg FirstJSFunctionType, 2065\n"                                      \
	"dbg LastJSFunctionType, 2081\n"                                       \
	"dbg type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE, 282\n"        \
	"dbg type_Code__CODE_TYPE, 187\n"                                      \
	"dbg type_BytecodeArray__BYTECODE_ARRAY_TYPE, 186\n"                   \
	"dbg type_Script__SCRIPT_TYPE, 167\n"                                  \
	"dbg type_ScopeInfo__SCOPE_INFO_TYPE, 280\n"                           \
	"dbg class_JSFunction__shared__SharedFunctionInfo, 32\n"               \
	"dbg class_SharedFunctionInfo__script__Tagged_HeapObject_, 40\n"       \
	"dbg class_Script__source__Object, 8\n"                                \
	"dbg class_Script__name__Object, 16\n"                                 \
	"dbg class_Code__instruction_start__Address, 40\n"                     \
	"dbg class_Code__flags__uint32_t, 52\n"                                \
	"dbg CodeKindFieldMask, 15\n"                                          \
	"dbg CodeKindBaseline, 10\n"                                           \
	"dbg class_String__length__int32_t, 12\n"                              \
	"dbg class_ConsString__first__String, 16\n"                            \
	"dbg class_ConsString__second__String, 24\n"                           \
	"dbg class_FixedArray__data__uintptr_t, 16\n"

/* Assembles `source` into a shared library, without .symtab on demand. */
static const struct object *library(const char *source, bool stripped)
{
	static int count;
	char path[128], command[512];
	struct object *o;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d.s", scratch, count++);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s%s.section .note.GNU-stack,\"\",@progbits\n", macros,
		source);
	assert_int_equal(fclose(f), 0);
	snprintf(command, sizeof(command),
		 "gcc -shared -nostdlib %s -o %s.so %s", stripped ? "-s" : "",
		 path, path);
	assert_int_equal(system(command), 0);
	strcat(path, ".so");
	assert_int_equal(object_open(registry, open(path, O_RDONLY | O_CLOEXEC),
				     path, &o),
			 0);
	return o;
}

static void find(const char *source)
{
	assert_int_equal(v8_engine_find(library(source, false), &engine), 0);
}

static void assert_support(enum v8_support support, const char *reason)
{
	if (engine.support != support || !strstr(engine.reason, reason))
		fail_msg("expected support %d, \"...%s...\"; is %d, \"%s\"",
			 support, reason, engine.support, engine.reason);
}

/* ---- What is taken from where ------------------------------------------- */

static void a_known_version_is_supported(void **state)
{
	char text[48];

	find(VERSION_13 COLLECTOR LARGE_PAGE RESET_LAB BITMAP COLLECT);
	assert_support(V8_FRAMES_AND_HEAP, "");
	assert_string_equal(engine.reason, "");
	assert_string_equal(v8_version_text(&engine.version, text, 48),
			    "V8 13.6.7.0");
	for (int i = V8_POINT_RESET_LAB; i < V8_POINTS; i++)
		assert_true(engine.points[i] && engine.points_size[i]);
	assert_int_equal(engine.points[V8_POINT_ALLOCATE], 0);
	assert_int_equal(engine.layout.isolate_from_heap, 0xeff8);
	assert_int_equal(engine.layout.type_map, 272);
}

/* .cold is a part of the function: it is never called. */
static void split_off_parts_are_not_taken(void **state)
{
	find(VERSION_13 COLLECTOR LARGE_PAGE RESET_LAB BITMAP COLLECT);
	/* "empty" functions are one byte each: the part, then the whole. */
	assert_int_equal(engine.points[V8_POINT_MARKED],
			 engine.points[V8_POINT_SCAVENGED] + 2);
}

static void constants_win_over_the_table(void **state)
{
	find(VERSION_13
	     "dbg off_fp_function, -24\n"
	     "dbg class_SharedFunctionInfo__script_or_debug_info__X, 48\n"
	     "dbg class_Map__constructor_or_back_pointer__Anything, 72\n"
	     "dbg class_Map__constructor_or_back_pointer, 99\n"
	     "dbg off_fp_context_or_frame_type, -99\n"
	     "dbg class_ConsString__first__String, 0\n"
	     "dbg class_ConsString__second__String, 70000\n"
	     "dbg class_String__length__int32_t, -4\n" COLLECTOR LARGE_PAGE
		     RESET_LAB BITMAP COLLECT);
	assert_support(V8_FRAMES_AND_HEAP, "");
	assert_int_equal(engine.layout.frame_function, -24);
	assert_int_equal(engine.layout.shared_script, 48);
	assert_int_equal(engine.layout.map_constructor, 72);
	assert_int_equal(engine.layout.frame_context, -8);
	assert_int_equal(engine.layout.cons_first, 0); /* in .bss */
	/* What does not fit is no offset. */
	assert_int_equal(engine.layout.cons_second, 24);
	assert_int_equal(engine.layout.string_length, 12);
}

static void types_are_named_in_order(void **state)
{
	find(VERSION_13 "dbg type_JSMap__JS_MAP_TYPE, 2112\n"
			"dbg type_Map__MAP_TYPE, 272\n"
			"dbg type_InternalizedString__X, 0\n"
			"dbg type_JSSet__JS_SET_TYPE, 70000\n"
			"dbg type_ANameOfAClassThatIsRatherLongIndeed__X, 9\n");
	assert_int_equal(engine.type_count, 4);
	assert_string_equal(engine.types[0].name, "InternalizedString");
	assert_string_equal(engine.types[1].name,
			    "ANameOfAClassThatIsRatherLongIndeed");
	assert_int_equal(engine.types[2].type, 272);
	assert_string_equal(engine.types[3].name, "JSMap");
	assert_int_equal(engine.types[3].type, 2112);
}

static void builtins_are_found_through_a_variable(void **state)
{
	find(VERSION_13
	     "function _ZN2v88internal23DefaultEmbeddedBlobCodeEv\n"
	     "lea blob(%rip), %rax; mov (%rax), %rax; ret\n"
	     "done _ZN2v88internal23DefaultEmbeddedBlobCodeEv\n"
	     "function _ZN2v88internal27DefaultEmbeddedBlobCodeSizeEv\n"
	     "mov blob_size(%rip), %eax; ret\n"
	     "done _ZN2v88internal27DefaultEmbeddedBlobCodeSizeEv\n"
	     ".text; blob_start: .skip 4096; ret\n"
	     ".data; blob: .quad blob_start; blob_size: .long 4096\n");
	assert_true(engine.builtins_start >= 5 << 20);
	assert_int_equal(engine.builtins_end - engine.builtins_start, 4096);
}

#define EXTERNAL                                                               \
	"_ZNK2v88internal4Heap39AllocatedExternalMemorySinceMarkCompactEv\n"

/* Nonsense is not believed: nothing is read of the heap then. */
static void external_memory_is_where_the_code_says(void **state)
{
	find(VERSION_13 "function " EXTERNAL
			"mov 0x38(%rdi), %rcx; mov 0x48(%rdi), %rdx; ret\n"
			"done " EXTERNAL);
	assert_int_equal(engine.heap_external, 0x38);
	find(VERSION_13 "function " EXTERNAL "mov 0x9038(%rdi), %rcx; ret\n"
			"done " EXTERNAL);
	assert_int_equal(engine.heap_external, -1);
	find(VERSION_13);
	assert_int_equal(engine.heap_external, -1);
}

static void builtins_beyond_the_code_are_not_believed(void **state)
{
	find(VERSION_13
	     "function _ZN2v88internal23DefaultEmbeddedBlobCodeEv\n"
	     "mov $0x4000, %eax; ret\n"
	     "done _ZN2v88internal23DefaultEmbeddedBlobCodeEv\n"
	     "function _ZN2v88internal27DefaultEmbeddedBlobCodeSizeEv\n"
	     "mov blob_size(%rip), %eax; ret\n"
	     "done _ZN2v88internal27DefaultEmbeddedBlobCodeSizeEv\n"
	     ".data; blob_size: .long 0x7fffffff\n");
	assert_int_equal(engine.builtins_start, 0);
	assert_int_equal(engine.builtins_end, 0);
}

/* ---- What is refused ---------------------------------------------------- */

static void objects_without_v8_are_told(void **state)
{
	find("version 13, 6\n" COLLECTOR);
	assert_support(V8_ABSENT, "no V8");
	/* Code that calls V8 is no V8, nor is a small library with constants.
	 */
	assert_int_equal(v8_engine_find(library(".text\n", true), &engine), 0);
	assert_support(V8_ABSENT, "no V8");
}

static void unknown_versions_are_refused(void **state)
{
	find("dbg TaggedSize, 8; version 14, 1\n" COLLECTOR LARGE_PAGE RESET_LAB
		     BITMAP COLLECT);
	assert_support(V8_UNKNOWN,
		       "V8 14.1 is not one of the known versions (10.2, 11.3, "
		       "12.4, 13.6)");
	find("dbg TaggedSize, 8\n");
	assert_support(V8_UNKNOWN, "does not tell its version");
}

/* A stripped Node 24 has its constants, but not its version. */
static void versions_are_told_by_their_constants(void **state)
{
	find("dbg TaggedSize, 8\n" CONSTANTS_13);
	assert_support(V8_FRAMES, "no symbol");
	assert_int_equal(engine.version.major, 13);
	assert_int_equal(engine.version.minor, 6);
	/* One that is not as in 13.6; too few. */
	find("dbg TaggedSize, 8\ndbg type_FixedArray__FIXED_ARRAY_TYPE, "
	     "1\n" CONSTANTS_13);
	assert_support(V8_UNKNOWN, "not like any of the known ones");
	find("dbg TaggedSize, 8\ndbg off_fp_context, -8\n");
	assert_support(V8_UNKNOWN, "not like any of the known ones");
}

static void compressed_pointers_are_refused(void **state)
{
	find("dbg TaggedSize, 4; version 13, 6\n" COLLECTOR LARGE_PAGE RESET_LAB
		     BITMAP COLLECT);
	assert_support(V8_UNSUPPORTED, "compresses pointers");
}

static void a_missing_point_leaves_frames(void **state)
{
	find(VERSION_13 COLLECTOR RESET_LAB BITMAP COLLECT);
	assert_support(V8_FRAMES, "no symbol LargeObjectSpace::AddPage");
	find(VERSION_13 COLLECTOR LARGE_PAGE BITMAP COLLECT);
	assert_support(V8_FRAMES, "no symbol MainAllocator::ResetLab");
	find("dbg TaggedSize, 8; version 11, 3\n" COLLECTOR LARGE_PAGE RESET_LAB
		     BITMAP "collect 0xd2c0\n");
	assert_support(V8_FRAMES,
		       "no symbol SpaceWithLinearArea::ComputeLimit");
	assert_int_equal(engine.layout.allocator_lab, 0);
	assert_int_equal(engine.layout.isolate_from_heap, 0);
	assert_int_equal(engine.layout.type_map, 255);
}

/* Each offset that the code shows, wrong. */
static void code_that_contradicts_the_table_leaves_frames(void **state)
{
	static const struct {
		const char *source, *reason;
	} wrong[] = {
		{RESET_LAB COLLECT "bitmap 0x148, 8\n", "mark bits"},
		{RESET_LAB BITMAP "collect 0xeff0\n", "the isolate"},
		{RESET_LAB BITMAP "collect 0xff8\n", "the isolate"},
		{"lab _ZN2v88internal13MainAllocator8ResetLabEmmm, "
		 "0xa8\n" BITMAP COLLECT,
		 "the allocation area"},
		{"empty _ZN2v88internal13MainAllocator8ResetLabEmmm\n" BITMAP
			 COLLECT,
		 "the allocation area"},
		{RESET_LAB BITMAP COLLECT
		 "function Builtins_CEntry_Return1\n"
		 "mov %rsp, 0xc0(%r13); mov %rbp, 0xc8(%r13); ret\n"
		 "done Builtins_CEntry_Return1\n",
		 "the last exit from JavaScript"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char source[8192];

		snprintf(source, sizeof(source), "%s%s",
			 VERSION_13 COLLECTOR LARGE_PAGE, wrong[i].source);
		find(source);
		assert_support(V8_FRAMES, wrong[i].reason);
		assert_int_equal(engine.layout.metadata_mark_bits, 0);
		assert_int_equal(engine.layout.isolate_c_entry_fp, 0);
	}
}

/* The same with the right offset is accepted. */
static void code_that_agrees_is_accepted(void **state)
{
	find(VERSION_13 COLLECTOR LARGE_PAGE RESET_LAB BITMAP COLLECT
	     "function Builtins_CEntry_Return1\n"
	     "mov %rsp, 0xc8(%r13); mov %rbp, 0xc0(%r13); ret\n"
	     "done Builtins_CEntry_Return1\n");
	assert_support(V8_FRAMES_AND_HEAP, "");
}

/* ---- Areas of the program's own allocators -------------------------------
 */

#define RESET_LAB_WITH(between)                                                \
	"function _ZN2v88internal13MainAllocator8ResetLabEmmm\n"               \
	"push %rbp; mov %rsp, %rbp; push %rbx\n"                               \
	"mov 0xa0(%rdi), %rax; mov %rdi, %rbx\n"                               \
	"mov 8(%rax), %rdx; lea 0x28(%rax), %rcx; mov (%rcx), %rax\n"          \
	"lock cmpxchg %rdx, (%rcx)\n" between "cmpb $0, 0xd8(%rbx); je 1f\n"   \
	"lea 0xd0(%rbx), %rdi; call lock\n"                                    \
	"1: pop %rbx; pop %rbp; ret\n"                                         \
	"done _ZN2v88internal13MainAllocator8ResetLabEmmm\n"                   \
	".text; .type lock, @function\n"                                       \
	"lock: ret\n"

static void areas_are_probed_where_the_collector_does_not_come(void **state)
{
	find(VERSION_13 COLLECTOR LARGE_PAGE BITMAP COLLECT RESET_LAB_WITH(""));
	assert_support(V8_FRAMES_AND_HEAP, "");
	assert_true(engine.points_inside[V8_POINT_RESET_LAB] > 16 &&
		    engine.points_inside[V8_POINT_RESET_LAB] <
			    engine.points_size[V8_POINT_RESET_LAB]);
	assert_int_equal(engine.layout.allocator_lock, 0xd0);
	assert_int_equal(engine.layout.lab_top_register, 96); /* dx */
}

/* What was used of the old area would not be known. */
static void they_are_probed_at_the_entry_else(void **state)
{
	find(VERSION_13 COLLECTOR LARGE_PAGE BITMAP COLLECT RESET_LAB_WITH(
		"mov %rbx, %rdx\n"));
	assert_support(V8_FRAMES_AND_HEAP, "");
	assert_int_equal(engine.points_inside[V8_POINT_RESET_LAB], 0);
	assert_int_equal(engine.layout.allocator_lock, 0);
}

#define ALLOCATION_FREE_LIST                                                   \
	"_ZN2v88internal14PagedSpaceBase29TryAllocationFromFreeListMainEmNS0_" \
	"16AllocationOriginE"
#define ENSURE_ALLOCATION                                                      \
	"_ZN2v88internal17SemiSpaceNewSpace16EnsureAllocationEiPi"
#define UPDATE_LIMIT                                                           \
	"_ZN2v88internal17SemiSpaceNewSpace40UpdateInlineAllocationLimitFor"   \
	"AllocationEm"
#define LOCK   "_ZN2v84base5Mutex4LockEv"
#define UNLOCK "_ZN2v84base5Mutex6UnlockEv"
#define LIMIT  "_ZNK2v88internal19SpaceWithLinearArea12ComputeLimitEmmm"
#define VERSION_11_CALLING(lock, unlock, limit, new_area, after)               \
	"dbg TaggedSize, 8; version 11, 3\n" COLLECTOR LARGE_PAGE BITMAP       \
	"collect 0xd2c0\n"                                                     \
	"lab _ZN2v88internal19SpaceWithLinearArea26AdvanceAllocationObservers" \
	"Ev, 0x50\n"                                                           \
	"function " LOCK "; lock: ret; done " LOCK "\n"                        \
	"function " UNLOCK "; unlock: ret; done " UNLOCK "\n"                  \
	"function " LIMIT "; limit: ret; done " LIMIT "\n"                     \
	"function " UPDATE_LIMIT "; push %rbp; mov %rsi, %rcx\n"               \
	"call " limit "; pop %rbp; ret; done " UPDATE_LIMIT "\n"               \
	"function " ENSURE_ALLOCATION "; push %rbp; " new_area "; ret\n"       \
	"done " ENSURE_ALLOCATION "; function " ALLOCATION_FREE_LIST "\n"      \
	"push %rbp; lea 0x98(%rdi), %r14; mov %r14, %rdi; call " lock "\n"     \
	"lea 0x48(%rbp), %rdx; call *0x20(%rax); test %rax, %rax; jne 1f\n"    \
	"call " unlock "; pop %rbp; ret\n"                                     \
	"1: call " limit "\n" after "pop %rbp; ret\n"                          \
	"done " ALLOCATION_FREE_LIST "\n"
/* As in a program; calls of public names are by way of the PLT. */
#define VERSION_11_WITH(after)                                                 \
	VERSION_11_CALLING("lock", "unlock", "limit", "call limit", after)
#define VERSION_11_SHARED(new_area)                                            \
	VERSION_11_CALLING(LOCK "@PLT", UNLOCK "@PLT", LIMIT "@PLT", new_area, \
			   "call " UNLOCK "@PLT\n")

static void areas_are_probed_where_the_program_fills_them(void **state)
{
	const uint32_t *inside = engine.points_inside;

	find(VERSION_11_WITH("call unlock\n"));
	assert_support(V8_FRAMES_AND_HEAP, "");
	assert_int_equal(engine.points[V8_POINT_ALLOCATE], 0);
	assert_int_equal(engine.points[V8_POINT_ACCOUNT], 0);
	assert_int_equal(inside[V8_POINT_NEW_AREA], 0);
	assert_int_equal(inside[V8_POINT_NEW_LIMIT], 1);
	assert_int_equal(engine.points[V8_POINT_NEW_LIMIT],
			 engine.points[V8_POINT_NEW_AREA]);
	/* push, lea, mov; and the last but for pop and ret. */
	assert_int_equal(inside[V8_POINT_REFILL_LOCK], 1 + 7 + 3);
	assert_int_equal(inside[V8_POINT_REFILLED],
			 engine.points_size[V8_POINT_REFILLED] - 2 - 5);
	assert_int_equal(engine.layout.allocator_lock, 0x98);
}

static void calls_by_way_of_the_plt_are_followed(void **state)
{
	const uint32_t *inside = engine.points_inside;

	find(VERSION_11_SHARED("call " LIMIT "@PLT"));
	assert_support(V8_FRAMES_AND_HEAP, "");
	assert_int_equal(engine.points[V8_POINT_ALLOCATE], 0);
	assert_int_equal(engine.points[V8_POINT_NEW_LIMIT],
			 engine.points[V8_POINT_NEW_AREA]);
	assert_int_equal(inside[V8_POINT_NEW_LIMIT], 1);
	assert_int_equal(inside[V8_POINT_REFILL_LOCK], 1 + 7 + 3);
	assert_int_equal(inside[V8_POINT_REFILLED],
			 engine.points_size[V8_POINT_REFILLED] - 2 - 5);
	assert_int_equal(engine.layout.allocator_lock, 0x98);
}

/* As in Debian's library. */
static void the_new_spaces_limit_may_be_one_call_further_in(void **state)
{
	find(VERSION_11_SHARED("call " UPDATE_LIMIT "@PLT"));
	assert_support(V8_FRAMES_AND_HEAP, "");
	assert_int_equal(engine.points[V8_POINT_ALLOCATE], 0);
	assert_true(engine.points[V8_POINT_NEW_LIMIT] &&
		    engine.points[V8_POINT_NEW_LIMIT] !=
			    engine.points[V8_POINT_NEW_AREA]);
	assert_int_equal(engine.points_size[V8_POINT_NEW_LIMIT],
			 1 + 3 + 5 + 1 + 1);
	assert_int_equal(engine.points_inside[V8_POINT_NEW_LIMIT], 1 + 3);
	/* Not known which is the one that allocates. */
	find(VERSION_11_SHARED("call " UPDATE_LIMIT "@PLT; call " UPDATE_LIMIT
			       "@PLT"));
	assert_true(engine.points[V8_POINT_ALLOCATE] &&
		    engine.points[V8_POINT_ACCOUNT]);
	assert_int_equal(engine.points[V8_POINT_NEW_LIMIT], 0);
}

/* Not known which of the two is where there is an area; or none is. */
static void all_areas_are_probed_else(void **state)
{
	static const char *const after[] = {"", "call unlock; call unlock\n",
					    "call limit; call unlock\n",
					    "call lock; call unlock\n"};
	static const char whole[] = VERSION_11_WITH("*");
	char source[sizeof(whole) + 64];
	size_t before = (size_t)(strrchr(whole, '*') - whole);

	for (size_t i = 0; i < sizeof(after) / sizeof(*after); i++) {
		snprintf(source, sizeof(source), "%.*s%s%s", (int)before, whole,
			 after[i], whole + before + 1);
		find(source);
		assert_support(V8_FRAMES_AND_HEAP, "");
		assert_true(engine.points[V8_POINT_ALLOCATE] &&
			    engine.points[V8_POINT_ACCOUNT]);
		assert_int_equal(engine.points[V8_POINT_NEW_AREA], 0);
		assert_int_equal(engine.points[V8_POINT_REFILLED], 0);
		assert_int_equal(engine.layout.allocator_lock, 0);
	}
}

/* ---- The dispatch table ------------------------------------------------- */

/* A process's memory: one word at each of two addresses, 0 around them. */
struct words {
	uint64_t address[2], value[2];
};

static int read_words(void *context, uint64_t address, void *out, size_t size)
{
	const struct words *w = context;
	bool found = false;

	memset(out, 0, size);
	for (int i = 0; i < 2; i++) {
		if (w->address[i] < address ||
		    w->address[i] + 8 > address + size)
			continue;
		memcpy((char *)out + (w->address[i] - address), &w->value[i],
		       8);
		found = true;
	}
	return found ? 0 : -EFAULT;
}

static void the_dispatch_table_is_read_from_the_process(void **state)
{
	struct words w = {.value = {0, 0x7000}};
	struct v8_memory memory = {.read = read_words, .context = &w};
	struct v8_layout layout;

	/* The code's offset, 0x3280, is not the table's. */
	find(VERSION_13
	     "function _ZN2v88internal17ExternalReference25js_dispatch_table_ad"
	     "dressEv\n"
	     "mov group(%rip), %rax; mov 0x3280(%rax), %rax; mov (%rax), %rax\n"
	     "ret\n"
	     "done _ZN2v88internal17ExternalReference25js_dispatch_table_addres"
	     "sEv\n"
	     ".data; .balign 8; group:\n"
	     ".globl _ZN2v88internal12IsolateGroup22default_isolate_group_E\n"
	     "_ZN2v88internal12IsolateGroup22default_isolate_group_E: .quad "
	     "0\n");
	assert_int_equal(engine.isolate_group_dispatch_table, 0x3280);
	w.address[0] = 0x550000000000 + engine.default_isolate_group;
	w.address[1] = 0x9000 + 0x3280;

	v8_memory_begin(&memory);
	assert_int_equal(
		v8_engine_bind(&engine, &memory, 0x550000000000, &layout),
		-EAGAIN);
	w.value[0] = 0x9000;
	v8_memory_begin(&memory);
	assert_int_equal(
		v8_engine_bind(&engine, &memory, 0x550000000000, &layout), 0);
	assert_int_equal(layout.dispatch_table, 0x7000);
	assert_int_equal(layout.type_map, engine.layout.type_map);
	assert_int_equal(v8_engine_bind(&engine, &memory, 0, &layout), -EFAULT);
}

/* ---- Real builds -------------------------------------------------------- */

static const struct v8_row *row_of_engine(void)
{
	for (size_t i = 0; i < v8_row_count; i++)
		if (v8_rows[i].major == engine.version.major &&
		    v8_rows[i].minor == engine.version.minor)
			return &v8_rows[i];
	return NULL;
}

static void assert_constants_are_as_in_the_table(const struct object *o)
{
	static struct v8_symbols symbols;
	const char *differs;

	assert_int_equal(v8_symbols_collect(o, &symbols), 0);
	if (!v8_constants_agree(o, &symbols, &row_of_engine()->layout,
				&differs))
		fail_msg("v8dbg_%s differs from the table",
			 differs ? differs : "* (too few)");
}

static void examine_real(const char *path)
{
	struct v8_layout layout;
	struct object *o;
	char text[48];

	assert_int_equal(object_open(registry, open(path, O_RDONLY | O_CLOEXEC),
				     path, &o),
			 0);
	assert_int_equal(v8_engine_find(o, &engine), 0);
	print_message("%s: %s %s\n", path,
		      v8_version_text(&engine.version, text, sizeof(text)),
		      engine.reason);
	assert_support(V8_FRAMES_AND_HEAP, "");
	assert_constants_are_as_in_the_table(o);
	assert_int_equal(engine.points_inside[V8_POINT_RESET_LAB] != 0,
			 engine.version.major >= 12);
	assert_int_equal(engine.layout.allocator_lock,
			 engine.version.major >= 12   ? 0xd0
			 : engine.version.major == 11 ? 0xa0
						      : 0x118);
	/* Only the code has them. */
	layout = engine.layout;
	layout.allocator_lock = layout.lab_top_register = 0;
	assert_memory_equal(&layout, &row_of_engine()->layout, sizeof(layout));
	assert_int_equal(engine.isolate_group_dispatch_table,
			 row_of_engine()->isolate_group_dispatch_table);
	assert_true(engine.builtins_end - engine.builtins_start > 1 << 20);
	assert_true(engine.bytecode_sizes_bytes > 500);
	assert_true(engine.type_count > 150);
	/* Heap::external_memory_ comes first since V8 12. */
	assert_int_equal(engine.heap_external,
			 engine.version.major < 12 ? 56 : 0);
	assert_int_equal(engine.api_call[0] != 0, engine.version.major < 12);
}

/* Without .symtab: up to V8 12 nothing is missing, in 13 the heap is. */
static void examine_stripped(const char *path)
{
	struct v8_version whole = engine.version;
	struct v8_layout layout = engine.layout;
	char command[1024], copy[128];
	struct object *o;

	snprintf(copy, sizeof(copy), "%s/stripped", scratch);
	snprintf(command, sizeof(command), "strip -o %s %s", copy, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(object_open(registry, open(copy, O_RDONLY | O_CLOEXEC),
				     path, &o),
			 0);
	unlink(copy);
	assert_int_equal(v8_engine_find(o, &engine), 0);
	assert_int_equal(engine.version.major, whole.major);
	assert_int_equal(engine.version.minor, whole.minor);
	if (whole.major < 13) {
		assert_support(V8_FRAMES_AND_HEAP, "");
		assert_memory_equal(&engine.layout, &layout, sizeof(layout));
		return;
	}
	assert_support(V8_FRAMES, "(stripped?)");
	assert_int_equal(engine.layout.type_map, layout.type_map);
	assert_int_equal(engine.layout.page_metadata, 0);
}

static void real_builds_are_as_the_table_says(void **state)
{
	glob_t paths;

	if (!v8_binaries(&paths)) {
		print_message("no Node: tools/setup.sh test\n");
		globfree(&paths);
		skip();
	}
	for (size_t i = 0; i < paths.gl_pathc; i++) {
		examine_real(paths.gl_pathv[i]);
		examine_stripped(paths.gl_pathv[i]);
	}
	globfree(&paths);
}

#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(f, registry_make, registry_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_known_version_is_supported),
		TEST(split_off_parts_are_not_taken),
		TEST(constants_win_over_the_table),
		TEST(types_are_named_in_order),
		TEST(builtins_are_found_through_a_variable),
		TEST(builtins_beyond_the_code_are_not_believed),
		TEST(external_memory_is_where_the_code_says),
		TEST(objects_without_v8_are_told),
		TEST(unknown_versions_are_refused),
		TEST(versions_are_told_by_their_constants),
		TEST(compressed_pointers_are_refused),
		TEST(a_missing_point_leaves_frames),
		TEST(code_that_contradicts_the_table_leaves_frames),
		TEST(code_that_agrees_is_accepted),
		TEST(areas_are_probed_where_the_collector_does_not_come),
		TEST(they_are_probed_at_the_entry_else),
		TEST(areas_are_probed_where_the_program_fills_them),
		TEST(calls_by_way_of_the_plt_are_followed),
		TEST(the_new_spaces_limit_may_be_one_call_further_in),
		TEST(all_areas_are_probed_else),
		TEST(the_dispatch_table_is_read_from_the_process),
		TEST(real_builds_are_as_the_table_says),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
