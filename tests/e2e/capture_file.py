# SPDX-License-Identifier: GPL-2.0-only
"""Writes capture files from docs/capture-format.md, not from the sources: so it
checks the document, too, and can write what no real program would."""
import struct
import zlib

META, PROCESS, OBJECT, STRINGS, SYMBOLS, STACKS, SNAPSHOT = range(1, 8)
MAGIC = b"\x89LBPF\r\n\x1a"
SECOND = 10**9

# Positions in a stack's figures.
ALLOC_SAMPLES, FREED_SAMPLES, ALLOC_BYTES, FREED_BYTES, ALLOC_Q8 = range(5)
FIRST_ALLOC, LAST_ALLOC, COHORT_BYTES, COHORT_OBJECTS = 8, 9, 11, 27


def uleb(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def sleb(value):
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value & 0x7f)
    return bytes(out)


def ulebs(*values):
    return b"".join(map(uleb, values))


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return uleb(len(raw)) + raw


def record(kind, payload):
    stored = zlib.compress(payload, 1)
    if len(stored) >= len(payload):
        stored = payload
    head = struct.pack("<III", kind, len(stored), len(payload))
    return head + struct.pack("<I", zlib.crc32(head + stored)) + stored


def double(value):
    return uleb(struct.unpack("<Q", struct.pack("<d", value))[0])


def v8_facts(heaps, types, refused=""):
    """`heaps`: [(pid, tid, scavenges, full collections, seconds of each, of
    following, live bytes, seconds ago, growth per minute)]; `types`: [(stack,
    name, share)]."""
    out = [ulebs(1, 2), text(refused), uleb(len(heaps))]
    for heap in heaps:
        out.append(ulebs(*heap[:4]) + b"".join(map(double, heap[4:])) + b"\1")
    out.append(uleb(len(types)))
    for stack, name, share in types:
        out.append(uleb(stack) + text(name) + double(share))
    return b"".join(out)


class Capture:
    """`frames` are numbers; each has a symbol: a list of (function, file,
    line), innermost first."""

    def __init__(self, started=1700000000, pid=4242, name="server",
                 command="server --port 80"):
        self.data = bytearray(MAGIC + struct.pack("<II", 1, 0))
        self.strings = {}
        self.figures = {}
        self.pid = pid
        self.add(META, uleb(started * SECOND) + text("test") + text("6.1"))
        self.add(PROCESS, uleb(pid) + text(name) + text(command))

    def add(self, kind, payload):
        self.data += record(kind, payload)

    def string(self, value, new):
        if value is None:
            return 0
        if value not in self.strings:
            self.strings[value] = len(self.strings) + 1
            new.append(text(value))
        return self.strings[value]

    def object(self, number, path, build_id):
        new = []
        payload = ulebs(number, self.string(path, new), len(build_id)) + \
            build_id + ulebs(0x1000, 0x2000, 0x1000)
        self.add(STRINGS, b"".join(new))
        self.add(OBJECT, payload)

    def symbols(self, symbols, module="server"):
        """{frame: [(function, file, line)]}"""
        new, out = [], []
        for frame, levels in symbols.items():
            out.append(ulebs(frame, 1, 0, self.string(module, new),
                             len(levels)))
            for i, (function, file, line) in enumerate(levels):
                out.append(ulebs(self.string(function, new),
                                 self.string(file, new), line, 0,
                                 i < len(levels) - 1))
        if new:
            self.add(STRINGS, b"".join(new))
        self.add(SYMBOLS, b"".join(out))

    def stacks(self, stacks, source=0, end=0):
        """{id: [frames, leaf first]}"""
        out = []
        for number, frames in stacks.items():
            out.append(ulebs(number, self.pid, source, end, len(frames)))
            before = 0
            for frame in frames:
                out.append(sleb(frame - before))
                before = frame
            self.figures[number] = {}
        self.add(STACKS, b"".join(out))

    def snapshot(self, seconds, live, rss=200 << 20, final=True, v8=None):
        """`live`: {id: (bytes, blocks)} that have changed; exact. `v8`: what
        v8_facts made."""
        figures = ulebs(seconds * SECOND, final, 0, 0, len(self.figures), 1000,
                        len(self.figures), 1000, 1 << 20, 0, 1, seconds * 1000,
                        0, 0, 0, 0, 0, 1, 0, 0, 2)
        figures += text("ALLOC_HITS") + uleb(10) + text("SAMPLES") + uleb(10)
        figures += ulebs(0, 0, rss, 0, 0, 0, 0, 0, 1, 1, rss, rss,
                         2 * rss) + (b"\0" if v8 is None else v8)
        changes = []
        for number, (size, blocks) in live.items():
            now = {ALLOC_SAMPLES: blocks, ALLOC_BYTES: size,
                   ALLOC_Q8: blocks << 8, LAST_ALLOC: seconds * SECOND,
                   COHORT_BYTES: size, COHORT_OBJECTS: blocks << 8}
            before = self.figures[number]
            now[FIRST_ALLOC] = before.get(FIRST_ALLOC, seconds * SECOND)
            changed = sorted(k for k in now if now[k] != before.get(k, 0))
            changes.append(ulebs(number + 1, sum(1 << k for k in changed)))
            changes += [sleb(now[k] - before.get(k, 0)) for k in changed]
            self.figures[number] = now
        self.add(SNAPSHOT, uleb(len(figures)) + figures + b"".join(changes) +
                 b"\0\0")

    def write(self, path):
        with open(path, "wb") as f:
            f.write(self.data)
        return str(path)
