# SPDX-License-Identifier: MIT
"""Runs clients on another machine than rtad's, which is a network namespace, over TLS and with a token.

    run_remote.py RTAD RTACTL FOLLOWER [-- FOLLOWER]...

Each FOLLOWER mirrors the graph while rtactl edits it, over a clean network, over one that drops 2 % of the packets in both
directions, and over one in which packets overtake each other. Then all of them, and rtactl, edit at the same time through
a proxy that cuts every connection: `FOLLOWER PREFIX COUNT` adds 1 dB to `PREFIX_0.gain_db` and to COUNT - 1 more, to each
once, and prints `applied N` or `unknown N`, as the library reports it.

Needs /dev/net/tun, and root or unprivileged user namespaces.
"""
import contextlib
import json
import pathlib
import random
import subprocess
import sys
import threading

from bad_networks import CuttingProxy, ShufflingNetwork
from machines import DAEMON_ADDRESS, PATIENCE_S, PORT, client_machine, commands_of, enter_namespaces, running_daemon

PROXY_PORT = PORT + 1
EDITS, EDITS_OVER_A_BAD_NETWORK = 120, 50
EDITS_OF_A_PROGRAM, EDITS_OF_RTACTL = 100, 25
DROP_RULES = """
table inet lossy {
    chain input { type filter hook input priority 0; iifname "rtad0" numgen random mod 100 < 2 drop; }
    chain output { type filter hook output priority 0; oifname "rtad0" numgen random mod 100 < 2 drop; }
}
"""
OTHER_FINGERPRINT = "SHA256:" + "A" * 43


class Machine:
    """The other machine, with rtactl and the followers."""

    def __init__(self, other, rtactl, access):
        self.inside, self.rtactl, self.access = other.inside, rtactl, access
        self.environment = access.environment()

    def ctl(self, *arguments, fingerprint=None, token=True, text=""):
        command = [*self.inside, self.rtactl, "--host", self.access.host,
                   "--tls-fingerprint", fingerprint or self.access.fingerprint,
                   *(["--token-file", str(self.access.token_file)] if token else []), *arguments]
        environment = {name: value for name, value in self.environment.items() if not name.startswith("RTACTL_")}
        return subprocess.run(command, input=text, capture_output=True, text=True, env=environment, timeout=PATIENCE_S)

    def expect(self, status, part, *arguments, **options):
        result = self.ctl(*arguments, **options)
        if result.returncode != status or part not in result.stdout + result.stderr:
            sys.exit(f"rtactl {arguments}: status {result.returncode}, expected {status} and {part!r}:\n{result.stdout}{result.stderr}")

    def refuse(self, follower, part, **options):
        """Expects that a follower fails with a message that contains `part`."""
        with Follower([*self.inside, *follower], self.access.environment(**options)) as program:
            status = program.end_or("following")
            if not status or part not in "\n".join(program.lines):
                program.fail(f"was not refused with {part!r}: status {status}")

    def start(self, follower, *arguments):
        return Follower([*self.inside, *follower, *arguments], self.environment)

    def follow(self, follower, edits):
        """Runs a program that mirrors the graph, while rtactl edits it."""
        with self.start(follower) as program:
            program.wait_for("following")
            self.expect(0, "", "shell", text=random_edits(edits))
            program.end()


class Follower:
    """A running program that mirrors the graph. `lines` is what it has printed."""

    def __init__(self, command, environment):
        self.command, self.lines = command, []
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        self._timer = threading.Timer(PATIENCE_S, self._process.kill)
        self._timer.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._timer.cancel()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def fail(self, what):
        sys.exit(f"{self.command} {what}\n" + "\n".join(self.lines))

    def end_or(self, expected):
        """Waits until it prints a line, and returns None, or until it exits, and returns its status."""
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))
            if self.lines[-1] == expected:
                return None
        return self._process.wait()

    def wait_for(self, expected):
        if (status := self.end_or(expected)) is not None:
            self.fail(f"has not printed {expected!r}: status {status}")

    def end(self):
        """Waits until it has compared its mirror with the graph."""
        status = self.end_or(None)
        if status != 0 or not self.lines[-1].startswith("the mirror equals the graph"):
            self.fail(f"exited with status {status}")
        print("   ", self.lines[-1])


def random_edits(count):
    """Returns lines for `rtactl shell`."""
    chance = random.Random(1)
    lines, present = [], []
    for number in range(count):
        present.append(f"extra_{number}")
        lines += [f"add gain {present[-1]} gain_db={-chance.randrange(60)}", f"connect osc {present[-1]}"]
        if chance.random() < 0.2:
            lines.append(f"remove {present.pop(chance.randrange(len(present)))}")
        else:
            lines.append(f"set osc.frequency_hz={chance.randrange(100, 900)}")
    return "\n".join([*lines, "add gain the_end", ""])


def use(machine, followers, edits):
    machine.expect(4, "needs the role admin", "device", "set", "null")
    machine.expect(0, "playing sine", "play", "sine", "gain")
    machine.expect(0, "\"levels\"", "--json", "meter", "--count", "1")
    for follower in followers:
        machine.expect(0, "", "graph", "clear")
        machine.follow(follower, edits)


def refuse(machine, followers):
    """No client comes in without a token, or sends one to another daemon than the one that it knows."""
    machine.expect(4, "access token", "list", token=False)
    machine.expect(3, "fingerprint", "list", fingerprint=OTHER_FINGERPRINT)
    for follower in followers:
        machine.refuse(follower, "access token", token=False)
        machine.refuse(follower, OTHER_FINGERPRINT, fingerprint=OTHER_FINGERPRINT)


