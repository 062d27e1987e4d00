# SPDX-License-Identifier: GPL-2.0-only
"""What is left on the machine: processes, BPF programs, probes."""
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
                         capture_output=True, text=True, timeout=20)
    assert run.returncode == 0, run.stderr
    return [p["id"] for p in json.loads(run.stdout or "[]")
            if p.get("name") in PROGRAMS and not p.get("pids")]


def lasting_programs(seconds=30):
    """Our BPF programs that stay without an owner. The kernel frees programs
    some grace periods after their last user, on a busy machine seconds."""
    deadline = time.monotonic() + seconds
    programs = set(ownerless_programs())
    while programs and time.monotonic() < deadline:
        time.sleep(0.2)
        programs &= set(ownerless_programs())
    return programs


def lasting_processes(known=(), seconds=20):
    """Processes that stay, but for those `known` before. The children that close perf events for leakbpf
    need a while: that is what they are for."""
    deadline = time.monotonic() + seconds
    while True:
        left = [child for child in children() if child not in known]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


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
