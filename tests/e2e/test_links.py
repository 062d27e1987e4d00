# SPDX-License-Identifier: GPL-2.0-only
"""The three kinds of links must give the same results."""
import re

import pytest

import machine
from leakbpf import Target, assert_exact, leakbpf, profile
from paths import library

LINKS = ["session", "multi", "perf"]
EXACT = ("--sample-bytes", 0)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("program", ["functions", "functions.static", "maps"])
def test_exact(link, program):
    options = ["--mmap"] if program == "maps" else []
    with Target(program) as target:
        run = profile(target, *EXACT, "--link", link, *options)
    assert_exact(run)
    assert run.report.header["probes"][0].startswith(link + ":"), run


@pytest.mark.parametrize("link", LINKS)
def test_threads(link):
    with Target("threads", "handover") as target:
        run = profile(target, *EXACT, "--link", link)
    assert_exact(run, only=False)


@pytest.mark.parametrize("link", LINKS)
def test_calls_that_never_return(link):
    with Target("escape") as target:
        run = profile(target, *EXACT, "--link", link)
    assert_exact(run, only=False)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("scenario", ["fork", "vfork", "clone"])
def test_children(link, scenario):
    with Target("forks", scenario) as target:
        run = profile(target, *EXACT, "--link", link)
    assert_exact(run)


@pytest.mark.parametrize("link", LINKS)
def test_detaches_in_under_a_second(link):
    """And has half a second for the report."""
    def detach():
        with Target("functions", preload=library("libjemalloc.so.2")) as target:
            run = profile(target, *EXACT, "--link", link)
        return run.stop_seconds, run

    machine.assert_quick(detach, 1.0 + 0.5)


@pytest.mark.parametrize("link", LINKS)
def test_explain_names_every_site(link):
    with Target("functions") as target:
        shown = leakbpf("--explain", "-p", target.pid, "--link", link)
    assert shown.returncode == 0, shown
    sites = {}
    for line in shown.stdout.splitlines():
        found = re.match(r"  (\S+) +\+0x([0-9a-f]+) +(emulated|stepped) +"
                         r"(\S+) +(yes|no) +(\d+)  (.+)", line)
        if found:
            sites[found[1]] = found
    for name in ("malloc", "calloc", "realloc", "free"):
        key = next((k for k in sites if k.lstrip("_").replace(
            "libc_", "") == name), None)
        assert key, f"{name} is missing\n{shown.stdout}"
        # Sessions are for what returns something.
        expected = "multi" if (name, link) == ("free", "session") else link
        assert sites[key][4] == expected, shown.stdout
        assert sites[key][3] == "emulated", \
            f"{name} is single-stepped\n{shown.stdout}"
