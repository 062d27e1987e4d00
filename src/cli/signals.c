/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "cli/exit_codes.h"

/* A handler has no argument to find its state with: these are the marks. */
static volatile sig_atomic_t stop_requested;
static volatile sig_atomic_t reload_requested;

static void request_stop(int signal_number)
{
	if (signal_number == SIGINT && stop_requested == SIGINT)
		_exit(EXIT_CODE_INTERRUPTED);
	if (stop_requested != SIGINT)
		stop_requested = signal_number;
}

static void request_reload(int signal_number)
{
	reload_requested = signal_number;
}

static int set(int signal_number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	/* No SA_RESTART: waiting has to end. */
	sigemptyset(&action.sa_mask);
	return sigaction(signal_number, &action, NULL) ? -errno : 0;
}

/* nohup and background shells start programs with signals ignored: leave it so.
 */
static int set_unless_ignored(int signal_number, void (*handler)(int))
{
	struct sigaction old;

	if (sigaction(signal_number, NULL, &old))
		return -errno;
	return old.sa_handler == SIG_IGN ? 0 : set(signal_number, handler);
}

int signals_install(void)
{
	int err = set(SIGPIPE, SIG_IGN);

	if (!err)
		err = set(SIGTERM, request_stop);
	if (!err)
		err = set(SIGINT, request_stop);
	return err ? err : set_unless_ignored(SIGHUP, request_stop);
}

int signals_reload_on_hangup(void)
{
	return set(SIGHUP, request_reload);
}

bool signals_take_reload(void)
{
	if (!reload_requested)
		return false;
	reload_requested = 0;
	return true;
}

bool signals_stop_requested(void)
{
	return stop_requested != 0;
}

void signals_restore(void)
{
	/* exec resets what is caught, not what is ignored. */
	set(SIGPIPE, SIG_DFL);
}
