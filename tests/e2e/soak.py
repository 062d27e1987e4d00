# SPDX-License-Identifier: GPL-2.0-only
"""`leakbpf serve` for a long time over a group in which everything comes and
goes: `soak.py MINUTES`. Programs of which each is a file of its own start, load
a library of its own, call exec and end; others fork all the time, load and
unload libraries, are Node.js that compiles new code, starts workers and is
restarted, or ordinary programs. Some keep account of what they hold. A real
Prometheus scrapes throughout. In the end

- every account was exact, whenever it was compared;
- nothing was lost that was not announced (ALLOWED_LOSSES);
- leakbpf has as much memory, as many files, threads and BPF maps as it had when
  it was warm, within the tolerances below;
- nothing is left behind."""
import contextlib
import glob
import itertools
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import groups
import machine
from leakbpf import PATIENCE, Spoken, Target
from node import NODES, PLACE
from paths import target_path
from prometheus import prometheus
from server import Server

# What processes that end at any moment cannot but cost.
ALLOWED_LOSSES = (
    "stacks cut short: ",
    "samples lost: call never returned",
    "JavaScript frames",
    "starts of processes not told of",
    "objects without unwind information",
    "blocks whose free was not seen, replaced",
)
# Growth from the first fifth of the time behind the warm-up to the last, beyond
# which it is a leak: share, and absolute. Tables are filled to a limit, and the
# number of processes at a moment is left to chance.
TOLERANCES = {
    "resident": (0.15, 24 << 20),
    "http resident": (0.10, 2 << 20),
    "kernel memory": (0.10, 3 << 20),
    "files": (0.25, 60),
    "threads": (0, 1),
    "inner maps": (0.25, 60),
    "inner map bytes": (0.20, 3 << 20),
}
STACK_BYTES = 3300
# Room for every stack of a starting worker of Node.js when every block is
# sampled: some 30,000.
MEMORY = "512M"
SAMPLE_SECONDS = 5
COPIES_PER_SECOND = 4


# ---- What leakbpf itself takes ----------------------------------------------

def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(re.findall(r"^(\w+):\s+(\d+)", f.read(), re.M))


def bpf_maps(pid):
    """(id, is it one of maps) of those that the process has open."""
    for link in glob.glob(f"/proc/{pid}/fdinfo/*"):
        with contextlib.suppress(OSError):
            with open(link) as f:
                text = f.read()
            found = re.search(r"^map_id:\s+(\d+)", text, re.M)
            if found:
                kind = int(re.search(r"^map_type:\s+(\d+)", text, re.M)[1])
                yield int(found[1]), kind in (12, 13)


def bpftool(*arguments):
    run = subprocess.run(["/usr/sbin/bpftool", "-j", *map(str, arguments)],
                         capture_output=True, text=True, timeout=PATIENCE)
    return json.loads(run.stdout or "null")


def inner_map_ids(pid):
    """The maps within maps of this process."""
    inside = set()
    for number, outer in bpf_maps(pid):
        if outer:
            for entry in bpftool("map", "dump", "id", number) or []:
                value = entry["value"]
                if isinstance(value, list):  # little-endian
                    inside.add(sum(int(byte, 16) << 8 * i
                                   for i, byte in enumerate(value)))
    return inside


def inner_maps(pid):
    """Their number and bytes."""
    inside = inner_map_ids(pid)
    sizes = {m["id"]: m.get("bytes_memlock", 0)
             for m in bpftool("map", "show") or []}
    return len(inside), sum(sizes.get(i, 0) for i in inside)


def held(pid):
    """{(kind, id)} of the programs, maps and links that the process has."""
    out = {("map", number) for number in inner_map_ids(pid)}
    for link in glob.glob(f"/proc/{pid}/fdinfo/*"):
        with contextlib.suppress(OSError):
            with open(link) as f:
                out |= {(kind, int(number)) for kind, number in re.findall(
                    r"^(prog|map|link)_id:\s+(\d+)", f.read(), re.M)}
    return out


def lasting(objects, seconds=60):
    """Which of these are still there after so long: the kernel frees them some
    grace periods after their last user."""
    deadline = time.monotonic() + seconds
    while objects and time.monotonic() < deadline:
        time.sleep(0.5)
        objects &= {(kind, o["id"]) for kind in ("prog", "map", "link")
                    for o in bpftool(kind, "show") or []}
    return objects


def metric(server, name):
    text = server.get("/metrics")[2].decode()
    return {tuple(sorted(re.findall(r'(\w+)="([^"]*)"', labels or ""))):
            float(value) for labels, value in
            re.findall(rf"^leakbpf_{name}(?:\{{(.*)\}})? (\S+)$", text, re.M)}


