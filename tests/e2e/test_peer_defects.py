# SPDX-License-Identifier: GPL-2.0-only
"""Defects known of other tools of this kind, one test each, so that they are
never ours: the name of a test says what is right."""
import os
import re
import shutil
import subprocess
import tempfile
import time

import pytest

import machine
from leakbpf import (PATIENCE, Profiler, Target, assert_exact, bytes_of_chain,
                     leakbpf, profile)
from paths import library, target_path
from services import redis

EXACT = ("--sample-bytes", 0)


@pytest.fixture(scope="module")
def functions():
    with Target("functions") as target:
        return profile(target, *EXACT, "-n", 0)


def test_failed_realloc_keeps_the_old_block(functions):
    seen = bytes_of_chain(functions.folded, "leak_realloc_failed;run;main")
    assert seen == 321, functions
    # ... and the block that was freed after its realloc failed is gone.
    assert not [f for f, _ in functions.folded
                if "free_after_failed_realloc" in f], functions


def test_nested_allocator_calls_count_once(functions):
    """calloc that calls malloc, memalign under posix_memalign, ..."""
    for chain, (size, _) in functions.truth.items():
        assert bytes_of_chain(functions.folded, chain) == size, \
            f"{chain}\n{functions}"


def test_operator_new_over_malloc_counts_once():
    with Target("cxx") as target:
        run = profile(target, *EXACT)
    assert_exact(run)


def test_thread_that_dies_inside_malloc_leaves_no_stale_state():
    with Target("escape") as target:
        run = profile(target, *EXACT)
    assert bytes_of_chain(run.folded, "leak_after;main") == \
        run.truth["leak_after;main"][0], run


def test_calloc_product_that_overflows_is_no_allocation(functions):
    assert not [f for f, _ in functions.folded
                if "fail_calloc_overflow" in f], functions


def test_partial_unmaps_are_followed():
    with Target("maps") as target:
        run = profile(target, *EXACT, "--mmap")
    assert bytes_of_chain(run.folded, "leak_partly;run;main") == \
        run.truth["leak_partly;run;main"][0], run


def test_stacks_that_cannot_be_kept_stay_in_the_total():
    with Target("load", "stacks", 15) as target:
        with Profiler([target.pid], *EXACT, "--max-memory",
                      "24M") as profiler:
            truth = target.truth()
            time.sleep(0.3)
            run = profiler.stop()
        assert target.finish() == 0
    size = sum(t[0] for t in truth.values())
    seen = sum(v for _, v in run.folded)
    # 2^15 stacks; should sampling have become coarser: > 4,000 samples, so a
    # standard error below 1.6 %, and 7 % are over 4 of them.
    assert abs(seen - size) < 0.07 * size, f"true {size}, seen {seen}"


def test_sampled_totals_are_scaled_back():
    """19.2 MB in 4,700 samples: standard error 1.5 %, 6 % are 4 of them."""
    with Target("load", "sizes") as target:
        run = profile(target, "--sample-bytes", 4096)
    seen = bytes_of_chain(run.folded, "leak_small;run_sizes;main")
    assert abs(seen - 19200000) < 0.06 * 19200000, run


def test_age_filter_means_seconds():
    """Blocks younger than 2 s are left out, older ones are not."""
    with Target("load", "service") as target:
        target.line()
        before = time.monotonic()
        with Profiler([target.pid], *EXACT, "--older", 2, "-i", 1) as profiler:
            profiler.wait_for("since attach$", profiler.out)
            time.sleep(5)
            run = profiler.stop()
            lasted = time.monotonic() - before
    reports = re.split(r"^leakbpf: load .*, ([\d.]+) s since attach", run.out,
                       flags=re.M)[1:]
    for seconds, text in zip(reports[::2], reports[1::2]):
        # A late one may have some, and one that is not has none.
        assert float(seconds) >= 2 or "leak_slowly" not in text, run
    assert float(reports[0]) < 6, run
    older = bytes_of_chain(run.folded, "leak_slowly;run_service;main")
    assert older > 0, run
    # At most 1000 blocks a second in the time that is long enough ago.
    assert older < (lasted - 2) * 1000 * 64, f"{older} in {lasted:.1f} s\n{run}"


