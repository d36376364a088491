# SPDX-License-Identifier: MIT
"""rtactl at a terminal: the shell's line editor, and the screens of top and meter.

    terminal_test.py BUILD_BIN
"""
import fcntl
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

import terminal

PROGRAMS = None
TAB, ENTER, UP, DOWN, LEFT, HOME = "\t", "\r", "\x1b[A", "\x1b[B", "\x1b[D", "\x01"
CTRL_LEFT, CTRL_RIGHT = "\x1b[1;5D", "\x1b[1;5C"
CTRL_C, CTRL_D, CTRL_R, CTRL_Z = "\x03", "\x04", "\x12", "\x1a"


class Case(unittest.TestCase):
    def setUp(self):
        self.daemon = terminal.Daemon(PROGRAMS)
        self.addCleanup(self.daemon.stop)
        self.daemon.ctl("play", "sine:frequency_hz=440,gain_db=-20", "meter")

    def open(self, *command, environment=None, **options):
        opened = terminal.Terminal(command, environment or self.daemon.environment, folder=self.daemon.home, **options)
        self.addCleanup(opened.close)
        return opened

    def shell(self, **options):
        shell = self.open("rtactl", "shell", **options)
        shell.line("rtactl>")
        return shell

    def leave(self, shell):
        """Checks that Ctrl-D exits with success and that the terminal is restored."""
        shell.type(CTRL_D)
        self.assertEqual(shell.end(), 0)
        self.assertEqual(shell.modes(), shell.modes_before)


