# SPDX-License-Identifier: GPL-2.0-only
"""What probes can do to a target, and must not: each hazard has its guard."""
import subprocess
import sys
import time

import pytest

import machine
from leakbpf import (PATIENCE, Profiler, Target, assert_exact, bytes_of_chain,
                     leakbpf, profile)
from paths import library

EXACT = ("--sample-bytes", 0)
LINKS = ["session", "multi", "perf"]
# mimalloc is built without exceptions: it aborts by itself.
NEW_ALLOCATORS = {"jemalloc": "libjemalloc.so.2",
                  "tcmalloc_minimal": "libtcmalloc_minimal.so.4"}


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("allocator", [None, *NEW_ALLOCATORS])
def test_exception_out_of_operator_new_reaches_its_handler(link, allocator):
    """A return probe on operator new turns bad_alloc into std::terminate
    (exit code 134). jemalloc and others implement operator new."""
    preload = library(NEW_ALLOCATORS[allocator]) if allocator else None
    with Target("cxx", "exceptions", preload=preload) as target:
        run = profile(target, *EXACT, "--link", link)
    # Where throwing functions cannot be traced safely, they are left out, and
    # the report says so; malloc's figures are right all the same.
    if link == "session" or not allocator:
        assert_exact(run, only=False)


@pytest.mark.parametrize("link", LINKS)
def test_backtrace_in_process_does_not_crash(link):
    """In-process unwinders may meet the return trampoline; they must get out
    alive. The probe is on malloc, whose caller throws."""
    with Target("cxx", "exceptions") as target:
        run = profile(target, *EXACT, "--link", link)
    assert_exact(run, only=False)


@pytest.mark.parametrize("link", LINKS)
def test_outer_frames_behind_a_return_probe(link):
    """A handler that interrupts malloc allocates: the outer frame's return
    address is the trampoline's. The stack must not end there."""
    with Target("handler") as target:
        run = profile(target, *EXACT, "--link", link)
    found = [f for f, _ in run.folded if "leak_in_handler" in f]
    assert found, run
    for frames in found:
        assert "main" in frames, f"stack ends early: {frames}\n{run}"


@pytest.mark.parametrize("link", LINKS)
def test_seccomp_filter_does_not_kill(link):
    """A strict allow-list: the trampoline's system call is not on it. Either
    the kernel lets it pass, or leakbpf refuses beforehand; never a kill."""
    with Target("seccomp") as target:
        profiler = Profiler([target.pid], *EXACT, "--link", link,
                            "--no-growth", wait=False)
        with profiler:
            deadline = time.monotonic() + PATIENCE
            while "tracing process" not in profiler.text(profiler.err) and \
                    profiler.process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            refused = profiler.process.poll()
            truth = target.truth()
            run = profiler.stop() if refused is None else None
        assert target.finish() == 0, "killed by its filter"
    if run:
        run.truth = truth
        assert_exact(run)
    else:
        assert refused == 9


def test_go_programs_are_left_alone():
    with Target("go_like") as target:
        run = leakbpf("-p", target.pid, "-d", 1, "--no-growth")
        assert run.returncode == 9 and "Go" in run.stderr, run
        assert not machine.patched_bytes(target.pid)


@pytest.mark.parametrize("link", LINKS)
def test_calls_left_by_longjmp_setcontext_and_thread_exit(link):
    with Target("escape") as target:
        run = profile(target, *EXACT, "--link", link)
    assert_exact(run, only=False)


@pytest.mark.parametrize("link", LINKS)
def test_cancelled_threads(link):
    with Target("threads", "cancel") as target:
        run = profile(target, *EXACT, "--link", link)
    assert bytes_of_chain(run.folded, "leak_after;main") == 7000, run


