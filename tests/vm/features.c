// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints, one word a line, what src/probe/features.c finds out about the
 * kernel, and on standard error what it says is missing. Run in a guest by
 * tests/vm/guest.sh, which compares the words with what that kernel is known
 * to have.
 */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "probe/features.h"

struct word {
	bool present;
	const char *text;
};

static void print_words(const struct kernel_features *f)
{
	const struct word words[] = {
		{f->bpf, "bpf"},
		{f->btf, "btf"},
		{f->ring_buffer, "ring-buffer"},
		{f->attach_cookie, "cookie"},
		{f->uprobe_perf, "perf"},
		{f->uprobe_multi, "multi"},
		{f->uprobe_session, "session"},
		{f->return_probe_kills_seccomp, "return-kills-seccomp"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].present)
			puts(words[i].text);
}

int main(int argc, char **argv)
{
	struct kernel_features features;
	char missing[512];
	int error;

	if (argc > 1 && !strcmp(argv[1], "-v"))
		diag_set_level(DIAG_DEBUG);
	error = features_probe(&features, NULL);
	if (error) {
		fprintf(stderr, "features_probe: %s\n", strerror(-error));
		return 1;
	}
	print_words(&features);
	features_missing(&features, missing, sizeof(missing));
	fprintf(stderr, "missing: %s\n", missing[0] ? missing : "nothing");
	fprintf(stderr, "cost: emulated %u ns, stepped %u ns, return %u ns\n",
		features.entry_emulated_ns, features.entry_stepped_ns,
		features.return_ns);
	return 0;
}
