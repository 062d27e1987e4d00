# SPDX-License-Identifier: GPL-2.0-only
"""Targets in namespaces of their own, with a file tree of their own."""
import os
import shutil
import subprocess
import tempfile

import pytest

from leakbpf import Target, assert_exact, leakbpf, profile
from paths import target_path

EXACT = ("--sample-bytes", 0)


@pytest.fixture
def root():
    """A file tree with one program and its libraries, nothing else."""
    place = tempfile.mkdtemp(prefix="e2e-root-")
    os.makedirs(f"{place}/app")
    os.makedirs(f"{place}/proc")
    shutil.copy(target_path("functions"), f"{place}/app/service")
    listed = subprocess.run(["ldd", target_path("functions")], text=True,
                            capture_output=True, check=True).stdout
    for word in listed.split():
        if word.startswith("/"):
            os.makedirs(place + os.path.dirname(word), exist_ok=True)
            shutil.copy(word, place + word)
    yield place
    shutil.rmtree(place)


def contained(root):
    """Own mount and pid namespaces; the program sees itself as pid 1."""
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child",
            "chroot", root]


def test_other_file_tree_and_pid_namespace(root):
    with Target("/app/service", wrapper=contained(root)) as target:
        run = profile(target, *EXACT, "-n", 0)
    assert_exact(run)
    assert "functions.c:" in run.report.stack_of("leak_malloc").blame, run


def test_libc_is_the_containers_not_the_hosts(root):
    """The same path, another file: made so by moving the code of the copy."""
    with Target("/app/service", wrapper=contained(root)) as target:
        shown = leakbpf("--explain", "-p", target.pid)
    assert shown.returncode == 0, shown
    assert "libc.so.6" in shown.stdout, shown.stdout


def test_deleted_binary_and_library(root):
    """As after an upgrade of the package under a running service."""
    with Target("/app/service", wrapper=contained(root)) as target:
        shutil.rmtree(f"{root}/app")
        for folder in os.listdir(root):
            if folder.startswith("lib") or folder == "usr":
                shutil.rmtree(f"{root}/{folder}")
        run = profile(target, *EXACT)
    assert_exact(run)


def test_replaced_binary_is_not_mistaken_for_the_running_one(root):
    with Target("/app/service", wrapper=contained(root)) as target:
        os.rename(f"{root}/app/service", f"{root}/app/old")
        shutil.copy(target_path("load"), f"{root}/app/service")
        run = profile(target, *EXACT)
    assert_exact(run)
