# SPDX-License-Identifier: GPL-2.0-only
"""Many processes that map the same file share its probes."""
import json
import os
import re
import shutil
import tempfile
import time
from collections import Counter

import pytest

import machine
from leakbpf import PATIENCE, Profiler, Target
from paths import target_path

EXACT = ("--sample-bytes", 0)
KEPT = 100  # bytes of a block that a worker of `crowd` keeps


@pytest.fixture
def program():
    """A copy of its own: nobody else maps it, and its name selects it."""
    folder = tempfile.mkdtemp(prefix="e2e-crowd-")
    path = os.path.join(folder, f"c{os.getpid()}x")
    shutil.copy(target_path("crowd.static"), path)
    yield path
    shutil.rmtree(folder)


def workers_of(target):
    with open(f"/proc/{target.pid}/task/{target.pid}/children") as f:
        return [int(pid) for pid in f.read().split()]


def kept_bytes(target):
    """By worker, in the order in which they were forked."""
    return {pid: (10 + i % 7) * KEPT
            for i, pid in enumerate(workers_of(target))}


def seen_bytes(run, function="keep_some"):
    """By process, of what was allocated in a function."""
    seen = Counter()
    for frames, size in run.folded:
        pid = re.search(r"(\d+)\W*$", frames[0])
        if pid and any(function in frame for frame in frames):
            seen[int(pid[1])] += size
    return seen


def assert_all_exact(run, expected):
    """Nothing but what the workers keep, to the byte."""
    assert run.code == 0, run
    seen = seen_bytes(run)
    wrong = {pid: (size, seen[pid]) for pid, size in expected.items()
             if seen[pid] != size}
    assert not wrong, f"(expected, seen): {wrong}\n{run.err}"
    assert not set(seen) - set(expected), run.err
    assert sum(seen_bytes(run, "take_block").values()) == \
        sum(expected.values()), run.err


def all_named(program, path, *options):
    """Traces all processes of that name, with a JSON report at the path."""
    return Profiler([], "--comm", os.path.basename(program), "-v", "--json",
                    path, *options, wait=False)


def wait_until_all_are_attached(profiler, count):
    deadline = time.monotonic() + max(PATIENCE, count / 5)
    while True:
        text = profiler.text(profiler.err)
        if len(re.findall(r"tracing process \d+", text)) >= count:
            return
        assert time.monotonic() < deadline and \
            profiler.process.poll() is None, text[-3000:]
        time.sleep(0.05)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [200, 1000])
