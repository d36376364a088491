# SPDX-License-Identifier: MIT
"""A user at a terminal: runs a program in a pseudo-terminal with its screen in pyte, and a daemon for it to connect to.
Nothing here waits for a fixed time: it reads until the screen shows what is expected."""
import copy
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time

import pyte

PATIENCE_S = 60


class Screen(pyte.Screen):
    """A screen with the alternate buffer of full-screen programs, which pyte does not support."""

    TWO_SCREENS = 1049

    def set_mode(self, *modes, **options):
        if options.get("private") and self.TWO_SCREENS in modes:
            self.first = copy.deepcopy(self.buffer), copy.copy(self.cursor)
            self.erase_in_display(2)
        super().set_mode(*modes, **options)

    def reset_mode(self, *modes, **options):
        if options.get("private") and self.TWO_SCREENS in modes and self.first:
            self.buffer, self.cursor = self.first
            self.first = None
        super().reset_mode(*modes, **options)

    first = None

    def resize(self, lines, columns):
        """Resizes as terminals do and pyte does not: keeps the line of the cursor, and removes no line
        unnecessarily."""
        above = max(self.cursor.y + 1 - lines, 0)
        self.buffer.update({row: self.buffer[row + above] for row in range(lines)})
        for row in [row for row in self.buffer if row >= lines]:
            del self.buffer[row]
        for row in self.buffer.values():
            for column in [column for column in row if column >= columns]:
                del row[column]
        self.cursor.y -= above
        self.cursor.x = min(self.cursor.x, columns - 1)
        self.lines, self.columns = lines, columns
        self.set_margins()

    @property
    def second_is_shown(self):
        return self.first is not None

    @property
    def shown(self):
        return [line.rstrip() for line in self.display]


class Terminal:
    """A command in its own terminal."""

    def __init__(self, command, environment, columns=100, rows=40, folder=None):
        self.screen = Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.modes_before = self.modes()
        self.process = subprocess.Popen(command, env=environment | {"TERM": "xterm"}, cwd=folder, stdin=self.slave,
                                        stdout=self.slave, stderr=self.slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def modes(self):
        return termios.tcgetattr(self.slave)

    def resize(self, columns, rows):
        """Resizes the terminal like a window: the kernel sends SIGWINCH."""
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys.encode())

    def text(self):
        return "\n".join(self.screen.shown).rstrip()

    def until(self, expected, patience_s=PATIENCE_S):
        """Reads until the condition holds: a pattern that the screen must match (the match is returned), or a
        function."""
        deadline = time.monotonic() + patience_s
        while True:
            seen = expected() if callable(expected) else re.search(expected, self.text(), re.MULTILINE)
            if seen:
                return seen
            ready, _, _ = select.select([self.master], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                raise AssertionError(f"the screen does not come to show {getattr(expected, '__name__', expected)}:\n{self.text()}")
            self.stream.feed(os.read(self.master, 65536))

    def line(self, expected):
        """Waits until the line of the cursor matches the pattern."""
        def shown():
            return re.fullmatch(expected, self.screen.shown[self.screen.cursor.y])
        shown.__name__ = expected
        self.until(shown)

    def end(self):
        """Returns the exit status when the program has exited normally."""
        def ended():
            return self.process.poll() is not None
        deadline = time.monotonic() + PATIENCE_S
        while not ended():
            if time.monotonic() > deadline:
                raise AssertionError(f"it does not end:\n{self.text()}")
            if select.select([self.master], [], [], 0.05)[0]:
                self.stream.feed(os.read(self.master, 65536))
        while select.select([self.master], [], [], 0)[0]:
            self.stream.feed(os.read(self.master, 65536))
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE_S)
        os.close(self.master)
        os.close(self.slave)


class Daemon:
    """rtad on the null device, and an environment in which rtactl finds it and no files of the user."""

    def __init__(self, programs, *arguments):
        self.home = pathlib.Path(tempfile.mkdtemp())
        self.socket = self.home / "s"
        self.environment = {"HOME": str(self.home), "RTACTL_HOST": str(self.socket), "LC_ALL": "C.UTF-8",
                            "PATH": f"{programs}:{os.environ['PATH']}"}
        self.log = open(self.home / "log", "w")
        self.process = subprocess.Popen([f"{programs}/rtad", "--device", "null", "--socket", str(self.socket), "--listen",
                                         "127.0.0.1:0", *arguments], stdout=self.log, stderr=self.log, env=self.environment)
        deadline = time.monotonic() + PATIENCE_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.home / "log").read_text())

    def answers(self):
        with socket.socket(socket.AF_UNIX) as attempt:
            return attempt.connect_ex(str(self.socket)) == 0

    def ctl(self, *words):
        """Runs rtactl, which must succeed, and returns its output."""
        return subprocess.run(["rtactl", *words], env=self.environment, check=True, capture_output=True, text=True).stdout

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)
