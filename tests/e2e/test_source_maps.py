# SPDX-License-Identifier: GPL-2.0-only
"""TypeScript and bundles: lines of what people wrote, found in the source maps
that compilers left, of real Node processes."""
import os
import shutil
import subprocess
import tempfile
import time

import pytest

from leakbpf import PATIENCE, Profiler, leakbpf
from readers import read_json

pytest.importorskip("node")
from node import NODES, PLACE, Program  # noqa: E402

SIZE = 20000
CALLS = 1000
TOLERANCE = 0.15
SOURCES = os.path.join(PLACE, "sources")
STORE = os.path.join(SOURCES, "store.ts")
APP = os.path.join(SOURCES, "app.ts")

COMPILERS = {
    "tsc": ["typescript/bin/tsc", "--module", "commonjs", "--target",
            "es2020", "--esModuleInterop", "--skipLibCheck", "--allowJs"],
    "esbuild": ["esbuild/bin/esbuild", "--bundle", "--platform=node",
                "--log-level=warning"],
}
# What is compiled how, and where the program is then.
BUILDS = {
    "tsc": ("tsc", ["--sourceMap"], "sources/app.js"),
    "tsc inline": ("tsc", ["--inlineSourceMap"], "sources/app.js"),
    "bundle": ("esbuild", ["--sourcemap"], "app.js"),
    "minified": ("esbuild", ["--sourcemap", "--minify"], "app.js"),
    "minified inline": ("esbuild", ["--sourcemap=inline", "--minify"],
                        "app.js"),
}


def site(path):
    """The line that the source marks."""
    with open(path, encoding="utf-8") as f:
        return next(number for number, line in enumerate(f, 1)
                    if "// site" in line)


def build(name, place):
    """Compiles app.ts; returns the program's path."""
    compiler, options, program = BUILDS[name]
    command = [*NODES["22"],
               os.path.join(PLACE, "node_modules", COMPILERS[compiler][0]),
               *COMPILERS[compiler][1:], *options, APP]
    command.append(f"--outdir={place}" if compiler == "esbuild"
                   else f"--outDir={place}")
    if compiler == "tsc":
        command[-1:] = ["--outDir", str(place)]
    # tsc has no types of Node here, and says so; it compiles all the same. It
    # would leave a cache of its code behind.
    done = subprocess.run(command, capture_output=True, text=True,
                          timeout=PATIENCE, check=False,
                          env={**os.environ, "NODE_DISABLE_COMPILE_CACHE": "1"})
    path = os.path.join(place, program)
    assert os.path.exists(path), f"{done.stdout}\n{done.stderr}"
    return path


def trace(program, *options, node=NODES["22"], during=None):
    with Program(node, program) as target:
        with Profiler([target.pid], *options) as profiler:
            said = target.ask("work", {"calls": CALLS, "size": SIZE})
            if during:
                during()
            time.sleep(0.5)
            run = profiler.stop()
        assert target.finish() == 0, target.stderr()
    assert run.code == 0, run
    return run, said["bytes"]


def held(run, place):
    """Bytes of stacks that have a frame there, "FILE:LINE"."""
    return sum(value for frames, value in run.folded
               if any(f.rpartition(" ")[2] == place for f in frames))


