// SPDX-License-Identifier: GPL-2.0-only
#include "trace/range_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

void range_maps_init(struct range_maps *r, int fd)
{
	*r = (struct range_maps){.fd = fd};
}

void range_maps_free(struct range_maps *r)
{
	for (size_t i = 0; i < r->coming_count; i++)
		close(r->coming_fds[i]);
	r->coming_count = 0;
}

void range_maps_gather(struct range_maps *r)
{
	r->gathers = true;
}

/* Kernels without batches for maps of maps take them one by one. */
static int publish_coming(struct range_maps *r)
{
	uint32_t done = (uint32_t)r->coming_count;
	int err = 0;

	if (!done)
		return 0;
	if (bpf_map_update_batch(r->fd, r->coming, r->coming_fds, &done, NULL))
		for (size_t i = 0; i < r->coming_count; i++)
			if (bpf_map_update_elem(r->fd, &r->coming[i],
						&r->coming_fds[i], BPF_ANY) &&
			    !err)
				err = -errno;
	range_maps_free(r);
	return err;
}

static void remove_gone(struct range_maps *r)
{
	uint32_t done = (uint32_t)r->gone_count;

	if (!done)
		return;
	if (bpf_map_delete_batch(r->fd, r->gone, &done, NULL))
		for (size_t i = 0; i < r->gone_count; i++)
			bpf_map_delete_elem(r->fd, &r->gone[i]);
	r->gone_count = 0;
}

static void drop(uint32_t *list, size_t *count, uint32_t tgid)
{
	for (size_t i = 0; i < *count; i++)
		if (list[i] == tgid)
			list[i--] = list[--*count];
}

static void drop_coming(struct range_maps *r, uint32_t tgid)
{
	for (size_t i = 0; i < r->coming_count; i++) {
		if (r->coming[i] != tgid)
			continue;
		close(r->coming_fds[i]);
		r->coming[i] = r->coming[--r->coming_count];
		r->coming_fds[i] = r->coming_fds[r->coming_count];
		return;
	}
}

static int make_map(const struct exec_range *ranges, size_t count)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	struct exec_range header = {.rows = count};
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "exec_ranges",
				sizeof(uint32_t), sizeof(struct exec_range),
				count + 1, &opts);

	if (fd < 0)
		return -errno;
	for (uint32_t i = 0; i <= count; i++) {
		if (bpf_map_update_elem(fd, &i, i ? &ranges[i - 1] : &header,
					BPF_ANY)) {
			int err = -errno;

			close(fd);
			return err;
		}
	}
	return fd;
}

int range_maps_publish(struct range_maps *r, pid_t tgid,
		       const struct exec_range *ranges, size_t count)
{
	uint32_t key = (uint32_t)tgid;
	int err = 0, fd = make_map(ranges, count);

	if (fd < 0)
		return fd;
	drop(r->gone, &r->gone_count, key);
	drop_coming(r, key);
	if (!r->gathers) {
		if (bpf_map_update_elem(r->fd, &key, &fd, BPF_ANY))
			err = -errno;
		close(fd);
		return err;
	}
	if (r->coming_count == RANGE_MAPS_AT_ONCE)
		err = publish_coming(r);
	r->coming[r->coming_count] = key;
	r->coming_fds[r->coming_count++] = fd;
	return err ? err : 1;
}

void range_maps_forget(struct range_maps *r, pid_t tgid)
{
	drop_coming(r, (uint32_t)tgid);
	if (r->gone_count == RANGE_MAPS_AT_ONCE)
		remove_gone(r);
	r->gone[r->gone_count++] = (uint32_t)tgid;
}

int range_maps_flush(struct range_maps *r)
{
	int err = publish_coming(r);

	r->gathers = false;
	remove_gone(r);
	return err;
}
