/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID/maps and its relatives hold text of the target's choice: whatever
 * it is, what comes out is sorted, bounded and findable. libFuzzer entry
 * point. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "target/container.h"
#include "target/maps.h"
#include "target/proc_file.h"
#include "target/process_cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
	if (!condition)
		abort();
}

static void fuzz_maps(const char *text, size_t size)
{
	struct maps m;
	size_t lines = 0;

	check(maps_parse(&m, text, size) == 0);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n' || i + 1 == size;
	check(m.count + m.skipped == lines);
	for (size_t i = 0; i < m.count; i++) {
		const struct mapping *x = &m.list[i];

		check(x->start < x->end);
		check(!i || m.list[i - 1].end <= x->start);
		check(x->path && strlen(x->path) < PATH_MAX);
		check(!x->deleted || x->inode);
		check(maps_find(&m, x->start) == x);
		check(maps_find(&m, x->end - 1) == x);
	}
	maps_free(&m);
}

/* Ids become parts of paths. */
static void fuzz_container(const char *path)
{
	char label[CONTAINER_TEXT_BYTES];
	struct container c;

	if (!container_of_cgroup(path, &c))
		check(!c.runtime[0] && !c.id[0] && !c.pod_uid[0]);
	else
		check(c.runtime[0] && !strchr(c.id, '/') && c.id[0] != '.');
	check(strlen(container_label(&c, label)) < sizeof(label));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cgroup_mount mount;
	struct proc_stat stat;
	char *text = malloc(size + 1);
	char path[64];
	uint64_t value;

	check(text != NULL);
	memcpy(text, data, size);
	fuzz_maps(text, size);
	text[size] = '\0';
	proc_stat_parse(text, &stat);
	text_field(text, "Tgid:", &value);
	for (int v2 = 0; v2 < 2; v2++)
		if (cgroup_path_parse(text, v2, path, sizeof(path)))
			check(path[0] == '/' && strlen(path) < sizeof(path));
	if (cgroup_mount_parse(text, &mount))
		check(strlen(mount.root) < sizeof(mount.root) &&
		      strlen(mount.point) < sizeof(mount.point));
	fuzz_container(text);
	free(text);
	return 0;
}
