#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the time of `rtad render` with that of SoX and FFmpeg for the same work: 60 s of stereo noise through an
equalizer of 10 bands, a compressor and a limiter, from a float WAV file to a float WAV file. The three take turns.

    tests/bench/render_against.py [RUNS]                        default: 9
    RTAD_BIN=build/release/bin tests/bench/render_against.py 15

Needs the packages sox and ffmpeg, which nothing else needs; without them, prints a message and does nothing."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RATE, SECONDS = 48_000, 60
BANDS = [(31, 3), (62, -2), (125, 2), (250, -3), (500, 1), (1000, -1), (2000, 2), (4000, -2), (8000, 3), (16000, -1)]


def write(path, nodes, connections):
    path.write_text(json.dumps({"nodes": nodes, "connections": [{"from": a, "to": b} for a, b in connections]}))


def commands(folder, rtad):
    stereo = {"channels": 2}
    noise = [{"name": side, "type": "noise", "settings": {"color": "pink", "seed": seed}, "parameters": {"gain_db": -12}}
             for seed, side in enumerate(("left", "right"), 1)]
    outputs = [{"name": f"out_{side}", "type": "output", "settings": {"first_channel": channel}}
               for channel, side in enumerate(("left", "right"), 1)]
    write(folder / "noise.json", noise + outputs, [("left", "out_left"), ("right", "out_right")])
    subprocess.run([rtad, "render", "--graph", folder / "noise.json", "--duration", str(SECONDS), "--sample-rate", str(RATE),
                    "--output", folder / "in.wav"], check=True, stdout=subprocess.DEVNULL)

    bands = {}
    for band, (frequency, gain) in enumerate(BANDS, 1):
        bands |= {f"frequency_{band}_hz": frequency, f"q_{band}": 1, f"gain_{band}_db": gain}
    write(folder / "graph.json",
          [{"name": "in", "type": "input", "settings": stereo},
           {"name": "eq", "type": "equalizer", "settings": {"bands": len(BANDS), **stereo}, "parameters": bands},
           {"name": "comp", "type": "compressor", "settings": stereo, "parameters": {"threshold_db": -20, "ratio": 4}},
           {"name": "lim", "type": "limiter", "settings": stereo},
           {"name": "out", "type": "output", "settings": stereo}],
          [("in", "eq"), ("eq", "comp"), ("comp", "lim"), ("lim", "out")])

    sox_bands = [word for frequency, gain in BANDS for word in ("equalizer", str(frequency), "1q", str(gain))]
    filters = [f"equalizer=f={frequency}:t=q:w=1:g={gain}" for frequency, gain in BANDS]
    filters += ["acompressor=threshold=0.1:ratio=4:attack=10:release=100", "alimiter=limit=0.9:attack=3:release=50"]
    source = str(folder / "in.wav")
    return {
        "rtad": [rtad, "render", "--graph", str(folder / "graph.json"), "--input", source, "--align", "--tail", "0",
                 "--output", str(folder / "rtad.wav")],
        "sox": ["sox", source, "-e", "floating-point", "-b", "32", str(folder / "sox.wav"), *sox_bands,
                "compand", "0.01,0.1", "6:-60,-60,-20,-20,0,-15", "gain", "-l", "0"],
        "ffmpeg": ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", source, "-af", ",".join(filters),
                   "-c:a", "pcm_f32le", str(folder / "ffmpeg.wav")],
    }


def measured(command):
    """Returns wall, user and system time in seconds."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"error: {command[0]} failed")
    return time.monotonic() - begin, usage.ru_utime, usage.ru_stime


def main(runs):
    rtad = str(pathlib.Path(os.environ.get("RTAD_BIN", "build/release/bin")) / "rtad")
    missing = [tool for tool in ("sox", "ffmpeg") if shutil.which(tool) is None]
    if missing:
        print(f"skipped: {' and '.join(missing)} not found: install the packages sox and ffmpeg")
        return
    with tempfile.TemporaryDirectory() as folder:
        tools = commands(pathlib.Path(folder), rtad)
        times = {tool: [] for tool in tools}
        for run in range(runs + 1):
            for tool, command in tools.items():
                result = measured(command)
                if run > 0:  # the first run fills the caches
                    times[tool].append(result)
    medians = {tool: [statistics.median(column) for column in zip(*rows)] for tool, rows in times.items()}
    print(f"medians of {runs} runs, in seconds; in brackets: divided by that of rtad")
    print(f"{'':8}{'wall':>16}{'user':>16}{'system':>16}")
    for tool, row in medians.items():
        print(f"{tool:8}" + "".join(f"{value:9.3f} ({value / own:4.1f})" for value, own in zip(row, medians["rtad"])))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
