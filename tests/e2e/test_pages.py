# SPDX-License-Identifier: GPL-2.0-only
"""SVG and HTML reports in a real browser, comparisons, and how long a large
capture takes."""
import os
import re
import subprocess

import pytest

from big_capture import STACKS, big_capture
from capture_file import Capture, v8_facts
from leakbpf import leakbpf, parse_folded
from paths import BINARY
from readers import (check_svg, in_chromium, pprof, read_diff_json,
                     results_of)
from test_capture import HOSTILE, hostile_capture


def two_moments(tmp_path, name, grown, extra=0):
    """main -> load -> malloc keeps 1000 bytes; main -> leak -> malloc grows
    from 100 to `grown`."""
    c = Capture()
    c.symbols({1: [("malloc", None, 0)], 2: [("load", "/s/load.c", 3)],
               3: [("leak", "/s/leak.c", 40)], 4: [("main", "/s/main.c", 9)],
               5: [("main", "/s/main.c", 12)], 6: [("extra", None, 0)]})
    c.stacks({2: [1, 2, 4], 3: [1, 3, 5], 4: [1, 6, 4]})
    c.snapshot(60, {2: (1000, 10), 3: (100, 1)}, final=False)
    c.snapshot(120, {3: (grown, 9)} | ({4: (extra, 1)} if extra else {}))
    return c.write(tmp_path / name)


# ---- The page -----------------------------------------------------------------

WALK = """
    const $ = (id) => document.getElementById(id), out = {};
    const status = () => $("status").textContent.split("\\n");
    const set = (id, value) => {
        if ($(id).type === "checkbox") $(id).checked = value;
        else $(id).value = value;
        $(id).dispatchEvent(new Event("input"));
    };
    const press = (key, on = $("graph")) => on.dispatchEvent(
        new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    out.ready = document.documentElement.dataset.ready;
    out.title = document.title;
    out.all = status();
    out.rows = [...$("table").tBodies[0].rows].map((r) => r.innerText);
    $("graph").focus();
    press("ArrowDown");
    out.down = status();
    press("ArrowDown");
    out.callee = status();
    press("ArrowLeft");
    out.sibling = status();
    press("Enter");
    press("Escape");
    out.outer = status();
    press("/", document.body);
    out.focused = document.activeElement.id;
    set("search", "LEAK.c");
    out.found = status();
    out.filtered = $("table").tBodies[0].rows.length;
    set("search", "");
    set("show", "growth");
    press("Home");
    out.growth = status();
    set("show", "live");
    set("inverted", true);
    press("Home");
    press("ArrowDown");
    out.inverted = status();
    set("to", 0);
    out.earlier = status();
    for (const shape of ["flame", "icicle"])
        for (const colour of ["verdict", "change", "module"]) {
            set("shape", shape);
            set("colour", colour);
            const at = $("graph").getContext("2d").getImageData(5, 5, 1, 1);
            out[shape + colour] = at.data[3];
        }
    $("table").querySelector("td.place button").click();
    out.opened = $("table").querySelector("td.place ol").innerText;
    return out;
"""


def test_the_page_can_be_walked_with_keys(tmp_path):
    path = two_moments(tmp_path, "capture", 3000)
    page = tmp_path / "page.html"
    assert leakbpf("report", path, "--html", page).returncode == 0
    seen = results_of(page, WALK)
    assert seen["ready"] == "yes" and "server (pid 4242)" in seen["title"]
    assert seen["all"][0] == "all" and seen["all"][1] == \
        "3.9 KiB outstanding, 100 %; 1.1 KiB → 3.9 KiB (+2.8 KiB)", seen
    # Calls from two lines of main are one box.
    assert seen["down"][:2] == ["main", "/s/main.c"], seen["down"]
    assert seen["callee"][:2] == ["leak", "/s/leak.c:40"], seen["callee"]
    assert seen["sibling"][0] == "leak", "the largest comes first"
    assert seen["outer"][0] == "main" and seen["focused"] == "search", seen
    assert seen["found"][0] == "“leak.c”: 75 % of it, 1 functions", seen
    assert seen["filtered"] == 1
    assert seen["growth"][1].startswith("2.8 KiB growth, 100 %"), seen
    assert seen["inverted"][0] == "malloc", seen
    assert "1.1 KiB outstanding" in "\n".join(seen["earlier"]), seen
    assert [re.findall(r"\b(leak|load)\b", r)[-1] for r in seen["rows"]] == \
        ["leak", "load"], seen["rows"]
    assert all(seen[s + c] == 255 for s in ("flame", "icicle")
               for c in ("verdict", "change", "module")), "nothing is drawn"
    assert re.search(r"malloc.*leak.*main", seen["opened"], re.S), seen