class Editing(Case):
    def test_tab_completes_commands_nodes_parameters_and_values(self):
        shell = self.shell()
        shell.type("se" + TAB)
        shell.line("rtactl> set")
        shell.type("si" + TAB)
        shell.line("rtactl> set sine.")
        shell.type("fre" + TAB)
        shell.line("rtactl> set sine.frequency_hz=")
        shell.type("660Hz" + ENTER)
        shell.until(r"^set sine\.frequency_hz = 660 Hz$")
        self.assertIn("= 660 Hz", self.daemon.ctl("get", "sine.frequency_hz"))

        shell.type("play gai" + TAB + TAB + "gai" + TAB)
        shell.line("rtactl> play gain:gain_db=")
        shell.type(CTRL_C + "add biquad_filter f kind=low" + TAB)
        shell.until(r"^lowpass +low_shelf\b")
        shell.line("rtactl> add biquad_filter f kind=low")
        shell.type("p" + TAB)
        shell.line("rtactl> add biquad_filter f kind=lowpass")
        shell.type(" q=2" + ENTER)  # longer names may begin with this one
        shell.until("revision 2")
        self.assertEqual(self.daemon.ctl("get", "f.q"), "f.q = 2\n")
        self.leave(shell)

    def test_tab_shows_what_there_is_to_choose_from(self):
        shell = self.shell()
        shell.type("set sine." + TAB)
        shell.until(r"^frequency_hz= +Frequency, limited")
        shell.until(r"^channels= +Number")
        shell.line(r"rtactl> set sine\.")
        shell.type("channels=" + TAB)
        shell.until(r"^integer, 1 to 64, default 1$")
        self.leave_clean(shell)

    def leave_clean(self, shell):
        shell.type(CTRL_C)
        shell.line("rtactl>")
        self.leave(shell)

    def test_a_node_of_another_client_is_known_at_the_next_prompt(self):
        shell = self.shell()
        shell.type("remove si" + TAB)
        shell.line("rtactl> remove sine")
        self.daemon.ctl("add", "gain", "newcomer")
        shell.type(CTRL_C + ENTER + "remove new" + TAB)
        shell.line("rtactl> remove newcomer")
        self.leave_clean(shell)

    def test_a_daemon_that_hangs_or_is_gone_does_not_hang_the_prompt(self):
        shell = self.shell()
        self.daemon.process.send_signal(signal.SIGSTOP)
        # A call waits longer for a response than a prompt does.
        call = subprocess.Popen(["rtactl", "status"], env=self.daemon.environment, stderr=subprocess.DEVNULL)
        shell.type("set " + TAB + "x")
        shell.line("rtactl> set x")
        self.assertIsNone(call.poll(), "the prompt was as late as a call that gets no answer")
        call.kill()
        call.wait()
        self.daemon.process.send_signal(signal.SIGCONT)
        shell.type(CTRL_C + ENTER + "set si" + TAB)
        shell.line(r"rtactl> set sine\.")
        self.daemon.process.kill()
        self.daemon.process.wait()
        shell.type(CTRL_C + ENTER + "gra" + TAB + "sh" + TAB)
        shell.line("rtactl> graph show")
        self.leave_clean(shell)

    def test_tab_completes_files_with_blanks(self):
        (self.daemon.home / "my tone.json").write_text("{}")
        shell = self.shell()
        shell.type("graph check my" + TAB)
        shell.line(r"rtactl> graph check my\\ tone\.json")
        shell.type(ENTER)
        shell.until(r"^my tone\.json: valid, 0 nodes")
        self.leave(shell)

    def test_keys_edit_the_line(self):
        shell = self.shell()
        shell.type("get ine" + LEFT * 3 + "s" + HOME + "x")
        shell.line("rtactl> xget sine")
        shell.type(CTRL_C)
        shell.line("rtactl>")
        shell.type("begin" + ENTER)
        shell.line("begin>")
        shell.type("add gain " + "g\u00e4" + CTRL_C)
        shell.line("begin>")
        shell.type("abort" + ENTER)
        shell.line("rtactl>")
        self.leave(shell)

    def test_tab_leaves_out_files_that_cannot_be_typed(self):
        for name in (b"tone\x1b[2Jx.json", b"tone\xff.json", b"tone\xc2\x9b.json", b"tone\n.json", "t\u00f6ne.json".encode()):
            (self.daemon.home / os.fsdecode(name)).write_text("{}")
        shell = self.shell()
        shell.type("graph check ton" + TAB + "x")
        shell.line("rtactl> graph check tonx")
        shell.type(CTRL_C + "graph check t" + TAB)
        shell.line("rtactl> graph check t\u00f6ne.json")
        self.leave_clean(shell)

    def test_keys_move_by_words_and_unknown_ones_type_nothing(self):
        shell = self.shell()
        shell.type("get two words" + CTRL_LEFT + "a" + CTRL_LEFT * 2 + "b" + CTRL_RIGHT + "c")
        shell.line("rtactl> get btwoc awords")
        shell.type("\x1b[1~" + "d" + "\x1b[4~" + "e")
        shell.line("rtactl> dget btwoc awordse")
        for key in ("\x1b[5~", "\x1b[6~", "\x1b[2~", "\x1b[15~", "\x1b[24~", "\x1bOP", "\x1b[1;2A", "\x1b[1;3D", "\x1b[5;5~",
                    "\x1b[200~", "\x1b[201~", "\x1b[Z"):
            shell.type(key)
        shell.type("f")
        shell.line("rtactl> dget btwoc awordsef")
        self.leave_clean(shell)

    def test_a_signal_gives_the_terminal_back(self):
        for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            shell = self.shell()
            self.assertNotEqual(shell.modes(), shell.modes_before, "keys are read one by one")
            shell.process.send_signal(ending)
            self.assertEqual(shell.end(), -ending)
            self.assertEqual(shell.modes(), shell.modes_before)

    def test_it_can_be_stopped_and_goes_on(self):
        bash = self.open("bash", "--noprofile", "--norc", environment=self.daemon.environment | {"PS1": "bash> "})
        bash.type("rtactl shell" + ENTER)
        bash.line("rtactl>")
        bash.type("set si" + TAB)
        bash.line(r"rtactl> set sine\.")
        bash.type(CTRL_Z)
        bash.until(r"Stopped +rtactl shell")
        bash.line("bash>")
        bash.type("fg" + ENTER)
        bash.line(r"rtactl> set sine\.")
        bash.type("gain_db=-30" + ENTER)
        bash.until(r"^set sine\.gain_db = -30 dB$")
        bash.type(CTRL_D)
        bash.line("bash>")

    def test_a_terminal_that_cannot_draw_gets_plain_lines(self):
        shell = self.open("env", "TERM=dumb", "rtactl", "shell")
        shell.line("rtactl>")
        shell.type("get sine.gain_db" + ENTER)
        shell.until(r"^sine\.gain_db = -20 dB$")
        self.leave(shell)


