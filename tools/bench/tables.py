# SPDX-License-Identifier: GPL-2.0-only
"""Numbers to Markdown, and into BENCHMARKS.md."""

import datetime
import os
import re
import statistics
import subprocess

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def table(heads, rows):
    out = ["| " + " | ".join(heads) + " |",
           "|" + "|".join("---" for _ in heads) + "|"]
    out += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(out) + "\n"


def digits(value):
    """Three significant digits, thousands separated."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def spread(values, form=digits):
    """Median (min..max)."""
    if len(values) == 1:
        return form(values[0])
    return (f"{form(statistics.median(values))} "
            f"({form(min(values))}..{form(max(values))})")


def ratios(values, base):
    """Round by round."""
    return [v / b for v, b in zip(values, base)]


def mebibytes(size):
    return f"{size / (1 << 20):.1f} MiB"


def percent(value):
    return f"{100 * value:.1f} %"


class Targets:
    """The numbers to reach, each with what came out."""

    def __init__(self):
        self.rows = []

    def check(self, text, value, limit, form):
        passed = value <= limit
        self.rows.append((text, form(limit), form(value),
                          "PASS" if passed else "FAIL"))

    def missing(self, text, why):
        self.rows.append((text, "", why, "not measured"))

    def failed(self):
        return sum(row[3] == "FAIL" for row in self.rows)

    def markdown(self):
        return table(["target", "at most", "median", ""], self.rows)


def _version(argv):
    try:
        out = subprocess.run(argv, capture_output=True, text=True, check=False)
        return (out.stdout or out.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return argv[0] + ": not installed"


def machine(seconds, quick):
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        info = f.read()
    model = re.search(r"model name\s*: (.*)", info)
    with open("/proc/meminfo", encoding="utf-8") as f:
        memory = int(re.search(r"MemTotal: +(\d+)", f.read()).group(1))
    virtual = ", virtual machine" if " hypervisor" in info else ""
    kernel = os.uname()
    today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    return (f"{today}, {model.group(1) if model else '?'}{virtual}, "
            f"{os.cpu_count()} CPUs, {memory / (1 << 20):.0f} GiB, "
            f"Linux {kernel.release}, {_version(['gcc', '--version'])}, "
            f"{_version(['bpftrace', '--version'])}, "
            f"{_version(['redis-server', '--version']).split(' sha')[0]}. "
            f"The run took {seconds:.0f} s"
            f"{' (quick mode: few and short rounds)' if quick else ''}.\n")


def write(path, text):
    """Replaces what stands between the markers in `path`."""
    with open(path, encoding="utf-8") as f:
        old = f.read()
    if BEGIN not in old or END not in old:
        raise RuntimeError(f"{path}: no lines {BEGIN} and {END}")
    before, rest = old.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{before}{BEGIN}\n{text}{END}{after}")
