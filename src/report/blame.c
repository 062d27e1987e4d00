/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/blame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "probe/catalogue.h"

/* ---- Resolving ---------------------------------------------------------- */

static int resolve_process(const struct names *names, uint32_t tgid,
			   const struct profile_stack *const *stacks,
			   size_t count, bool *done)
{
	CLEANUP_FREE uint64_t *frames = NULL;
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		if (stacks[i]->tgid == tgid)
			total += stacks[i]->depth;
	frames = malloc((total ? total : 1) * sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	total = 0;
	for (size_t i = 0; i < count; i++) {
		const struct profile_stack *s = stacks[i];

		if (s->tgid != tgid)
			continue;
		if (s->depth)
			memcpy(frames + total, s->frames,
			       s->depth * sizeof(*frames));
		total += s->depth;
		done[i] = true;
	}
	return total ? names->resolve(names->context, tgid, frames, total) : 0;
}

int report_resolve(const struct report *r,
		   const struct profile_stack *const *stacks, size_t count)
{
	CLEANUP_FREE bool *done = calloc(count ? count : 1, sizeof(*done));
	int err = done ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !err; i++)
		if (!done[i])
			err = resolve_process(r->names, stacks[i]->tgid, stacks,
					      count, done);
	return err;
}

/* ---- Blame -------------------------------------------------------------- */

static bool starts_with_any(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (!strncmp(name, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

bool blame_is_library(const char *module)
{
	static const char *const prefixes[] = {
		"libc.so",     "libc-2.",  "libc.musl",	  "ld-linux",
		"ld-musl",     "ld-2.",	   "libpthread",  "libstdc++",
		"libc++",      "libgcc_s", "libjemalloc", "libtcmalloc",
		"libmimalloc", "libmvec",  "[vdso]",	  NULL,
	};

	return starts_with_any(module, prefixes);
}

bool blame_is_standard(const char *function)
{
	static const char *const prefixes[] = {
		/* Go: packages that allocate for their callers, or call them */
		"bufio.",
		"bytes.",
		"compress/",
		"context.",
		"crypto/",
		"encoding/",
		"fmt.",
		"html/",
		"internal/",
		"io.",
		"maps.",
		"math/",
		"net.",
		"net/",
		"os.",
		"reflect.",
		"regexp.",
		"runtime/",
		"slices.",
		"sort.",
		"strconv.",
		"strings.",
		"sync.",
		"syscall.",
		"text/",
		"time.",
		"vendor/golang",
		/* C++ and Rust */
		"std::",
		"__gnu_cxx::",
		"__cxxabiv1::",
		"alloc::",
		"core::",
		"hashbrown::",
		"__rust_",
		"__rdl_",
		"__rg_",
		"<alloc::",
		"<std::",
		"<core::",
		"<hashbrown::",
		"operator new",
		"operator delete",
		NULL,
	};

	return starts_with_any(function, prefixes);
}

enum rank { RANK_ALLOCATION, RANK_LIBRARY, RANK_NODE_SCRIPT, RANK_OWN };

static enum rank rank_of_script(const struct symbol_level *level)
{
	if (!level->file) /* a builtin */
		return RANK_LIBRARY;
	return strncmp(level->file, "node:", 5) ? RANK_OWN : RANK_NODE_SCRIPT;
}

bool blame_is_runtime(const char *function)
{
	static const char *const prefixes[] = {
		"node::", "v8::", "cppgc::", "Builtins_", NULL,
	};

	return starts_with_any(function, prefixes);
}

/* The module that V8 or Node is in: all of it serves the scripts. Outermost
 * first, as addons contain parts of V8, too. */
static const char *runtime_of(const struct report *r,
			      const struct profile_stack *s)
{
	for (uint32_t i = s->depth; i-- > 0;) {
		const struct symbol *symbol = report_symbol(r, s->frames[i]);

		if (symbol->named && !symbol->script && symbol->module[0] &&
		    blame_is_runtime(symbol->levels[0].function))
			return symbol->module;
	}
	return NULL;
}

static enum rank rank_of(const struct symbol *symbol,
			 const struct symbol_level *level, const char *runtime)
{
	if (symbol->script)
		return rank_of_script(level);
	if (symbol->named && catalogue_is_transparent(level->function))
		return RANK_ALLOCATION;
	if (blame_is_library(symbol->module) ||
	    (runtime && !strcmp(symbol->module, runtime)) ||
	    (symbol->named && blame_is_standard(level->function)))
		return RANK_LIBRARY;
	return RANK_OWN;
}

bool report_blame(const struct report *r, const struct profile_stack *s,
		  struct blame *out)
{
	const char *runtime = runtime_of(r, s);
	enum rank best = RANK_ALLOCATION;

	*out = (struct blame){NULL, NULL};
	for (uint32_t i = 0; i < s->depth; i++) {
		const struct symbol *symbol = report_symbol(r, s->frames[i]);

		for (uint32_t l = 0; l < symbol->level_count; l++) {
			const struct symbol_level *level = &symbol->levels[l];
			enum rank rank = rank_of(symbol, level, runtime);

			/* Among allocation functions the outermost: it is
			 * nearest to whoever called. */
			if (out->level &&
			    (rank < best ||
			     (rank == best && rank != RANK_ALLOCATION)))
				continue;
			best = rank;
			*out = (struct blame){symbol, level};
			if (rank == RANK_OWN)
				return true;
		}
	}
	return out->level != NULL;
}
