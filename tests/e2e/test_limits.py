# SPDX-License-Identifier: GPL-2.0-only
"""Tables that fill: coarser, never silently wrong; memory within its limit."""
import re
import time

import pytest

import machine
from leakbpf import Profiler, Target, bytes_of_chain, number

EXACT = ("--sample-bytes", 0)


def kernel_memory(report):
    found = re.search(r"([\d.]+ [KMG]?i?B) of kernel memory",
                      report.header["overhead"][0])
    assert found, report.header
    return number(found[1])


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return sum(int(line.split()[1]) * 1024 for line in f
                   if line.startswith("VmRSS:"))


def test_a_million_outstanding_blocks_within_the_default_memory():
    """Exact mode asks for more entries than 64 MiB have room for: it must go
    over to sampling, say so, and stay right. With at least 10,000 samples
    the relative error is below 1 % (1 sigma): 6 % never fails a right tool."""
    with Target("load", "blocks", 1000000, 64) as target:
        with Profiler([target.pid], *EXACT) as profiler:
            truth = target.truth(90)
            time.sleep(0.5)
            used = resident(profiler.process.pid)
            run = profiler.stop()
        assert target.finish() == 0
    assert run.code == 0, run
    size, _ = truth["run_blocks;main"]
    seen = bytes_of_chain(run.folded, "run_blocks;main")
    assert abs(seen - size) < 0.06 * size, \
        f"true {size}, seen {seen}\n{run}"
    kernel = kernel_memory(run.report)
    assert kernel + used <= 64 << 20, \
        f"kernel {kernel / 2**20:.1f} MiB, loader {used / 2**20:.1f} MiB\n{run}"
    low, high = run.report.stack_of("run_blocks").bytes_interval
    assert low <= run.report.stack_of("run_blocks").bytes <= high, run


@pytest.mark.parametrize("limit", ["24M", "32M"])
def test_small_memory_degrades_to_coarser_sampling(limit):
    with Target("load", "blocks", 600000, 64) as target:
        with Profiler([target.pid], *EXACT, "--max-memory",
                      limit) as profiler:
            truth = target.truth(90)
            time.sleep(0.5)
            run = profiler.stop()
        assert target.finish() == 0
    assert run.code == 0, run
    assert "coarser" in "\n".join(run.report.header["sampling"]), run
    assert kernel_memory(run.report) <= number(limit[:-1] + " MiB"), run
    size, _ = truth["run_blocks;main"]
    seen = bytes_of_chain(run.folded, "run_blocks;main")
    # 4.4 standard errors of what the report itself says: p < 1e-5.
    stack = run.report.stack_of("run_blocks")
    half = (stack.bytes_interval[1] - stack.bytes_interval[0]) / 2
    assert abs(seen - size) < half * 4.4 / 1.96 + 0.01 * size, \
        f"true {size}, seen {seen} +-{half}\n{run}"


def test_memory_that_is_too_small_is_refused():
    from leakbpf import leakbpf
    with Target("load", "service") as target:
        run = leakbpf("-p", target.pid, "-d", 1, "--max-memory", "1M")
    assert run.returncode == 2, run
    assert "--max-memory" in run.stderr, run


def test_more_stacks_than_the_table_has_room_for():
    """2^16 different stacks: what has no place goes to [other stacks]; the
    sum stays right, and the report counts it."""
    with Target("load", "stacks", 16) as target:
        with Profiler([target.pid], *EXACT, "--max-memory",
                      "24M") as profiler:
            truth = target.truth(90)
            time.sleep(0.5)
            run = profiler.stop()
        assert target.finish() == 0
    assert run.code == 0, run
    size = sum(t[0] for t in truth.values())
    seen = sum(v for _, v in run.folded)
    assert abs(seen - size) < 0.06 * size, f"true {size}, seen {seen}"
    other = [v for f, v in run.folded if f == ["[other stacks]"]]
    assert other, "no line for what had no room"
    assert any("other stacks" in line or "stack table full" in line
               for line in run.report.header["losses"]), \
        run.report.header["losses"]


def test_report_is_quick_with_many_blocks():
    """A report costs as many steps as there are stacks, not blocks."""
    def report():
        with Target("load", "blocks", 200000, 4096) as target:
            with Profiler([target.pid], "--sample-bytes", 4096) as profiler:
                target.truth(60)
                run = profiler.stop()
            assert target.finish() == 0
        assert run.code == 0, run
        return run.stop_seconds, run

    machine.assert_quick(report, 1.5)
