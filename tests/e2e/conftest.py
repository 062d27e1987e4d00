# SPDX-License-Identifier: GPL-2.0-only
"""Builds the targets once, and makes sure that nothing stays behind."""
import os
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(__file__))

import machine  # noqa: E402
from leakbpf import Run  # noqa: E402
from paths import BINARY, ROOT  # noqa: E402


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("end-to-end tests attach eBPF programs: run as root", 2)
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"{BINARY} is missing: run make first", 2)
    os.chdir(ROOT)
    machine.adopt_orphans()
    built = subprocess.run(
        ["make", "-s", "-j2", "-C", os.path.join(ROOT, "tests/targets")],
        capture_output=True, text=True, timeout=300)
    if built.returncode:
        pytest.exit("cannot build the targets:\n" + built.stdout +
                    built.stderr, 2)


def pytest_runtest_setup():
    Run.made.clear()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """Of a message that is no text pytest shows the type at best."""
    report = (yield).get_result()
    if report.failed:
        report.sections += [("leakbpf", str(run)) for run in Run.made]


@pytest.fixture(autouse=True)
def no_process_left_behind():
    known = machine.children()  # of fixtures that serve several tests
    yield
    left = machine.lasting_processes(known)
    assert not left, f"processes left behind: {left}"
