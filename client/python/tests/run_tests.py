# SPDX-License-Identifier: MIT
"""Installs the wheel in a new virtual environment, without network, and runs the tests of this folder there.

    run_tests.py RTAD WHEEL [TEST...]
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

HERE = pathlib.Path(__file__).resolve().parent


def main(rtad, wheel, *tests):
    with tempfile.TemporaryDirectory(prefix="rta-python-venv-") as directory:
        # pip and protobuf are those of the system.
        venv.create(directory, system_site_packages=True, with_pip=False)
        python = f"{directory}/bin/python3"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RTACTL_"))}
        environment |= {"RTAD": os.path.abspath(rtad), "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-index", "--no-deps",
                        "--no-cache-dir", wheel], check=True, env=environment)
        # Not from the sources: the wheel must be complete.
        where = subprocess.run([python, "-c", "import rta; print(rta.__file__)"], check=True, env=environment, cwd=directory,
                               stdout=subprocess.PIPE, text=True).stdout
        if not where.startswith(directory):
            sys.exit(f"the tests would use {where}")
        run = [python, "-X", "dev", "-W", "error", "-m", "unittest", *(["-v", *tests] if tests else ["discover", "-v"])]
        sys.exit(subprocess.run(run, env=environment, cwd=HERE).returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
