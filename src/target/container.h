/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which container a process runs in, by the name of its control group: the
 * runtimes put ids there in ways of their own (docs/containers.md). The
 * outermost one counts: what runs nested in it belongs to it.
 */
#ifndef TARGET_CONTAINER_H
#define TARGET_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

#define CONTAINER_TEXT_BYTES 80

/* Texts are "" when not known. An id or a uid is safe to show and to use in a
 * path, names are what the runtime or its user has chosen. */
struct container {
	char runtime[24]; /* docker, podman, containerd, cri-o, lxc ... */
	char id[CONTAINER_TEXT_BYTES];
	char name[CONTAINER_TEXT_BYTES];
	char pod_uid[CONTAINER_TEXT_BYTES]; /* of Kubernetes, with dashes */
	char pod[CONTAINER_TEXT_BYTES];
	char pod_namespace[CONTAINER_TEXT_BYTES];
};

/* From a path as in /proc/PID/cgroup. False: it names no container (then *out
 * is empty). Names are not looked up: container_names.h. */
bool container_of_cgroup(const char *path, struct container *out);

/* What to call it: its name, or the first 12 digits of its id. "" for none. */
const char *container_label(const struct container *c,
			    char text[CONTAINER_TEXT_BYTES]);

#endif