def test_counters_do_not_wrap_at_16_million_objects_or_a_terabyte():
    """Allocated in all, not outstanding: 300 requests of 8 GiB, freed again,
    are 2.3 TiB of one stack."""
    with Target("huge") as target:
        run = profile(target, *EXACT)
    assert_exact(run)
    assert not [v for _, v in run.folded if v > 1 << 40], run


def test_report_does_not_cost_addresses_times_stacks():
    def report():
        with Target("load", "stacks", 12) as target:
            run = profile(target, *EXACT)
        return run.stop_seconds, run

    machine.assert_quick(report, 3)


def test_long_object_paths_and_symbol_names():
    """Longer than 32 and 16 characters."""
    place = tempfile.mkdtemp(prefix="e2e-")
    try:
        folder = os.path.join(place, "a" * 100, "b" * 100)
        os.makedirs(folder)
        copy = shutil.copy(library("libjemalloc.so.2"),
                           os.path.join(folder, "libjemalloc.so.2"))
        with Target("functions", preload=copy) as target:
            run = profile(target, *EXACT)
            assert_exact(run)
    finally:
        shutil.rmtree(place)


def test_command_takes_arguments():
    run = leakbpf(*EXACT, "-c", "/bin/echo one 'two words'")
    assert run.returncode == 0, run
    assert "one two words" in run.stdout, run


@pytest.mark.parametrize("program", [
    "functions.musl", "functions.musl-static", "functions.static",
    "functions.jemalloc-static", "functions.tcmalloc-static"])
def test_more_than_glibc(program):
    with Target(program) as target:
        run = profile(target, *EXACT)
    assert sum(v for _, v in run.folded) == \
        sum(t[0] for t in run.truth.values()), run


def test_redis_with_jemalloc_is_not_silent():
    with redis() as server:
        with Profiler([server.pid], *EXACT) as profiler:
            server.many(("SET", f"key{i}", b"v" * 1000) for i in range(1000))
            run = profiler.stop()
    assert run.code == 0, run
    assert sum(v for _, v in run.folded) > 1000 * 1000, run


def test_failed_mmap_and_malloc_are_no_leaks(functions):
    assert not [f for f, _ in functions.folded if "fail_malloc" in f]
    with Target("maps") as target:
        run = profile(target, *EXACT, "--mmap")
    assert not [f for f, _ in run.folded if "failures" in f], run


def test_mremap_is_followed():
    with Target("maps") as target:
        run = profile(target, *EXACT, "--mmap")
    assert bytes_of_chain(run.folded, "leak_moved;run;main") == 36 * 4096, run
    assert bytes_of_chain(run.folded,
                          "map_first;leak_moved;run;main") == 4 * 4096, run


def test_symbols_of_a_target_that_has_exited():
    with Target("functions") as target:
        with Profiler([target.pid], *EXACT, "-n", 0) as profiler:
            target.truth()
            assert target.finish() == 0
            run = profiler.wait(PATIENCE)
    assert bytes_of_chain(run.folded, "leak_calloc;run;main") == 210, run


def test_freed_by_other_threads_never_goes_negative():
    with Target("threads", "handover") as target:
        run = profile(target, *EXACT)
    assert_exact(run, only=False)


def test_caller_of_new_without_frame_pointers():
    with Target("cxx") as target:
        run = profile(target, *EXACT, "-n", 0)
    stack = run.report.stack_of("app::leak_new")
    assert stack and "cxx.cc:" in stack.blame, run


def test_nothing_is_silently_truncated():
    """A header line counts every loss; without one it says so."""
    with Target("functions") as target:
        run = profile(target, *EXACT)
    assert run.report.header["losses"] == ["nothing lost"], run
    assert target_path("functions") and subprocess
