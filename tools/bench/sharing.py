# SPDX-License-Identifier: GPL-2.0-only
"""What a pair of malloc and free costs a process when others that map the same
file are traced, too: with probes that they share, and with probes of their
own."""

import os
import re
import shutil
import tempfile
import time

from experiments import note
from targets import Worker
from tracers import Leakbpf

COUNTS = [1, 2, 4, 10, 100]
# So many that are not traced keep probes from being shared.
BYSTANDERS_SHARE = 4


class Many(Leakbpf):
    """leakbpf on several processes."""

    def __init__(self, binary, pids):
        self.count = len(pids)
        others = [word for pid in pids[1:] for word in ("-p", str(pid))]
        super().__init__(binary, pids[0], "-i", "3600", "-n", "1", "-v",
                         *others)

    def wait_for_all(self, timeout=60):
        end = time.monotonic() + timeout
        while time.monotonic() < end and self.process.poll() is None:
            with open(self.errors.name, encoding="utf-8",
                      errors="replace") as f:
                text = f.read()
            if len(re.findall(r"tracing process \d+", text)) >= self.count:
                return "share its probes" in text
            time.sleep(0.05)
        raise RuntimeError("not all are attached")


def workers(path, count):
    return [Worker(path) for _ in range(count)]


def round_of(bench, path, count, shared):
    """(CPU ns of a pair untraced, traced, seconds to detach)"""
    started = workers(path, count)
    idle = [] if shared else workers(path, count // BYSTANDERS_SHARE + 1)
    try:
        started[0].command("go")
        time.sleep(0.2)
        alone = started[0].cost(bench.window)
        with Many(bench.leakbpf, [w.pid for w in started]) as tracer:
            sharing = tracer.wait_for_all()
            if sharing != (shared and count >= 4):
                raise RuntimeError(f"{count} processes: shared is {sharing}")
            time.sleep(0.5)
            traced = started[0].cost(bench.window)
            detach = tracer.stop()
        return alone, traced, detach
    finally:
        for worker in started + idle:
            worker.process.kill()
            worker.process.wait()


def measure(bench):
    """{(count, shared): [round]}"""
    folder = tempfile.mkdtemp(prefix="leakbpf-bench-")
    # A file that nobody else maps.
    path = os.path.join(folder, "churn")
    shutil.copy(bench.target("churn-static"), path)
    results = {}
    try:
        for _ in range(max(bench.rounds - 2, 1)):
            for count in COUNTS:
                for shared in (False, True):
                    if shared and count < 4:
                        continue
                    one = round_of(bench, path, count, shared)
                    results.setdefault((count, shared), []).append(one)
                    note(f"sharing: {count} processes, "
                         f"{'shared' if shared else 'own'}: "
                         f"{one[1]:.0f} ns a pair, {one[2]:.2f} s to detach")
    finally:
        shutil.rmtree(folder)
    return results
