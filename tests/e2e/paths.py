# SPDX-License-Identifier: GPL-2.0-only
"""Where things are."""
import os

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BINARY = os.environ.get("LEAKBPF", os.path.join(ROOT, "build", "leakbpf"))
TARGETS = os.path.join(ROOT, "build", "targets")


def target_path(name):
    return name if "/" in name else os.path.join(TARGETS, name)


def library(name):
    """A shared library of the distribution, by soname."""
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
                   "/usr/lib"):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    raise FileNotFoundError(name)