def test_probes_are_on_instruction_boundaries_and_no_nop():
    """Every patched byte of the target is the first byte of an instruction
    that --explain named, and none of them a nop (red zone hazard)."""
    with Target("functions", preload=library("libjemalloc.so.2")) as target:
        shown = leakbpf("--explain", "-p", target.pid)
        assert shown.returncode == 0, shown
        with Profiler([target.pid]) as profiler:
            patched = machine.patched_bytes(target.pid)
            profiler.stop()
    sites = [line for line in shown.stdout.splitlines()
             if " emulated " in line or " stepped " in line]
    assert sites, shown.stdout
    assert 0 < len(patched) <= len(sites), (patched, shown.stdout)
    assert not [s for s in sites if "nop" in s.split("  ")[-1]], shown.stdout


def test_other_processes_of_the_file_are_not_counted():
    """A probe is placed in a file; other processes map it, too."""
    with Target("load", "service") as other:
        other.line()
        with Target("functions") as target:
            run = profile(target, *EXACT)
        assert_exact(run)
        assert not machine.patched_bytes(other.pid), \
            "another process pays for the probes"


def test_hostile_names_do_not_reach_the_terminal(tmp_path):
    """Control sequences in a program's name and arguments."""
    import os
    import shutil
    from paths import target_path
    evil = str(tmp_path / "evil\x1b]0;owned\x07\nname")
    shutil.copy(target_path("functions"), evil)
    with Target(evil, "\x1b[2Jargument") as target:
        run = profile(target, *EXACT)
    for text in (run.out, run.err, run.folded_text):
        assert not any(ord(c) < 32 and c not in "\n\t" for c in text), \
            repr(text)
    assert os.path.exists(evil)


def test_target_that_unmaps_and_remaps_under_the_profiler():
    """Memory that changes while it is read: plugins loaded and unloaded."""
    code = """
import ctypes, sys, _ctypes
print('up', flush=True)
sys.stdin.readline()
for i in range(200):
    h = ctypes.CDLL(sys.argv[1])
    h.plugin_leak()
    _ctypes.dlclose(h._handle)
print('done', flush=True)
sys.stdin.readline()
"""
    with subprocess.Popen(
            ["/usr/bin/python3", "-c", code, "build/targets/plugin.so"],
            text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == "up\n"
        with Profiler([process.pid], *EXACT) as profiler:
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"
            run = profiler.stop()
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
    assert run.code == 0, run
    # 200 times 50 blocks of 400 bytes, wherever the plugin was mapped.
    assert sum(v for _, v in run.folded) >= 200 * 50 * 400, run
    assert sys.version_info


def test_exceptions_in_processes_that_share_an_allocator():
    """The session of one process cannot decline the returns of another: without
    a link that all of them share, bad_alloc would end whoever throws it."""
    preload = library(NEW_ALLOCATORS["tcmalloc_minimal"])
    targets = [Target("cxx", "exceptions", preload=preload) for _ in range(3)]
    try:
        with Profiler([t.pid for t in targets], *EXACT) as profiler:
            for target in targets:
                target.truth()
            time.sleep(0.2)
            run = profiler.stop()
        assert [t.finish() for t in targets] == [0] * 3, \
            [t.stderr() for t in targets]
    finally:
        for target in targets:
            target.close()
    assert run.code == 0, run


def test_exceptions_in_one_that_is_not_traced():
    """It has breakpoints because nearly all that map the allocator are traced;
    nobody probes its returns."""
    preload = library(NEW_ALLOCATORS["tcmalloc_minimal"])
    targets = [Target("cxx", "exceptions", preload=preload) for _ in range(9)]
    try:
        with Profiler([t.pid for t in targets[1:]], *EXACT, "-v") as profiler:
            profiler.wait_for("share its probes on functions that throw")
            for target in targets:
                target.truth()
            run = profiler.stop()
        assert [t.finish() for t in targets] == [0] * 9, \
            [t.stderr() for t in targets]
    finally:
        for target in targets:
            target.close()
    assert run.code == 0, run
