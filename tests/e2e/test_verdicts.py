# SPDX-License-Identifier: GPL-2.0-only
"""Is it a leak? One program with call paths of every kind."""
import contextlib
import os
import re
import signal
import time

import pytest

import machine
from leakbpf import Profiler, Target, number, truth_of

# Not when a batch has just been dropped: then nothing of it is outstanding.
SECONDS = 63


def per_minute(run, chain):
    """What it really was."""
    return run.truth[chain][0] * 60 / run.lasted


def verdict_of(report, function):
    """Of the call path with the most bytes that allocates there."""
    stack = report.stack_of(function)
    assert stack, f"no stack of {function}"
    return stack.verdict


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    return tmp_path_factory.mktemp("verdicts") / "metrics.prom"


@pytest.fixture(scope="module")
def both(metrics):
    """All tests look at three programs, watched at the same time for a minute:
    one that leaks, one that maps memory, and one that leaks and does little
    else, which is sampled as nobody asked for. What they do has a timetable (a
    cache that is full after 4 s) that a busy machine must not stretch."""
    with Target("verdicts") as leaky, Target("verdicts", "maps") as mapping, \
            Target("verdicts", "quiet") as quiet:
        targets = [leaky, mapping, quiet]
        options = [("--sample-bytes", 1024, "--metrics", metrics),
                   ("--sample-bytes", 1024), ()]
        with contextlib.ExitStack() as stack:
            # Side by side: each is watched from when its target begins.
            profilers = [
                stack.enter_context(Profiler([t.pid], *o, wait=False))
                for t, o in zip(targets, options)]
            for profiler in profilers:
                profiler.wait_attached()
            for target in targets:
                machine.prefer(target.pid)
                target.line()
            began = time.monotonic()
            time.sleep(SECONDS)
            # The others need not wait for the report of the first.
            for profiler in profilers:
                os.kill(profiler.process.pid, signal.SIGINT)
            for target in targets:
                target.line()
            lasted = time.monotonic() - began
            runs = [profiler.wait() for profiler in profilers]
        for target, run in zip(targets, runs):
            run.truth = truth_of(target.read())
            run.lasted = lasted
            assert target.finish() == 0
            assert run.code == 0, run
    return runs


@pytest.fixture
def watched(both):
    return both[0]


@pytest.mark.parametrize("function, verdict", [
    ("leak_slowly", "leak"), ("cache_insert", "plateau"),
    ("load_table", "start-up"), ("batch_add", "sawtooth")])
def test_call_paths_are_told_apart(watched, function, verdict):
    assert verdict_of(watched.report, function) == verdict, watched


def test_nothing_else_leaks(watched):
    leaks = {s.blame for s in watched.report.stacks if s.verdict == "leak"}
    assert len(leaks) == 1 and "leak_slowly" in leaks.pop(), watched
    assert watched.report.stacks[0].verdict == "leak", \
        f"leaks come first\n{watched}"


def test_metrics_say_which_site_leaks(watched, metrics):
    found = dict(re.findall(r'leakbpf_site_leak_confidence\{.*function='
                            r'"(\w+)".*\} (\S+)', metrics.read_text()))
    leaks = {site: sure for site, sure in found.items() if float(sure) > 0}
    assert list(leaks) == ["leak_slowly"], found
    assert 0.5 <= float(leaks["leak_slowly"]) <= 1, found


def test_the_headline_has_rate_and_place(watched):
    found = re.match(r"LEAK  ([\d.]+ \w+)/min \(±(\d+) %\), .* in "
                     r"leak_slowly\(\) at \S*verdicts\.c:\d+ \(\d+ % sure\)",
                     watched.report.headline)
    assert found, watched
    rate = number(found[1])
    # 240 blocks a minute, each sampled with P = 0.22: 14 % (1 sigma).
    true = per_minute(watched, "leak_slowly;run;main")
    assert abs(rate - true) < 0.6 * true, f"true {true}, seen {rate}\n{watched}"


def test_reasons_are_numbers(watched):
    reasons = {s.verdict: s.reasons for s in watched.report.stacks}
    assert re.search(r"rose in \d+ of \d+ parts", reasons["leak"]), watched
    assert re.search(r"growth at most \+\S+ \w+/min", reasons["plateau"])
    assert re.search(r"fell ([4-9]|1\d) times", reasons["sawtooth"]), watched
    assert re.search(r"(9\d|100) % lives", reasons["start-up"]), watched


def test_a_slow_leak_is_found_at_the_default_sampling(both):
    """It gets finer by itself: at one sample per 16 KiB there would be four."""
    run = both[2]
    assert "one per 1.0 KiB" in run.report.header["sampling"][0], run
    assert verdict_of(run.report, "leak_slowly") == "leak", run
    leaks = {s.blame for s in run.report.stacks if s.verdict == "leak"}
    assert len(leaks) == 1, run


def test_memory_that_is_not_from_malloc_is_no_leak(both):
    run = both[1]
    assert not [s for s in run.report.stacks if s.verdict == "leak"], run
    found = re.match(r"NO LEAK SEEN  RSS grows \+([\d.]+ \w+)/min, "
                     r"outstanding blocks do not .*: fragmentation",
                     run.report.headline)
    assert found, run
    rate, true = number(found[1]), per_minute(run, "mapped")
    assert abs(rate - true) < 0.2 * true, f"true {true}, seen {rate}\n{run}"


def test_too_short_a_time_is_no_verdict():
    with Target("verdicts") as target:
        with Profiler([target.pid]) as profiler:
            target.line()
            time.sleep(3)
            run = profiler.stop()
        target.truth()
        assert target.finish() == 0
    assert run.report.headline.startswith("NO VERDICT YET"), run
    assert {s.verdict for s in run.report.stacks} == {"unclear"}, run


@pytest.mark.timeout(270)
def test_a_slow_leak_is_told_in_windows():
    """1 KiB/s beside 50,000 allocations a second, while frees are missed half of
    the time or more. Resident memory does not tell: the leak fills holes of the
    heap for minutes. That windows see none of its blocks die does, in some 60 s;
    there is time for a busy machine, where windows are rarer."""
    with Target("verdicts") as target:
        with Profiler([target.pid], "--max-overhead", 5, "--interval",
                      15) as profiler:
            target.line()
            deadline = time.monotonic() + 240
            while time.monotonic() < deadline:
                text = profiler.text(profiler.out)
                if re.search(r"windows saw that at least \d+ % of it lives",
                             text):
                    break
                time.sleep(1)
            run = profiler.stop()
        target.truth()
        assert target.finish() == 0
    report = run.report
    assert report.headline.startswith("LEAK"), run
    leaks = {s.blame for s in report.stacks if s.verdict == "leak"}
    assert len(leaks) == 1 and "leak_slowly" in leaks.pop(), run
    assert re.search(r"observed +\d+ % of the time, in \d+ windows", run.out), run
