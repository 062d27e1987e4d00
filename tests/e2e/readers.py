# SPDX-License-Identifier: GPL-2.0-only
"""Reads leakbpf's files with programs that are not leakbpf's."""
import glob
import html
import json
import os
import re
import subprocess
import tempfile
import urllib.parse

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


def read_diff_json(path):
    with open(path, encoding="utf-8") as f:
        document = json.load(f)
    schemas = {}
    for name in ("report", "diff"):
        with open(os.path.join(ROOT, f"docs/{name}.schema.json")) as f:
            schemas[f"{name}.schema.json"] = json.load(f)
    resolver = jsonschema.RefResolver(
        "diff.schema.json", schemas["diff.schema.json"], schemas)
    jsonschema.Draft202012Validator(schemas["diff.schema.json"],
                                    resolver=resolver).validate(document)
    return document


def check_svg(path):
    """Well-formed XML; its texts."""
    run = subprocess.run(["xmllint", "--nonet", "--huge", "--xpath",
                          "//*[local-name()='text' or local-name()='title']",
                          str(path)], capture_output=True, timeout=PATIENCE)
    assert run.returncode == 0, run.stderr[:2000]
    return run.stdout.decode("utf-8")


def flamegraph(path):
    """[(function, bytes)] of what Brendan Gregg's flamegraph.pl (as Debian's
    libdevel-nytprof-perl has it) draws of folded stacks; the root is `all`."""
    with open(path, encoding="utf-8") as folded:
        run = subprocess.run(
            ["perl", "/usr/share/perl5/Devel/NYTProf/flamegraph.pl",
             "--countname=bytes", "--minwidth=0"], stdin=folded, text=True,
            capture_output=True, timeout=PATIENCE)
    assert run.returncode == 0 and not run.stderr, run.stderr
    with tempfile.NamedTemporaryFile("w", suffix=".svg") as svg:
        svg.write(run.stdout)
        svg.flush()
        check_svg(svg.name)
    found = re.findall(r"<title>(.*) \(([\d,]+) bytes, [\d.]+%\)</title>",
                       run.stdout)
    return [(html.unescape(name), int(size.replace(",", "")))
            for name, size in found]


CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
            "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--disable-dev-shm-usage",
            "--virtual-time-budget=20000"]


def in_chromium(path, script=""):
    """Opens a file; returns the page as it is after a script was run in it.
    What the script throws, and what the page does, fails."""
    guard = ("<script>window.addEventListener('error', (e) => { document"
             ".documentElement.dataset.error = e.message; });</script>")
    with tempfile.TemporaryDirectory(
            ignore_cleanup_errors=True) as profile:
        page = str(path)
        if script:
            with open(path, encoding="utf-8") as f:
                text = f.read()
            page = os.path.join(profile, "page.html")
            with open(page, "w", encoding="utf-8") as f:
                f.write(text.replace("<head>", "<head>" + guard, 1) +
                        f"<script>{script}</script>")
        run = subprocess.run(
            [*CHROMIUM, f"--user-data-dir={profile}/profile", "--dump-dom",
             "file://" + page], capture_output=True, text=True,
            errors="replace", timeout=4 * PATIENCE, stdin=subprocess.DEVNULL,
            env=dict(os.environ, HOME=profile, TMPDIR=profile))
    assert run.returncode == 0 and "<html" in run.stdout or \
        "<svg" in run.stdout, f"{run.returncode} {run.stderr[-2000:]}"
    error = re.search(r'data-error="([^"]*)"', run.stdout)
    assert not error, f"the page says {error[1]}"
    return run.stdout


def results_of(path, script):
    """Runs `script` in a page: an async function body that returns a value."""
    text = in_chromium(path, f"""
        (async () => {{ {script} }})().then((value) => {{
            const node = document.createElement("pre");
            node.id = "results";
            node.textContent = "[[" + encodeURIComponent(JSON.stringify(value))
                + "]]";
            document.body.append(node);
        }}).catch((e) => {{
            document.documentElement.dataset.error = String(e); }});""")
    found = re.search(r'id="results">\[\[(.*?)\]\]', text)
    assert found, f"no result in {text[-3000:]}"
    return json.loads(urllib.parse.unquote(found[1]))


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
