# SPDX-License-Identifier: GPL-2.0-only
"""Processes selected by group, container or name, which come and go."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

import pytest

import groups
import machine
from leakbpf import PATIENCE, Profiler, Target, bytes_of_chain, leakbpf
from paths import target_path

EXACT = ("--sample-bytes", 0)


@pytest.fixture
def renamed():
    """A copy of a target with a name that nothing else on this machine has."""
    folder = tempfile.mkdtemp(prefix="e2e-comm-")

    def copy(name):
        path = os.path.join(folder, f"t{os.getpid()}{name}"[:15])
        shutil.copy(target_path(name), path)
        return path

    yield copy
    shutil.rmtree(folder)


def following(*options):
    """A profiler that may find nothing yet."""
    return Profiler([], *options, wait=False)


def attached_after(profiler, pid):
    """Seconds of its own until it says so."""
    clock = machine.Stopwatch(profiler.process.pid)
    profiler.wait_for(rf"tracing process {pid} ")
    return clock.seconds()


def test_forked_workers_are_traced(renamed):
    """A prefork server: workers never call exec, and all of them count."""
    path = renamed("prefork")
    with Target(path, 3) as target:
        with following("--comm", os.path.basename(path), *EXACT) as profiler:
            attached_after(profiler, target.pid)
            truth = target.truth()
            time.sleep(0.3)
            run = profiler.stop()
        assert target.finish() == 0, target.stderr()
    assert run.code == 0, run
    (chain, (size, _)), = truth.items()
    assert bytes_of_chain(run.folded, chain) == size, f"{truth}\n{run}"
    workers = {frames[0] for frames, _ in run.folded
               if "leak_in_worker" in frames}
    assert len(workers) == 3, run


def test_a_group_with_those_that_come_and_leave():
    with groups.group("below") as (path, folder), \
            Target("load", "service") as outside, \
            Target("load", "service",
                   wrapper=groups.inside(f"{folder}/below")) as first:
        with following("--cgroup", path, "-v", *EXACT) as profiler:
            attached_after(profiler, first.pid)
            with Target("load", "service",
                        wrapper=groups.inside(folder)) as second:
                started = attached_after(profiler, second.pid)
                # Moved into it: found by going through all processes.
                groups.move(outside.pid, folder)
                attached_after(profiler, outside.pid)
                with groups.hierarchy() as top:
                    groups.move(first.pid, top)
                profiler.wait_for(rf"process {first.pid} \(load\) does not "
                                  "belong")
            # Its end does not end the session.
            profiler.wait_for(rf"process {second.pid} \(load\) has ended")
            assert profiler.process.poll() is None
            run = profiler.stop()
    assert run.code == 0, run
    assert started < 2.5, f"attached {started:.2f} s after it started\n{run}"
    assert run.report.header["following"], run


def test_a_container_by_name_and_its_reports():
    name = f"e2e-{os.getpid()}"
    out = tempfile.mkdtemp(prefix="e2e-reports-")
    try:
        with groups.container(name, "load", "service") as target:
            with following("--container", name, *EXACT, "--json",
                           f"{out}/json", "--metrics",
                           f"{out}/metrics") as profiler:
                attached_after(profiler, target.pid)
                target.line()
                time.sleep(1)
                run = profiler.stop()
        assert run.code == 0, run
        assert f"in container {name}" in run.report.title, run
        assert run.report.stack_of("leak_slowly"), run
        with open(f"{out}/json") as f:
            report = json.load(f)
        assert report["targets"][0]["container"] == {
            "runtime": "crun", "id": name, "name": name}, report["targets"]
        assert report["following"]["attached"] == 1, report["following"]
        with open(f"{out}/metrics") as f:
            assert f'container="{name}"' in f.read()
    finally:
        shutil.rmtree(out)


def test_a_pods_container_by_id_and_uid():
    """The group is named as kubelet does it."""
    uid, identity = "9f4a7d62-1c2b-4b7e-8d3f-2a6c5e4b3a21", "5c" * 32
    group = f"/kubepods/burstable/pod{uid}/{identity}"
    with groups.container(f"e2e-pod-{os.getpid()}", "functions.musl-static",
                          group_path=group) as target:
        by_pod = leakbpf("--pod", uid, "-d", 1, "--json", "-", "-q")
        by_id = leakbpf("--container", identity[:8], "-d", 1)
        pid = target.pid
    assert by_pod.returncode == 0, by_pod
    report = json.loads(by_pod.stdout[by_pod.stdout.index("{"):])
    assert [t["pid"] for t in report["targets"]] == [pid], report["targets"]
    assert report["targets"][0]["pod"] == {"uid": uid}, report["targets"]
    assert report["targets"][0]["container"]["id"] == identity, report
    assert by_id.returncode == 0, by_id
    assert identity[:12] in by_id.stdout, by_id


def test_containers_and_pods_that_are_not_there():
    for option, text in (("--container", "nonesuch"), ("--pod", "nonesuch")):
        run = leakbpf(option, text, "-d", 1)
        assert run.returncode == 2, run
        assert f"{option} 'nonesuch': there is none" in run.stderr, run
    run = leakbpf("--cgroup", "a/../b", "-d", 1)
    assert run.returncode == 2, run


def test_what_cannot_be_traced_is_counted():
    """Quietly: the others are traced, and nothing is said of each."""
    with groups.group() as (path, folder):
        inside = groups.inside(folder)
        with Target("no_allocator", wrapper=inside), \
                Target("thirty_two", wrapper=inside), \
                Target("load", "service", wrapper=inside) as target:
            run = leakbpf("--cgroup", path, "-d", 1, "--json", "-", "-q")
    assert run.returncode == 0, run
    assert not run.stderr, run
    report = json.loads(run.stdout[run.stdout.index("{"):])
    assert [t["pid"] for t in report["targets"]] == [target.pid], report
    refused = report["following"]["not_traced"]
    assert refused["no_allocator"] == 1 and refused["foreign"] == 1, refused


def test_nothing_there_yet():
    """It waits, and ends with a report when its time is over."""
    run = leakbpf("--comm", f"none{os.getpid()}", "-d", 1)
    assert run.returncode == 0, run
    assert "waiting for one" in run.stderr, run
    assert "0 processes so far" in run.stdout, run


def start_with_pid(pid, *command):
    """A process with this very pid, which has just become free; None when
    others were faster time and again."""
    for _ in range(60):
        with open("/proc/sys/kernel/ns_last_pid", "w") as f:
            f.write(str(pid - 1))
        target = Target(*command)
        if target.pid == pid:
            return target
        target.close()
    return None


def test_a_pid_that_is_used_again(renamed):
    """The blocks of the first process are not those of the second."""
    path = renamed("load")
    with following("--comm", os.path.basename(path), "-i", 0.5,
                   *EXACT) as profiler:
        with Target(path, "blocks", 500, 2000) as first:
            attached_after(profiler, first.pid)
            first.truth()
            profiler.wait_for(r"in run_blocks\(\)", profiler.out)
        second = start_with_pid(first.pid, path, "blocks", 10, 100)
        if not second:
            profiler.stop()
            pytest.skip("the pid was not to be had")
        with second:
            deadline = time.monotonic() + PATIENCE
            while len(re.findall(f"tracing process {first.pid} ",
                                 profiler.text(profiler.err))) < 2:
                assert time.monotonic() < deadline, \
                    profiler.text(profiler.err)
                time.sleep(0.05)
            truth = second.truth()
            time.sleep(0.5)
            run = profiler.stop()
    assert run.code == 0, run
    assert truth == {"run_blocks;main": (1000, 10)}
    assert bytes_of_chain(run.folded, "run_blocks;main") == 1000, run


def test_many_short_lived_processes_do_not_keep_others_waiting():
    """A group where programs start and end all the time, and one beside it:
    what starts there is attached, and nothing grows."""
    with groups.group("storm", "calm") as (path, folder):
        storm = subprocess.Popen(
            [*groups.inside(f"{folder}/storm"), "sh", "-c",
             "while :; do for i in 1 2 3 4 5 6 7 8; do /bin/sleep 0.3 & done; "
             "/bin/true; /bin/true; /bin/sleep 0.02; done"])
        try:
            with following("--cgroup", path, "-i", 1, *EXACT) as profiler:
                time.sleep(2)
                with Target("load", "service", wrapper=groups.inside(
                        f"{folder}/calm")) as target:
                    target.line()
                    profiler.wait_for("leak_slowly", profiler.out)
                    open_files = len(os.listdir(
                        f"/proc/{profiler.process.pid}/fd"))
                    run = profiler.stop()
        finally:
            storm.kill()
            storm.wait()
            time.sleep(0.5)
    assert run.code == 0, run
    assert "leak_slowly" in run.folded_text, run
    assert open_files < 2000, f"{open_files} files open\n{run}"




def test_node_in_a_container(tmp_path):
    """Bound into it as its only program; the JavaScript line is named."""
    script = tmp_path / "app.js"
    script.write_text("const kept = [];\n"
                      "function remember() {\n"
                      "  kept.push(Buffer.alloc(20000, 1));\n"
                      "}\n"
                      "console.log(JSON.stringify({state: 'ready'}));\n"
                      "setInterval(remember, 5);\n")
    mounts = [(folder, folder) for folder in ("/usr", "/lib", "/lib64")
              if os.path.exists(folder)] + [(str(script), "/app/app.js")]
    name = f"e2e-node-{os.getpid()}"
    with groups.container(name, shutil.which("node"), "/app/app.js",
                          mounts=mounts) as target:
        with following("--container", name, "-i", 1) as profiler:
            attached_after(profiler, target.pid)
            profiler.wait_for("remember", profiler.out)
            run = profiler.stop()
    assert run.code == 0, run
    assert "remember() at /app/app.js:3" in run.out, run