def assert_sources(run, size):
    for path in (STORE, APP):
        place = f"{path}:{site(path)}"
        seen = held(run, place)
        assert abs(seen - size) < TOLERANCE * size, \
            f"{place}: expected {size}, seen {seen}\n{run.folded_text}\n{run}"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The same program for every version of Node.js: compiled once."""
    known = {}

    def program(name):
        if name not in known:
            known[name] = build(name, tmp_path_factory.mktemp("built"))
        return known[name]

    return program


@pytest.mark.parametrize("version", NODES)
@pytest.mark.parametrize("name", BUILDS)
def test_lines_are_those_of_the_source(name, version, built):
    """Whatever compiled it, and wherever the map is, the leak is told at the
    line of the TypeScript that allocates."""
    run, size = trace(built(name), node=NODES[version])
    assert_sources(run, size)
    assert f"store.ts:{site(STORE)}:" in run.report.stacks[0].blame, run


def line_of(path, text):
    """The only line of a file that has this in it."""
    with open(path, encoding="utf-8") as f:
        found = [n for n, line in enumerate(f, 1) if text in line]
    assert len(found) == 1, f"{text!r} is in lines {found} of {path}"
    return found[0]


def assert_generated(run, program, size):
    """The leak is told at its line of the compiled program."""
    place = f"{program}:{line_of(program, 'Buffer.alloc')}"
    seen = held(run, place)
    assert abs(seen - size) < TOLERANCE * size, f"{place}: {seen}\n{run}"
    assert ".ts:" not in run.folded_text, run


def test_without_source_maps(tmp_path):
    program = build("bundle", tmp_path)
    run, size = trace(program, "--no-source-maps")
    assert_generated(run, program, size)


def test_what_ran_is_in_json_and_in_captures(tmp_path):
    """JSON has both places, from a live run as from a capture."""
    program = build("bundle", tmp_path)
    live, capture = tmp_path / "live.json", tmp_path / "capture"
    with Program(NODES["22"], program) as target:
        with Profiler([target.pid], "--json", live, "-o", capture,
                      command="record") as profiler:
            target.ask("work", {"calls": CALLS, "size": SIZE})
            time.sleep(0.5)
            run = profiler.stop()
        assert target.finish() == 0
    assert run.code == 0, run
    shown = leakbpf("report", capture, "--json", tmp_path / "json")
    assert shown.returncode == 0, shown
    document = read_json(tmp_path / "json")
    assert document == read_json(live)
    found = [f for f in document["frames"]
             if f.get("file") == STORE and f["line"] == site(STORE)]
    assert {f["generated"]["line"] for f in found} == \
        {line_of(program, "Buffer.alloc")}, found
    assert {f["generated"]["file"] for f in found} == {program}, found


def test_a_map_of_another_build_is_not_used(tmp_path):
    """The program was built anew while it ran: lines of the new map would be
    wrong for what runs."""
    program = build("bundle", tmp_path)
    place = f"{program}:{line_of(program, 'Buffer.alloc')}"
    with open(program, encoding="utf-8") as f:
        text = f.read()

    def rebuild():
        with open(program, "w", encoding="utf-8") as f:
            f.write("// A new line.\n" + text)

    run, size = trace(program, during=rebuild)
    assert abs(held(run, place) - size) < TOLERANCE * size, run
    assert ".ts:" not in run.folded_text, run
    assert f"source map of {program} is not used" in run.err, run


def test_a_map_that_is_missing(tmp_path):
    """Packages often come without the maps that they name: nothing is said."""
    program = build("bundle", tmp_path)
    os.remove(program + ".map")
    run, size = trace(program)
    assert_generated(run, program, size)
    assert "source map" not in run.err, run


def test_the_older_comment(tmp_path):
    """//@ sourceMappingURL, and a map in another folder."""
    program = build("bundle", tmp_path)
    os.makedirs(tmp_path / "more" / "maps")
    shutil.move(program + ".map", tmp_path / "more" / "maps" / "app.map")
    with open(program, encoding="utf-8") as f:
        text = f.read()
    with open(program, "w", encoding="utf-8") as f:
        f.write(text.replace("//# sourceMappingURL=app.js.map",
                             "//@ sourceMappingURL=more/maps/app.map"))
    run, size = trace(program)
    # Sources are told from the map's folder, which is two further down.
    base = tmp_path / "more" / "maps"
    place = os.path.normpath(
        os.path.join(base, os.path.relpath(STORE, tmp_path)))
    seen = held(run, f"{place}:{site(STORE)}")
    assert abs(seen - size) < TOLERANCE * size, run


def test_a_map_that_the_target_may_not_read(tmp_path):
    """It could have another user's files shown."""
    tmp_path.chmod(0o755)
    program = build("bundle", tmp_path)
    os.chmod(program + ".map", 0o600)
    node = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            *NODES["22"]]
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        for name in ("app.js", "app.js.map"):
            shutil.copy(tmp_path / name, place)
        program = os.path.join(place, "app.js")
        run, size = trace(program, node=node)
        assert_generated(run, program, size)


def test_a_map_in_the_targets_own_file_tree(tmp_path):
    """Mounted where only the target sees it."""
    build("bundle", tmp_path)
    node = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
            f"mount --bind {tmp_path} /srv && exec \"$@\"", "sh",
            *NODES["22"]]
    run, size = trace("/srv/app.js", node=node)
    place = os.path.normpath(
        os.path.join("/srv", os.path.relpath(STORE, tmp_path)))
    seen = held(run, f"{place}:{site(STORE)}")
    assert abs(seen - size) < TOLERANCE * size, run
