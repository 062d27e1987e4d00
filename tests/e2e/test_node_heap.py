# SPDX-License-Identifier: GPL-2.0-only
"""V8's heap: known leaks of every kind beside heavy garbage, workers, modules,
TypeScript; in every version of Node.js."""
import os
import time

import pytest

from leakbpf import Profiler
from node import NODES, Program, debian_node
from node_report import HEAP, Document, sites

# Small objects, arrays below and above a page, and what a map, a rope, a slice,
# a closure and a promise hold; after a wait, and called by WebAssembly.
KINDS = ["objects", "arrays", "largeArrays", "maps", "ropes", "slices",
         "closures", "promises", "async", "wasm"]
# All of them take minutes: the newest, and the one that is a library. The
# others' heaps are tested by test_v8_heap.py.
VERSIONS = [*NODES, "debian"] if os.environ.get("LEAKBPF_TEST_ALL") else \
    ["24", "debian"]
SECONDS = 10
# Beside a hundred collections a second, sites that V8 moves to its old space.
HEAVY_TOLERANCE = 0.35
COLLECT_SECONDS = 3

pytestmark = pytest.mark.timeout(180)
each_version = pytest.mark.parametrize("version", VERSIONS)


def profile(version, tmp_path, script, start, *arguments, seconds=SECONDS,
            options=()):
    """Lets it leak; returns (answer to stop, growth of the heap, report, run).
    The heap is collected now and then, see node_cases.py."""
    command = debian_node() if version == "debian" else NODES[version]
    path = os.path.join(tmp_path, "report.json")
    with Program(command, script, *arguments) as target:
        base = target.ask("truth")
        with Profiler([target.pid], "-i", 2, "--json", path,
                      *options) as profiler:
            target.ask("start", start)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(COLLECT_SECONDS)
                target.ask("collect", timeout=60)
            truth = target.ask("stop")
            for _ in range(2):  # live is what has survived two
                target.ask("collect", timeout=60)
            grown = target.ask("truth", timeout=60)["heapUsed"] - \
                base["heapUsed"]
            time.sleep(0.5)
            run = profiler.stop()
        assert target.finish() == 0, target.stderr()
    assert run.code == 0, run
    return truth, grown, Document(path), run


def lines_that_are_not_marked(report, truth):
    """Lines other than those that the source says (or next to them)."""
    wrong = []
    marked = sites("synthetic/kinds.js")
    for kind in truth.values():
        function = kind["function"]
        lines = report.lines(HEAP, function)
        right = sum(value for line, value in lines.items()
                    if any(abs(line - m) <= 1 for m in marked[function]))
        if right < 0.9 * sum(lines.values()):
            wrong.append(f"{function}: expected at {marked[function]}, seen "
                         f"at {lines}")
    return wrong


@each_version
def test_leaks_of_every_kind_beside_heavy_garbage(version, tmp_path):
    """About a gigabyte of garbage a second, if the machine gives it. The sum of
    all kinds is near the truth, every kind is there, at its line."""
    truth, grown, report, run = profile(
        version, tmp_path, "synthetic/leak.js", {"perSecond": 1 << 20},
        ",".join(KINDS))
    print(f"{version}: {truth['garbageBytes'] / truth['seconds'] / 1e9:.2f} "
          f"GB/s of garbage")
    wrong = lines_that_are_not_marked(report, truth["kinds"])
    seen, margin = report.bytes(HEAP), 2 * report.margin(HEAP)
    if abs(seen - grown) > max(HEAVY_TOLERANCE * grown, margin):
        wrong.append(f"expected {grown} in all, seen {seen:.0f} "
                     f"+-{margin:.0f}")
    for kind in truth["kinds"].values():
        seen = report.bytes(HEAP, kind["function"])
        if not kind["heap"] / 4 < seen < kind["heap"] * 4:
            wrong.append(f"{kind}: seen {seen:.0f}")
    # What lives for a while, but does not leak.
    garbage = report.bytes(HEAP, "makeGarbage")
    if garbage > 0.1 * grown:
        wrong.append(f"{garbage:.0f} bytes of garbage taken for live")
    assert not wrong, "\n".join([*wrong, report.describe(), str(run)])


def test_amounts_of_every_kind(tmp_path):
    """Some fifty samples each: as near as these allow, by the printed interval,
    widened, as V8 samples at nearly equal distances."""
    truth, _, report, run = profile(
        "24", tmp_path, "synthetic/leak.js",
        {"perSecond": 1 << 20, "garbage": 50}, ",".join(KINDS))
    wrong = []
    for kind in truth["kinds"].values():
        seen = report.bytes(HEAP, kind["function"])
        margin = 2.5 * report.margin(HEAP, kind["function"]) + \
            0.05 * kind["heap"]
        if abs(seen - kind["heap"]) > margin:
            wrong.append(f"{kind}: seen {seen:.0f} +-{margin:.0f}")
    assert not wrong, "\n".join([*wrong, report.describe(), str(run)])


def test_isolates_of_workers_are_told_apart(tmp_path):
    truth, _, report, run = profile("20", tmp_path, "synthetic/workers.js",
                                    {"perSecond": 1 << 20, "limit": 1 << 30},
                                    seconds=9)
    for kind in truth["kinds"].values():
        seen = report.bytes(HEAP, kind["function"])
        margin = max(0.25 * kind["heap"],
                     2.5 * report.margin(HEAP, kind["function"]))
        assert abs(seen - kind["heap"]) < margin, \
            f"{kind}: seen {seen} +-{margin}\n{report.describe()}\n{run}"


@pytest.mark.parametrize("script, source, functions", [
    ("synthetic/module.mjs", "synthetic/module.mjs",
     ["Store.add", "Store.remember", "leakInArrow"]),
    ("synthetic/typed/store.js", "synthetic/typed/store.ts",
     ["TypedStore.keep"]),
])
def test_modules_and_compiled_typescript(script, source, functions, tmp_path):
    """TypeScript by its own lines."""
    _, grown, report, run = profile("22", tmp_path, script,
                                    {"perSecond": 1000}, seconds=6)
    marked = sites(source)
    assert abs(report.bytes(HEAP) - grown) < \
        max(0.3 * grown, 2.5 * report.margin(HEAP)), \
        f"expected {grown}\n{report.describe()}\n{run}"
    for function in functions:
        lines = report.lines(HEAP, function)
        right = sum(value for line, value in lines.items()
                    if line in marked[function.rpartition(".")[2]])
        assert right > 0.8 * sum(lines.values()) > 0, \
            f"{function} at {lines}, expected {marked}\n{report.describe()}" \
            f"\n{run}"


def test_without_v8(tmp_path):
    """--no-v8 leaves the heap out, and JavaScript's names."""
    _, _, report, run = profile("22", tmp_path, "synthetic/module.mjs",
                                {"perSecond": 1000}, seconds=1,
                                options=["--no-v8"])
    assert not report.of(HEAP), run
    assert not [f for s in report.stacks for f in s.frames
                if f.file.endswith((".mjs", ".js"))], report.describe()
