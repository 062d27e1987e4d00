# SPDX-License-Identifier: GPL-2.0-only
"""Loads: each is a function that is called again and again, some hundred times
a second, until the experiment is over."""
import http.client
import itertools
import random
import socket
import struct

RANDOM = random.Random(1)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def http_get(port, paths=("/",)):
    """A new connection every 20 requests, as browsers come and go."""
    state = {}
    turn = itertools.cycle(paths)

    def once():
        if state.get("left", 0) <= 0:
            if "c" in state:
                state["c"].close()
            state["c"] = http.client.HTTPConnection("127.0.0.1", port,
                                                    timeout=10)
            state["left"] = 20
        state["left"] -= 1
        try:
            state["c"].request("GET", next(turn))
            answer = state["c"].getresponse()
            answer.read()
            if answer.will_close:
                state["left"] = 0
        except (OSError, http.client.HTTPException):
            state["left"] = 0
    return once


def lines(port, requests, answer_end):
    """A text protocol: one request, then read up to `answer_end`."""
    state = {}

    def once():
        if "s" not in state:
            state["s"] = socket.create_connection(("127.0.0.1", port), 10)
        request, end = requests(), answer_end
        state["s"].sendall(request)
        answer = b""
        while not answer.endswith(end):
            data = state["s"].recv(65536)
            if not data:
                del state["s"]
                return
            answer += data
    return once


def memcached(port):
    def request():
        key = RANDOM.randrange(2000)
        if RANDOM.random() < 0.3:
            value = b"x" * (key % 1000 + 1)
            return b"set k%d 0 0 %d\r\n%s\r\n" % (key, len(value), value)
        return b"get k%d\r\n" % key
    return lines(port, request, (b"END\r\n", b"STORED\r\n"))


def dns(port, names):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(1)

    def once():
        name = RANDOM.choice(names)
        labels = b"".join(bytes([len(p)]) + p.encode()
                          for p in name.split("."))
        s.sendto(struct.pack(">6H", RANDOM.randrange(65536), 0x100, 1, 0, 0, 0)
                 + labels + b"\0" + struct.pack(">2H", 1, 1),
                 ("127.0.0.1", port))
        try:
            s.recv(4096)
        except OSError:
            pass
    return once


def mqtt(port):
    """One client that subscribes to 50 topics, publishes to them, and comes
    anew every 200 messages."""
    state = {"left": 0}

    def text(t):
        return struct.pack(">H", len(t)) + t.encode()

    def connect():
        s = socket.create_connection(("127.0.0.1", port), 10)
        s.settimeout(2)
        body = text("MQTT") + b"\x04\x02\x00\x3c" + text("healthy")
        s.sendall(bytes([0x10, len(body)]) + body)
        s.recv(4)
        for i in range(50):
            body = b"\x00\x01" + text(f"t/{i}") + b"\x00"
            s.sendall(bytes([0x82, len(body)]) + body)
            s.recv(5)
        state.update(s=s, left=200)

    def once():
        if state["left"] <= 0:
            if "s" in state:
                state["s"].close()
            connect()
        state["left"] -= 1
        body = text(f"t/{RANDOM.randrange(50)}") + b"payload" * 5
        state["s"].sendall(bytes([0x30, len(body)]) + body)
        state["s"].recv(4096)
    return once


def git_objects(process, ids):
    """`git cat-file --batch`: asks for one object, reads it whole."""
    def once():
        process.stdin.write(RANDOM.choice(ids) + b"\n")
        process.stdin.flush()
        size = int(process.stdout.readline().split()[2])
        process.stdout.read(size + 1)
    return once


def feed(process, text):
    """Writes a piece of input; something else reads the output away."""
    def once():
        process.stdin.write(text)
        process.stdin.flush()
    return once
