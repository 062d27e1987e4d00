// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that allocate on behalf of their caller: a leak is never theirs,
 * so a report names the frame above them. To add one, add a line.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/alloc_names.h"
#include "probe/catalogue.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Whole names, in strcmp order. */
static const char *const names[] = {
	/* libc; OpenSSL, GLib, nginx, redis, PostgreSQL, SQLite, Python, APR,
	 * libuv, Rust; and the wrappers that everybody writes */
	"BUF_MEM_grow",
	"BUF_strdup",
	"CRYPTO_calloc",
	"CRYPTO_clear_realloc",
	"CRYPTO_malloc",
	"CRYPTO_memdup",
	"CRYPTO_realloc",
	"CRYPTO_strdup",
	"CRYPTO_strndup",
	"CRYPTO_zalloc",
	"MemoryContextAlloc",
	"MemoryContextAllocExtended",
	"MemoryContextAllocZero",
	"PyMem_Calloc",
	"PyMem_Malloc",
	"PyMem_RawCalloc",
	"PyMem_RawMalloc",
	"PyMem_RawRealloc",
	"PyMem_Realloc",
	"PyObject_Calloc",
	"PyObject_Malloc",
	"PyObject_Realloc",
	"RM_Alloc",
	"RM_Calloc",
	"RM_Realloc",
	"RM_Strdup",
	"_IO_file_doallocate",
	"_PyMem_DebugCalloc",
	"_PyMem_DebugMalloc",
	"_PyMem_DebugRealloc",
	"_PyMem_RawCalloc",
	"_PyMem_RawMalloc",
	"_PyMem_RawRealloc",
	"_PyObject_Calloc",
	"_PyObject_Malloc",
	"_PyObject_Realloc",
	"__asprintf",
	"__asprintf_chk",
	"__fopen_internal",
	"__getdelim",
	"__getline",
	"__new_fopen",
	"__opendir",
	"__opendirat",
	"__rdl_alloc",
	"__rdl_alloc_zeroed",
	"__rdl_realloc",
	"__rg_alloc",
	"__rg_alloc_zeroed",
	"__rg_realloc",
	"__rust_alloc",
	"__rust_alloc_zeroed",
	"__rust_realloc",
	"__strdup",
	"__strndup",
	"__vasprintf",
	"__vasprintf_chk",
	"__vasprintf_internal",
	"_mid_memalign",
	"apr_palloc",
	"apr_pcalloc",
	"asprintf",
	"cJSON_malloc",
	"canonicalize_file_name",
	"fdopen",
	"fdopendir",
	"fmemopen",
	"fopen",
	"fopen64",
	"fopencookie",
	"freopen",
	"g_array_sized_new",
	"g_malloc",
	"g_malloc0",
	"g_malloc0_n",
	"g_malloc_n",
	"g_memdup",
	"g_memdup2",
	"g_realloc",
	"g_realloc_n",
	"g_slice_alloc",
	"g_slice_alloc0",
	"g_strdup",
	"g_strdup_printf",
	"g_strdup_vprintf",
	"g_strndup",
	"g_try_malloc",
	"g_try_malloc0",
	"g_try_malloc_n",
	"g_try_realloc",
	"get_current_dir_name",
	"getaddrinfo",
	"getcwd",
	"getdelim",
	"getifaddrs",
	"getline",
	"glob",
	"glob64",
	"if_nameindex",
	"ngx_alloc",
	"ngx_calloc",
	"ngx_create_pool",
	"ngx_memalign",
	"ngx_palloc",
	"ngx_palloc_block",
	"ngx_palloc_large",
	"ngx_palloc_small",
	"ngx_pcalloc",
	"ngx_pmemalign",
	"ngx_pnalloc",
	"open_memstream",
	"open_wmemstream",
	"opendir",
	"palloc",
	"palloc0",
	"popen",
	"pstrdup",
	"realpath",
	"regcomp",
	"repalloc",
	"scandir",
	"scandir64",
	"setlocale",
	"sqlite3Malloc",
	"sqlite3MallocZero",
	"sqlite3Realloc",
	"sqlite3_malloc",
	"sqlite3_malloc64",
	"sqlite3_realloc",
	"sqlite3_realloc64",
	"strdup",
	"strndup",
	"talloc_named_const",
	"tempnam",
	"tmpfile",
	"tmpfile64",
	"tsearch",
	"uv__calloc",
	"uv__malloc",
	"uv__realloc",
	"uv__reallocf",
	"uv__strdup",
	"vasprintf",
	"wcsdup",
	"wordexp",
	"xasprintf",
	"xcalloc",
	"xmalloc",
	"xmalloc0",
	"xmallocz",
	"xmemdup",
	"xmemdup0",
	"xnmalloc",
	"xnrealloc",
	"xrealloc",
	"xreallocarray",
	"xstrdup",
	"xstrndup",
	"xvasprintf",
	"xzalloc",
	"zcalloc",
	"zcalloc_num",
	"zcalloc_usable",
	"zmalloc",
	"zmalloc_no_tcache",
	"zmalloc_usable",
	"zrealloc",
	"zrealloc_usable",
	"zstrdup",
	"ztrycalloc",
	"ztrycalloc_usable",
	"ztrycalloc_usable_internal",
	"ztrymalloc",
	"ztrymalloc_usable",
	"ztrymalloc_usable_internal",
	"ztryrealloc",
	"ztryrealloc_usable",
	"ztryrealloc_usable_internal",
};

