# SPDX-License-Identifier: MIT
"""Types the commands of a document as a newcomer would: in order, in one shell, in a home of their own.

    docs_test.py BUILD_BIN DOCUMENT

In indented blocks and in fenced ones, a line that begins with `$ ` is a command (with `<<WORD`, the lines up to WORD too); it
must succeed. What stands under it, up to the next command or the end of the block, must be its output, in which `...` stands
for anything within a line, or, alone on a line, for any lines; where nothing is shown, nothing is compared. What a fenced
block that begins with ```json FILE shows is in that file.
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
# They install packages or take minutes (it is they that run this test), or speak of an installed system.
NOT_HERE = re.compile(r"(daemon/quickstart\.sh|tests/run\.sh|cmake|ctest|apt|apt-get|sudo|git|systemctl|journalctl)\b"
                      r"|.*/(etc|run)/rtad/")
# These go on until they are interrupted, as they are here.
FOR_EVER = re.compile(r"rtactl (watch|meter|top)\b(?!.*--count)")


class Failure(Exception):
    pass


class Example:
    def __init__(self, line, command):
        self.line, self.command, self.output = line, command, []


def blocks_of(text):
    """Lists of (line number, line) that stand in code."""
    blocks, fenced, current = [], False, []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            current.append((number, line if fenced else line[4:]))
            continue
        elif not line.strip() and current and not fenced:
            continue  # a blank line may be part of an indented block: the next line tells
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
    """One bash, as a terminal has it: what a command exports or starts is there for the next."""

    def __init__(self, home, programs):
        build = home / "build" / "release"
        build.mkdir(parents=True)
        (build / "bin").symlink_to(programs)
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY", "RTACTL_HOST")}
        environment.update(HOME=str(home), TMPDIR=str(home))
        # A group of its own, which ends with all that was started in it.
        self.process = subprocess.Popen(["bash", "--noprofile", "--norc"], cwd=home, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        start_new_session=True)
        self.home = home

    def run(self, command):
        """What it printed; it must succeed."""
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
        """Starts a command that goes on until it is interrupted, and interrupts it. Returns its process id."""
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
        """rtactl blocks SIGINT as soon as it reads it from a descriptor; so does bash, before it becomes rtactl."""
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except FileNotFoundError:
            return True  # has ended; its status tells why
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
        self.process.stdout.read()  # ends when the last of the group has
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
