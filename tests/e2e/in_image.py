# SPDX-License-Identifier: GPL-2.0-only
"""Runs a program as a container runtime does, but in the host's namespace of
process ids: `in_image.py FOLDER CAPABILITY,... PROGRAM WORDS...`. The folder is
all it sees, with /proc, /sys and /dev; it has these capabilities only, and gets
no new ones."""
import ctypes
import os
import subprocess
import sys

# linux/capability.h
NUMBERS = {"DAC_READ_SEARCH": 2, "SETGID": 6, "SETUID": 7, "SYS_PTRACE": 19,
           "SYS_ADMIN": 21, "PERFMON": 38, "BPF": 39, "CHECKPOINT_RESTORE": 40}
# linux/prctl.h, linux/sched.h
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, CLONE_NEWNS = 24, 38, 0x20000


def call(function, *arguments):
    if function(*arguments):
        raise OSError(ctypes.get_errno(), function.__name__)


def main():
    folder, capabilities, *command = sys.argv[1:]
    kept = {NUMBERS[c.upper()] for c in capabilities.split(",")}
    libc = ctypes.CDLL(None, use_errno=True)
    call(libc.unshare, CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    for name in ("proc", "sys", "dev"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        subprocess.run(["mount", "--rbind", f"/{name}", f"{folder}/{name}"],
                       check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    with open("/proc/sys/kernel/cap_last_cap") as f:
        last = int(f.read())
    os.chroot(folder)
    os.chdir("/")
    # Those in effect are taken away by the exec.
    for number in set(range(last + 1)) - kept:
        call(libc.prctl, PR_CAPBSET_DROP, number, 0, 0, 0)
    call(libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.execv(command[0], command)


main()
