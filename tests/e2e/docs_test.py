# SPDX-License-Identifier: MIT
"""Runs the commands of a document as a new user would: in order, in one shell, in a separate home directory.

    docs_test.py BUILD_BIN DOCUMENT

In indented and fenced blocks, a line that begins with `$ ` is a command (with `<<WORD`, including the lines up to
WORD). It must succeed. The lines below it, up to the next command or the end of the block, are its expected output, in
which `...` matches anything within a line, or, alone on a line, any number of lines. Without such lines, the output is
not compared. The contents of a fenced block that begins with ```json FILE are in that file.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 60
# These install packages, take minutes (some of them run this test), or need an installed system.
NOT_HERE = re.compile(r"(daemon/quickstart\.sh|tests/run\.sh|cmake|ctest|apt|apt-get|sudo|git|systemctl|journalctl)\b"
                      r"|.*/(etc|run)/rtad/")
# These run until they are interrupted; this test interrupts them.
FOR_EVER = re.compile(r"rtactl (watch|meter|top)\b(?!.*--count)")


class Failure(Exception):
    pass


class Example:
    def __init__(self, line, command):
        self.line, self.command, self.output = line, command, []


def blocks_of(text):
    """Returns lists of (line number, line) of the code blocks."""
    blocks, fenced, current = [], False, []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            current.append((number, line if fenced else line[4:]))
            continue
        elif not line.strip() and current and not fenced:
            continue  # a blank line may be part of an indented block; the next line decides
        if current:
            blocks.append(current)
        current = []
    return blocks + [current]


def examples_of(text):
    examples = []
    for block in blocks_of(text):
        here_document, example = None, None
        for number, line in block:
            if here_document:
                example.command += "\n" + line
                if line == here_document:
                    here_document = None
            elif line.startswith("$ "):
                example = Example(number, line[2:])
                examples.append(example)
                opened = re.search(r"<<(\w+)", line)
                here_document = opened and opened[1]
            elif example and not line.lstrip().startswith("#"):
                example.output.append(line)
    return examples


def files_of(text):
    return re.findall(r"^```json ([\w-]+\.json)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def fits(shown, output):
    pattern = "".join("(?:.*\n)*" if line.strip() == "..." else
                      ".*".join(re.escape(part) for part in line.split("...")) + "\n" for line in shown)
    return re.fullmatch(pattern, output) is not None


class Shell:
    """A single bash, as in a terminal: what a command exports or starts is available to the next command."""

    def __init__(self, home, programs):
        build = home / "build" / "release"
        build.mkdir(parents=True)
        (build / "bin").symlink_to(programs)
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY", "RTACTL_HOST")}
        environment.update(HOME=str(home), TMPDIR=str(home))
        # A separate process group, so that everything started in it is ended with it.
        self.process = subprocess.Popen(["bash", "--noprofile", "--norc"], cwd=home, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        start_new_session=True)
        self.home = home

    def run(self, command):
        """Runs a command, which must succeed, and returns its output."""
        background = re.fullmatch(r"(.*?)&\s*(#.*)?", command)
        if background:
            command = f"{background[1]} >daemon.log 2>&1 &"
        elif FOR_EVER.match(command):
            command = f"wait {self.start_and_interrupt(command)}"
        self.process.stdin.write(f"{command}\nprintf '\\n@status %d\\n' $?\n")
        self.process.stdin.flush()
        output = ""
        for line in self.process.stdout:
            if line.startswith("@status "):
                if line != "@status 0\n":
                    raise Failure(f"ended with {line[1:]}{output}{self.log()}")
                if background:
                    self.wait_for_daemon()
                return output[:-1]  # without the line break before the status
            output += line
        raise Failure(f"the shell ended\n{output}")

    def start_and_interrupt(self, command):
        """Starts a command that runs until it is interrupted, and interrupts it. Returns its process id."""
        self.process.stdin.write(f"{command.split('#')[0]} >live.out 2>&1 &\nprintf '%d\\n' $!\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        deadline = time.monotonic() + PATIENCE_S
        while not self.handles_interrupts(pid):
            if time.monotonic() > deadline:
                raise Failure(f"{command} does not get as far as handling SIGINT")
            time.sleep(0.05)
        os.kill(pid, signal.SIGINT)
        return pid

    @staticmethod
    def handles_interrupts(pid):
        """Returns whether the process blocks SIGINT. rtactl does when it reads SIGINT from a descriptor; bash before
        exec, too."""
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except FileNotFoundError:
            return True  # has exited; the caller checks its status
        name, blocked = (re.search(rf"^{field}:\s*(\w+)$", status, re.MULTILINE)[1] for field in ("Name", "SigBlk"))
        return name == "rtactl" and bool(int(blocked, 16) & 1 << (signal.SIGINT - 1))

    def wait_for_daemon(self):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.process.stdin.write("rtactl status >/dev/null 2>&1; echo @status $?\n")
            self.process.stdin.flush()
            if self.process.stdout.readline() == "@status 0\n":
                return
            time.sleep(0.05)
        raise Failure(f"the daemon does not answer\n{self.log()}")

    def log(self):
        log = self.home / "daemon.log"
        return log.read_text() if log.exists() else ""

    def end(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.stdin.close()
        self.process.stdout.read()  # returns when the last process of the group has exited
        self.process.wait(PATIENCE_S)


def main(programs, document):
    text = pathlib.Path(document).read_text()
    examples = [example for example in examples_of(text) if not NOT_HERE.match(example.command)]
    home = pathlib.Path(tempfile.mkdtemp())
    for file, content in files_of(text):
        (home / file).write_text(content)
    shell = Shell(home, programs)
    try:
        for example in examples:
            try:
                output = shell.run(example.command)
                if example.output and not fits(example.output, output):
                    raise Failure("it prints\n" + output)
            except Failure as fault:
                sys.exit(f"{document}:{example.line}: $ {example.command}\n{fault}")
    finally:
        shell.end()
        shutil.rmtree(home, ignore_errors=True)
    print(f"{len(examples)} commands")


if __name__ == "__main__":
    main(*sys.argv[1:])
