# SPDX-License-Identifier: GPL-2.0-only
"""Pauses of V8's collector with a large live heap, untraced and under leakbpf in
turns, in one process. Everything that is alive is replaced before a turn is
measured, so that the tables of what leakbpf follows are full."""
import json
import os
import statistics
import subprocess
import tempfile
import time

from node import BUDGET, node
from targets import SOURCE
from tracers import Leakbpf, Untraced

MEBIBYTES = 1024
MEBIBYTES_PER_SECOND = 128
KINDS = ("scavenge", "full collection")
UNTRACED, V8 = "untraced", "v8"


class Program:
    def __init__(self, mebibytes):
        self.process = subprocess.Popen(
            [node(), f"--max-old-space-size={4 * mebibytes}",
             os.path.join(SOURCE, "pauses.js"), str(mebibytes),
             str(MEBIBYTES_PER_SECOND)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.pid = self.process.pid
        self.process.stdout.readline()

    def ask(self):
        self.process.stdin.write("\n")
        return json.loads(self.process.stdout.readline())

    def replace_all(self):
        end = self.ask()["rounds"] + 1
        while self.ask()["rounds"] < end:
            time.sleep(0.2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Pauses:
    """Of one kind, in ms; `most`: the longest pass of leakbpf in them."""

    def __init__(self):
        self.of = {UNTRACED: [], V8: []}

    def figures(self, name):
        values = sorted(self.of[name])
        if not values:
            return 0, None, None
        return len(values), statistics.median(values), values[-1]


def measure(bench, rounds):
    """({kind: Pauses}, ms of the longest pass over what is followed)."""
    kinds = {kind: Pauses() for kind in KINDS}
    most = 0
    mebibytes = MEBIBYTES // 8 if bench.quick else MEBIBYTES
    with tempfile.TemporaryDirectory(prefix="leakbpf-bench-") as folder, \
            Program(mebibytes) as program:
        path = os.path.join(folder, "json")
        for name in (UNTRACED, V8) * rounds:
            tracer = Untraced() if name == UNTRACED else \
                Leakbpf(bench.leakbpf, program.pid, "-i", "3600", "-n", "1",
                        "--max-overhead", BUDGET, "--json", path)
            with tracer:
                if name == V8:
                    tracer.wait_attached()
                program.replace_all()
                program.ask()
                time.sleep(1 if bench.quick else 8)
                for kind, pauses in zip(KINDS, program.ask()["pauses"]):
                    kinds[kind].of[name] += pauses
            if name == V8:
                with open(path, encoding="utf-8") as f:
                    heaps = json.load(f)["v8"]["heaps"]
                most = max(most, *(1e3 * heap["following_most_seconds"]
                                   for heap in heaps))
    return kinds, most
