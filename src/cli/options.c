/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config_file.h"
#include "cli/options_internal.h"

static const struct option long_options[] = {
	{"pid", required_argument, NULL, 'p'},
	{"cgroup", required_argument, NULL, OPTION_CGROUP},
	{"container", required_argument, NULL, OPTION_CONTAINER},
	{"pod", required_argument, NULL, OPTION_POD},
	{"comm", required_argument, NULL, OPTION_COMM},
	{"all", no_argument, NULL, OPTION_ALL},
	{"command", required_argument, NULL, 'c'},
	{"interval", required_argument, NULL, 'i'},
	{"duration", required_argument, NULL, 'd'},
	{"top", required_argument, NULL, 'n'},
	{"output", required_argument, NULL, 'o'},
	{"folded", required_argument, NULL, OPTION_FILE + REPORT_FOLDED},
	{"pprof", required_argument, NULL, OPTION_FILE + REPORT_PPROF},
	{"json", required_argument, NULL, OPTION_FILE + REPORT_JSON},
	{"svg", required_argument, NULL, OPTION_FILE + REPORT_SVG},
	{"html", required_argument, NULL, OPTION_FILE + REPORT_HTML},
	{"metrics", required_argument, NULL, OPTION_FILE + REPORT_METRICS},
	{"older", required_argument, NULL, OPTION_OLDER},
	{"min-size", required_argument, NULL, OPTION_MIN_SIZE},
	{"max-size", required_argument, NULL, OPTION_MAX_SIZE},
	{"sample-bytes", required_argument, NULL, OPTION_SAMPLE_BYTES},
	{"max-memory", required_argument, NULL, OPTION_MAX_MEMORY},
	{"max-overhead", required_argument, NULL, OPTION_MAX_OVERHEAD},
	{"mmap", no_argument, NULL, OPTION_MMAP},
	{"growth", no_argument, NULL, OPTION_GROWTH},
	{"no-growth", no_argument, NULL, OPTION_NO_GROWTH},
	{"no-v8", no_argument, NULL, OPTION_NO_V8},
	{"no-source-maps", no_argument, NULL, OPTION_NO_SOURCE_MAPS},
	{"debuginfod", required_argument, NULL, OPTION_DEBUGINFOD},
	{"no-samplers", no_argument, NULL, OPTION_NO_SAMPLERS},
	{"v8-survived", required_argument, NULL, OPTION_V8_SURVIVED},
	{"explain", no_argument, NULL, OPTION_EXPLAIN},
	{"listen", required_argument, NULL, OPTION_LISTEN},
	{"token-file", required_argument, NULL, OPTION_TOKEN_FILE},
	{"config", required_argument, NULL, OPTION_CONFIG},
	{"pid-file", required_argument, NULL, OPTION_PID_FILE},
	{"state-dir", required_argument, NULL, OPTION_STATE_DIR},
	{"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, 'h'},
	/* For the tests: works like the kernels that have nothing better. */
	{"link", required_argument, NULL, OPTION_LINK},
	{0},
};

const struct option *long_option_named(const char *name)
{
	const struct option *o = long_options;

	while (o->name && strcmp(o->name, name))
		o++;
	return o->name ? o : NULL;
}

/* getopt says ':' or '?' and leaves the letter in optopt (0 or the value of a
 * long option otherwise). */
static enum exit_code wrong_option(struct parser *p, int result, char **argv)
{
	const char *word = argv[optind - 1];
	bool is_long = word && !strncmp(word, "--", 2);

	if (result == ':' && is_long)
		return wrong(p, "%s needs a value; see leakbpf --help", word);
	if (result == ':')
		return wrong(p, "-%c needs a value; see leakbpf --help",
			     optopt);
	if (is_long && optopt)
		return wrong(p, "%s: this option takes no value", word);
	if (is_long)
		return wrong(p,
			     "unknown or ambiguous option %s; see leakbpf "
			     "--help",
			     word);
	return wrong(p, "unknown option -%c; see leakbpf --help", optopt);
}

/* Words behind the options: the command, if "--" stands before it. */
static enum exit_code parse_rest(struct parser *p, int argc, char **argv)
{
	struct options *o = p->options;

	if (optind >= argc)
		return EXIT_CODE_OK;
	if (strcmp(argv[optind - 1], "--"))
		return wrong(p,
			     "unexpected word '%s': a process is given with "
			     "-p PID, a command with -c 'COMMAND'",
			     argv[optind]);
	if (o->words)
		return wrong(p, "give the command either with -c or behind "
				"--, not both");
	if (!*argv[optind])
		return wrong(p, "the command behind -- is empty");
	o->command = argv + optind;
	return EXIT_CODE_OK;
}

static enum exit_code check_together(struct parser *p)
{
	const struct options *o = p->options;
	bool selects = selection_wanted(&o->selection);

	if (o->action == ACTION_RECORD && !o->capture)
		return wrong(p, "leakbpf record needs a file to write: "
				"-o FILE");
	if (o->action != ACTION_RECORD && o->capture)
		return wrong(p, "-o is for leakbpf record; reports take "
				"--folded, --pprof, --json ...");
	if (o->action != ACTION_SERVE &&
	    (o->listen || o->token_file || o->pid_file || o->state_dir ||
	     o->config_path))
		return wrong(p, "--listen, --token-file, --pid-file, "
				"--state-dir and --config are for leakbpf "
				"serve");
	if (!o->pid_count && !o->command && !selects)
		return wrong(p, "nothing to trace: give -p PID, --container "
				"NAME or -c 'COMMAND'; see leakbpf --help");
	if (o->action == ACTION_TOP && o->command)
		return wrong(p, "leakbpf top cannot start a command: both "
				"would write to the terminal; start it "
				"elsewhere and give -p PID");
	if (o->pid_count && o->command)
		return wrong(p, "give either -p PID or a command, not both");
	if (selects && o->command)
		return wrong(p, "a command is traced by itself: give it, or "
				"--cgroup, --container, --pod, --comm, --all, "
				"not both");
	if (o->selection.all &&
	    o->selection.comms.count + o->selection.cgroups.count +
		    o->selection.containers.count + o->selection.pods.count)
		return wrong(p, "--all is everything: leave it out where "
				"--cgroup, --container, --pod or --comm say "
				"what to trace");
	if (o->growth == GROWTH_ALWAYS && o->memory_maps)
		return wrong(p, "--mmap sets probes, --growth sets none: give "
				"one of them");
	if (o->growth == GROWTH_ALWAYS && o->action == ACTION_EXPLAIN)
		return wrong(p, "--growth sets no probes: there is nothing to "
				"explain");
	if (o->max_size && o->min_size > o->max_size)
		return wrong(p,
			     "--min-size %llu is larger than --max-size "
			     "%llu: no block would be counted",
			     (unsigned long long)o->min_size,
			     (unsigned long long)o->max_size);
	if (o->quiet && o->verbose)
		return wrong(p, "give either --quiet or --verbose, not both");
	for (int i = 0; i < REPORT_FORMATS; i++)
		if (o->action == ACTION_EXPLAIN && o->files[i])
			return wrong(p,
				     "--explain writes no report, so --%s "
				     "cannot be given with it",
				     report_format_name((enum report_format)i));
	return EXIT_CODE_OK;
}

/* The first word, if it is the name of a command. True: taken. */
static bool take_command_name(struct options *o, const char *word)
{
	static const struct {
		const char *name;
		enum options_action action;
		uint64_t interval_ms;
	} names[] = {
		{"top", ACTION_TOP, TOP_INTERVAL_MS},
		{"serve", ACTION_SERVE, INTERVAL_MS_DEFAULT},
		{"record", ACTION_RECORD, INTERVAL_MS_DEFAULT},
		{"report", ACTION_REPORT, INTERVAL_MS_DEFAULT},
		{"diff", ACTION_DIFF, INTERVAL_MS_DEFAULT},
	};

	for (size_t i = 0; word && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i].name))
			continue;
		o->action = names[i].action;
		o->interval_ms = names[i].interval_ms;
		return true;
	}
	return false;
}