def test_the_page_loads_nothing_and_is_labelled(tmp_path):
    page = tmp_path / "page.html"
    path = two_moments(tmp_path, "capture", 3000)
    assert leakbpf("report", path, "--html", page).returncode == 0
    text = page.read_text()
    addresses = set(re.findall(r"\w+://[^\s\"'`)]*", text))
    assert addresses == {"http://www.w3.org/2000/svg"}, addresses
    assert "default-src 'none'" in text
    unnamed = results_of(page, """
        return [...document.querySelectorAll(
            "input, select, button, canvas, table")].filter((e) =>
            !e.hidden && !(e.labels && e.labels.length) && !e.ariaLabel &&
            !e.textContent.trim()).map((e) => e.outerHTML);""")
    assert not unnamed, unnamed


def test_hostile_names_are_text_and_nothing_else(tmp_path):
    path = hostile_capture(tmp_path)
    page, picture = tmp_path / "page.html", tmp_path / "picture.svg"
    run = leakbpf("report", path, "--html", page, "--svg", picture)
    assert run.returncode == 0, run
    assert page.read_text().count("<script") == 2
    seen = results_of(page, """
        const names = [...document.querySelectorAll("td.place button")]
            .map((b) => b.textContent);
        return {names, scripts: document.scripts.length,
                alerts: document.querySelectorAll("main script").length};""")
    # Those of the page, and the two of this test.
    assert seen["scripts"] == 4 and seen["alerts"] == 0, seen
    shown = "\n".join(seen["names"])
    for key in ("semicolon", "script", "long", "space", "unicode"):
        assert HOSTILE[key] in shown, f"{key}: {shown}"
    assert "\\u202e" in shown and "\u202e" not in shown
    texts = check_svg(picture)
    assert "&lt;script&gt;" in texts and "x" * 4096 in texts
    assert "\\xff\\xfe" in texts and "функция_漢字_🙂" in texts
    assert "parsererror" not in in_chromium(picture)


def test_the_page_shows_v8s_heap(tmp_path):
    c = Capture()
    c.symbols({1: [("malloc", None, 0)], 2: [("remember", "/srv/app.js", 7)],
               3: [("main", "/s/main.c", 9)]})
    c.stacks({2: [1, 3]})
    c.stacks({3: [2]}, source=1)
    facts = v8_facts(
        [(4242, 4242, 900, 8, 3.6, 0.6, 0.0454, 64 << 20, 3.5, 12 << 20),
         (4242, 4250, 10, 1, 0.01, 0.02, 0, 1 << 20, 9, 0)],
        [(3, "Array", 0.75), (3, "<b>\u202e", 0.25)])
    c.snapshot(60, {2: (1 << 20, 10), 3: (2 << 20, 20)}, final=False, v8=facts)
    c.snapshot(120, {3: (8 << 20, 90)}, v8=facts)
    page = tmp_path / "page.html"
    assert leakbpf("report", c.write(tmp_path / "c"), "--html",
                   page).returncode == 0
    seen = results_of(page, """
        const $ = (id) => document.getElementById(id);
        const rows = [...$("heaps").tBodies[0].rows];
        return {hidden: $("v8").hidden,
                parts: [...$("v8-split").querySelectorAll("span")].map((e) => e.textContent),
                heaps: rows.map((r) => [...r.cells].map((c) => c.textContent)),
                table: $("table").tBodies[0].innerText,
                moments: $("moments").tBodies[0].textContent,
                line: !!document.querySelector("#chart .heap")};""")
    assert not seen["hidden"] and seen["line"], seen
    assert seen["parts"] == ["V8 heap, live 65.0 MiB",
                             "native, outstanding 1.0 MiB",
                             "other 134.0 MiB"], seen
    assert seen["heaps"] == [
        ["main thread", "64.0 MiB, 3.5 s ago", "+12.0 MiB", "8 of 75.0 ms",
         "900 of 4.0 ms", "0.05 ms of each"],
        ["worker (thread 4250)", "1.0 MiB, 9.0 s ago", "0 B", "1 of 20.0 ms",
         "10 of 1.0 ms", "0.00 ms of each"]], seen
    assert "on V8's heap: Array 75 %, <b>\\u202e 25 %" in seen["table"], seen
    assert "2.0 MiB" in seen["moments"] and "8.0 MiB" in seen["moments"], seen


# ---- Comparisons ----------------------------------------------------------------

