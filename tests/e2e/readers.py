# SPDX-License-Identifier: GPL-2.0-only
"""Reads leakbpf's files with programs that are not leakbpf's."""
import glob
import json
import os
import subprocess

import jsonschema

from leakbpf import PATIENCE
from paths import ROOT


def read_json(path):
    """The document, which must satisfy the written schema."""
    with open(path, encoding="utf-8") as f:
        document = json.load(f)
    with open(os.path.join(ROOT, "docs/report.schema.json")) as f:
        schema = json.load(f)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = [f"{list(e.absolute_path)}: {e.message}"
             for e in validator.iter_errors(document)]
    assert not wrong, wrong[:10]
    return document


def pprof(path, *options):
    """What Go's own pprof says of a profile."""
    tool = sorted(glob.glob("/usr/lib/go-*/pkg/tool/*/pprof"))[-1]
    run = subprocess.run(
        [tool, *options, path], capture_output=True, text=True,
        timeout=PATIENCE, stdin=subprocess.DEVNULL,
        env=dict(os.environ, HOME="/nonexistent", PPROF_TMPDIR="/nonexistent"))
    assert run.returncode == 0, f"{run.args}: {run.stderr}"
    return run.stdout


def pprof_traces(path, sample):
    """{functions, leaf first: value} as `pprof -traces` prints them."""
    text = pprof(path, "-traces", "-unit=B" if "space" in sample else "-unit=",
                 f"-sample_index={sample}")
    traces, value, frames = {}, None, []
    for line in [*text.splitlines(), "-----------+---"]:
        if line.startswith("-----------+"):
            if frames:
                key = tuple(frames)
                traces[key] = traces.get(key, 0) + value
            value, frames = None, []
        elif value is None:
            head = line.split()
            if head and head[0].rstrip("B").isdigit():
                value = int(head[0].rstrip("B"))
                frames = [line.strip().split(None, 1)[1]]
        else:
            frames.append(line.strip())
    return traces
