// SPDX-License-Identifier: GPL-2.0-only
/*
 * The catalogue's table. To support another function add a line; to support
 * another allocator add its prefix, or its own names, and a marker.
 *
 * Left out on purpose:
 *   xallocx, mi_expand       resize in place: the pointer does not change
 *   mi_heap_destroy          frees blocks without naming them
 *   mi_heap_recalloc, ...    four arguments; they call functions listed here
 *   sallocx, *_usable_size   ask only
 */
#include <string.h>

#include "leakbpf/abi_user.h"
#include "probe/alloc_names.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* C functions; each may carry one of the prefixes below. */
static const struct alloc_name c_names[] = {
	{"malloc", ALLOC_SIZE, 0},
	{"calloc", ALLOC_COUNT_SIZE, 0},
	{"realloc", ALLOC_REALLOC, 0},
	{"reallocf", ALLOC_REALLOC, 0},
	{"reallocarray", ALLOC_REALLOC_COUNT, 0},
	{"posix_memalign", ALLOC_OUT_ALIGN_SIZE, 0},
	{"aligned_alloc", ALLOC_ALIGN_SIZE, 0},
	{"memalign", ALLOC_ALIGN_SIZE, 0},
	{"_aligned_malloc", ALLOC_ALIGN_SIZE, 0},
	{"valloc", ALLOC_SIZE, 0},
	{"pvalloc", ALLOC_SIZE, 0},
	{"free", FREE_POINTER, 0},
	{"cfree", FREE_POINTER, 0},
	{"vfree", FREE_POINTER, 0},
	{"free_sized", FREE_POINTER, 0},
	{"free_aligned_sized", FREE_POINTER, 0},
	/* jemalloc's own; tcmalloc and others have some of them */
	{"mallocx", ALLOC_SIZE, 0},
	{"rallocx", ALLOC_REALLOC, 0},
	{"dallocx", FREE_POINTER, 0},
	{"sdallocx", FREE_POINTER, 0},
};

/* gperftools */
static const struct alloc_name tc_names[] = {
	{"tc_malloc_skip_new_handler", ALLOC_SIZE, 0},
	{"tc_new", ALLOC_SIZE, PROBE_THROWS},
	{"tc_newarray", ALLOC_SIZE, PROBE_THROWS},
	{"tc_new_nothrow", ALLOC_SIZE, 0},
	{"tc_newarray_nothrow", ALLOC_SIZE, 0},
	{"tc_new_aligned", ALLOC_SIZE, PROBE_THROWS},
	{"tc_newarray_aligned", ALLOC_SIZE, PROBE_THROWS},
	{"tc_new_aligned_nothrow", ALLOC_SIZE, 0},
	{"tc_newarray_aligned_nothrow", ALLOC_SIZE, 0},
	{"tc_delete", FREE_POINTER, 0},
	{"tc_deletearray", FREE_POINTER, 0},
	{"tc_delete_sized", FREE_POINTER, 0},
	{"tc_deletearray_sized", FREE_POINTER, 0},
	{"tc_delete_nothrow", FREE_POINTER, 0},
	{"tc_deletearray_nothrow", FREE_POINTER, 0},
	{"tc_delete_aligned", FREE_POINTER, 0},
	{"tc_deletearray_aligned", FREE_POINTER, 0},
	{"tc_delete_sized_aligned", FREE_POINTER, 0},
	{"tc_deletearray_sized_aligned", FREE_POINTER, 0},
	{"tc_delete_aligned_nothrow", FREE_POINTER, 0},
	{"tc_deletearray_aligned_nothrow", FREE_POINTER, 0},
};

