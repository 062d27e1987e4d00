# SPDX-License-Identifier: GPL-2.0-only
"""Comparing two configurations of a program on a machine that is not quiet: two
processes of it run at the same time, each on a processor of its own, and
exchange them ten times a second, so that what other work takes from a processor
it takes from both. Then they exchange their configurations. Ratios of two that
do the same are 1 within one per cent, where rounds one after the other differ by
a quarter."""

import contextlib
import os
import statistics
import threading
from concurrent.futures import ThreadPoolExecutor

EXCHANGE_SECONDS = 0.1


def _move(pid, processor):
    with contextlib.suppress(OSError): # it, or one of its threads, has ended
        for tid in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(tid), {processor})


class _Exchange:
    """Moves programs to and fro until it is stopped."""

    def __init__(self, programs):
        self.programs = programs
        self.processors = sorted(os.sched_getaffinity(0))[:2]
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.stopped.wait(EXCHANGE_SECONDS):
            self.processors.reverse()
            for program, processor in zip(self.programs, self.processors):
                for pid in program.pids():
                    _move(pid, processor)

    def __enter__(self):
        if len(self.processors) == 2:
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        if self.thread.is_alive():
            self.thread.join()


@contextlib.contextmanager
def side_by_side(programs):
    """(the two, a pool of threads for their measurements); closes them."""
    try:
        with _Exchange(programs), ThreadPoolExecutor(2) as pool:
            yield programs, pool
    finally:
        for program in programs:
            program.close()


def take_turns(turn, sides=(0, 1)):
    """{figure: (value, ratio)} of what `turn(side)` gives: the figures of both,
    while that side has the configuration of interest."""
    values, ratios = {}, {}
    for side in sides:
        both = turn(side)
        for key, value in both[side].items():
            values.setdefault(key, []).append(value)
            ratios.setdefault(key, []).append(value / both[1 - side][key])
    return {key: (sum(values[key]) / len(sides), statistics.geometric_mean(ratios[key]))
            for key in values}
