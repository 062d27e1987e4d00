# SPDX-License-Identifier: GPL-2.0-only
"""Programs as the distribution ships them: stripped, no frame pointers."""
import os
import socket
import subprocess
import time

import machine
from leakbpf import PATIENCE, Profiler, profile_python
from services import get, nginx, redis

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
VALUE = 1000


def test_redis_with_its_jemalloc_under_load():
    """20,000 values of 1000 bytes go into a list and stay. Redis packs them
    into listpack nodes, which it grows by realloc and reports itself: what
    leakbpf sees must agree with the growth of redis' own used_memory within
    the printed interval, widened (see test_semantics), and 3 % for the
    allocator's rounding up, which used_memory contains."""
    with redis() as server:
        def used():
            info = server.command("INFO", "memory").decode()
            return int(next(line for line in info.split("\r\n") if
                            line.startswith("used_memory:")).split(":")[1])
        with Profiler([server.pid], "-n", 0) as profiler:
            before = used()
            value = b"x" * VALUE
            for _ in range(20):
                server.many(("LPUSH", "list", value) for _ in range(1000))
            grown = used() - before
            run = profiler.stop()
        assert server.command("PING").startswith(b"+PONG")
    assert run.code == 0, run
    assert grown > 19 << 20
    seen = sum(v for _, v in run.folded)
    low, high = run.report.stacks[0].bytes_interval
    share = (high - low) / 2 / run.report.stacks[0].bytes * 3.9 / 1.96
    assert abs(seen - grown) < grown * (share + 0.03), \
        f"redis says {grown}, leakbpf {seen} +-{100 * share:.1f} %\n{run}"
    assert run.report.stacks[0].frames, run
    complete = [f for f, _ in run.folded if not f[0].startswith("[trunc")]
    assert len(complete) > 0.9 * len(run.folded), run


def test_redis_that_frees_everything_shows_nothing_of_it():
    with redis() as server:
        with Profiler([server.pid], "--sample-bytes", 0) as profiler:
            server.many(("LPUSH", f"list{i % 100}", b"x" * VALUE)
                        for i in range(3000))
            assert server.command("FLUSHALL", "SYNC").startswith(b"+OK")
            time.sleep(0.3)
            run = profiler.stop()
    assert run.code == 0, run
    left = sum(v for _, v in run.folded)
    assert left < 300000, f"of 3 MB {left} are left\n{run}"


def test_redis_stays_alive_through_attach_and_detach():
    with redis() as server:
        for _ in range(3):
            with Profiler([server.pid]) as profiler:
                server.many(("SET", f"key{i}", b"y" * 100)
                            for i in range(2000))
                assert profiler.stop().code == 0
        assert server.command("DBSIZE") == b":2000\r\n"


def test_nginx_worker_with_connections_held_open():
    """Every open connection holds a pool; a closed one holds nothing."""
    with nginx() as (pid, path):
        assert b"hello" in get(path, REQUEST)
        held = []
        with Profiler([pid], "--sample-bytes", 0, "-n", 0) as profiler:
            for _ in range(50):
                assert b"hello" in get(path, REQUEST)
            for _ in range(100):
                s = socket.socket(socket.AF_UNIX)
                s.settimeout(PATIENCE)
                s.connect(path)
                s.sendall(REQUEST[:20])
                held.append(s)
            time.sleep(0.3)
            run = profiler.stop()
        for s in held:
            s.close()
        assert b"hello" in get(path, REQUEST)
    assert run.code == 0, run
    # A request pool and a header buffer each: some kilobytes, 100 times.
    per_connection = sum(v for _, v in run.folded) / 100
    assert 512 < per_connection < 20000, run
    assert run.report.stacks[0].objects % 100 == 0, run


def test_nginx_master_is_followed_alone():
    with nginx() as (pid, path):
        assert b"hello" in get(path, REQUEST)
        master = int(open(f"/proc/{pid}/stat").read().split(")")[1].split()[1])
        with Profiler([master], "--sample-bytes", 0) as profiler:
            for _ in range(50):
                get(path, REQUEST)
            run = profiler.stop()
    assert run.code == 0, run
    assert sum(v for _, v in run.folded) == 0, run


def test_python_that_keeps_buffers():
    code = """
import sys
kept = []
print('up', flush=True)
for line in sys.stdin:
    for i in range(200):
        kept.append(bytearray(50000))
    print('done', flush=True)
"""
    run = profile_python(code)
    assert run.code == 0, run
    # bytearray keeps one byte more than its length.
    biggest = run.folded[0]
    assert biggest[1] == 200 * 50001, run
    assert any("PyByteArray" in f or "bytearray" in f or "python3" in f
               for f in biggest[0]), run


def test_attach_to_a_big_binary_is_quick():
    """Of the biggest ELF files around: cc1plus is 30 MB of code."""
    compiler = subprocess.run(["g++", "-print-prog-name=cc1plus"], text=True,
                              capture_output=True).stdout.strip()
    assert os.path.getsize(compiler) > 20 << 20

    def attach():
        with subprocess.Popen([compiler, "-quiet", "-", "-o", "/dev/null"],
                              stdin=subprocess.PIPE) as process:
            try:
                time.sleep(0.3)
                with Profiler([process.pid], "-i", 0.2) as profiler:
                    profiler.wait_for("since attach", profiler.out)
                    seconds = profiler.clock.seconds()
                    run = profiler.stop()
            finally:
                process.stdin.close()
                process.wait(PATIENCE)
        assert run.code == 0, run
        return seconds, run

    machine.assert_quick(attach, 2.2)