/* Of commands that read captures: whatever concerns tracing is too late. */
static enum exit_code parse_reading_option(struct parser *p, int option,
					   char **argv)
{
	bool file =
		option >= OPTION_FILE && option < OPTION_FILE + REPORT_FORMATS;

	if (option == '?' || option == ':')
		return wrong_option(p, option, argv);
	if (!file && option != OPTION_OLDER && option != OPTION_DEBUGINFOD &&
	    !strchr("nqvh", option))
		return wrong(p,
			     "%s: not when reading a capture; what was "
			     "recorded stays as it is",
			     argv[optind - 1]);
	return parse_option(p, option, optarg);
}

/* "report FILE", "diff FILE FILE": options may stand anywhere. */
static enum exit_code parse_reading(struct parser *p, int argc, char **argv)
{
	struct options *o = p->options;
	int option, wanted = o->action == ACTION_DIFF ? 2 : 1;

	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":n:qvh", long_options,
				     NULL)) != -1) {
		enum exit_code code = parse_reading_option(p, option, argv);

		if (code != EXIT_CODE_OK || o->action == ACTION_HELP)
			return code;
	}
	if (argc - optind != wanted)
		return wrong(p, wanted == 2
					? "leakbpf diff needs two captures: "
					  "leakbpf diff BEFORE AFTER"
					: "leakbpf report needs one capture: "
					  "leakbpf report FILE");
	if (o->action == ACTION_DIFF && o->files[REPORT_METRICS])
		return wrong(p, "--metrics: not for a difference");
	for (int i = 0; i < wanted; i++)
		o->captures[i] = argv[optind + i];
	return EXIT_CODE_OK;
}

