# SPDX-License-Identifier: GPL-2.0-only
"""Control groups and containers for tests, made and removed by them."""
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

from leakbpf import Target
from paths import target_path


@contextlib.contextmanager
def hierarchy():
    """Where cgroup v2 is mounted; mounted for the time being if it is not."""
    with open("/proc/self/mounts") as f:
        for line in f:
            _, point, kind, *_ = line.split()
            if kind == "cgroup2":
                yield point
                return
    point = tempfile.mkdtemp(prefix="e2e-cgroup-")
    subprocess.run(["mount", "-t", "cgroup2", "none", point], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", point], check=True)
        os.rmdir(point)


@contextlib.contextmanager
def group(*children):
    """A group of its own with some below it: (path from the root, directory).
    What is still in it afterwards goes back to the root."""
    with hierarchy() as top:
        place = tempfile.mkdtemp(prefix="e2e-", dir=top)
        below = [os.path.join(place, child) for child in children]
        try:
            for child in below:
                os.mkdir(child)
            yield "/" + os.path.relpath(place, top), place
        finally:
            # Those within may have made some, too.
            for folder, *_ in os.walk(place, topdown=False):
                _empty(folder, top)


def _empty(folder, top):
    deadline = time.monotonic() + 10
    while True:
        for pid in members(folder):
            with contextlib.suppress(ProcessLookupError):
                move(pid, top)
        try:
            os.rmdir(folder)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def members(folder):
    with open(os.path.join(folder, "cgroup.procs")) as f:
        return [int(line) for line in f]


def move(pid, folder):
    with open(os.path.join(folder, "cgroup.procs"), "w") as f:
        f.write(str(pid))


def inside(folder):
    """A wrapper: the command starts in the group."""
    return ["sh", "-c", f'echo $$ >{folder}/cgroup.procs; exec "$@"', "sh"]


# crun can only make groups of version 2, and finds them only there. Its own
# mount namespace leaves the machine's mounts alone.
IN_V2 = ["unshare", "--mount", "sh", "-c",
         "umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup && "
         'exec "$@"', "sh"]
CRUN = "crun --cgroup-manager=cgroupfs"


@contextlib.contextmanager
def container(name, program, *arguments, group_path=None, mounts=()):
    """A Target in a container of crun's: namespaces of its own, and a file
    tree made of the program and its libraries. `mounts`: (path here, path
    there), read-only. The program's path counts as there if it is absolute."""
    bundle = tempfile.mkdtemp(prefix="e2e-crun-")
    # What Target adds to it is not needed: the bundle says what to run.
    run = f"exec {CRUN} run -b {bundle} {name}"
    try:
        _write_bundle(bundle, program, arguments, group_path, mounts)
        with Target("load", wrapper=[*IN_V2, "sh", "-c", run]) as target:
            yield target
    finally:
        subprocess.run([*IN_V2, "sh", "-c", f"{CRUN} delete -f {name}"],
                       check=False, capture_output=True)
        if group_path:
            _remove_empty(group_path)
        shutil.rmtree(bundle)


def _remove_empty(path):
    """The groups above a container's, which crun leaves."""
    with hierarchy() as top:
        while path.strip("/"):
            with contextlib.suppress(OSError):
                os.rmdir(top + path)
            path = os.path.dirname(path)


def _write_bundle(bundle, program, arguments, group_path, mounts):
    root = os.path.join(bundle, "rootfs")
    os.makedirs(os.path.join(root, "app"))
    if not os.path.isabs(program):
        shutil.copy(target_path(program), os.path.join(root, "app/service"))
        program = "/app/service"
        _copy_libraries(os.path.join(root, "app/service"), root)
    subprocess.run(["crun", "spec"], cwd=bundle, check=True)
    path = os.path.join(bundle, "config.json")
    with open(path) as f:
        config = json.load(f)
    process = config["process"]
    process["terminal"] = False
    process["args"] = [program, *map(str, arguments)]
    # Neither is allowed in every test machine.
    process.pop("rlimits", None)
    config["linux"]["resources"] = {}
    if group_path:
        config["linux"]["cgroupsPath"] = group_path
    for here, there in mounts:
        config["mounts"].append({"destination": there, "type": "bind",
                                 "source": here, "options": ["rbind", "ro"]})
    with open(path, "w") as f:
        json.dump(config, f)


def _copy_libraries(program, root):
    listed = subprocess.run(["ldd", program], text=True, capture_output=True,
                            check=False).stdout
    for word in listed.split():
        if word.startswith("/"):
            os.makedirs(root + os.path.dirname(word), exist_ok=True)
            shutil.copy(word, root + word)
