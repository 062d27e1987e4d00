# SPDX-License-Identifier: GPL-2.0-only
"""Each file format of a live run, read by a program that is not ours."""
import os

from leakbpf import Profiler, Target, bytes_of_chain
from readers import flamegraph, pprof, pprof_traces, read_json


def record_functions(tmp_path, *formats):
    """Exact files of the target `functions`, and its truth."""
    paths = {f: str(tmp_path / f) for f in formats}
    options = [w for f, p in paths.items() for w in (f"--{f}", p)]
    with Target("functions") as target:
        with Profiler([target.pid], "--sample-bytes", 0, *options) as profiler:
            truth = target.truth()
            run = profiler.stop()
        assert target.finish() == 0
    assert run.code == 0, run
    return paths, truth, run


def test_pprof_opens_in_go_and_has_the_bytes(tmp_path):
    paths, truth, run = record_functions(tmp_path, "pprof")
    traces = pprof_traces(paths["pprof"], "inuse_space")
    folded = [([f.removesuffix(" (inline)") for f in reversed(t)], v)
              for t, v in traces.items()]
    seen = {c: bytes_of_chain(folded, c) for c in truth}
    assert seen == {c: t[0] for c, t in truth.items()}, \
        f"{pprof(paths['pprof'], '-traces')}\n{run}"
    blocks = pprof_traces(paths["pprof"], "inuse_objects")
    # The truth, which counts bytes, says nothing of malloc(0).
    counted = sum(n for trace, n in blocks.items()
                  if "leak_zero_size" not in trace)
    assert counted == sum(t[1] for t in truth.values()), f"{blocks}\n{run}"
    raw = pprof(paths["pprof"], "-raw")
    for what in ("alloc_objects/count", "alloc_space/bytes",
                 "inuse_objects/count", "inuse_space/bytes[dflt]",
                 "process:[functions]", "memory:[native]"):
        assert what in raw, f"expected {what} in\n{raw}"
    mapping = [m for m in raw.partition("Mappings")[2].splitlines()
               if "targets/functions" in m]
    assert len(mapping) == 1 and "[FN][FL][LN][IN]" in mapping[0], raw
    assert len(mapping[0].split()[3]) == 40, f"no build-id: {mapping}"


def test_flamegraph_pl_draws_the_bytes(tmp_path):
    paths, truth, run = record_functions(tmp_path, "folded")
    drawn = flamegraph(paths["folded"])
    assert ("all", sum(t[0] for t in truth.values())) in drawn, f"{drawn}{run}"
    expected = {}
    for chain, (size, _) in truth.items():
        leaf = chain.split(";")[0]
        expected[leaf] = expected.get(leaf, 0) + size
    seen = {leaf: sum(size for name, size in drawn if name == leaf)
            for leaf in expected}
    assert seen == expected, f"{drawn}\n{run}"


def test_json_satisfies_its_schema_and_has_the_bytes(tmp_path):
    paths, truth, run = record_functions(tmp_path, "json")
    document = read_json(paths["json"])
    names = [f["function"] for f in document["frames"]]
    folded = [([names[i] for i in s["frames"]], s["live_bytes"]["value"])
              for s in document["stacks"]]
    seen = {c: bytes_of_chain(folded, c) for c in truth}
    assert seen == {c: t[0] for c, t in truth.items()}, run
    assert document["totals"]["live_bytes"]["value"] == sum(seen.values())
    assert document["targets"][0]["name"] == "functions"
    assert document["final"] and not document["losses"], document["losses"]
    for stack in document["stacks"]:
        assert stack["frames"] and max(stack["frames"]) < len(names)


def test_several_formats_agree(tmp_path):
    paths, _, run = record_functions(tmp_path, "pprof", "json")
    total = sum(v for _, v in run.folded)
    assert sum(pprof_traces(paths["pprof"], "inuse_space").values()) == total
    document = read_json(paths["json"])
    assert sum(s["live_bytes"]["value"] for s in document["stacks"]) == total
    assert sorted(os.listdir(tmp_path)) == ["json", "pprof"]
