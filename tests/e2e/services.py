# SPDX-License-Identifier: GPL-2.0-only
"""Real services for the tests, each on a private socket or port."""
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time

from leakbpf import PATIENCE


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"no {what} in time"
        time.sleep(0.02)


def folder():
    path = tempfile.mkdtemp(prefix="e2e-")
    os.chmod(path, 0o755)
    return path


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Redis:
    def __init__(self, place, process):
        self.socket = os.path.join(place, "redis.sock")
        self.process = process
        self.pid = process.pid

    def command(self, *words):
        """One command in the redis protocol; returns the raw answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(self.socket)
            s.sendall(encode(*words))
            return s.recv(65536)

    def many(self, commands):
        """Pipelined; every answer must be an integer or +OK."""
        commands = list(commands)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(self.socket)
            s.sendall(b"".join(encode(*c) for c in commands))
            answers = b""
            while answers.count(b"\r\n") < len(commands):
                data = s.recv(65536)
                assert data, "redis closed the connection"
                answers += data
        assert b"-ERR" not in answers


def encode(*words):
    out = b"*%d\r\n" % len(words)
    for w in words:
        w = w if isinstance(w, bytes) else str(w).encode()
        out += b"$%d\r\n%s\r\n" % (len(w), w)
    return out


@contextlib.contextmanager
def redis():
    place = folder()
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--save", "", "--appendonly", "no",
         "--unixsocket", f"{place}/redis.sock", "--dir", place,
         "--daemonize", "no"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        server = Redis(place, process)
        wait_until(lambda: os.path.exists(server.socket), "redis")
        yield server
    finally:
        end(process)
        shutil.rmtree(place, ignore_errors=True)


def get(path, request):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE)
        s.connect(path)
        s.sendall(request)
        return s.recv(65536)


@contextlib.contextmanager
def nginx():
    """Yields (pid of the worker, path of its socket)."""
    place = folder()
    config = os.path.join(place, "nginx.conf")
    with open(config, "w") as f:
        f.write(f"""
worker_processes 1; daemon off; pid {place}/pid; error_log stderr crit;
user root;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {place}; proxy_temp_path {place};
  fastcgi_temp_path {place}; uwsgi_temp_path {place}; scgi_temp_path {place};
  server {{ listen unix:{place}/sock; location / {{ return 200 "hello"; }} }}
}}
""")
    process = subprocess.Popen(["/usr/sbin/nginx", "-c", config, "-p", place],
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        children = f"/proc/{process.pid}/task/{process.pid}/children"
        wait_until(lambda: os.path.exists(f"{place}/sock"), "nginx")
        wait_until(lambda: open(children).read().split(), "worker of nginx")
        yield int(open(children).read().split()[0]), f"{place}/sock"
    finally:
        end(process)
        shutil.rmtree(place, ignore_errors=True)
