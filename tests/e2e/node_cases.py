# SPDX-License-Identifier: GPL-2.0-only
"""Five leaks that services had in production (tests/targets/node/cases), run
under load and profiled. Each has a fixed variant.

A heap that grows by a megabyte a second makes V8 collect all of it once or twice
in half a minute, and less and less often. Here it is told to do so every few
seconds, so that tests need not last as long as the leaks did."""
import concurrent.futures
import os
import tempfile
import time
from dataclasses import dataclass

import machine
from leakbpf import Profiler, parse_reports
from node import NODES, Program, certificate, debian_node
from node_report import HEAP, NATIVE, Document

WARM_UP = 100  # operations before the first truth
COLLECT_SECONDS = 4
# On a machine with other things to do, operations are fewer and come in bursts:
# it takes longer until there are samples enough. Half of the operations must
# have been done, and where there are few, so that chance may be behind them,
# nearly all; and the leak must be told, for which there is more time only as far
# as server and client had to wait for a CPU.
MORE_SECONDS = 90
OWN_SECONDS = 12
FEW = 28


@dataclass
class Case:
    script: str
    version: str
    operation: str  # of drive.js
    per_second: int
    # The function that leaks; the line is marked in the script.
    function: str
    memory: str = HEAP
    upstream: str = ""  # of drive.js; {leak}|{fixed} when they differ
    limit: int = 1 << 20
    needs: str = ""

    def upstream_of(self, variant):
        leak, _, fixed = self.upstream.partition("|")
        return fixed if fixed and variant != "leak" else leak


CASES = {
    "double response": Case(
        "cases/double_response.js", "20", "get", 50, "askUpstream",
        upstream="twice|once"),
    "slab": Case("cases/slab.js", "22", "talkTls", 1, "receive",
                 memory=NATIVE, limit=40, needs="certificate"),
    "static files": Case("cases/static_files.js", "24", "abort", 50, "track",
                         needs="file"),
    # V8 in a library, without local symbols.
    "registry": Case("cases/registry.js", "debian", "talk", 50,
                     "Registry.add"),
    "proxy": Case("cases/proxy.js", "20", "get", 50, "forward",
                  upstream="plain"),
}


def command(version):
    return debian_node() if version == "debian" else NODES[version]


class Outcome:
    """What the target knows, and what leakbpf said."""

    def __init__(self, case, variant):
        self.case, self.variant = case, variant
        self.base = self.end = self.load = self.run = self.report = None
        self.kept = 0

    def grown(self, what):
        return self.end[what] - self.base[what]

    def __str__(self):
        return (f"{self.case.script} {self.variant}: before {self.base}, "
                f"after {self.end}, load {self.load}, kept {self.kept}\n"
                f"{self.report and self.report.describe()}\n{self.run}")


def arguments(case, variant, driver, place):
    """Of the target; files that it needs are made in `place`."""
    if case.upstream:
        port = [driver.said["upstream"]]
        return port if "|" in case.upstream else [variant, *port]
    if case.needs == "certificate":
        return [variant, *certificate(place)]
    if case.needs == "file":
        path = os.path.join(place, "file")
        with open(path, "wb") as f:
            f.write(os.urandom(256 << 10))
        return [variant, path]
    return [variant]


class Service:
    """A target and its clients."""

    def __init__(self, case, variant, version=None):
        self.case = case
        self.place = tempfile.TemporaryDirectory(prefix="e2e-")
        self.driver = self.target = None
        upstream = case.upstream_of(variant)
        try:
            self.driver = Program(NODES["22"], "drive.js", case.operation,
                                  *([upstream] if upstream else []))
            self.target = Program(
                command(version or case.version), case.script,
                *arguments(case, variant, self.driver, self.place.name))
            self.pid = self.target.pid
            self.load(1, limit=WARM_UP if case.memory == HEAP else 5)
        except BaseException:
            self.close()
            raise

    def begin(self, **how):
        self.driver.ask("go", {"port": self.target.said["port"], **how})

    def load(self, seconds, enough=None, collect=False, **how):
        """Saturates it unless told otherwise; returns what came of it, and in
        how many seconds of the target's CPU time. Goes on for longer, within
        reason, until it is enough: a function of the operations done."""
        clocks = [machine.Stopwatch(p.pid) for p in (self.target, self.driver)]
        cpu = machine.cpu_seconds(self.pid)
        self.begin(**how)
        begun = time.monotonic()
        end = begun + seconds
        while collect and time.monotonic() + COLLECT_SECONDS < end:
            time.sleep(COLLECT_SECONDS)
            self.target.ask("collect")
            now = time.monotonic()
            waited = sum(now - begun - c.seconds() for c in clocks)
            latest = begun + seconds + min(OWN_SECONDS + waited, MORE_SECONDS)
            if now + COLLECT_SECONDS >= end and end < latest and \
                    not enough(self.driver.ask("done")["done"]):
                end += COLLECT_SECONDS
        time.sleep(max(0, end - time.monotonic()))
        out = self.driver.ask("stop")
        return {**out, "cpu": machine.cpu_seconds(self.pid) - cpu}

    def close(self):
        for program in (self.target, self.driver):
            if program:
                program.close()
        self.place.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def is_told(case, profiler):
    """The first of the last report is a leak, and goes through the function."""
    reports = parse_reports(profiler.text(profiler.out))
    return bool(reports and reports[-1].stacks) and \
        reports[-1].headline.startswith("LEAK") and \
        case.function in reports[-1].stacks[0].functions()


def observe(case, variant, seconds, *options, version=None):
    """Profiles it for so many seconds of load."""
    out = Outcome(case, variant)
    with Service(case, variant, version) as service:
        out.base = service.target.ask("truth")
        path = os.path.join(service.place.name, "report.json")
        with Profiler([service.pid], "-i", 2, "-n", 30, "--json", path,
                      *options) as profiler:
            planned = min(case.per_second * seconds, case.limit)
            wanted = max(planned / 2, min(0.9 * planned, FEW))

            def enough(done):
                return done >= wanted and (
                    version or variant != "leak" or is_told(case, profiler))

            out.load = service.load(seconds, enough, collect=True,
                                    perSecond=case.per_second,
                                    limit=case.limit)
            out.end = service.target.ask("truth", timeout=60)
            time.sleep(0.5)
            out.run = profiler.stop()
            out.report = Document(path)
        assert service.target.alive(), service.target.stderr()
        if case.script != "cases/double_response.js":
            out.kept = service.target.ask("kept")["count"]
        assert service.target.finish() == 0, service.target.stderr()
    return out


def observe_all(variant, seconds):
    """All cases at once: {name: Outcome, or what went wrong}."""
    def one(name):
        try:
            return observe(CASES[name], variant, seconds)
        except Exception as error:  # raised again where it is looked at
            return error
    with concurrent.futures.ThreadPoolExecutor(len(CASES)) as pool:
        return dict(zip(CASES, pool.map(one, CASES)))
