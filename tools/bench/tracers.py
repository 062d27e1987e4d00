# SPDX-License-Identifier: GPL-2.0-only
"""The profilers compared: leakbpf, and bpftrace with the naive probes."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

# The textbook leak tracer: entry and return of every allocation function,
# entry of free, all at offset 0; size, stack and pointer in maps.
NAIVE_ALLOC = """
uprobe:{library}:{function} /pid == {pid}/ {{ @size[tid] = {size}; }}
uretprobe:{library}:{function} /pid == {pid} && @size[tid]/ {{
    @live[retval] = @size[tid]; @stack[retval] = ustack; delete(@size[tid]);
}}
"""
NAIVE_REALLOC = """
uprobe:{library}:{function} /pid == {pid}/ {{
    @size[tid] = {size}; delete(@live[arg0]); delete(@stack[arg0]);
}}
uretprobe:{library}:{function} /pid == {pid} && @size[tid]/ {{
    @live[retval] = @size[tid]; @stack[retval] = ustack; delete(@size[tid]);
}}
"""
NAIVE_FREE = """
uprobe:{library}:free /pid == {pid}/ {{ delete(@live[arg0]); delete(@stack[arg0]); }}
END {{ clear(@live); clear(@stack); clear(@size); }}
"""


class Tracer:
    """A profiler attached to one process."""

    process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Detaches; returns the seconds that took. Also on a dead profiler."""
        if self.process is None:
            return 0.0
        start = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
        return time.monotonic() - start


class Untraced(Tracer):
    """Nothing: the base line."""


class Leakbpf(Tracer):
    def __init__(self, binary, pid, *options):
        self.output = tempfile.NamedTemporaryFile("w+", prefix="leakbpf-bench-")
        self.errors = tempfile.NamedTemporaryFile("w+", prefix="leakbpf-bench-")
        self.start = time.monotonic()
        # What tracing all the time costs; budget.py is about less.
        if "--max-overhead" not in options:
            options = (*options, "--max-overhead", "0")
        self.process = subprocess.Popen(
            [binary, "-p", str(pid), *options], stdout=self.output,
            stderr=self.errors, stdin=subprocess.DEVNULL)
        self.pid = self.process.pid

    def text(self):
        with open(self.output.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def error_text(self):
        with open(self.errors.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_attached(self, timeout=60):
        """Seconds from the start until all probes are in place."""
        return self._wait(lambda: "tracing process" in self.error_text(),
                          timeout)

    def wait_report(self, timeout=60):
        """Seconds from the start until the first report is written."""
        return self._wait(lambda: os.path.getsize(self.output.name) > 0,
                          timeout)

    def _wait(self, condition, timeout):
        while time.monotonic() < self.start + timeout:
            if condition():
                return time.monotonic() - self.start
            if self.process.poll() is not None:
                raise RuntimeError("leakbpf ended: " + self.error_text())
            time.sleep(0.002)
        raise RuntimeError("leakbpf takes too long: " + self.error_text())


class Naive(Tracer):
    """bpftrace doing the same job. tracefs is not needed: it opens its probes
    as perf events."""

    def __init__(self, pid, library, functions):
        script = ""
        for function, size in functions.items():
            form = NAIVE_REALLOC if function == "realloc" else NAIVE_ALLOC
            script += form.format(library=library, function=function,
                                  size=size, pid=pid)
        script += NAIVE_FREE.format(library=library, pid=pid)
        environment = dict(os.environ, BPFTRACE_MAP_KEYS_MAX="1000000")
        self.process = subprocess.Popen(
            ["bpftrace", "-p", str(pid), "-e", script], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Floor(Tracer):
    """The traps alone: leakbpf's probes in the allocator, with programs that
    do nothing (floor.c)."""

    def __init__(self, binary, pid, library, returns):
        self.process = subprocess.Popen(
            [binary, str(pid), library, "return" if returns else "decline"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("floor: cannot set the probes")


def floor_available(binary):
    """Whether this kernel has the links that the floor is measured with."""
    pid = os.getpid()
    return subprocess.run(
        [binary, str(pid), library_of(pid, "libc.so"), "return"],
        stdin=subprocess.DEVNULL, capture_output=True,
        check=False).returncode == 0


MALLOC_ONLY = {"malloc": "arg0"}
ALL_FUNCTIONS = {"malloc": "arg0", "calloc": "arg0 * arg1", "realloc": "arg1"}


def bpftrace_available():
    return shutil.which("bpftrace") is not None


def library_of(pid, part):
    """Path of the mapped library whose name contains `part`."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            match = re.search(r"(/\S*/" + part + r"\S*)$", line)
            if match:
                return match.group(1)
    raise RuntimeError(f"process {pid} maps no {part}")


# ---- Memory ------------------------------------------------------------------

def _descendants(pid):
    pids = [pid]
    for p in pids:
        try:
            with open(f"/proc/{p}/task/{p}/children", encoding="ascii") as f:
                pids += [int(c) for c in f.read().split()]
        except OSError:
            pass
    return pids


def loader_memory(pid):
    """Proportional set size of leakbpf and its children, bytes, without the
    BPF tables they have mapped: those are counted as kernel memory."""
    total = 0
    for p in _descendants(pid):
        table = False
        with open(f"/proc/{p}/smaps", encoding="utf-8") as smaps:
            for line in smaps:
                if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                    table = "bpf-map" in line
                elif line.startswith("Pss:") and not table:
                    total += int(line.split()[1]) * 1024
    return total


def _memlock_of_fds(pid, maps, programs):
    """Adds {id: bytes} of the BPF objects behind the process's descriptors."""
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as f:
                fields = dict(line.split(":\t", 1) for line in f
                              if ":\t" in line)
        except OSError:
            continue
        if "memlock" not in fields:
            continue
        if "map_id" in fields:
            maps[int(fields["map_id"])] = (int(fields["memlock"]),
                                           int(fields["map_type"]))
        elif "prog_id" in fields:
            programs[int(fields["prog_id"])] = int(fields["memlock"])


# enum bpf_map_type, include/uapi/linux/bpf.h
ARRAY_OF_MAPS, HASH_OF_MAPS = 12, 13


def _inner_maps(bpftool, outer):
    out = subprocess.run([bpftool, "map", "dump", "id", str(outer)],
                         capture_output=True, text=True, check=False)
    return {int(i) for i in re.findall(r"inner_map_id:?\s*(\d+)", out.stdout)}


def kernel_memory(pid):
    """Bytes of all BPF maps and programs of leakbpf, inner maps included."""
    bpftool = shutil.which("bpftool") or "/usr/sbin/bpftool"
    maps, programs = {}, {}
    for p in _descendants(pid):
        _memlock_of_fds(p, maps, programs)
    inner = set()
    for outer, (_, kind) in maps.items():
        if kind in (ARRAY_OF_MAPS, HASH_OF_MAPS):
            inner |= _inner_maps(bpftool, outer)
    total = sum(size for size, _ in maps.values()) + sum(programs.values())
    for i in inner - set(maps):
        out = subprocess.run([bpftool, "map", "show", "id", str(i)],
                             capture_output=True, text=True, check=False)
        match = re.search(r"memlock (\d+)B", out.stdout)
        total += int(match.group(1)) if match else 0
    return total
