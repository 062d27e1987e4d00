/* SPDX-License-Identifier: GPL-2.0-only */
/* Containers by the names of control groups, and by runtimes' files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/container.h"
#include "target/container_names.h"

#define A64 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
#define B64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define C64 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID "9f4a7d62-1c2b-4b7e-8d3f-2a6c5e4b3a21"

static void expect(const char *path, const char *runtime, const char *id,
		   const char *pod_uid)
{
	struct container c;
	bool found = container_of_cgroup(path, &c);

	if (found != (runtime[0] != '\0') || strcmp(c.runtime, runtime) ||
	    strcmp(c.id, id) || strcmp(c.pod_uid, pod_uid))
		fail_msg("%s: expected '%s' '%s' pod '%s', seen '%s' '%s' pod "
			 "'%s'",
			 path, runtime, id, pod_uid, c.runtime, c.id,
			 c.pod_uid);
}

static void test_what_runtimes_call_their_groups(void **state)
{
	expect("/system.slice/docker-" A64 ".scope", "docker", A64, "");
	expect("/docker/" A64, "docker", A64, "");
	expect("/user.slice/user-1000.slice/docker-" A64 ".scope/init",
	       "docker", A64, "");
	expect("/machine.slice/libpod-" A64 ".scope/container", "podman", A64,
	       "");
	expect("/libpod_parent/libpod-" A64, "podman", A64, "");
	expect("/system.slice/nerdctl-" A64 ".scope", "containerd", A64, "");
	expect("/lxc.payload.web1/system.slice/x.service", "lxc", "web1", "");
	expect("/lxc/web1", "lxc", "web1", "");
	expect("/machine.slice/machine-build\\x2droot.scope", "systemd-nspawn",
	       "build-root", "");
	expect("/system.slice/crun-mine.scope", "crun", "mine", "");
	expect("/ecs/1b2c/" A64, "container", A64, "");
}

static void test_kubernetes(void **state)
{
	expect("/kubepods/burstable/pod" UID "/" A64, "kubernetes", A64, UID);
	expect("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-"
	       "pod9f4a7d62_1c2b_4b7e_8d3f_2a6c5e4b3a21.slice/"
	       "cri-containerd-" A64 ".scope",
	       "containerd", A64, UID);
	expect("/kubepods.slice/kubepods-pod9f4a7d62_1c2b_4b7e_8d3f_"
	       "2a6c5e4b3a21.slice/crio-" A64 ".scope/container",
	       "cri-o", A64, UID);
	expect("/system.slice/containerd.service/"
	       "kubepods-besteffort-pod9f4a7d62"
	       "_1c2b_4b7e_8d3f_2a6c5e4b3a21.slice:cri-containerd:" A64,
	       "containerd", A64, UID);
	/* Static pods have a hash for a uid. */
	expect("/kubepods/pod0123456789abcdef0123456789abcdef/" A64,
	       "kubernetes", A64, "0123456789abcdef0123456789abcdef");
	expect("/kubepods/pod" UID, "kubernetes", "", UID);
}

static void test_the_outermost_counts(void **state)
{
	expect("/docker/" A64 "/docker/" B64, "docker", A64, "");
	expect("/docker/" A64 "/kubelet/kubepods/pod" UID "/" B64, "docker",
	       A64, "");
	expect("/kubepods/pod" UID "/" A64 "/docker/" B64, "kubernetes", A64,
	       UID);
}

static void test_what_is_no_container(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"/init.scope",
		"/system.slice/docker.service",
		"/user.slice/user-0.slice/session-3.scope",
		"/machine.slice/libpod-conmon-" A64 ".scope",
		"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope",
		"/docker/buildkit",
		"/docker-",
		"/kubepods/podcast",
		"/kubepods.slice/kubepods-burstable.slice",
		"/process_api/52bdacdd459c3179c979c6ef547cc649",
		"/lxc/..",
		"/lxc.payload.\\x2e\\x2e\\x2fetc",
		"///",
		"/crun-",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect(paths[i], "", "", "");
}

static void test_names_that_are_too_long_are_cut(void **state)
{
	char path[1024] = "/lxc/";
	struct container c;

	memset(path + 5, 'x', 900);
	assert_true(container_of_cgroup(path, &c));
	assert_int_equal(strlen(c.name), CONTAINER_TEXT_BYTES - 1);
}

