/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/debuginfod_fetch.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/packet.h"
#include "base/sandbox.h"

#define PROGRAM		"debuginfod-find"
#define NOBODY		65534
#define CACHE_ROOT	"/var/cache/leakbpf"
#define CACHE_OWNED	CACHE_ROOT "/debuginfod"
#define PASSWD_LINE_MAX 4096
#define NOT_FOUND	127 /* as shells say it */

/* ---- Rights --------------------------------------------------------------
 */

/* The number of a user or group in the environment, as sudo sets it; 0: none.
 */
static unsigned id_from(const char *variable)
{
	const char *text = getenv(variable);
	char *end;
	unsigned long value = text ? strtoul(text, &end, 10) : 0;

	return value && !*end && value < NOBODY ? (unsigned)value : 0;
}

/* By the file itself: a static binary can ask no name service. */
static void set_home(unsigned uid)
{
	CLEANUP_FCLOSE FILE *f = fopen("/etc/passwd", "re");
	struct passwd entry = {0}, *p;
	char texts[PASSWD_LINE_MAX];

	unsetenv("HOME");
	unsetenv("XDG_CACHE_HOME");
	while (f && !fgetpwent_r(f, &entry, texts, sizeof(texts), &p))
		if (p->pw_uid == uid)
			setenv("HOME", p->pw_dir, 1);
}

static void become(unsigned uid, unsigned gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		_exit(1);
}

/* Root: the user who called sudo, or nobody with a cache of its own. */
static void leave_root(void)
{
	unsigned uid = id_from("SUDO_UID"), gid = id_from("SUDO_GID");

	if (uid && gid) {
		set_home(uid);
		become(uid, gid);
		return;
	}
	mkdir("/var/cache", 0755);
	mkdir(CACHE_ROOT, 0755);
	/* The folder above is root's: nobody else puts a link here. */
	if (!mkdir(CACHE_OWNED, 0700) && chown(CACHE_OWNED, NOBODY, NOBODY))
		_exit(1);
	setenv("DEBUGINFOD_CACHE_PATH", CACHE_OWNED, 1);
	setenv("HOME", CACHE_OWNED, 1);
	become(NOBODY, NOBODY);
}

static void give_up_rights(void)
{
	if (geteuid() == 0)
		leave_root();
	if (sandbox_drop_privileges())
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* ---- Running the program --------------------------------------------------
 */

static void set_number(const char *variable, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	setenv(variable, text, 1);
}

static void set_limits(const struct debuginfod_options *o)
{
	setenv("DEBUGINFOD_URLS", o->urls, 1);
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
	set_number("DEBUGINFOD_MAXTIME", o->file_seconds);
	set_number("DEBUGINFOD_MAXSIZE", o->file_bytes);
	unsetenv("DEBUGINFOD_PROGRESS");
	unsetenv("DEBUGINFOD_VERBOSE");
	unsetenv("LD_PRELOAD");
	unsetenv("LD_LIBRARY_PATH");
}

static _Noreturn void run_program(const char *hex, int out)
{
	char *arguments[] = {(char *)PROGRAM, (char *)"debuginfo", (char *)hex,
			     NULL};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(out, STDOUT_FILENO) < 0)
		_exit(1);
	execvp(PROGRAM, arguments);
	_exit(NOT_FOUND);
}

/* What it prints, until it closes its end or the time is over. */
static void read_line(int in, char *to, size_t size, uint64_t deadline_ns)
{
	size_t got = 0;

	while (got + 1 < size) {
		struct pollfd p = {in, POLLIN, 0};
		uint64_t now = monotonic_ns();
		ssize_t n = 0;

		if (now < deadline_ns &&
		    poll(&p, 1, (int)((deadline_ns - now) / 1000000) + 1) > 0)
			n = read(in, to + got, size - 1 - got);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	to[got] = '\0';
	to[strcspn(to, "\n")] = '\0';
}

/* Its exit code; the path that it printed in `path`. */
static int find(const char *hex, char *path, size_t size, unsigned seconds)
{
	uint64_t deadline = monotonic_ns() + (seconds + 1) * 1000000000ULL;
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return 1;
	pid = fork();
	if (!pid)
		run_program(hex, ends[1]);
	close(ends[1]);
	read_line(ends[0], path, size, deadline);
	close(ends[0]);
	if (pid < 0)
		return 1;
	if (!path[0] && monotonic_ns() >= deadline)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int open_elf(const char *path, uint64_t most)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char magic[SELFMAG];
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size <= most &&
	    pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	    !memcmp(magic, ELFMAG, SELFMAG))
		return fd;
	close(fd);
	return -ENOENT;
}

static int fetch(const struct fetch_request *r,
		 const struct debuginfod_options *o)
{
	char hex[2 * BUILD_ID_BYTES_MAX + 1], path[PATH_MAX] = "";
	int code;

	if (r->size < 2 || r->size > BUILD_ID_BYTES_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < r->size; i++)
		snprintf(hex + 2 * i, 3, "%02x", r->id[i]);
	code = find(hex, path, sizeof(path), o->file_seconds);
	if (code == NOT_FOUND)
		return -ENOEXEC;
	return code || path[0] != '/' ? -ENOENT : open_elf(path, o->file_bytes);
}

/* ---- Requests -------------------------------------------------------------
 */

/* Ctrl-C is for the other process, whose last report may need files. */
static void set_signals(void)
{
	static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,
				      SIGQUIT, SIGPIPE, SIGTSTP};
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn void fetch_main(int socket, const struct debuginfod_options *options)
{
	struct fetch_request request;

	set_signals();
	prctl(PR_SET_NAME, "leakbpf-fetch");
	if (sandbox_keep_files(&socket, 1))
		_exit(1);
	socket = SANDBOX_FIRST_KEPT;
	fcntl(socket, F_SETFD, FD_CLOEXEC);
	give_up_rights();
	set_limits(options);
	while (packet_receive(socket, &request, sizeof(request), NULL, 0) ==
	       (ssize_t)sizeof(request)) {
		CLEANUP_CLOSE int fd = fetch(&request, options);
		struct fetch_reply reply = {
			.number = request.number,
			.error = fd < 0 ? -fd : 0,
		};

		if (packet_send(socket, &reply, sizeof(reply), fd, 0))
			break;
	}
	_exit(0);
}
