# SPDX-License-Identifier: GPL-2.0-only
"""The measurements. Each compares configurations in turn (A B C D A B C D ...)
within one run and keeps every round, so that ratios are taken between
neighbours in time."""

import math
import os
import re
import tempfile
import time

from targets import Plain, Redis, Worker
from tracers import (ALL_FUNCTIONS, MALLOC_ONLY, Floor, Leakbpf, Naive,
                     Untraced, floor_available, kernel_memory, library_of,
                     loader_memory)

UNTRACED, EXACT, DEFAULT, NAIVE = "untraced", "exact", "default", "bpftrace"
# Memory growth: of the program, and of another one.
GROWTH, GROWTH_OTHER = "growth", "growth of another"
# The traps of EXACT and DEFAULT alone.
EXACT_FLOOR, DEFAULT_FLOOR = "exact floor", "default floor"


class Bench:
    """What the measurements share: where things are, and how long to take."""

    def __init__(self, leakbpf, directory, quick, naive):
        self.leakbpf = leakbpf
        self.directory = directory
        self.quick = quick
        self.naive = naive
        self.window = 0.3 if quick else 1.0
        self.rounds = 2 if quick else 5
        self.floors = floor_available(self.target("floor"))

    def target(self, name):
        return os.path.join(self.directory, name)

    def configurations(self):
        return [UNTRACED, EXACT, DEFAULT] + ([NAIVE] if self.naive else [])

    def configurations_with_floors(self):
        names = self.configurations()
        if self.floors:
            names.insert(names.index(EXACT) + 1, EXACT_FLOOR)
            names.insert(names.index(DEFAULT) + 1, DEFAULT_FLOOR)
        return names

    def attach(self, name, pid, library, functions):
        """The tracer called `name`; an interval is a sampling interval."""
        if name == UNTRACED:
            return Untraced()
        if name == NAIVE:
            return Naive(pid, library, functions)
        if name in (EXACT_FLOOR, DEFAULT_FLOOR):
            return Floor(self.target("floor"), pid, library,
                         name == EXACT_FLOOR)
        if name == GROWTH_OTHER:
            pid = os.getpid()
        if name in (GROWTH, GROWTH_OTHER):
            options = ["--growth"]
        elif name == DEFAULT:
            options = []
        else:
            options = ["--sample-bytes", "0" if name == EXACT else str(name)]
        tracer = Leakbpf(self.leakbpf, pid, "-i", "3600", *options)
        tracer.wait_attached()
        return tracer


def note(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)


# ---- Cost per operation of a saturating worker ----------------------------------

def wait_slower(worker, baseline, timeout=20):
    """Until the naive tracer, which says nothing, has its probes in place."""
    end = time.monotonic() + timeout
    slow = 0
    while time.monotonic() < end:
        slow = slow + 1 if worker.cost(0.05) > 1.3 * baseline else 0
        if slow == 3:
            time.sleep(0.7)  # the other probes
            return
    raise RuntimeError("the tracer has no effect: not attached?")


def worker_costs(bench, program, configurations, rounds, setting=None):
    """{configuration: [CPU ns per operation, a value per round]}"""
    costs = {c: [] for c in configurations}
    with Worker(bench.target(program)) as worker:
        if setting is not None:
            worker.command(f"set {setting}")
        worker.command("go")
        library = library_of(worker.pid, "libc.so")
        time.sleep(0.2)
        baseline = worker.cost(0.2)
        for _ in range(rounds):
            for name in configurations:
                with bench.attach(name, worker.pid, library,
                                  MALLOC_ONLY) as tracer:
                    if isinstance(tracer, Naive):
                        wait_slower(worker, baseline)
                    time.sleep(0.1)
                    costs[name].append(worker.cost(bench.window))
                time.sleep(0.2)
    return costs


def unwind_cost(bench):
    """{stack address: [(CPU ns of a pair at 7 frames, at 37, what descending
    30 frames costs the untraced program), per round]}, while every allocation
    is recorded. "moving" gives every call chain another stack address, so that
    nothing remembered of an earlier walk can help."""
    results = {"fixed": [], "moving": []}
    with Worker(bench.target("deep")) as worker:
        def cost(setting):
            worker.command(f"set {setting}")
            time.sleep(0.05)
            return worker.cost(bench.window / 3)

        worker.command("go")
        descent = {}
        for name, base in (("fixed", 0), ("moving", 1000)):
            descent[name] = cost(base + 37) - cost(base + 7)
        with bench.attach(EXACT, worker.pid, None, None):
            time.sleep(0.2)
            for _ in range(2 * bench.rounds):
                for name, base in (("fixed", 0), ("moving", 1000)):
                    results[name].append((cost(base + 7), cost(base + 37),
                                          descent[name]))
    return results


# ---- redis -----------------------------------------------------------------------

def redis_throughput(bench, tests):
    """{test: {configuration: [requests per second, a value per round]}}"""
    results = {t: {c: [] for c in bench.configurations()} for t in tests}
    with Redis() as redis:
        library = library_of(redis.pid, "libjemalloc.so")
        for _ in range(max(2, bench.rounds - 1)):
            for name in bench.configurations():
                with bench.attach(name, redis.pid, library,
                                  ALL_FUNCTIONS) as tracer:
                    if isinstance(tracer, Naive):
                        time.sleep(3)
                    for test in tests:
                        results[test][name].append(
                            redis.throughput(test, bench.window))
    return results


# ---- Attaching and detaching --------------------------------------------------------

