# SPDX-License-Identifier: GPL-2.0-only
"""`leakbpf serve` as a service: what it tells the service manager, reloading,
the privileges it keeps, restarts after a crash."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

import machine
from leakbpf import PATIENCE, Target
from paths import BINARY, target_path
from server import Server

CAPABILITIES = {"CAP_SYS_PTRACE": 19, "CAP_DAC_READ_SEARCH": 2,
                "CAP_PERFMON": 38, "CAP_BPF": 39,
                "CAP_CHECKPOINT_RESTORE": 40}
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f)


def has_uprobe_multi(server):
    return "multi 0" in server.stderr()


def wait_for_text(server, text):
    server.wait_for(lambda: text in server.stderr())


class Manager:
    """The service manager's end of sd_notify(3)."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)

    def heard(self, seconds):
        """Everything that is said within that time."""
        out = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                out += self.socket.recv(4096).decode().split("\n")
            except TimeoutError:
                break
        return out

    def wait_for(self, line):
        deadline = time.monotonic() + PATIENCE
        heard = []
        while line not in heard:
            assert time.monotonic() < deadline, f"no {line} in {heard}"
            heard += self.heard(0.1)
        return heard

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def test_the_service_manager_is_told(tmp_path):
    with Target("functions") as target, \
            Manager(tmp_path / "notify") as manager:
        env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "600000"}
        with Server(target, "-i", "0.5", env=env, journal=True) as server:
            heard = manager.wait_for("READY=1")
            while heard.count("WATCHDOG=1") < 3:
                heard += manager.wait_for("WATCHDOG=1")
            assert any(h.startswith("STATUS=following 1 process")
                       for h in heard), heard
            # It hangs: no signs of life.
            server.process.send_signal(signal.SIGSTOP)
            manager.heard(0.1)
            assert manager.heard(1) == []
            server.process.send_signal(signal.SIGCONT)
            server.process.send_signal(signal.SIGHUP)
            heard = manager.wait_for("RELOADING=1")
            if "READY=1" not in heard[heard.index("RELOADING=1"):]:
                manager.wait_for("READY=1")
            server.process.send_signal(signal.SIGTERM)
            assert "STOPPING=1" in manager.wait_for("STOPPING=1")
            assert server.process.wait(PATIENCE) == 0, server.stderr()
            lines = server.stderr().splitlines()
    assert f"<6>tracing process {target.pid} (functions); Ctrl-C ends with " \
        "a final report" in lines
    assert all(re.match("<[3-7]>", line) for line in lines), lines


def test_configuration_is_reloaded(tmp_path):
    config, page = tmp_path / "leakbpf.conf", tmp_path / "page.html"

    def write(text):
        config.write_text(f"pid = {target.pid}\ninterval = 0.5\n{text}")
        config.chmod(0o644)

    with Target("functions") as target:
        write("top = 3\n")
        with Server(None, "--config", config) as server:
            pid = server.process.pid
            write("top = 4\nnonsense = yes\n")
            os.kill(pid, signal.SIGHUP)
            wait_for_text(server, f"{config}:4: there is no setting "
                          "'nonsense'")
            write(f"html = {tmp_path}/missing/page.html\n")
            os.kill(pid, signal.SIGHUP)
            wait_for_text(server, "reload: nothing is changed")
            assert "read again" not in server.stderr()
            write(f"html = {page}\nmmap = yes\nlog-level = warn\n")
            os.kill(pid, signal.SIGHUP)
            wait_for_text(server, "mmap takes effect after a restart")
            server.wait_for(page.exists)
            assert server.stop() == 0, server.stderr()


def test_targets_are_reloaded(tmp_path):
    config = tmp_path / "leakbpf.conf"

    def write(text):
        config.write_text(f"interval = 0.5\n{text}\n")
        config.chmod(0o644)

    def pids(server):
        report = json.loads(server.get("/api")[2])
        return {t["pid"] for t in report["targets"] if t["alive"]}

    def is_seen(server, target):
        return f'pid="{target.pid}",memory="native",function="leak_slowly"' \
            .encode() in server.get("/metrics")[2]

    with Target("load", "service") as one, Target("load", "service") as two, \
            Target("functions") as other:
        one.line()
        two.line()
        write(f"pid = {one.pid}")
        with Server(None, "--config", config) as server:
            server.wait_for(lambda: is_seen(server, one))
            write(f"pid = {one.pid}\npid = {1 << 22}")
            os.kill(server.process.pid, signal.SIGHUP)
            wait_for_text(server, "reload: nothing is changed")
            assert pids(server) == {one.pid}
            write(f"pid = {two.pid}")
            os.kill(server.process.pid, signal.SIGHUP)
            server.wait_for(lambda: is_seen(server, two))
            assert pids(server) == {two.pid}
            assert not is_seen(server, one)
            assert not machine.patched_bytes(one.pid)
            assert server.stop() == 0, server.stderr()
        write(f"pid = {one.pid}\ncomm = no-such-name")
        with Server(None, "--config", config) as server:
            assert pids(server) == {one.pid}
            write("comm = functions")
            os.kill(server.process.pid, signal.SIGHUP)
            server.wait_for(lambda: other.pid in pids(server))
            assert one.pid not in pids(server)
            write("cgroup = ../../etc")
            os.kill(server.process.pid, signal.SIGHUP)
            wait_for_text(server, "give a directory below a mount of cgroup")
            assert other.pid in pids(server)
            write(f"pid = {two.pid}")
            os.kill(server.process.pid, signal.SIGHUP)
            server.wait_for(lambda: pids(server) == {two.pid})
            assert server.stop() == 0, server.stderr()


