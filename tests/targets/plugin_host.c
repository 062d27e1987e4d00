// SPDX-License-Identifier: GPL-2.0-only
/* Loads a plugin after the profiler has attached: `plugin_host PLUGIN.so`. */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "target.h"

int main(int argc, char **argv)
{
	void (*leak)(void);
	long (*bytes)(void);
	const char *(*chain)(void);
	void *plugin;

	if (argc < 2)
		return 2;
	target_ready();
	plugin = dlopen(argv[1], RTLD_NOW);
	EXPECT(plugin);
	if (!plugin)
		return target_done();
	/* The profiler learns of the new object by an event. */
	usleep(500 * 1000);
	*(void **)&leak = dlsym(plugin, "plugin_leak");
	*(void **)&bytes = dlsym(plugin, "plugin_bytes");
	*(void **)&chain = dlsym(plugin, "plugin_chain");
	EXPECT(leak && bytes && chain);
	leak();
	truth(chain(), bytes(), -1);
	return target_done();
}
