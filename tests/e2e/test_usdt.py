# SPDX-License-Identifier: GPL-2.0-only
"""A program that samples its allocations itself and tells of them by the USDT
probes otel_memory:alloc and otel_memory:free."""
import re
import subprocess

import pytest

from leakbpf import Profiler, Target, bytes_of_chain, number, profile
from paths import target_path

SMALL = "sampled_malloc;keep_small;main"
LARGE = "sampled_malloc;keep_large;main"
INTERVAL = 16384


def samples(run):
    return number(re.search(r"sampling .*?: ([\d,]+) samples", run.out)[1])


@pytest.mark.parametrize("name", ["usdt", "usdt.o0", "usdt.static"])
def test_weights_add_up_to_the_truth(name):
    """20,000 blocks of 1000 bytes and 32 of 1 MiB stay, 50,000 are freed. A
    sum of `held` bytes has a standard deviation of sqrt(INTERVAL * held)."""
    with Target(name, INTERVAL) as target:
        run = profile(target, "-n", 0, "--sample-bytes", 0)
    assert "samples its allocations itself" in run.err, run
    for chain in (SMALL, LARGE):
        held = run.truth[chain][0]
        seen = bytes_of_chain(run.folded, chain)
        assert abs(seen - held) < 4 * (INTERVAL * held) ** 0.5, \
            f"{chain} holds {held}, leakbpf says {seen}\n{run}"
    assert not bytes_of_chain(run.folded, "sampled_malloc;churn;main"), run
    # Only what was sampled: the allocator's own probes are not there.
    total = run.truth[SMALL][1] + run.truth[LARGE][1]
    assert 0 < samples(run) < total / 2, run


def test_with_perf_events():
    with Target("usdt", INTERVAL) as target:
        run = profile(target, "-n", 0, "--link", "perf")
    held = run.truth[LARGE][0]
    seen = bytes_of_chain(run.folded, LARGE)
    assert abs(seen - held) < 4 * (INTERVAL * held) ** 0.5, run


def test_no_samplers_probes_the_allocator():
    with Target("usdt", INTERVAL) as target:
        run = profile(target, "-n", 0, "--no-samplers", "--sample-bytes", 0)
    header = 16
    for chain in (SMALL, LARGE):
        held, blocks = run.truth[chain]
        seen = bytes_of_chain(run.folded, chain)
        assert seen == held + header * blocks, run


def test_finer_samples_than_asked_for_are_thinned():
    """The program samples every 4 KiB, one in 64 KiB is asked for: fewer
    samples are booked, and the sums stay right."""
    interval, asked = 4096, 65536
    with Target("usdt", interval) as target:
        run = profile(target, "-n", 0, "--sample-bytes", asked)
    held = run.truth[SMALL][0]
    seen = bytes_of_chain(run.folded, SMALL)
    assert abs(seen - held) < 4 * ((interval + asked) * held) ** 0.5, run
    expected = (held + 50000 * 1000) / asked + 32 * 16
    assert samples(run) < 1.5 * expected, run


def test_the_semaphore_is_up_while_somebody_listens():
    name = "usdt.static"
    symbols = subprocess.run(["nm", target_path(name)], check=True, text=True,
                             capture_output=True).stdout
    address = int(re.search(r"(\w+) \w otel_memory_alloc_semaphore",
                            symbols)[1], 16)
    with Target(name, INTERVAL) as target:
        def semaphore():
            with open(f"/proc/{target.pid}/mem", "rb") as f:
                f.seek(address)
                return int.from_bytes(f.read(2), "little")
        assert semaphore() == 0
        with Profiler([target.pid]) as profiler:
            assert semaphore() == 1
            assert profiler.stop().code == 0
        assert semaphore() == 0
        target.truth()
        assert target.finish() == 0
