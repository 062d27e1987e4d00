/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that can fail for reasons of its own is done before the target is
 * touched: privileges, outputs, the processes, the kernel. Helper processes
 * are forked first, while this one is small and holds nothing.
 */
#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "cli/explain.h"
#include "cli/following.h"
#include "cli/output.h"
#include "cli/prerequisites.h"
#include "cli/recording.h"
#include "cli/reporting.h"
#include "cli/run_loop.h"
#include "cli/serving.h"
#include "cli/signals.h"
#include "cli/spawn.h"
#include "cli/targets.h"
#include "cli/top_run.h"
#include "symbol/debuginfod.h"
#include "symbol/js_names.h"

struct session {
	const struct options *options;
	struct output output;
	struct capture_writer *capture;
	struct object_registry *objects;
	struct symbolizer *symbols;
	struct debuginfod *debuginfod; /* NULL: no servers are asked */
	struct js_names *js_names;
	struct kernel_features features;
	struct closer closer; /* of what these were tried with */
	struct spawned command;
	struct targets targets;
	struct following *following; /* NULL: only those given */
	struct tracer *tracer;
	struct profile *profile;
	struct stack_merge *merge;
	struct serving *serving; /* NULL: none */
	uint64_t attached_ns;
};

/* ---- Before the target is touched ---------------------------------------- */

static enum exit_code open_merge(struct session *s)
{
	struct frame_meaning meaning = {
		.expand = js_names_expand,
		.internal = js_names_internal,
	};

	s->js_names = js_names_new(s->symbols, !s->options->no_source_maps);
	meaning.context = s->js_names;
	s->merge = stack_merge_new(&meaning);
	if (s->js_names && s->merge)
		return EXIT_CODE_OK;
	diag_error("out of memory");
	return EXIT_CODE_INTERNAL;
}

static enum exit_code open_helpers(struct session *s)
{
	struct symbolizer_options options = {0};
	const struct debuginfod_options servers = DEBUGINFOD_LIVE;

	s->debuginfod = debuginfod_start(&servers, s->options->debuginfod);
	options.debuginfod = s->debuginfod;
	s->objects = object_registry_new();
	s->profile = profile_new();
	if (!s->objects || !s->profile) {
		diag_error("out of memory");
		return EXIT_CODE_INTERNAL;
	}
	s->symbols = symbolizer_new(s->objects, &options);
	if (!s->symbols) {
		diag_error("cannot start the symbolizer: %s", strerror(errno));
		return EXIT_CODE_INTERNAL;
	}
	return open_merge(s);
}

static void learn_js_frame(void *context, const struct js_frame *frame,
			   const struct js_location *location)
{
	struct session *s = context;

	js_names_learn(s->js_names, frame, location);
}

static void hide_builtins(void *context, const struct object *o,
			  const struct v8_engine *engine)
{
	struct session *s = context;

	js_names_hide(s->js_names, o->id, engine->builtins_start,
		      engine->builtins_end);
	for (int i = 0; i < V8_API_CALLS; i++)
		js_names_hide(s->js_names, o->id, engine->api_call[i],
			      engine->api_call[i] + engine->api_call_size[i]);
}

static void note_start(void *context, pid_t pid)
{
	struct session *s = context;

	following_started(s->following, pid);
}

static bool is_selected(void *context, pid_t pid)
{
	const struct session *s = context;

	return targets_find(&s->targets, pid) ||
	       (s->following && following_selects(s->following, pid));
}

static enum exit_code open_tracer(struct session *s)
{
	const struct options *o = s->options;
	struct tracer_options options = {
		.sample_bytes = o->sample_bytes,
		.sampling_fixed = o->sample_bytes_given,
		.min_size = o->min_size,
		.max_size = o->max_size,
		.max_memory = o->max_memory,
		.memory_maps = o->memory_maps,
		.growth =
			o->action == ACTION_EXPLAIN ? GROWTH_NEVER : o->growth,
		.growth_sample_bytes = o->growth_sample_bytes,
		.own_samplers = !o->no_samplers,
		.max_overhead = o->max_overhead / 100,
		.max_overhead_total = o->max_overhead_total / 100,
		.v8 = !o->no_v8,
		.v8_found = hide_builtins,
		.js_frame = learn_js_frame,
		.started = s->following ? note_start : NULL,
		.selected = is_selected,
		.context = s,
		.v8_survived = (uint32_t)o->v8_survived,
		.force_link = o->force_link,
	};
	int err = tracer_new(&options, &s->features, s->objects, &s->tracer);

