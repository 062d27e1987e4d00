# SPDX-License-Identifier: GPL-2.0-only
"""Node.js: an HTTP service at saturation and a program that only allocates,
untraced, under leakbpf with and without V8's heap, and with Node's own sampling
heap profiler (--heap-prof), which needs a restart."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

from targets import SOURCE
from tracers import Leakbpf, Untraced

UNTRACED, NATIVE, V8, HEAP_PROF = "untraced", "--no-v8", "v8", "--heap-prof"
ALWAYS = "always"
CONFIGURATIONS = [UNTRACED, V8, NATIVE, ALWAYS, HEAP_PROF]
# The default of --max-overhead, per cent of a CPU.
BUDGET = "2"
LABELS = {UNTRACED: "untraced", NATIVE: "leakbpf `--no-v8`", V8: "leakbpf",
          ALWAYS: "leakbpf `--max-overhead 0`",
          HEAP_PROF: "node `--heap-prof`"}
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

    def __init__(self, script, *arguments, profiled=False):
        self.folder = tempfile.TemporaryDirectory(prefix="leakbpf-bench-")
        options = ["--heap-prof", "--heap-prof-dir=" + self.folder.name]
        self.process = subprocess.Popen(
            [node(), *(options if profiled else []),
             os.path.join(SOURCE, script), *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1)
        self.pid = self.process.pid
        self.process.stdout.readline()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


class Service(Program):
    def __init__(self, profiled):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        super().__init__("service.js", self.port, profiled=profiled)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def used(self):
        with urllib.request.urlopen(self.url("stats"), timeout=30) as answer:
            return json.load(answer)

    def measure(self, seconds):
        before = self.used()
        out = subprocess.run(
            ["wrk", "-t1", "-c32", f"-d{max(1, round(seconds))}s", "--latency",
             self.url("records?from=10")], capture_output=True, text=True,
            check=True, timeout=seconds + 60).stdout
        requests = int(re.search(r"(\d+) requests in", out)[1])
        per_second = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
        value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
        p99 = float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]
        return result(before, self.used(), requests, per_second, p99)


class Allocator(Program):
    def __init__(self, profiled):
        super().__init__("allocate.js", profiled=profiled)

    def used(self):
        self.process.stdin.write("\n")
        return json.loads(self.process.stdout.readline())

    def measure(self, seconds):
        start, before = time.monotonic(), self.used()
        time.sleep(seconds)
        after, end = self.used(), time.monotonic()
        count = after["operations"] - before["operations"]
        return result(before, after, count, count / (end - start), None)


def result(before, after, count, per_second, p99):
    """CPU and collection in µs per operation, p99 in ms."""
    return {"rate": per_second, "p99": p99,
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


def measure(bench, kind, rounds):
    """{configuration: [result of each round]}. One process for all but
    --heap-prof; it is warm before."""
    results = {name: [] for name in CONFIGURATIONS}
    seconds = 1 if bench.quick else 6
    for _ in range(rounds):
        plain, profiled = None, None
        try:
            for name in CONFIGURATIONS:
                if name == HEAP_PROF:
                    plain.close()
                    program = profiled = kind(True)
                    program.measure(seconds)
                else:
                    if not plain:
                        plain = kind(False)
                        plain.measure(seconds)
                    program = plain
                with attach(bench, name, program.pid):
                    # A second of load: by then it is within its budget.
                    program.measure(1)
                    results[name].append(program.measure(seconds))
        finally:
            for program in (plain, profiled):
                if program:
                    program.close()
    return results
