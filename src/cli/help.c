/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/help.h"

#include "cli/exit_codes.h"
#include "cli/options.h"

static const char usage[] =
	"leakbpf finds the call paths that hold the growing memory of a "
	"running "
	"process.\n"
	"\n"
	"  leakbpf -p PID [options]\n"
	"  leakbpf -c 'COMMAND ARGS...' [options]\n"
	"  leakbpf [options] -- COMMAND ARGS...\n"
	"  leakbpf record -o FILE -p PID [options]   everything to a file\n"
	"  leakbpf report FILE [--folded F] ...      reports from it, "
	"anywhere\n"
	"  leakbpf top -p PID [options]   live view: sort, filter, look into "
	"stacks\n"
	"  leakbpf serve -p PID [--listen 127.0.0.1:9850]   for Prometheus, "
	"pprof\n"
	"\n"
	"What to trace\n"
	"  -p, --pid PID[,PID]   a running process; may be repeated\n"
	"      --container ID    processes of a container, by id or name\n"
	"      --pod UID         ... of a Kubernetes pod, by uid or name\n"
	"      --cgroup PATH     ... of a control group and those below it\n"
	"      --comm NAME       ... with this name\n"
	"      --all             every process\n"
	"  -c, --command CMD     start a program and trace it from the "
	"beginning\n"
	"      --mmap            count mmap, munmap and mremap too\n"
	"      --growth          no probes: follow the pages it holds, by who "
	"touches\n"
	"                        them first; by itself where there are no "
	"known\n"
	"                        allocators, and for Go\n"
	"      --no-growth       such programs are an error\n"
	"      --no-samplers     probe the allocator of a program even if it "
	"samples\n"
	"                        its allocations itself (USDT otel_memory)\n"
	"      --no-v8           Node.js like any other program: no names of "
	"JavaScript\n"
	"      --no-source-maps  lines of JavaScript as it runs, not of the "
	"TypeScript\n"
	"                        or the files that it was made of\n"
	"      --v8-survived N   full collections after which objects on V8's "
	"heap\n"
	"                        count as held (default 2)\n"
	"\n"
	"When and what to report\n"
	"  -i, --interval SECS   time between reports (default 10)\n"
	"  -d, --duration SECS   stop after this time (default: at Ctrl-C)\n"
	"  -n, --top N           call stacks shown (default 10; 0: all)\n"
	"      --folded FILE     folded stacks for flame graphs (-: "
	"standard output)\n"
	"      --pprof FILE      for go tool pprof and all that reads its "
	"format\n"
	"      --html FILE       one page: graphs, verdicts, memory over time\n"
	"      --svg FILE        a flame graph\n"
	"      --json FILE       everything, for programs\n"
	"      --metrics FILE    for Prometheus' textfile collector\n"
	"      --debuginfod URLS debug files from these servers (default: "
	"those of\n"
	"                        $DEBUGINFOD_URLS; '': none)\n"
	"      --older SECS      only blocks at least this old\n"
	"      --min-size SIZE   only blocks of at least this size\n"
	"      --max-size SIZE   only blocks of at most this size\n"
	"      --explain         print the probes and stop\n"
	"\n"
	"Cost\n";

static const char usage_cost[] =
	"      --sample-bytes N  mean bytes between samples (default %lluK, "
	"finer while\n"
	"                        that is cheap; 0: all blocks)\n"
	"      --max-memory SIZE for leakbpf and its kernel tables (default "
	"%lluM)\n"
	"      --max-overhead P  what probes may cost each process, per cent "
	"of a CPU\n"
	"                        (default 2; 0: no limit)\n";

static const char usage_rest[] =
	"\n"
	"Other\n"
	"  -q, --quiet           errors and warnings only\n"
	"  -v, --verbose         say more\n"
	"      --log-level WORD  error, warn, info or debug\n"
	"      --config FILE     settings of leakbpf serve; more options of "
	"it: "
	"man\n"
	"                        leakbpf-serve\n"
	"      --version, -h, --help\n"
	"\n"
	"SIZE takes K, M, G; SECS takes decimals, m and h. Needs root, or "
	"CAP_BPF,\n"
	"CAP_PERFMON and CAP_SYS_PTRACE. How to read a report: man leakbpf.\n"
	"\n"
	"Exit status\n";

void help_print(FILE *out)
{
	fputs(usage, out);
	fprintf(out, usage_cost, SAMPLE_BYTES_DEFAULT >> 10,
		MAX_MEMORY_DEFAULT >> 20);
	fputs(usage_rest, out);
#define X(id, number, text) fprintf(out, "  %3d  %s\n", number, text);
	EXIT_CODES(X)
#undef X
}