class Remembering(Case):
    def history(self):
        return self.daemon.home / ".local/state/rtactl/history"

    def test_earlier_lines_come_back_in_the_next_shell(self):
        shell = self.shell()
        shell.type("get sine.gain_db" + ENTER)
        shell.until("-20 dB")
        shell.type("get meter" + ENTER)
        shell.until(r"meter\.channels = 1")
        self.leave(shell)
        self.assertEqual(self.history().read_text(), "get sine.gain_db\nget meter\n")
        self.assertEqual(self.history().stat().st_mode & 0o777, 0o600)

        shell = self.shell()
        shell.type(UP)
        shell.line("rtactl> get meter")
        shell.type(UP)
        shell.line(r"rtactl> get sine\.gain_db")
        shell.type(DOWN)
        shell.line("rtactl> get meter")
        shell.type(CTRL_C + CTRL_R + "gain")
        shell.until(r"bck: ?gain")
        shell.type(ENTER + ENTER)
        shell.until(r"^sine\.gain_db = -20 dB$")
        self.leave(shell)

    def test_a_shell_from_a_pipe_leaves_no_history(self):
        self.daemon.ctl("shell")
        self.assertFalse(self.history().exists())

    def test_no_place_for_a_history_does_no_harm(self):
        shell = self.shell(environment=self.daemon.environment | {"XDG_STATE_HOME": "/proc/nowhere"})
        shell.type("get sine.gain_db" + ENTER)
        shell.until("= -20 dB")
        shell.type(UP)
        shell.line(r"rtactl> get sine\.gain_db")
        shell.type(CTRL_C)
        shell.line("rtactl>")
        self.leave(shell)


