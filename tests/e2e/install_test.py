#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs the C++ library, and builds the programs of docs/integration.md with it, outside of the source tree.

    install_test.py CMAKE BUILD_DIR RTAD DOCUMENT

All programs are built with CMake and the package `rta`; `play` also by the command in the ```sh pkg-config block. Runs `play` in
both forms. tests/interop/run_documented_programs.py runs all of them.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import documented_programs

PATIENCE_S = 120


def run(command, **arguments):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, **arguments)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def install(cmake, build, work):
    """Returns the prefix. It is the same for every run, so that the compiler cache finds the programs of the last run."""
    prefix = work / "prefix"
    shutil.rmtree(prefix, ignore_errors=True)
    run([cmake, "--install", build, "--prefix", prefix])
    return prefix


def launcher():
    """Returns the variables that select the compiler cache, if there is one."""
    return ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []


def build_with_cmake(cmake, work, prefix, programs):
    source = work / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(work / "build", ignore_errors=True)
    source.mkdir(parents=True)
    lines = ["cmake_minimum_required(VERSION 3.25)", "project(example LANGUAGES CXX)", "find_package(rta REQUIRED)"]
    for name, program in programs.items():
        (source / f"{name}.cpp").write_text(program.code)
        lines += [f"add_executable({name} {name}.cpp)", f"target_link_libraries({name} PRIVATE rta::client)"]
    (source / "CMakeLists.txt").write_text("\n".join(lines) + "\n")
    run([cmake, "-S", source, "-B", work / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", *launcher()])
    run([cmake, "--build", work / "build"])
    return work / "build"


def build_with_pkg_config(work, prefix, command):
    """Runs the command of the document in the folder of the sources."""
    [folder] = prefix.glob("lib*/**/pkgconfig")
    environment = dict(os.environ, PKG_CONFIG_PATH=str(folder))
    if shutil.which("ccache"):
        command = "ccache " + command
    run(["sh", "-ec", command], cwd=work / "source", env=environment)
    os.environ["LD_LIBRARY_PATH"] = str(folder.parent)  # needed if the library is shared
    return work / "source" / "play"


class Daemon:
    def __init__(self, rtad):
        self.folder = tempfile.TemporaryDirectory(prefix="rta")
        self.socket = os.path.join(self.folder.name, "control.sock")
        self.log = open(os.path.join(self.folder.name, "log"), "w+b")
        reader, writer = os.pipe()
        self.process = subprocess.Popen(
            [rtad, "--device", "null", "--listen", "127.0.0.1:0", "--socket", self.socket], stdout=writer,
            stderr=subprocess.STDOUT)
        os.close(writer)
        self.output = os.fdopen(reader, errors="replace")
        lines = []
        for line in self.output:
            lines.append(line)
            if self.socket in line:
                break
        else:
            sys.exit("rtad has not started:\n" + "".join(lines))
        threading.Thread(target=self.output.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self.folder.cleanup()


def play(executable, program, rtad):
    with Daemon(rtad) as daemon:
        documented_programs.run(program, lambda _: [executable], dict(os.environ, RTACTL_HOST=daemon.socket))
    print(f"{executable}: as documented")


def main():
    cmake, build, rtad, document = sys.argv[1:]
    programs = documented_programs.programs_of(document)["cpp"]
    [command] = re.findall(r"^```sh pkg-config\n(.*?)\n```$", pathlib.Path(document).read_text(), re.DOTALL | re.MULTILINE)

    work = pathlib.Path(build).resolve() / "install_test"
    prefix = install(cmake, build, work)
    folder = build_with_cmake(cmake, work, prefix, programs)
    play(folder / "play", programs["play"], rtad)
    play(build_with_pkg_config(work, prefix, command), programs["play"], rtad)


main()
