#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does leakbpf cry wolf? Runs healthy programs under load, watches each for a
while, and writes down what it said of them.

    tools/setup.sh healthy && tools/healthy.py            all, table on stdout
    tools/healthy.py --seconds 300 redis nginx            some, for longer
    tools/healthy.py --write docs/healthy.md              all, into the document

Exit code 1 when any of them was said to leak. As root. Part of no test run: it
takes a quarter of an hour.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "healthy"))
import cases  # noqa: E402

BINARY = os.environ.get("LEAKBPF",
                        os.path.join(HERE, "..", "build", "leakbpf"))
WARM_UP = 20  # seconds of load before anybody looks
PACE = 0.003  # between two requests
KINDS = ["leak", "plateau", "start-up", "sawtooth", "unclear"]


def keep_loaded(case, over):
    while not over.is_set() and case.once:
        try:
            case.once()
        except OSError:
            time.sleep(0.1)
        over.wait(PACE)


def watch(case, seconds, options):
    started = time.monotonic()
    done = subprocess.run(
        [BINARY, "-p", str(case.pid), "-d", str(seconds), "-i",
         str(seconds), "-n", "100000", *options],
        capture_output=True, text=True, timeout=seconds + 60,
        stdin=subprocess.DEVNULL, errors="replace")
    if done.returncode:
        raise RuntimeError(f"leakbpf: {done.returncode}: {done.stderr}")
    if time.monotonic() - started < seconds:
        raise RuntimeError(f"{case.name}: ended too soon: {done.stderr}")
    return done.stdout


def summarize(report):
    def find(pattern):
        found = re.search(pattern, report, re.M)
        return found[1] if found else "?"

    verdicts = re.findall(r"^    (leak|plateau|start-up|sawtooth|unclear)[,:]",
                          report, re.M)
    return {
        "headline": report.splitlines()[1].split("  ")[0],
        "rate": find(r": ([\d,]+) allocations/s"),
        "rss": find(r"RSS ([\d.]+ \w+)"),
        "outstanding": find(r"outstanding  ([\d.]+ \w+)"),
        "counts": [verdicts.count(k) for k in KINDS],
        "report": report,
    }


def run_case(start, seconds, options, keep):
    """Twice, if the program or leakbpf could not be run."""
    try:
        return try_case(start, seconds, options, keep)
    except (OSError, RuntimeError, subprocess.SubprocessError) as e:
        print(f"{start.__name__}: {e}; once more", file=sys.stderr)
        return try_case(start, seconds, options, keep)


def try_case(start, seconds, options, keep):
    folder = tempfile.mkdtemp(prefix="healthy-")
    os.chmod(folder, 0o755)
    over = threading.Event()
    case = None
    try:
        case = start(folder)
        threading.Thread(target=keep_loaded, args=(case, over),
                         daemon=True).start()
        time.sleep(WARM_UP)
        result = summarize(watch(case, seconds, options))
        result.update(name=case.name, load=case.load)
        print(f"{case.name}: {result['headline']}", file=sys.stderr)
        if keep:
            name = re.sub(r"\W+", "-", case.name)
            with open(os.path.join(keep, name), "w") as f:
                f.write(result["report"])
        return result
    finally:
        over.set()
        if case:
            case.stop()
        shutil.rmtree(folder, ignore_errors=True)


def table(results):
    rows = ["| program | load | allocations/s | RSS | allocated since attach, "
            "outstanding | " + " | ".join(KINDS) + " | headline |",
            "|---|---|--:|--:|--:|" + "--:|" * len(KINDS) + "---|"]
    for r in results:
        rows.append("| " + " | ".join(
            [r["name"], r["load"], r["rate"], r["rss"], r["outstanding"],
             *map(str, r["counts"]), r["headline"]]) + " |")
    return "\n".join(rows)


def insert(path, text):
    """Between the two marks of the document."""
    with open(path) as f:
        old = f.read()
    begin, end = "<!-- table -->\n", "<!-- end of table -->"
    head, _, rest = old.partition(begin)
    _, mark, tail = rest.partition(end)
    assert mark, f"no marks in {path}"
    with open(path, "w") as f:
        f.write(head + begin + text + end + tail)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="cases; default: all")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--reports", metavar="FOLDER",
                        help="keep the reports there")
    parser.add_argument("--option", action="append", default=[],
                        help="for leakbpf, say --option=--sample-bytes=4096")
    o = parser.parse_args()
    chosen = [c for c in cases.ALL if not o.names or c.__name__ in o.names]
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        results = list(pool.map(
            lambda c: run_case(c, o.seconds, o.option, o.reports), chosen))
    text = f"{len(results)} programs, {o.seconds} s each, after {WARM_UP} s " \
        f"of load, options: {' '.join(o.option) or 'none'}; " \
        f"leakbpf on Linux {os.uname().release}.\n\n{table(results)}\n"
    if o.write:
        insert(o.write, text)
    else:
        print(text)
    return any(r["counts"][0] or r["headline"] == "LEAK" for r in results)


if __name__ == "__main__":
    sys.exit(main())
