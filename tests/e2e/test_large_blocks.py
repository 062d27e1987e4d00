# SPDX-License-Identifier: GPL-2.0-only
"""Large blocks of a busy program are seen at all times: between two windows, of
which there are a few a minute, nothing else is."""
import os
import time

import pytest

from leakbpf import Profiler, Target
from node import NODES, Program
from node_report import NATIVE, Document, sites

GROWTH = "memory growth"
WINDOWS = "observing it in windows"
# What is lost until probes on memory maps are set: the first second.
TOLERANCE = 0.25


def start(pid, folder, *options):
    path = os.path.join(folder, "report.json")
    profiler = Profiler([pid], "--json", path, "-i", "600", "--max-overhead",
                        "2", "--verbose", *options)
    profiler.json = path
    return profiler


def kept(target):
    target.say("")
    return target.read()


def test_rare_large_blocks_are_named_and_measured(tmp_path):
    """Five of 1 MiB a second, among 400,000 small ones: from malloc, calloc,
    posix_memalign and realloc. Those that are freed are not outstanding."""
    with Target("large") as target:
        target.line()
        with start(target.pid, tmp_path) as profiler:
            profiler.wait_for(WINDOWS)
            before = kept(target)
            time.sleep(38)
            after = kept(target)
            run = profiler.stop()
    report = Document(profiler.json)
    assert report.json["diagnosis"]["kind"] == "leak", run
    assert report.json["probes"]["observed_share"] < 0.3, run
    for function, now in after.items():
        grown = now - before[function]
        seen = report.bytes(NATIVE, function)
        assert grown > 20 << 20, after
        assert abs(seen - grown) < TOLERANCE * grown, \
            f"{function}: grown by {grown}, seen {seen}\n{run}"
        leaks = [s for s in report.stacks
                 if s.has(function) and s.verdict == "leak"]
        assert len(leaks) == 1, f"{function}\n{run}"
    assert report.bytes(NATIVE, "use_and_free") < 1 << 20, run
    assert run.report.header["losses"] == ["nothing lost"], run


def test_slabs_of_a_busy_node(tmp_path):
    """4 MiB a second, among so many small Buffers that a window or two are all
    that the budget has room for."""
    with Program(NODES["22"], "synthetic/slabs.js", "1") as target:
        with start(target.pid, tmp_path) as profiler:
            profiler.wait_for(WINDOWS)
            before = target.ask("kept")["bytes"]
            time.sleep(38)
            after = target.ask("kept")["bytes"]
            run = profiler.stop()
        assert target.alive(), target.stderr()
    report = Document(profiler.json)
    leaks = [s for s in report.stacks if s.verdict == "leak"]
    assert leaks and leaks[0].has("receive", "slabs.js"), run
    lines = report.lines(NATIVE, "receive")
    assert set(lines) == sites("synthetic/slabs.js")["receive"], run
    seen = report.bytes(NATIVE, "receive")
    assert abs(seen - (after - before)) < TOLERANCE * (after - before), \
        f"grown by {after - before}, seen {seen}\n{run}"
    assert report.json["probes"]["observed_share"] < 0.3, run


def test_a_program_that_maps_all_the_time_is_left_alone(tmp_path):
    """Each of its blocks would cost a walk: more than they are worth."""
    with Target("large", "churn") as target:
        target.line()
        with start(target.pid, tmp_path) as profiler:
            profiler.wait_for("maps memory all the time")
            before = target.process.poll()
            time.sleep(1)
            run = profiler.stop()
        assert before is None and target.alive(), run
    report = Document(profiler.json)
    assert report.json["probes"]["large_blocks_targets"] == 0, run
    assert report.bytes(NATIVE, "churn") < 8 << 20, run


def test_growth_that_windows_do_not_tell_of_is_told_by_pages(tmp_path):
    """The same blocks out of glibc's heap, as it takes them there once one as
    large has been freed. Pages count beside the few blocks that windows have
    seen, not on top of them."""
    with Target("large", "heap") as target:
        target.line()
        with start(target.pid, tmp_path) as profiler:
            profiler.wait_for("following the pages it comes to hold")
            before = kept(target)
            time.sleep(35)
            after = kept(target)
            run = profiler.stop()
    report = Document(profiler.json)
    total = report.json["totals"]["live_bytes"]["value"]
    assert report.json["diagnosis"]["kind"] == "leak", run
    assert "told by the pages touched first" in run.out, run
    for function, now in after.items():
        grown = now - before[function]
        seen = report.bytes(GROWTH, function)
        assert abs(seen - grown) < TOLERANCE * grown, \
            f"{function}: grown by {grown}, seen {seen}\n{run}"
        assert "leak" in [s.verdict for s in report.of(GROWTH)
                          if s.has(function)], f"{function}\n{run}"
    assert total == pytest.approx(report.bytes(NATIVE), rel=0.01), run


def test_a_busy_program_that_does_not_grow_is_left_alone(tmp_path):
    with Target("large", "frees") as target:
        target.line()
        with start(target.pid, tmp_path) as profiler:
            profiler.wait_for(WINDOWS)
            time.sleep(28)
            run = profiler.stop()
    report = Document(profiler.json)
    assert "following the pages" not in run.err, run
    assert report.json["probes"]["growth_targets"] == 0, run