static enum exit_code parse_all(struct parser *p, int argc, char **argv)
{
	enum exit_code code = EXIT_CODE_OK;
	int option;

	if (argc > 1 && take_command_name(p->options, argv[1])) {
		argc--;
		argv++;
	}
	if (p->options->action == ACTION_REPORT ||
	    p->options->action == ACTION_DIFF)
		return parse_reading(p, argc, argv);
	optind = 0; /* start afresh (getopt(3), Notes) */
	opterr = 0;
	/* '+': the first word that is no option ends them. */
	while ((option = getopt_long(argc, argv, "+:p:c:i:d:n:o:qvh",
				     long_options, NULL)) != -1) {
		if (option == '?' || option == ':')
			return wrong_option(p, option, argv);
		code = parse_option(p, option, optarg);
		if (code != EXIT_CODE_OK)
			return code;
		p->given[option] = true;
		if (p->options->action == ACTION_HELP ||
		    p->options->action == ACTION_VERSION)
			return EXIT_CODE_OK;
	}
	code = parse_rest(p, argc, argv);
	if (code == EXIT_CODE_OK)
		code = parse_config(p);
	/* A service outlives what it watches. */
	p->options->selection.may_come = p->options->action == ACTION_SERVE;
	return code == EXIT_CODE_OK ? check_together(p) : code;
}

enum exit_code options_parse(struct options *o, int argc, char **argv,
			     char *error, size_t error_size)
{
	struct parser p = {
		.options = o,
		.error = error,
		.error_size = error_size,
	};

	*o = (struct options){
		.interval_ms = INTERVAL_MS_DEFAULT,
		.v8_survived = V8_SURVIVED_DEFAULT,
		.top = TOP_DEFAULT,
		.sample_bytes = SAMPLE_BYTES_DEFAULT,
		.growth_sample_bytes = GROWTH_SAMPLE_BYTES_DEFAULT,
		.max_memory = MAX_MEMORY_DEFAULT,
		.log_level = DIAG_INFO,
		.argc = argc,
		.argv = argv,
		.max_overhead = MAX_OVERHEAD_DEFAULT,
		.max_overhead_total = MAX_OVERHEAD_TOTAL_DEFAULT,
	};
	if (error_size)
		error[0] = '\0';
	return parse_all(&p, argc, argv);
}

void options_free(struct options *o)
{
	free(o->pids);
	free(o->selection.cgroups.list);
	free(o->selection.containers.list);
	free(o->selection.pods.list);
	free(o->selection.comms.list);
	free(o->words);
	config_free(o->config);
	*o = (struct options){0};
}
