# SPDX-License-Identifier: GPL-2.0-only
"""Go programs: their own heap sampler is followed, by probes at entries only.
The truth is what the program holds, and what Go's own heap profile says."""
import json
import subprocess
import time

import pytest

from leakbpf import PATIENCE, Line, Profiler, Target, leakbpf, parse_folded
from paths import BINARY, target_path

SESSION = "main.rememberSession"
UPLOAD = "main.keepUpload"
# Sampling: one in RATE bytes, so a figure has a relative standard deviation of
# sqrt(RATE / bytes). Four of these, and 1 % for what the map itself takes.
RATES = [("go", 64 << 10), ("go.stripped", 0)]
DEFAULT_RATE = 512 << 10


def bytes_below(run, function):
    """Of stacks that contain the function."""
    return sum(v for frames, v in run.folded if function in frames)


def tolerance(rate, held):
    return 4 * ((rate or DEFAULT_RATE) / held) ** 0.5 + 0.01


@pytest.mark.parametrize("name,rate", RATES)
def test_what_is_held_is_seen_and_garbage_is_not(name, rate):
    """64 MiB in a map and 64 MiB in slices are held, 640 MiB of garbage made by
    goroutines whose stacks are moved while they allocate. Go's own profile was
    sampled by the very same events, so leakbpf agrees with it better than with
    the truth."""
    with Target(name, "hold", rate) as target:
        with Profiler([target.pid], "-n", 0) as profiler:
            target.line()
            said = target.read()
            time.sleep(2.5)  # what is known of the last collection
            run = profiler.stop()
        assert target.finish() == 0, target.stderr()
    assert run.code == 0, run
    for entry in said["truth"]:
        chain, held = entry["chain"], entry["bytes"]
        own = said["profile"][chain]
        seen = bytes_below(run, chain)
        share = tolerance(rate, held)
        # The map's buckets are in rememberSession, too: some 3 MiB.
        assert abs(seen - held) < held * (share + 0.08), \
            f"{chain} holds {held}, leakbpf says {seen}\n{run}"
        assert abs(seen - own) < own * 0.03, \
            f"Go's profile of {chain} is {own}, leakbpf says {seen}\n{run}"
    garbage = bytes_below(run, "main.deep")
    assert garbage < 16 << 20, f"{garbage} of 640 MiB of garbage left\n{run}"
    whole = sum(v for f, v in run.folded if f[0] == "runtime.goexit")
    assert whole > 0.95 * sum(v for _, v in run.folded), run


def test_go_lives_through_attaching_and_detaching():
    """Goroutines that grow and check their stacks, all the while."""
    with Target("go", "serve", 0) as target:
        target.line()
        for _ in range(4):
            with Profiler([target.pid], "--sample-bytes", 0) as profiler:
                time.sleep(0.4)
                run = profiler.stop()
            assert run.code == 0, run
            assert target.alive(), target.stderr()
        assert target.finish() == 0, target.stderr()


def test_started_under_the_profiler(tmp_path):
    """It sets MemProfileRate itself, after leakbpf has attached: the rate is
    read with every sample."""
    rate, folded = 64 << 10, tmp_path / "folded"
    run = subprocess.Popen(
        [BINARY, "-n", "0", "--folded", folded, "-c",
         f"{target_path('go')} hold {rate}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        run.stdin.write(b"\n")
        run.stdin.flush()
        lines = Line(run.stdout)
        while '"truth"' not in (line := lines.read()):
            pass
        time.sleep(2.5)
        _, errors = run.communicate(b"\n", timeout=PATIENCE)
    finally:
        run.kill()
    assert run.returncode == 0, errors
    stacks = parse_folded(folded.read_text())
    for entry in json.loads(line)["truth"]:
        chain, held = entry["chain"], entry["bytes"]
        seen = sum(v for frames, v in stacks if chain in frames)
        assert abs(seen - held) < held * (tolerance(rate, held) + 0.08), \
            f"{chain} holds {held}, leakbpf says {seen}\n{stacks}"


def test_verdicts_of_a_leak_and_of_a_healthy_server(tmp_path):
    """Both handle 20,000 requests a second, most of which is garbage; one
    forgets to drop a tenth of its sessions, 2 MiB a second."""
    reports = []
    with Target("go.stripped", "serve", 10) as leaking, \
            Target("go", "serve", 0) as healthy:
        with Profiler([leaking.pid], "--json", tmp_path / "leaking",
                      "--sample-bytes", 0) as first, \
                Profiler([healthy.pid], "--json", tmp_path / "healthy") \
                as second:
            leaking.line()
            healthy.line()
            time.sleep(35)
            runs = [first.stop(), second.stop()]
        assert leaking.finish() == 0, leaking.stderr()
        assert healthy.finish() == 0, healthy.stderr()
    for run, name in zip(runs, ("leaking", "healthy")):
        assert run.code == 0, run
        with open(tmp_path / name) as f:
            reports.append(json.load(f))
    leak, none = (r["diagnosis"] for r in reports)
    assert leak["kind"] == "leak", runs[0]
    assert "rememberSession" in leak["headline"], runs[0]
    assert none["kind"] != "leak", runs[1]
    assert {s["memory"] for s in reports[0]["stacks"]} == {"go heap"}
    heap, = reports[0]["go"]
    assert heap["sample_bytes"] == DEFAULT_RATE and heap["collections"] > 1
    assert "by the program" in runs[0].out, runs[0]


def test_without_memprofile_it_is_refused_and_says_why():
    with Target("go_unprofiled") as target:
        run = leakbpf("-p", target.pid, "-d", 1, "--no-growth")
        assert run.returncode != 0
        assert "runtime.MemProfile is not linked in" in run.stderr, run.stderr
        assert target.finish() == 0


def test_probes_stand_at_entries_only():
    with Target("go.stripped", "serve", 0) as target:
        run = leakbpf("-p", target.pid, "--explain", "-d", 1)
        target.line()
        assert target.finish() == 0
    assert run.returncode == 0, run.stderr
    for function in ("mProf_Malloc", "mProf_Free", "freeSpecial"):
        line = next(l for l in run.stdout.splitlines()
                    if l.lstrip().startswith(f"runtime.{function}"))
        assert line.split()[2:5] == ["emulated", "multi", "no"], line
