# SPDX-License-Identifier: GPL-2.0-only
"""record writes a file that report shows as the live run would have, also when
the recorder was killed, elsewhere, and without privileges."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import groups
from capture_file import Capture
from leakbpf import (PATIENCE, Profiler, Target, leakbpf, parse_folded,
                     parse_report)
from paths import BINARY, ROOT, target_path
from readers import pprof_traces, read_json
from test_v8_heap import Heap

NOBODY = 65534


def record(tmp_path, *options, settle=0.3):
    """Records the target `functions` exactly; returns the capture's path and
    the run, which has written JSON and folded stacks as well."""
    capture = str(tmp_path / "capture")
    with Target("functions") as target:
        with Profiler([target.pid], "--sample-bytes", 0, "--json",
                      tmp_path / "live.json", *options, "-o", capture,
                      command="record") as profiler:
            truth = target.truth()
            time.sleep(settle)
            run = profiler.stop()
        assert target.finish() == 0
    assert run.code == 0, run
    run.truth = truth
    return capture, run


def test_report_is_what_the_live_run_said(tmp_path):
    capture, run = record(tmp_path)
    assert run.out == "", f"record prints reports: {run}"
    shown = leakbpf("report", capture, "--json", tmp_path / "json", "--folded",
                    tmp_path / "folded")
    assert shown.returncode == 0 and shown.stderr == "", shown
    live = json.loads((tmp_path / "live.json").read_text())
    assert read_json(tmp_path / "json") == live
    assert (tmp_path / "folded").read_text() == run.folded_text
    report = parse_report(leakbpf("report", capture).stdout)
    assert len(report.stacks) == 10 and not \
        set(report.header["losses"]) - {"nothing lost"}, report.header


def test_a_selection_and_go_programs_are_as_in_the_live_run(tmp_path):
    """One process has ended and been let go, one cannot be traced, one is a Go
    program; the report of the file names and counts them as the live one."""
    capture = str(tmp_path / "capture")
    with groups.group() as (path, folder):
        inside = groups.inside(folder)
        with Profiler([], "--cgroup", path, "-i", 1, "--json",
                      tmp_path / "live.json", "-o", capture, wait=False,
                      command="record") as profiler, \
                Target("no_allocator", wrapper=inside):
            with Target("functions", wrapper=inside) as ended:
                profiler.wait_for(rf"tracing process {ended.pid} ")
                time.sleep(1.5)
            with Target("go", "hold", 0, wrapper=inside) as target:
                profiler.wait_for(rf"tracing process {target.pid} ")
                target.line()
                target.read()
                time.sleep(6)
                run = profiler.stop()
    assert run.code == 0, run
    shown = leakbpf("report", capture, "--json", tmp_path / "json")
    assert shown.returncode == 0 and shown.stderr == "", shown
    live = json.loads((tmp_path / "live.json").read_text())
    assert live["following"]["gone"] == 1, live["following"]
    assert live["following"]["not_traced"]["no_allocator"] == 1
    assert len(live["go"]) == 1 and live["go"][0]["collections"], live["go"]
    assert [t["name"] for t in live["targets"]] == ["go"]
    assert read_json(tmp_path / "json") == live
    report = parse_report(leakbpf("report", capture).stdout)
    assert path in report.header["following"][0], report.header
    assert report.header["Go heap"], report.header


def test_report_needs_no_privileges(tmp_path):
    capture, run = record(tmp_path)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        shutil.copy(capture, folder)
        os.chmod(os.path.join(folder, "capture"), 0o644)
        shown = leakbpf("report", os.path.join(folder, "capture"), "--folded",
                        "-", user=NOBODY, group=NOBODY, extra_groups=[])
    assert shown.returncode == 0, shown
    assert shown.stdout == run.folded_text


def test_a_killed_recorder_leaves_a_readable_file(tmp_path):
    capture = str(tmp_path / "capture")
    with Target("functions") as target:
        with Profiler([target.pid], "--sample-bytes", 0, "-i", 0.3,
                      "-o", capture, command="record") as profiler:
            target.truth()
            time.sleep(1)
            profiler.stop(signal.SIGKILL)
        assert target.finish() == 0
    shown = leakbpf("report", capture, "--folded", "-")
    assert shown.returncode == 0, shown
    assert "recording was interrupted" in shown.stderr, shown
    seen = {";".join(f) for f, _ in parse_folded(shown.stdout)}
    assert any("leak_calloc" in s for s in seen), seen


def test_each_file_says_what_is_wrong_with_it(tmp_path):
    empty, text = tmp_path / "empty", tmp_path / "text"
    empty.write_bytes(b"")
    text.write_text("no capture\n" * 10)
    started = Capture()
    begun = started.write(tmp_path / "begun")
    for path, words in ((empty, "is no capture"), (text, "is no capture"),
                        (begun, "holds no snapshot"),
                        (tmp_path / "missing", "No such file"),
                        (tmp_path, "Is a directory")):
        run = leakbpf("report", path)
        assert run.returncode == 13, run
        assert words in run.stderr and len(run.stderr.splitlines()) == 1, run


def test_the_document_describes_the_format(tmp_path):
    """A file written from the document alone."""
    c = Capture()
    c.symbols({1: [("malloc", None, 0)], 2: [("copy", "/s/copy.h", 3),
                                             ("work", "/s/work.c", 17)],
               3: [("main", "/s/main.c", 9)]})
    c.stacks({2: [1, 2, 3], 5: [1, 3]})
    c.snapshot(10, {2: (1000, 10), 5: (50, 1)}, final=False)
    c.snapshot(20, {2: (3000, 30)})
    path = c.write(tmp_path / "capture")
    run = leakbpf("report", path)
    assert run.returncode == 0 and run.stderr == "", run
    report = parse_report(run.stdout)
    assert [(s.bytes, s.objects) for s in report.stacks] == \
        [(2.9 * 1024, 30), (50, 1)], run.stdout
    assert report.stacks[0].blame == "in copy() at /s/copy.h:3"
    folded = leakbpf("report", path, "--folded", "-").stdout
    assert folded == "main;work;copy;malloc 3000\nmain;malloc 50\n"


HOSTILE = {
    "semicolon": "a;b;c",
    "newline": "one\ntwo",
    "script": "</script><script>alert(1)</script>&amp;\"'",
    "escape": "\x1b]0;title\x07\x1b[31m",
    "bidi": "abc\u202edef",
    "invalid": b"\xff\xfe\x80 \xed\xa0\x80",
    "long": "app::Map<" + "x" * 4096 + ">::insert",
    "space": "app::operator() (unsigned long) 12",
    "nul-like": "\\u0000 \\x00 %s%n",
    "unicode": "функция_漢字_🙂",
}


def hostile_capture(tmp_path):
    c = Capture(name="a;b\n<x>", command="<script>\x1b[2J --x='\"'")
    c.symbols({i + 1: [(name, name, 7)]
               for i, name in enumerate(HOSTILE.values())}, module="</svg>")
    c.stacks({i + 2: [i + 1, 1] for i in range(len(HOSTILE))})
    c.snapshot(30, {i + 2: ((i + 1) * 1000, i + 1)
                    for i in range(len(HOSTILE))})
    return c.write(tmp_path / "hostile")


def test_hostile_names_survive_in_text_formats(tmp_path):
    path = hostile_capture(tmp_path)
    total = 1000 * len(HOSTILE) * (len(HOSTILE) + 1) // 2
    run = leakbpf("report", path, "--folded", tmp_path / "folded", "--json",
                  tmp_path / "json", "--pprof", tmp_path / "pprof")
    assert run.returncode == 0, run
    folded = parse_folded((tmp_path / "folded").read_bytes().decode("utf-8"))
    assert sum(v for _, v in folded) == total
    assert all(len(f) == 2 for f, _ in folded), folded
    document = read_json(tmp_path / "json")
    names = {f["function"] for f in document["frames"]}
    for key in set(HOSTILE) - {"invalid"}:
        assert HOSTILE[key] in names, f"{key}: {names}"
    assert any("\ufffd" in n for n in names)
    assert "<" not in (tmp_path / "json").read_text()
    traces = pprof_traces(tmp_path / "pprof", "inuse_space")
    assert sum(traces.values()) == total, traces
    shown = leakbpf("report", path)
    assert shown.returncode == 0 and "\x1b" not in shown.stdout, shown


def test_record_wants_a_file_that_it_can_replace(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path / "pipe", "regular file"),
                        (tmp_path, "Is a directory"),
                        ("/nonexistent/x", "No such file")):
        run = leakbpf("record", "-o", path, "--", "/bin/true")
        assert run.returncode == 10 and words in run.stderr, run
    assert leakbpf("record", "-p", 1).returncode == 2
    assert leakbpf("report").returncode == 2
    assert leakbpf("report", "a", "-p", 1).returncode == 2


def test_completion_knows_every_option():
    help_text = leakbpf("--help").stdout
    options = set(re.findall(r"--[a-z0-9][a-z0-9-]+", help_text))

    def complete(*words):
        run = subprocess.run(
            ["bash", "-c", 'source completion/leakbpf.bash; COMP_WORDS=("$@");'
             'COMP_CWORD=$(($# - 1)); _leakbpf; printf "%s\\n" '
             '"${COMPREPLY[@]}"', "bash", "leakbpf", *words],
            capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT)
        assert run.returncode == 0 and not run.stderr, run
        return set(run.stdout.split())

    offered = complete("--") | complete("record", "--") | complete("serve",
                                                                   "--")
    assert options <= offered, f"not offered: {options - offered}"
    assert offered <= options | {"--output", "--token-file", "--pid-file",
                                   "--state-dir"}, offered - options
    assert complete("re") == {"record", "report"}
    assert "--pid" not in complete("report", "--")
    assert str(os.getpid()) in complete("-p", str(os.getpid())[:1])
    assert complete("report", "README") == {"README.md"}


def in_a_terminal(*arguments, **environment):
    """What a program writes to a terminal."""
    controller, terminal = os.openpty()
    with subprocess.Popen([BINARY, *map(str, arguments)], stdout=terminal,
                          stdin=subprocess.DEVNULL,
                          env=dict(os.environ, **environment)) as process:
        os.close(terminal)
        text = b""
        while True:
            try:
                data = os.read(controller, 65536)
            except OSError:  # closed by the last writer
                break
            text += data
        assert process.wait(PATIENCE) == 0
    os.close(controller)
    return text.decode()


def test_colours_are_for_terminals_only(tmp_path):
    c = Capture()
    c.symbols({1: [("malloc", None, 0)]})
    c.stacks({2: [1]})
    c.snapshot(10, {2: (1000, 10)})
    path = c.write(tmp_path / "capture")
    plain = leakbpf("report", path).stdout
    coloured = in_a_terminal("report", path, TERM="xterm")
    assert "\x1b" not in plain and "\x1b[1m#1 " in coloured, coloured
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", coloured).replace("\r\n", "\n")
    assert stripped == plain
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        text = in_a_terminal("report", path, **{"TERM": "xterm"} | environment)
        assert "\x1b" not in text, environment


def test_names_that_are_missing_come_from_this_machine(tmp_path):
    program = target_path("functions")
    notes = subprocess.run(["readelf", "-n", program], text=True,
                           capture_output=True, check=True).stdout
    build_id = bytes.fromhex(re.search(r"Build ID: (\w+)", notes)[1])
    addresses = {name: int(address, 16) for address, _, name in
                 (line.split() for line in subprocess.run(
                     ["nm", "--defined-only", program], text=True,
                     capture_output=True, check=True).stdout.splitlines())}

    def shown(path, known_id):
        c = Capture()
        c.object(3, path, known_id)
        c.stacks({2: [3 << 48 | addresses["leak_calloc"] + 4,
                      3 << 48 | addresses["main"] + 4]})
        c.snapshot(10, {2: (1000, 10)})
        return leakbpf("report", c.write(tmp_path / "capture"), "--folded",
                       "-").stdout

    assert shown(program, build_id) == "main;leak_calloc 1000\n"
    # Another build, another file, a device: nothing is opened, or believed.
    fallback = shown(program, bytes(reversed(build_id)))
    assert re.fullmatch(r"functions\+0x\w+;functions\+0x\w+ 1000\n", fallback)
    assert "+0x" in shown("/dev/zero", build_id)
    assert "+0x" in shown("/nonexistent", build_id)


def test_a_capture_keeps_what_is_known_of_v8s_heaps(tmp_path):
    capture = str(tmp_path / "capture")
    with Heap("22") as heap:
        with Profiler([heap.pid], "-o", capture, "--json",
                      tmp_path / "live.json", command="record") as profiler:
            heap.used()  # collects all garbage
            heap.used()
            time.sleep(1)
            run = profiler.stop()
    assert run.code == 0, run
    header = parse_report(leakbpf("report", capture).stdout).header
    assert re.search(r"live after the last full collection",
                     " ".join(header.get("V8 heap", []))), header
    leakbpf("report", capture, "--json", tmp_path / "json")
    assert read_json(tmp_path / "json") == \
        json.loads((tmp_path / "live.json").read_text())
