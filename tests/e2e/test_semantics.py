# SPDX-License-Identifier: GPL-2.0-only
"""What counts, and for whom: threads, forks, maps, repeated starts."""
import math
import time

import pytest

from leakbpf import (PATIENCE, Profiler, Target, assert_complete,
                     assert_exact, bytes_of_chain, profile)

EXACT = ("--sample-bytes", 0)


def test_blocks_freed_by_another_thread():
    with Target("threads", "handover") as target:
        run = profile(target, *EXACT)
    # Thread stacks come from calloc in pthread_create (the dtv): not ours.
    assert_exact(run, only=False)
    assert_complete(run, "produce_block;producer")


def test_two_threads_sum_is_never_negative_or_lost():
    with Target("threads", "handover") as target:
        run = profile(target, *EXACT)
    assert run.report.header["losses"] == ["nothing lost"], run


def test_fork_child_is_another_process():
    with Target("forks", "fork") as target:
        run = profile(target, *EXACT)
    assert_exact(run)


def test_vfork_child_frees_for_its_parent():
    with Target("forks", "vfork") as target:
        run = profile(target, *EXACT)
    assert_exact(run)


def test_clone_that_shares_memory_frees_for_its_owner():
    with Target("forks", "clone") as target:
        run = profile(target, *EXACT)
    assert_exact(run)


def test_calls_that_never_return():
    with Target("escape") as target:
        run = profile(target, *EXACT)
    assert_exact(run, only=False)
    lost = [line for line in run.report.header["losses"]
            if "never returned" in line]
    assert lost, f"abandoned calls are not counted\n{run}"


def test_memory_maps_with_partial_unmaps():
    with Target("maps") as target:
        run = profile(target, *EXACT, "--mmap")
    assert_exact(run)


def test_memory_maps_are_left_out_by_default():
    with Target("maps") as target:
        run = profile(target, *EXACT)
    run.truth = {c: t for c, t in run.truth.items() if "big_malloc" in c}
    assert_exact(run)


def test_older_leaves_out_young_blocks():
    with Target("load", "service") as target:
        with Profiler([target.pid], *EXACT, "--older", 3600) as profiler:
            target.line()
            time.sleep(1)
            run = profiler.stop()
    assert run.code == 0, run
    assert bytes_of_chain(run.folded, "leak_slowly;run_service;main") == 0, run


def test_second_attach_starts_from_zero():
    with Target("load", "service") as target:
        target.line()
        for _ in range(2):
            before = time.monotonic()
            with Profiler([target.pid], *EXACT) as profiler:
                time.sleep(1)
                run = profiler.stop()
            lasted = time.monotonic() - before
            assert run.code == 0, run
            seen = bytes_of_chain(run.folded, "leak_slowly;run_service;main")
            # One block of 64 bytes per ms at most, and few on a busy machine.
            assert 10 * 64 < seen < 64 * 1000 * lasted, \
                f"{seen} bytes in {lasted:.1f} s\n{run}"


def test_several_targets_are_told_apart():
    with Target("functions") as one, Target("load", "blocks", 500, 128) as two:
        with Profiler([one.pid, two.pid], *EXACT, "-n", 0) as profiler:
            first, second = one.truth(), two.truth()
            time.sleep(0.2)
            run = profiler.stop()
        assert one.finish() == 0 and two.finish() == 0
    assert run.code == 0, run
    for target, truth in ((one, first), (two, second)):
        mine = [(frames, v) for frames, v in run.folded
                if frames[0].endswith(f"-{target.pid}")]
        for chain, (size, _) in truth.items():
            assert bytes_of_chain(mine, chain) == size, f"{chain}\n{run}"
        assert sum(v for _, v in mine) == sum(t[0] for t in truth.values())


@pytest.mark.parametrize("interval", [4096, 65536])
def test_sampled_estimates_hold_the_truth(interval):
    """n blocks of size s are sampled with P = 1 - exp(-s/R) each, and count for
    1/P: the estimate of n has a standard error of sqrt(n (1-P)/P). Within 4.9
    of these a correct tool stays with p > 0.9999 for all six figures together
    (the least normal of them, 100 blocks with P = 0.953, misses with 3e-5).
    The printed 95 % interval must be 1.96 of them to either side, give or take
    a third (it rests on the sample, too) and the rounding to a percent."""
    with Target("load", "sizes") as target:
        run = profile(target, "--sample-bytes", interval, "-n", 0)
    for chain, (size, objects) in run.truth.items():
        stack = run.report.stack_of(chain.split(";")[0])
        assert stack, f"{chain} not found\n{run}"
        probability = 1 - math.exp(-size / objects / interval)
        error = math.sqrt((1 - probability) / probability / objects)
        for true, value, (low, high) in (
                (size, stack.bytes, stack.bytes_interval),
                (objects, stack.objects, stack.objects_interval)):
            # Sizes are printed with one decimal.
            assert abs(value / true - 1) < 4.9 * error + 0.005, \
                f"{chain}: true {true}, seen {value}\n{run}"
            half = (high - low) / 2 / value
            assert abs(half - 1.96 * error) < 0.33 * 1.96 * error + 0.012, \
                f"{chain}: +-{half:.3f}, expected +-{1.96 * error:.3f}\n{run}"


def test_intervals_are_not_absurdly_wide():
    """19.2 MB in blocks of 48 bytes at one sample per 4 KiB are 4,700 samples:
    a relative standard error near 1.5 %, so +-3 %."""
    with Target("load", "sizes") as target:
        run = profile(target, "--sample-bytes", 4096, "-n", 0)
    stack = run.report.stack_of("leak_small")
    low, high = stack.bytes_interval
    assert 0.01 < (high - low) / 2 / stack.bytes < 0.06, run


def test_command_is_traced_from_its_first_allocation(tmp_path):
    """-c: words are split as a shell would, and nothing is missed."""
    script = tmp_path / "two words.py"
    script.write_text("import sys; print(sys.argv[1:])\n")
    profiler = Profiler([], *EXACT, "-c",
                        f"/usr/bin/python3 '{script}' one 'two three'")
    run = profiler.wait(PATIENCE)
    assert run.code == 0, run
    assert "['one', 'two three']" in run.out, run
    assert any("main" in frames or "Py_BytesMain" in frames
               for frames, _ in run.folded), run