/* ---- Files ----------------------------------------------------------------
 */

static char root[] = "/tmp/container-test-XXXXXX";

static void put(const char *path, const char *text)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(full, 0700);
		*at = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_root(void **state)
{
	strcpy(strrchr(root, '-') + 1, "XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void look_up(const char *path, const char *name, const char *pod)
{
	struct container c;

	assert_true(container_of_cgroup(path, &c));
	container_look_up(root, &c);
	if (strcmp(c.name, name) || strcmp(c.pod, pod))
		fail_msg("%s: expected '%s' pod '%s', seen '%s' pod '%s'", path,
			 name, pod, c.name, c.pod);
}

static void test_names_from_files(void **state)
{
	put("/var/lib/docker/containers/" A64 "/config.v2.json",
	    "{\"ID\": \"x\", \"Name\": \"/shop\"}");
	look_up("/docker/" A64, "shop", "");
	put("/run/containerd/io.containerd.runtime.v2.task/k8s.io/" B64
	    "/config.json",
	    "{\"annotations\": {\"io.kubernetes.cri.container-name\": \"api\","
	    "\"io.kubernetes.cri.sandbox-name\": \"api-7d9\"}}");
	look_up("/kubepods/pod" UID "/" B64, "api", "api-7d9");
	put("/var/lib/containers/storage/overlay-containers/containers.json",
	    "[{\"id\": \"" C64 "\", \"names\": [\"cellar\", \"x\"]}, 3]");
	look_up("/machine.slice/libpod-" C64 ".scope", "cellar", "");
}

static void test_files_that_say_nothing(void **state)
{
	static const char *const texts[] = {
		"",	"{",	    "[]", "{\"Name\": 3}", "{\"Name\": \"\"}",
		"null", "\xff\xfe",
	};
	char fifo[512];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put("/var/lib/docker/containers/" A64 "/config.v2.json",
		    texts[i]);
		look_up("/docker/" A64, "", "");
	}
	/* Would block whoever opens it. */
	snprintf(fifo, sizeof(fifo), "%s/var/lib/docker/containers/%s", root,
		 B64);
	mkdir(fifo, 0700);
	strcat(fifo, "/config.v2.json");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	look_up("/docker/" B64, "", "");
}

static void test_plain_runtimes(void **state)
{
	struct container c;

	put("/run/crun/mine/status",
	    "{\"pid\": 3, \"cgroup-path\": \"/made/by/hand\"}");
	put("/run/runc/other/state.json",
	    "{\"cgroup_paths\": {\"\": \"/sys/fs/cgroup/other\", \"memory\": "
	    "\"/sys/fs/cgroup/memory/elsewhere\"}}");
	put("/run/crun/none/status", "{\"cgroup-path\": \"\"}");
	assert_true(container_started_plainly(root, "/made/by/hand/x", &c));
	assert_string_equal(c.name, "mine");
	assert_string_equal(c.runtime, "crun");
	assert_true(container_started_plainly(root, "/other", &c));
	assert_string_equal(c.name, "other");
	assert_true(container_started_plainly(root, "/elsewhere/y", &c));
	assert_false(
		container_started_plainly(root, "/made/by/handicraft", &c));
	assert_false(container_started_plainly(root, "/", &c));
	assert_false(container_started_plainly("/nonexistent", "/other", &c));
}

static void test_labels(void **state)
{
	char text[CONTAINER_TEXT_BYTES];
	struct container c;

	container_of_cgroup("/docker/" B64, &c);
	assert_string_equal(container_label(&c, text), "0123456789ab");
	strcpy(c.name, "shop");
	assert_string_equal(container_label(&c, text), "shop");
	container_of_cgroup("/system.slice/crun-a-longer-name.scope", &c);
	c.name[0] = '\0';
	assert_string_equal(container_label(&c, text), "a-longer-name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_runtimes_call_their_groups),
		cmocka_unit_test(test_kubernetes),
		cmocka_unit_test(test_the_outermost_counts),
		cmocka_unit_test(test_what_is_no_container),
		cmocka_unit_test(test_names_that_are_too_long_are_cut),
		cmocka_unit_test_setup_teardown(test_names_from_files,
						make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_files_that_say_nothing,
						make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_plain_runtimes, make_root,
						remove_root),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
