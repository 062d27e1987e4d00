# SPDX-License-Identifier: GPL-2.0-only
"""Reads the tables of a running leakbpf (struct v8_sample of
include/leakbpf/v8_abi.h), and looks whether the objects are where they are
said to be."""
import glob
import json
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass

BPFTOOL = shutil.which("bpftool", path="/usr/sbin:/sbin:/usr/bin")
SAMPLE = struct.Struct("<QQIIQQQII")
HEAP = struct.Struct("<QII")  # the first fields of struct v8_heap


@dataclass
class Sample:
    address: int
    heap: int
    survived: int
    weight: int  # bytes it stands for
    birth_ns: int


def bpftool(*arguments):
    return json.loads(subprocess.run(
        [BPFTOOL, "-j", "map", *map(str, arguments)], check=True,
        capture_output=True, timeout=60).stdout)


def map_ids(pid):
    """{name: id} of the maps that a process holds."""
    ids = set()
    for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
        try:
            with open(path) as f:
                ids.update(re.findall(r"^map_id:\s*(\d+)", f.read(), re.M))
        except FileNotFoundError:
            pass
    return {bpftool("show", "id", i)["name"]: i for i in ids}


def values(map_id):
    for entry in bpftool("dump", "id", map_id):
        yield bytes(int(b, 16) for b in entry["value"])


def collecting(pid):
    """Whether a heap that the leakbpf with this pid follows is being
    collected: its objects are moving."""
    return any(HEAP.unpack_from(heap)[2]
               for heap in values(map_ids(pid)["v8_heaps"]))


def samples(pid):
    """What the leakbpf with this pid follows."""
    ids = map_ids(pid)
    found = []
    for name in ("v8_young", "v8_old"):
        for value in values(ids[name]):
            fields = SAMPLE.unpack(value)
            address, heap, survived, _, size, birth, booking, _, _ = fields
            threshold = booking >> 32
            if booking:
                weight = (size << 32) // threshold if threshold else size
                found.append(Sample(address, heap, survived, weight, birth))
    return found


def is_object(memory, address):
    """Whether an object begins there: its map, a tagged pointer, is an object
    whose map is a map, which is its own map."""
    def word(at):
        try:
            memory.seek(at)
            return struct.unpack("<Q", memory.read(8))[0]
        except (OSError, struct.error):
            return 0

    shape = word(address)
    meta = word(shape - 1) if shape & 3 == 1 else 0
    return meta & 3 == 1 and word(meta - 1) == meta


def misplaced(pid, found):
    """Samples that are not where an object is. The target must stand still, and
    not in a collection. The last sample of each heap is left out: a thread that
    stops right after the probe has not made that object yet."""
    last = {}
    for s in found:
        last[s.heap] = max(s.birth_ns, last.get(s.heap, 0))
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        return [s for s in found if s.birth_ns < last[s.heap] and
                not is_object(memory, s.address)]
