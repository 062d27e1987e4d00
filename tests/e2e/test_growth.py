# SPDX-License-Identifier: GPL-2.0-only
"""Memory growth by pages: no probes, any allocator, any language."""
import time

import pytest

import machine
from leakbpf import (Profiler, Spoken, Target, assert_exact,
                     bytes_of_chain, leakbpf, profile)
from paths import target_path

EXACT = ("--growth", "--sample-bytes", 0)


@pytest.mark.parametrize("variant", ["", ".static", ".musl-static"])
def test_every_page_is_booked_to_who_touched_it(variant):
    """Pages of an own allocator on mmap and brk, touched by system calls,
    huge, given back by munmap, madvise and brk, at addresses used again,
    moved, copied after fork, written after reading: each counts once."""
    with Target("growth" + variant) as target:
        run = profile(target, *EXACT)
    assert_exact(run, only=False)
    if "musl" not in variant:  # it has no unwind information
        assert run.report.header["losses"] == ["nothing lost"], run
    assert {frames[0] for frames, _ in run.folded} == {"[memory growth]"}, run


def test_what_is_held_is_what_the_kernel_says():
    """The sum of all stacks against RssAnon, before and after."""
    with Target("growth") as target:
        before = rss_anon(target.pid)
        with Profiler([target.pid], *EXACT) as profiler:
            target.truth()
            time.sleep(0.2)
            after = rss_anon(target.pid)
            run = profiler.stop()
        assert target.finish() == 0
    seen = sum(value for _, value in run.folded)
    # The kernel's own figure is off by up to 64 pages or so for each processor.
    assert abs(seen - (after - before)) < 0.1 * (after - before) + (1 << 20), \
        f"held {after - before} more bytes, seen {seen}\n{run}"


def rss_anon(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


def test_sampling_is_unbiased_and_says_how_sure_it_is():
    with Target("growth.static") as target:
        run = profile(target, "--growth", "--sample-bytes", "16K")
    stacks = [s for s in run.report.stacks if "leak_mapped()" in s.blame]
    truth = run.truth["leak_mapped;run;main"][0]
    assert len(stacks) == 1, run
    low, high = stacks[0].bytes_interval
    # 130 of 600 pages: three times the interval is hardly ever missed.
    middle = (low + high) / 2
    assert abs(stacks[0].bytes - truth) <= 3 * (high - middle), run


def test_static_go_program():
    """Without Go's heap sampler pages are followed without being asked for."""
    with Target("go_leak") as target:
        run = profile(target, "--sample-bytes", 0)
    assert "a Go program" in run.err and "--growth" in run.err, run
    for chain, (expected, _) in run.truth.items():
        seen = bytes_of_chain(run.folded, chain)
        # The collector marks, and the runtime touches, some pages first.
        assert 0.8 * expected < seen < 1.2 * expected, \
            f"expected {expected} in {chain}, seen {seen}\n{run}"
        root = ["[memory growth]", "runtime.goexit", "runtime.main"]
        assert [*root, *reversed(chain.split(";"))] in \
            [frames for frames, _ in run.folded], run


def test_no_known_allocator():
    with Target("no_allocator") as target:
        with Profiler([target.pid]) as profiler:
            run = profiler.stop()
            assert not machine.patched_bytes(target.pid), "there are probes"
    assert run.code == 0, run
    assert "no known allocator" in run.err, run


def test_record_and_report_keep_what_it_is(tmp_path):
    capture = str(tmp_path / "capture")
    with Target("growth.static") as target:
        with Profiler([target.pid], "-o", capture, *EXACT,
                      command="record") as profiler:
            truth = target.truth()
            time.sleep(0.2)
            run = profiler.stop()
        assert target.finish() == 0
    assert run.code == 0, run
    read = leakbpf("report", capture, "--folded", "-", "-q")
    assert read.returncode == 0, read
    wanted = truth["leak_mapped;run;main"][0]
    line = [row for row in read.stdout.splitlines()
            if row.startswith("[memory growth];") and "leak_mapped " in row]
    assert len(line) == 1 and int(line[0].split()[-1]) == wanted, read


def test_a_program_that_was_executed_and_loads_no_allocator():
    """It is given two seconds to load one."""
    script = 'echo "{\\"state\\": \\"ready\\"}"; read -r go; exec "$0"'
    with Spoken(["/bin/sh", "-c", script,
                 target_path("no_allocator")]) as target:
        with Profiler([target.pid]) as profiler:
            target.say("go")
            profiler.wait_for("no known allocator.*--growth")
            run = profiler.stop()
    assert run.code == 0, run
