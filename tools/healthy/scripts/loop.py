# SPDX-License-Identifier: GPL-2.0-only
import json
import re
import time

cache = {}
i = 0
while True:
    for _ in range(50):
        i += 1
        cache[i % 5000] = json.dumps({"i": i, "list": list(range(i % 50))})
        json.loads(cache[(i * 7) % 5000] if (i * 7) % 5000 in cache else "1")
        re.findall(r"\d+", cache[i % 5000])
    time.sleep(0.01)