	switch (-err) {
	case 0:
		return EXIT_CODE_OK;
	case EPERM:
	case EACCES:
		return EXIT_CODE_PRIVILEGES;
	case ENOTSUP:
		return EXIT_CODE_KERNEL;
	case E2BIG: /* --max-memory */
		return EXIT_CODE_USAGE;
	default:
		return EXIT_CODE_INTERNAL;
	}
}

static enum exit_code open_targets(struct session *s)
{
	const struct options *o = s->options;
	char error[1024] = "out of memory";
	int err = targets_init(&s->targets);

	if (!err && selection_wanted(&o->selection))
		err = following_new(&o->selection, &s->targets, &s->following,
				    error, sizeof(error));
	if (err) {
		diag_error("%s", error);
		return err == -EINVAL ? EXIT_CODE_USAGE : EXIT_CODE_INTERNAL;
	}
	return o->pid_count ? targets_open(&s->targets, o->pids, o->pid_count)
			    : EXIT_CODE_OK;
}

static enum exit_code prepare(struct session *s)
{
	const struct options *o = s->options;
	enum exit_code code = check_privileges();

	spawn_keep_limits(&s->command);
	if (code == EXIT_CODE_OK && output_open(&s->output, o->files, o->quiet))
		code = EXIT_CODE_OUTPUT;
	if (code == EXIT_CODE_OK && o->action == ACTION_RECORD) {
		s->output.text = NULL;
		if (recording_open(o->capture, &s->capture))
			code = EXIT_CODE_OUTPUT;
	}
	if (code == EXIT_CODE_OK && o->action == ACTION_SERVE) {
		s->output.text = NULL;
		code = serving_open(o, &s->serving);
	}
	if (code == EXIT_CODE_OK)
		code = open_targets(s);
	if (code == EXIT_CODE_OK)
		code = open_helpers(s);
	if (code == EXIT_CODE_OK)
		code = check_kernel(o, &s->features, &s->closer);
	return code == EXIT_CODE_OK ? open_tracer(s) : code;
}

/* ---- Attaching ----------------------------------------------------------- */

static enum exit_code start_command(struct session *s)
{
	enum exit_code code = spawn_start(&s->command, s->options->command);

	if (code == EXIT_CODE_OK && !signals_stop_requested())
		code = targets_open(&s->targets, &s->command.pid, 1);
	if (code == EXIT_CODE_OK && !signals_stop_requested())
		code = spawn_load(&s->command, &s->targets.list[0]->process,
				  s->objects);
	return code;
}

static enum exit_code attach(struct session *s)
{
	enum exit_code code = EXIT_CODE_OK;
	int err;

	if (s->options->command)
		code = start_command(s);
	if (code == EXIT_CODE_OK && s->serving)
		code = serving_confine(
			s->serving,
			features_best_link(&s->features,
					   s->options->force_link),
			&s->output);
	if (code != EXIT_CODE_OK || signals_stop_requested())
		return code;
	/* Times count from before the first probe, so that no age is negative.
	 */
	s->attached_ns = monotonic_ns();
	if (s->targets.count || !s->following)
		code = targets_attach(&s->targets, s->tracer);
	if (code != EXIT_CODE_OK)
		return code;
	err = spawn_release(&s->command);
	if (err)
		diag_error("cannot let '%s' run: %s", s->command.name,
			   strerror(-err));
	return err ? EXIT_CODE_INTERNAL : EXIT_CODE_OK;
}

/* ---- Running ------------------------------------------------------------- */

static int write_report(void *context)
{
	return reporting_write(context, false);
}

static int take_snapshot(void *context)
{
	return reporting_observe(context);
}

