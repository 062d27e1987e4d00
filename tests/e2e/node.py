# SPDX-License-Identifier: GPL-2.0-only
"""Node.js: the binaries that tools/setup.sh installs, and the programs of
tests/targets/node (see lib/control.js there for the protocol).

    with Program(NODES["22"], "cases/registry.js", "leak") as target:
        base = target.ask("truth")
"""
import json
import os
import subprocess

from leakbpf import PATIENCE, Spoken
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


class Program(Spoken):
    """A program that speaks the protocol."""

    def __init__(self, node, script, *arguments, options=()):
        super().__init__([*node, *options, os.path.join(PLACE, script),
                          *map(str, arguments)])

    def ask(self, command, argument=None, timeout=None):
        self.say(json.dumps([command, argument]))
        return self.read(timeout)

    def finish(self):
        """Lets it end; returns its exit code."""
        return self.end('["end"]')


def certificate(place):
    """Makes one for localhost; returns (key file, certificate file)."""
    key, cert = os.path.join(place, "key"), os.path.join(place, "cert")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
         cert, "-days", "2", "-subj", "/CN=localhost"],
        check=True, capture_output=True, timeout=PATIENCE)
    return key, cert
