# SPDX-License-Identifier: GPL-2.0-only
"""Programs under Node.js: an HTTP service at saturation and one that only
allocates. Two of each run at the same time (side_by_side.py), one of them under
leakbpf, or with Node's own sampling heap profiler (--heap-prof), which needs a
restart."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

from side_by_side import side_by_side, take_turns
from targets import SOURCE
from tracers import Leakbpf, Untraced

UNTRACED, NATIVE, V8, HEAP_PROF = "untraced", "--no-v8", "v8", "--heap-prof"
ALWAYS = "always"
# The default of --max-overhead, per cent of a CPU.
BUDGET = "2"
INSTALLED = os.path.join(SOURCE, "../../tests/targets/node/node_modules",
                         "node22/bin/node")


def node():
    """The one that the tests use, or the system's; None: neither."""
    if os.path.exists(INSTALLED):
        return os.path.realpath(INSTALLED)
    return shutil.which("node")


def available():
    return node() is not None and shutil.which("wrk") is not None


class Program:
    """A script under Node, ready."""

    def __init__(self, script, *arguments, profiled=False, options=()):
        self.folder = tempfile.TemporaryDirectory(prefix="leakbpf-bench-")
        if profiled:
            options = ["--heap-prof", "--heap-prof-dir=" + self.folder.name]
        self.process = subprocess.Popen(
            [node(), *options, os.path.join(SOURCE, script),
             *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1)
        self.pid = self.process.pid
        self.process.stdout.readline()

    def pids(self):
        """Its processes, and those that give it work."""
        return [self.pid]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


class Service(Program):
    def __init__(self, profiled=False):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.client = None
        super().__init__("service.js", self.port, profiled=profiled)

    def pids(self):
        client = self.client
        return [self.pid] + ([client.pid] if client else [])

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def used(self):
        with urllib.request.urlopen(self.url("stats"), timeout=30) as answer:
            return json.load(answer)

    def _load(self, seconds):
        """What wrk says of it."""
        with subprocess.Popen(
                ["wrk", "-t1", "-c32", f"-d{max(1, round(seconds))}s",
                 "--latency", self.url("records?from=10")],
                stdout=subprocess.PIPE, text=True) as self.client:
            try:
                out, _ = self.client.communicate(timeout=seconds + 60)
            finally:
                client, self.client = self.client, None
                client.kill()
        return out

    def measure(self, seconds):
        before = self.used()
        out = self._load(seconds)
        requests = int(re.search(r"(\d+) requests in", out)[1])
        per_second = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
        value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
        p99 = float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]
        return {**result(before, self.used(), requests, per_second),
                "p99": p99}


class Allocator(Program):
    def __init__(self, profiled=False):
        super().__init__("allocate.js", profiled=profiled)

    def used(self):
        self.process.stdin.write("\n")
        return json.loads(self.process.stdout.readline())

    def measure(self, seconds):
        start, before = time.monotonic(), self.used()
        time.sleep(seconds)
        after, end = self.used(), time.monotonic()
        count = after["operations"] - before["operations"]
        return result(before, after, count, count / (end - start))


def result(before, after, count, per_second):
    """CPU and collection in µs per operation."""
    if not count:
        raise RuntimeError("the program did nothing: the machine is too busy")
    return {"rate": per_second,
            "cpu": 1000 * (after["cpu"] - before["cpu"]) / count,
            "gc": 1000 * (after["gc"] - before["gc"]) / count}


def attach(bench, name, pid):
    if name not in (NATIVE, V8, ALWAYS):
        return Untraced()
    options = ["--no-v8"] if name == NATIVE else []
    options += ["--max-overhead", "0" if name == ALWAYS else BUDGET]
    tracer = Leakbpf(bench.leakbpf, pid, "-i", "3600", *options)
    tracer.wait_attached()
    return tracer


def _measure_both(programs, pool, seconds):
    # A second of load: by then leakbpf is within its budget.
    list(pool.map(lambda p: p.measure(1), programs))
    return list(pool.map(lambda p: p.measure(seconds), programs))


def measure(bench, kind, rounds):
    """{(configuration, what it is compared to): [round]}, `rounds` of each pair
    of configurations; a round is {figure: (value, ratio)}."""
    seconds = 2 if bench.quick else 4
    results = {pair: [] for pair in rounds}
    with side_by_side([kind(), kind()]) as (programs, pool):
        _measure_both(programs, pool, 3) # warm
        for number in range(max(rounds.values())):
            for (name, base), count in rounds.items():
                if number >= count or name == HEAP_PROF:
                    continue

                def turn(side):
                    with attach(bench, name, programs[side].pid), \
                            attach(bench, base, programs[1 - side].pid):
                        return _measure_both(programs, pool, seconds)
                results[name, base].append(take_turns(turn))
    for _ in range(rounds.get((HEAP_PROF, UNTRACED), 0)):
        with side_by_side([kind(True), kind()]) as (programs, pool):
            _measure_both(programs, pool, 3)
            results[HEAP_PROF, UNTRACED].append(take_turns(
                lambda _: _measure_both(programs, pool, seconds), (0,)))
    return results
