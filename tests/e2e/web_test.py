# SPDX-License-Identifier: MIT
"""Talks to `rtad --web` with raw sockets, as browsers, proxies and attackers do.

    web_test.py RTAD PROTO_DIR
"""
import base64
import gzip
import hashlib
import os
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from prometheus_client.openmetrics.parser import text_string_to_metric_families

PATIENCE_S = 60
RTAD = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


class Response:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def __getitem__(self, name):
        return self.fields[name.lower()]


class Http:
    """One connection. Reads exactly one response at a time, and fails if its head is malformed."""

    def __init__(self, daemon, context=None, name="localhost"):
        self.socket = socket.create_connection(("127.0.0.1", daemon.web_port), PATIENCE_S)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        self.host = f"{name}:{daemon.web_port}"
        self.origin = ("https://" if context else "http://") + self.host
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # rtad may have refused the beginning already

    def request(self, target, method="GET", version="HTTP/1.1", host=None, **fields):
        lines = [f"{method} {target} {version}"]
        if host != "":
            lines.append(f"Host: {host or self.host}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    def receive(self, size):
        """Returns at least so many bytes unless the connection ends."""
        while len(self.buffer) < size:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return False
            self.buffer += data
        return True

    def take(self, size):
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def response(self, body=True):
        """Returns the next response; None if the connection ends instead."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.receive(len(self.buffer) + 1):
                assert not self.buffer, self.buffer
                return None
        head = self.take(self.buffer.index(b"\r\n\r\n") + 4).decode("latin-1")
        first, *lines = head.split("\r\n")[:-2]
        assert first.startswith("HTTP/1.1 "), first
        fields = {}
        for line in lines:
            name, value = line.split(": ", 1)
            assert name.lower() not in fields, head
            fields[name.lower()] = value
        size = int(fields.get("content-length", 0)) if body else 0
        assert self.receive(size)
        return Response(int(first.split()[1]), fields, self.take(size))

    def ended(self):
        """Whether rtad closes the connection without another byte."""
        return not self.receive(1)

    def get(self, target, **fields):
        self.request(target, **fields)
        return self.response(body=fields.get("method") != "HEAD")

    def upgrade(self, key=None, **fields):
        key = key or base64.b64encode(os.urandom(16)).decode()
        fields = {"Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec_WebSocket_Version": "13",
                  "Sec_WebSocket_Key": key, "Origin": self.origin, **fields}
        return self.get("/socket", **{name: value for name, value in fields.items() if value is not None}), key


class WebSocket(Http):
    """A WebSocket client of its own, in which a test can break every rule."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        response, key = self.upgrade()
        accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        assert response.status == 101 and response["Sec-WebSocket-Accept"] == accept, vars(response)
        assert "sec-websocket-extensions" not in response.fields
        self.request_id = 0
        self.events = []

    def frame(self, payload, opcode=2, final=True, masked=True, reserved=0, length=None):
        size = len(payload) if length is None else length
        mask = os.urandom(4)
        head = bytes([final << 7 | reserved << 4 | opcode])
        if size < 126:
            head += bytes([masked << 7 | size])
        elif size < 65536:
            head += bytes([masked << 7 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([masked << 7 | 127]) + struct.pack(">Q", size)
        if not masked:
            return head + payload
        repeated = (mask * (len(payload) // 4 + 1))[:len(payload)]
        return head + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")

    def send_frame(self, *arguments, **named):
        self.send(self.frame(*arguments, **named))

    def receive_frame(self):
        """Returns opcode and payload of the next frame, None after the end."""
        if not self.receive(2):
            return None
        first, second = self.take(2)
        assert first & 0xF0 == 0x80 and second < 128, (first, second)
        size = second
        if second > 125:
            count = 2 if second == 126 else 8
            assert self.receive(count)
            size = int.from_bytes(self.take(count), "big")
        assert self.receive(size)
        return first & 0xF, self.take(size)

    def call(self, kind, **fields):
        """Sends a request and returns its response."""
        self.request_id += 1
        request = PB.Request(id=self.request_id)
        message = getattr(request, kind)
        message.SetInParent()
        for name, value in fields.items():
            if isinstance(value, list):
                getattr(message, name).extend(value)
            else:
                setattr(message, name, value)
        self.send_frame(request.SerializeToString())
        return self.next_response()

    def next_response(self):
        while True:
            frame = self.receive_frame()
            assert frame is not None and frame[0] == 2, frame
            message = PB.ServerMessage.FromString(frame[1])
            if message.HasField("response"):
                return message.response
            self.events.append(message.event)

    def hello(self, token=""):
        return self.call("hello", protocol_version=1, client_name="web", token=token)

    def close_code(self):
        """Returns the status code of the close frame, after which the connection must end."""
        while True:
            frame = self.receive_frame()
            assert frame is not None, "the connection has ended without a close frame"
            if frame[0] == 8:
                break
        assert self.ended()
        return struct.unpack(">H", frame[1][:2])[0] if frame[1] else None


class Daemon:
    def __init__(self, directory, *arguments, web="127.0.0.1:0", page=True):
        self.directory = pathlib.Path(directory)
        root = ["--web-root", str(self.directory / "page")] if page else ["--web-root", str(self.directory / "none")]
        self.process = subprocess.Popen(
            [RTAD, "--device", "null", "--socket", f"{directory}/s", "--listen", "127.0.0.1:0", "--web", web, *root,
             *arguments], stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.url = self.wait_for("serving http").split("serving ")[1].split("; ")[0].split("/ ")[0].strip()
        self.web_port = int(self.url.rstrip("/").rsplit(":", 1)[1])
        self.tcp_port = int(next(line for line in self.lines if "listening on 127.0.0.1:" in line)
                            .split("listening on 127.0.0.1:")[1].split()[0])
        self.wait_for("device: null")

    def wait_for(self, words):
        """Returns the next line of the log with these words."""
        for line in self.process.stderr:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"no line has {words!r}: {''.join(self.lines)}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, "".join(self.lines) + rest


PAGE = {"index.html": b"<!doctype html><title>rtad</title>" * 100, "main.js": b"export const answer = 42;\n" * 200,
        "engine.wasm": b"\0asm\1\0\0\0", "theme.css": b"body{}", "data/one.json": b"{}", "odd name.txt": b"odd",
        "large.bin": bytes(range(256)) * 4096, ".hidden": b"secret", "data/index.html": b"data"}


def write_page(directory):
    for name, text in PAGE.items():
        file = directory / "page" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    (directory / "page/main.js.gz").write_bytes(gzip.compress(PAGE["main.js"]))
    (directory / "secret.txt").write_bytes(b"secret")
    (directory / "page/link.txt").symlink_to(directory / "secret.txt")


class Case(unittest.TestCase):
    arguments = []
    web = "127.0.0.1:0"
    page = True

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.directory = pathlib.Path(cls.folder.name)
        write_page(cls.directory)
        cls.prepare()
        cls.daemon = Daemon(cls.directory, *cls.arguments, web=cls.web, page=cls.page)

    @classmethod
    def prepare(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        try:
            cls.daemon.stop()
        finally:
            cls.folder.cleanup()

    def http(self):
        connection = Http(self.daemon)
        self.addCleanup(connection.socket.close)
        return connection

    def websocket(self):
        connection = WebSocket(self.daemon)
        self.addCleanup(connection.socket.close)
        return connection

    def refused(self, data, *statuses):
        """rtad must answer these bytes with one refusal and then close the connection, or close it immediately."""
        with Http(self.daemon) as http:
            http.send(data if isinstance(data, bytes) else data.replace("@", http.host).encode("latin-1"))
            response = http.response()
            self.assertIsNotNone(response, data[:100])
            self.assertIn(response.status, statuses, (data[:100], response.body))
            self.assertTrue(response["Content-Type"].startswith("text/plain"))
            self.assertTrue(response.body.endswith(b"\n"))
            self.assertEqual(response["Content-Security-Policy"], "default-src 'none'; frame-ancestors 'none'")
            self.assertTrue(http.ended(), "a second answer")
            return response


class Page(Case):
    def test_files_types_and_headers(self):
        http = self.http()
        types = {"/": "text/html; charset=utf-8", "/index.html": "text/html; charset=utf-8",
                 "/main.js": "text/javascript; charset=utf-8", "/engine.wasm": "application/wasm",
                 "/theme.css": "text/css; charset=utf-8", "/data/one.json": "application/json",
                 "/large.bin": "application/octet-stream", "/odd%20name.txt": "text/plain; charset=utf-8",
                 "/data/": "text/html; charset=utf-8", "/main.js?v=1": "text/javascript; charset=utf-8"}
        for target, kind in types.items():
            response = http.get(target)
            self.assertEqual((response.status, response["Content-Type"]), (200, kind), target)
            name = target[1:].split("?")[0].replace("%20", " ")
            self.assertEqual(response.body, PAGE[name + "index.html" if not name or name.endswith("/") else name])
            self.assertEqual(response["X-Content-Type-Options"], "nosniff")
            self.assertEqual(response["Referrer-Policy"], "no-referrer")
            self.assertEqual(response["Cross-Origin-Opener-Policy"], "same-origin")
            self.assertEqual(response["Cross-Origin-Embedder-Policy"], "require-corp")
            policy = response["Content-Security-Policy"]
            self.assertIn("script-src 'self' 'wasm-unsafe-eval';", policy)
            self.assertIn(f"connect-src 'self' ws://{http.host};", policy)
            self.assertIn("default-src 'none';", policy)
            self.assertIn("frame-ancestors 'none'", policy)

    def test_head_and_caching(self):
        http = self.http()
        whole = http.get("/main.js")
        self.assertEqual(whole["Cache-Control"], "no-cache")
        head = http.get("/main.js", method="HEAD")
        self.assertEqual(head.fields, whole.fields)
        for tag in (whole["ETag"], f'"x", {whole["ETag"]}', f'W/{whole["ETag"]}', "*"):
            same = http.get("/main.js", If_None_Match=tag)
            self.assertEqual((same.status, same.body, same["ETag"]), (304, b"", whole["ETag"]))
        self.assertEqual(http.get("/main.js", If_None_Match='"other"').status, 200)

    def test_gzip(self):
        http = self.http()
        for accepted in ("gzip", "br, gzip", "deflate , GZIP"):
            packed = http.get("/main.js", Accept_Encoding=accepted)
            self.assertEqual(packed["Content-Encoding"], "gzip")
            self.assertEqual(packed["Content-Type"], "text/javascript; charset=utf-8")
            self.assertEqual(packed["Vary"], "Accept-Encoding")
            self.assertEqual(gzip.decompress(packed.body), PAGE["main.js"])
        plain = http.get("/main.js", Accept_Encoding="br")
        self.assertNotIn("content-encoding", plain.fields)
        self.assertNotEqual(plain["ETag"], packed["ETag"])
        self.assertEqual(http.get("/theme.css", Accept_Encoding="gzip").body, PAGE["theme.css"])

    def test_nothing_but_the_page(self):
        for target in ("/none", "/.hidden", "/link.txt", "/main.js.gz", "/data", "/../secret.txt", "/%2e%2e/secret.txt",
                       "/%2E%2E%2Fsecret.txt", "/data/../../secret.txt", "/..%5csecret.txt", "//etc/passwd", "/etc/passwd",
                       "/data//one.json", "/./main.js", "/data/%2e/one.json", "/main.js/", "/" + "a" * 4000):
            with Http(self.daemon) as http:
                self.assertEqual(http.get(target).status, 404, target)

    def test_metrics_are_those_of_the_daemon(self):
        web = self.websocket()
        web.hello()
        web.call("set_volume", volume_db=-3.5)
        response = self.http().get("/metrics")
        self.assertEqual(response.status, 200)
        self.assertEqual(response["Content-Type"], "application/openmetrics-text; version=1.0.0; charset=utf-8")
        samples = {sample.name: sample.value for family in text_string_to_metric_families(response.body.decode())
                   for sample in family.samples if not sample.labels}
        status = web.call("get_status").get_status
        self.assertEqual(samples["rtad_output_volume_decibels"], -3.5)
        self.assertEqual(samples["rtad_change_number"], status.engine.change_number)
        self.assertGreater(samples["rtad_process_resident_memory_bytes"], 1 << 20)
        self.assertGreaterEqual(samples["rtad_clients"], 1)
        self.assertEqual(self.http().get("/metrics", host="evil.example").status, 403)

    def test_metrics_of_requests_that_come_together_are_rendered_once(self):
        for _ in range(100):  # a busy machine may answer them too late after each other
            http = self.http()
            http.request("/metrics")
            http.request("/metrics")
            if http.response().body == http.response().body:  # they have the time since the start in microseconds
                return
        self.fail("each request renders the metrics")

    def test_a_code_admits_one_browser_whose_session_can_come_back(self):
        web = self.websocket()
        web.hello()
        created = web.call("create_code", role="read").create_code
        self.assertEqual(list(created.urls), [f"{self.daemon.url}#code={created.code}"])
        phone = self.websocket()
        hello = phone.hello(f"code:{created.code}").hello
        self.assertEqual((hello.role, hello.author), ("read", "code of loopback"))
        self.assertEqual(self.websocket().hello(f"code:{created.code}").status.code, PB.UNAUTHENTICATED)
        again = self.websocket().hello(hello.session_token).hello
        self.assertEqual((again.role, again.author, again.session_token), ("read", "code of loopback", ""))

    def test_pipelined_requests_are_answered_in_order(self):
        http = self.http()
        names = ["/main.js", "/theme.css", "/large.bin", "/"] * 10
        for name in names:
            http.request(name)
        for name in names:
            self.assertEqual(http.response().body, PAGE[name[1:] or "index.html"])
        http.request("/theme.css", Connection="close")
        self.assertEqual(http.response()["Connection"], "close")
        self.assertTrue(http.ended())

    def test_any_cut_of_a_request(self):
        http = self.http()
        request = f"GET /theme.css HTTP/1.1\r\nHost: {http.host}\r\nAccept: */*\r\n\r\n".encode()
        for cut in range(1, len(request)):
            http.send(request[:cut])
            http.send(request[cut:])
            self.assertEqual(http.response().body, PAGE["theme.css"])


class BadRequests(Case):
    def test_methods(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X-1", "PRI"):
            with Http(self.daemon) as http:
                response = http.get("/", method=method)
                self.assertEqual((response.status, response["Allow"]), (405, "GET, HEAD"))
                self.assertTrue(http.ended())
        self.refused("OPTIONS * HTTP/1.1\r\nHost: @\r\n\r\n", 405)
        self.refused("CONNECT evil.test:80 HTTP/1.1\r\nHost: @\r\n\r\n", 405)

    def test_targets(self):
        for target in ("http://@/", "https://evil.test/", "//[", "*", "theme.css", "/%zz", "/%", "/%2", "/%00", "/a%0d%0ab",
                       "/#x", "\\"):
            self.refused(f"GET {target} HTTP/1.1\r\nHost: @\r\n\r\n", *((400, 404) if target == "//[" else (400,)))

    def test_malformed_heads(self):
        for head in ("\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET  / HTTP/1.1\r\nHost: @\r\n\r\n",
                     "GET / HTTP/1.1 \r\nHost: @\r\n\r\n", " GET / HTTP/1.1\r\nHost: @\r\n\r\n", "GET / http/1.1\r\nHost: @\r\n\r\n",
                     "GET / HTTP/1.1\nHost: @\n\n", "GET / HTTP/1.1\r\nHost: @\n\r\n", "GET / HTTP/1.1\r\nHost : @\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: @\r\n folded\r\n\r\n", "GET / HTTP/1.1\r\n\tHost: @\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: @\r\nX\r\n\r\n", "GET / HTTP/1.1\r\nHost: @\r\n: x\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: @\r\nX: a\0b\r\n\r\n", "GET / HTTP/1.1\r\nHost: @\r\nX: a\rb\r\n\r\n",
                     "GET /\t HTTP/1.1\r\nHost: @\r\n\r\n", "G\xe9T / HTTP/1.1\r\nHost: @\r\n\r\n",
                     "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: @\r\nHost: @\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: @\r\nhost: evil.test\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: @\r\nOrigin: http://@\r\nOrigin: http://evil.test\r\n\r\n"):
            self.refused(head, 400)
        for version in ("HTTP/1.0", "HTTP/2", "HTTP/2.0", "HTTP/0.9", "HTTP/1.10", "HTTP/"):
            self.refused(f"GET / {version}\r\nHost: @\r\n\r\n", 505)

    def test_smuggling(self):
        second = "GET /theme.css HTTP/1.1\r\nHost: @\r\n\r\n"
        for fields in ("Content-Length: 5", "Content-Length: 0, 5", "Content-Length: +0", "Content-Length: 00",
                       "Content-Length: -1", "Content-Length: 0x0", "Transfer-Encoding: chunked",
                       "Transfer-Encoding: identity", "Transfer-Encoding: \x0bchunked",
                       "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding:\r\n chunked",
                       "Content-Length: 0\r\nContent-Length: 5", "Content-Length: 0\r\nContent-Length: 0",
                       "Expect: 100-continue\r\nContent-Length: 4"):
            self.refused(f"GET / HTTP/1.1\r\nHost: @\r\n{fields}\r\n\r\n{second}", 400, 413)
        http = self.http()
        self.assertEqual(http.get("/", Content_Length="0").status, 200)

    def test_oversize(self):
        self.refused("GET /" + "a" * 20000, 414)
        self.refused("A" * 20000, 414)
        self.refused("GET / HTTP/1.1\r\nX: " + "a" * 20000, 431)
        self.refused("GET / HTTP/1.1\r\nHost: @\r\n" + "X: y\r\n" * 70 + "\r\n", 431)

    def test_host(self):
        port = self.daemon.web_port
        for host in ("evil.test", f"evil.test:{port}", "localhost", f"localhost:{port + 1}", "127.0.0.1", f"127.0.0.2:{port}",
                     f"localhost:{port}.evil.test", f"localhost:{port}@evil.test", f"evil.localhost:{port}",
                     f"localhost.:{port}", f"xlocalhost:{port}", f"localhost:0{port}", f"localhost: {port}", "[", "[::1", ":",
                     f"0.0.0.0:{port}", f"127.1:{port}", f"2130706433:{port}", f"[::ffff:127.0.0.1]:{port}", "\xff"):
            for target in ("/", "/socket", "/main.js"):
                with Http(self.daemon) as http:
                    response = http.get(target, host=host)
                    self.assertEqual(response.status, 403, host)
                    self.assertTrue(http.ended())
        for host in (f"localhost:{port}", f"LOCALHOST:{port}", f"127.0.0.1:{port}", f"[::1]:{port}",
                     f"{socket.gethostname()}:{port}"):
            self.assertEqual(self.http().get("/", host=host).status, 200, host)
        self.assertIn("--web-name", self.refused("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n", 403).body.decode())

    def test_origin(self):
        http = self.http()
        for origin in ("http://evil.test", "null", "https://" + http.host, "http://" + http.host + ".evil.test",
                       "http://" + http.host + "/", "http://user@" + http.host, "HTTP://" + http.host, "http://localhost", "",
                       "http://", "file://", f"http://{http.host} http://evil.test", "ws://" + http.host):
            for target in ("/", "/socket"):
                with Http(self.daemon) as other:
                    self.assertEqual(other.get(target, Origin=origin).status, 403, origin)
                    self.assertTrue(other.ended())
            with Http(self.daemon) as other:
                self.assertEqual(other.upgrade(Origin=origin)[0].status, 403, origin)
        self.assertEqual(http.get("/", Origin=http.origin).status, 200)
        self.assertEqual(http.upgrade(Origin=f"http://127.0.0.1:{self.daemon.web_port}")[0].status, 101)

    def test_requests_of_other_sites(self):
        for origin in ("cross-site", "same-site"):
            with Http(self.daemon) as http:
                response = http.get("/metrics", Sec_Fetch_Site=origin, Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image")
                self.assertEqual(response.status, 403)
        followed = self.http().get("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")
        self.assertEqual(followed.status, 200)

    def test_handshakes(self):
        for fields, status in (({"Origin": None}, 403), ({"Sec_WebSocket_Key": None}, 400), ({"Sec_WebSocket_Key": "x"}, 400),
                               ({"Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAAAA"}, 400),
                               ({"Sec_WebSocket_Key": "!!!!!!!!!!!!!!!!!!!!!!=="}, 400),
                               ({"Sec_WebSocket_Version": "8"}, 426), ({"Sec_WebSocket_Version": None}, 426),
                               ({"Upgrade": "h2c"}, 426), ({"Upgrade": None}, 426), ({"Connection": "keep-alive"}, 426),
                               ({"Connection": None}, 426),
                               ({"Connection": "Upgrade, close"}, 400), ({"method": "HEAD"}, 426), ({"method": "POST"}, 405),
                               ({"version": "HTTP/1.0"}, 505), ({"Content_Length": "3"}, 413)):
            with Http(self.daemon) as http:
                response, _ = http.upgrade(**fields)
                self.assertEqual(response.status, status, fields)
                self.assertTrue(http.ended())
        self.assertEqual(self.http().get("/socket")["Sec-WebSocket-Version"], "13")
        # The example of the RFC.
        response, _ = self.http().upgrade(key="dGhlIHNhbXBsZSBub25jZQ==")
        self.assertEqual(response["Sec-WebSocket-Accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        extended, _ = self.http().upgrade(Sec_WebSocket_Extensions="permessage-deflate", Sec_WebSocket_Protocol="rta")
        self.assertEqual(extended.status, 101)
        self.assertNotIn("sec-websocket-extensions", extended.fields)
        self.assertNotIn("sec-websocket-protocol", extended.fields)

    def test_strangers(self):
        with Http(self.daemon) as http:  # TLS on a plain port
            http.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))
            self.assertTrue(http.ended())
        self.daemon.wait_for("it started TLS, but this address is plain")
        self.refused(b"\x06\x08\x01\x1a\x02\x08\x01\r\n\r\n", 400)  # Hello, as on TCP


class Sockets(Case):
    def test_the_protocol(self):
        web = self.websocket()
        hello = web.hello()
        self.assertEqual(hello.status.code, PB.OK)
        self.assertEqual(hello.hello.role, "control")
        document = '{"nodes": [{"name": "osc", "type": "sine"}]}'
        self.assertEqual(web.call("apply_transaction", document=document).status.code, PB.OK)
        self.assertIn("osc", web.call("get_graph").get_graph.document)
        self.assertEqual(web.call("get_status").get_status.client_count, 1)
        # A client on TCP sees it, under its name.
        with socket.create_connection(("127.0.0.1", self.daemon.tcp_port), PATIENCE_S) as tcp:
            for kind in ("hello", "get_graph"):
                request = PB.Request(id=1)
                getattr(request, kind).SetInParent()
                if kind == "hello":
                    request.hello.protocol_version = 1
                payload = request.SerializeToString()
                tcp.sendall(varint(len(payload)) + payload)
            received = b""
            while b"osc" not in received:
                data = tcp.recv(65536)
                self.assertTrue(data)
                received += data
        # Many messages in one packet, and one message in many.
        status = PB.Request(id=1)
        status.get_status.SetInParent()
        web.send(b"".join(web.frame(status.SerializeToString()) for _ in range(200)))
        for _ in range(200):
            self.assertEqual(web.next_response().id, 1)
        for byte in web.frame(status.SerializeToString()):
            web.send(bytes([byte]))
        self.assertEqual(web.next_response().id, 1)

    def test_sizes(self):
        web = self.websocket()
        web.hello()
        for size in (60, 125, 126, 127, 65535, 65536, 1 << 20, (4 << 20) - 32):
            response = web.call("check_graph", document=" " * size)
            self.assertEqual(response.status.code, PB.INVALID_ARGUMENT, size)
        request = PB.Request(id=9)
        request.check_graph.document = " " * (3 << 20)
        payload = request.SerializeToString()
        for part in (1 << 14, 1 << 17, 1 << 20):  # as Chromium sends large messages
            pieces = [payload[at:at + part] for at in range(0, len(payload), part)]
            for i, piece in enumerate(pieces):
                web.send_frame(piece, opcode=0 if i else 2, final=i + 1 == len(pieces))
                if i % 16 == 2:
                    web.send_frame(b"between", opcode=9)
            pongs = 0
            while True:
                frame = web.receive_frame()
                if frame[0] == 10:
                    pongs += frame[1] == b"between"
                    continue
                self.assertEqual(PB.ServerMessage.FromString(frame[1]).response.id, 9)
                break
            if len(pieces) > 3:
                self.assertGreater(pongs, 0)

    def test_messages_that_are_too_long(self):
        hello = PB.Request(id=1)
        hello.hello.protocol_version = 1
        for fragmented in (False, True):
            # Before Hello, no answer.
            web = self.websocket()
            if fragmented:
                web.send_frame(b"\x08\x01" + b"x" * 3000, final=False)
                web.send_frame(b"x" * 3000, opcode=0, final=False)
            else:
                web.send_frame(b"\x08\x01", length=1 << 40)
            self.assertTrue(web.ended())
            # After it, the reason.
            web = self.websocket()
            web.hello()
            if fragmented:
                web.send_frame(b"x" * (2 << 20), final=False)
                web.send_frame(b"x" * (2 << 20), opcode=0, final=False)
                web.send_frame(b"x" * 100, opcode=0, final=False)
            else:
                web.send_frame(b"x", length=(1 << 63) - 1)
            last = web.next_response()
            self.assertEqual((last.id, last.status.code), (0, PB.INVALID_ARGUMENT))
            self.assertEqual(web.close_code(), 1000)

    def test_hello_comes_first(self):
        status = PB.Request(id=1)
        status.get_status.SetInParent()
        garbage = [b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100, status.SerializeToString()]
        for payload in garbage:
            web = self.websocket()
            web.send_frame(payload)
            self.assertTrue(web.ended(), payload)

    def test_violations(self):
        text = "grüße".encode()
        cases = [
            (dict(payload=b"x", masked=False), 1002), (dict(payload=b"", masked=False), 1002),
            (dict(payload=b"hello", opcode=1), 1003), (dict(payload=b"", opcode=1), 1003),
            (dict(payload=b"x", opcode=0), 1002), (dict(payload=b"x", opcode=3), 1002), (dict(payload=b"x", opcode=7), 1002),
            (dict(payload=b"x", opcode=11), 1002), (dict(payload=b"x", opcode=15), 1002),
            (dict(payload=b"x", reserved=4), 1002), (dict(payload=b"x", reserved=2), 1002), (dict(payload=b"x", reserved=1), 1002),
            (dict(payload=b"x", opcode=9, final=False), 1002), (dict(payload=b"x" * 126, opcode=9), 1002),
            (dict(payload=b"x" * 126, opcode=8), 1002), (dict(payload=b"x", opcode=8), 1002),
            (dict(payload=struct.pack(">H", 999), opcode=8), 1002), (dict(payload=struct.pack(">H", 1005), opcode=8), 1002),
            (dict(payload=struct.pack(">H", 1006), opcode=8), 1002), (dict(payload=struct.pack(">H", 2999), opcode=8), 1002),
            (dict(payload=struct.pack(">H", 5000), opcode=8), 1002),
            (dict(payload=struct.pack(">H", 1000) + text[:-1], opcode=8), 1000),
            (dict(payload=struct.pack(">H", 1000) + b"\xc3", opcode=8), 1007),
            (dict(payload=struct.pack(">H", 1000) + b"\xed\xa0\x80", opcode=8), 1007),
            (dict(payload=struct.pack(">H", 4321) + text, opcode=8), 4321), (dict(payload=b"", opcode=8), None),
        ]
        for introduced in (False, True):
            for frame, code in cases:
                web = self.websocket()
                if introduced:
                    web.hello()
                web.send_frame(**frame)
                self.assertEqual(web.close_code(), code, frame)
        web = self.websocket()
        web.hello()
        web.send_frame(b"x", final=False)
        web.send_frame(b"x")  # a new message within another
        self.assertEqual(web.close_code(), 1002)
        for head in (b"\x82\xfe\x00\x05", b"\x82\xff" + bytes(6) + b"\x00\x05", b"\x82\xff\x80" + bytes(7)):  # longer than necessary
            web = self.websocket()
            web.send(head + b"mask" + b"12345")
            self.assertEqual(web.close_code(), 1002)

    def test_pings_and_requests_before_the_end(self):
        web = self.websocket()
        web.send_frame(b"before hello", opcode=9)
        self.assertEqual(web.receive_frame(), (10, b"before hello"))
        web.hello()
        web.send_frame(b"", opcode=9)
        self.assertEqual(web.receive_frame(), (10, b""))
        web.send_frame(b"unasked", opcode=10)
        # The answer of a request comes before that to the close frame.
        request = PB.Request(id=77)
        request.get_status.SetInParent()
        web.send(web.frame(request.SerializeToString()) + web.frame(struct.pack(">H", 1001) + b"bye", opcode=8))
        self.assertEqual(web.next_response().id, 77)
        self.assertEqual(web.close_code(), 1001)
        # What follows a close frame is not read.
        web = self.websocket()
        web.hello()
        web.send(web.frame(b"", opcode=8) + web.frame(request.SerializeToString()))
        self.assertIsNone(web.close_code())

    def test_frames_without_a_message(self):
        empty, small = dict(payload=b"", opcode=9), dict(payload=b"x", opcode=0, final=False)
        for introduced in (False, True):
            for frame in (empty, dict(payload=b"pong", opcode=10), small):
                web = self.websocket()
                if introduced:
                    web.hello()
                if frame is small:
                    web.send_frame(b"\x08", final=False)
                web.send(web.frame(**frame) * 2000)
                self.assertEqual(web.close_code(), 1008, frame)
        # A client that also sends messages may send as many.
        web = self.websocket()
        web.hello()
        for _ in range(20):
            web.send(web.frame(**empty) * 200)
            request = PB.Request(id=7)
            request.get_status.SetInParent()
            web.send_frame(request.SerializeToString())
            while True:
                opcode, payload = web.receive_frame()
                if opcode == 2:
                    break
                self.assertEqual((opcode, payload), (10, b""))
            self.assertEqual(PB.ServerMessage.FromString(payload).response.id, 7)

    def test_events(self):
        watcher, editor = self.websocket(), self.websocket()
        watcher.hello()
        editor.hello()
        self.assertEqual(watcher.call("subscribe", topics=[PB.TOPIC_CHANGES]).status.code, PB.OK)
        editor.call("apply_transaction", document='{"nodes": [{"name": "new", "type": "sine"}]}')
        while not any(event.HasField("graph_changed") for event in watcher.events):
            frame = watcher.receive_frame()
            watcher.events.append(PB.ServerMessage.FromString(frame[1]).event)


class SlowRequests(Case):
    arguments = ["--hello-timeout", "1s"]

    def test_slow_requests(self):
        for beginning in (b"", b"GET / HTTP/1.1\r\nHost:", b"G"):
            with Http(self.daemon) as http:
                http.send(beginning)
                self.assertTrue(http.ended())
        with Http(self.daemon) as http:  # a byte now and then does not keep it open
            http.socket.settimeout(0.02)
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline:
                http.send(b"G")
                try:
                    if http.ended():
                        break
                except TimeoutError:
                    continue
            self.assertLess(time.monotonic(), deadline)
        with Http(self.daemon) as http:  # between two requests, too
            self.assertEqual(http.get("/").status, 200)
            self.assertTrue(http.ended())
        with WebSocket(self.daemon) as web:  # without Hello
            self.assertTrue(web.ended())


class SlowReaders(Case):
    arguments = ["--write-timeout", "400ms"]

    def test_slow_readers(self):
        with Http(self.daemon) as http:
            http.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for _ in range(40):
                http.request("/large.bin")
            self.daemon.wait_for("it read nothing of its output for 0.4 s")
        with WebSocket(self.daemon) as web:
            web.hello()
            request = PB.Request(id=1)
            request.list_node_types.SetInParent()
            web.send(web.frame(request.SerializeToString()) * 500)

            def clients():
                with WebSocket(self.daemon) as other:
                    other.hello()
                    return other.call("get_status").get_status.client_count
            deadline = time.monotonic() + PATIENCE_S
            while clients() > 1:
                self.assertLess(time.monotonic(), deadline)


class Places(Case):
    arguments = ["--max-clients-per-address", "12"]

    def enters(self):
        """Whether a client on TCP is admitted."""
        with socket.create_connection(("127.0.0.1", self.daemon.tcp_port), PATIENCE_S) as tcp:
            request = PB.Request(id=1)
            request.hello.protocol_version = 1
            payload = request.SerializeToString()
            tcp.sendall(varint(len(payload)) + payload)
            received = tcp.recv(1000)
            return PB.ServerMessage.FromString(received[1:]).response.status.code == PB.OK

    def test_places(self):
        # Connections of HTTP make room for each other, and do not keep a client of the protocol out.
        idle = [Http(self.daemon) for _ in range(40)]
        self.assertEqual(idle[-1].get("/").status, 200)  # all have come in
        self.assertTrue(self.enters())
        for http in idle:
            http.socket.close()

    def test_browsers_make_room_whatever_they_do(self):
        def busy(http):  # always waits for its turn
            http.request("/theme.css")
            http.response()
            for _ in range(2000):
                http.request("/theme.css", If_None_Match="*")

        def slow(http):
            for _ in range(20):
                http.request("/large.bin")
            http.receive(1)

        def refused(http):  # stays, although it was refused
            http.request("/none")
            http.response()
        for behave in (busy, slow, refused):
            browsers = []
            for _ in range(12):
                http = self.http()
                http.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                behave(http)
                browsers.append(http)
            self.assertTrue(self.enters(), behave.__name__)
            for http in browsers:
                http.socket.close()

    def test_clients_that_have_subscribed_stay(self):
        # Clients that have subscribed stay, and the next one learns why it is refused.
        clients = []
        while len(clients) < 12:
            web = WebSocket(self.daemon)
            clients.append(web)
            web.hello()
            self.assertEqual(web.call("subscribe", topics=[PB.TOPIC_CHANGES]).status.code, PB.OK)
        with Http(self.daemon) as http:
            response = http.get("/")
            self.assertEqual(response.status, 503)
            self.assertIn(b"--max-clients-per-address", response.body)
        for web in clients:
            web.socket.close()


class WithoutPage(Case):
    page = False

    def test_a_sentence(self):
        self.assertTrue(any("the page is not installed" in line for line in self.daemon.lines) or
                        self.daemon.wait_for("the page is not installed"))
        response = self.http().get("/")
        self.assertEqual(response.status, 404)
        self.assertIn("--target web_site", response.body.decode())
        self.assertEqual(self.websocket().hello().status.code, PB.OK)


class Encrypted(Case):
    web = "0.0.0.0:0"

    @classmethod
    def prepare(cls):
        made = subprocess.run([RTAD, "token", "new", "--role", "read", "--state-dir", cls.directory / "state", "reader"],
                              check=True, capture_output=True, text=True)
        cls.token = made.stdout.strip()
        cls.arguments = ["--state-dir", str(cls.directory / "state"), "--web-name", "studio.test", "--web-name",
                         "proxy.test:8443"]

    @classmethod
    def context(cls):
        return ssl.create_default_context(cafile=cls.directory / "state/tls/certificate.pem")

    def test_page_and_socket(self):
        with Http(self.daemon, self.context()) as http:
            response = http.get("/")
            self.assertEqual(response.status, 200)
            self.assertIn(f"wss://{http.host};", response["Content-Security-Policy"])
            self.assertEqual(http.get("/large.bin").body, PAGE["large.bin"])
            self.assertEqual(http.get("/", host=f"127.0.0.1:{self.daemon.web_port}").status, 200)
            self.assertEqual(http.get("/", host=f"studio.test:{self.daemon.web_port}").status, 200)
            self.assertEqual(http.get("/", host="PROXY.test:8443").status, 200)
            self.assertEqual(http.get("/", host="proxy.test").status, 403)
        for name in ("127.0.0.1", "studio.test", "proxy.test"):
            with WebSocket(self.daemon, self.context(), name=name if name != "proxy.test" else "localhost") as web:
                hello = web.hello(self.token)
                self.assertEqual(hello.hello.role, "read")
                self.assertEqual(web.call("get_graph").status.code, PB.OK)
                self.assertEqual(web.call("undo").status.code, PB.PERMISSION_DENIED)
                web.send_frame(struct.pack(">H", 1000), opcode=8)
                self.assertEqual(web.close_code(), 1000)
        with WebSocket(self.daemon, self.context()) as web:
            self.assertEqual(web.hello().status.code, PB.UNAUTHENTICATED)
            self.assertEqual(web.close_code(), 1000)
        with Http(self.daemon, self.context()) as http:
            self.assertEqual(http.upgrade(Origin=http.origin.replace("https", "http"))[0].status, 403)
        with WebSocket(self.daemon, self.context()) as web:
            web.hello(self.token)
            web.send_frame(b"text", opcode=1)
            self.assertEqual(web.close_code(), 1003)

    def test_metrics_need_a_token(self):
        with Http(self.daemon, self.context()) as http:
            response = http.get("/metrics", Authorization=f"Bearer {self.token}")
            self.assertEqual(response.status, 200)
            self.assertTrue(response.body.endswith(b"# EOF\n"))
        for wrong in ({}, {"Authorization": "Bearer " + self.token[:-1] + "-"}, {"Authorization": self.token},
                      {"Authorization": "Bearer code:" + "A" * 20}, {"Authorization": "Bearer session:" + "A" * 43}):
            with Http(self.daemon, self.context()) as http:
                self.assertEqual(http.get("/metrics", **wrong).status, 401, wrong)

    def test_plain_and_old_clients(self):
        with Http(self.daemon) as http:
            http.request("/")
            self.assertTrue(http.ended())
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            Http(self.daemon, context)


class Options(unittest.TestCase):
    def run_rtad(self, *arguments):
        with tempfile.TemporaryDirectory() as directory:
            return subprocess.run([RTAD, "--device", "null", "--socket", f"{directory}/s", "--listen", "127.0.0.1:0",
                                   *arguments], capture_output=True, text=True, timeout=PATIENCE_S)

    def test_refusals(self):
        with socket.socket() as taken, tempfile.TemporaryDirectory() as state:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            for arguments, words in (
                    (["--web", "0.0.0.0:0"], "requires TLS and a token"),
                    (["--web", "0.0.0.0:0", "--state-dir", state], "rtad token new"),
                    (["--web", "tls://127.0.0.1:0"], "TLS requires a certificate"), (["--web", "8080"], "HOST:PORT"),
                    (["--web", f"127.0.0.1:{taken.getsockname()[1]}"], "in use"), (["--web-name", "x"], "without --web"),
                    (["--web", "127.0.0.1:0", "--web-name", "a b"], "invalid web name"),
                    (["--web", "127.0.0.1:0", "--web-name", "a:99999"], "invalid web name"),
                    (["--web", "127.0.0.1:0", "--web-name", "http://a"], "invalid web name"),
                    (["--web", "127.0.0.1:0", "--web", "127.0.0.1:0"], "--web")):
                run = self.run_rtad(*arguments)
                self.assertEqual(run.returncode, 2, (arguments, run.stderr))
                self.assertIn(words, run.stderr)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as generated:
        subprocess.run(["protoc", "-I", sys.argv[2], f"--python_out={generated}", "rta/v1/graph.proto", "rta/v1/control.proto"],
                       check=True)
        sys.path.insert(0, generated)
        from rta.v1 import control_pb2 as PB
        unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
