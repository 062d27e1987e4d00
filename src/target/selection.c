/* SPDX-License-Identifier: GPL-2.0-only */
#include "target/selection.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/text.h"
#include "target/cgroup.h"
#include "target/proc_file.h"

#define COMM_BYTES	 16 /* TASK_COMM_LEN, with its NUL */
#define CONTAINERS_SHOWN 12 /* in a message */

struct selection {
	struct selection_criteria criteria;
	struct containers *containers;
	struct cgroup_place *groups; /* one per criteria.cgroups */
	dev_t own_device;
	ino_t own_inode;
	struct text text;
};

bool selection_wanted(const struct selection_criteria *c)
{
	return c->all || c->cgroups.count || c->containers.count ||
	       c->pods.count || c->comms.count;
}

/* ---- Who belongs --------------------------------------------------------- */

static bool comm_matches(const struct selection *s, pid_t pid)
{
	const struct selection_list *comms = &s->criteria.comms;
	char comm[COMM_BYTES + 1];
	ssize_t got;

	if (!comms->count)
		return true;
	got = proc_read(pid, "comm", comm, sizeof(comm));
	if (got <= 0)
		return false;
	if (comm[got - 1] == '\n')
		comm[got - 1] = '\0';
	/* The kernel keeps so much of a name. */
	for (size_t i = 0; i < comms->count; i++)
		if (!strncmp(comm, comms->list[i], COMM_BYTES - 1))
			return true;
	return false;
}

static bool group_matches(const struct selection *s, pid_t pid)
{
	char path[CGROUP_PATH_BYTES];

	if (!s->criteria.cgroups.count)
		return true;
	for (size_t i = 0; i < s->criteria.cgroups.count; i++)
		if (cgroup_of_process(pid, s->groups[i].v2, path) &&
		    cgroup_holds(&s->groups[i], path))
			return true;
	return false;
}

static bool is_named_container(const struct container *c, const char *text)
{
	return *text && ((c->name[0] && !strcmp(c->name, text)) ||
			 !strncmp(c->id, text, strlen(text)));
}

static bool is_named_pod(const struct container *c, const char *text)
{
	size_t space = strlen(c->pod_namespace);

	if (!*text || (!c->pod_uid[0] && !c->pod[0]))
		return false;
	return !strcmp(c->pod_uid, text) || !strcmp(c->pod, text) ||
	       (space && !strncmp(text, c->pod_namespace, space) &&
		text[space] == '/' && !strcmp(text + space + 1, c->pod));
}

static bool
any_named(const struct selection_list *list, const struct container *c,
	  bool (*is_named)(const struct container *c, const char *text))
{
	for (size_t i = 0; i < list->count; i++)
		if (is_named(c, list->list[i]))
			return true;
	return !list->count;
}

static bool container_matches(const struct selection *s, pid_t pid)
{
	struct container c;

	if (!s->criteria.containers.count && !s->criteria.pods.count)
		return true;
	containers_of_process(s->containers, pid, &c);
	return any_named(&s->criteria.containers, &c, is_named_container) &&
	       any_named(&s->criteria.pods, &c, is_named_pod);
}

/* Kernel threads have no program file. Another leakbpf does not need this one,
 * and they would keep each other busy. */
static bool is_program(const struct selection *s, pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return !stat(path, &st) &&
	       (st.st_dev != s->own_device || st.st_ino != s->own_inode);
}

bool selection_holds(const struct selection *s, pid_t pid)
{
	return s && comm_matches(s, pid) && group_matches(s, pid) &&
	       is_program(s, pid) && container_matches(s, pid);
}

const char *selection_text(const struct selection *s)
{
	return !s ? "nothing" : s->text.data ? s->text.data : "";
}

/* ---- Making one ---------------------------------------------------------- */

static void describe_list(struct text *t, const char *option,
			  const struct selection_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		text_printf(t, "%s%s %s", t->size ? " " : "", option,
			    list->list[i]);
}

