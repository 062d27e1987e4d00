# SPDX-License-Identifier: GPL-2.0-only
"""--max-overhead: what tracing costs at different rates of allocation, against
what was promised."""

import re
import time

from experiments import note
from targets import Worker
from tracers import Leakbpf

RATES = [1000, 10_000, 100_000, 300_000, 0]  # pairs a second; 0: flat out
BUDGETS = [0.5, 2, 10]  # per cent of a CPU
UNLIMITED = 0
SETTLE_SECONDS = 2  # until a target must be within its budget


def window(worker, seconds):
    """(CPU seconds, wall seconds, operations)"""
    before = worker.command("read")
    time.sleep(seconds)
    after = worker.command("read")
    return ((after[0] - before[0]) / 1e9, (after[1] - before[1]) / 1e9,
            after[2] - before[2])


def observed(text):
    found = re.search(r"^  observed +([\d.]+) %", text, re.M)
    return float(found[1]) / 100 if found else 1.0


def run(bench, rate, budget, seconds):
    """What tracing takes, in CPUs, and the share of the time observed.

    The work beside the pairs is the same with probes and without: what a pair
    costs more, times the pairs done. Untraced just before and just after."""
    with Worker(bench.target("paced")) as worker:
        worker.command(f"set {rate}")
        worker.command("go")
        time.sleep(0.2)
        alone = [window(worker, 1)]
        tracer = Leakbpf(bench.leakbpf, worker.pid, "-i", "3600", "-n", "1",
                         "--max-overhead", str(budget))
        with tracer:
            tracer.wait_attached()
            time.sleep(SETTLE_SECONDS)
            cpu, wall, pairs = window(worker, seconds)
            tracer.stop()
            share = observed(tracer.text())
        time.sleep(0.2)
        alone.append(window(worker, 1))
    each = sum(a[0] for a in alone) / sum(a[2] for a in alone)
    return max(cpu - pairs * each, 0) / wall, share


def measure(bench):
    """{(rate, budget): (cost, observed share)}"""
    seconds = 2 if bench.quick else 6
    results = {}
    for rate in RATES:
        for budget in [UNLIMITED, *BUDGETS]:
            results[rate, budget] = run(bench, rate, budget, seconds)
            note(f"budget: {rate or 'all'} pairs/s, --max-overhead {budget}: "
                 f"{100 * results[rate, budget][0]:.2f} %")
    return results
