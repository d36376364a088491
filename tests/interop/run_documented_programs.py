# SPDX-License-Identifier: MIT
"""Runs every program of a document, unchanged: on the machine of the daemon over its Unix socket, and on another machine, which
is a network namespace, over TLS with a token. Only the environment differs. Each program has a new daemon.

    run_documented_programs.py DOCUMENT RTAD CPP_FOLDER PYTHON_WHEEL NODE JAVASCRIPT_FOLDER

CPP_FOLDER has the programs in C++; the others are run from their text. JAVASCRIPT_FOLDER has node_modules with the library.
"""
import pathlib
import sys
import tempfile

from documented_programs import DocumentError, programs_of, run, run_to_the_end
from machines import Access, client_machine, enter_namespaces, running_daemon

OTHER_FINGERPRINT = "SHA256:" + "A" * 43


def commands_in(scripts, programs, cpp, wheel, node):
    """Returns, for each language, a function that returns the command of a program."""
    for program in programs["js"].values():
        (scripts / f"{program.name}.mjs").write_text(program.code)
    return {"cpp": lambda name: [f"{cpp}/{name}"],
            "python": lambda name: ["env", f"PYTHONPATH={wheel}", sys.executable, "-X", "dev", "-c", programs["python"][name].code],
            "js": lambda name: [node, str(scripts / f"{name}.mjs")]}


def run_all(programs, commands, rtad, other):
    for language, named in programs.items():
        for program in named.values():
            with running_daemon(rtad) as daemon:
                local = Access(daemon.directory, daemon.token, daemon.fingerprint, daemon.socket).environment(token=False)
                run(program, commands[language], local)
            with running_daemon(rtad) as daemon:
                run(program, commands[language], daemon.access().environment(), other.inside)
            print(f"{program.name} ({language}): as documented, on this machine and from another", flush=True)


def refuse_all(programs, commands, rtad, other):
    """Without the right environment, no program comes in: TLS and tokens are in use."""
    with running_daemon(rtad) as daemon:
        for language in programs:
            for part, options in (("access token", {"token": False}), (OTHER_FINGERPRINT, {"fingerprint": OTHER_FINGERPRINT})):
                try:
                    output = run_to_the_end(commands[language]("play"), daemon.access().environment(**options), other.inside)
                except DocumentError as error:
                    if part in str(error):
                        continue
                    raise
                sys.exit(f"play ({language}) ran with {options}:\n{output}")


def main(document, rtad, cpp, wheel, node, javascript):
    enter_namespaces()
    programs = programs_of(document)
    if any(not {"play", "subscribe", "mirror", "meter"} <= named.keys() for named in programs.values()):
        sys.exit(f"{document}: expected play, subscribe, mirror and meter in each language")
    # Next to node_modules, as the scripts of a program that has installed the package.
    with client_machine() as other, tempfile.TemporaryDirectory(prefix="program-", dir=javascript) as scripts:
        commands = commands_in(pathlib.Path(scripts), programs, cpp, wheel, node)
        run_all(programs, commands, rtad, other)
        refuse_all(programs, commands, rtad, other)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except DocumentError as error:
        sys.exit(str(error))
