# SPDX-License-Identifier: MIT
"""Talks to rtad over TLS with Python's ssl and protobuf, which share no code with the project's own clients.

    tls_session.py RTAD PROTO_DIR
"""
import hashlib
import base64
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 60


def require(condition, promise):
    if not condition:
        sys.exit(f"broken: {promise}")


def start(rtad, directory):
    """Returns the process, its port, its fingerprint, and a token."""
    token = subprocess.run([rtad, "token", "new", "--role", "control", "--state-dir", f"{directory}/state", "python"],
                           check=True, capture_output=True, text=True).stdout.strip()
    daemon = subprocess.Popen(
        [rtad, "--device", "null", "--socket", f"{directory}/s", "--listen", "tls://127.0.0.1:0", "--state-dir",
         f"{directory}/state"], stderr=subprocess.PIPE, text=True)
    port = fingerprint = None
    for line in daemon.stderr:
        print(line, end="")
        if "with TLS; certificate " in line:
            port = int(line.split("127.0.0.1:")[1].split()[0])
            fingerprint = line.split()[-1]
        if "device: null" in line:
            return daemon, port, fingerprint, token
    sys.exit("rtad did not start")


def exchange(stream, pb, rtad, request):
    payload = request.SerializeToString()
    stream.sendall(rtad.encode_varint(len(payload)) + payload)
    buffer = b""
    while True:
        length = rtad.decode_varint(buffer)
        if length and len(buffer) >= sum(length):
            return pb.ServerMessage.FromString(buffer[length[1]:sum(length)]).response
        received = stream.recv(65536)
        require(received, "a response arrives")
        buffer += received


def verified_session(port, fingerprint, token, directory, pb, rtad):
    """The certificate that rtad has created is valid for the host, and the protocol works."""
    context = ssl.create_default_context(cafile=f"{directory}/state/tls/certificate.pem")
    for host in ("127.0.0.1", "localhost"):
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain:
            with context.wrap_socket(plain, server_hostname=host) as stream:
                require(stream.version() == "TLSv1.3", "TLS 1.3")
                digest = hashlib.sha256(stream.getpeercert(True)).digest()
                shown = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
                require(shown == fingerprint, f"the fingerprint is {fingerprint}, not {shown}")
                request = pb.Request(id=1)
                request.hello.protocol_version = 1
                request.hello.client_name = "python"
                request.hello.token = token
                require(exchange(stream, pb, rtad, request).status.code == pb.OK, "Hello is accepted")
                request = pb.Request(id=2)
                request.get_status.SetInParent()
                status = exchange(stream, pb, rtad, request)
                require(status.get_status.tls_fingerprint == fingerprint, "the status shows the fingerprint")
                require(not stream.session_reused, "no resumption")
                request = pb.Request(id=3)
                request.check_graph.document = " " * (4 * 1024 * 1024 - 100)
                require(exchange(stream, pb, rtad, request).id == 3, "a message of the maximum size is answered")
                stream.unwrap()  # raises an exception unless rtad answers close_notify
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain:
            context.wrap_socket(plain, server_hostname="studio.example").close()
        sys.exit("broken: another host is refused")
    except ssl.SSLCertVerificationError as error:
        print("another host:", error.verify_message)


def refused(port, adjust):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    adjust(context)
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain:
            context.wrap_socket(plain).close()
    except ssl.SSLError as error:
        print("refused:", error.reason)
        return
    sys.exit("broken: an old version of TLS is refused")


def tls_1_2(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2


class RecordedStream:
    """A TLS stream that keeps the bytes that it sends to the network, one entry for each time that it then waits."""

    def __init__(self, port, context):
        self._plain = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="127.0.0.1")
        self.flights = []
        self._run(self._tls.do_handshake)

    def sendall(self, data):
        self._run(self._tls.write, data)

    def recv(self, size):
        return self._run(self._tls.read, size)

    def close(self):
        self._plain.close()

    def _run(self, operation, *arguments):
        while True:
            try:
                result = operation(*arguments)
                self._send()
                return result
            except ssl.SSLWantReadError:
                self._send()
                received = self._plain.recv(65536)
                require(received, "the recorded session is not cut")
                self._incoming.write(received)

    def _send(self):
        if self._outgoing.pending:
            self.flights.append(self._outgoing.read())
            self._plain.sendall(self.flights[-1])


def replayed_bytes_change_nothing(port, token, directory, pb, rtad):
    """A recording of the network is worth nothing."""
    context = ssl.create_default_context(cafile=f"{directory}/state/tls/certificate.pem")

    def session(*requests):
        stream = RecordedStream(port, context)
        hello = pb.Request(id=1)
        hello.hello.protocol_version = 1
        hello.hello.token = token
        answers = [exchange(stream, pb, rtad, request) for request in (hello, *requests)]
        stream.close()
        return stream.flights, answers[-1]

    def mute(muted):
        request = pb.Request(id=2)
        request.mute_output.muted = muted
        return session(request)

    flights, answer = mute(True)
    require(answer.status.code == pb.OK, "the recorded request is accepted")
    mute(False)
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain:
        plain.sendall(flights[0])
        require(plain.recv(65536), "the first bytes of a handshake are answered")
        try:
            plain.sendall(b"".join(flights[1:]))
            while plain.recv(65536):
                pass
        except (ConnectionResetError, BrokenPipeError):
            pass
    status = pb.Request(id=2)
    status.get_status.SetInParent()
    require(not session(status)[1].get_status.engine.output_muted, "replayed bytes change nothing")


def plain_bytes_are_not_answered(port):
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain:
        plain.sendall(b"PUT / HTTP/1.1\r\nHost: studio\r\nContent-Length: 100000\r\n\r\n")
        received = b""
        try:
            while part := plain.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        # At most an alert of TLS.
        require(len(received) <= 7, f"plain bytes are not answered: {received}")


def main(rtad_program, proto_directory):
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["protoc", "-I", proto_directory, f"--python_out={directory}", "rta/v1/graph.proto",
                        "rta/v1/control.proto"], check=True)
        sys.path[:0] = [directory, str(HERE / "python")]
        import rtad
        from rta.v1 import control_pb2 as pb
        daemon, port, fingerprint, token = start(rtad_program, directory)
        try:
            verified_session(port, fingerprint, token, directory, pb, rtad)
            refused(port, tls_1_2)
            plain_bytes_are_not_answered(port)
            replayed_bytes_change_nothing(port, token, directory, pb, rtad)
            verified_session(port, fingerprint, token, directory, pb, rtad)
        finally:
            daemon.terminate()
            daemon.stderr.read()
            status = daemon.wait(PATIENCE_S)
        require(status == 0, f"rtad exited with status {status}")


if __name__ == "__main__":
    main(*sys.argv[1:])
