# SPDX-License-Identifier: GPL-2.0-only
"""Runs targets and the profiler, and reads what both of them say.

    with Target("functions") as target:
        run = profile(target, "--sample-bytes", "0")
    assert_exact(run)
"""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

from machine import Stopwatch
from paths import BINARY, target_path

# Commands that trace nothing.
READING = ("report", "diff")
# Slow machines and sanitizers need patience; a hang is still found. Attaching,
# which takes 0.7 s of CPU, took 30 s where 60 others were ready to run.
PATIENCE = float(os.environ.get("LEAKBPF_TEST_PATIENCE", "60"))


class Line:
    """Reads lines from a pipe, with a time limit."""

    def __init__(self, stream):
        self.fd = stream.fileno()
        self.rest = b""

    def read(self, timeout=None):
        deadline = time.monotonic() + (timeout or PATIENCE)
        while b"\n" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise TimeoutError(f"no line in time; so far {self.rest!r}")
            data = os.read(self.fd, 1 << 16)
            if not data:
                raise EOFError(f"closed after {self.rest!r}")
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode(errors="replace")


def kill(process):
    """Dead, if it was not, and waited for."""
    if process.poll() is None:
        process.kill()
    process.wait()


class Spoken:
    """A process that is spoken to in lines; closed, it is dead."""

    def __init__(self, command, **more):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors, **more)
        self.pid = self.process.pid
        self.lines = Line(self.process.stdout)
        try:
            self.said = self.read()
            assert self.said.get("state") == "ready", self.said
        except BaseException:
            self.close()
            raise

    def say(self, text):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def read(self, timeout=None):
        try:
            return json.loads(self.lines.read(timeout))
        except (EOFError, TimeoutError) as error:
            raise AssertionError(
                f"{self.process.args}: {error}\n{self.stderr()}") from error

    def end(self, text):
        """Tells it to; returns its exit code."""
        try:
            self.say(text)
        except BrokenPipeError:
            pass
        return self.process.wait(PATIENCE)

    def alive(self):
        return self.process.poll() is None

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def close(self):
        kill(self.process)
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def truth_of(said):
    """{chain: (bytes, objects)}"""
    return {t["chain"]: (t["bytes"], t["objects"])
            for t in said["truth"] if t["objects"] or t["bytes"]}


class Target(Spoken):
    """A program of tests/targets (see target.h there for the protocol)."""

    def __init__(self, name, *arguments, preload=None, wrapper=(), env=None,
                 cwd=None):
        self.name = name
        environment = dict(os.environ, **(env or {}))
        if preload:
            environment["LD_PRELOAD"] = preload
        super().__init__([*wrapper, target_path(name), *map(str, arguments)],
                         env=environment, cwd=cwd)
        if wrapper:
            self.pid = self._innermost(self.pid)

    @staticmethod
    def _innermost(pid):
        """A wrapper that forks has the program as its only descendant."""
        while True:
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                children = f.read().split()
            if not children:
                return pid
            pid = int(children[0])

    def line(self):
        self.say("")

    def truth(self, timeout=None):
        """Lets it run; returns {chain: (bytes, objects)}."""
        self.line()
        return truth_of(self.read(timeout))

    def finish(self):
        """Lets it end; returns its exit code."""
        return self.end("")


