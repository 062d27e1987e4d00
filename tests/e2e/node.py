# SPDX-License-Identifier: GPL-2.0-only
"""Node.js: the binaries that tools/setup.sh installs, and the programs of
tests/targets/node (see lib/control.js there for the protocol).

    with Program(NODES["22"], "cases/registry.js", "leak") as target:
        base = target.ask("truth")
"""
import json
import os
import subprocess
import tempfile

from leakbpf import PATIENCE, Line
from paths import ROOT

PLACE = os.path.join(ROOT, "tests/targets/node")
DEBIAN_TREE = os.path.join(ROOT, ".cache/debian-node")

# Command lines, by major version.
NODES = {v: [os.path.join(PLACE, f"node_modules/node{v}/bin/node")]
         for v in ("18", "20", "22", "24")}


def debian_node():
    """Debian's own, which loads libnode.so. Where another one is installed as
    /usr/bin/node, Debian's is laid over /usr in a mount namespace."""
    if os.path.exists("/usr/lib/x86_64-linux-gnu/libnode.so.108"):
        return ["/usr/bin/node"]
    script = ("mount -t overlay -o lowerdir=\"$0\"/usr:/usr none /usr && "
              "exec /usr/bin/node \"$@\"")
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
            script, DEBIAN_TREE]


class Program:
    """A program that speaks the protocol; closed, it is dead."""

    def __init__(self, node, script, *arguments, options=()):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*node, *options, os.path.join(PLACE, script),
             *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.pid = self.process.pid
        self.lines = Line(self.process.stdout)
        try:
            self.said = self._read(None)
            assert self.said.get("state") == "ready", self.said
        except BaseException:
            self.close()
            raise

    def _read(self, timeout):
        try:
            return json.loads(self.lines.read(timeout))
        except (EOFError, TimeoutError) as error:
            raise AssertionError(
                f"{self.process.args}: {error}\n{self.stderr()}") from error

    def ask(self, command, argument=None, timeout=None):
        line = json.dumps([command, argument]) + "\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        return self._read(timeout)

    def finish(self):
        """Lets it end; returns its exit code."""
        self.process.stdin.write(b'["end"]\n')
        self.process.stdin.flush()
        return self.process.wait(PATIENCE)

    def alive(self):
        return self.process.poll() is None

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def certificate(place):
    """Makes one for localhost; returns (key file, certificate file)."""
    key, cert = os.path.join(place, "key"), os.path.join(place, "cert")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
         cert, "-days", "2", "-subj", "/CN=localhost"],
        check=True, capture_output=True, timeout=PATIENCE)
    return key, cert
