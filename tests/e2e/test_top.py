# SPDX-License-Identifier: GPL-2.0-only
"""`leakbpf top` in a real terminal of its own (pty), read by a terminal
emulator (pyte)."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pyte
import pytest

from leakbpf import PATIENCE, Target, kill
from paths import BINARY


class Terminal:
    """A program in a terminal, and what a person sees of it."""

    def __init__(self, *command, columns=80, lines=24, **environment):
        self.master, self.slave = pty.openpty()
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            command, stdin=self.slave, stdout=self.slave, stderr=self.slave,
            start_new_session=True, preexec_fn=self._take_terminal,
            env=dict(os.environ, TERM="xterm-256color", **environment))

    def _take_terminal(self):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, columns, lines):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            data = os.read(self.master, 1 << 16)
            self.raw += data
            self.stream.feed(data)

    def press(self, keys):
        os.write(self.master, keys.encode())

    def text(self):
        return "\n".join(self.screen.display)

    def wait_for(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition(self.text()):
            assert time.monotonic() < deadline, \
                f"expected {what}; seen:\n{self.text()}"
            self.read(0.2)
        return self.text()

    def end(self):
        """Its exit code; everything it wrote is read."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        self.read(0.2)
        return self.process.wait(PATIENCE)

    def restored(self):
        return termios.tcgetattr(self.slave) == self.before and \
            b"\x1b[?1049l" in self.raw

    def __enter__(self):
        return self

    def __exit__(self, *_):
        kill(self.process)
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def top():
    with Target("functions") as target:
        with Terminal(BINARY, "top", "-p", str(target.pid), "-i", "0.5",
                      "--sample-bytes", "0") as terminal:
            terminal.wait_for(lambda text: "GROWTH" in text, "the list")
            truth = target.truth()
            # All of them: it may have looked while the target was at it.
            terminal.wait_for(lambda _: len(rows(terminal)) == len(truth),
                              f"{len(truth)} call paths of the target")
            yield terminal


def rows(terminal):
    return [line for line in terminal.screen.display[5:-2] if line.strip()]


def test_shows_who_how_much_and_where(top):
    lines = top.screen.display
    assert "NO VERDICT YET" in lines[1], lines[1]
    assert "functions (pid" in lines[0] and "RSS" in lines[0], lines[0]
    assert lines[2].startswith("outstanding "), lines[2]
    assert "losses 0" in lines[3], lines[3]
    assert "GROWTH*" in lines[4], lines[4]
    assert "/min" in rows(top)[0] and "functions.c:" in rows(top)[0]
    assert "q quit" in lines[-1]


def test_keys_sort_expand_filter_pause(top):
    top.press("s")
    top.wait_for(lambda text: "BYTES*" in text, "sorted by bytes")
    count = len(rows(top))
    top.press("\r")
    expanded = top.wait_for(lambda text: " main  functions.c" in text,
                            "the stack down to main")
    assert "[stack ends here" not in expanded
    top.press("\r")
    top.wait_for(lambda _: len(rows(top)) == count, "the stack hidden again")
    top.press("/no such name\r")
    top.wait_for(lambda _: not rows(top), "no row matches")
    top.press("/\x1b")
    top.wait_for(lambda _: len(rows(top)) == count, "all rows again")
    top.press("p")
    top.wait_for(lambda text: "PAUSED" in text, "paused")
    top.press("h")
    top.wait_for(lambda text: "Any key leaves this page" in text, "help")
    top.press("x")
    top.wait_for(lambda text: "GROWTH" in text, "the list again")


def test_resizes_and_restores_the_terminal(top):
    top.resize(40, 12)
    top.process.send_signal(signal.SIGWINCH)
    top.wait_for(lambda text: text.count("\n") == 11 and
                 "q quit" in top.screen.display[-1], "a smaller view")
    top.resize(20, 5)
    top.process.send_signal(signal.SIGWINCH)
    top.wait_for(lambda text: "too small" in text, "a message")
    top.press("q")
    assert top.end() == 0
    assert top.restored()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_restores_the_terminal(top, number):
    top.process.send_signal(number)
    assert top.end() == 0
    assert top.restored()


def test_a_target_that_ended_stays_on_show():
    with Target("functions") as target:
        with Terminal(BINARY, "top", "-p", str(target.pid), "-i", "0.3",
                      "--sample-bytes", "0") as terminal:
            terminal.wait_for(lambda text: "GROWTH" in text, "the list")
            target.truth()
            terminal.wait_for(lambda text: "functions.c" in text, "rows")
            target.finish()
            text = terminal.wait_for(lambda text: "(exited)" in text,
                                     "that the target has ended")
            assert "functions.c" in text
            terminal.press("q")
            assert terminal.end() == 0


def test_needs_a_terminal():
    with Target("functions") as target:
        got = subprocess.run([BINARY, "top", "-p", str(target.pid)],
                             stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=PATIENCE)
    assert got.returncode == 10, got
    assert "needs a terminal" in got.stderr
    assert got.stdout == ""


def test_starts_no_command():
    got = subprocess.run([BINARY, "top", "-c", "sleep 1"],
                         capture_output=True, text=True, timeout=PATIENCE)
    assert got.returncode == 2 and "elsewhere" in got.stderr, got
