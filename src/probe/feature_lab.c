// SPDX-License-Identifier: GPL-2.0-only
#include "probe/feature_lab.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bpf/features.skel.h"

int lab_open(struct lab *lab)
{
	*lab = (struct lab){.executable = own_executable_open()};
	return lab->executable < 0 ? lab->executable : 0;
}

void lab_close(struct lab *lab)
{
	probe_links_close(&lab->links);
	for (size_t i = 0; i < lab->program_count; i++)
		features_bpf__destroy(lab->programs[i].skeleton);
	if (lab->executable >= 0)
		close(lab->executable);
	*lab = (struct lab){.executable = -1};
}

static enum bpf_attach_type attach_type(enum link_kind kind)
{
	switch (kind) {
	case LINK_MULTI:
		return (enum bpf_attach_type)LB_BPF_TRACE_UPROBE_MULTI;
	case LINK_SESSION:
		return (enum bpf_attach_type)LB_BPF_TRACE_UPROBE_SESSION;
	default:
		return (enum bpf_attach_type)0;
	}
}

/* A kernel that refuses a program is an answer here, not worth libbpf's pages
 * of log. */
static int load_quietly(struct features_bpf *skeleton)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	int error = features_bpf__load(skeleton);

	libbpf_set_print(before);
	return error;
}

int lab_load(struct lab *lab, const char *name, enum link_kind kind,
	     struct lab_program **out)
{
	struct features_bpf *skeleton;
	struct bpf_program *program;
	int error;

	if (lab->program_count == LAB_PROGRAMS_MAX)
		return -ENOSPC;
	skeleton = features_bpf__open();
	if (!skeleton)
		return -errno;
	program = bpf_object__find_program_by_name(skeleton->obj, name);
	if (!program) {
		features_bpf__destroy(skeleton);
		return -ENOENT;
	}
	bpf_program__set_autoload(program, true);
	bpf_program__set_expected_attach_type(program, attach_type(kind));
	error = load_quietly(skeleton);
	if (error) {
		features_bpf__destroy(skeleton);
		return error;
	}
	*out = &lab->programs[lab->program_count++];
	(*out)->skeleton = skeleton;
	(*out)->fd = bpf_program__fd(program);
	(*out)->counts = &skeleton->bss->counts;
	return 0;
}

own_function lab_function(struct lab *lab, enum own_function_kind kind)
{
	if (lab->functions_used[kind] == OWN_FUNCTIONS)
		return NULL;
	return own_function_get(kind, lab->functions_used[kind]++);
}

int lab_attach(struct lab *lab, const struct lab_program *program,
	       enum link_kind kind, pid_t pid, bool is_return, uint64_t cookie,
	       own_function f)
{
	struct probe_point point = {.cookie = cookie};
	int error;

	if (!f)
		return -ENOSPC;
	error = own_function_offset(f, &point.file_offset);
	if (error)
		return error;
	return probe_links_add(&lab->links, kind, program->fd, lab->executable,
			       pid, is_return, &point, 1);
}
