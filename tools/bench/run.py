#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Measures leakbpf and writes the tables of BENCHMARKS.md.

usage: run.py LEAKBPF BUILD_DIRECTORY BENCHMARKS.md [SECTION...]

With sections (pairs sharing growth budget budget-many redis node unwind attach
memory sampling) only those are measured, and printed instead of written.
BENCH_QUICK=1 takes fewer and shorter rounds.
"""

import os
import statistics
import sys
import time

import budget
import budget_many
import experiments as x
import node_section
import sharing
import tables as t
import targets
import tracers

INTERVALS = [1 << 10, 4 << 10, 16 << 10, 64 << 10, 512 << 10]
LABELS = {x.UNTRACED: "untraced", x.EXACT: "leakbpf, every block",
          x.DEFAULT: "leakbpf, default sampling",
          x.EXACT_FLOOR: "... its traps alone",
          x.DEFAULT_FLOOR: "... its traps alone",
          x.NAIVE: "bpftrace, the naive probes",
          x.GROWTH: "leakbpf `--growth`",
          x.GROWTH_OTHER: "... of another process"}
MAX_MEMORY = 64 << 20  # --max-memory's default


def times(value):
    return t.digits(value) + "x"


def microseconds(ns):
    return f"{ns / 1000:.3g} µs"


def kilo(size):
    return f"{size >> 10}K"


# ---- Sections: (markdown, checks) ---------------------------------------------------

def section_pairs(bench, checks):
    configurations = bench.configurations_with_floors()
    rounds = bench.rounds
    churns = [("no frame pointers",
               x.worker_costs(bench, "churn", configurations, rounds)),
              ("frame pointers",
               x.worker_costs(bench, "churn-fp", configurations, rounds))]
    strings = x.worker_costs(bench, "strings", configurations, bench.rounds)
    out = ("### A saturating churn (C)\n\nA malloc+free pair of mixed sizes, "
           "13 frames deep, 8 call paths at one stack depth (kind to every "
           "cache), 256 blocks alive. Without frame pointers bpftrace's "
           "stacks are cut after a frame or two, which is cheaper; leakbpf's "
           "are complete either way. Traps alone: the same probes with "
           "programs that do nothing.\n")
    for how, costs in churns:
        out += f"\nBuilt with {how}:\n\n"
        out += cost_table(costs, configurations, "pair")
        out += floor_text(costs)
    out += ("\n### An allocation-heavy program (C++)\n\nMaps, strings and "
            "vectors; one operation is one document indexed. Built with frame "
            "pointers.\n\n")
    out += cost_table(strings, configurations, "document")
    for how, costs in churns:
        for text, name, limit in (("every block", x.EXACT, 1 / 5),
                                  ("default sampling", x.DEFAULT, 1 / 10)):
            text = f"a pair, {text}, of the naive probes' cost ({how})"
            if not bench.naive:
                checks.missing(text, "bpftrace is not installed")
                continue
            share = t.ratios(costs[name], costs[x.NAIVE])
            checks.check(text, statistics.median(share), limit, t.digits)
    return out


def floor_text(costs):
    """What share of the naive probes' cost no program can come under."""
    if x.NAIVE not in costs or x.EXACT_FLOOR not in costs:
        return ""
    exact, default = (
        statistics.median(t.ratios(costs[name], costs[x.NAIVE]))
        for name in (x.EXACT_FLOOR, x.DEFAULT_FLOOR))
    return (f"\nThe traps alone are {t.digits(exact)} of the naive probes' "
            f"cost when every block is recorded, {t.digits(default)} with "
            "default sampling: programs that take no time would reach that.\n")


def cost_table(costs, configurations, unit):
    naive = costs.get(x.NAIVE)
    rows = []
    for name in configurations:
        row = [LABELS[name], t.spread(costs[name], microseconds),
               t.spread([1e9 / c for c in costs[name]]),
               t.spread(t.ratios(costs[name], costs[x.UNTRACED]), times)]
        if naive:
            row.append(t.spread(t.ratios(naive, costs[name]), times))
        rows.append(row)
    heads = ["", f"CPU per {unit}", f"{unit}s per CPU second",
             "slower than untraced"]
    return t.table(heads + (["cheaper than bpftrace"] if naive else []), rows)


def section_sharing(bench, checks):
    results = sharing.measure(bench)
    rows = []
    for count in sharing.COUNTS:
        row = [count]
        for shared in (False, True):
            rounds = results.get((count, shared))
            if not rounds:
                row += ["", ""]
                continue
            row += [t.spread([traced for _, traced, _ in rounds],
                             microseconds),
                    t.spread([detach for _, _, detach in rounds])]
        rows.append(row)
    one = statistics.median(r[1] for r in results[1, False])
    for count in (10, 100):
        checks.check(f"a pair with {count} processes that share, of one alone",
                     statistics.median(r[1] for r in results[count, True]) /
                     one, 1.5, t.digits)
    checks.check("detach, 100 processes that share (s)",
                 statistics.median(r[2] for r in results[100, True]), 1,
                 t.digits)
    out = ("### Many processes that map one file\n\nA pair of malloc and free "
           "of one process, default sampling, while so many are traced in "
           "all.\n\n")
    return out + t.table(["processes", "own probes", "detach (s)",
                          "shared probes", "detach (s)"], rows)