class LocalControl:
    """rtactl on the machine of the daemon."""

    def __init__(self, rtactl, daemon):
        self.command = [rtactl, "--socket", daemon.socket]

    def run(self, *arguments, text=""):
        return subprocess.run([*self.command, *arguments], input=text, check=True, capture_output=True, text=True).stdout

    def document(self, directory):
        file = pathlib.Path(directory) / "local.json"
        self.run("graph", "save", str(file))
        return file.read_text()


def edit_with_rtactl(machine, prefix, lines):
    """rtactl does not connect again automatically."""
    for number in range(EDITS_OF_RTACTL):
        result = machine.ctl("set", f"{prefix}_{number}.gain_db+=1dB")
        if result.returncode not in (0, 3):
            sys.exit(f"rtactl: status {result.returncode}: {result.stdout}{result.stderr}")
        lines.append(f"{'unknown' if result.returncode else 'applied'} {number}")


def saved_with_rtactl(machine, directory):
    file = pathlib.Path(directory) / "remote.json"
    while (result := machine.ctl("graph", "save", str(file))).returncode == 3:
        pass  # cut; saving twice does no harm
    if result.returncode != 0:
        sys.exit(f"rtactl: status {result.returncode}: {result.stdout}{result.stderr}")
    return file.read_text()


def check_edits(name, lines, count, gains):
    """Each edit was applied once, or was reported as unknown and was applied at most once."""
    reports = [line.split() for line in lines if line.startswith(("applied ", "unknown "))]
    if sorted(int(number) for _, number in reports) != list(range(count)):
        sys.exit(f"{name} has not reported each of {count} edits once:\n" + "\n".join(lines))
    wrong = [f"{report} {number}: {gains[f'{name}_{number}']} dB" for report, number in reports
             if gains[f"{name}_{number}"] not in ((0, 1) if report == "unknown" else (1,))]
    if wrong:
        sys.exit(f"{name}: edits are lost or were applied twice: {wrong}")
    unknown = [number for report, number in reports if report == "unknown"]
    applied = sum(gains[f"{name}_{number}"] == 1 for number in unknown)
    print(f"    {name}: {count - len(unknown)} edits applied, {len(unknown)} unknown, of which {applied} applied")
    return len(unknown)


def come_through(machine, followers, local, directory):
    """All clients edit, while each connection is cut again and again."""
    counts = {f"program_{index}": EDITS_OF_A_PROGRAM for index in range(len(followers))} | {"rtactl": EDITS_OF_RTACTL}
    local.run("graph", "clear")
    local.run("shell", text="begin\n" + "".join(f"add gain {name}_{number} gain_db=0\n" for name, count in counts.items()
                                                for number in range(count)) + "commit\n")
    lines_of_rtactl = []
    with contextlib.ExitStack() as running:
        programs = [running.enter_context(machine.start(follower, name, str(EDITS_OF_A_PROGRAM)))
                    for follower, name in zip(followers, counts)]
        edit_with_rtactl(machine, "rtactl", lines_of_rtactl)
        for program in programs:
            program.wait_for("edited")
        local.run("shell", text="add gain the_end\n")
        for program in programs:
            program.end()
    document = local.document(directory)
    if saved_with_rtactl(machine, directory) != document:
        sys.exit("rtactl has saved another graph")
    gains = {node["name"]: node.get("parameters", {}).get("gain_db", 0) for node in json.loads(document)["nodes"]}
    if sum([check_edits(name, lines, counts[name], gains)
            for name, lines in zip(counts, [*(program.lines for program in programs), lines_of_rtactl])]) == 0:
        sys.exit("no edit was cut")


def main(rtad, rtactl, *words):
    enter_namespaces()
    followers = commands_of(words)
    with client_machine() as other:
        with running_daemon(rtad) as daemon:
            print("== a clean network", flush=True)
            machine = Machine(other, rtactl, daemon.access())
            refuse(machine, followers)
            use(machine, followers, EDITS)
            print("== a network that drops packets", flush=True)
            subprocess.run(["nft", "-f", "-"], input=DROP_RULES, text=True, check=True)
            use(machine, followers, EDITS_OVER_A_BAD_NETWORK)
        with running_daemon(rtad) as daemon, ShufflingNetwork(other) as network:
            print("== a network in which packets overtake each other", flush=True)
            use(Machine(other, rtactl, daemon.access(f"{network.ADDRESS}:{PORT}")), followers, EDITS_OVER_A_BAD_NETWORK)
            print("== a proxy that cuts connections", flush=True)
            with CuttingProxy((network.ADDRESS, PROXY_PORT), (DAEMON_ADDRESS, PORT)) as proxy:
                access = daemon.access(f"{network.ADDRESS}:{PROXY_PORT}")
                come_through(Machine(other, rtactl, access), followers, LocalControl(rtactl, daemon), daemon.directory)
            print(f"    {network.packets} packets, of which {network.overtaken} were overtaken; "
                  f"{proxy.connections} connections, of which {proxy.cuts} were cut")
            if network.overtaken == 0 or proxy.cuts == 0:
                sys.exit("nothing was overtaken, or nothing was cut")


if __name__ == "__main__":
    main(*sys.argv[1:])
