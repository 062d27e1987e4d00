# SPDX-License-Identifier: GPL-2.0-only
"""A day of a large program: 10,000 stacks of 30 frames, 128 snapshots, as the
recorder leaves them."""
import random
import sys

from capture_file import Capture

STACKS, DEPTH, SNAPSHOTS, DAY = 10000, 30, 128, 24 * 3600


def big_capture(path):
    chance = random.Random(7)
    c = Capture(name="bigserver", command="/usr/sbin/bigserver --shards 64")
    names = {1: [("malloc", "malloc.c", 3281)]}
    for i in range(2, 6000):
        levels = [(f"app::part{i % 97}::Worker<int, {i}>::step_{i}",
                   f"/src/app/part{i % 97}.cc", i)]
        if i % 5 == 0:
            levels.insert(0, (f"std::inlined_helper_{i % 300}",
                              "/usr/include/c++/12/bits/stl.h", i % 300 + 1))
        names[i] = levels
    c.symbols(names)
    paths = [[chance.randrange(2, 6000) for _ in range(DEPTH)]
             for _ in range(40)]
    stacks = {}
    for i in range(2, STACKS + 2):
        path_of = list(chance.choice(paths))
        cut = chance.randrange(1, DEPTH - 1)
        path_of[:cut] = [chance.randrange(2, 6000) for _ in range(cut)]
        stacks[i] = [1] + path_of
        if i % 100 == 0:
            paths[chance.randrange(40)] = path_of
    c.stacks(stacks)
    size = {i: int(1000 * chance.paretovariate(0.6)) % (64 << 20)
            for i in stacks}
    for n in range(SNAPSHOTS):
        # The gap between snapshots grows with the root of their age.
        seconds = int(DAY * (1 - ((SNAPSHOTS - 1 - n) / SNAPSHOTS) ** 2))
        live = {}
        for i in stacks:
            if n == 0 or i % 4 == n % 4:
                grown = size[i] * (n + 10) // 40 if i % 50 == 0 else size[i]
                noise = chance.randrange(1 + size[i] // 10)
                live[i] = (grown + noise, 1 + (grown + noise) // 1000)
        c.snapshot(seconds, live, rss=(300 << 20) + n * (1 << 20),
                   final=n == SNAPSHOTS - 1)
    return c.write(path)


if __name__ == "__main__":
    big_capture(sys.argv[1])