/* mimalloc (mimalloc.h) */
static const struct alloc_name mi_names[] = {
	{"mi_zalloc", ALLOC_SIZE, 0},
	{"mi_malloc_small", ALLOC_SIZE, 0},
	{"mi_zalloc_small", ALLOC_SIZE, 0},
	{"mi_mallocn", ALLOC_COUNT_SIZE, 0},
	{"mi_rezalloc", ALLOC_REALLOC, 0},
	{"mi_reallocn", ALLOC_REALLOC_COUNT, 0},
	{"mi_recalloc", ALLOC_REALLOC_COUNT, 0},
	{"mi_malloc_aligned", ALLOC_SIZE, 0},
	{"mi_malloc_aligned_at", ALLOC_SIZE, 0},
	{"mi_zalloc_aligned", ALLOC_SIZE, 0},
	{"mi_zalloc_aligned_at", ALLOC_SIZE, 0},
	{"mi_calloc_aligned", ALLOC_COUNT_SIZE, 0},
	{"mi_calloc_aligned_at", ALLOC_COUNT_SIZE, 0},
	{"mi_realloc_aligned", ALLOC_REALLOC, 0},
	{"mi_realloc_aligned_at", ALLOC_REALLOC, 0},
	{"mi_rezalloc_aligned", ALLOC_REALLOC, 0},
	{"mi_rezalloc_aligned_at", ALLOC_REALLOC, 0},
	{"mi_recalloc_aligned", ALLOC_REALLOC_COUNT, 0},
	{"mi_recalloc_aligned_at", ALLOC_REALLOC_COUNT, 0},
	{"mi_aligned_recalloc", ALLOC_REALLOC_COUNT, 0},
	{"mi_aligned_offset_recalloc", ALLOC_REALLOC_COUNT, 0},
	{"mi_heap_malloc", ALLOC_ALIGN_SIZE, 0},
	{"mi_heap_zalloc", ALLOC_ALIGN_SIZE, 0},
	{"mi_heap_malloc_small", ALLOC_ALIGN_SIZE, 0},
	{"mi_heap_calloc", ALLOC_HEAP_COUNT_SIZE, 0},
	{"mi_heap_mallocn", ALLOC_HEAP_COUNT_SIZE, 0},
	{"mi_heap_malloc_aligned", ALLOC_ALIGN_SIZE, 0},
	{"mi_heap_malloc_aligned_at", ALLOC_ALIGN_SIZE, 0},
	{"mi_heap_zalloc_aligned", ALLOC_ALIGN_SIZE, 0},
	{"mi_heap_zalloc_aligned_at", ALLOC_ALIGN_SIZE, 0},
	{"mi_heap_calloc_aligned", ALLOC_HEAP_COUNT_SIZE, 0},
	{"mi_heap_calloc_aligned_at", ALLOC_HEAP_COUNT_SIZE, 0},
	{"mi_heap_realloc", ALLOC_HEAP_REALLOC, 0},
	{"mi_heap_reallocf", ALLOC_HEAP_REALLOC, 0},
	{"mi_heap_rezalloc", ALLOC_HEAP_REALLOC, 0},
	{"mi_heap_realloc_aligned", ALLOC_HEAP_REALLOC, 0},
	{"mi_heap_realloc_aligned_at", ALLOC_HEAP_REALLOC, 0},
	{"mi_heap_rezalloc_aligned", ALLOC_HEAP_REALLOC, 0},
	{"mi_heap_rezalloc_aligned_at", ALLOC_HEAP_REALLOC, 0},
	{"mi_heap_alloc_new", ALLOC_ALIGN_SIZE, PROBE_THROWS},
	{"mi_heap_alloc_new_n", ALLOC_HEAP_COUNT_SIZE, PROBE_THROWS},
	{"mi_new", ALLOC_SIZE, PROBE_THROWS},
	{"mi_new_aligned", ALLOC_SIZE, PROBE_THROWS},
	{"mi_new_nothrow", ALLOC_SIZE, 0},
	{"mi_new_aligned_nothrow", ALLOC_SIZE, 0},
	{"mi_new_n", ALLOC_COUNT_SIZE, PROBE_THROWS},
	{"mi_new_realloc", ALLOC_REALLOC, PROBE_THROWS},
	{"mi_new_reallocn", ALLOC_REALLOC_COUNT, PROBE_THROWS},
	{"mi_free_size", FREE_POINTER, 0},
	{"mi_free_size_aligned", FREE_POINTER, 0},
	{"mi_free_aligned", FREE_POINTER, 0},
};

