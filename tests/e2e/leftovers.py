# SPDX-License-Identifier: GPL-2.0-only
"""After all tests: what is still on the machine? `leftovers.py BUILD TMP`: the
build folder and the one that temporary files went to. Prints what is there
and exits with 1, or prints nothing and exits with 0."""
import glob
import os
import subprocess
import sys
import time

import machine


def processes_of(folder):
    """Processes that run a program out of the build folder."""
    out = []
    for exe in glob.glob("/proc/[0-9]*/exe"):
        try:
            path = os.readlink(exe)
        except OSError:
            continue
        if path.startswith(folder + os.sep):
            out.append(f"{exe.split('/')[2]} ({path})")
    return out


def lasting(look, seconds):
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def probes_in_a_new_process():
    """A probe that was not bound to one process would be in its libc."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        time.sleep(0.2)
        found = machine.patched_bytes(process.pid)
        process.stdin.close()
    return found


def main():
    folder = os.path.realpath(sys.argv[1])
    problems = {
        "processes": lasting(lambda: processes_of(folder), 60),
        "BPF programs without an owner": machine.lasting_programs(),
        "probes": lasting(probes_in_a_new_process, 30),
        "temporary files": os.listdir(sys.argv[2]),
    }
    for what, found in problems.items():
        if found:
            print(f"left behind, {what}: {', '.join(map(str, found))}")
    return any(problems.values())


if __name__ == "__main__":
    sys.exit(main())
