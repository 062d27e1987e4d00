# SPDX-License-Identifier: GPL-2.0-only
"""--max-overhead: what probes may cost is kept, and what is found all the same.

The machine may be busy with other things: speeds are per CPU time of the
target, and compared within a run."""
import json
import os
import time

import pytest

from leakbpf import Profiler, Target, leakbpf

WINDOWS = r"observing it in windows"


class Busy(Target):
    """tests/targets/busy.c"""

    def __init__(self):
        super().__init__("busy")
        self.line()
        self.state = self.pace("slow")

    def pace(self, word):
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()
        return self.read()

    def rate(self, seconds):
        """Units per second of its CPU time, flat out."""
        before = self.pace("flat")
        time.sleep(seconds)
        after = self.pace("flat")
        return ((after["units"] - before["units"]) /
                (after["seconds"] - before["seconds"]))


def profile_json(profiler):
    run = profiler.stop()
    assert run.code == 0, run
    with open(profiler.json, encoding="utf-8") as f:
        return json.load(f), run


def start(target, folder, *options):
    path = os.path.join(folder, "report.json")
    profiler = Profiler([target.pid], "--json", path, "-i", "600", *options)
    profiler.json = path
    return profiler


def watch_in_windows(profiler, seconds, windows=10):
    """So long, and until there have been so many (`-v` tells of each): on a busy
    machine they are rare, and few are known to say little."""
    deadline = time.monotonic() + 3 * seconds
    time.sleep(seconds)
    while time.monotonic() < deadline and \
            profiler.text(profiler.err).count(" observed for ") < windows:
        time.sleep(0.5)


def stack_in(report, function):
    names = [f["function"] for f in report["frames"]]
    for stack in report["stacks"]:
        if function in (names[i] for i in stack["frames"]):
            return stack
    raise AssertionError(f"no stack through {function} in {report['stacks']}")


def test_a_light_target_is_observed_all_the_time(tmp_path):
    with Busy() as target:
        with start(target, tmp_path, "--max-overhead", "2") as profiler:
            time.sleep(3)
            report, run = profile_json(profiler)
    assert report["probes"]["windows"] == 0, run
    assert report["probes"]["observed_share"] > 0.999, run
    assert WINDOWS not in run.err, run


def test_without_a_limit_a_busy_target_is_observed_all_the_time(tmp_path):
    with Busy() as target:
        target.pace("flat")
        with start(target, tmp_path, "--max-overhead", "0") as profiler:
            time.sleep(2)
            report, run = profile_json(profiler)
    assert report["probes"]["windows"] == 0, run
    assert report["probes"]["max_overhead_share"] == 0, run


def speeds_when_it_becomes_busy(folder):
    """(alone, traced, again) in units per CPU second."""
    with Busy() as target:
        alone = target.rate(1.5)
        target.pace("slow")
        with start(target, folder, "--max-overhead", "2") as profiler:
            time.sleep(1)
            before = target.pace("flat")
            profiler.wait_for(WINDOWS)
            ran = target.pace("flat")["seconds"] - before["seconds"]
            traced = target.rate(4)
            report, run = profile_json(profiler)
        again = target.rate(1.5)
    # Seconds that it ran: on a busy machine it costs less, too, and later.
    assert ran < 2, f"took {ran} s of its CPU time\n{run}"
    # The first tenth of a second is not counted against it.
    cost = report["probes"]["overhead_seconds"] - 0.15
    assert cost < 0.04 * report["elapsed_seconds"], run
    return alone, traced, again


def test_a_target_that_becomes_busy_is_back_within_its_budget(tmp_path):
    """From 1,000 allocations a second to a million. At 2 % of a CPU it must
    keep nearly all of its speed, two seconds after that at the latest; 0.85
    is what a machine with other things to do allows to ask for, as they
    spoil its caches. Observed all the time it loses half. What begins just when
    it is traced, and takes its caches or half of its core, is none of leakbpf's
    doing: then it is measured again."""
    tried = []
    for _ in range(4):
        alone, traced, again = speeds_when_it_becomes_busy(tmp_path)
        tried.append(f"alone {alone:.0f}, traced {traced:.0f}, again "
                     f"{again:.0f}")
        if traced > 0.85 * min(alone, again):
            return
    raise AssertionError(f"units per CPU second: {'; '.join(tried)}")


