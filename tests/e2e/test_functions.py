# SPDX-License-Identifier: GPL-2.0-only
"""Every allocation function, in exact mode: the figures must be the truth."""
import re

import pytest

from leakbpf import Target, assert_complete, assert_exact, profile

EXACT = ("--sample-bytes", 0)


@pytest.mark.parametrize("program", [
    "functions", "functions.nopie", "functions.dwarf5",
    "functions.compressed", "functions.static", "functions.static-pie"])
def test_every_function_has_exactly_its_bytes(program):
    with Target(program) as target:
        run = profile(target, *EXACT)
    assert_exact(run)
    for chain in run.truth:
        if run.truth[chain][0]:
            assert_complete(run, chain)


# Debian builds musl without unwind information and without frame pointers: a
# walk ends in the first function of musl that called another one. Strings are
# duplicated there; all else is called from code that can be walked.
ENDS_IN_MUSL = ("leak_strdup", "leak_strndup", "leak_asprintf",
                "leak_getline")


@pytest.mark.parametrize("program", ["functions.musl",
                                     "functions.musl-static"])
def test_musl_has_exactly_its_bytes_and_says_where_walks_end(program):
    with Target(program) as target:
        run = profile(target, *EXACT)
    total = sum(t[0] for t in run.truth.values())
    assert sum(v for _, v in run.folded) == total, run
    run.truth = {c: t for c, t in run.truth.items()
                 if not c.startswith(ENDS_IN_MUSL)}
    assert len(run.truth) > 5
    assert_exact(run, only=False)
    assert all(f[0].startswith("[truncated: no unwind information")
               for f, _ in run.folded), run


def test_objects_and_lines_are_exact():
    with Target("functions") as target:
        run = profile(target, *EXACT, "-n", 0)
    for chain, (size, objects) in run.truth.items():
        if not size:
            continue
        stack = run.report.stack_of(chain.split(";")[0])
        assert stack, f"{chain} is not in the report\n{run}"
        assert stack.objects == objects, f"{chain}\n{run}"
        assert "functions.c:" in stack.blame, f"{chain}\n{run}"


def test_line_is_that_of_the_call_not_of_the_return(tmp_path):
    """The return address often belongs to the next line."""
    with open("tests/targets/functions.c") as f:
        lines = f.read().splitlines()
    wanted = next(i for i, text in enumerate(lines, 1)
                  if "calloc(7, 30)" in text)
    with Target("functions") as target:
        run = profile(target, *EXACT, "-n", 0)
    stack = run.report.stack_of("leak_calloc")
    assert stack and stack.blame.endswith(f"functions.c:{wanted}"), \
        f"expected line {wanted}\n{run}"


def test_library_functions_are_their_callers_blame():
    with Target("callers") as target:
        run = profile(target, *EXACT, "-n", 0)
    assert_exact(run)
    for chain in run.truth:
        assert run.report.stack_of(chain.split(";")[0]), f"{chain}\n{run}"


@pytest.mark.parametrize("program", ["cxx", "cxx.static", "cxx.tcmalloc"])
def test_new_and_delete(program):
    with Target(program) as target:
        run = profile(target, *EXACT)
    assert_exact(run)


def test_realloc_to_zero_frees():
    with Target("functions", "glibc") as target:
        run = profile(target, *EXACT)
    assert_exact(run)


def test_rust_names_are_demangled():
    with Target("rust_leak") as target:
        run = profile(target, *EXACT)
    found = [v for frames, v in run.folded
             if any(re.search(r"Keeper<.*>::remember|::remember", f)
                    for f in frames) and
             any(f.startswith("rust_leak::serve") for f in frames)]
    assert sum(found) == 500 * 1000, run
    assert not re.search(r"_ZN|17h[0-9a-f]{16}", run.folded_text), run


def test_separate_debug_file_gives_lines():
    with Target("functions.separate") as target:
        run = profile(target, *EXACT, "-n", 0)
    assert_exact(run)
    assert "functions.c:" in run.report.stack_of("leak_malloc").blame, run


def test_size_filters_leave_out_other_blocks():
    with Target("functions") as target:
        run = profile(target, *EXACT, "--min-size", 500, "--max-size", 5000)
    sizes = {c: t[0] // t[1] for c, t in run.truth.items() if t[1]}
    run.truth = {c: t for c, t in run.truth.items()
                 if 500 <= sizes[c] <= 5000}
    assert run.truth
    assert_exact(run)