class LiveScreens(Case):
    def peak_db(self, shown):
        """Returns the row of the meter node on the screen, or None."""
        line = self.row(shown)
        number = line and re.search(r"(-?[0-9]+\.[0-9]|-inf)", line)
        return number and float(number[1])

    @staticmethod
    def row(shown):
        return next((line for line in shown.screen.shown if line.startswith("meter")), None)

    def bar(self, shown):
        """Returns the number of filled cells of the meter's bar."""
        return len(re.findall(r"[^\w\s.\[\]]", re.sub(r"-?[0-9]+\.[0-9]|-inf", "", self.row(shown) or "")))

    def shows_peak(self, shown, level_db):
        shown.until(lambda: self.peak_db(shown) is not None and abs(self.peak_db(shown) - level_db) < 0.15)

    def test_meter_follows_the_level_and_the_window(self):
        meter = self.open("rtactl", "meter", columns=80)
        self.shows_peak(meter, -20)
        self.assertTrue(meter.screen.second_is_shown)
        quiet = self.bar(meter)
        self.daemon.ctl("set", "sine.gain_db=-3")
        self.shows_peak(meter, -3)
        meter.until(lambda: self.bar(meter) > quiet + 3)
        loud = self.bar(meter)

        meter.resize(120, 30)
        meter.until(lambda: self.bar(meter) > loud)
        meter.resize(60, 30)
        meter.until(lambda: 0 < self.bar(meter) < loud)
        self.daemon.ctl("set", "sine.gain_db=-40")
        self.shows_peak(meter, -40)

        meter.type(CTRL_C)
        self.assertEqual(meter.end(), 0)
        self.assertFalse(meter.screen.second_is_shown)
        self.assertFalse(meter.screen.cursor.hidden)
        self.assertEqual(meter.modes(), meter.modes_before)
        self.assertIn("meter", meter.text(), "the last levels stay")

    def test_top_counts_on_and_fits_the_window(self):
        top = self.open("rtactl", "top", "--rate", "10", rows=30)

        def frame():
            shown = re.search(r"frame (\d+)", top.text())
            return int(shown[1]) if shown else 0
        top.until(lambda: frame() > 0)
        first = frame()
        top.until(lambda: frame() > first)
        top.until(r"^sine +sine\b")
        self.daemon.ctl("add", "gain", "newcomer")
        top.until(r"^newcomer +gain")
        top.resize(70, 6)
        top.until(r"more lines$")
        top.resize(70, 40)
        top.until(r"^newcomer +gain")
        top.type(CTRL_C)
        self.assertEqual(top.end(), 0)
        self.assertFalse(top.screen.second_is_shown)
        self.assertFalse(top.screen.cursor.hidden)
        self.assertEqual(top.modes(), top.modes_before)

    def test_the_shell_goes_on_behind_them(self):
        shell = self.shell()
        for command, sign in (("top", r"^sine +sine"), ("meter", r"^meter .*-20\.0"), ("watch", None)):
            shell.type(command + ENTER)
            if sign:
                shell.until(sign)
                self.assertTrue(shell.screen.second_is_shown)
            else:
                shell.until(lambda: self.changed(shell))
            shell.type(CTRL_C)
            shell.until(lambda: not shell.screen.second_is_shown)
            shell.line("rtactl>")
            shell.type("get sine.fre" + TAB)
            shell.line(r"rtactl> get sine\.frequency_hz")
            shell.type(ENTER)
            shell.line("rtactl>")
        shell.resize(60, 20)
        shell.type("get sine.gain" + TAB)
        shell.line(r"rtactl> get sine\.gain_db")
        shell.type(CTRL_C)
        shell.line("rtactl>")
        self.leave(shell)

    def changed(self, shell):
        """Makes changes for watch until it shows one. From then on it handles signals."""
        if "parameters by" in shell.text():
            return True
        self.daemon.ctl("set", "sine.frequency_hz=500")
        return False


