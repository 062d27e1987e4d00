# SPDX-License-Identifier: GPL-2.0-only
"""--max-overhead with one process and many: what tracing them costs, what is
promised, and what is still known of a leak."""

import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import tables as t
from budget import SETTLE_SECONDS
from experiments import note
from tracers import Leakbpf

COUNTS = [1, 10, 100]
RATES = [1000, 100_000, 1_000_000, 10_000_000]  # pairs a second, by all
BUDGETS = [0.5, 2, 10]  # per cent of a CPU, each
TOTAL = 10  # ... and of all; the default
# So many more do the same without being traced: what a pair takes at that time.
CONTROL_PART = 5
CALM_RATE = 1000
JUMP_SECONDS = 8
# Credit that was saved up may be spent while this is measured.
SAVED = 1.25
# What differs between those that are traced and those that are not.
NOISE = 0.01
# A twentieth of what is shown may lie beyond its 95 % interval; and where three
# windows are all there is, they may have seen none of what was lost.
BEYOND = 0.2


def promise(count, budget):
    """Of a CPU, for all."""
    return min(count * budget, max(TOTAL, budget)) / 100


def since(after, before):
    """(wall seconds, CPU seconds, pairs, bytes lost)"""
    wall, cpu, pairs, lost = (a - b for a, b in zip(after, before))
    return wall / 1e9, cpu / 1e9, pairs, lost


class Crowd:
    """tools/bench/crowd.c, of a file that nobody else maps."""

    def __init__(self, path, count):
        self.process = subprocess.Popen([path, str(count)],
                                        stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        bufsize=1)
        self.pids = [int(p) for p in self.process.stdout.readline().split()]
        if len(self.pids) != count:
            raise RuntimeError("crowd: not all could be started")

    def command(self, text="read"):
        self.process.stdin.write(text + "\n")
        return [int(w) for w in self.process.stdout.readline().split()]

    def end(self):
        self.process.kill()
        self.process.wait()