@pytest.fixture
def private_folder():
    """Pytest's own folders cannot be entered by others."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 65534, 65534)
        yield pathlib.Path(folder)


@pytest.mark.parametrize("link", ["best", "perf"])
def test_few_privileges_are_kept_and_enough(private_folder, link):
    """Of a process of another user, in a folder that only that user may
    enter, whose program is replaced, a library that is loaded later is
    traced."""
    folder = private_folder
    for name in ("plugin_host", "plugin.so"):
        shutil.copy(target_path(name), folder / name)
    for path in (folder / "plugin_host", folder / "plugin.so"):
        os.chown(path, 65534, 65534)
        path.chmod(0o700)
    with Target(str(folder / "plugin_host"), folder / "plugin.so",
                wrapper=NOBODY) as target:
        (folder / "plugin_host").unlink()
        with Server(target, "-i", "0.5", "-v",
                    *(["--link", link] if link == "perf" else [])) as server:
            status = status_of(server.process.pid)
            names = set(CAPABILITIES)
            # The kernel asks for it where probes are perf events.
            if link == "best" and not has_uprobe_multi(server):
                pytest.skip("this kernel has perf events only")
            if link == "perf":
                names.add("CAP_SYS_ADMIN")
            kept = sum(1 << {**CAPABILITIES, "CAP_SYS_ADMIN": 21}[n]
                       for n in names)
            for name, expected in (("CapEff", kept), ("CapPrm", kept),
                                   ("CapInh", 0), ("CapBnd", 0),
                                   ("CapAmb", 0)):
                assert int(status[name], 16) == expected, (name, status)
            assert status["NoNewPrivs"] == "1"
            named = re.search("privileges kept: (.*);", server.stderr())
            assert set(named[1].split(", ")) == names
            assert target.truth(), target.stderr()
            server.wait_for(lambda: b'function="plugin_allocate"' in
                            server.get("/metrics")[2])
            assert b'plugin.c",line="' in server.get("/metrics")[2]
            os.kill(server.http_process(), signal.SIGKILL)
            server.wait_for(lambda: server.get("/healthz")[0] == 200)
            assert server.stop() == 0, server.stderr()


def wait_until_none(look):
    """The kernel takes its time, but nobody's help."""
    deadline = time.monotonic() + PATIENCE
    while found := look():
        assert time.monotonic() < deadline, f"left: {found}"
        time.sleep(0.05)


def test_a_crash_leaves_nothing_and_is_reported_after_the_restart(tmp_path):
    service = ("-i", "0.5", "--pid-file", tmp_path / "pid", "--state-dir",
               tmp_path / "state")
    known = machine.children()
    with Target("load", "service") as target:
        target.line()
        with Server(target, *service) as first:
            assert not first.losses(), first.losses()
            assert machine.patched_bytes(target.pid), "no probe was set"
            second = subprocess.run(
                [BINARY, "serve", "-p", str(target.pid), "--pid-file",
                 tmp_path / "pid"], capture_output=True, text=True,
                timeout=PATIENCE)
            assert second.returncode == 10, second
            assert f"process {first.process.pid}" in second.stderr, second
            helpers = [first.http_process()]
            first.process.kill()
            first.process.wait(PATIENCE)
            killed = time.monotonic()
        wait_until_none(lambda: machine.patched_bytes(target.pid))
        wait_until_none(lambda: [p for p in machine.children()
                                 if "leakbpf" in p and p not in known])
        wait_until_none(lambda: [p for p in helpers
                                 if os.path.exists(f"/proc/{p}")])
        time.sleep(max(0, killed + 2 - time.monotonic()))
        with Server(target, *service) as again:
            gap = time.monotonic() - killed
            lost = again.losses()
            what = "seconds not watched before this run: allocations in " \
                "that time are unknown"
            # It was written down when the first one began.
            assert what in lost and 2 <= lost[what] <= gap + 12, lost
            assert "not watching for at most" in again.stderr()
            assert (tmp_path / "pid").read_text() == \
                f"{again.process.pid}\n"
            assert again.stop() == 0, again.stderr()
        assert not (tmp_path / "pid").exists()
        with Server(target, *service) as third:
            assert "killed or crashed" not in third.stderr()
            assert re.search(r"not watching for \d s: ", third.stderr())
            assert third.stop() == 0