class Profiler:
    """A running leakbpf. `pids` empty: options say what to trace. `command`:
    record."""

    def __init__(self, pids, *options, wait=True, env=None, wrapper=(),
                 command=None):
        self.folder = tempfile.mkdtemp(prefix="e2e-")
        self.folded_path = os.path.join(self.folder, "folded")
        arguments = [*wrapper, BINARY, *([command] if command else [])]
        if command not in READING and not any(
                str(o).startswith("--max-overhead") for o in options):
            # Exact figures need every call; test_budget.py is about less.
            arguments += ["--max-overhead", "0"]
        for pid in pids:
            arguments += ["-p", str(pid)]
        options = [str(o) for o in options]
        if not {"--folded", "--explain"} & set(options):
            arguments += ["--folded", self.folded_path]
        head, dashes, tail = options, [], []
        if "--" in options:
            at = options.index("--")
            head, dashes, tail = options[:at], ["--"], options[at + 1:]
        self.arguments = arguments + head + dashes + tail
        self.out = open(os.path.join(self.folder, "stdout"), "w+b")
        self.err = open(os.path.join(self.folder, "stderr"), "w+b")
        self.process = subprocess.Popen(
            self.arguments, stdin=subprocess.DEVNULL, stdout=self.out,
            stderr=self.err, env=dict(os.environ, **(env or {})))
        # Its own time, whatever else the machine has to do.
        self.clock = Stopwatch(self.process.pid)
        if wait:
            try:
                self.wait_attached()
            except BaseException:
                self.close()
                raise

    def text(self, file):
        with open(file.name, "rb") as f:
            return f.read().decode(errors="replace")

    def wait_for(self, what, where=None):
        """Until a regular expression stands in what it wrote."""
        deadline = time.monotonic() + PATIENCE
        while True:
            ended = self.ended()
            found = re.search(what, self.text(where or self.err), re.M)
            if found:
                return found
            if ended or time.monotonic() > deadline:
                raise AssertionError(
                    f"expected {what!r} from {' '.join(self.arguments)}, "
                    f"exit code {self.process.poll()}, stderr:\n"
                    f"{self.text(self.err)}\nstdout:\n{self.text(self.out)}")
            time.sleep(0.005)

    def wait_attached(self):
        self.wait_for(r"tracing process \d+")

    def ended(self):
        """Not reaped by this: the times of a process can be read until it is."""
        return self.process.returncode is not None or os.waitid(
            os.P_PID, self.process.pid,
            os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _seconds_to_end(self, clock, timeout):
        deadline = time.monotonic() + (timeout or PATIENCE)
        while not self.ended():
            assert time.monotonic() < deadline, \
                f"expected to end: {' '.join(self.arguments)}, stderr:\n" \
                f"{self.text(self.err)}\nstdout:\n{self.text(self.out)}"
            time.sleep(0.005)
        seconds = clock.seconds() if self.process.returncode is None else None
        self.process.wait()
        return seconds

    def wait(self, timeout=None):
        """Until it ends by itself; returns a Run."""
        try:
            seconds = self._seconds_to_end(self.clock, timeout)
            run = Run(self)
            run.seconds = seconds
            return run
        finally:
            self.close()

    def stop(self, number=signal.SIGINT, timeout=None):
        """Ends it with a signal; returns a Run."""
        try:
            clock = None
            if self.process.returncode is None:
                clock = Stopwatch(self.process.pid)
                os.kill(self.process.pid, number)
            seconds = self._seconds_to_end(clock, timeout)
            run = Run(self)
            run.stop_seconds = seconds
            return run
        finally:
            self.close()

    def close(self):
        kill(self.process)
        self.out.close()
        self.err.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Run:
    """What one run of leakbpf printed."""
    made = []  # by this test; shown when it fails (conftest.py)

    def __init__(self, profiler):
        Run.made.append(self)
        self.arguments = profiler.arguments
        self.code = profiler.process.returncode
        self.out = profiler.text(profiler.out)
        self.err = profiler.text(profiler.err)
        self.folded_text = ""
        self.other_files = set(os.listdir(profiler.folder)) - {
            "stdout", "stderr", "folded"}
        if os.path.exists(profiler.folded_path):
            with open(profiler.folded_path, errors="replace") as f:
                self.folded_text = f.read()
        # Of its own time: how long it ran, and from the signal on.
        self.seconds = None
        self.stop_seconds = None
        self.truth = None
        self.target_code = None
        self.target_stderr = ""

    @property
    def folded(self):
        return parse_folded(self.folded_text)

    @property
    def report(self):
        """The last report."""
        return parse_report(self.out)

    def __str__(self):
        return (f"$ {' '.join(self.arguments)}\nexit code {self.code}\n"
                f"--- standard error\n{self.err}--- standard output\n"
                f"{self.out}--- folded\n{self.folded_text}"
                f"--- truth\n{self.truth}\n--- target: exit code "
                f"{self.target_code}\n{self.target_stderr}")


def profile(target, *options, settle=0.2):
    """Attach, let the target run its scenario, read, let it end."""
    with Profiler([target.pid], *options) as profiler:
        truth = target.truth()
        time.sleep(settle)
        run = profiler.stop()
    run.truth = truth
    run.target_code = target.finish()
    run.target_stderr = target.stderr()
    assert run.code == 0, run
    assert run.target_code == 0, run
    assert not run.other_files, f"left {run.other_files}\n{run}"
    return run


def leakbpf(*arguments, timeout=None, **more):
    """Runs it to its end, for what ends by itself."""
    return subprocess.run([BINARY, *map(str, arguments)], text=True,
                          capture_output=True, timeout=timeout or PATIENCE,
                          stdin=subprocess.DEVNULL, errors="replace", **more)


# ---- Folded stacks -----------------------------------------------------------

def parse_folded(text):
    """[(frames root first, bytes)]"""
    out = []
    for line in text.splitlines():
        stack, _, value = line.rpartition(" ")
        assert value.isdigit(), f"no folded stack: {line!r}"
        out.append((stack.split(";"), int(value)))
    return out


# What may stand between a program's function and the probed one: the
# allocator's own names and library functions that allocate for their caller.
ALLOCATION = re.compile(
    r"^(\W|_)*(GI_|libc_|IO_|je_|je|tc_|mi_|__GI_+)*_*"
    r"(malloc|calloc|realloc|reallocarray|posix_memalign|aligned_alloc|"
    r"memalign|_?mid_memalign|valloc|pvalloc|strdup|strndup|asprintf|"
    r"vasprintf(_internal)?|getline|getdelim|obstack.*|operator new.*|"
    r"mmap(64)?|mremap|tc_.*|mi_.*|je_.*|tcmalloc::.*|sdallocx|mallocx|"
    r"alloc::.*|__rust_alloc.*|__rdl_.*|<alloc::.*|std::.*|__gnu_cxx::.*|"
    r"exchange_malloc|new<.*|.*do_memalign.*|newImpl.*|imalloc.*|"
    r"default_malloc|default_calloc|heap_.*)$"
    # Local functions of libraries whose symbols are not installed.
    r"|^lib(c|stdc\+\+|jemalloc|tcmalloc_minimal|mimalloc)\.so[.\d]*\+0x")

ROOTS = re.compile(r"^(_start|_{0,2}clone3?(_internal)?|__GI___clone.*|"
                   r"__libc_start_.*|_dl_start_user|libc\.so\.6\+0x)")


def strip_version(name):
    return re.sub(r"@@?[A-Z][\w.]+$", "", name)


def outer_frames(frames):
    """Leaf first, without the allocation functions at the leaf."""
    frames = [strip_version(f) for f in reversed(frames)]
    while frames and ALLOCATION.match(frames[0]):
        frames.pop(0)
    return frames


def bytes_of_chain(folded, chain):
    """Bytes of stacks that are exactly this chain below the allocator. A `*`
    as the first link stands for whatever leads there."""
    wanted = chain.split(";")
    total = 0
    for frames, value in folded:
        frames = outer_frames(frames)
        if wanted[0] == "*":
            rest = wanted[1:]
            hit = any(frames[i:i + len(rest)] == rest
                      for i in range(len(frames)))
        else:
            hit = frames[:len(wanted)] == wanted
        total += value if hit else 0
    return total


def assert_complete(run, chain):
    """The stacks of the chain reach the root of the thread."""
    wanted = chain.split(";")
    for frames, _ in run.folded:
        if outer_frames(frames)[:len(wanted)] == wanted:
            assert ROOTS.match(frames[0]), \
                f"stack does not reach its root: {frames}\n{run}"


def assert_exact(run, only=True):
    """Every chain of the truth has exactly its bytes. `only`: and nothing else
    is outstanding."""
    seen = {c: bytes_of_chain(run.folded, c) for c in run.truth}
    expected = {c: t[0] for c, t in run.truth.items()}
    wrong = {c: f"expected {expected[c]}, seen {seen[c]}"
             for c in expected if expected[c] != seen[c]}
    assert not wrong, f"{wrong}\n{run}"
    if only:
        total = sum(value for _, value in run.folded)
        assert total == sum(expected.values()), \
            f"expected {sum(expected.values())} in all, seen {total}\n{run}"


# ---- Text report ---------------------------------------------------------------

UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
         "TiB": 1 << 40}
