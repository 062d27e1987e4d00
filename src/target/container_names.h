/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runtimes have written down about their containers, where it can be read:
 * names, pods. Their files may be large, damaged, or a directory's worth of
 * them: each is read up to a limit, and what cannot be understood is left out.
 */
#ifndef TARGET_CONTAINER_NAMES_H
#define TARGET_CONTAINER_NAMES_H

#include "target/container.h"

/* Adds names to what the cgroup told. `root`: what stands for "/", "" for it
 * itself. */
void container_look_up(const char *root, struct container *c);

/* Containers that crun or runc have started by themselves are only known by
 * their files: those whose group is `path` or stands above it. */
bool container_started_plainly(const char *root, const char *path,
			       struct container *out);

#endif
