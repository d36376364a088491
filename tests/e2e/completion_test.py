# SPDX-License-Identifier: MIT
"""Tests completion of rtactl in bash, zsh and fish, with a running daemon and the real shells in a pseudo-terminal.

    completion_test.py BUILD_BIN
"""
import pathlib
import subprocess
import sys
import unittest

import terminal

PROGRAMS = None
TAB, CLEAR = "\t", "\x15"


class Case(unittest.TestCase):
    def setUp(self):
        self.daemon = terminal.Daemon(PROGRAMS)
        self.addCleanup(self.daemon.stop)
        self.daemon.ctl("play", "sine", "gain")
        self.daemon.ctl("add", "mixer", "mix", "inputs=3")
        (self.daemon.home / "tone one.json").write_text("{}")
        configuration = self.daemon.home / ".config" / "rtactl" / "config.toml"
        configuration.parent.mkdir(parents=True)
        configuration.write_text(f'[hosts.studio]\naddress = "{self.daemon.socket}"\n[hosts.lobby]\n')
        configuration.chmod(0o600)

    def open(self, *command, **environment):
        opened = terminal.Terminal(command, self.daemon.environment | environment, folder=self.daemon.home)
        self.addCleanup(opened.close)
        return opened

    def check(self, shell, completed):
        """Checks that TAB completes each line to its counterpart."""
        for typed, expected in completed:
            shell.type(typed + TAB)
            shell.line("% " + expected)
            shell.type(CLEAR)
            shell.line("%")


# Completions that are the same in every shell.
COMPLETED = [
    ("rtactl sta", "rtactl status"),
    ("rtactl gra", "rtactl graph"),
    ("rtactl graph cl", "rtactl graph clear"),
    ("rtactl --json gra", "rtactl --json graph"),
    ("rtactl set --ra", "rtactl set --ramp"),
    ("rtactl --so", "rtactl --socket"),
    ("rtactl set si", r"rtactl set sine\."),
    ("rtactl set sine.fre", "rtactl set sine.frequency_hz="),
    ("rtactl set --ramp 5 sine.fre", "rtactl set --ramp 5 sine.frequency_hz="),
    ("rtactl play gai", "rtactl play gain"),
    ("rtactl play gain:gai", "rtactl play gain:gain_db="),
    ("rtactl play sine gain:gain_db=-6,mu", "rtactl play sine gain:gain_db=-6,mute="),
    ("rtactl add biquad_filter f kind=no", "rtactl add biquad_filter f kind=notch"),
    ("rtactl connect sine mi", "rtactl connect sine mix:"),
    ("rtactl connect sine mix:", "rtactl connect sine mix:in_"),
    ("rtactl set gain.mute=to", "rtactl set gain.mute=toggle"),
    ("rtactl wait sil", "rtactl wait silence"),
    ("rtactl wait node si", "rtactl wait node sine"),
    ("rtactl wait sine.fre", "rtactl wait sine.frequency_hz="),
    ("rtactl set gain.gain_db+", r"rtactl set gain\.gain_db\+="),
    ("rtactl volu", "rtactl volume"),
    ("rtactl bypass gain of", "rtactl bypass gain off"),
    ("rtactl watch xr", "rtactl watch xruns"),
    ("rtactl completion z", "rtactl completion zsh"),
    ("rtactl --host stu", "rtactl --host studio"),
    ("rtactl --host=stu", "rtactl --host=studio"),
    ("rtactl list --host lo", "rtactl list --host lobby"),
    ("rtactl --host studio bypass gain of", "rtactl --host studio bypass gain off"),
]


