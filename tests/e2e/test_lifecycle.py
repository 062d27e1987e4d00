# SPDX-License-Identifier: GPL-2.0-only
"""Attaching and detaching: nothing stays in the target, whatever happens.

How long things may take is said in seconds of the process's own: without those
that it was ready to run but had no CPU (machine.Stopwatch)."""
import os
import signal
import subprocess
import time

import pytest

import machine
from leakbpf import (PATIENCE, Profiler, Target, bytes_of_chain, leakbpf)
from paths import BINARY

EXACT = ("--sample-bytes", 0)
LINKS = ["session", "multi", "perf"]


def assert_unpatched(pid, within=PATIENCE):
    """The code in the target's memory is that of the files again."""
    clock = machine.Stopwatch()
    while True:
        left = machine.patched_bytes(pid)
        if not left:
            return
        seconds = clock.seconds()
        assert seconds < within, f"still patched after {seconds:.2f} s: {left}"
        time.sleep(0.02)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM,
                                    signal.SIGHUP, signal.SIGKILL,
                                    signal.SIGSEGV])
def test_detach_restores_the_code(number, link):
    """Within 1.5 s. Perf events take the kernel 0.1 to 0.25 s each to remove,
    whoever closes them: children of leakbpf when it ends orderly (it itself
    need not wait for them), the kernel when it was killed."""
    perf = link == "perf"
    killed = number in (signal.SIGKILL, signal.SIGSEGV)

    def detach():
        with Target("load", "service") as target:
            target.line()
            assert not machine.patched_bytes(target.pid)
            with Profiler([target.pid], "--link", link) as profiler:
                # Else this test could not fail.
                assert machine.patched_bytes(target.pid), "no probe was set"
                time.sleep(0.3)
                run = profiler.stop(number)
            clock = machine.Stopwatch()
            assert_unpatched(target.pid)
            restored = run.stop_seconds + clock.seconds()
            target.line()
            assert target.read() == {"state": "alive"}
            target.read()
            assert target.finish() == 0, target.stderr()
        return (0 if killed else run.stop_seconds) if perf else restored, run

    machine.assert_quick(detach, 1.5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_brings_the_final_report(number):
    with Target("load", "service") as target:
        target.line()
        with Profiler([target.pid], *EXACT) as profiler:
            time.sleep(0.5)
            run = profiler.stop(number)
    assert run.code == 0, run
    assert "final report" in run.report.title, run
    assert run.report.stack_of("leak_slowly"), run


def test_second_interrupt_exits_at_once():
    with Target("load", "service") as target:
        target.line()
        with Profiler([target.pid]) as profiler:
            # It cannot finish while it is stopped: both signals are pending
            # or handled back to back.
            profiler.process.send_signal(signal.SIGINT)
            profiler.process.send_signal(signal.SIGINT)
            run = profiler.wait()
        assert run.code in (0, 130), run
        assert_unpatched(target.pid)


def test_target_that_exits_gets_its_final_report_with_symbols():
    with Target("functions") as target:
        with Profiler([target.pid], *EXACT, "-n", 0) as profiler:
            truth = target.truth()
            assert target.finish() == 0
            run = profiler.wait()
    assert run.code == 0, run
    assert "exited" in run.report.title, run
    for chain, (size, _) in truth.items():
        assert bytes_of_chain(run.folded, chain) == size, f"{chain}\n{run}"
    assert "functions.c:" in run.report.stack_of("leak_malloc").blame, run


def test_target_that_is_killed_gets_its_final_report():
    with Target("load", "service") as target:
        target.line()
        with Profiler([target.pid], *EXACT) as profiler:
            time.sleep(0.3)
            target.process.kill()
            run = profiler.wait()
    assert run.code == 0, run
    assert run.report.stack_of("leak_slowly"), run


def test_target_that_becomes_another_program():
    """exec: the old image's blocks are gone, the new one is traced."""
    from paths import target_path
    with Target("forks", "exec", target_path("load"), "blocks", 300,
                100) as target:
        with Profiler([target.pid], *EXACT) as profiler:
            target.line()
            assert target.read() == {"state": "ready"}
            time.sleep(1.5)
            truth = target.truth()
            time.sleep(0.3)
            run = profiler.stop()
        assert target.finish() == 0, target.stderr()
    assert run.code == 0, run
    assert truth == {"run_blocks;main": (30000, 300)}
    assert bytes_of_chain(run.folded, "run_blocks;main") == 30000, run
    assert bytes_of_chain(run.folded, "allocate_blocks;main") == 0, run


def test_target_gone_between_the_steps():
    """Killed while leakbpf starts, at different moments: one clear end."""
    for delay in (0, 0.02, 0.05, 0.1, 0.2, 0.3):
        with Target("load", "service") as target:
            with Profiler([target.pid], "-d", 3, wait=False) as profiler:
                time.sleep(delay)
                target.process.kill()
                run = profiler.wait()
        assert run.code in (0, 4, 5, 11), f"after {delay} s\n{run}"
        if run.code:
            assert len(run.err.splitlines()) >= 1, run


def test_attach_to_first_report_under_two_seconds():
    def attach():
        with Target("load", "service") as target:
            target.line()
            with Profiler([target.pid], "-i", 0.2) as profiler:
                profiler.wait_for("since attach", profiler.out)
                seconds = profiler.clock.seconds()
                return seconds, profiler.stop()

    machine.assert_quick(attach, 2.2)


def test_duration_ends_by_itself():
    with Target("load", "service") as target:
        target.line()
        started = time.monotonic()
        with Profiler([target.pid], "-d", 1, wait=False) as profiler:
            run = profiler.wait()
            lasted = time.monotonic() - started
    assert run.code == 0, run
    assert lasted >= 1, f"{lasted:.2f} s\n{run}"
    assert run.seconds < 4, f"{run.seconds:.2f} s\n{run}"
    assert "final report" in run.report.title, run


def test_reports_come_at_the_interval():
    """Four of them: never early, and late only by what the process waited for a
    CPU. One that is late by more than the interval is left out."""
    with Target("load", "service") as target:
        target.line()
        started = time.monotonic()
        with Profiler([target.pid], "-i", 0.5) as profiler:
            clock = machine.Stopwatch(profiler.process.pid)
            profiler.wait_for(r"(^leakbpf: load \(pid[^\0]*?){4}",
                              profiler.out)
            lasted, seconds = time.monotonic() - started, clock.seconds()
            run = profiler.stop()
    assert run.code == 0, run
    assert lasted >= 4 * 0.5, f"{lasted:.2f} s\n{run}"
    assert seconds < 4 * 0.5 + 1, f"{seconds:.2f} s\n{run}"


def test_two_profilers_at_once():
    with Target("load", "service") as target:
        target.line()
        with Profiler([target.pid], *EXACT) as one:
            with Profiler([target.pid], *EXACT) as two:
                time.sleep(0.5)
                second = two.stop()
            assert machine.patched_bytes(target.pid), "first one lost"
            first = one.stop()
        assert first.code == 0 and second.code == 0
        for run in (first, second):
            assert run.report.stack_of("leak_slowly"), run
        assert_unpatched(target.pid)


def test_reader_that_goes_away():
    """leakbpf | head -1: ends quietly."""
    with Target("load", "service") as target:
        target.line()
        with subprocess.Popen([BINARY, "-p", str(target.pid), "-i", "0.2"],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.close()
            code = process.wait(PATIENCE)
            errors = process.stderr.read().decode()
        assert code == 0, errors
        assert_unpatched(target.pid)


def test_command_gets_no_descriptor_and_its_exit_ends_the_session():
    run = leakbpf("-q", "-c", "/bin/ls /proc/self/fd")
    assert run.returncode == 0, run
    listed = [w for w in run.stdout.split("leakbpf:")[0].split()
              if w.isdigit()]
    # 0, 1, 2 and the one ls itself has open.
    assert len(listed) <= 4, run.stdout


def test_helpers_die_with_a_killed_profiler():
    with Target("load", "service") as target:
        target.line()
        with Profiler([target.pid]) as profiler:
            with open(f"/proc/{profiler.process.pid}/task/"
                      f"{profiler.process.pid}/children") as f:
                helpers = f.read().split()
            profiler.stop(signal.SIGKILL)
        assert helpers, "there are no helpers"
        clock = machine.Stopwatch()
        while any(os.path.exists(f"/proc/{h}/exe") for h in helpers):
            machine.reap()
            assert clock.seconds() < 2, f"still there: {helpers}"
            time.sleep(0.05)