def section_growth(bench, checks):
    configurations = [x.UNTRACED, x.GROWTH, x.GROWTH_OTHER]
    out = ("### Memory growth by pages\n\nWith `--growth` there are no probes: "
           "what costs is pages touched for the first time. The last row is "
           "what every process of the machine pays while one is followed.\n")
    for program, unit, what in (
            ("faults", "page", "Nothing but page faults: a page mapped, "
             "touched, given back"),
            ("churn", "pair", "A saturating churn of malloc and free")):
        costs = x.worker_costs(bench, program, configurations, bench.rounds)
        out += f"\n{what}:\n\n" + cost_table(costs, configurations, unit)
        limit = 1.25 if program == "faults" else 1.01
        checks.check(f"{program} with --growth, of untraced", statistics.median(
            t.ratios(costs[x.GROWTH], costs[x.UNTRACED])), limit, t.digits)
    return out


def section_budget(bench, checks):
    """The promise is kept when at most that is taken, give or take what can be
    measured of a worker that sleeps and wakes."""
    results = budget.measure(bench)
    rows = []
    for rate in budget.RATES:
        row = [f"{rate:,}" if rate else "as many as it can"]
        for limit in [budget.UNLIMITED, *budget.BUDGETS]:
            cost, share = results[rate, limit]
            row.append(f"{t.percent(cost)} ({t.percent(share)})")
            if limit != budget.UNLIMITED:
                checks.check(f"budget {limit} %, {rate or 'all'} pairs/s",
                             cost, limit / 100 + 0.01, t.percent)
        rows.append(row)
    return ("### Budget\n\nA worker that allocates and frees at a steady rate "
            "beside other work: what tracing it takes of a CPU from two seconds "
            "after attach on, and, in brackets, which share of the time was "
            "observed.\n\n" +
            t.table(["pairs per second", "`--max-overhead 0`",
                     *(f"`{b}`" for b in budget.BUDGETS)], rows))


def section_redis(bench, _):
    if not targets.redis_available():
        return "### redis\n\nredis-server is not installed: not measured.\n"
    tests = ["set", "lpush"]
    results = x.redis_throughput(bench, tests)
    out = ("### redis-server (jemalloc)\n\n`redis-benchmark -P 16 -c 20 -d 64 "
           "-r 100000`, requests per second.\n\n")
    rows = []
    for name in bench.configurations():
        row = [LABELS[name]]
        for test in tests:
            values = results[test][name]
            share = t.ratios(values, results[test][x.UNTRACED])
            row += [t.spread(values), t.spread(share, t.percent)]
        rows.append(row)
    return out + t.table(["", "SET/s", "of untraced", "LPUSH/s",
                          "of untraced"], rows)


def section_unwind(bench, checks):
    rows = []
    for name, rounds in x.unwind_cost(bench).items():
        deeper = [deep - shallow - descent for shallow, deep, descent in rounds]
        rows.append([name, t.spread([s for s, _, _ in rounds], microseconds),
                     t.spread([d for _, d, _ in rounds], microseconds),
                     t.spread(deeper, microseconds),
                     t.spread([d / 30 for d in deeper],
                              lambda ns: f"{ns:.0f} ns")])
        if name == "moving":
            checks.check("walking 30 frames without frame pointers",
                         statistics.median(deeper), 5000, microseconds)
    out = ("### Unwinding\n\nA malloc+free pair while every block is recorded, "
           "by the depth of the stack (no frame pointers). What 30 frames more "
           "cost, less what calling them costs, holds all that depends on the "
           "depth: walking, hashing and comparing the stack. The verdict takes "
           "the row in which every call chain has another stack address.\n\n")
    return out + t.table(["stack address", "7 frames", "37 frames",
                          "30 frames more", "per frame"], rows)


def section_attach(bench, checks):
    big, node = [bench.target("big")], "/usr/bin/node"
    label = "100 MB of C, 250,000 functions"
    programs = [(label, big, []),
                (label + ", `--max-memory 256M`", big, ["--max-memory", "256M"])]
    if os.path.exists(node):
        size = os.path.getsize(os.path.realpath(node)) / 1e6
        programs.append((f"node, {size:.0f} MB",
                         [node, "-e", "setInterval(() => {}, 1000)"], []))
    rows = []
    for label, argv, options in programs:
        measured, complete = x.attach_times(bench, argv, options, bench.rounds)
        attached, report, detach = zip(*measured)
        rows.append([label, t.spread(attached), t.spread(report),
                     t.spread(detach), "yes" if complete else "**no**"])
        text = f"attach to first report, {label} (s)"
        if complete:
            checks.check(text, statistics.median(report), 2, t.digits)
        else:
            checks.missing(text, "an unwind table did not fit: work not done")
        checks.check(f"detach, {label} (s)", statistics.median(detach), 1,
                     t.digits)
    detach = x.detach_under_load(bench, bench.rounds)
    rows.append(["churn (small)", "", "", t.spread(detach), ""])
    checks.check("detach, churn (s)", statistics.median(detach), 1, t.digits)
    out = ("### Attaching and detaching\n\nSeconds from the start of the "
           "command: until it says that it traces; until the first report is "
           "written (`-i 0.1`: due at once, as attaching takes longer than "
           "that); from SIGINT to the end with the final report written. The "
           "churn hits probes all the time.\n\n")
    return out + t.table(["program", "attached", "first report", "detach",
                          "all unwind tables built"], rows)


