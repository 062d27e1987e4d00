/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One pass over the symbol tables. V8's internals are in .dynsym up to Node 22,
 * in .symtab only from Node 24 on, and Debian's libnode has no .symtab. The
 * v8dbg_* constants (made by tools/gen-postmortem-metadata.py in V8's tree) are
 * in .dynsym of all.
 */
#include "v8/layout_symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Code of objects that could hold a V8; builtins alone are 1.3 MiB, and the
 * smallest node, 18, has 20 MiB. */
#define V8_TEXT_BYTES_MIN (4u << 20)

/* Constants that tell one version from another; every version has more. */
#define CONSTANTS_TELLING 24

#define V8DBG	     "v8dbg_"
#define MANGLED	     "_ZN2v88internal"
#define CONST_METHOD "_ZNK2v88internal"

struct name {
	const char *start; /* after MANGLED or at the start; a prefix */
	uint32_t slot;
};

/* Mangled names end in the parameters, which differ between versions: LargePage
 * became LargePageMetadata. */
static const struct name point_names[] = {
	{"19SpaceWithLinearArea12ComputeLimitE", V8_POINT_ALLOCATE},
	{"19SpaceWithLinearArea26AdvanceAllocationObserversE",
	 V8_POINT_ACCOUNT},
	{"8NewSpace16EnsureAllocationE", V8_POINT_NEW_AREA},
	{"17SemiSpaceNewSpace16EnsureAllocationE", V8_POINT_NEW_AREA},
	{"10PagedSpace29TryAllocationFromFreeListMainE", V8_POINT_REFILL_LOCK},
	{"14PagedSpaceBase29TryAllocationFromFreeListMainE",
	 V8_POINT_REFILL_LOCK},
	{"13MainAllocator8ResetLabE", V8_POINT_RESET_LAB},
	{"16LargeObjectSpace7AddPageE", V8_POINT_LARGE_PAGE},
	{"18ScavengerCollector30HandleSurvivingNewLargeObjectsE",
	 V8_POINT_SCAVENGED},
	{"20MarkCompactCollector22ClearNonLiveReferencesE", V8_POINT_MARKED},
	{"4Heap20ProcessWeakListRootsE", V8_POINT_EVACUATED},
	{"4Heap36GarbageCollectionPrologueInSafepointE", V8_POINT_GC_BEGIN},
	{"4Heap36GarbageCollectionEpilogueInSafepointE", V8_POINT_GC_END},
	{"4Heap13SizeOfObjectsE", V8_POINT_SIZE_OF_OBJECTS},
	{"4Heap8TearDownE", V8_POINT_TEAR_DOWN},
};

static const struct name helper_names[] = {
	{"7Version6major_E", V8_VERSION_MAJOR},
	{"7Version6minor_E", V8_VERSION_MINOR},
	{"7Version6build_E", V8_VERSION_BUILD},
	{"7Version6patch_E", V8_VERSION_PATCH},
	{"11interpreter9Bytecodes14kBytecodeSizesE", V8_BYTECODE_SIZES},
	{"12IsolateGroup22default_isolate_group_E", V8_DEFAULT_ISOLATE_GROUP},
	{"4Heap14CollectGarbageE", V8_COLLECT_GARBAGE},
	{"20MarkCompactCollector20IsUnmarkedHeapObjectE",
	 V8_IS_UNMARKED_HEAP_OBJECT},
	{"8NewSpace27UpdateInlineAllocationLimitE", V8_UPDATE_LIMIT},
	{"17SemiSpaceNewSpace40UpdateInlineAllocationLimitForAllocationE",
	 V8_UPDATE_LIMIT},
	{"17ExternalReference25js_dispatch_table_addressE",
	 V8_DISPATCH_TABLE_ADDRESS},
	{"23DefaultEmbeddedBlobCodeE", V8_BLOB_CODE},
	{"27DefaultEmbeddedBlobCodeSizeE", V8_BLOB_CODE_SIZE},
	{"33Runtime_AllocateInYoungGenerationE", V8_ALLOCATE_YOUNG},
	{"31Runtime_AllocateInOldGenerationE", V8_ALLOCATE_OLD},
	{"15MemoryAllocator12AllocatePageE", V8_ALLOCATE_PAGE},
	{"15MemoryAllocator17AllocateLargePageE", V8_ALLOCATE_LARGE_PAGE},
	{"4Heap39AllocatedExternalMemorySinceMarkCompactE",
	 V8_EXTERNAL_SINCE_MARK_COMPACT},
	{"21Builtin_HandleApiCallE", V8_HANDLE_API_CALL},
	{"12_GLOBAL__N_119HandleApiCallHelperILb0E", V8_HANDLE_API_CALL_HELPER},
	{"12_GLOBAL__N_119HandleApiCallHelperILb1E",
	 V8_HANDLE_API_CALL_HELPER_NEW},
	{"25FunctionCallbackArguments4CallE", V8_CALLBACK_ARGUMENTS_CALL},
};

struct constant {
	uint16_t field;	      /* offset in struct v8_layout, of 16 bits */
	const char *names[2]; /* after V8DBG; with "__" at the end: a prefix,
			       * because the type that follows changes */
};

#define FIELD(name) offsetof(struct v8_layout, name)

static const struct constant constants[] = {
	{FIELD(frame_context), {"off_fp_context"}},
	{FIELD(frame_function), {"off_fp_function"}},
	{FIELD(frame_bytecode_array), {"off_fp_bytecode_array"}},
	{FIELD(frame_bytecode_offset), {"off_fp_bytecode_offset"}},
	{FIELD(type_map), {"type_Map__MAP_TYPE"}},
	{FIELD(type_js_function_first), {"FirstJSFunctionType"}},
	{FIELD(type_js_function_last), {"LastJSFunctionType"}},
	{FIELD(type_shared_function_info), {"type_SharedFunctionInfo__"}},
	{FIELD(type_code), {"type_Code__CODE_TYPE"}},
	{FIELD(type_bytecode_array), {"type_BytecodeArray__"}},
	{FIELD(type_script), {"type_Script__SCRIPT_TYPE"}},
	{FIELD(type_scope_info), {"type_ScopeInfo__"}},
	{FIELD(type_first_nonstring), {"FirstNonstringType"}},
	{FIELD(type_context_first), {"FirstContextType"}},
	{FIELD(type_context_last), {"LastContextType"}},
	{FIELD(type_fixed_array), {"type_FixedArray__"}},
	{FIELD(map_instance_type), {"class_Map__instance_type__"}},
	{FIELD(map_constructor), {"class_Map__constructor_or_back_pointer__"}},
	{FIELD(function_shared), {"class_JSFunction__shared__"}},
	{FIELD(function_code), {"class_JSFunction__code__"}},
	{FIELD(shared_name_or_scope_info),
	 {"class_SharedFunctionInfo__name_or_scope_info__"}},
	{FIELD(shared_script),
	 {"class_SharedFunctionInfo__script__",
	  "class_SharedFunctionInfo__script_or_debug_info__"}},
	{FIELD(script_source), {"class_Script__source__"}},
	{FIELD(script_name), {"class_Script__name__"}},
	{FIELD(code_instruction_start), {"class_Code__instruction_start__"}},
	{FIELD(code_instruction_size), {"class_Code__instruction_size__"}},
	{FIELD(code_flags), {"class_Code__flags__"}},
	{FIELD(code_kind_mask), {"CodeKindFieldMask"}},
	{FIELD(code_kind_baseline), {"CodeKindBaseline"}},
	{FIELD(deopt_literals_index), {"DeoptimizationDataLiteralArrayIndex"}},
	{FIELD(deopt_inlining_positions_index),
	 {"DeoptimizationDataInliningPositionsIndex"}},
	{FIELD(bytecode_data), {"class_BytecodeArray__data__"}},
	{FIELD(scope_info_first_vars), {"scopeinfo_idx_first_vars"}},
	{FIELD(scope_info_context_locals), {"scopeinfo_idx_ncontextlocals"}},
	{FIELD(string_length), {"class_String__length__"}},
	{FIELD(string_chars), {"class_SeqOneByteString__chars__"}},
	{FIELD(cons_first), {"class_ConsString__first__"}},
	{FIELD(cons_second), {"class_ConsString__second__"}},
	{FIELD(sliced_parent), {"class_SlicedString__parent__"}},
	{FIELD(sliced_offset), {"class_SlicedString__offset__"}},
	{FIELD(thin_actual), {"class_ThinString__actual__"}},
	{FIELD(array_length), {"class_FixedArrayBase__length__"}},
	{FIELD(array_data), {"class_FixedArray__data__"}},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
_Static_assert(COUNT(constants) <= V8_CONSTANTS_MAX, "V8_CONSTANTS_MAX");

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_in_dashes(const char *name)
{
	size_t size = strlen(name);

	return size > 2 && strcmp(name + size - 2, "__") == 0;
}

/* The first definition counts: both tables have the same one. */
static void take(struct v8_symbol *to, const struct object_symbol *s)
{
	if (!to->address)
		*to = (struct v8_symbol){s->address, s->size};
}

static void take_type(struct v8_symbols *v, const char *name, uint64_t address)
{
	const char *end = strstr(name, "__");
	struct v8_type *type;
	size_t size;

	if (!end || end == name || v->type_count == V8_TYPES_MAX)
		return;
	type = &v->types[v->type_count];
	size = (size_t)(end - name);
	if (size >= sizeof(type->name))
		size = sizeof(type->name) - 1;
	memcpy(type->name, name, size);
	v->type_addresses[v->type_count++] = address;
}

static void take_constant(struct v8_symbols *v, const char *name,
			  const struct object_symbol *s)
{
	v->constant_count++;
	if (!strcmp(name, "TaggedSize"))
		take(&v->helpers[V8_TAGGED_SIZE], s);
	if (s->is_dynamic && starts_with(name, "type_"))
		take_type(v, name + strlen("type_"), s->address);
	for (size_t i = 0; i < COUNT(constants); i++) {
		for (size_t n = 0; n < 2 && constants[i].names[n]; n++) {
			const char *wanted = constants[i].names[n];

			if (ends_in_dashes(wanted) ? starts_with(name, wanted)
						   : !strcmp(name, wanted))
				take(&v->constants[i], s);
		}
	}
}

static void take_mangled(struct v8_symbols *v, const char *name,
			 const struct object_symbol *s)
{
	if (strchr(name, '.')) /* a part that the compiler split off */
		return;
	for (size_t i = 0; i < COUNT(point_names); i++)
		if (starts_with(name, point_names[i].start))
			take(&v->points[point_names[i].slot], s);
	for (size_t i = 0; i < COUNT(helper_names); i++)
		if (starts_with(name, helper_names[i].start))
			take(&v->helpers[helper_names[i].slot], s);
}

static int each_symbol(const struct object_symbol *s, void *context)
{
	struct v8_symbols *v = context;

	if (starts_with(s->name, MANGLED))
		take_mangled(v, s->name + strlen(MANGLED), s);
	else if (starts_with(s->name, CONST_METHOD))
		take_mangled(v, s->name + strlen(CONST_METHOD), s);
	else if (starts_with(s->name, V8DBG))
		take_constant(v, s->name + strlen(V8DBG), s);
	else if (!strcmp(s->name, "_ZN2v84base5Mutex4LockEv"))
		take(&v->helpers[V8_MUTEX_LOCK], s);
	else if (!strcmp(s->name, "_ZN2v84base5Mutex6UnlockEv"))
		take(&v->helpers[V8_MUTEX_UNLOCK], s);
	else if (starts_with(s->name, "Builtins_CEntry_"))
		take(&v->helpers[V8_C_ENTRY], s);
	return 0;
}

/* Programs and libraries that hold a V8 export its constants. */
static int exports_constants(const struct object *o, bool *out)
{
	CLEANUP_FREE uint8_t *names = NULL;
	uint64_t address;
	size_t size;
	int err;

	*out = false;
	if (o->is_vdso || o->text_end - o->text_base < V8_TEXT_BYTES_MIN)
		return 0;
	err = object_section(o, ".dynstr", &names, &size, &address);
	if (err)
		return err == -ENOENT ? 0 : err;
	*out = memmem(names, size, V8DBG, strlen(V8DBG)) != NULL;
	return 0;
}

int v8_symbols_collect(const struct object *o, struct v8_symbols *out)
{
	bool exported;
	int err = exports_constants(o, &exported);

	memset(out, 0, sizeof(*out));
	if (err || !exported)
		return err;
	return object_each_symbol(o, each_symbol, out);
}

/* Numbers that are 0 are in .bss, which has no bytes in the file. */
bool v8_int_read(const struct object *o, uint64_t address, int32_t *out)
{
	uint64_t offset;

	*out = 0;
	if (object_address_to_offset(o, address, &offset))
		return object_read(o, offset, out, sizeof(*out)) == 0;
	for (uint32_t i = 0; i < o->segment_count; i++) {
		const struct object_segment *s = &o->segments[i];

		if (address >= s->address &&
		    address - s->address < s->memory_size)
			return true;
	}
	return false;
}

/* The constant's value for its field, in 16 bits; false: the object has none,
 * or none that fits. */
static bool constant_value(const struct object *o, const struct v8_symbols *s,
			   size_t i, uint16_t *out)
{
	bool is_signed = constants[i].field <= FIELD(frame_bytecode_offset);
	int32_t value;

	if (!s->constants[i].address ||
	    !v8_int_read(o, s->constants[i].address, &value))
		return false;
	if (is_signed ? value < INT16_MIN || value > INT16_MAX
		      : value < 0 || value > UINT16_MAX)
		return false;
	*out = (uint16_t)value;
	return true;
}

void v8_constants_apply(const struct object *o, const struct v8_symbols *s,
			struct v8_layout *layout)
{
	uint16_t value;

	for (size_t i = 0; i < COUNT(constants); i++)
		if (constant_value(o, s, i, &value))
			memcpy((uint8_t *)layout + constants[i].field, &value,
			       sizeof(value));
}

bool v8_constants_agree(const struct object *o, const struct v8_symbols *s,
			const struct v8_layout *layout, const char **differs)
{
	uint32_t found = 0;
	uint16_t value;

	*differs = NULL;
	for (size_t i = 0; i < COUNT(constants) && !*differs; i++) {
		if (!constant_value(o, s, i, &value))
			continue;
		if (memcmp((const uint8_t *)layout + constants[i].field, &value,
			   sizeof(value)) != 0)
			*differs = constants[i].names[0];
		found++;
	}
	return !*differs && found >= CONSTANTS_TELLING;
}

static int by_type(const void *a, const void *b)
{
	const struct v8_type *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return strcmp(x->name, y->name);
}

void v8_types_read(const struct object *o, const struct v8_symbols *s,
		   struct v8_engine *out)
{
	int32_t value;

	for (uint32_t i = 0; i < s->type_count; i++) {
		if (!v8_int_read(o, s->type_addresses[i], &value) ||
		    value < 0 || value > UINT16_MAX)
			continue;
		out->types[out->type_count] = s->types[i];
		out->types[out->type_count++].type = (uint16_t)value;
	}
	qsort(out->types, out->type_count, sizeof(out->types[0]), by_type);
}
