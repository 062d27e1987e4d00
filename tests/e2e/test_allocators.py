# SPDX-License-Identifier: GPL-2.0-only
"""Other allocators, as shared objects and linked in, with the same truth."""
import pytest

from leakbpf import Target, assert_complete, assert_exact, leakbpf, profile
from paths import library

EXACT = ("--sample-bytes", 0)
SHARED = {"jemalloc": "libjemalloc.so.2",
          "tcmalloc_minimal": "libtcmalloc_minimal.so.4",
          "mimalloc": "libmimalloc.so.2.0"}


@pytest.mark.parametrize("allocator", SHARED)
def test_preloaded(allocator):
    with Target("functions", preload=library(SHARED[allocator])) as target:
        run = profile(target, *EXACT)
    assert_exact(run)
    assert_complete(run, "leak_malloc;run;main")


@pytest.mark.parametrize("allocator", SHARED)
def test_preloaded_under_cxx(allocator):
    """These implement operator new themselves."""
    with Target("cxx", preload=library(SHARED[allocator])) as target:
        run = profile(target, *EXACT)
    assert_exact(run)


@pytest.mark.parametrize("program", ["functions.jemalloc-static",
                                     "functions.tcmalloc-static"])
def test_linked_in(program):
    with Target(program) as target:
        run = profile(target, *EXACT)
    assert_exact(run)


@pytest.mark.parametrize("allocator", SHARED)
def test_threads(allocator):
    with Target("threads", "handover",
                preload=library(SHARED[allocator])) as target:
        run = profile(target, *EXACT)
    assert_exact(run, only=False)


def test_prefixed_functions_in_the_program():
    with Target("escape") as target:
        shown = leakbpf("--explain", "-p", target.pid)
    assert shown.returncode == 0, shown
    assert "je_malloc" in shown.stdout and "je_free" in shown.stdout, shown


def test_allocator_of_a_plugin_loaded_later():
    with Target("plugin_host", "build/targets/plugin_allocator.so") as target:
        run = profile(target, *EXACT)
    assert_exact(run, only=False)


def test_plugin_loaded_later():
    with Target("plugin_host", "build/targets/plugin.so") as target:
        run = profile(target, *EXACT)
    assert_exact(run, only=False)
    assert_complete(run, "plugin_allocate;plugin_leak;main")
