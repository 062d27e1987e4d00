/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/prerequisites.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/diag.h"

/* The BPF programs know processes by their ids in the initial pid namespace. */
static bool in_initial_pid_namespace(void)
{
	const ino_t initial = 0xeffffffc; /* PROC_PID_INIT_INO, proc_ns.h */
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == initial;
}

enum exit_code check_privileges(void)
{
	char missing[256];

	if (!in_initial_pid_namespace()) {
		diag_error("process ids here are not those of the kernel: run "
			   "leakbpf in the host's pid namespace (docker run "
			   "--pid=host, hostPID: true)");
		return EXIT_CODE_PRIVILEGES;
	}
	if (!features_missing_capabilities(missing, sizeof(missing)))
		return EXIT_CODE_OK;
	diag_error("not enough privileges: run it as root (sudo leakbpf ...); "
		   "missing: %s",
		   missing);
	return EXIT_CODE_PRIVILEGES;
}

enum exit_code check_kernel(const struct options *o,
			    struct kernel_features *features,
			    struct closer *closer)
{
	char missing[512] = "";
	struct probe_links tried = {0};
	int err = features_probe(features, &tried);

	closer_take(closer, &tried);
	closer_step(closer);
	if (err == -EPERM || err == -EACCES) {
		diag_error("the kernel forbids BPF programs or perf events in "
			   "spite of CAP_BPF and CAP_PERFMON: look for "
			   "CAP_SYS_ADMIN (needed before Linux 6.6), lockdown "
			   "(/sys/kernel/security/lockdown), a seccomp filter "
			   "or a security module");
		return EXIT_CODE_PRIVILEGES;
	}
	if (err) {
		diag_error("cannot find out what the kernel can do: %s",
			   strerror(-err));
		return EXIT_CODE_INTERNAL;
	}
	features_missing(features, missing, sizeof(missing));
	if (missing[0]) {
		diag_error("this kernel cannot run leakbpf: %s", missing);
		return EXIT_CODE_KERNEL;
	}
	if (o->force_link != LINK_NONE &&
	    features_best_link(features, o->force_link) == LINK_NONE) {
		diag_error("--link=%s: this kernel does not have it",
			   link_kind_name(o->force_link));
		return EXIT_CODE_KERNEL;
	}
	return EXIT_CODE_OK;
}
