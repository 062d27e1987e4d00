# SPDX-License-Identifier: GPL-2.0-only
"""Runs `leakbpf serve`, and asks it."""
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from leakbpf import PATIENCE, kill
from paths import BINARY


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """`leakbpf serve` of one target, or with target None of what the options
    say. With `journal` it is told that standard error is systemd's."""

    def __init__(self, target, *options, env=None, wrapper=(), journal=False,
                 binary=BINARY):
        self.port = free_port()
        self.errors = tempfile.TemporaryFile()
        env = dict(os.environ, **(env or {}))
        if journal:
            st = os.fstat(self.errors.fileno())
            env["JOURNAL_STREAM"] = f"{st.st_dev}:{st.st_ino}"
        targets = ["-p", str(target.pid)] if target else []
        self.process = subprocess.Popen(
            [*wrapper, binary, "serve", *targets, "--sample-bytes", "0",
             "--max-overhead", "0",
             "--listen", f"127.0.0.1:{self.port}", *map(str, options)],
            stdout=subprocess.DEVNULL, stderr=self.errors, env=env)
        self.wait_for(lambda: self.get("/healthz")[0] == 200)

    def wait_for(self, condition):
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                if condition():
                    return
            assert time.monotonic() < deadline, self.stderr()
            assert self.process.poll() is None, self.stderr()
            time.sleep(0.1)

    def get(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=PATIENCE)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def http_process(self):
        parents = [self.process.pid]
        for parent in parents:
            with open(f"/proc/{parent}/task/{parent}/children") as f:
                children = list(map(int, f.read().split()))
            parents += children
            for child in children:
                with open(f"/proc/{child}/comm") as f:
                    if f.read().strip() == "leakbpf-http":
                        return child
        raise AssertionError("no HTTP process")

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def losses(self):
        report = json.loads(self.get("/api")[2])
        return {loss["what"]: loss["count"] for loss in report["losses"]}

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        kill(self.process)
        self.errors.close()