class Bash(Case):
    def test_completes(self):
        shell = self.open("bash", "--noprofile", "--norc", PS1="% ")
        shell.line("%")
        shell.type("bind 'set bell-style none'; source <(rtactl completion bash); clear\r")
        shell.until(lambda: shell.text() == "%")
        self.check(shell, COMPLETED + [("rtactl graph load to", r"rtactl graph load tone\\ one\.json"),
                                       ("rtactl --socket to", r"rtactl --socket tone\\ one\.json")])
        shell.type("rtactl add biquad_filter f kind=low" + TAB + TAB)
        shell.until(r"^low_shelf .*\blowpass")

    def test_offers_the_same_where_bash_is_asked_by_a_program(self):
        asked = ("source <(rtactl completion bash); COMP_LINE='rtactl set sine.' COMP_POINT=16 COMP_CWORD=2 "
                 "COMP_WORDS=(rtactl set sine.); _rtactl; printf '<%s>\\n' \"${COMPREPLY[@]}\"")
        answer = subprocess.run(["bash", "-c", asked], env=self.daemon.environment, capture_output=True, text=True)
        self.assertEqual(answer.stdout, "<sine.frequency_hz=>\n<sine.gain_db=>\n<sine.channels=>\n")
        self.assertEqual(answer.stderr, "")


class Zsh(Case):
    def test_completes(self):
        # Installed as by the package: a file in a folder of $fpath.
        functions = self.daemon.home / "functions"
        functions.mkdir()
        (functions / "_rtactl").write_text(self.daemon.ctl("completion", "zsh"))
        shell = self.open("zsh", "-f", "-i", PS1="%% ")
        shell.line("%")
        shell.type(f"fpath=({functions} $fpath); autoload -U compinit; compinit -u -D; setopt no_beep no_list_ambiguous; clear\r")
        shell.until(lambda: shell.text() == "%")
        self.check(shell, COMPLETED + [("rtactl graph load to", r"rtactl graph load tone\\ one\.json"),
                                       ("rtactl --socket to", r"rtactl --socket tone\\ one\.json")])
        shell.type("rtactl add biquad_filter f kind=low" + TAB + TAB)
        shell.until(r"^kind=low_shelf")
        shell.until(r"^kind=lowpass")


class Fish(Case):
    def offered(self, line):
        asked = subprocess.run(["fish", "--no-config", "-c", "rtactl completion fish | source; complete -C $argv[1]", line],
                               env=self.daemon.environment, cwd=self.daemon.home, capture_output=True, text=True)
        self.assertEqual(asked.stderr, "")
        return [row.split("\t")[0] for row in asked.stdout.splitlines()]

    def test_offers(self):
        for typed, expected in COMPLETED:
            word = expected.replace("\\", "").split(" ")[-1]
            with self.subTest(typed):
                offered = self.offered(typed)
                if word.endswith("in_"):
                    self.assertEqual(offered, ["mix:in_1", "mix:in_2", "mix:in_3"])
                elif word == "--socket" or word == "gain":
                    self.assertIn(word, offered)
                else:
                    self.assertEqual(offered, [word])

    def test_offers_files_and_what_things_are(self):
        self.assertEqual(self.offered("rtactl graph load to"), ["tone one.json"])
        self.assertEqual(self.offered("rtactl --socket to"), ["tone one.json"])
        asked = subprocess.run(["fish", "--no-config", "-c", "rtactl completion fish | source; complete -C 'rtactl play sin'"],
                               env=self.daemon.environment, capture_output=True, text=True)
        self.assertRegex(asked.stdout, r"^sine\tSine wave")


class AnyShell(Case):
    def test_another_daemon_than_the_usual_is_asked_where_the_line_names_it(self):
        other = terminal.Daemon(PROGRAMS)
        self.addCleanup(other.stop)
        other.ctl("add", "gain", "elsewhere")
        answer = self.daemon.ctl("complete", "--", "--socket", str(other.socket), "remove", "")
        self.assertEqual(answer, "words\nelsewhere \tgain\n")

    def test_without_a_daemon_there_is_no_noise(self):
        answer = subprocess.run(["rtactl", "complete", "--", "--socket", "/nowhere", "set", ""],
                                env=self.daemon.environment, capture_output=True, text=True)
        self.assertEqual((answer.returncode, answer.stdout, answer.stderr), (0, "words\n", ""))


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