static const struct alloc_name rp_names[] = {
	{"rpmalloc", ALLOC_SIZE, 0},
	{"rpzalloc", ALLOC_SIZE, 0},
	{"rpcalloc", ALLOC_COUNT_SIZE, 0},
	{"rprealloc", ALLOC_REALLOC, 0},
	{"rpaligned_alloc", ALLOC_ALIGN_SIZE, 0},
	{"rpaligned_zalloc", ALLOC_ALIGN_SIZE, 0},
	{"rpmemalign", ALLOC_ALIGN_SIZE, 0},
	{"rpposix_memalign", ALLOC_OUT_ALIGN_SIZE, 0},
	{"rpfree", FREE_POINTER, 0},
};

/* Itanium C++ ABI mangling: nw/na new, dl/da delete, m size_t,
 * St11align_val_t alignment, RKSt9nothrow_t nothrow. */
static const struct alloc_name cxx_names[] = {
	{"_Znwm", ALLOC_SIZE, PROBE_THROWS},
	{"_Znam", ALLOC_SIZE, PROBE_THROWS},
	{"_ZnwmRKSt9nothrow_t", ALLOC_SIZE, 0},
	{"_ZnamRKSt9nothrow_t", ALLOC_SIZE, 0},
	{"_ZnwmSt11align_val_t", ALLOC_SIZE, PROBE_THROWS},
	{"_ZnamSt11align_val_t", ALLOC_SIZE, PROBE_THROWS},
	{"_ZnwmSt11align_val_tRKSt9nothrow_t", ALLOC_SIZE, 0},
	{"_ZnamSt11align_val_tRKSt9nothrow_t", ALLOC_SIZE, 0},
	{"_ZdlPv", FREE_POINTER, 0},
	{"_ZdaPv", FREE_POINTER, 0},
	{"_ZdlPvm", FREE_POINTER, 0},
	{"_ZdaPvm", FREE_POINTER, 0},
	{"_ZdlPvRKSt9nothrow_t", FREE_POINTER, 0},
	{"_ZdaPvRKSt9nothrow_t", FREE_POINTER, 0},
	{"_ZdlPvSt11align_val_t", FREE_POINTER, 0},
	{"_ZdaPvSt11align_val_t", FREE_POINTER, 0},
	{"_ZdlPvmSt11align_val_t", FREE_POINTER, 0},
	{"_ZdaPvmSt11align_val_t", FREE_POINTER, 0},
	{"_ZdlPvSt11align_val_tRKSt9nothrow_t", FREE_POINTER, 0},
	{"_ZdaPvSt11align_val_tRKSt9nothrow_t", FREE_POINTER, 0},
};

/* --mmap */
static const struct alloc_name map_names[] = {
	{"mmap", MAP_MMAP, 0},
	{"mmap64", MAP_MMAP, 0},
	{"munmap", MAP_MUNMAP, 0},
	{"mremap", MAP_MREMAP, 0},
};

static const struct {
	const char *prefix;
	enum alloc_family family;
} prefixes[] = {
	{"", FAMILY_LIBC},	 {"__libc_", FAMILY_LIBC},
	{"je_", FAMILY_JE},	 {"__je_", FAMILY_JE},
	{"_rjem_", FAMILY_RJEM}, {"_rjem_je_", FAMILY_RJEM},
	{"tc_", FAMILY_TC},	 {"mi_", FAMILY_MI},
};

static const struct {
	const struct alloc_name *names;
	unsigned count;
	enum alloc_family family;
} own_names[] = {
	{cxx_names, COUNT(cxx_names), FAMILY_CXX},
	{tc_names, COUNT(tc_names), FAMILY_TC},
	{mi_names, COUNT(mi_names), FAMILY_MI},
	{rp_names, COUNT(rp_names), FAMILY_RP},
	{map_names, COUNT(map_names), FAMILY_MAP},
};