/*
 * Beginnings of demangled names. The C++ and Rust standard libraries allocate
 * for whoever instantiates them; that also covers their containers, strings
 * and smart pointers.
 */
static const char *const prefixes[] = {
	"operator new",
	"operator delete",
	"std::",
	"__gnu_cxx::",
	"__cxxabiv1::",
	"alloc::", /* Rust: Vec, Box, String, Rc, ... */
	"core::",
	"hashbrown::",
	"<alloc::",
	"<core::",
	"<std::",
	"<hashbrown::",
	"_rjem_",
	"tikv_jemallocator::",
	"<tikv_jemallocator::",
	"jemallocator::",
	"<jemallocator::",
	"mimalloc::",
	"<mimalloc::",
	"tcmalloc::",
	"boost::container::",
	"absl::container_internal::",
	"absl::lts_",
	"folly::fbvector",
	"eastl::",
	"QArrayData::",
	"QByteArray::",
	"QString::",
	"QListData::",
	"runtime.", /* Go: mallocgc, newobject, growslice, mapassign, ... */
};

/* Within those namespaces, what runs the program's own code: a thread or a
 * closure started there is a root, not a helper. */
static const char *const opaque[] = {
	"std::thread::_",
	"std::rt::",
	"std::sys::",
	"std::sys_common::backtrace::__rust_begin_short_backtrace",
	"std::panic",
	"core::ops::function::",
	"<core::ops::function",
	"<core::panic",
	"<alloc::boxed::Box<F,A> as core::ops::function::",
	"<alloc::boxed::Box<dyn",
	"runtime.main",
	"runtime.goexit",
};

static int by_name(const void *key, const void *entry)
{
	return strcmp(key, *(const char *const *)entry);
}

static bool begins_with_any(const char *name, const char *const *list,
			    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strncmp(name, list[i], strlen(list[i])))
			return true;
	return false;
}

/* A demangled template function begins with its return type: "void
 * std::vector<int>::_M_realloc_insert<...>(...)". Blanks inside <> or () do
 * not count. */
static const char *skip_return_type(const char *name)
{
	const char *start = name;
	int depth = 0;

	if (!strncmp(name, "operator ", 9) || *name == '<')
		return name;
	for (const char *p = name; *p; p++) {
		if (*p == '<' || *p == '(')
			depth++;
		else if ((*p == '>' || *p == ')') && depth)
			depth--;
		else if (*p == ' ' && !depth && strncmp(p + 1, "const", 5))
			start = p + 1;
		if (*p == '(' && depth == 1)
			break;
		if (!strncmp(p, "operator", 8) && !depth)
			break;
	}
	return start;
}

bool catalogue_is_transparent(const char *function_name)
{
	char plain[128];
	size_t length = strcspn(function_name, "@(.");
	const char *base = skip_return_type(function_name);
	struct alloc_match match;

	if (alloc_name_find(function_name, &match))
		return true;
	if (begins_with_any(base, opaque, COUNT(opaque)))
		return false;
	if (begins_with_any(base, prefixes, COUNT(prefixes)))
		return true;
	/* "xmalloc.part.0", "strdup@GLIBC_2.2.5", "xmalloc(unsigned long)" */
	if (!length || length >= sizeof(plain))
		return false;
	memcpy(plain, function_name, length);
	plain[length] = 0;
	return alloc_name_find(plain, &match) ||
	       bsearch(plain, names, COUNT(names), sizeof(*names), by_name);
}
