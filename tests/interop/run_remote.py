# SPDX-License-Identifier: MIT
"""Runs clients in another network namespace than rtad's, over veth, TLS and a token: first over a clean network, then over
one that drops 2 % of the packets in both directions.

    run_remote.py RTAD RTACTL PROGRAM [-- PROGRAM]...     runs each PROGRAM HOST PORT, which mirrors the graph

Needs root, or unprivileged user namespaces: it enters namespaces of its own first.
"""
import contextlib
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading

PATIENCE_S = 120
DAEMON_ADDRESS, CLIENT_ADDRESS, PORT = "10.77.0.1", "10.77.0.2", 7340
EDITS = 120
DROP_RULES = """
table inet lossy {
    chain input { type filter hook input priority 0; iifname "rtad0" numgen random mod 100 < 2 drop; }
    chain output { type filter hook output priority 0; oifname "rtad0" numgen random mod 100 < 2 drop; }
}
"""


def enter_namespaces():
    """Starts this program again in new namespaces, in which it is root."""
    if "RTAD_TEST_IN_NAMESPACE" in os.environ:
        return
    os.environ["RTAD_TEST_IN_NAMESPACE"] = "1"
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    os.execvp("unshare", ["unshare", *user, "--net", "--fork", "--kill-child", sys.executable, "-B", *sys.argv])


@contextlib.contextmanager
def client_machine():
    """Yields the prefix of commands that run on the other machine."""
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec sleep infinity"], stdout=subprocess.PIPE) as holder:
        try:
            holder.stdout.readline()
            inside = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
            for prefix, command in (
                    ([], "link set lo up"),
                    ([], f"link add rtad0 type veth peer name client0 netns {holder.pid}"),
                    ([], f"address add {DAEMON_ADDRESS}/24 dev rtad0"),
                    ([], "link set rtad0 up"),
                    (inside, "link set lo up"),
                    (inside, f"address add {CLIENT_ADDRESS}/24 dev client0"),
                    (inside, "link set client0 up")):
                subprocess.run([*prefix, "ip", *command.split()], check=True)
            yield inside
        finally:
            holder.kill()


@contextlib.contextmanager
def running_daemon(rtad, directory):
    """Yields the token and the fingerprint of a daemon that other machines can reach."""
    state = f"{directory}/state"
    token = subprocess.run([rtad, "token", "new", "--role", "control", "--state-dir", state, "studio"], check=True,
                           capture_output=True, text=True).stdout.strip()
    daemon = subprocess.Popen([rtad, "--device", "null", "--socket", f"{directory}/control.sock", "--state-dir", state,
                               "--listen", f"{DAEMON_ADDRESS}:{PORT}"], stderr=subprocess.PIPE, text=True)
    try:
        fingerprint = None
        for line in daemon.stderr:
            print(line, end="")
            if found := re.search(r"SHA256:[A-Za-z0-9+/]{43}", line):
                fingerprint = found.group()
            if "device: null" in line:
                break
        if fingerprint is None:
            sys.exit("rtad did not start with TLS")
        threading.Thread(target=daemon.stderr.read, daemon=True).start()
        yield token, fingerprint
    finally:
        daemon.terminate()
        status = daemon.wait(PATIENCE_S)
    if status != 0:
        sys.exit(f"rtad exited with status {status}")


class Machine:
    """The other machine, with rtactl and the followers."""

    def __init__(self, inside, rtactl, directory, token, fingerprint):
        self.inside, self.rtactl, self.fingerprint = inside, rtactl, fingerprint
        self.token_file = pathlib.Path(directory) / "studio.token"
        self.token_file.touch(mode=0o600)
        self.token_file.write_text(token + "\n")
        self.environment = dict(os.environ, RTAD_TOKEN=token, XDG_CONFIG_HOME=directory, PYTHONDONTWRITEBYTECODE="1")

    def ctl(self, *arguments, token=True, text=""):
        access = ["--token-file", str(self.token_file)] if token else []
        return subprocess.run([*self.inside, self.rtactl, "--host", f"{DAEMON_ADDRESS}:{PORT}", "--tls-fingerprint", self.fingerprint,
                               *access, *arguments], input=text, capture_output=True, text=True, env=self.environment,
                              timeout=PATIENCE_S)

    def expect(self, status, part, *arguments, **options):
        result = self.ctl(*arguments, **options)
        if result.returncode != status or part not in result.stdout + result.stderr:
            sys.exit(f"rtactl {arguments}: status {result.returncode}, expected {status} and {part!r}:\n{result.stdout}{result.stderr}")

    def follow(self, program):
        """Runs a program that mirrors the graph, while rtactl edits it."""
        command = [*self.inside, *program, DAEMON_ADDRESS, str(PORT)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.environment) as follower:
            try:
                for line in follower.stdout:
                    print(line, end="")
                    if line == "following\n":
                        break
                else:
                    sys.exit(f"{program} does not follow the graph")
                self.expect(0, "", "shell", text=random_edits())
                rest, _ = follower.communicate(timeout=PATIENCE_S)
                print(rest, end="")
            finally:
                follower.kill()
        if follower.returncode != 0 or "the mirror equals the graph" not in rest:
            sys.exit(f"{program} exited with status {follower.returncode}")


def random_edits():
    """Returns lines for `rtactl shell`."""
    chance = random.Random(1)
    lines, present = [], []
    for number in range(EDITS):
        present.append(f"extra_{number}")
        lines += [f"add gain {present[-1]} gain_db={-chance.randrange(60)}", f"connect osc {present[-1]}"]
        if chance.random() < 0.2:
            lines.append(f"remove {present.pop(chance.randrange(len(present)))}")
        else:
            lines.append(f"set osc.frequency_hz={chance.randrange(100, 900)}")
    return "\n".join([*lines, "add gain the_end", ""])


def use(machine, programs):
    machine.expect(4, "access token", "list", token=False)
    machine.expect(4, "needs the role admin", "device", "set", "null")
    machine.expect(3, "fingerprint", "--tls-fingerprint", "SHA256:" + "A" * 43, "list")
    machine.expect(0, "playing sine", "play", "sine", "gain")
    machine.expect(0, "\"levels\"", "--json", "meter", "--count", "1")
    for program in programs:
        machine.expect(0, "", "graph", "clear")
        machine.follow(program)


def main(rtad, rtactl, *words):
    enter_namespaces()
    programs = [[]]
    for word in words:
        programs.append([]) if word == "--" else programs[-1].append(word)
    with client_machine() as inside:
        for network in "clean", "lossy":
            print(f"== a {network} network", flush=True)
            if network == "lossy":
                subprocess.run(["nft", "-f", "-"], input=DROP_RULES, text=True, check=True)
            with tempfile.TemporaryDirectory() as directory, running_daemon(rtad, directory) as (token, fingerprint):
                use(Machine(inside, rtactl, directory, token, fingerprint), programs)


if __name__ == "__main__":
    main(*sys.argv[1:])
