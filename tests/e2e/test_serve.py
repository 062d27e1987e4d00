# SPDX-License-Identifier: GPL-2.0-only
"""`leakbpf serve`: pages, limits and rights of the HTTP server; scraped by a
real Prometheus."""
import contextlib
import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

import machine
from leakbpf import PATIENCE, Target
from paths import BINARY
from prometheus import prometheus
from server import Server, free_port


@pytest.fixture(scope="module")
def target():
    with Target("functions") as t:
        yield t


@pytest.fixture(scope="module")
def server(target):
    with Server(target, "-i", "0.5") as s:
        target.truth()
        s.wait_for(lambda: b'function="leak_malloc"' in s.get("/metrics")[2])
        yield s
        assert s.stop() == 0, s.stderr()


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f)


def test_every_page_has_its_type(server, target):
    for path, kind in (("/", "text/html"), ("/healthz", "text/plain"),
                       ("/metrics", "text/plain; version=0.0.4"),
                       ("/api", "application/json"),
                       ("/report", "text/html"),
                       ("/debug/pprof/heap", "application/octet-stream"),
                       (f"/debug/pprof/allocs?pid={target.pid}",
                        "application/octet-stream")):
        status, headers, body = server.get(path)
        assert status == 200 and body, path
        assert headers["Content-Type"].startswith(kind), path
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_show_the_leak(server, target):
    report = json.loads(server.get(f"/api?pid={target.pid}")[2])
    assert report["targets"][0]["pid"] == target.pid
    assert report["totals"]["live_bytes"]["value"] > 0
    profile = gzip.decompress(server.get("/debug/pprof/heap")[2])
    assert b"leak_malloc" in profile and b"inuse_space" in profile


def test_verdicts_have_points_between_reports(target):
    """Pages show the last snapshot, with a diagnosis; none waits for a
    report."""
    with Server(target, "-i", "600") as server:
        def document():
            return json.loads(server.get("/api")[2])
        server.wait_for(lambda: len(document()["moments"]) >= 4)
        seen = document()
        assert seen["elapsed_seconds"] < 60, seen
        assert seen["diagnosis"]["headline"], seen


def test_wrong_requests_are_turned_away(server):
    for path, headers, expected in (
            ("/nothing", {}, 404), ("/api?pid=1", {}, 404),
            ("/api?pid=x", {}, 400), ("/api?pid=-1", {}, 400),
            ("/metrics", {"Host": "evil.example"}, 403),
            ("/../etc/passwd", {}, 404)):
        assert server.get(path, **headers)[0] == expected, path
    assert server.get("/metrics", method="DELETE")[0] == 501
    assert server.get("/metrics", method="HEAD")[2] == b""
    assert server.get("/healthz")[0] == 200


def test_http_is_spoken_without_rights(server):
    status = status_of(server.http_process())
    assert status["Uid"].split() == ["65534"] * 4
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_idle_and_many_clients_do_not_block_others(server):
    """More connections than are served at once, none of them asking."""
    idle = []
    try:
        for _ in range(45):
            s = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
            s.sendall(b"GET /metr")
            idle.append(s)
        # The first ones are cut off after ten seconds; then there is room.
        clock = machine.Stopwatch(server.http_process())
        assert server.get("/healthz")[0] == 200
        seconds = clock.seconds()
        assert seconds < 25, f"{seconds:.1f} s"
    finally:
        for s in idle:
            s.close()
    with open(f"/proc/{server.http_process()}/status") as f:
        assert "VmRSS" in f.read()


def test_garbage_does_no_harm(server):
    for data in (b"\0" * 5000, b"GET / HTTP/9.9\r\n\r\n",
                 b"GET " + b"/a" * 9000 + b" HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                 b"\r\n" * 2000):
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as s:
            s.settimeout(PATIENCE)
            with contextlib.suppress(OSError):
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):
                    pass
    assert server.get("/healthz")[0] == 200


def test_a_dead_http_process_is_replaced(server):
    first = server.http_process()
    os.kill(first, signal.SIGKILL)
    server.wait_for(lambda: server.get("/healthz")[0] == 200)
    assert server.http_process() != first
    assert "starting another" in server.stderr()


def test_a_token_is_asked_for(target, tmp_path):
    token = tmp_path / "token"
    token.write_text("a-token-of-some-length\n")
    port = free_port()
    got = subprocess.run(
        [BINARY, "serve", "-p", str(target.pid), "--listen",
         f"0.0.0.0:{port}"], capture_output=True, text=True, timeout=PATIENCE)
    assert got.returncode == 2 and "--token-file" in got.stderr, got
    process = subprocess.Popen(
        [BINARY, "serve", "-p", str(target.pid), "--listen",
         f"0.0.0.0:{port}", "--token-file", token, "-d", str(PATIENCE)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        status = {}
        while "right" not in status and time.monotonic() < deadline:
            for name, path, headers in (
                    ("none", "/", {}), ("health", "/healthz", {}),
                    ("wrong", "/metrics", {"Authorization": "Bearer x"}),
                    ("right", "/", {"Authorization":
                                    "Bearer a-token-of-some-length"})):
                with contextlib.suppress(OSError):
                    c = http.client.HTTPConnection("127.0.0.1", port,
                                                   timeout=PATIENCE)
                    c.request("GET", path, headers=headers)
                    status[name] = c.getresponse().status
                    c.close()
            time.sleep(0.1)
        assert status.pop("health") in (200, 503)
        assert status == {"none": 401, "wrong": 401, "right": 200}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def test_metrics_have_verdicts_and_own_cost(server):
    """What leaks is judged after half a minute: here it is not said to."""
    text = server.get("/metrics")[2].decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines()
                  if not line.startswith("#"))
    sites = [k for k in values if k.startswith("leakbpf_site_leak_conf")]
    assert any('function="leak_malloc"' in s for s in sites), text
    assert len(sites) <= 100
    assert all(0 <= float(values[s]) <= 1 for s in sites), text
    with open(f"/proc/{server.process.pid}/status") as f:
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", f.read())[1]) << 10
    assert 0.5 < float(values["leakbpf_resident_bytes"]) / resident < 2
    assert 0 < float(values["leakbpf_cpu_seconds_total"]) < 60


def test_promtool_finds_no_fault(server):
    got = subprocess.run(["promtool", "check", "metrics"],
                         input=server.get("/metrics")[2],
                         capture_output=True, timeout=PATIENCE)
    assert got.returncode == 0, got
    assert got.stderr == b"" and got.stdout == b"", got


def test_a_real_prometheus_scrapes_it(server, target, tmp_path):
    with prometheus(server, tmp_path, 1) as query:
        deadline = time.monotonic() + PATIENCE
        value = None
        while value is None and time.monotonic() < deadline:
            time.sleep(0.3)
            with contextlib.suppress(OSError):
                for series in query("leakbpf_outstanding_bytes"):
                    assert series["metric"]["pid"] == str(target.pid)
                    value = float(series["value"][1])
    shown = re.search(rb'leakbpf_outstanding_bytes\{.*\} (\S+)',
                      server.get("/metrics")[2])
    assert value == float(shown[1])
