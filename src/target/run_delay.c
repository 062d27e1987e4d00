// SPDX-License-Identifier: GPL-2.0-only
#include "target/run_delay.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "target/proc_file.h"

static void add_thread(pid_t pid, const char *tid, struct run_delay *sum)
{
	char name[300], text[96], *end;
	uint64_t ran, waited;

	snprintf(name, sizeof(name), "task/%s/schedstat", tid);
	if (proc_read(pid, name, text, sizeof(text)) <= 0)
		return;
	ran = strtoull(text, &end, 10);
	waited = strtoull(end, NULL, 10);
	sum->ran_ns += (double)ran;
	sum->waited_ns += (double)waited;
}

void run_delay_add(pid_t pid, struct run_delay *sum, unsigned *threads)
{
	struct dirent *entry;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (!tasks)
		return;
	while (*threads && (entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		add_thread(pid, entry->d_name, sum);
		--*threads;
	}
	closedir(tasks);
}
