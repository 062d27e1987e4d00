# SPDX-License-Identifier: GPL-2.0-only
"""Objects on V8's heap: sampled, followed through collections, told from
garbage. Truth is what the program's heap has grown by, all garbage collected.
"""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from leakbpf import PATIENCE, Line, Profiler, Spoken
from node import debian_node
from paths import ROOT
from v8_samples import collecting, misplaced, samples

SCRIPT = os.path.join(ROOT, "tests/targets/v8_heap.js")
COPIES = os.path.join(ROOT, "tests/targets/v8_copies.js")
RING = os.path.join(ROOT, "tools/bench/pauses.js")
VERSIONS = ("18", "20", "22", "24", "debian")
MB = 1e6


def node(version):
    """The command that runs it."""
    if version == "debian":
        return debian_node()
    path = os.path.join(ROOT, "tests/targets/node/node_modules",
                        f"node{version}/bin/node")
    if not os.path.exists(path):
        pytest.skip(f"{path} is missing: tools/setup.sh test installs it")
    return [path]


class Heap:
    """tests/targets/v8_heap.js, running."""

    def __init__(self, version, garbage=60 * MB, options=()):
        self.process = subprocess.Popen(
            [*node(version), *options, SCRIPT, str(int(garbage))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        self.lines = Line(self.process.stdout)
        try:
            assert json.loads(self.lines.read())["state"] == "ready"
        except BaseException:
            self.close()
            raise

    def ask(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.lines.read(2 * PATIENCE))

    def used(self):
        return self.ask("truth")["heapUsed"]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def heap_bytes(run, function=None):
    """Of all stacks of V8's heap, or of those through a function."""
    return sum(value for frames, value in run.folded
               if frames[0] == "[v8 heap]" and
               (function is None or
                any(f.split(" ")[0] == function for f in frames)))


def line_of(run, label):
    found = re.search(rf"^  {label} +(.*)$", run.out, re.M)
    assert found, f"no line {label!r}\n{run}"
    return found[1]


def stopped_samples(profiler, target):
    """What is followed while the target stands still between two collections,
    and what of it is not where it should be."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        os.kill(target.pid, signal.SIGSTOP)
        try:
            time.sleep(0.1)
            if not collecting(profiler.process.pid):
                found = samples(profiler.process.pid)
                return found, misplaced(target.pid, found)
        finally:
            os.kill(target.pid, signal.SIGCONT)
        time.sleep(0.05)
    raise TimeoutError("stopped in a collection each time")


def held_bytes(found):
    return sum(s.weight for s in found if s.survived >= 2)


# 10 s of leaking 4 MB/s are some 200 samples: their error is 7 % of the whole,
# and 14 % at twice the standard deviation. A sample more or less at the ends,
# and V8's own tables, are another few per cent.
TOLERANCE = 0.25


@pytest.mark.parametrize("version", VERSIONS)
def test_leak_beside_garbage(version):
    with Heap(version) as target:
        with Profiler([target.pid], "-i", 600, "-n", 0) as profiler:
            before = target.used()
            target.ask(f"leak {4 * MB}")
            time.sleep(10)
            target.ask("hold")
            grown = target.used() - before
            found, wrong = stopped_samples(profiler, target)
            # What objects are is not looked at while they are moved.
            target.ask("rest")
            run = profiler.stop()
    assert len(found) > 60, f"{len(found)} samples\n{run}"
    assert not wrong, f"{len(wrong)} of {len(found)} misplaced: {wrong[:5]}"
    seen = heap_bytes(run)
    assert abs(seen / grown - 1) < TOLERANCE, f"{seen} of {grown}\n{run}"
    leaks = heap_bytes(run, "leakRecs") + heap_bytes(run, "leakArray")
    assert leaks > 0.9 * seen, f"{leaks} of {seen}\n{run}"
    assert re.search(r"survived 2 full collections, or 1 when old: .*Rec \d", run.out)
    live = line_of(run, "V8 heap")
    assert "live after the last full collection" in live, run


# For one hit: 40 KB and more were measured (Debian's build: 29). With a hit for
# each hidden class Node 18 had 1 KB, with those of the collector's own allocators 5
# KB (Debian's 2), Node 20 4 KB.
BYTES_PER_HIT = 15000


@pytest.mark.parametrize("version", VERSIONS)
def test_hits_are_few_for_what_is_allocated(version):
    with Spoken([*node(version), COPIES]) as target:
        def allocated():
            target.say("")
            return target.read()["bytes"]

        with Profiler([target.pid], "--explain", "-d", 600) as profiler:
            before = allocated()
            end = time.monotonic() + PATIENCE
            while allocated() - before < 100 * MB and time.monotonic() < end:
                time.sleep(0.1)
            run = profiler.stop()
            grown = allocated() - before
    assert run.code == 0, run
    _, points = run.out.split("allocator V8's heap")
    hits = sum(int(n) for n in re.findall(
        r"(?:emulated|stepped) +\w+ +(?:yes|no) +(\d+)", points))
    assert hits > 50, run
    assert grown / hits > BYTES_PER_HIT, f"{hits} of {grown}\n{run}"


def test_probes_rest_where_they_cost_too_much():
    """What is sampled stands for what was allocated in between, too. Some 8
    turns in 40 s, a seventh to a half of the time."""
    with Heap("22", garbage=300 * MB) as target:
        with Profiler([target.pid], "-i", 600, "-n", 0, "-v",
                      "--max-overhead", "0.2") as profiler:
            time.sleep(8) # The credit that everyone begins with.
            before = target.used()
            target.ask(f"leak {4 * MB}")
            time.sleep(40)
            target.ask("hold")
            grown = target.used() - before
            target.ask("rest")
            run = profiler.stop()
    share = re.search(r"sampled (\d+) % of the time, as --max-overhead", run.out)
    assert share, f"no rests\n{run.out}\n{run}"
    assert int(share[1]) < 70, run.out
    assert "they rest in between" in run.err, run
    seen = heap_bytes(run)
    # Some 100 samples, and the last rest may be a tenth of the time.
    assert 0.6 < seen / grown < 1.5, f"{seen} of {grown}\n{run}"


@pytest.mark.parametrize("options, limited", [((), True), (("--no-v8",), False)])
def test_pauses_limit_what_probes_on_malloc_may_cost(options, limited):
    """Scavenges that promote a lot call malloc and free some 1,600 times, and
    become a tenth longer: that is more than pauses may, and not more than the
    budget. Where V8's heap is not followed its pauses are not known."""
    with subprocess.Popen([*node("22"), RING, "64", "64"], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL) as target:
        try:
            with Profiler([target.pid], "-i", 600, "-n", 0, "-v",
                          "--max-overhead", 20, *options) as profiler:
                time.sleep(20)
                run = profiler.stop()
        finally:
            target.kill()
    assert ("makes pauses of V8's collector too long" in run.err) == limited, run
    observed = re.search(r"observed +(\d+) % of the time", run.out)
    assert bool(observed) == limited, run.out
    if limited:
        assert int(observed[1]) < 90, run.out


def test_a_leak_is_named_without_forced_collections():
    """V8 collects all of the heap when it likes to. Named after 30 s, or after a
    collection more where the machine is busy."""
    with Heap("22") as target:
        with Profiler([target.pid], "-i", 5, "-n", 5) as profiler:
            target.ask(f"leak {4 * MB}")
            time.sleep(28)
            end = time.monotonic() + 70
            named = None
            while not named and time.monotonic() < end:
                time.sleep(1)
                named = re.search(r"^LEAK .* in leak(Recs|Array)\(\) at ",
                                  profiler.text(profiler.out), re.M)
            run = profiler.stop()
    assert named, f"{run.out}\n{run}"


def test_garbage_alone_is_no_leak():
    with Heap("22") as target:
        with Profiler([target.pid], "-i", 600, "-n", 0) as profiler:
            target.used()
            time.sleep(6)
            target.used()
            found, wrong = stopped_samples(profiler, target)
            run = profiler.stop()
    assert not wrong, f"{len(wrong)} of {len(found)} misplaced"
    assert heap_bytes(run) < 2 * MB, run


def test_what_is_let_go_is_not_live():
    with Heap("24") as target:
        with Profiler([target.pid], "-i", 600, "-n", 0) as profiler:
            target.ask(f"leak {8 * MB}")
            # Some 4 s, or as long as it takes on a busy machine.
            held, end = 0, time.monotonic() + PATIENCE
            while held < 20 * MB and time.monotonic() < end:
                time.sleep(2)
                target.used()
                held = held_bytes(samples(profiler.process.pid))
            target.ask("drop")
            target.used()
            run = profiler.stop()
    assert held > 20 * MB, f"{held}: nothing was held\n{run}"
    assert heap_bytes(run) < 2 * MB, run


def test_without_full_collection_nothing_is_held():
    with Heap("20", garbage=2 * MB) as target:
        with Profiler([target.pid], "-i", 600, "-n", 0) as profiler:
            time.sleep(3)
            run = profiler.stop()
    assert "no full collection since attach" in line_of(run, "V8 heap"), run
    assert heap_bytes(run) == 0, run


def test_workers_are_isolates_of_their_own():
    with Heap("20") as target:
        with Profiler([target.pid], "-i", 600, "-n", 0) as profiler:
            target.ask("start")
            while_alive, end = 0, time.monotonic() + PATIENCE
            while while_alive < 4 * MB and time.monotonic() < end:
                time.sleep(2)
                found, wrong = stopped_samples(profiler, target)
                heaps = {s.heap for s in found if s.survived >= 2}
                while_alive = held_bytes(found)
            target.ask("stop")
            target.used()
            run = profiler.stop()
    assert not wrong, f"{len(wrong)} of {len(found)} misplaced"
    assert len(heaps) >= 1 and while_alive > 4 * MB, (heaps, while_alive)
    # The worker's heap went with it.
    assert heap_bytes(run) < 2 * MB, run
    assert "worker (thread" not in run.out, run


LIVE_WORKER = r"worker \(thread (\d+)\): [\d.]+ \w+ live"


def test_two_workers_are_told_apart():
    with Heap("22") as target:
        with Profiler([target.pid], "-i", 1, "-n", 0) as profiler:
            target.ask("start")
            target.ask("start")
            # Both have been collected, in one report.
            profiler.wait_for(rf"{LIVE_WORKER}[^#]*{LIVE_WORKER}",
                              profiler.out)
            run = profiler.stop()
    workers = re.findall(LIVE_WORKER, run.out)
    assert len(set(workers)) == 2, f"{workers}\n{run}"


def test_no_v8_leaves_it_out():
    with Heap("20") as target:
        with Profiler([target.pid], "-i", 600, "--no-v8") as profiler:
            target.ask(f"leak {8 * MB}")
            time.sleep(2)
            target.used()
            run = profiler.stop()
    assert "V8 heap" not in run.out, run
    assert heap_bytes(run) == 0, run


def test_unknown_collector_is_refused():
    """--minor-ms replaces the scavenger: told, and native memory goes on."""
    with Heap("22", options=["--minor-ms"]) as target:
        with Profiler([target.pid], "-i", 600) as profiler:
            profiler.wait_for("objects on V8's heap are not followed",
                              profiler.err)
            time.sleep(1)
            followed = samples(profiler.process.pid)
            run = profiler.stop()
    assert not followed, f"{len(followed)} samples left\n{run}"
    assert "its objects are not followed" in line_of(run, "V8 heap"), run
    assert run.code == 0, run
