# SPDX-License-Identifier: GPL-2.0-only
"""Programs to be traced: built here, started here, ended here."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SOURCE = os.path.dirname(os.path.abspath(__file__))

# The compiler must not remove a malloc whose block is only freed.
FLAGS = ["-O2", "-g", "-fno-optimize-sibling-calls", "-fno-builtin-malloc"]
NO_FRAME_POINTER = ["-fomit-frame-pointer"]
# bpftrace walks frame pointers: without them its stacks end after a frame or
# two, which is cheaper. So churn is built both ways. leakbpf unwinds by CFI in
# either case.
FRAME_POINTER = ["-fno-omit-frame-pointer"]


def build(directory):
    """Builds every target that is older than its source."""
    os.makedirs(directory, exist_ok=True)
    jobs = [("churn", ["churn.c"], "gcc"),
            ("churn-static", ["churn.c"], "gcc"),
            ("churn-fp", ["churn.c"], "gcc"), ("deep", ["deep.c"], "gcc"),
            ("outstanding", ["outstanding.c"], "gcc"),
            ("truth", ["truth.c"], "gcc"), ("paced", ["paced.c"], "gcc"),
            ("faults", ["faults.c"], "gcc"),
            ("crowd-static", ["crowd.c"], "gcc"),
            ("strings", ["strings.cpp"], "g++"),
            ("big", ["big.c", "big.S"], "gcc")]
    for name, sources, compiler in jobs:
        output = os.path.join(directory, name)
        paths = [os.path.join(SOURCE, s) for s in sources]
        headers = glob.glob(os.path.join(SOURCE, "*.h"))
        inputs = paths + headers + [__file__]
        if os.path.exists(output) and all(
                os.path.getmtime(output) > os.path.getmtime(i) for i in inputs):
            continue
        flags = ["-O2"] if name == "big" else FLAGS + (
            FRAME_POINTER if name in ("churn-fp", "strings") else NO_FRAME_POINTER)
        if name.endswith("-static"):
            flags = [*flags, "-static"]
        subprocess.run([compiler, *flags, "-o", output, *paths, "-lpthread"],
                       check=True)


class Worker:
    """A target with the command loop of target.h."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        bufsize=1)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def command(self, text):
        """(thread CPU ns, wall ns, operations) after the command."""
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        return tuple(int(word) for word in answer)

    def cost(self, seconds):
        """CPU ns of the working thread per operation, over a window. The
        thread's own CPU time: what other programs on the machine take in the
        meantime does not count."""
        before = self.command("read")
        time.sleep(seconds)
        after = self.command("read")
        while after[2] == before[2]:  # a slow batch: let it end
            time.sleep(0.05)
            after = self.command("read")
        return (after[0] - before[0]) / (after[2] - before[2])


class Plain:
    """Any program that just runs."""

    def __init__(self, argv, **options):
        self.process = subprocess.Popen(argv, **options)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Redis:
    """redis-server on a private socket, without persistence."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="leakbpf-bench-")
        self.socket = os.path.join(self.directory, "redis.sock")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket,
             "--save", "", "--appendonly", "no", "--dir", self.directory,
             "--daemonize", "no", "--loglevel", "warning"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        self._wait()

    def _wait(self):
        for _ in range(100):
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(self.socket)
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("redis-server does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self, test, requests):
        out = subprocess.run(
            ["redis-benchmark", "-s", self.socket, "-t", test, "-n",
             str(requests), "-P", "16", "-c", "20", "-d", "64", "-r", "100000",
             "--csv"], capture_output=True, text=True, timeout=120, check=True)
        for line in out.stdout.splitlines():
            words = line.replace('"', "").split(",")
            if words[0].lower() == test:
                return float(words[1])
        raise RuntimeError("redis-benchmark: " + out.stdout + out.stderr)

    def throughput(self, test, seconds):
        """Requests per second, over about `seconds`."""
        subprocess.run(["redis-cli", "-s", self.socket, "flushall"],
                       stdout=subprocess.DEVNULL, check=True)
        guess = self._run(test, 3000)
        return self._run(test, max(5000, int(guess * seconds)))


def redis_available():
    return all(shutil.which(p) for p in
               ("redis-server", "redis-benchmark", "redis-cli"))
