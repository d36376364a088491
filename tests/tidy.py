# SPDX-License-Identifier: MIT
"""tidy.py BUILD STAMPS JOBS: runs clang-tidy on the translation units of daemon and client in a build folder.

A unit without findings leaves a stamp in the folder STAMPS. Its name is a hash of all that clang-tidy reads: the text of
the unit with all that it includes (comments and macros too), the command, every .clang-tidy, and the version. A unit
whose stamp exists is skipped. The exit status is 1 if there are findings.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import shlex
import subprocess
import sys

TIDY = "clang-tidy-22"
build, stamps, jobs = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), int(sys.argv[3])
root = pathlib.Path(__file__).resolve().parent.parent
stamps.mkdir(parents=True, exist_ok=True)

units = {}  # file -> command
for entry in json.loads((build / "compile_commands.json").read_text()):
    for base in (root, build):
        if any(pathlib.Path(entry["file"]).is_relative_to(base / folder) for folder in ("daemon", "client")):
            units[entry["file"]] = entry

common = hashlib.sha256(pathlib.Path(__file__).read_bytes())
common.update(subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout)
for settings in sorted(path for folder in (".", "daemon/**", "client/**") for path in root.glob(f"{folder}/.clang-tidy")):
    common.update(str(settings).encode() + settings.read_bytes())


def read(file):
    """Returns the size of everything that the unit reads and the path of its stamp, or no path if it cannot be read."""
    command = shlex.split(units[file]["command"])
    output = command.index("-o")
    command = [word for word in command[:output] + command[output + 2:] if word != "-c"]
    text = subprocess.run(command + ["-E", "-frewrite-includes"], cwd=units[file]["directory"], capture_output=True)
    if text.returncode != 0:
        return 0, None
    name = common.copy()
    name.update(units[file]["command"].encode() + text.stdout)
    return len(text.stdout), stamps / name.hexdigest()


def check(file, stamp):
    result = subprocess.run([TIDY, "-p", str(build), "--quiet", file], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    print(file, result.stdout, sep="\n", flush=True)
    if result.returncode == 0 and stamp:
        stamp.touch()
    return result.returncode == 0


with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
    files = sorted(units)
    # The largest units first, so that all cores are busy until the end.
    found = sorted(zip(pool.map(read, files), files), key=lambda item: -item[0][0])
    changed = [(file, stamp) for (_, stamp), file in found if not (stamp and stamp.exists())]
    print(f"{len(files)} translation units, {len(changed)} of them changed", flush=True)
    good = list(pool.map(lambda item: check(*item), changed))

# Remove stamps of units whose text no longer exists.
current = {stamp.name for (_, stamp), _ in found if stamp}
for stamp in stamps.iterdir():
    if stamp.name not in current:
        stamp.unlink()
sys.exit(0 if files and all(good) else 1)
