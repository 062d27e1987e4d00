# SPDX-License-Identifier: GPL-2.0-only
"""Stacks without frame pointers, compared with the true call chain."""
import pytest

from leakbpf import PATIENCE, ROOTS, Target, outer_frames, profile

EXACT = ("--sample-bytes", 0)
BUILDS = ["unwinding", "unwinding.nopie", "unwinding.static",
          "unwinding.clang"]


def stacks(build, *arguments):
    with Target(build, *arguments) as target:
        run = profile(target, *EXACT, "-n", 0)
    found = [frames for frames, _ in run.folded if "leak_here" in frames]
    assert found, f"no stack with leak_here\n{run}"
    return found, run


def assert_chain(frames, chain, run):
    seen = outer_frames(frames)
    assert seen[:len(chain)] == chain, \
        f"expected {chain}, seen {seen}\n{run}"
    assert ROOTS.match(frames[0]), f"not complete: {frames}\n{run}"


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("depth", [1, 10, 100])
def test_recursion(build, depth):
    found, run = stacks(build, "depth", depth)
    assert len(found) == 1, run
    assert_chain(found[0], ["leak_here"] + ["descend"] * depth +
                 ["run_depth", "main"], run)


@pytest.mark.parametrize("build", ["unwinding", "unwinding.static"])
def test_deepest_stack_is_whole_and_one_more_is_marked(build):
    """malloc + leak_here + descend x n + run_depth + main + start-up frames:
    127 frames are whole, the next one is cut and says so."""
    found, run = stacks(build, "depth", 10)
    others = len(found[0]) - 10
    fits = 127 - others
    found, run = stacks(build, "depth", fits)
    assert_chain(found[0], ["leak_here"] + ["descend"] * fits +
                 ["run_depth", "main"], run)
    found, run = stacks(build, "depth", fits + 1)
    assert found[0][0] == "[truncated: deeper than 127 frames]", run
    assert found[0].count("descend") == fits + 1, run
    found, run = stacks(build, "depth", 1000)
    assert found[0][0] == "[truncated: deeper than 127 frames]", run
    assert outer_frames(found[0])[0] == "leak_here", run
    losses = "\n".join(run.report.header["losses"])
    assert "deeper than 127 frames" in losses, run


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("kind", ["signal", "altstack"])
def test_signal_frames(build, kind):
    """A handler that interrupted a leaf function, in which nothing was
    pushed: the interrupted address is looked up as it is, not minus one."""
    found, run = stacks(build, kind)
    seen = outer_frames(found[0])
    assert seen[:2] == ["leak_here", "handler"], run
    assert seen[3:6] == ["spin_in_leaf", "run_signal", "main"], run
    assert ROOTS.match(found[0][0]), run


@pytest.mark.parametrize("build", ["unwinding", "unwinding.static"])
def test_signal_in_the_c_library(build):
    found, run = stacks(build, "libc")
    seen = outer_frames(found[0])
    assert seen[:2] == ["leak_here", "handler"], run
    assert "run_libc" in seen and "main" in seen, run
    assert ROOTS.match(found[0][0]), run


@pytest.mark.parametrize("build", ["unwinding", "unwinding.static"])
def test_signal_in_the_vdso(build):
    found, run = stacks(build, "vdso")
    seen = outer_frames(found[0])
    assert seen[:2] == ["leak_here", "handler"], run
    assert "run_vdso" in seen and "main" in seen, run
    assert ROOTS.match(found[0][0]), run


@pytest.mark.parametrize("build", BUILDS)
def test_realigned_stacks(build):
    found, run = stacks(build, "drap")
    for frames in found:
        assert_chain(frames, ["leak_here", "realigned", "run_drap", "main"],
                     run)


@pytest.mark.parametrize("build", BUILDS)
def test_frames_of_variable_size(build):
    found, run = stacks(build, "alloca")
    for frames in found:
        assert_chain(frames, ["leak_here", "variable_frame", "run_alloca",
                              "main"], run)


@pytest.mark.parametrize("build", BUILDS)
def test_assembly_with_unwind_information(build):
    found, run = stacks(build, "asm")
    assert_chain(found[0], ["leak_here", "asm_with_cfi", "run_asm", "main"],
                 run)


@pytest.mark.parametrize("build", ["unwinding", "unwinding.static"])
def test_unsupported_rule_is_marked_not_guessed(build):
    found, run = stacks(build, "asm-odd")
    assert found[0][0] == "[truncated: unsupported unwind rule]", run
    assert outer_frames(found[0])[:2] == ["leak_here", "asm_with_odd_cfi"], run


@pytest.mark.parametrize("build", ["unwinding", "unwinding.static"])
def test_frame_pointer_where_there_is_nothing_else(build):
    found, run = stacks(build, "asm-bare")
    seen = outer_frames(found[0])
    assert seen[:4] == ["leak_here", "asm_with_frame_pointer", "run_asm",
                        "main"], run


@pytest.mark.parametrize("build", ["unwinding", "unwinding.static"])
def test_a_frame_nobody_can_walk_is_marked(build):
    found, run = stacks(build, "asm-lost")
    assert found[0][0].startswith("[truncated: "), run
    assert outer_frames(found[0])[:2] == ["leak_here",
                                          "asm_without_anything"], run
    assert "run_depth" not in found[0], run
    losses = "\n".join(run.report.header["losses"])
    assert "cut short" in losses, run


def test_threads_end_at_their_start():
    with Target("threads", "handover") as target:
        run = profile(target, *EXACT)
    found = [f for f, _ in run.folded if "produce_block" in f]
    assert found, run
    for frames in found:
        seen = outer_frames(frames)
        assert seen[:2] == ["produce_block", "producer"], run
        # clone3 and start_thread, by name if libc's symbols are installed
        assert ROOTS.match(frames[0]) and len(seen) == 4, run


def test_stripped_program_has_addresses_that_mean_the_right_functions(
        tmp_path):
    """Names are gone, stacks are not: the addresses are looked up in the copy
    that was not stripped."""
    import subprocess
    from paths import target_path
    from leakbpf import bytes_of_chain
    with Target("functions.stripped") as target:
        run = profile(target, *EXACT)
    folded = []
    for frames, value in run.folded:
        named = []
        for frame in frames:
            module, plus, offset = frame.partition("+0x")
            if module.endswith("functions.stripped") and plus:
                offset = offset.split()[0]
                frame = subprocess.run(
                    ["addr2line", "-f", "-e", target_path("functions"),
                     "0x" + offset], capture_output=True, text=True,
                    timeout=PATIENCE).stdout.splitlines()[0]
            named.append(frame)
        folded.append((named, value))
    for chain, (size, _) in run.truth.items():
        assert bytes_of_chain(folded, chain) == size, f"{chain}\n{run}"
