# SPDX-License-Identifier: GPL-2.0-only
"""Native memory that JavaScript allocates: Buffers of all kinds, in every
version of Node.js. What leaks is known; the line that leaks must be named."""
import os
import time

import pytest

from leakbpf import Profiler
from node import NODES, Program, debian_node
from node_report import NATIVE, Document, sites

# Out of Node's slabs, zeroed, not zeroed, filled from a string, typed.
KINDS = ["pooled", "alloc", "unsafe", "unsafeSlow", "fromString",
         "typedArrays"]
SECONDS = 4


def command(version):
    return debian_node() if version == "debian" else NODES[version]


# test_js_frames.py has the others.
@pytest.mark.parametrize("version", ["22", "debian"])
def test_buffers_lead_to_their_lines(version, tmp_path):
    path = os.path.join(tmp_path, "report.json")
    with Program(command(version), "synthetic/leak.js",
                 ",".join(KINDS)) as target:
        with Profiler([target.pid], "--json", path) as profiler:
            target.ask("start", {"perSecond": 1 << 20, "garbage": 50})
            time.sleep(SECONDS)
            truth = target.ask("stop")["kinds"]
            target.ask("truth")
            run = profiler.stop()
        assert target.alive(), target.stderr()
        assert target.finish() == 0
    assert run.code == 0, run
    report = Document(path)
    marked = sites("synthetic/kinds.js")
    wrong = []
    for kind in KINDS:
        function, expected = truth[kind]["function"], truth[kind]["external"]
        assert expected > 2 << 20, truth
        seen = report.bytes(NATIVE, function)
        # Twice the printed interval, and a slab more or less.
        margin = 2 * report.margin(NATIVE, function) + (64 << 10)
        if abs(seen - expected) > margin:
            wrong.append(f"{function}: expected {expected} bytes, seen "
                         f"{seen:.0f} +-{margin:.0f}")
        lines = report.lines(NATIVE, function)
        right = sum(lines.get(line, 0) for line in marked[function])
        if right < 0.98 * seen:
            wrong.append(f"{function}: expected at {marked[function]}, "
                         f"seen at {lines}")
    assert not wrong, "\n".join([*wrong, report.describe(), str(run)])