def section_memory(bench, checks):
    blocks = 1000000
    rows = []
    for label, options, limit in (
            ("default", [], MAX_MEMORY),
            ("`--sample-bytes 0`", ["--sample-bytes", "0"], MAX_MEMORY),
            ("`--sample-bytes 0 --max-memory 256M`",
             ["--sample-bytes", "0", "--max-memory", "256M"], 256 << 20)):
        if bench.quick and limit != MAX_MEMORY:
            continue
        m = x.memory_at(bench, blocks, options)
        total = m["kernel"] + m["loader"]
        checks.check(f"kernel and loader memory, 1 M outstanding, {label}",
                     total, limit, t.mebibytes)
        rows.append([label, t.mebibytes(m["kernel"]), t.mebibytes(m["loader"]),
                     t.mebibytes(total), t.mebibytes(limit), m["outstanding"],
                     m["sampling"]])
    out = ("### Memory with 1,000,000 blocks outstanding\n\nKernel: all BPF "
           "tables and programs, as the kernel accounts them. Loader: "
           "proportional set size of leakbpf and its symbol workers after "
           "two reports, tables mapped from the kernel left out. The truth "
           "is 1,000,000 blocks and 75.8 MiB.\n\n")
    return out + t.table(["options", "kernel", "loader", "together", "limit",
                          "reported outstanding", "sampling"], rows)


def section_sampling(bench, _):
    """What choosing the default rests on: cost and error by interval."""
    intervals = INTERVALS[1:4] if bench.quick else INTERVALS
    costs = x.worker_costs(bench, "churn", [x.UNTRACED, x.EXACT, *intervals],
                           bench.rounds - 1)
    rows = []
    repetitions = 1 if bench.quick else 3
    for interval in intervals:
        pairs, inside, total = [], 0, 0
        for _ in range(repetitions):
            result, (hit, of) = x.accuracy(bench, interval)
            pairs += result
            inside += hit
            total += of
        row = [kilo(interval), t.spread(costs[interval], microseconds),
               t.spread(t.ratios(costs[interval], costs[x.EXACT]), t.percent)]
        for size in (64 << 10, 1 << 20, 8 << 20):
            rms, _ = x.relative_rms(pairs, size, size * 2)
            row.append(t.percent(rms))
        everything = (sum(e for _, e in pairs) / sum(s for s, _ in pairs)) - 1
        row += [f"{100 * everything:+.2f} %",
                f"{inside} of {total}" if total else "?",
                f"{len(pairs) - total} of {len(pairs)}"]
        rows.append(row)
    out = ("### Sampling interval: cost against error\n\n48 call paths leak "
           f"64 KiB, 1 MiB or 8 MiB each, {repetitions} runs per interval; "
           "error of the estimate of one call path (root mean square), of the "
           "sum of all, and how many printed 95 % intervals hold the "
           "truth.\n\n")
    return out + t.table(
        ["mean bytes between samples", "CPU per pair of the churn",
         "of exact", "error at 64 KiB", "at 1 MiB", "at 8 MiB",
         "sum of all", "intervals right, of paths shown",
         "paths never sampled"], rows)


SECTIONS = {"pairs": section_pairs, "sharing": section_sharing,
            "growth": section_growth,
            "redis": section_redis,
            "budget": section_budget, "budget-many": budget_many.section,
            "node": node_section.section,
            "unwind": section_unwind, "attach": section_attach,
            "memory": section_memory, "sampling": section_sampling}


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    leakbpf, directory, document = sys.argv[1:4]
    if os.geteuid() != 0:
        sys.exit("bench: must be root")
    quick = os.environ.get("BENCH_QUICK", "") not in ("", "0")
    directory = os.path.join(directory, "bench")
    targets.build(directory)
    bench = x.Bench(os.path.abspath(leakbpf), directory, quick,
                    tracers.bpftrace_available())
    checks = t.Targets()
    names = sys.argv[4:] or list(SECTIONS)
    start = time.monotonic()
    text = ""
    for name in names:
        x.note(name)
        text += "\n" + SECTIONS[name](bench, checks)
    text = (t.machine(time.monotonic() - start, quick) + "\n" +
            checks.markdown() + text)
    print(text)
    if not sys.argv[4:]:
        t.write(document, text)
        print("written to " + document)
    return 1 if checks.failed() else 0


if __name__ == "__main__":
    sys.exit(main())
