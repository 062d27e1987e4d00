/* SPDX-License-Identifier: GPL-2.0-only */
#include "target/container.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ID_HEX_LEAST  12 /* shorter hex numbers are names */
#define ID_HEX_DIGITS 64
#define SHORT_ID      12 /* as docker ps shows them */

/* A part of a path. */
struct part {
	const char *at;
	size_t size;
};

static bool starts_with(struct part p, const char *prefix, struct part *rest)
{
	size_t size = strlen(prefix);

	if (p.size <= size || memcmp(p.at, prefix, size))
		return false;
	*rest = (struct part){p.at + size, p.size - size};
	return true;
}

static bool ends_with(struct part p, const char *suffix, struct part *rest)
{
	size_t size = strlen(suffix);

	if (p.size <= size || memcmp(p.at + p.size - size, suffix, size))
		return false;
	*rest = (struct part){p.at, p.size - size};
	return true;
}

static bool is(struct part p, const char *word)
{
	return p.size == strlen(word) && !memcmp(p.at, word, p.size);
}

static bool is_hex(struct part p)
{
	for (size_t i = 0; i < p.size; i++)
		if (!isxdigit((unsigned char)p.at[i]))
			return false;
	return p.size >= ID_HEX_LEAST && p.size <= ID_HEX_DIGITS;
}

static void copy(char to[CONTAINER_TEXT_BYTES], struct part p)
{
	size_t size = p.size < CONTAINER_TEXT_BYTES ? p.size
						    : CONTAINER_TEXT_BYTES - 1;

	memcpy(to, p.at, size);
	to[size] = '\0';
}

static bool take_id(struct container *c, const char *runtime, struct part id)
{
	snprintf(c->runtime, sizeof(c->runtime), "%s", runtime);
	copy(c->id, id);
	return true;
}

/* systemd writes what has a meaning in unit names as \xNN (systemd.unit(5)). */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++, to++) {
		unsigned value;

		if (from[0] == '\\' && from[1] == 'x' &&
		    isxdigit((unsigned char)from[2]) &&
		    isxdigit((unsigned char)from[3]) &&
		    sscanf(from + 2, "%2x", &value) == 1 && value) {
			*to = (char)value;
			from += 3;
		} else {
			*to = *from;
		}
	}
	*to = '\0';
}

/* Containers that have no other id than their name. */
static bool take_named(struct container *c, const char *runtime,
		       struct part name)
{
	snprintf(c->runtime, sizeof(c->runtime), "%s", runtime);
	copy(c->name, name);
	unescape(c->name);
	/* It becomes a part of paths: container_names.c. */
	if (strchr(c->name, '/') || c->name[0] == '.') {
		*c = (struct container){0};
		return false;
	}
	snprintf(c->id, sizeof(c->id), "%s", c->name);
	return true;
}

/* "docker-ID", with ".scope" behind it (systemd) or not (cgroupfs). */
static bool take_prefixed(struct container *c, struct part p)
{
	static const struct {
		const char *prefix, *runtime;
	} with_id[] = {
		{"docker-", "docker"},
		{"libpod-", "podman"},
		{"crio-", "cri-o"},
		{"cri-containerd-", "containerd"},
		{"nerdctl-", "containerd"},
		{"containerd-", "containerd"},
		{"libpod-payload-", "podman"},
	};
	struct part rest;

	for (size_t i = 0; i < sizeof(with_id) / sizeof(with_id[0]); i++)
		if (starts_with(p, with_id[i].prefix, &rest) && is_hex(rest))
			return take_id(c, with_id[i].runtime, rest);
	return false;
}

/* Units that systemd has made for a container without a hexadecimal id. */
static bool take_unit(struct container *c, struct part unit)
{
	struct part name;

	if (starts_with(unit, "crun-", &name))
		return take_named(c, "crun", name);
	if (starts_with(unit, "runc-", &name))
		return take_named(c, "runc", name);
	/* Virtual machines are registered the same way. */
	if (starts_with(unit, "machine-", &name) && name.size >= 4 &&
	    memcmp(name.at, "qemu", 4))
		return take_named(c, "systemd-nspawn", name);
	return false;
}

