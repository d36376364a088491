# SPDX-License-Identifier: MIT
"""The programs of docs/integration.md.

A comment names the following blocks of code, of which there is at most one in each language: `<!-- programs: NAME -->`. The
```output block after them is what each of them prints, line by line; `...` stands for any text. `; after: OTHER` runs the
program OTHER of the same language to its end before, `; then: OTHER` when the first line is printed.
"""
import dataclasses
import pathlib
import re
import subprocess
import threading

PATIENCE_S = 120
LANGUAGES = ("cpp", "python", "js")
_GROUP = re.compile(r"^<!-- programs: (?P<name>\w+)(?:; (?P<when>after|then): (?P<other>\w+))? -->\n"
                    r"(?P<blocks>(?:\n```(?:cpp|python|js)\n.*?\n```\n)+)\n```output\n(?P<output>.*?)```$", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class DocumentError(Exception):
    """The document, or what a program prints, is not as expected."""


@dataclasses.dataclass
class Program:
    name: str
    language: str
    code: str
    output: str
    before: str | None = None  # names of other programs
    meanwhile: str | None = None


def programs_of(document):
    """Returns the programs by language and name."""
    text = pathlib.Path(document).read_text(encoding="utf-8")
    programs = {language: {} for language in LANGUAGES}
    count = 0
    for group in _GROUP.finditer(text):
        others = {"after": (group["other"], None), "then": (None, group["other"])}.get(group["when"], (None, None))
        for language, code in _BLOCK.findall(group["blocks"]):
            programs[language][group["name"]] = Program(group["name"], language, code, group["output"], *others)
            count += 1
    if count != sum(language in LANGUAGES for language, _ in _BLOCK.findall(text)) or count != sum(map(len, programs.values())):
        raise DocumentError(f"{document}: each block of code must follow a comment with its name, and must have an ```output block")
    return programs


def run(program, command_of, environment, inside=()):
    """Runs a program, and compares what it prints. It is killed when it has printed everything."""
    if program.before:
        run_to_the_end(command_of(program.before), environment, inside)
    process = subprocess.Popen([*inside, *command_of(program.name)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=environment)
    watch = threading.Timer(PATIENCE_S, process.kill)
    watch.start()
    printed, expected = [], [_expression(line) for line in program.output.splitlines()]
    try:
        for line in process.stdout:
            printed.append(line)
            if len(printed) == 1 and program.meanwhile:
                run_to_the_end(command_of(program.meanwhile), environment, inside)
            if expected[0].fullmatch(line):
                expected.pop(0)
            if not expected:
                return
    finally:
        watch.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
    raise DocumentError(f"{program.name} ({program.language}) did not print what the document says:\n{program.output}"
                        f"It printed:\n{''.join(printed)}")


def run_to_the_end(command, environment, inside=()):
    done = subprocess.run([*inside, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
                          timeout=PATIENCE_S)
    if done.returncode != 0:
        raise DocumentError(f"{command} exited with status {done.returncode}:\n{done.stdout}")
    return done.stdout


def _expression(line):
    return re.compile(".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"\s*")