/* In the order of precedence: an executable may hold several. */
static const struct {
	const char *symbol, *allocator;
	bool is_libc;
} markers[] = {
	{"__asan_init", "AddressSanitizer", false},
	{"mallctl", "jemalloc", false},
	{"je_mallctl", "jemalloc", false},
	{"_rjem_mallctl", "jemalloc", false},
	{"je_malloc", "jemalloc", false},
	{"_rjem_malloc", "jemalloc", false},
	{"tc_version", "tcmalloc", false},
	{"TCMallocInternalMalloc", "tcmalloc", false},
	{"mi_version", "mimalloc", false},
	{"mi_malloc", "mimalloc", false},
	{"rpmalloc", "rpmalloc", false},
	{"gnu_get_libc_version", "glibc", true},
	{"_IO_2_1_stdout_", "glibc", true},
	{"__libc_malloc_impl", "musl", true}, /* static */
	{"__init_libc", "musl", true},
	{"_dl_debug_addr", "musl", true}, /* libc.so */
};

static const struct alloc_name *find_in(const struct alloc_name *names,
					unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (*names[i].name == *name && !strcmp(names[i].name, name))
			return &names[i];
	return NULL;
}

static bool find_prefixed(const char *symbol, struct alloc_match *out)
{
	for (unsigned p = 0; p < COUNT(prefixes); p++) {
		size_t length = strlen(prefixes[p].prefix);

		if (strncmp(symbol, prefixes[p].prefix, length))
			continue;
		out->entry = find_in(c_names, COUNT(c_names), symbol + length);
		if (!out->entry)
			continue;
		out->family = prefixes[p].family;
		out->rank = p * 100 + (unsigned)(out->entry - c_names);
		out->is_malloc = !strcmp(out->entry->name, "malloc");
		out->is_free = !strcmp(out->entry->name, "free");
		return true;
	}
	return false;
}

/* Large programs have 100,000s of mangled names; of the C++ functions only
 * new (_Zn) and delete (_Zd) are of interest. */
static bool is_other_cxx(const char *symbol)
{
	return symbol[0] == '_' && symbol[1] == 'Z' && symbol[2] != 'n' &&
	       symbol[2] != 'd';
}

bool alloc_name_find(const char *symbol, struct alloc_match *out)
{
	memset(out, 0, sizeof(*out));
	if (is_other_cxx(symbol))
		return false;
	if (find_prefixed(symbol, out))
		return true;
	for (unsigned g = 0; g < COUNT(own_names); g++) {
		out->entry =
			find_in(own_names[g].names, own_names[g].count, symbol);
		if (!out->entry)
			continue;
		out->family = own_names[g].family;
		out->rank = 1000 + g * 100 +
			    (unsigned)(out->entry - own_names[g].names);
		out->is_malloc = !strcmp(symbol, "rpmalloc");
		out->is_free = !strcmp(symbol, "rpfree");
		return true;
	}
	return false;
}

enum alloc_class alloc_kind_class(uint32_t kind)
{
	switch (kind) {
	case ALLOC_SIZE:
	case ALLOC_COUNT_SIZE:
	case ALLOC_ALIGN_SIZE:
	case ALLOC_OUT_ALIGN_SIZE:
	case ALLOC_REALLOC:
	case ALLOC_REALLOC_COUNT:
	case ALLOC_HEAP_COUNT_SIZE:
	case ALLOC_HEAP_REALLOC:
		return CLASS_ALLOC;
	case FREE_POINTER:
		return CLASS_FREE;
	case MAP_MMAP:
	case MAP_MUNMAP:
	case MAP_MREMAP:
		return CLASS_MAP;
	default:
		return CLASS_NONE;
	}
}

const char *alloc_marker_find(const char *symbol, unsigned *rank, bool *is_libc)
{
	for (unsigned i = 0; i < COUNT(markers) && !is_other_cxx(symbol); i++) {
		if (strcmp(symbol, markers[i].symbol))
			continue;
		*rank = i;
		*is_libc = markers[i].is_libc;
		return markers[i].allocator;
	}
	return NULL;
}
