# SPDX-License-Identifier: MIT
"""Adds to the package what protoc generates from the .proto files, and takes the version from the project.

In the environment, RTA_PROJECT is the root of the rtad sources (default: two folders up), PROTOC the compiler (default:
`protoc` in PATH).
"""
import os
import pathlib
import re
import subprocess

from setuptools import setup
from setuptools.command.build_py import build_py

PROJECT = pathlib.Path(os.environ.get("RTA_PROJECT") or pathlib.Path(__file__).resolve().parents[2])
PROTO_FILES = ("rta/v1/graph.proto", "rta/v1/control.proto")


def project_version():
    found = re.search(r"project\(rtad VERSION ([0-9.]+)", (PROJECT / "CMakeLists.txt").read_text(encoding="utf-8"))
    if not found:
        raise SystemExit(f"no version in {PROJECT / 'CMakeLists.txt'}: expected `project(rtad VERSION ...`")
    return found.group(1)


class BuildWithProtocol(build_py):
    def run(self):
        super().run()
        protoc = os.environ.get("PROTOC") or "protoc"
        subprocess.run([protoc, "-I", PROJECT / "proto", f"--python_out={self.build_lib}", f"--pyi_out={self.build_lib}",
                        *PROTO_FILES], check=True)


setup(version=project_version(), cmdclass={"build_py": BuildWithProtocol})
