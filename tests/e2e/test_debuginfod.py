# SPDX-License-Identifier: GPL-2.0-only
"""Names of a stripped program from a real debuginfod server."""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import pytest

from leakbpf import PATIENCE, Profiler, leakbpf

CACHE = "/var/cache/leakbpf/debuginfod"
SOURCE = """
#include <stdlib.h>
#include <unistd.h>
static __attribute__((noinline)) void remember(void)
{
    void *volatile p = malloc(1000);
    (void)p; __asm__ volatile("");
}
int main(void) { for (;;) { remember(); usleep(2000); } }
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def stripped(tmp_path_factory):
    """(program, its debug file, its build-id), which no server ever saw."""
    folder = tmp_path_factory.mktemp("stripped")
    program, debug = folder / "forgetful", folder / "served/forgetful.debug"
    build_id = os.urandom(20).hex()
    (folder / "forgetful.c").write_text(SOURCE)
    debug.parent.mkdir()
    for command in (
            ["gcc", "-g", "-O1", f"-Wl,--build-id=0x{build_id}", "-o", program,
             folder / "forgetful.c"],
            ["objcopy", "--only-keep-debug", program, debug],
            ["strip", program]):
        subprocess.run(command, check=True, timeout=PATIENCE)
    yield program, debug, build_id
    shutil.rmtree(f"{CACHE}/{build_id}", ignore_errors=True)


@pytest.fixture(scope="module")
def server(stripped):
    """The address of one that has the debug file."""
    _, debug, build_id = stripped
    url = f"http://127.0.0.1:{free_port()}"
    with subprocess.Popen(
            ["debuginfod", "-d", ":memory:", "-p", url.rpartition(":")[2],
             "-F", debug.parent], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/buildid/{build_id}/debuginfo",
                                       timeout=PATIENCE).close()
                break
            assert time.monotonic() < deadline, "the server has no file"
            time.sleep(0.1)
        yield url
        process.terminate()


@pytest.fixture
def running(stripped):
    with subprocess.Popen([stripped[0]]) as process:
        yield process.pid
        process.kill()


def names(text):
    return re.findall(r"^    (remember|main)  forgetful\.c:(\d+)  \(forgetful\)",
                      text, re.M)


def fetcher_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        for child in f.read().split():
            with open(f"/proc/{child}/status") as status:
                fields = dict(line.rstrip("\n").split(":\t", 1)
                              for line in status)
            if fields["Name"] == "leakbpf-fetch":
                return fields
    return None


def test_a_stripped_program_gets_names_and_lines(running, server):
    with Profiler([running], "--sample-bytes", 0,
                  env={"DEBUGINFOD_URLS": server}) as profiler:
        status = fetcher_of(profiler.process.pid)
        time.sleep(0.5)
        run = profiler.stop()
    assert run.code == 0 and names(run.out) == [
        ("remember", "6"), ("main", "9")], run
    assert status["Uid"].split() == ["65534"] * 4, status
    assert status["NoNewPrivs"] == "1" and int(status["CapEff"], 16) == 0 and \
        int(status["CapPrm"], 16) == 0, status
    assert run.report.header["losses"] == ["nothing lost"], run


def test_a_capture_gets_names_and_lines(running, server, tmp_path):
    capture = tmp_path / "capture"
    with Profiler([running], "--sample-bytes", 0, "-o", capture,
                  command="record") as profiler:
        assert fetcher_of(profiler.process.pid) is None
        time.sleep(0.5)
        assert profiler.stop().code == 0
    assert not names(leakbpf("report", capture).stdout)
    for more in ({"env": dict(os.environ, DEBUGINFOD_URLS=server)},
                 {"env": dict(os.environ, SUDO_UID="1", SUDO_GID="1",
                              DEBUGINFOD_CACHE_PATH=str(tmp_path / "none"),
                              DEBUGINFOD_URLS=server)}):
        shown = leakbpf("report", capture, **more)
        if "SUDO_UID" in more["env"]:  # which cannot write there
            assert shown.returncode == 0 and not names(shown.stdout), shown
        else:
            assert names(shown.stdout) == [("remember", "6"),
                                           ("main", "9")], shown
    shown = leakbpf("report", capture, "--debuginfod", server)
    assert len(names(shown.stdout)) == 2, shown
    shown = leakbpf("report", capture, "--debuginfod", "",
                    env=dict(os.environ, DEBUGINFOD_URLS=server))
    assert not names(shown.stdout), shown


def test_what_was_fetched_is_kept(running, stripped, server):
    """... and without a server only the lines are missing."""
    def profile(url):
        with Profiler([running], "--sample-bytes", 0, "--debuginfod",
                      url) as profiler:
            time.sleep(0.3)
            return profiler.stop()
    absent = f"http://127.0.0.1:{free_port()}"
    assert len(names(profile(server).out)) == 2
    run = profile(absent)
    assert len(names(run.out)) == 2, run
    shutil.rmtree(f"{CACHE}/{stripped[2]}")
    run = profile(absent)
    assert run.code == 0 and not names(run.out), run
    assert "forgetful+0x" in run.out, run