def attach_times(bench, argv, options, repetitions):
    """[(seconds to attached, to the first report, to detach)], and whether
    every object got its unwind table: without, the work was not done."""
    times = []
    complete = True
    with Plain(argv) as target:
        time.sleep(0.5)
        for _ in range(repetitions):
            tracer = Leakbpf(bench.leakbpf, target.pid, "-i", "0.1",
                             *options)
            with tracer:
                attached = tracer.wait_attached()
                report = tracer.wait_report()
                detach = tracer.stop()
            times.append((attached, report, detach))
            complete &= "no unwind table" not in tracer.error_text()
    return times, complete


def detach_under_load(bench, repetitions):
    """Seconds from SIGINT to the end, final report written, while the target
    does nothing but hit the probes."""
    times = []
    with Worker(bench.target("churn")) as worker:
        worker.command("go")
        for _ in range(repetitions):
            with bench.attach(EXACT, worker.pid, None, None) as tracer:
                time.sleep(0.3)
                times.append(tracer.stop())
    return times


# ---- Memory ---------------------------------------------------------------------------

def memory_at(bench, blocks, options):
    """With `blocks` outstanding: kernel and loader bytes, and what the report
    says about its table."""
    with Worker(bench.target("outstanding")) as worker:
        tracer = Leakbpf(bench.leakbpf, worker.pid, "-i", "1", "-n", "3",
                         *options)
        with tracer:
            tracer.wait_attached()
            worker.command("go")
            worker.command(f"set {blocks}")
            end = time.monotonic() + 60
            while worker.command("read")[2] < blocks:
                if time.monotonic() > end:
                    raise RuntimeError("target does not get on")
                time.sleep(0.05)
            time.sleep(2.5)  # two reports, with symbols
            kernel = kernel_memory(tracer.pid)
            loader = loader_memory(tracer.pid)
            tracer.stop()
            text = tracer.text()
    estimate = re.findall(r"^ *outstanding +(.*)$", text, re.M)
    sampling = re.findall(r"^ *sampling +(.*)$", text, re.M)
    return {"kernel": kernel, "loader": loader,
            "outstanding": estimate[-1] if estimate else "?",
            "sampling": sampling[-1] if sampling else "?"}


# ---- Estimates against the truth ---------------------------------------------------------

PATH = re.compile(r"\bleak_(\d\d)\b")
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def _folded_estimates(path):
    """{path function: estimated bytes} from a file of folded stacks."""
    estimates = {}
    with open(path, encoding="utf-8", errors="replace") as folded:
        for line in folded:
            stack, _, value = line.rstrip("\n").rpartition(" ")
            match = PATH.search(stack)
            if match:
                name = "leak_" + match.group(1)
                estimates[name] = estimates.get(name, 0) + float(value)
    return estimates


def accuracy(bench, interval):
    """[(true bytes, estimated bytes)] of the 48 call paths of truth.c, and
    what `covered` says of the intervals."""
    with tempfile.TemporaryDirectory(prefix="leakbpf-bench-") as directory:
        folded = os.path.join(directory, "folded")
        with Worker(bench.target("truth")) as worker:
            tracer = Leakbpf(bench.leakbpf, worker.pid, "-i", "3600", "-n",
                             "100", "--sample-bytes", str(interval),
                             "--folded", folded)
            with tracer:
                tracer.wait_attached()
                worker.process.stdin.write("go\n")
                worker.process.stdin.flush()
                truth = {}
                for line in worker.process.stdout:
                    if line.startswith("done"):
                        break
                    name, size, _ = line.split()
                    truth[name] = int(size)
                tracer.stop()
                text = tracer.text()
        estimates = _folded_estimates(folded)
    pairs = [(true, estimates.get(name, 0.0))
             for name, true in sorted(truth.items())]
    return pairs, covered(text, truth)


def covered(text, truth):
    """(paths whose printed 95 % interval holds the truth, paths with one)."""
    inside = total = 0
    for block in text.split("\n#")[1:]:
        match = PATH.search(block)
        low, high = printed_interval(block)
        if not match or low is None:
            continue
        total += 1
        inside += low <= truth["leak_" + match.group(1)] <= high
    return inside, total


# "1  +8.0 MiB/min  8.0 MiB (±9 %) in 31,054 blocks ...", or "(7.1 MiB to ...)"
FIGURES = re.compile(
    r"^\d+  \S+ (?:\S+/min|B/min)  ([\d.]+) (B|[KMG]iB)"
    r"(?: \(±(\d+) %\)| \(([\d.]+) (B|[KMG]iB) to ([\d.]+) (B|[KMG]iB)\))? in ")


def printed_interval(block):
    """(low, high) bytes of a stack in the report; (None, None): not there."""
    match = FIGURES.search(block)
    if not match:
        return None, None
    value, unit, percent, low, low_unit, high, high_unit = match.groups()
    value = float(value) * UNITS[unit]
    if low:
        low, high = float(low) * UNITS[low_unit], float(high) * UNITS[high_unit]
    else:
        low = value * (1 - float(percent or 0) / 100)
        high = value * (1 + float(percent or 0) / 100)
    # Printed with one decimal: allow for the rounding.
    return low - 0.05 * UNITS[unit], high + 0.05 * UNITS[unit]


def relative_rms(pairs, low, high):
    """Root mean square of the relative error, and mean error, over the paths
    with a true size in [low, high)."""
    errors = [(e - t) / t for t, e in pairs if low <= t < high]
    rms = math.sqrt(sum(e * e for e in errors) / len(errors))
    return rms, sum(errors) / len(errors)