class Stalled(Case):
    """A reader that has stopped reading does not prevent the programs from exiting."""

    def until_full(self, process, reader):
        """Waits until no more bytes arrive in the pipe or the terminal."""
        deadline = time.monotonic() + terminal.PATIENCE_S
        before = -1
        while True:
            waiting = self.waiting_in(reader)
            # A second without a byte, at a hundred events per second.
            if waiting > 0 and waiting == before:
                return
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), deadline)
            before = waiting
            time.sleep(1)

    @staticmethod
    def waiting_in(reader):
        return struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4))[0]

    def test_a_pipe_that_nobody_reads(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for command in (["watch", "levels", "--rate", "100"], ["--json", "watch", "levels", "--rate", "100"]):
                with self.subTest(command=command, signal=number):
                    reader, writer = os.pipe()
                    self.addCleanup(os.close, reader)
                    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
                    process = subprocess.Popen(["rtactl", *command], stdout=writer, env=self.daemon.environment)
                    self.addCleanup(process.kill)
                    os.close(writer)
                    self.until_full(process, reader)
                    process.send_signal(number)
                    self.assertEqual(process.wait(terminal.PATIENCE_S), 0)

    def test_a_terminal_that_nobody_reads(self):
        meter = self.open("rtactl", "meter", "--rate", "100")
        self.until_full(meter.process, meter.master)
        meter.process.terminate()
        self.assertEqual(meter.process.wait(terminal.PATIENCE_S), 0)

    def test_who_reads_later_gets_every_line_whole(self):
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        process = subprocess.Popen(["rtactl", "watch", "levels", "--rate", "100", "--count", "300"], stdout=writer,
                                   env=self.daemon.environment)
        os.close(writer)
        self.until_full(process, reader)
        with open(reader) as lines:
            told = lines.read().splitlines()
        self.assertEqual(process.wait(terminal.PATIENCE_S), 0)
        self.assertEqual(len(told), 300)
        for line in told:
            self.assertRegex(line, r"^levels up to frame \d+: \(device\) .* dB")


class Colours(Case):
    """Colours are for terminals only, and do not change the text."""

    def styles(self, screen, text):
        """Returns the colour and weight of a text on the screen."""
        for row, line in enumerate(screen.shown):
            if (column := line.find(text)) >= 0:
                cells = [screen.buffer[row][column + i] for i in range(len(text))]
                styles = {(cell.fg, cell.bold) for cell in cells}
                self.assertEqual(len(styles), 1, text)
                return styles.pop()
        self.fail(f"{text!r} is not on the screen:\n" + "\n".join(screen.shown))

    def run_on_terminal(self, *command, status=0, **changes):
        opened = self.open("env", *(f"{name}={value}" for name, value in changes.items()), *command, columns=200, rows=120)
        self.assertEqual(opened.end(), status)
        return opened.screen

    def test_errors_headings_and_warnings_stand_out(self):
        screen = self.run_on_terminal("rtactl", "sett", status=2)
        self.assertEqual(self.styles(screen, "rtactl:"), ("red", False))
        self.assertEqual(self.styles(screen, "unknown command"), ("default", False))
        screen = self.run_on_terminal("rtactl", "types")
        self.assertEqual(self.styles(screen, "TYPE"), ("default", True))
        self.assertEqual(self.styles(screen, "biquad_filter"), ("default", False))
        self.assertEqual(self.styles(self.run_on_terminal("rtactl", "--help"), "Options"), ("default", True))
        self.daemon.ctl("mute")
        screen = self.run_on_terminal("rtactl")
        self.assertEqual(self.styles(screen, "muted;"), ("brown", False), "pyte's name for yellow")
        self.assertEqual(self.styles(screen, "device"), ("default", True))

    def test_columns_stay_aligned(self):
        opened = self.open("rtactl", "types", columns=300, rows=100)
        self.assertEqual(opened.end(), 0)
        self.assertEqual([line for line in opened.screen.shown if line], self.daemon.ctl("types").splitlines())

    def test_a_user_and_a_terminal_can_refuse_them(self):
        for changes in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
            screen = self.run_on_terminal("rtactl", "sett", status=2, **changes)
            self.assertEqual(self.styles(screen, "rtactl:"), ("default", False), changes)
            screen = self.run_on_terminal("rtactl", "types", **changes)
            self.assertEqual(self.styles(screen, "TYPE"), ("default", False), changes)
        screen = self.run_on_terminal("rtactl", "sett", status=2, NO_COLOR="")
        self.assertEqual(self.styles(screen, "rtactl:"), ("red", False), "an empty NO_COLOR does not count")

    def test_a_pipe_and_json_get_none(self):
        screen = self.run_on_terminal("sh", "-c", "rtactl types | cat; rtactl sett 2>&1 | cat; rtactl --json sett; true")
        for text in ("TYPE", "rtactl:", "INVALID_ARGUMENT"):
            self.assertEqual(self.styles(screen, text), ("default", False), text)
        screen = self.run_on_terminal("sh", "-c", "rtactl sett | cat")
        self.assertEqual(self.styles(screen, "rtactl:"), ("red", False), "stderr is still the terminal")

    def test_a_daemon_cannot_set_a_colour(self):
        result = subprocess.run(["rtactl", "remove", "\x1b[31mred"], env=self.daemon.environment, capture_output=True,
                                text=True)
        self.assertNotIn("\x1b", result.stderr)
        screen = self.run_on_terminal("rtactl", "remove", "\x1b[31mred", status=1)
        self.assertEqual(self.styles(screen, "red"), ("default", False))

    def test_the_bars_of_a_meter_are_coloured(self):
        self.daemon.ctl("set", "sine.gain_db=-1dB")
        meter = self.open("rtactl", "meter", columns=120)
        meter.until(r"\(device\) 1 \[=+-+")
        row = next(row for row, line in enumerate(meter.screen.shown) if "(device) 1" in line)
        line = meter.screen.shown[row]
        colours = [meter.screen.buffer[row][column].fg for column in range(line.index("[") + 1, line.index("]"))]
        self.assertEqual(sorted(set(colours)), ["brown", "green", "red"])
        self.assertEqual(colours, sorted(colours, key=["green", "brown", "red"].index))
        meter.type(CTRL_C)
        self.assertEqual(meter.end(), 0)


class Loss(Case):
    def test_tab_survives_a_daemon_that_is_lost_in_a_transaction(self):
        shell = self.shell()
        shell.type("begin" + ENTER)
        shell.line("begin>")
        shell.type("set sine.frequency_hz=500" + ENTER)
        shell.line("begin>")
        self.daemon.process.kill()
        self.daemon.process.wait(terminal.PATIENCE_S)
        shell.type("play --add sine" + ENTER)
        shell.until(r"^rtactl: ")
        shell.line("begin>")
        shell.type("add si" + TAB + "x")
        shell.line("begin> add six")
        shell.type(CTRL_C + "abort" + ENTER)
        shell.line("rtactl>")
        shell.type(CTRL_D)
        self.assertEqual(shell.end(), 1, "a line was refused")


class Trust(Case):
    """The question whether to trust the certificate of a daemon."""

    def setUp(self):
        state = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, state)
        token = pathlib.Path(state) / "test.token"
        token.touch(mode=0o600)
        token.write_bytes(subprocess.run([PROGRAMS / "rtad", "token", "new", "--role", "control", "--state-dir", state, "test"],
                                         check=True, capture_output=True).stdout)
        self.daemon = terminal.Daemon(PROGRAMS, "--listen", "tls://127.0.0.1:0", "--state-dir", state)
        self.addCleanup(self.daemon.stop)
        log = (self.daemon.home / "log").read_text()
        self.host, self.fingerprint = re.search(r"on (127\.0\.0\.1:\d+) with TLS; certificate (SHA256:\S+)", log).groups()
        self.known_hosts = self.daemon.home / ".config/rtactl/known_hosts"
        self.command = ["rtactl", "--tls", "--host", self.host, "--token-file", str(token)]

    def test_it_is_asked_once(self):
        asked = self.open(*self.command, "list")
        asked.until(re.escape(f"The certificate of {self.host} is not known"))
        asked.until(re.escape(self.fingerprint))
        asked.line(r".*Trust this certificate\? \[y/N\]")
        asked.type("y" + ENTER)
        asked.until("^no nodes")
        self.assertEqual(asked.end(), 0)
        self.assertEqual(self.known_hosts.read_text(), f"{self.host} {self.fingerprint}\n")
        trusted = self.open(*self.command, "list")
        self.assertEqual(trusted.end(), 0)
        self.assertEqual(trusted.text(), "no nodes")

    def test_only_yes_is_yes(self):
        for answer in ENTER, "n" + ENTER, CTRL_D:
            asked = self.open(*self.command, "list")
            asked.line(r".*\[y/N\]")
            asked.type(answer)
            asked.until("is not trusted")
            self.assertEqual(asked.end(), 3)
            self.assertFalse(self.known_hosts.exists())

    def test_a_shell_asks_at_the_first_command_and_not_at_a_tab(self):
        shell = self.open(*self.command, "shell")
        shell.line("rtactl>")
        shell.type("li" + TAB)
        shell.line("rtactl> list ?")
        self.assertNotIn("certificate", shell.text())
        shell.type(ENTER)
        shell.line(r".*\[y/N\]")
        shell.type("y" + ENTER)
        shell.until("^no nodes")
        shell.line("rtactl>")
        self.leave(shell)


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    # The tests find rtactl by name, too.
    os.environ["PATH"] = f"{PROGRAMS}:{os.environ['PATH']}"
    unittest.main()