/* "UNIT.slice:cri-containerd:ID": systemd's notation, used as a path. */
static bool take_colons(struct container *c, struct part p)
{
	const char *last = memrchr(p.at, ':', p.size);
	struct part id, runtime;

	if (!last)
		return false;
	id = (struct part){last + 1, (size_t)(p.at + p.size - last - 1)};
	runtime = (struct part){p.at, (size_t)(last - p.at)};
	if (!is_hex(id))
		return false;
	return take_id(c,
		       ends_with(runtime, "crio", &runtime) ? "cri-o"
							    : "containerd",
		       id);
}

/* By the group above it. */
static bool take_below(struct container *c, struct part parent, struct part p)
{
	if ((is(parent, "docker") || is(parent, "actions_job")) && is_hex(p))
		return take_id(c, "docker", p);
	if (is(parent, "lxc") || is(parent, "lxc.payload"))
		return take_named(c, "lxc", p);
	/* Nothing else has such names. */
	return p.size == ID_HEX_DIGITS && is_hex(p) &&
	       take_id(c, c->pod_uid[0] ? "kubernetes" : "container", p);
}

/* "podUID", "kubepods-burstable-podUID.slice": an underscore for each dash. */
static void note_pod(struct container *c, struct part p)
{
	struct part uid, before;
	const char *pod;

	if (ends_with(p, ".slice", &before) &&
	    memmem(p.at, p.size, "kubepods", 8)) {
		p = before;
		pod = memmem(p.at, p.size, "-pod", 4);
		if (!pod)
			return;
		p = (struct part){pod + 1, (size_t)(p.at + p.size - pod) - 1};
	}
	if (!starts_with(p, "pod", &uid) || uid.size < 32 || uid.size > 36)
		return;
	for (size_t i = 0; i < uid.size; i++)
		if (!isxdigit((unsigned char)uid.at[i]) && uid.at[i] != '-' &&
		    uid.at[i] != '_')
			return;
	copy(c->pod_uid, uid);
	for (char *at = c->pod_uid; *at; at++)
		if (*at == '_')
			*at = '-';
}

static bool take(struct container *c, struct part parent, struct part p)
{
	struct part rest, unit = p;
	bool scope = ends_with(p, ".scope", &unit);
	const char *colon;

	if (take_prefixed(c, unit) || (scope && take_unit(c, unit)))
		return true;
	if (starts_with(p, "lxc.payload.", &rest))
		return take_named(c, "lxc", rest);
	if (take_below(c, parent, p))
		return true;
	/* Systemd's notation begins with the pod's slice. */
	colon = memchr(p.at, ':', p.size);
	if (colon)
		unit = (struct part){p.at, (size_t)(colon - p.at)};
	note_pod(c, colon ? unit : p);
	return take_colons(c, p);
}

bool container_of_cgroup(const char *path, struct container *out)
{
	struct part parent = {"", 0};

	*out = (struct container){0};
	while (*path) {
		struct part p = {path, strcspn(path, "/")};

		if (p.size && take(out, parent, p))
			return true;
		if (p.size)
			parent = p;
		path += p.size + (path[p.size] == '/');
	}
	/* A pod's own group, outside its containers. */
	if (!out->pod_uid[0])
		return false;
	snprintf(out->runtime, sizeof(out->runtime), "kubernetes");
	return true;
}

const char *container_label(const struct container *c,
			    char text[CONTAINER_TEXT_BYTES])
{
	struct part id = {c->id, strlen(c->id)};

	if (c->name[0])
		snprintf(text, CONTAINER_TEXT_BYTES, "%s", c->name);
	else
		snprintf(text, CONTAINER_TEXT_BYTES, "%.*s",
			 is_hex(id) ? SHORT_ID : (int)id.size, c->id);
	return text;
}
