# SPDX-License-Identifier: GPL-2.0-only
"""Pauses of V8's collector with a large live heap, untraced and under leakbpf
side by side. Everything that is alive is replaced before pauses are measured, so
that the tables of what leakbpf follows are full. Then everything is collected, so
that all are measured in the same part of the collector's cycle: while it marks,
scavenges take twice as long, and without this the ratio of two untraced programs
was anything from 0.65 to 1.15; now it is 0.96 to 1.03."""
import json
import os
import statistics
import tempfile
import time

from node import BUDGET, Program
from side_by_side import side_by_side
from tracers import Leakbpf

MEBIBYTES = 1024
MEBIBYTES_PER_SECOND = 64
KINDS = ("scavenge", "full collection")


class Ring(Program):
    def __init__(self, mebibytes):
        super().__init__("pauses.js", mebibytes, MEBIBYTES_PER_SECOND,
                         options=[f"--max-old-space-size={4 * mebibytes}",
                                  "--expose-gc"])

    def ask(self, what=""):
        self.process.stdin.write(what + "\n")
        return json.loads(self.process.stdout.readline())

    def replace_all(self):
        end = self.ask()["rounds"] + 1
        while self.ask()["rounds"] < end:
            time.sleep(0.2)


class Pauses:
    """Of one kind, in ms, by turn: [(untraced, under leakbpf)]."""

    def __init__(self):
        self.turns = []

    def of(self, side):
        return [ms for turn in self.turns for ms in turn[side]]

    def median_ratio(self):
        """Of the turns, two of which make one ratio; None: there are too few
        pauses to speak of."""
        ratios = [statistics.median(b) / statistics.median(a)
                  for a, b in self.turns if min(len(a), len(b)) >= 20]
        return statistics.geometric_mean(ratios) if ratios else None


def _turn(bench, programs, path):
    """The pauses of both, by kind, and the longest pass of the second one, which
    is traced, in ms."""
    traced = programs[1]
    with Leakbpf(bench.leakbpf, traced.pid, "-i", "3600", "-n", "1",
                 "--max-overhead", BUDGET, "--json", path) as tracer:
        tracer.wait_attached()
        traced.replace_all()
        for program in programs:
            program.ask("collect")
        time.sleep(0.5)
        for program in programs:
            program.ask() # What was before is not of interest.
        time.sleep(1 if bench.quick else 8)
        pauses = [program.ask()["pauses"] for program in programs]
    with open(path, encoding="utf-8") as f:
        heaps = json.load(f)["v8"]["heaps"]
    return pauses, max(1e3 * heap["following_most_seconds"] for heap in heaps)


def measure(bench, rounds):
    """({kind: Pauses}, ms of the longest pass of each turn)."""
    kinds = {kind: Pauses() for kind in KINDS}
    passes = []
    mebibytes = MEBIBYTES // 8 if bench.quick else MEBIBYTES
    with tempfile.TemporaryDirectory(prefix="leakbpf-bench-") as folder, \
            side_by_side([Ring(mebibytes), Ring(mebibytes)]) as (programs, _):
        for program in programs:
            program.replace_all()
        for both in (programs[::-1], programs) * rounds:
            pauses, longest = _turn(bench, both,
                                    os.path.join(folder, "json"))
            passes.append(longest)
            for i, kind in enumerate(KINDS):
                kinds[kind].turns.append(tuple(p[i] for p in pauses))
    return kinds, passes