static int wrong(char *error, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int wrong(char *error, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int find_groups(struct selection *s, char *error, size_t error_size)
{
	const struct selection_list *list = &s->criteria.cgroups;

	s->groups = calloc(list->count + 1, sizeof(*s->groups));
	if (!s->groups)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++) {
		int err = cgroup_find(list->list[i], &s->groups[i]);

		if (err == -ENOENT)
			return wrong(error, error_size,
				     "--cgroup %s: no control groups are "
				     "mounted here",
				     list->list[i]);
		if (err)
			return wrong(error, error_size,
				     "--cgroup '%s': give a directory below a "
				     "mount of cgroup v2 (or of v1's memory "
				     "controller), or a path as in "
				     "/proc/PID/cgroup, without ..",
				     list->list[i]);
	}
	return 0;
}

/* The containers that run, each once. */
struct running {
	struct container *list;
	size_t count;
};

static void note_container(struct running *r, const struct container *c)
{
	struct container *grown;

	for (size_t i = 0; i < r->count; i++)
		if (!strcmp(r->list[i].id, c->id) &&
		    !strcmp(r->list[i].pod_uid, c->pod_uid))
			return;
	grown = realloc(r->list, (r->count + 1) * sizeof(*grown));
	if (!grown)
		return;
	r->list = grown;
	r->list[r->count++] = *c;
}

static void find_running(struct containers *containers, struct running *r)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		struct container c;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		containers_of_process(containers, atoi(entry->d_name), &c);
		if (c.runtime[0])
			note_container(r, &c);
	}
	if (proc)
		closedir(proc);
}

static void list_running(struct text *t, const struct running *r, bool pods)
{
	char label[CONTAINER_TEXT_BYTES];
	size_t shown = 0;

	for (size_t i = 0; i < r->count && shown < CONTAINERS_SHOWN; i++) {
		const struct container *c = &r->list[i];
		const char *name = pods ? (c->pod[0] ? c->pod : c->pod_uid)
					: container_label(c, label);

		if (!*name)
			continue;
		text_printf(t, "%s%s", shown++ ? ", " : "; running: ", name);
	}
	if (!shown)
		text_printf(t, "; no %s runs here", pods ? "pod" : "container");
	else if (r->count > shown && !pods)
		text_printf(t, " and %zu more", r->count - shown);
}

/* Exactly one container must be meant: two with ids that begin alike are hardly
 * both wanted (-EINVAL). Pods have several. None: -ENOENT. */
static int check_named(const char *text, const struct running *r, bool pods,
		       char *error, size_t error_size)
{
	struct text others = {0};
	size_t found = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (!pods && !strcmp(r->list[i].name, text))
			return 0;
		found += pods ? is_named_pod(&r->list[i], text)
			      : is_named_container(&r->list[i], text);
	}
	if (found == 1 || (pods && found))
		return 0;
	if (found)
		return wrong(error, error_size,
			     "--container %s: %zu containers have such an id; "
			     "give more of it",
			     text, found);
	list_running(&others, r, pods);
	wrong(error, error_size, "--%s '%s': there is none with this %s%s",
	      pods ? "pod" : "container", text,
	      pods ? "uid or name" : "id or name",
	      others.data ? others.data : "");
	text_free(&others);
	return -ENOENT;
}

static int check_list(const struct selection_list *list, bool may_come,
		      const struct running *r, bool pods, char *error,
		      size_t error_size)
{
	int err = 0;

	for (size_t i = 0; !err && i < list->count; i++) {
		err = check_named(list->list[i], r, pods, error, error_size);
		if (err != -ENOENT)
			continue;
		if (may_come)
			diag_warn("%s; waiting for it", error);
		err = may_come ? 0 : -EINVAL;
	}
	return err;
}

static int check_containers(const struct selection *s, char *error,
			    size_t error_size)
{
	const struct selection_criteria *c = &s->criteria;
	struct running running = {0};
	int err;

	if (!c->containers.count && !c->pods.count)
		return 0;
	find_running(s->containers, &running);
	err = check_list(&c->containers, c->may_come, &running, false, error,
			 error_size);
	if (!err)
		err = check_list(&c->pods, c->may_come, &running, true, error,
				 error_size);
	free(running.list);
	return err;
}

static void describe(struct selection *s)
{
	const struct selection_criteria *c = &s->criteria;

	describe_list(&s->text, "--cgroup", &c->cgroups);
	describe_list(&s->text, "--container", &c->containers);
	describe_list(&s->text, "--pod", &c->pods);
	describe_list(&s->text, "--comm", &c->comms);
	if (!s->text.size)
		text_add(&s->text, "--all");
}

int selection_new(const struct selection_criteria *c,
		  struct containers *containers, struct selection **out,
		  char *error, size_t error_size)
{
	struct selection *s = calloc(1, sizeof(*s));
	struct stat st;
	int err;

	if (!s)
		return -ENOMEM;
	s->criteria = *c;
	s->containers = containers;
	if (!stat("/proc/self/exe", &st)) {
		s->own_device = st.st_dev;
		s->own_inode = st.st_ino;
	}
	err = find_groups(s, error, error_size);
	if (!err)
		err = check_containers(s, error, error_size);
	if (err) {
		selection_free(s);
		return err;
	}
	describe(s);
	*out = s;
	return 0;
}

void selection_free(struct selection *s)
{
	if (!s)
		return;
	free(s->groups);
	text_free(&s->text);
	free(s);
}