static enum exit_code report_until_end(struct reporting *r)
{
	static const struct run_calls calls = {
		.report = write_report,
		.observe = take_snapshot,
	};
	struct run_loop loop = {
		.reporting = r,
		.calls = &calls,
		.context = r,
		.next_ns = r->attached_ns + r->options->interval_ms * 1000000,
	};
	enum exit_code code = run_loop(&loop);

	if (code != EXIT_CODE_OK || loop.unread)
		return code;
	return reporting_exit_code(reporting_write(r, true));
}

/* The view is for the terminal; files get what it has shown last. */
static enum exit_code show_until_end(struct session *s, struct reporting *r)
{
	enum exit_code code = top_run(r);

	s->output.text = NULL;
	if (code != EXIT_CODE_OK)
		return code;
	return reporting_exit_code(reporting_write(r, true));
}

static enum exit_code serve_until_end(struct session *s, struct reporting *r)
{
	enum exit_code code = serving_run(s->serving, r);

	return code == EXIT_CODE_OK
		       ? reporting_exit_code(reporting_write(r, true))
		       : code;
}

static enum exit_code explain(struct session *s, struct reporting *r)
{
	static const struct run_calls calls = {0};
	struct run_loop loop = {.reporting = r, .calls = &calls};
	enum exit_code code = EXIT_CODE_OK;
	int err;

	if (s->options->duration_ms) /* so that there are hits to be shown */
		code = run_loop(&loop);
	if (code != EXIT_CODE_OK)
		return code;
	err = explain_print(stdout, s->tracer);
	if (err && err != -EPIPE)
		diag_error("cannot explain: %s", strerror(-err));
	return reporting_exit_code(err);
}

static enum exit_code report(struct session *s)
{
	struct names_live live = {
		.symbols = s->symbols,
		.objects = s->objects,
		.scripts = s->js_names,
	};
	struct reporting r = {
		.options = s->options,
		.tracer = s->tracer,
		.targets = &s->targets,
		.following = s->following,
		.names = names_of_live(&live),
		.profile = s->profile,
		.merge = s->merge,
		.js_names = s->js_names,
		.objects = s->objects,
		.symbols = s->symbols,
		.output = &s->output,
		.capture = s->capture,
		.attached_ns = s->attached_ns,
	};
	enum exit_code code;

	switch (s->options->action) {
	case ACTION_TOP:
		code = show_until_end(s, &r);
		break;
	case ACTION_SERVE:
		code = serve_until_end(s, &r);
		break;
	case ACTION_EXPLAIN:
		code = explain(s, &r);
		break;
	default:
		code = report_until_end(&r);
	}
	reporting_close(&r);
	return code;
}

static enum exit_code run(struct session *s)
{
	enum exit_code code = prepare(s);

	if (code != EXIT_CODE_OK || signals_stop_requested())
		return code;
	code = attach(s);
	/* Interrupted before anything was traced. */
	if (code != EXIT_CODE_OK || (!s->attached_ns && !s->following))
		return code;
	for (size_t i = 0; i < s->targets.count; i++)
		diag_info("tracing process %d (%s); Ctrl-C ends with a final "
			  "report",
			  (int)s->targets.list[i]->process.pid,
			  s->targets.list[i]->process.comm);
	if (s->following)
		following_begin(s->following, s->tracer);
	return report(s);
}

/* The target first: it is rid of the probes before anything else is done. */
static void finish(struct session *s)
{
	tracer_free(s->tracer);
	closer_finish(&s->closer);
	serving_close(s->serving);
	spawn_end(&s->command);
	following_free(s->following);
	targets_close(&s->targets);
	stack_merge_free(s->merge);
	js_names_free(s->js_names);
	symbolizer_free(s->symbols);
	debuginfod_stop(s->debuginfod);
	profile_free(s->profile);
	object_registry_free(s->objects);
	output_close(&s->output);
	recording_close(s->capture, s->options->capture);
}

enum exit_code session_run(const struct options *options)
{
	struct session s = {
		.options = options,
	};
	enum exit_code code = run(&s);

	finish(&s);
	return code;
}
