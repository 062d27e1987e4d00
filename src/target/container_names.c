/* SPDX-License-Identifier: GPL-2.0-only */
#include "target/container_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A container's configuration has some 10 KiB; podman keeps all in one file. */
#define FILE_BYTES_MAX	 (1u << 20)
#define NESTED_MAX	 32
#define STATES_LOOKED_AT 4096

/* ---- Files --------------------------------------------------------------- */

static struct json_object *parse(const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(NESTED_MAX);
	struct json_object *json = NULL;

	if (tokener)
		json = json_tokener_parse_ex(tokener, text, (int)size);
	if (tokener)
		json_tokener_free(tokener);
	return json;
}

/* NULL: none, not a regular file, too large, or no JSON. */
static struct json_object *read_json(const char *path)
{
	CLEANUP_CLOSE int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	CLEANUP_FREE char *text = NULL;
	struct stat st;
	size_t used = 0;
	ssize_t got;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size <= 0 || st.st_size > FILE_BYTES_MAX)
		return NULL;
	text = malloc((size_t)st.st_size);
	while (text && used < (size_t)st.st_size &&
	       (got = read(fd, text + used, (size_t)st.st_size - used)) > 0)
		used += (size_t)got;
	return text ? parse(text, used) : NULL;
}

/* NULL when there is no such member; it belongs to the object. */
static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *found = NULL;

	json_object_object_get_ex(object, key, &found);
	return found;
}

/* NULL: it is no text. */
static const char *text_of(struct json_object *value)
{
	return json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

static void take_text(char to[CONTAINER_TEXT_BYTES], struct json_object *object,
		      const char *key)
{
	const char *text = text_of(member(object, key));

	if (text && *text)
		snprintf(to, CONTAINER_TEXT_BYTES, "%s", text);
}

/* ---- By id --------------------------------------------------------------- */

static void look_up_docker(const char *root, struct container *c)
{
	char path[512], name[CONTAINER_TEXT_BYTES] = "";
	struct json_object *config;

	snprintf(path, sizeof(path),
		 "%s/var/lib/docker/containers/%s/config.v2.json", root, c->id);
	config = read_json(path);
	take_text(name, config, "Name");
	/* Written with a slash in front. */
	if (name[0])
		snprintf(c->name, sizeof(c->name), "%s",
			 name + (name[0] == '/'));
	json_object_put(config);
}

/* The keys of containerd's and CRI-O's plugins for Kubernetes, nerdctl's, and
 * podman's. */
static void take_annotations(struct container *c, struct json_object *config)
{
	struct json_object *a = member(config, "annotations");

	take_text(c->name, a, "nerdctl/name");
	take_text(c->name, a, "io.kubernetes.container.name");
	take_text(c->name, a, "io.kubernetes.cri.container-name");
	take_text(c->pod, a, "io.kubernetes.pod.name");
	take_text(c->pod, a, "io.kubernetes.cri.sandbox-name");
	take_text(c->pod_namespace, a, "io.kubernetes.pod.namespace");
	take_text(c->pod_namespace, a, "io.kubernetes.cri.sandbox-namespace");
	if (!c->pod_uid[0])
		take_text(c->pod_uid, a, "io.kubernetes.cri.sandbox-uid");
}

/* RUN/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json */
static void look_up_containerd(const char *root, struct container *c)
{
	char tasks[256], path[640];
	struct dirent *entry;
	DIR *namespaces;

	snprintf(tasks, sizeof(tasks),
		 "%s/run/containerd/io.containerd.runtime.v2.task", root);
	namespaces = opendir(tasks);
	while (namespaces && (entry = readdir(namespaces))) {
		struct json_object *config;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s/config.json", tasks,
			 entry->d_name, c->id);
		config = read_json(path);
		take_annotations(c, config);
		json_object_put(config);
	}
	if (namespaces)
		closedir(namespaces);
}

static const char *first_text(struct json_object *list)
{
	return json_object_is_type(list, json_type_array)
		       ? text_of(json_object_array_get_idx(list, 0))
		       : NULL;
}