SIZE = r"(-?[\d.]+ (?:B|[KMGT]iB))"
COUNT = r"(-?[\d,]+)"
# The interval of an estimate: empty, (±3 %), or (1.0 KiB to 5.2 KiB)
MARGIN = r"( \((?:±\d+ %|[^()]* to [^()]*)\))?"
STACK = re.compile(rf"^#(\d+)  (\S+ \S+)/min  {SIZE}{MARGIN} in {COUNT} "
                   rf"(?:block|page)s?{MARGIN}, age (.*?) mean, (.*?) oldest, "
                   rf"{COUNT} samples?")


VERDICT = re.compile(r"^    (leak|plateau|start-up|sawtooth|unclear)[,:] ")


def number(text):
    if text.endswith("B"):
        value, unit = text.split()
        return float(value) * UNITS[unit]
    return float(text.replace(",", ""))


def interval(value, margin):
    """(low, high) of an estimate as printed."""
    if not margin:
        return value, value
    percent = re.search(r"±(\d+) %", margin)
    if percent:
        half = value * int(percent[1]) / 100
        return value - half, value + half
    low, _, high = margin.strip(" ()").partition(" to ")
    return number(low), number(high)


class Stack:
    """One entry of a report."""

    def __init__(self, match):
        self.rank = int(match[1])
        self.rate = match[2]
        self.bytes = number(match[3])
        self.bytes_interval = interval(self.bytes, match[4])
        self.objects = number(match[5])
        self.objects_interval = interval(self.objects, match[6])
        self.samples = number(match[9])
        self.blame = ""
        self.verdict = ""  # "leak", "plateau", ...
        self.reasons = ""
        self.frames = []

    def functions(self):
        return [f.strip().split("  ")[0] for f in self.frames]


