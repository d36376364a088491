# SPDX-License-Identifier: MIT
"""For the tests: a real rtad, a proxy that breaks connections, a scripted daemon, and certificates."""
from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import queue
import re
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import unittest

from rta.frames import Decoder, encode
from rta.v1 import control_pb2 as pb

RTAD = os.environ["RTAD"]
PATIENCE_S = 120.0

CHAIN = {
    "nodes": [{"name": "osc", "type": "sine", "parameters": {"frequency_hz": 440}},
              {"name": "vol", "type": "gain", "parameters": {"gain_db": -12}},
              {"name": "out", "type": "output", "settings": {"channels": 2}}],
    "connections": [{"from": "osc", "to": "vol"}, {"from": "vol", "to": "out"}],
}


class Daemon:
    """A running rtad. Its TCP address stays the same through restarts."""

    def __init__(self, *arguments: str, listen: str = "127.0.0.1:0") -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="rta-python-")
        self.socket = f"{self.directory.name}/control.sock"
        self.port = 0
        self._listen, self._arguments = listen, arguments
        self.output: list[str] = []
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        listen = re.sub(":0$", f":{self.port}", self._listen)
        self._process = subprocess.Popen(
            [RTAD, "--device", "null", "--listen", listen, "--socket", self.socket,
             "--state-dir", f"{self.directory.name}/state", *self._arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._reader.start()
        while True:
            line = lines.get(timeout=PATIENCE_S)
            if not line:
                raise AssertionError("rtad did not start: " + "".join(self.output))
            if found := re.search(r"listening on (?:tls://)?127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                return

    def _read(self, lines: queue.Queue[str]) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.output.append(line)
            lines.put(line)
        lines.put("")

    def stop(self) -> None:
        self._process.terminate()
        status = self._process.wait(PATIENCE_S)
        self._reader.join()
        if self._process.stdout:
            self._process.stdout.close()
        if status:
            raise AssertionError(f"rtad exited with status {status}: " + "".join(self.output))

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._reader.join()
        if self._process.stdout:
            self._process.stdout.close()

    def close(self) -> None:
        self.stop()
        self.directory.cleanup()


class Proxy:
    """Forwards connections to a port. cut() ends those that exist; hold() stops forwarding without ending them."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.target_port, self._context = port, context
        self.port = 0
        self.connections = 0
        self.cut_after_bytes: int | None = None  # towards the client, of the connections that exist and of new ones
        self._held = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, *, reset: bool = False) -> None:
        for writer in self._writers:
            if reset:
                now = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
            with contextlib.suppress(AttributeError):  # Python 3.11: a TLS transport that was closed already
                writer.transport.abort()
        self._writers.clear()

    def hold(self) -> None:
        self._held.set()
        self._held = asyncio.Event()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, inner_writer}
        held = self._held
        for source, target, is_down in ((reader, inner_writer, False), (inner_reader, writer, True)):
            task = asyncio.create_task(self._forward(source, target, is_down, held))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, is_down: bool,
                       held: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(4096):
                if held.is_set():
                    continue
                if is_down and self.cut_after_bytes is not None:
                    target.write(data[:self.cut_after_bytes])
                    self.cut_after_bytes -= len(data)
                    if self.cut_after_bytes <= 0:
                        await target.drain()
                        self.cut_after_bytes = None
                        self.cut()
                        return
                else:
                    target.write(data)
                await target.drain()
        target.close()


class FakeDaemon:
    """A server that accepts Hello, and then lets the test answer."""

    def __init__(self, serve=None, greet: bool = True) -> None:
        self._serve, self._greet = serve, greet
        self.address = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> FakeDaemon:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._tasks.add(asyncio.current_task())
            peer = Peer(reader, writer)
            try:
                if self._greet:
                    hello = await peer.request()
                    await peer.respond(hello, hello=pb.HelloResult(protocol_version=1, instance_id="fake"))
                if self._serve:
                    await self._serve(peer)
            except (OSError, EOFError):
                pass
            finally:
                writer.close()
        self._server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.address = "127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Peer:
    """A connection of the fake daemon."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._decoder = Decoder()
        self._requests: list[pb.Request] = []

    async def request(self) -> pb.Request:
        while not self._requests:
            data = await self.reader.read(65536)
            if not data:
                raise EOFError
            self._requests += map(pb.Request.FromString, self._decoder.feed(data))
        return self._requests.pop(0)

    async def respond(self, request: pb.Request, **fields: object) -> None:
        await self.send(pb.ServerMessage(response=pb.Response(id=request.id, **fields)))

    async def send(self, message: pb.ServerMessage) -> None:
        self.writer.write(encode(message.SerializeToString()))
        await self.writer.drain()


class Certificates:
    """A CA, and certificates of localhost, created with openssl."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="rta-python-tls-")
        self.root = pathlib.Path(self._directory.name)
        self.ca = self.root / "ca.pem"
        self._openssl("req", "-x509", "-subj", "/CN=test CA", *self._new("ca"))

    def close(self) -> None:
        self._directory.cleanup()

    def server(self, name: str, host: str = "localhost", days: int = 30) -> ssl.SSLContext:
        """Returns a context with a new certificate. It is signed by the CA."""
        self._openssl("req", "-x509", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-CA", "ca.pem",
                      "-CAkey", "ca.key", "-days", str(days), *self._new(name))
        return self._context(name)

    def expired_server(self, name: str) -> ssl.SSLContext:
        (self.root / "ca.conf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\npolicy=p\n"
                                           "default_md=sha256\ncopy_extensions=copy\n[p]\ncommonName=supplied\n")
        (self.root / "index.txt").touch()
        (self.root / "serial").write_text("01\n")
        self._openssl("req", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", *self._new(name))
        self._openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile",
                      "ca.key", "-in", f"{name}.pem", "-out", f"{name}.pem.new", "-startdate", "20200101000000Z",
                      "-enddate", "20200102000000Z")
        (self.root / f"{name}.pem.new").rename(self.root / f"{name}.pem")
        return self._context(name)

    def fingerprint(self, name: str) -> str:
        """Returns the fingerprint as openssl and base64 compute it."""
        der = self._openssl("x509", "-in", f"{name}.pem", "-outform", "DER")
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der, check=True, stdout=subprocess.PIPE)
        text = subprocess.run(["base64"], input=digest.stdout, check=True, stdout=subprocess.PIPE).stdout
        return "SHA256:" + text.decode().strip().rstrip("=")

    def _context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.root / f"{name}.pem", self.root / f"{name}.key")
        return context

    def _new(self, name: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.pem"]

    def _openssl(self, *arguments: str) -> bytes:
        return subprocess.run(["openssl", *arguments], cwd=self.root, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE).stdout


class DaemonCase(unittest.IsolatedAsyncioTestCase):
    """Tests that share one rtad, which has no graph at the start of each."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = Daemon()
        cls.addClassCleanup(cls.daemon.close)

    async def asyncSetUp(self) -> None:
        import rta
        async with rta.connect(self.daemon.address) as client:
            await client.load({})
            await client.mute(False)
            await client.volume(0)