def test_many_processes_of_one_program(program, count, tmp_path):
    """All are traced while they allocate and free, each with its own figures;
    memory stays within its limit, and letting go of all takes a moment."""
    path = tmp_path / "report.json"
    with Target(program, count, 1000 * 1000 * count // 200) as target:
        expected = kept_bytes(target)
        with all_named(program, path, *EXACT) as profiler:
            wait_until_all_are_attached(profiler, count + 1)
            truth = target.truth(timeout=120)
            time.sleep(1)
            run = profiler.stop(timeout=120)
        patched = machine.patched_bytes(workers_of(target)[-1])
        assert target.finish() == 0, target.stderr()
    assert sum(size for size, _ in truth.values()) == sum(expected.values())
    assert_all_exact(run, expected)
    assert "processes share its probes" in run.err, run.err
    assert not patched, "probes were left behind"
    report = json.loads(path.read_text())
    assert len(report["targets"]) == count + 1
    assert not report["losses"], report["losses"]
    assert report["probes"]["kernel_memory_bytes"] <= 64 << 20, report["probes"]


def losses(path):
    with open(path) as f:
        return json.load(f)["losses"]


def test_there_and_back(program, tmp_path):
    """Two processes have probes of their own; when more come they share them,
    and when those have ended they have their own again. What is freed meanwhile
    is seen to be."""
    path = tmp_path / "report.json"
    with Target(program, 2, 2000) as first:
        expected = kept_bytes(first)
        with all_named(program, path, *EXACT) as profiler:
            wait_until_all_are_attached(profiler, 3)
            assert "share" not in profiler.text(profiler.err)
            with Target(program, 12, 20000):
                profiler.wait_for(r"\d+ processes share its probes$")
                wait_until_all_are_attached(profiler, 16)
                time.sleep(1)
            profiler.wait_for("no probes any more")
            time.sleep(1)
            first.truth()
            time.sleep(0.5)
            run = profiler.stop()
        assert first.finish() == 0, first.stderr()
    seen = seen_bytes(run)
    assert {pid: seen[pid] for pid in expected} == expected, run
    assert sum(seen_bytes(run, "take_block")[pid] for pid in expected) == \
        sum(expected.values()), run
    # Workers that were killed may have been in the middle of a call.
    assert not [x for x in losses(path) if "never returned" not in x["what"]], \
        losses(path)


def test_one_that_is_not_traced(program, tmp_path):
    """Nearly all are traced: they share, and the one that is not is not in the
    results."""
    path = tmp_path / "report.json"
    with Target(program, 17, 20000) as target:
        expected = kept_bytes(target)
        other = next(iter(expected))
        expected.pop(other)
        # The first process does nothing, but it maps the file.
        with Profiler([target.pid, *expected], *EXACT, "-v", "--json", path,
                      wait=False) as profiler:
            wait_until_all_are_attached(profiler, 17)
            assert machine.patched_bytes(other)
            target.truth()
            time.sleep(0.5)
            run = profiler.stop()
        assert not machine.patched_bytes(other)
        assert target.finish() == 0, target.stderr()
    assert_all_exact(run, expected)
    assert not losses(path)
    assert "processes share its probes" in run.err, run.err


def test_many_that_are_not_traced(program):
    """They are left in peace: whoever is traced has probes of its own."""
    with Target(program, 16, 20000) as target:
        expected = kept_bytes(target)
        others = list(expected)[::2]
        for other in others:
            expected.pop(other)
        with Profiler(expected, *EXACT, "-v", wait=False) as profiler:
            wait_until_all_are_attached(profiler, len(expected))
            assert not [pid for pid in others if machine.patched_bytes(pid)]
            target.truth()
            time.sleep(0.5)
            run = profiler.stop()
        assert target.finish() == 0, target.stderr()
    assert_all_exact(run, expected)
    assert "its probes are not shared" in run.err, run.err


REVIEW_SECONDS = 5  # src/trace/sharing.c


def test_those_that_were_attached_last_are_no_bystanders(program, tmp_path):
    """The first ones share probes while the others are not traced yet, and hit
    them all the same: they go on sharing."""
    path, seconds = tmp_path / "report.json", 2 * REVIEW_SECONDS + 2
    with Target(program, 60, 4000) as target:
        with all_named(program, path, "--max-overhead", "2") as profiler:
            wait_until_all_are_attached(profiler, 61)
            time.sleep(seconds)
            run = profiler.stop()
        target.truth()
        assert target.finish() == 0, target.stderr()
    assert "processes share its probes" in run.err, run.err
    assert "no probes any more" not in run.err, run.err
    report = json.loads(path.read_text())
    # A tenth of the time is theirs, and what is saved up (budget.h); it takes a
    # while to take out the probes where they take all CPUs.
    assert report["probes"]["overhead_seconds"] < \
        3 + 0.3 * report["elapsed_seconds"], report["probes"]


def test_their_windows_are_one(program, tmp_path):
    """Together they cost more than is allowed: all are observed in windows, and
    what those show stands for what all of them did."""
    path, seconds = tmp_path / "report.json", 30
    with Target(program, 8, 5000, 200) as target:
        before = time.monotonic()
        with all_named(program, path, "--max-overhead", "1,2") as profiler:
            wait_until_all_are_attached(profiler, 9)
            time.sleep(seconds)
            truth = target.truth()
            run = profiler.stop()
        lasted = time.monotonic() - before
        assert target.finish() == 0, target.stderr()
    assert re.search(r"9 processes that share probes: .*observing it in windows",
                     run.err), run.err
    report = json.loads(path.read_text())
    probes = report["probes"]
    assert probes["windows"] >= 2 and probes["observed_share"] < 0.6, probes
    # Four tenths of a second are not counted against all of them, one against
    # each.
    assert probes["overhead_seconds"] < 0.5 + 2 * 0.02 * lasted, probes
    leaked = truth["leak_one;run_worker;main"][0]
    leaked *= report["elapsed_seconds"] / lasted
    seen = seen_bytes(run, "leak_one")
    assert leaked / 3 < sum(seen.values()) < 3 * leaked, (leaked, seen, probes)
    assert len(seen) == 8, seen