class Report:
    def __init__(self, lines):
        self.title = lines[0]
        self.headline = lines[1] if len(lines) > 1 else ""
        self.header = {}
        self.stacks = []
        self.losses = []
        label = None
        for line in lines[1:]:
            found = STACK.match(line)
            if found:
                self.stacks.append(Stack(found))
                label = None
            elif self.stacks and line.startswith("    in "):
                self.stacks[-1].blame = line.strip()
            elif self.stacks and VERDICT.match(line):
                self.stacks[-1].verdict = VERDICT.match(line)[1]
                self.stacks[-1].reasons = line.strip()
            elif self.stacks and line.startswith("    "):
                self.stacks[-1].frames.append(line)
            elif line.startswith("  ") and not self.stacks:
                label = line[2:14].strip() or label
                self.header.setdefault(label, []).append(line[15:])

    def stack_of(self, function):
        """The first stack whose blame is `function`."""
        for s in self.stacks:
            if re.match(rf"in {re.escape(function)}(\(\))?( at |$)", s.blame):
                return s
        return None


def parse_reports(text):
    reports, lines = [], []
    for line in text.splitlines():
        if line.startswith("leakbpf: ") and "since attach" in line:
            if lines:
                reports.append(Report(lines))
            lines = []
        if lines or line.startswith("leakbpf: "):
            lines.append(line)
    if lines:
        reports.append(Report(lines))
    return reports


def parse_report(text):
    reports = parse_reports(text)
    assert reports, f"no report in:\n{text}"
    return reports[-1]


def profile_python(code):
    """Every block that a Python program allocates for one line on its standard
    input. It prints `up` when it is ready and `done` behind the line."""
    with subprocess.Popen(["/usr/bin/python3", "-c", code], text=True,
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == "up\n"
        with Profiler([process.pid], "--sample-bytes", 0) as profiler:
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"
            run = profiler.stop()
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
    return run
