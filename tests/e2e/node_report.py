# SPDX-License-Identifier: GPL-2.0-only
"""What leakbpf's JSON report says of JavaScript."""
import os
import re
from collections import defaultdict

from node import PLACE
from readers import read_json

NATIVE, HEAP = "native", "v8 heap"


def sites(script):
    """{function: lines} that the source marks with `// site`; the function is
    the last one that began at the margin, or a method in a class."""
    out = defaultdict(set)
    function = None
    with open(os.path.join(PLACE, script), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            found = re.match(r"(?:async )?function (\w+)\(|"
                             r" +(?:static |private )?(?!for|if|while|super)(\w+)\(.*\{$|const (\w+) = \(|"
                             r".*, function (\w+)\(", line)
            if found:
                function = next(g for g in found.groups() if g)
            if "// site" in line:
                out[function].add(number)
    return out


class Frame:
    def __init__(self, fields):
        self.file = fields.get("file", "")
        self.line = fields.get("line")
        # Those of scripts carry their place in the name.
        self.function = fields["function"].partition(" /")[0]
        self.module = fields.get("module")

    def __repr__(self):
        return f"{self.function} {self.file}:{self.line}"


class Stack:
    def __init__(self, fields, frames):
        self.memory = fields["memory"]
        self.bytes = fields["live_bytes"]["value"]
        self.low = fields["live_bytes"]["low"]
        self.high = fields["live_bytes"]["high"]
        self.samples = fields["samples"]
        self.growth = fields["growth_bytes_per_minute"]
        self.verdict = fields.get("verdict", {}).get("kind")
        # Leaf first.
        self.frames = [frames[i] for i in reversed(fields["frames"])]

    def has(self, function, script=""):
        return any(f.function == function and f.file.endswith(script)
                   for f in self.frames)


class Document:
    """The stacks of a report, in its order."""

    def __init__(self, path):
        self.json = read_json(path)
        frames = [Frame(f) for f in self.json["frames"]]
        self.stacks = [Stack(s, frames) for s in self.json["stacks"]]

    def of(self, memory):
        return [s for s in self.stacks if s.memory == memory]

    def bytes(self, memory, function=None):
        """Of all stacks, or of those in which the function occurs."""
        return sum(s.bytes for s in self.of(memory)
                   if function is None or s.has(function))

    def lines(self, memory, function):
        """{line: bytes} where the function stood, innermost frame of it."""
        out = defaultdict(float)
        for stack in self.of(memory):
            for frame in stack.frames:
                if frame.function == function:
                    out[frame.line] += stack.bytes
                    break
        return dict(out)

    def margin(self, memory, function=None):
        """Half the 95 % interval of the sum: variances add up."""
        return sum(((s.high - s.low) / 2) ** 2 for s in self.of(memory)
                   if function is None or s.has(function)) ** 0.5

    def describe(self, count=12):
        out = []
        for s in self.stacks[:count]:
            out.append(f"{s.memory}: {s.bytes / 1e6:.2f} MB, {s.samples:.0f} "
                       f"samples, {s.verdict}")
            out += [f"    {f}" for f in s.frames[:12]]
        return "\n".join(out)
