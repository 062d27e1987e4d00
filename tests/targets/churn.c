// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes and goes:
 *
 *   churn brief PLUGIN MS   loads the plugin, allocates, leaks and frees for MS
 *                           milliseconds, and ends by calling exec once
 *   churn forks             forks children for ever, that allocate and end
 *   churn plugins           loads and unloads each plugin whose path it is
 * given in a line
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

#define PLACES 64

static void *places[PLACES];

SITE static void use_memory(unsigned *seed)
{
	for (int i = 0; i < 200; i++) {
		unsigned at = (unsigned)rand_r(seed) % PLACES;

		free(places[at]);
		places[at] = malloc(1 + (unsigned)rand_r(seed) % 5000);
	}
	KEEP_FRAME();
}

SITE static void leak(void)
{
	target_sink = malloc(1000);
	KEEP_FRAME();
}

SITE static void use_plugin(const char *path)
{
	void *plugin = dlopen(path, RTLD_NOW);
	void (*leak_there)(void);

	EXPECT(plugin);
	if (!plugin)
		return;
	*(void **)&leak_there = dlsym(plugin, "plugin_leak");
	EXPECT(leak_there);
	leak_there();
	usleep(200 * 1000);
	dlclose(plugin);
	KEEP_FRAME();
}

static void live(long ms, unsigned seed)
{
	for (long i = 0; i < ms; i += 20) {
		use_memory(&seed);
		leak();
		usleep(20 * 1000);
	}
}

static int run_brief(char **argv)
{
	char *again[] = {argv[0], "brief", argv[2], argv[3], "last", NULL};

	use_plugin(argv[2]);
	live(atol(argv[3]), (unsigned)getpid());
	if (argv[4])
		return 0;
	execv("/proc/self/exe", again);
	return 3;
}

static int run_forks(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (unsigned i = 0;; i++) {
		pid_t child = fork();

		if (!child) {
			live(i % 8 ? 40 : 1500, i);
			_exit(0);
		}
		use_memory(&i);
		usleep(150 * 1000);
	}
}

static int run_plugins(void)
{
	static char path[4096];

	target_ready();
	while (fgets(path, sizeof(path), stdin)) {
		path[strcspn(path, "\n")] = '\0';
		use_plugin(path);
		target_say("used", "yes");
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "brief"))
		return run_brief(argv);
	if (argc > 1 && !strcmp(argv[1], "forks"))
		return run_forks();
	if (argc > 1 && !strcmp(argv[1], "plugins"))
		return run_plugins();
	return 2;
}