def test_fewer_samples_before_windows(tmp_path):
    """8,000 blocks a second, each of which is sampled at one in 16 KiB: that
    costs more than the probes. With fewer samples it is observed all the time,
    and what it keeps is known as well; with less to do samples are more
    again."""
    with Busy() as target:
        target.pace("large")
        with start(target, tmp_path, "--max-overhead", "2.4") as profiler:
            before = target.pace("large")
            profiler.wait_for("sampling one in [0-9]+ bytes instead of")
            time.sleep(10)
            after = target.pace("slow")
            profiler.wait_for("sampling one in [0-9]+ bytes again")
            report, run = profile_json(profiler)
    kept = after["kept"] - before["kept"]
    leak = stack_in(report, "keep")["live_bytes"]
    assert WINDOWS not in run.err, run
    assert report["probes"]["observed_share"] == 1, run
    assert abs(leak["value"] - kept) < \
        max(0.1 * kept, leak["high"] - leak["low"]), f"kept {kept}\n{run}"
    # What it begins with, and what coarser sampling is tried with.
    cost = report["probes"]["overhead_seconds"] - 0.2
    assert cost < 1.2 * 0.024 * report["elapsed_seconds"], run


def test_a_leak_is_found_in_windows(tmp_path):
    """Its size within a factor of three: some ten windows of 12 ms each stand
    for a minute on a busy machine, twice as many on another. What is freed at
    once is not outstanding."""
    with Busy() as target:
        target.pace("flat")
        with start(target, tmp_path, "--max-overhead", "2",
                   "-v") as profiler:
            before, began = target.pace("flat"), time.monotonic()
            watch_in_windows(profiler, 40)
            after, lasted = target.pace("flat"), time.monotonic() - began
            report, run = profile_json(profiler)
    # What has the CPU half of the time may be observed twice as long.
    running = (after["seconds"] - before["seconds"]) / lasted
    probes = report["probes"]
    kept = after["kept"] - before["kept"]
    leak = stack_in(report, "keep")
    assert kept / 3 < leak["live_bytes"]["value"] < 3 * kept, \
        f"kept {kept}, seen {leak['live_bytes']}\n{run}"
    # Of ten windows one interval in twenty may miss it, by a little.
    interval = leak["live_bytes"]
    assert interval["low"] / 1.3 < kept < 1.3 * interval["high"], \
        f"kept {kept}, seen {interval}\n{run}"
    assert interval["high"] > 1.1 * interval["low"], f"{interval}\n{run}"
    assert report["stacks"].index(leak) == 0, run
    assert probes["windows"] >= 2, run
    assert probes["observed_share"] < max(0.1, 0.1 / running), \
        f"{probes['observed_share']} of {running} of the time\n{run}"
    assert "observed" in run.out and "windows" in run.out, run


class Mortal(Target):
    """tests/targets/mortal.c"""

    def __init__(self):
        super().__init__("mortal")
        self.line()

    def ask(self):
        self.process.stdin.write(b"?\n")
        self.process.stdin.flush()
        return self.read()


@pytest.mark.timeout(240)
def test_what_lives_for_seconds_is_not_held_for_ever(tmp_path):
    """Garbage that outlives a window is freed unseen: of the 26 MB that the
    target holds, ten times as much has been born after a minute. That is not
    taken for a leak, and of what is lost, from another place, nothing is taken
    for garbage. How much of the garbage lives at one moment is only roughly
    known: seldom more than there is, often less."""
    with Mortal() as target:
        with start(target, tmp_path, "--max-overhead", "2",
                   "-v") as profiler:
            before = target.ask()
            watch_in_windows(profiler, 50)
            after = target.ask()
            report, run = profile_json(profiler)
    lost = after["lost"] - before["lost"]
    made = stack_in(report, "make")["live_bytes"]["value"]
    leak = stack_in(report, "lose")["live_bytes"]["value"]
    held = after["live"] - after["lost"]
    assert report["probes"]["windows"] > 0, run
    assert 0 < made < 3 * held, f"holds {held}, seen {made}\n{run}"
    assert lost / 3 < leak < 3 * lost, f"lost {lost}, seen {leak}\n{run}"


@pytest.mark.parametrize("text", ["-1", "x", "2,", "2,x", "1e9", "2 3", ""])
def test_what_is_no_share(text):
    run = leakbpf("-p", os.getpid(), "--max-overhead", text)
    assert run.returncode == 2, run
    assert "--max-overhead" in run.stderr, run
