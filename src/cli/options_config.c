/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings of the configuration file, as if they were options. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/config_file.h"
#include "cli/options_internal.h"

/* Options that make no sense in a file. */
static bool is_for_command_line(int option)
{
	switch (option) {
	case 'c':
	case 'o':
	case 'h':
	case OPTION_VERSION:
	case OPTION_EXPLAIN:
	case OPTION_CONFIG:
		return true;
	}
	return false;
}

/* Options that answer the same question: when the command line gives one, the
 * file's others do not count. 0: none such. */
static int question(int option)
{
	switch (option) {
	case 'p':
	case 'c':
	case OPTION_CGROUP:
	case OPTION_CONTAINER:
	case OPTION_POD:
	case OPTION_COMM:
	case OPTION_ALL:
		return 'p';
	case 'q':
	case 'v':
	case OPTION_LOG_LEVEL:
		return 'v';
	}
	return 0;
}

static bool is_answered(const struct parser *p, int option)
{
	int asked = question(option);

	for (int i = 0; asked && i < OPTION_LIMIT; i++)
		if (p->given[i] && question(i) == asked)
			return true;
	return p->given[option] || (asked == 'p' && p->options->command);
}

/* yes, no; false: neither. */
static bool parse_flag(const char *text, bool *value)
{
	static const char *const words[] = {"no",  "yes", "false", "true",
					    "off", "on",  "0",	   "1"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i])) {
			*value = i % 2;
			return true;
		}
	return false;
}

static enum exit_code apply_entry(struct parser *p,
				  const struct config_entry *e)
{
	const struct option *option = long_option_named(e->name);
	bool wanted = true;

	if (!option)
		return wrong(p,
			     "there is no setting '%s'; see man "
			     "leakbpf-serve",
			     e->name);
	if (is_for_command_line(option->val))
		return wrong(p, "'%s' is for the command line only", e->name);
	if (is_answered(p, option->val))
		return EXIT_CODE_OK;
	if (option->has_arg == no_argument && !parse_flag(e->value, &wanted))
		return wrong(p, "'%s' is yes or no, not '%s'", e->name,
			     e->value);
	return wanted ? parse_option(p, option->val, e->value) : EXIT_CODE_OK;
}

static enum exit_code apply(struct parser *p, const struct config *c)
{
	enum exit_code code = EXIT_CODE_OK;

	for (size_t i = 0; i < c->count && code == EXIT_CODE_OK; i++) {
		snprintf(p->place, sizeof(p->place), "%s:%u: ", c->path,
			 c->entries[i].line);
		code = apply_entry(p, &c->entries[i]);
	}
	p->place[0] = '\0';
	return code;
}

enum exit_code parse_config(struct parser *p)
{
	struct options *o = p->options;
	int err;

	if (o->action != ACTION_SERVE)
		return EXIT_CODE_OK;
	err = config_read(o->config_path ? o->config_path : CONFIG_DEFAULT,
			  &o->config, p->error, p->error_size);
	if (err == -ENOENT && !o->config_path)
		return EXIT_CODE_OK;
	return err ? EXIT_CODE_USAGE : apply(p, o->config);
}
