# SPDX-License-Identifier: GPL-2.0-only
"""Node.js: what is measured, and how it is told."""

import statistics

import node
import node_pauses
import tables as t
from node import ALWAYS, HEAP_PROF, NATIVE, UNTRACED, V8

LABELS = {UNTRACED: "untraced", NATIVE: "leakbpf `--no-v8`", V8: "leakbpf",
          ALWAYS: "leakbpf `--max-overhead 0`",
          HEAP_PROF: "node `--heap-prof`"}
# How often each is compared; a round is a turn of each of the two processes.
HTTP_ROUNDS = {(V8, UNTRACED): 8, (NATIVE, UNTRACED): 4, (V8, NATIVE): 8,
               (ALWAYS, UNTRACED): 2, (HEAP_PROF, UNTRACED): 3}
HEAVY_ROUNDS = {(V8, UNTRACED): 4, (NATIVE, UNTRACED): 2, (V8, NATIVE): 4,
                (ALWAYS, UNTRACED): 2, (HEAP_PROF, UNTRACED): 2}
PAUSE_ROUNDS = 5


def _values(rounds, figure):
    return [r[figure][0] for r in rounds]


def _ratios(rounds, figure):
    return [r[figure][1] for r in rounds]


def _table(results, unit):
    figures = {"rate": f"{unit}s per second", "cpu": f"CPU per {unit} (µs)",
               "gc": f"collection per {unit} (µs)", "p99": "p99 (ms)"}
    rows = []
    for (name, base), rounds in results.items():
        row = [LABELS[name], LABELS[base]]
        for figure in (f for f in figures if f in rounds[0]):
            row += [t.digits(statistics.median(_values(rounds, figure))),
                    t.spread(_ratios(rounds, figure), t.percent)]
        rows.append(row)
    heads = ["", "beside"]
    for figure in (f for f in figures if f in rounds[0]):
        heads += [figures[figure], "of that"]
    return t.table(heads, rows)


def _check_http(results, checks):
    def median(pair, figure):
        return statistics.median(_ratios(results[pair], figure))

    checks.check("node HTTP, requests lost to leakbpf",
                 1 - median((V8, UNTRACED), "rate"), 0.05, t.percent)
    checks.check("node HTTP, p99 of untraced", median((V8, UNTRACED), "p99"),
                 1.1, t.percent)
    checks.check("node HTTP, CPU per request of `--no-v8`",
                 median((V8, NATIVE), "cpu"), 1.02, t.percent)


def _pauses(bench, checks, rounds):
    """Maxima are the machine's as much as leakbpf's: what it adds at most is
    known from itself."""
    kinds, passes = node_pauses.measure(bench, rounds)
    rows = []
    for kind, pauses in kinds.items():
        both = [pauses.of(side) for side in (0, 1)]
        if not all(both):
            continue
        ratio = pauses.median_ratio()
        rows.append([kind, " / ".join(str(len(ms)) for ms in both),
                     " / ".join(f"{statistics.median(ms):.1f}" for ms in both),
                     " / ".join(f"{max(ms):.1f}" for ms in both),
                     t.percent(ratio) if ratio else ""])
        if ratio:
            checks.check(f"node, median {kind} of untraced, 1 GiB live", ratio,
                         1.05, t.percent)
    checks.check("node, longest pass over followed objects (ms)", max(passes),
                 2, lambda ms: f"{ms:.2f}")
    longest = ", ".join(f"{ms:.2f}" for ms in passes)
    return t.table(["untraced / leakbpf", "pauses", "median (ms)",
                    "maximum (ms)", "of untraced"], rows) + \
        f"\nThe longest pass over what leakbpf follows, by turn: {longest} ms.\n"


def section(bench, checks):
    if not node.available():
        return "### Node.js\n\nnode or wrk is not installed: not measured.\n"

    def rounds(of):
        return dict.fromkeys(of, 1) if bench.quick else of
    http = node.measure(bench, node.Service, rounds(HTTP_ROUNDS))
    _check_http(http, checks)
    heavy = node.measure(bench, node.Allocator, rounds(HEAVY_ROUNDS))
    return ("### Node.js\n\nTwo processes of a program side by side, on two "
            "processors that they exchange ten times a second, each of them "
            "traced in turn: the median, and in brackets the extremes, of the "
            "rounds' ratios.\n\nAn HTTP service at saturation (`wrk -t1 -c32` "
            "on the same processor):\n\n" + _table(http, "request") +
            "\nA program that only allocates (objects, maps, JSON, "
            "Buffers):\n\n" + _table(heavy, "operation") +
            "\nPauses of the collector with 1 GiB alive, replaced all the "
            "time:\n\n" +
            _pauses(bench, checks, 1 if bench.quick else PAUSE_ROUNDS))
