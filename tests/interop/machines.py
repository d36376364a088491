# SPDX-License-Identifier: MIT
"""Two machines, which are network namespaces: rtad runs on this one, clients on the other. Needs root, or unprivileged user
namespaces."""
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

PATIENCE_S = 120
DAEMON_ADDRESS, CLIENT_ADDRESS, PORT = "10.77.0.1", "10.77.0.2", 7340
# Of rtactl and the libraries. Those of the session must not matter.
_VARIABLES = ("RTACTL_HOST", "RTACTL_TOKEN_FILE", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY")


def enter_namespaces():
    """Starts this program again in new namespaces, in which it is root."""
    if "RTAD_TEST_IN_NAMESPACE" in os.environ:
        return
    os.environ["RTAD_TEST_IN_NAMESPACE"] = "1"
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    os.execvp("unshare", ["unshare", *user, "--net", "--fork", "--kill-child", sys.executable, "-B", *sys.argv])


class ClientMachine:
    """The other machine. `inside` is the prefix of commands that run there."""

    def __init__(self, process_id):
        self.process_id = process_id
        self.inside = ["nsenter", f"--net=/proc/{process_id}/ns/net"]


@contextlib.contextmanager
def client_machine():
    """Yields the other machine, connected by a pair of Ethernet devices."""
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec sleep infinity"], stdout=subprocess.PIPE) as holder:
        try:
            holder.stdout.readline()
            other = ClientMachine(holder.pid)
            for prefix, command in (
                    ([], "link set lo up"),
                    ([], f"link add rtad0 type veth peer name client0 netns {holder.pid}"),
                    ([], f"address add {DAEMON_ADDRESS}/24 dev rtad0"),
                    ([], "link set rtad0 up"),
                    (other.inside, "link set lo up"),
                    (other.inside, f"address add {CLIENT_ADDRESS}/24 dev client0"),
                    (other.inside, "link set client0 up")):
                subprocess.run([*prefix, "ip", *command.split()], check=True)
            yield other
        finally:
            holder.kill()


class Access:
    """What a client has to know: in the environment of its program, or as options of rtactl."""

    def __init__(self, directory, token, fingerprint, host):
        self.directory, self.fingerprint, self.host = pathlib.Path(directory), fingerprint, host
        self.token_file = self._file("studio.token", token)

    def environment(self, *, token=True, fingerprint=None):
        """Returns the variables for a daemon whose certificate is known."""
        known = self._file(f"config{len(list(self.directory.iterdir()))}/rtactl/known_hosts",
                           f"{self.host} {fingerprint or self.fingerprint}")
        variables = {name: value for name, value in os.environ.items() if name not in _VARIABLES}
        variables |= {"RTACTL_HOST": self.host, "XDG_CONFIG_HOME": str(known.parents[1]), "PYTHONUNBUFFERED": "1",
                      "PYTHONDONTWRITEBYTECODE": "1"}
        return variables | ({"RTACTL_TOKEN_FILE": str(self.token_file)} if token else {})

    def _file(self, name, line):
        file = self.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(line + "\n")
        return file


class Daemon:
    """An rtad on this machine that other machines can reach."""

    def __init__(self, rtad, directory):
        self.directory, self.socket, state = directory, f"{directory}/control.sock", f"{directory}/state"
        self.token = subprocess.run([rtad, "token", "new", "--role", "control", "--state-dir", state, "studio"], check=True,
                                    capture_output=True, text=True).stdout.strip()
        self._process = subprocess.Popen([rtad, "--device", "null", "--socket", self.socket, "--state-dir", state, "--listen",
                                          f"0.0.0.0:{PORT}"], stderr=subprocess.PIPE, text=True)
        self.fingerprint, self.log = None, []
        for line in self._process.stderr:
            self.log.append(line)
            if found := re.search(r"SHA256:[A-Za-z0-9+/]{43}", line):
                self.fingerprint = found.group()
            if "device: null" in line:
                break
        if self.fingerprint is None:
            sys.exit("rtad did not start with TLS:\n" + "".join(self.log))
        threading.Thread(target=lambda: self.log.extend(self._process.stderr), daemon=True).start()

    def access(self, host=f"{DAEMON_ADDRESS}:{PORT}"):
        """Returns what a client needs that reaches this daemon at `host`."""
        return Access(tempfile.mkdtemp(dir=self.directory), self.token, self.fingerprint, host)

    def end(self):
        self._process.terminate()
        if (status := self._process.wait(PATIENCE_S)) != 0:
            sys.exit(f"rtad exited with status {status}:\n" + "".join(self.log))


@contextlib.contextmanager
def running_daemon(rtad):
    with tempfile.TemporaryDirectory(prefix="rta") as directory:
        daemon = Daemon(rtad, directory)
        try:
            yield daemon
        finally:
            daemon.end()


def commands_of(words):
    """Returns the commands in a list of words, which -- separates."""
    commands = [[]]
    for word in words:
        commands.append([]) if word == "--" else commands[-1].append(word)
    return commands