/* containers/storage, which podman and CRI-O share. */
static void look_up_storage(const char *root, struct container *c)
{
	char path[512];
	struct json_object *list, *config;

	snprintf(path, sizeof(path),
		 "%s/run/containers/storage/overlay-containers/%s/userdata/"
		 "config.json",
		 root, c->id);
	config = read_json(path);
	take_annotations(c, config);
	json_object_put(config);
	if (c->name[0])
		return;
	snprintf(path, sizeof(path),
		 "%s/var/lib/containers/storage/overlay-containers/"
		 "containers.json",
		 root);
	list = read_json(path);
	for (size_t i = 0; json_object_is_type(list, json_type_array) &&
			   i < json_object_array_length(list);
	     i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		const char *id = text_of(member(entry, "id"));
		const char *name = first_text(member(entry, "names"));

		if (id && name && !strcmp(id, c->id))
			snprintf(c->name, sizeof(c->name), "%s", name);
	}
	json_object_put(list);
}

void container_look_up(const char *root, struct container *c)
{
	if (!c->id[0])
		return;
	/* Docker uses containerd, and others' pods look alike: whoever knows
	 * the id. */
	if (!c->name[0])
		look_up_docker(root, c);
	if (!c->name[0] || c->pod_uid[0])
		look_up_containerd(root, c);
	if (!c->name[0] || (c->pod_uid[0] && !c->pod[0]))
		look_up_storage(root, c);
}

/* ---- By group ------------------------------------------------------------ */

static bool is_above(const char *group, const char *path)
{
	size_t size = group ? strlen(group) : 0;

	while (size && group[size - 1] == '/')
		size--;
	return size && !strncmp(group, path, size) &&
	       (!path[size] || path[size] == '/');
}

/* crun: {"cgroup-path": "/NAME", ...} */
static bool is_group_of_crun(struct json_object *status, const char *path)
{
	return is_above(text_of(member(status, "cgroup-path")), path);
}

/* With a mount point in front, and in version 1 the controllers. */
static bool is_directory_of(const char *full, const char *path)
{
	const char *rest = full ? strstr(full, "/cgroup/") : NULL;

	if (!rest)
		return false;
	rest += strlen("/cgroup");
	if (is_above(rest, path))
		return true;
	rest = strchr(rest + 1, '/');
	return rest && is_above(rest, path);
}

/* runc: {"cgroup_paths": {"": "/sys/fs/cgroup/NAME", "memory": ...}, ...} */
static bool is_group_of_runc(struct json_object *state, const char *path)
{
	struct json_object *all = member(state, "cgroup_paths");
	struct json_object_iterator at, end;

	if (!json_object_is_type(all, json_type_object))
		return false;
	at = json_object_iter_begin(all);
	end = json_object_iter_end(all);
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		if (is_directory_of(text_of(json_object_iter_peek_value(&at)),
				    path))
			return true;
	return false;
}

static bool find_state(const char *root, const char *runtime, const char *file,
		       bool (*is_group)(struct json_object *, const char *),
		       const char *path, struct container *out)
{
	char folder[256], state[640];
	int left = STATES_LOOKED_AT;
	struct dirent *entry;
	bool found = false;
	DIR *all;

	snprintf(folder, sizeof(folder), "%s/run/%s", root, runtime);
	all = opendir(folder);
	while (all && !found && left-- > 0 && (entry = readdir(all))) {
		struct json_object *json;

		if (entry->d_name[0] == '.' ||
		    strlen(entry->d_name) >= CONTAINER_TEXT_BYTES)
			continue;
		snprintf(state, sizeof(state), "%s/%s/%s", folder,
			 entry->d_name, file);
		json = read_json(state);
		found = is_group(json, path);
		json_object_put(json);
		if (!found)
			continue;
		*out = (struct container){0};
		snprintf(out->runtime, sizeof(out->runtime), "%s", runtime);
		strcpy(out->id, entry->d_name);
		strcpy(out->name, entry->d_name);
	}
	if (all)
		closedir(all);
	return found;
}

bool container_started_plainly(const char *root, const char *path,
			       struct container *out)
{
	return find_state(root, "crun", "status", is_group_of_crun, path,
			  out) ||
	       find_state(root, "runc", "state.json", is_group_of_runc, path,
			  out);
}
