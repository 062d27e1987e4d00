/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/source_path.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/percent.h"

static const char file_scheme[] = "file://";

/* Bytes of "webpack:", 0: the URL is relative. One letter is a drive. */
static size_t scheme_size(const char *url)
{
	size_t size = 0;

	if (!isalpha((unsigned char)url[0]))
		return 0;
	while (isalnum((unsigned char)url[size]) ||
	       (url[size] && strchr("+-.", url[size])))
		size++;
	return url[size] == ':' && size > 1 ? size + 1 : 0;
}

/* Takes off the last part of out[root..]. */
static void go_up(struct text *out, size_t root)
{
	while (out->size > root && out->data[out->size - 1] != '/')
		out->size--;
	if (out->size > root)
		out->data[--out->size] = '\0';
}

/* Appends the parts of a path, each with a slash in front, "." and ".." done
 * with; `root`: of which nothing is taken off. */
static void append_parts(struct text *out, size_t root, const char *path,
			 size_t size)
{
	const char *end = path + size;

	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t part = (size_t)((slash ? slash : end) - path);

		if (part == 2 && !memcmp(path, "..", 2)) {
			go_up(out, root);
		} else if (part && !(part == 1 && *path == '.')) {
			text_add(out, "/");
			text_append(out, path, part);
		}
		path += part + 1;
	}
}

/* An absolute path, or one relative to the folder of `base`. */
static void resolve(const char *base, const char *path, struct text *out)
{
	const char *slash = strrchr(base, '/');

	text_clear(out);
	if (*path != '/' && slash)
		append_parts(out, 0, base, (size_t)(slash - base));
	append_parts(out, 0, path, strlen(path));
	if (!out->size)
		text_add(out, "/");
}

static int resolve_url(const char *base, const char *path, size_t size,
		       struct text *out)
{
	struct text plain = {0};

	percent_decode(&plain, path, size);
	if (!plain.failed)
		resolve(base, plain.data, out);
	out->failed |= plain.failed;
	text_free(&plain);
	return out->failed ? -ENOMEM : 0;
}

int source_map_path(const char *script, const char *url, struct text *out)
{
	if (!strncmp(url, file_scheme, sizeof(file_scheme) - 1))
		url += sizeof(file_scheme) - 1;
	else if (scheme_size(url))
		return -ENOENT;
	if (!*url || (*script != '/' && *url != '/'))
		return -ENOENT;
	return resolve_url(script, url, strcspn(url, "?#"), out);
}

int source_path(const char *base, const char *source, struct text *out)
{
	size_t scheme = scheme_size(source);
	const char *path;

	if (!strncmp(source, file_scheme, sizeof(file_scheme) - 1))
		return resolve_url(base, source + sizeof(file_scheme) - 1,
				   strlen(source) - sizeof(file_scheme) + 1,
				   out);
	if (!scheme && (*base == '/' || *source == '/'))
		return resolve_url(base, source, strlen(source), out);
	text_clear(out);
	/* scheme://authority/path; the authority may be missing. */
	path = strncmp(source + scheme, "//", 2)
		       ? source + scheme
		       : source + scheme + 2 +
				 strcspn(source + scheme + 2, "/");
	text_append(out, source, (size_t)(path - source));
	if (scheme && *path == '/')
		append_parts(out, out->size, path, strlen(path));
	else
		text_add(out, path);
	return out->failed ? -ENOMEM : 0;
}
