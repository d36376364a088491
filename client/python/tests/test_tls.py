# SPDX-License-Identifier: MIT
"""TLS through a proxy that forwards to the plain port of a real rtad."""
import asyncio
import fcntl
import logging
import os
import pathlib
import ssl
import subprocess
import tempfile
import unittest
import unittest.mock

import rta
from rta import tls
from rta.address import Address
from support import PATIENCE_S, RTAD, Certificates, Daemon, DaemonCase, Proxy


class TlsCase(DaemonCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = Certificates()
        cls.addClassCleanup(cls.certificates.close)
        cls.good = cls.certificates.server("good")
        cls.other = cls.certificates.server("other")
        cls.expired = cls.certificates.expired_server("expired")

    async def asyncSetUp(self):
        await super().asyncSetUp()
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.known_hosts = pathlib.Path(directory) / "config" / "rtactl" / "known_hosts"
        # The proxy's side of handshakes that are meant to fail.
        logger = logging.getLogger("asyncio")
        self.addCleanup(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
        self.enterContext(unittest.mock.patch.dict("os.environ", {"XDG_CONFIG_HOME": str(self.known_hosts.parents[1])}))

    async def use(self, context, host="localhost", **options):
        """Returns the version of the daemon, through a proxy with this certificate."""
        async with Proxy(self.daemon.port, context) as proxy:
            async with rta.connect(f"{host}:{proxy.port}", tls=True, **options) as client:
                return (await client.status()).server_version


class LostConnection(TlsCase):
    async def test_a_client_can_be_closed_while_its_connection_is_being_lost(self):
        async with Proxy(self.daemon.port, self.good) as proxy:
            client = rta.connect(f"localhost:{proxy.port}", tls=True, ca=self.certificates.ca)
            session = await client.session()
            proxy.cut(reset=True)
            while not session._writer.is_closing():
                await asyncio.sleep(0)
            self.assertIsNone(session.lost)  # the transport knows, the session does not yet
            await client.close()
            self.assertTrue(session._reading.cancelled())  # it has not failed


class Verification(TlsCase):
    async def test_by_a_ca(self):
        self.assertTrue(await self.use(self.good, ca=self.certificates.ca))
        self.assertFalse(self.known_hosts.exists())

    async def test_a_wrong_host_an_expired_certificate_and_another_ca_are_rejected(self):
        stranger = Certificates()
        self.addCleanup(stranger.close)
        for name, context, host in (("host", self.good, "127.0.0.1"), ("expired", self.expired, "localhost"),
                                    ("other CA", stranger.server("stranger"), "localhost")):
            with self.subTest(name), self.assertRaisesRegex(rta.CertificateRejected, "not valid"):
                await self.use(context, host, ca=self.certificates.ca)

    async def test_by_a_fingerprint(self):
        fingerprint = self.certificates.fingerprint("good")
        self.assertEqual(len(fingerprint), len("SHA256:") + 43)
        self.assertTrue(await self.use(self.good, fingerprint=fingerprint))
        with self.assertRaisesRegex(rta.CertificateRejected, "has the fingerprint SHA256:"):
            await self.use(self.other, fingerprint=fingerprint)
        with self.assertRaises(rta.CertificateRejected):  # both must agree
            await self.use(self.other, fingerprint=fingerprint, ca=self.certificates.ca)
        self.assertFalse(self.known_hosts.exists())

    async def test_an_expired_certificate_is_rejected_even_if_it_is_the_expected_one(self):
        for options in ({"fingerprint": self.certificates.fingerprint("expired")}, {}):
            with self.assertRaisesRegex(rta.CertificateRejected, "expired on 2020-01-02"):
                await self.use(self.expired, **options)
        self.assertFalse(self.known_hosts.exists())

    async def test_a_certificate_of_the_next_century(self):
        context = self.certificates.server("long", days=40_000)  # its date has another form
        self.assertTrue(await self.use(context, fingerprint=self.certificates.fingerprint("long")))

    async def test_on_first_use_the_certificate_is_stored_and_a_changed_one_is_refused(self):
        sent = []
        async with Proxy(self.daemon.port, self.good) as proxy:
            address = f"localhost:{proxy.port}"
            with self.assertLogs("rta", logging.WARNING) as log:
                async with rta.connect(address, tls=True):
                    pass
            self.assertIn(self.certificates.fingerprint("good"), log.output[0])
            line = f"{address} {self.certificates.fingerprint('good')}\n"
            self.assertEqual(self.known_hosts.read_text(), line)
            self.assertEqual(self.known_hosts.stat().st_mode & 0o777, 0o600)
            with self.assertNoLogs("rta"):
                async with rta.connect(address, tls=True):
                    pass
            self.assertEqual(self.known_hosts.read_text(), line)
            port = proxy.port

        async def impostor(reader, writer):
            sent.append(await reader.read(65536))
            writer.close()
        server = await asyncio.start_server(impostor, "127.0.0.1", port, ssl=self.other)
        with self.assertRaisesRegex(rta.CertificateRejected, f"HAS CHANGED.*{self.known_hosts}:1 has"):
            async with rta.connect(address, tls=True, token="rtad_secret"):
                pass
        server.close()
        self.assertEqual(self.known_hosts.read_text(), line)
        self.assertEqual(b"".join(sent), b"")  # not the token either

    async def test_tls_1_2_and_a_plain_port_are_refused(self):
        old = self.certificates.server("old")
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        for context in (old, None):
            with self.assertRaises(rta.CannotConnect):
                await self.use(context, ca=self.certificates.ca, timeout=2.0)

    async def test_missing_files_are_named(self):
        for option in ({"ca": "/nowhere/ca.pem"}, {"certificate": "/nowhere/me.pem"}):
            with self.assertRaisesRegex(rta.InvalidArgument, "/nowhere/"):
                await self.use(self.good, **option)

    async def test_a_client_certificate(self):
        self.certificates.server("client")
        wants = self.certificates.server("wants")
        wants.verify_mode = ssl.CERT_REQUIRED
        wants.load_verify_locations(self.certificates.ca)
        files = {name: self.certificates.root / f"client.{ending}" for name, ending in (("certificate", "pem"), ("key", "key"))}
        self.assertTrue(await self.use(wants, ca=self.certificates.ca, **files))
        with self.assertRaises((rta.CannotConnect, rta.Disconnected)):
            await self.use(wants, ca=self.certificates.ca)

    async def test_the_blocking_client_and_the_mirror(self):
        async with Proxy(self.daemon.port, self.good) as proxy:
            address = f"localhost:{proxy.port}"

            def blocking():
                with rta.sync.connect(address, tls=True, ca=self.certificates.ca) as client, client.mirror() as mirror:
                    client.add("gain", "vol")
                    return mirror.wait_for(lambda graph: "vol" in graph.nodes, timeout=PATIENCE_S)
            graph = await asyncio.to_thread(blocking)
            async with rta.connect(address, tls=True, ca=self.certificates.ca) as client, client.mirror() as mirror:
                self.assertEqual(mirror.graph, graph)
                proxy.cut()
                async with rta.connect(self.daemon.socket) as other:
                    await other.remove("vol")
                await mirror.wait_for(lambda graph: not graph.nodes, timeout=PATIENCE_S)


class Choice(unittest.TestCase):
    def test_addresses_of_other_machines_use_tls(self):
        for text, forced, expected in (("studio", False, True), ("10.0.0.1", False, True), ("127.0.0.1", False, False),
                                       ("localhost", False, False), ("::1", False, False), ("127.0.0.1", True, True)):
            self.assertEqual(tls.TlsOptions(force=forced).wanted_for(Address(text)), expected, text)
        # Certificates that the program expects, or shows, must not be ignored.
        for options in ({"fingerprint": "SHA256:x"}, {"ca": "ca.pem"}, {"certificate": "me.pem"}):
            self.assertTrue(tls.TlsOptions(**options).wanted_for(Address("127.0.0.1")))
        self.assertFalse(tls.TlsOptions(force=True).wanted_for(Address(path="/s")))


class DefaultKnownHosts(unittest.TestCase):
    def test_a_relative_folder_in_the_environment_is_ignored(self):
        for directory, expected in (("/c", "/c"), ("relative", "/home/ada/.config"), ("", "/home/ada/.config")):
            with unittest.mock.patch.dict("os.environ", {"XDG_CONFIG_HOME": directory, "HOME": "/home/ada"}):
                self.assertEqual(tls.default_known_hosts(), pathlib.Path(expected, "rtactl", "known_hosts"))


class KnownHosts(unittest.TestCase):
    def setUp(self):
        self.path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "known_hosts"

    def verify(self, host, found):
        tls.verify_known_host(self.path, Address(host), found)

    def test_lines_may_be_comments_lack_a_line_feed_or_repeat_a_host(self):
        self.path.write_text("# Studio:7340 SHA256:no\n\nStudio:7340 SHA256:a\nstudio:7340 SHA256:b\nother:7340 SHA256:c")
        for found in ("SHA256:a", "SHA256:b"):
            self.verify("studio", found)
        with self.assertRaisesRegex(rta.CertificateRejected, "known_hosts:3 has SHA256:a"):
            self.verify("STUDIO", "SHA256:c")
        before = self.path.read_text()
        with self.assertLogs("rta"):
            self.verify("::1", "SHA256:d")
        self.assertEqual(self.path.read_text(), before + "\n[::1]:7340 SHA256:d\n")

    def test_a_host_is_added_while_no_other_program_replaces_the_file(self):
        folder = os.open(self.path.parent, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX)  # as rtactl does
        with unittest.mock.patch("rta.tls.LOCK_TIMEOUT_S", 0.01), self.assertRaisesRegex(rta.CertificateRejected, "locked"):
            self.verify("studio", "SHA256:a")
        self.assertFalse(self.path.exists())
        fcntl.flock(folder, fcntl.LOCK_UN)
        with self.assertLogs("rta"):
            self.verify("studio", "SHA256:a")

    def test_a_file_that_cannot_be_written_rejects_new_hosts(self):
        self.path.mkdir()
        with self.assertRaisesRegex(rta.CertificateRejected, "cannot verify"):
            self.verify("studio", "SHA256:a")


class DaemonTls(unittest.IsolatedAsyncioTestCase):
    """The daemon's own TLS."""

    async def test_the_certificate_that_it_creates_is_pinned_on_first_use(self):
        tokens = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "tokens"
        token = subprocess.run([RTAD, "token", "new", "--tokens", tokens, "--role", "control", "test"], check=True,
                               stdout=subprocess.PIPE, text=True).stdout.strip()
        daemon = Daemon("--tokens", str(tokens), listen="tls://127.0.0.1:0")
        self.addCleanup(daemon.close)
        known_hosts = pathlib.Path(daemon.directory.name) / "known_hosts"
        for _ in range(2):
            async with rta.connect(daemon.address, tls=True, known_hosts=known_hosts, token=token) as client:
                self.assertTrue((await client.status()).server_version)
        host, fingerprint = known_hosts.read_text().split()
        self.assertEqual(host, daemon.address)
        self.assertIn(fingerprint, "".join(daemon.output))
        async with rta.connect(daemon.address, tls=True, fingerprint=fingerprint, token=token) as client:
            await client.status()