class Pair:
    """Those that are traced, and some that are not, with the same rate each."""

    def __init__(self, bench, count):
        self.folder = tempfile.mkdtemp(prefix="leakbpf-bench-")
        self.control_count = max(count // CONTROL_PART, 1)
        self.count = count
        self.crowds = []
        for name, size in (("traced", count), ("alone", self.control_count)):
            path = os.path.join(self.folder, name)
            shutil.copy(bench.target("crowd-static"), path)
            self.crowds.append(Crowd(path, size))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for crowd in self.crowds:
            crowd.end()
        shutil.rmtree(self.folder)

    @property
    def pids(self):
        return self.crowds[0].pids

    def set(self, rate):
        self.crowds[0].command(f"set {rate}")
        self.crowds[1].command(f"set {rate * self.control_count // self.count}")

    def read(self):
        return [crowd.command() for crowd in self.crowds]

    def over(self, seconds, look=lambda: None):
        """`look` is called now and then."""
        before = self.read()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            look()
        return [since(b, a) for a, b in zip(before, self.read())]


def per_pair(window):
    _, cpu, pairs, _ = window
    return cpu / max(pairs, 1)


class ManyLimited(Leakbpf):
    """leakbpf on several processes, within a budget."""

    def __init__(self, binary, pids, budget, folder):
        self.json = os.path.join(folder, "report.json")
        self.count = len(pids)
        self.told = self.as_of = None
        others = [word for pid in pids[1:] for word in ("-p", str(pid))]
        super().__init__(binary, pids[0], "-i", "3600", "-n", "1", "-v",
                         "--json", self.json, "--max-overhead", str(budget),
                         *others)

    def wait_for_all(self):
        self._wait(lambda: len(re.findall(r"tracing process \d+",
                                          self.error_text())) >= self.count,
                   60)

    def note_windows(self):
        """Figures are as of the end of the last one, `as_of`: -v tells of
        each."""
        text = self.error_text()
        told = text.count(" observed for ")
        if told != self.told or "in windows" not in text:
            self.told, self.as_of = told, time.monotonic()

    def cpu(self):
        """Seconds, with its helpers."""
        ticks = 0
        with open(f"/proc/{self.pid}/task/{self.pid}/children",
                  encoding="ascii") as f:
            pids = [self.pid, *f.read().split()]
        for pid in pids:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                words = f.read().rsplit(")", 1)[1].split()
            ticks += int(words[11]) + int(words[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def report(self):
        with open(self.json, encoding="utf-8") as f:
            return json.load(f)


def run(bench, count, rate, budget, seconds):
    """One life of the processes: {what: figure}."""
    with Pair(bench, count) as pair:
        pair.set(rate)
        time.sleep(0.5)
        apart = [pair.over(seconds / 6)]
        with ManyLimited(bench.leakbpf, pair.pids, budget,
                         pair.folder) as tracer:
            tracer.wait_for_all()
            begun, begun_at = pair.read()[0], time.monotonic()
            pair.over(SETTLE_SECONDS, tracer.note_windows)
            own = tracer.cpu()
            traced, alone = pair.over(seconds, tracer.note_windows)
            own = tracer.cpu() - own
            # What was lost while the report is made is not in it.
            lost = since(pair.read()[0], begun)[3]
            ended_at = time.monotonic()
            tracer.stop()
            report = tracer.report()
        apart.append(pair.over(seconds / 6))
    same = statistics.mean(per_pair(a) / per_pair(b) for a, b in apart)
    wall, cpu, pairs, _ = traced
    probes = report["probes"]
    # Nothing else is held for long.
    shown = report["totals"]["live_bytes"]
    truth = lost * (tracer.as_of - begun_at) / (ended_at - begun_at)
    return {
        "cost": (cpu - pairs * per_pair(alone) * same) / wall,
        "loader": own / wall,
        "rate": pairs / wall,
        "observed": probes["observed_share"],
        "leak": shown["value"] / truth,
        "interval": (shown["low"] / truth, shown["high"] / truth),
        "age": ended_at - tracer.as_of,
    }


def leak_text(r):
    low, high = r["interval"]
    return f"{r['leak']:.2f} ({low:.2g} to {high:.2g})"


def jump(bench, count, budget):
    """Seconds from a jump to the highest rate until a pair costs less than half
    as much again as where nothing is traced; None: never."""
    with Pair(bench, count) as pair:
        pair.set(CALM_RATE)
        with ManyLimited(bench.leakbpf, pair.pids, budget,
                         pair.folder) as tracer:
            tracer.wait_for_all()
            time.sleep(2)
            pair.set(RATES[-1])
            begun = time.monotonic()
            while time.monotonic() < begun + JUMP_SECONDS:
                traced, alone = pair.over(0.1)
                if per_pair(traced) < 1.5 * per_pair(alone):
                    return time.monotonic() - begun
    return None


def measure(bench):
    """({(count, rate, budget): figures}, {count: seconds})"""
    results = {}
    rates, budgets = (RATES[1::2], [2]) if bench.quick else (RATES, BUDGETS)
    for count in COUNTS:
        for rate in rates:
            for budget in budgets:
                # Observed all the time, or in windows some seconds apart.
                seconds = 5 if bench.quick or rate == CALM_RATE else 18
                r = results[count, rate, budget] = run(bench, count, rate,
                                                       budget, seconds)
                note(f"budget: {count} processes, {r['rate']:.0f} pairs/s, "
                     f"--max-overhead {budget}: {100 * r['cost']:.2f} % "
                     f"(promised {100 * promise(count, budget):.0f}), "
                     f"{100 * r['observed']:.1f} % observed, leakbpf "
                     f"{100 * r['loader']:.1f} %, leak {leak_text(r)}")
    jumps = {count: jump(bench, count, 2) for count in COUNTS}
    note(f"budget: seconds to return: {jumps}")
    return results, jumps


def section(bench, checks):
    results, jumps = measure(bench)
    rows = []
    for (count, rate, budget), r in results.items():
        limit = promise(count, budget)
        rows.append([count, f"{rate:,}", f"{budget} %", t.percent(limit),
                     t.percent(r["cost"]), t.percent(r["observed"]),
                     leak_text(r), f"{r['age']:.0f} s",
                     t.percent(r["loader"])])
    for count in COUNTS:
        checks.check(f"budget, {count} processes: most of what may be spent",
                     max(r["cost"] / (SAVED * promise(n, budget) + NOISE)
                         for (n, _, budget), r in results.items()
                         if n == count), 1, t.percent)
    covered = [low <= 1 <= high for low, high in
               (r["interval"] for r in results.values())]
    checks.check("budget: leaks beyond the 95 % interval that was told",
                 1 - statistics.mean(covered), BEYOND, t.percent)
    for count, seconds in jumps.items():
        checks.check(f"from {CALM_RATE:,} to {RATES[-1]:,} pairs/s, {count} "
                     "processes: back within the budget (s)",
                     seconds or JUMP_SECONDS, 2, t.digits)
    return ("### Budget, many processes\n\nProcesses of one program that share "
            "probes (one has its own), allocate at a steady rate and lose at "
            "most 2,000 blocks of 1 KiB a second. Promised is what all of them "
            "together may cost, of one CPU: as many times the budget, at most "
            f"{TOTAL} %. Cost: from two seconds after attach on, by what a pair "
            "takes a fifth as many that are not traced at the same time. Leak: "
            "what is shown and its 95 % interval, of what was lost until the "
            "end of the last window, and how long ago that was. One run "
            "each.\n\n" +
            t.table(["processes", "pairs per second", "`--max-overhead`",
                     "promised", "cost", "observed", "leak", "as of",
                     "leakbpf itself"], rows) +
            "\nFrom 1,000 to 10,000,000 pairs a second, with 2 %: back after " +
            ", ".join(f"{s:.1f} s ({c})" if s else f"never ({c})"
                      for c, s in jumps.items()) + " processes.\n")
