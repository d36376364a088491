# SPDX-License-Identifier: MIT
"""Starts rtad and runs PROGRAM, which mirrors the graph while another client edits it at random.

    run_interop.py RTAD PROTO_DIR PROGRAM...      runs PROGRAM... with the address of the daemon in RTACTL_HOST
"""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_listens(daemon, port):
    deadline = time.monotonic() + PATIENCE_S
    while daemon.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.01)
    sys.exit("rtad did not start")


def follow_and_edit(program, port, environment):
    address = ["127.0.0.1", str(port)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment) as follower:
        try:
            for line in follower.stdout:
                print(line, end="")
                if line == "following\n":
                    break
            editor = [sys.executable, str(HERE / "edit_at_random.py"), *address, "1", "400"]
            subprocess.run(editor, check=True, env=environment, timeout=PATIENCE_S)
            rest, _ = follower.communicate(timeout=PATIENCE_S)
            print(rest, end="")
        finally:
            follower.kill()
    if follower.returncode != 0:
        sys.exit(f"{program} exited with status {follower.returncode}")
    if "the mirror equals the graph" not in rest:
        sys.exit("the mirror was not compared")


def main(rtad, proto_directory, *program):
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["protoc", "-I", proto_directory, f"--python_out={directory}", "rta/v1/graph.proto",
                        "rta/v1/control.proto"], check=True)
        port = free_port()
        environment = dict(os.environ, PYTHONPATH=f"{directory}:{HERE / 'python'}", PYTHONDONTWRITEBYTECODE="1",
                           RTACTL_HOST=f"127.0.0.1:{port}", RTACTL_TOKEN_FILE="")
        arguments = ["--device", "null", "--socket", f"{directory}/control.sock", "--listen", f"127.0.0.1:{port}"]
        daemon = subprocess.Popen([rtad, *arguments])
        try:
            wait_until_it_listens(daemon, port)
            follow_and_edit(list(program), port, environment)
        finally:
            daemon.terminate()
            status = daemon.wait(PATIENCE_S)
    if status != 0:
        sys.exit(f"rtad exited with status {status}")


if __name__ == "__main__":
    main(*sys.argv[1:])
