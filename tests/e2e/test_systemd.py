# SPDX-License-Identifier: GPL-2.0-only
"""The unit under a real systemd: with all that it forbids leakbpf works."""
import os
import re
import signal
import subprocess
import time
import urllib.request

import pytest

from groups import group, inside
from leakbpf import PATIENCE, Target
from paths import BINARY, ROOT
from server import free_port

UNIT = os.path.join(ROOT, "packaging/systemd/leakbpf.service")
SYSTEMD = "/lib/systemd/systemd"

# A manager that is not process 1 has to be one of a user: root, who may set up
# all that a unit asks for. It finds what process 1 would have made.
BOOT = """
mount --make-rprivate /
mount -t tmpfs tmpfs /run
umount -l /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /run/user/0 /run/systemd/system /run/systemd/inaccessible/dir
cd /run/systemd/inaccessible
touch reg sock && mkfifo fifo && mknod chr c 0 0 && mknod blk b 0 0
chmod 0 *
mkdir -p /run/e2e/config/systemd/user
cp {binary} {config} /run/e2e/
cp {unit} /run/e2e/config/systemd/user/
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/e2e \
    XDG_RUNTIME_DIR=/run/user/0 XDG_CONFIG_HOME=/run/e2e/config \
    {systemd} --user --log-target=console
"""

pytestmark = pytest.mark.skipif(not os.path.exists(SYSTEMD),
                                reason="no systemd")


class Manager:
    def __init__(self, place, folder, settings):
        unit, config = folder / "leakbpf.service", folder / "leakbpf.conf"
        with open(UNIT) as f:
            # Not below /tmp: the unit has one of its own.
            unit.write_text(f.read().replace("/usr/sbin/", "/run/e2e/")
                            .replace("/etc/leakbpf/", "/run/e2e/"))
        config.write_text(settings)
        config.chmod(0o644)
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*inside(place), "unshare", "--mount", "--cgroup", "sh", "-ec",
                 BOOT.format(binary=BINARY, config=config, unit=unit,
                             systemd=SYSTEMD)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def control(self, *words):
        return subprocess.run(
            ["nsenter", "-t", str(self.process.pid), "-m", "env",
             "XDG_RUNTIME_DIR=/run/user/0", "systemctl", "--user", *words],
            capture_output=True, text=True, timeout=PATIENCE, check=False)

    def wait_for(self, what, condition):
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < deadline, f"expected {what}\n{self}"
            time.sleep(0.1)
        return found

    def wait_until_up(self):
        self.wait_for("an answer from systemd", lambda: "State=" in
                      self.control("show", "-p", "SystemState").stdout)

    def properties(self):
        shown = self.control("show", "leakbpf").stdout
        return dict(line.split("=", 1) for line in shown.splitlines())

    def main_pid(self):
        """Of the service when it is active."""
        got = self.properties()
        return got["ActiveState"] == "active" and int(got["MainPID"])

    def __str__(self):
        return (self.control("status", "--no-pager", "leakbpf").stdout +
                self.log.read_text(errors="replace"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def restrictions(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(re.findall(r"^(CapBnd|CapEff|NoNewPrivs|Seccomp):\s+(\w+)$",
                               f.read(), re.M))


def is_read_only(pid, point):
    with open(f"/proc/{pid}/mounts") as f:
        return any(words[1] == point and words[3].startswith("ro")
                   for words in map(str.split, f))


def leak_is_served(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics",
                                    timeout=PATIENCE) as answer:
            return 'function="leak_malloc",file="/' in answer.read().decode()
    except OSError:
        return False


def test_the_unit_works_as_it_is(tmp_path):
    port = free_port()
    with group() as (_, place), Target("functions") as target:
        with Manager(place, tmp_path, f"pid = {target.pid}\ninterval = 0.5\n"
                     "sample-bytes = 0\nmax-overhead = 0\n"
                     f"listen = 127.0.0.1:{port}\n") as manager:
            manager.wait_until_up()
            got = manager.control("start", "leakbpf")
            assert got.returncode == 0, f"{got}\n{manager}"
            first = manager.main_pid()
            limits = restrictions(first)
            assert limits["NoNewPrivs"] == "1", limits
            assert limits["Seccomp"] == "2", limits
            # All but the 8 of the unit.
            assert bin(int(limits["CapBnd"], 16)).count("1") == 8, limits
            assert is_read_only(first, "/") and is_read_only(first, "/sys")

            target.truth()
            manager.wait_for("the leak in /metrics",
                             lambda: leak_is_served(port))
            got = manager.control("reload", "leakbpf")
            assert got.returncode == 0, f"{got}\n{manager}"
            assert manager.main_pid() == first, manager

            os.kill(first, signal.SIGKILL)
            manager.wait_for("another process after a crash",
                             lambda: manager.main_pid() not in (False, first))
            assert manager.properties()["NRestarts"] == "1", manager
            got = manager.control("stop", "leakbpf")
            assert got.returncode == 0, f"{got}\n{manager}"
            # A unit that failed would still be known.
            assert manager.properties()["Result"] == "success", manager
        target.finish()