def measure(server):
    pid = server.process.pid
    status = status_of(pid)
    count, size = inner_maps(pid)
    return {
        "resident": int(status["RssAnon"]) << 10,
        "stacks": metric(server, "stacks")[()],
        "http resident": int(status_of(server.http_process())["VmRSS"]) << 10,
        "kernel memory": metric(server, "kernel_memory_bytes")[()],
        "files": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": int(status["Threads"]),
        "inner maps": count,
        "inner map bytes": size,
    }


# ---- What comes and goes ----------------------------------------------------

class Copies:
    """Files that nothing else is: copies of a program and of a library."""

    def __init__(self, folder):
        self.folder = folder
        self.numbers = itertools.count()

    def make(self, name):
        path = os.path.join(self.folder, f"{next(self.numbers)}-{name}")
        shutil.copy(target_path(name), path)
        return path


class Churn(threading.Thread):
    """Starts what comes and goes, in the group, until it is told to stop."""

    def __init__(self, place, folder):
        super().__init__()
        self.place = place
        self.copies = Copies(folder)
        self.stopping = threading.Event()
        self.started = 0
        self.unhappy = []
        self.running = []
        self.lasting = []
        self.error = None

    def inside(self, *command):
        process = subprocess.Popen(
            [*groups.inside(self.place), *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        self.started += 1
        return process

    def brief(self):
        """A program and a library that are seen once, for a second or two."""
        files = [self.copies.make("churn"), self.copies.make("plugin.so")]
        self.running.append((self.inside(files[0], "brief", files[1], 900),
                             files))

    def reap(self):
        still = []
        for process, files in self.running:
            if process.poll() is None:
                still.append((process, files))
                continue
            if process.returncode:
                self.unhappy.append((process.args, process.returncode))
            for path in files:
                os.unlink(path)
        self.running = still

    def restart_node(self):
        node = NODES[("18", "20", "22", "24")[self.started % 4]]
        self.running.append((self.inside(
            *node, os.path.join(PLACE, "churn.js"), 20), []))

    def use_plugins(self):
        self.plugins.say(self.copies.make("plugin.so"))
        self.plugins.read()
        for path in glob.glob(f"{self.copies.folder}/*-plugin.so"):
            if not any(path in files for _, files in self.running):
                os.unlink(path)

    def run(self):
        try:
            self.work()
        except Exception as error:  # told by the test
            self.error = error
        finally:
            self.end()

    def work(self):
        shell = ("while :; do printf 'b\\na\\n' | sort | gzip -c | wc -c; "
                 "python3 -c 'x = [str(i) for i in range(9999)]'; "
                 "perl -e '@x = map { \"x\" x $_ } 1..999'; sleep 2; done")
        self.lasting = [self.inside("sh", "-c", shell),
                        self.inside(target_path("churn"), "forks"),
                        self.inside(*NODES["22"],
                                    os.path.join(PLACE, "churn.js"))]
        self.plugins = Spoken([*groups.inside(self.place),
                               target_path("churn"), "plugins"])
        self.plugins.say("")
        for turn in itertools.count():
            if self.stopping.wait(1 / COPIES_PER_SECOND):
                return
            self.brief()
            self.reap()
            if turn % (30 * COPIES_PER_SECOND) == 0:
                self.restart_node()
            if turn % COPIES_PER_SECOND == 0:
                self.use_plugins()

    def end(self):
        for process in self.lasting + [p for p, _ in self.running]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if hasattr(self, "plugins"):
            self.plugins.close()


# ---- Accounts ---------------------------------------------------------------

def is_attached(server, pid):
    return any(dict(labels).get("pid") == str(pid)
               for labels in metric(server, "target_up"))


def wait_attached(server, target):
    server.wait_for(lambda: is_attached(server, target.pid))


def wait_snapshots(server, count):
    """Until so many have been taken that began after this."""
    seen = {metric(server, "observed_seconds")[()]}
    deadline = time.monotonic() + PATIENCE
    while len(seen) <= count:
        assert time.monotonic() < deadline, "no snapshots"
        time.sleep(0.2)
        seen.add(metric(server, "observed_seconds")[()])


def compare(server, ledgers, ms):
    """Lets them work, and compares what they say with what leakbpf says."""
    for ledger in ledgers:
        ledger.say(str(ms))
    said = [ledger.read(ms / 1000 + PATIENCE) for ledger in ledgers]
    wait_snapshots(server, 2)
    for what in ("bytes", "blocks"):
        shown = {dict(labels)["pid"]: value for labels, value in
                 metric(server, f"outstanding_{what}").items()}
        for ledger, account in zip(ledgers, said):
            assert shown[str(ledger.pid)] == account[what], \
                f"{what} of {ledger.pid}: {account}, shown " \
                f"{shown[str(ledger.pid)]}, losses {server.losses()}"


# ---- All --------------------------------------------------------------------

def value_of(series):
    return float(series[0]["value"][1]) if series else None


def report_losses(server):
    return {what: count for what, count in server.losses().items()
            if not what.startswith(ALLOWED_LOSSES)}


def growth(samples, warm, tolerances):
    """(what, early, late) of what grew beyond its tolerance."""
    # A past is kept of each stack, for as many as there is room for, and what
    # the most of them took is kept for the next: that is no leak.
    most = itertools.accumulate((s["stacks"] for s in samples), max)
    samples = [{**s, "resident": s["resident"] - stacks * STACK_BYTES}
               for s, stacks in zip(samples, most)]
    rest = samples[warm:]
    part = max(len(rest) // 5, 1)
    for what, (share, absolute) in tolerances.items():
        early = statistics.median(s[what] for s in rest[:part])
        late = statistics.median(s[what] for s in rest[-part:])
        if late > early * (1 + share) + absolute:
            yield what, early, late


def watch(server, churn, seconds):
    """Compares and measures; returns the measurements."""
    samples, compared = [], 0
    end = time.monotonic() + seconds
    inside = groups.inside(churn.place)
    with Target("ledger", 2, wrapper=inside) as first, \
            Target("ledger", 4, wrapper=inside) as second:
        for ledger in (first, second):
            wait_attached(server, ledger)
            ledger.line()
        while time.monotonic() < end:
            with Target("ledger", 3, wrapper=inside) as third:
                wait_attached(server, third)
                third.line()
                for _ in range(2):
                    compare(server, [first, second, third], 1500)
                    compared += 3
            assert churn.is_alive(), churn.error
            samples.append(measure(server))
            print(f"{len(samples)}: {churn.started} started, {compared} "
                  f"accounts exact, {samples[-1]}, losses {server.losses()}",
                  flush=True)
            time.sleep(SAMPLE_SECONDS)
    return samples


def soak(seconds, warm_seconds, *options, tolerances=TOLERANCES):
    folder = tempfile.mkdtemp(prefix="e2e-soak-")
    try:
        with groups.group() as (path, place), \
                Server(None, "--cgroup", path, "-i", 2, "--max-memory", MEMORY,
                       *options) as server, \
                prometheus(server, folder, 5) as query:
            # A scrape must be answered within its 5 s, also while what comes and
            # goes here keeps all processors busy.
            for pid in (server.process.pid, server.http_process()):
                machine.prefer(pid)
            churn = Churn(place, folder)
            churn.start()
            before = time.monotonic()
            try:
                samples = watch(server, churn, seconds)
                losses = report_losses(server)
                scraped = value_of(
                    query(f"avg_over_time(up[{int(seconds)}s])"))
                scrapes = value_of(
                    query(f"count_over_time(up[{int(seconds)}s])"))
                steps = (time.monotonic() - before) / len(samples)
            finally:
                churn.stopping.set()
                churn.join()
            objects = held(server.process.pid)
            assert server.stop() == 0, server.stderr()
            errors = server.stderr()
        assert not churn.error, churn.error
        assert not churn.unhappy, churn.unhappy
        assert not losses, losses
        # The first may come before the first report, and one takes longer than
        # the 5 s that it may while a large program is indexed.
        assert (1 - scraped) * scrapes < max(3, 0.03 * scrapes), \
            f"{scraped:.3f} of {scrapes} scrapes"
        assert scrapes > seconds / 5 * 0.8, scrapes
        grown = list(growth(samples, int(warm_seconds / steps), tolerances))
        assert not grown, f"grown: {grown}\n{errors[-2000:]}"
        assert len(objects) > 50, objects
        left = lasting(objects)
        assert not left, f"left behind: {left}"
    finally:
        shutil.rmtree(folder)
    return samples, churn.started


if __name__ == "__main__":
    MINUTES = float(sys.argv[1])
    machine.adopt_orphans()
    SAMPLES, STARTED = soak(MINUTES * 60, min(MINUTES * 60 / 4, 300),
                            *sys.argv[2:])
    print(f"{STARTED} processes started; at the end {SAMPLES[-1]}")