def test_diff_in_every_format(tmp_path):
    before = two_moments(tmp_path, "before", 3000)
    after = two_moments(tmp_path, "after", 500, extra=7000)
    files = {f: tmp_path / f for f in ("folded", "json", "svg", "html")}
    run = leakbpf("diff", before, after, *[
        w for f, p in files.items() for w in (f"--{f}", p)])
    assert run.returncode == 0 and run.stdout == "", run
    lines = {line.rsplit(" ", 2)[0]: tuple(map(int, line.rsplit(" ", 2)[1:]))
             for line in files["folded"].read_text().splitlines()}
    assert lines == {"main;extra;malloc": (0, 7000),
                     "main;leak;malloc": (3000, 500),
                     "main;load;malloc": (1000, 1000)}
    document = read_diff_json(files["json"])
    assert [(s["before"], s["after"]) for s in document["stacks"]] == \
        [(0, 7000), (3000, 500), (1000, 1000)]
    texts = check_svg(files["svg"])
    assert "2.9 KiB before, 500 B after" in texts
    seen = results_of(files["html"], """
        const rows = [...document.getElementById("table").tBodies[0].rows];
        return {rows: rows.map((r) => r.innerText.replace(/\\s+/g, " ")),
                status: document.getElementById("status").textContent};""")
    assert seen["rows"][0].startswith("+6.8 KiB 0 B 6.8 KiB extra"), seen
    assert "6.8 KiB growth" in seen["status"], seen
    text = leakbpf("diff", before, after).stdout
    assert "leakbpf: +4.4 KiB between two captures\n" in text, text
    assert "#1  +6.8 KiB  0 B before, 6.8 KiB after\n" in text, text
    assert "#3" not in text, text
    same = leakbpf("diff", before, before).stdout
    assert "leakbpf: 0 B between" in same and "#1" not in same, same
    assert leakbpf("diff", before).returncode == 2
    assert leakbpf("diff", before, after, "--metrics", "x").returncode == 2


def test_a_difference_for_pprof_is_what_pprof_makes_of_two_profiles(tmp_path):
    captures = {"before": two_moments(tmp_path, "before", 3000),
                "after": two_moments(tmp_path, "after", 500, extra=7000)}
    for name, capture in captures.items():
        assert leakbpf("report", capture, "--pprof",
                       tmp_path / f"{name}.pb").returncode == 0
    assert leakbpf("diff", *captures.values(), "--pprof",
                   tmp_path / "diff.pb").returncode == 0
    for sample in ("inuse_space", "inuse_objects", "alloc_space"):
        options = ["-top", "-unit=B", f"-sample_index={sample}"]
        expected = pprof(tmp_path / "after.pb", *options,
                         f"-diff_base={tmp_path / 'before.pb'}")
        seen = pprof(tmp_path / "diff.pb", *options)
        # The head names files and times.
        assert seen.partition("flat%")[2] == expected.partition("flat%")[2], \
            f"expected\n{expected}\nseen\n{seen}"
        if sample == "inuse_space":
            assert "7000B" in seen and "-2500B" in seen, seen


# ---- A day of a large program -----------------------------------------------------

def measured(*arguments):
    """Seconds of processor time and bytes of memory that a run takes. Time on
    the clock would measure whatever else runs on the machine."""
    run = subprocess.Popen([BINARY, *map(str, arguments)])
    _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    assert run.returncode == 0, arguments
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


@pytest.mark.timeout(180)
def test_a_day_of_ten_thousand_stacks_opens_at_once(tmp_path):
    path = big_capture(tmp_path / "capture")
    assert os.path.getsize(path) < 8 << 20
    for name in ("html", "pprof", "folded", "svg"):
        seconds, memory = measured("report", path, f"--{name}",
                                   tmp_path / name)
        print(f"{name}: {seconds:.2f} s, {memory >> 20} MiB")
        assert seconds < 2, f"{name} took {seconds} s"
        assert memory < 200 << 20, f"{name} took {memory} bytes"
    folded = parse_folded((tmp_path / "folded").read_text())
    assert len(folded) == STACKS
    total = sum(v for _, v in folded)
    assert f"{total}B total" in pprof(tmp_path / "pprof", "-top", "-unit=B",
                                      "-nodecount=1")
    check_svg(tmp_path / "svg")
    seen = results_of(tmp_path / "html", """
        return {ready: document.documentElement.dataset.ready,
                status: document.getElementById("status").textContent,
                shown: document.getElementById("shown").textContent};""")
    assert seen["ready"] == "yes" and "1.5 GiB outstanding" in seen["status"]
    assert seen["shown"] == "100 of 10,000 stacks", seen
