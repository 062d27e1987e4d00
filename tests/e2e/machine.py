# SPDX-License-Identifier: GPL-2.0-only
"""What is left on the machine: processes, BPF programs, probes."""
import contextlib
import ctypes
import glob
import json
import os
import subprocess
import time

# Programs of bpf/*.bpf.c, as the kernel shows them (cut at 15 characters).
PROGRAMS = {"alloc_session", "alloc_entry", "alloc_return", "free_entry",
            "map_session", "map_entry", "map_return", "loader_entry",
            "process_exec", "thread_exit", "process_fork"}


PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Whatever loses its parent becomes our child, and so is noticed."""
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def reap():
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def children():
    """Processes that tests started, or theirs, that have not ended."""
    reap()
    out = []
    me = os.getpid()
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat) as f:
                fields = f.read().rpartition(")")
        except OSError:
            continue
        if int(fields[2].split()[1]) == me:
            out.append(fields[0].strip() + ")")
    return out


def ownerless_programs():
    """Our BPF programs that no process holds any more."""
    run = subprocess.run(["/usr/sbin/bpftool", "-j", "prog", "show"],
                         capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return [p["id"] for p in json.loads(run.stdout or "[]")
            if p.get("name") in PROGRAMS and not p.get("pids")]


def lasting_programs(seconds=60):
    """Our BPF programs that stay without an owner. The kernel frees programs
    some grace periods after their last user, on a busy machine seconds."""
    deadline = time.monotonic() + seconds
    programs = set(ownerless_programs())
    while programs and time.monotonic() < deadline:
        time.sleep(0.2)
        programs &= set(ownerless_programs())
    return programs


def lasting_processes(known=(), seconds=60):
    """Processes that stay, but for those `known` before. The children that close
    perf events for leakbpf need a while: that is what they are for, and each
    event costs a grace period of the kernel."""
    deadline = time.monotonic() + seconds
    while True:
        left = [child for child in children() if child not in known]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def prefer(pid):
    """Others of this machine wait for this process (its first thread, and what
    that starts from now on), not it for them: for what keeps to a timetable."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, -15)


def cpu_seconds(pid):
    """Of all its threads."""
    with open(f"/proc/{pid}/stat") as f:
        user, system = f.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def waited_for_cpu(pid):
    """Seconds that the first thread of the process was ready to run while others
    had the CPUs. As long as it is not reaped, also when it has ended."""
    with open(f"/proc/{pid}/schedstat") as f:
        return int(f.read().split()[1]) / 1e9


class Stopwatch:
    """Seconds of a process (by default this one) that passed from here on, but
    for those that it waited for a CPU: what others of this machine do is none
    of its doing. Computing, sleeping and waiting for the kernel count."""

    def __init__(self, pid="self"):
        self.pid = pid
        self.began = time.monotonic()
        self.waited = waited_for_cpu(pid)

    def seconds(self):
        return (time.monotonic() - self.began) - \
            (waited_for_cpu(self.pid) - self.waited)


def assert_quick(attempt, limit, attempts=4):
    """That it takes less than so many seconds; `attempt` returns (seconds, what
    to show of it). Others can only make it slower, as they keep the kernel's own
    threads waiting, too: of several attempts one must be quick enough."""
    took = []
    for _ in range(attempts):
        seconds, shown = attempt()
        took.append(f"{seconds:.2f}")
        if seconds < limit:
            return
    raise AssertionError(
        f"expected less than {limit} s, took {', '.join(took)} s; the last:\n"
        f"{shown}")


def executable_mappings(pid):
    """(start, end, file offset, path) of file-backed executable mappings."""
    with open(f"/proc/{pid}/maps") as f:
        for line in f:
            fields = line.split(None, 5)
            if "x" not in fields[1] or len(fields) < 6:
                continue
            path = fields[5].strip()
            if not path.startswith("/"):
                continue
            start, end = (int(x, 16) for x in fields[0].split("-"))
            yield start, end, int(fields[2], 16), path


def patched_bytes(pid):
    """Places where the code in memory differs from the file: probes. A list
    of "path+0xoffset"."""
    out = []
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for start, end, offset, path in executable_mappings(pid):
            memory.seek(start)
            now = memory.read(end - start)
            link = f"/proc/{pid}/map_files/{start:x}-{end:x}"
            with open(link, "rb") as f:
                f.seek(offset)
                then = f.read(end - start)
            then = then.ljust(len(now), b"\0")
            if now != then:
                out += [f"{path}+{offset + i:#x}"
                        for i in range(len(now)) if now[i] != then[i]]
    return out
