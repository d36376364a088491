# SPDX-License-Identifier: MIT
"""Runs every program of docs/integration-python.md with a real rtad."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from support import PATIENCE_S, Daemon

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "integration-python.md"
ADDRESS = '"127.0.0.1:7340"'


def programs():
    """Returns each block, and the output that the block after it promises, where `...` stands for anything in a line."""
    return re.findall(r"```python\n(.*?)```\n(?:\n```output\n(.*?)```\n)?", PAGE.read_text(encoding="utf-8"), re.DOTALL)


class Page(unittest.TestCase):
    def test_every_program_runs_and_prints_what_the_page_says(self):
        found = programs()
        self.assertEqual(len(found), PAGE.read_text(encoding="utf-8").count("```python"))
        self.assertGreaterEqual(len(found), 6)
        daemon = Daemon()
        self.addCleanup(daemon.close)
        editor = subprocess.Popen([sys.executable, "-c", EDITOR, daemon.address])
        self.addCleanup(editor.wait)
        self.addCleanup(editor.kill)
        with tempfile.TemporaryDirectory() as directory:
            for program, output in found:
                with self.subTest(program):
                    self.assertIn(ADDRESS, program)
                    self.assertTrue(output, "the page does not show what it prints")
                    self.run_program(program.replace(ADDRESS, f'"{daemon.address}"'), output, directory)

    def run_program(self, program, output, directory):
        done = subprocess.run([sys.executable, "-X", "dev", "-c", program], cwd=directory, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PATIENCE_S, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        self.assertEqual(done.returncode, 0, done.stdout)
        pattern = ".*?".join(map(re.escape, output.split("...")))
        self.assertRegex(done.stdout, f"^{pattern}$")


# Another client, whose changes the programs wait for.
EDITOR = """
import itertools, sys, time, rta
client = rta.sync.connect(sys.argv[1], client_name="editor")
for step in itertools.count():
    try:
        client.set({"vol.gain_db": -20 - step % 10})
    except rta.NotFound:
        pass
    time.sleep(0.05)
"""
