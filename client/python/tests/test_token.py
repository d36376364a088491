# SPDX-License-Identifier: MIT
"""Access tokens and roles of the daemon."""
import pathlib
import subprocess
import tempfile
import unittest
import unittest.mock

import rta
from support import PATIENCE_S, RTAD, Daemon


class Tokens(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        file = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / "tokens"
        cls.tokens = {role: subprocess.run([RTAD, "token", "new", "--tokens", file, "--role", role, f"test-{role}"], check=True,
                                           stdout=subprocess.PIPE, text=True).stdout.split()[-1] for role in ("read", "control")}
        cls.daemon = Daemon("--tokens", str(file))
        cls.addClassCleanup(cls.daemon.close)

    async def test_no_token_and_a_wrong_one_are_rejected(self):
        for token in (None, self.tokens["control"][:-1] + "-"):
            with self.assertRaises(rta.Unauthenticated) as caught:
                async with rta.connect(self.daemon.address, token=token):
                    pass
            self.assertNotIn(str(token), str(caught.exception))

    async def test_the_line_end_of_a_token_file_is_no_part_of_the_token(self):
        async with rta.connect(self.daemon.address, token=self.tokens["read"] + "\n") as client:
            self.assertEqual(client.hello.role, "read")

    async def test_the_token_of_the_environment_is_sent_only_to_the_daemon_of_the_environment(self):
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "token"
            file.touch(mode=0o600)
            file.write_text(self.tokens["control"] + "\n")
            variables = {"RTACTL_HOST": self.daemon.address, "RTACTL_TOKEN_FILE": str(file)}
            with unittest.mock.patch.dict("os.environ", variables):
                async with rta.connect() as client:
                    self.assertEqual(client.hello.author, "test-control")
                async with rta.connect(token=self.tokens["read"]) as client:
                    self.assertEqual(client.hello.author, "test-read")
                with self.assertRaises(rta.Unauthenticated):
                    async with rta.connect(self.daemon.address):
                        pass

    async def test_a_code_lets_a_client_in_which_then_connects_again_with_its_session(self):
        async with rta.connect(self.daemon.address, token=self.tokens["control"]) as desk:
            code = await desk.create_code()
            with self.assertRaises(rta.PermissionDenied):
                await desk.create_code("admin")
            phone = rta.connect(self.daemon.address, token=f"code:{code.code}")
            self.addAsyncCleanup(phone.close)
            first = await phone.session()
            self.assertEqual((phone.hello.role, phone.hello.author), ("control", "code of test-control"))
            token = phone.hello.session_token
            await first.close()
            await phone.add("gain", "by_phone")
            self.assertEqual(phone.hello.author, "code of test-control")
            with self.assertRaises(rta.Unauthenticated):
                async with rta.connect(self.daemon.address, token=f"code:{code.code}"):
                    pass
            async with rta.connect(self.daemon.address, token=token) as tab:
                self.assertEqual(tab.hello.role, "control")
            await desk.remove("by_phone")

    async def test_a_mirror_ends_with_the_rejection(self):
        client = rta.connect(self.daemon.address)
        self.addAsyncCleanup(client.close)
        with self.assertRaises(rta.Unauthenticated):
            async with client.mirror():
                pass

    async def test_read_reads_and_control_edits(self):
        async with (rta.connect(self.daemon.address, token=self.tokens["read"]) as reader,
                    rta.connect(self.daemon.address, token=self.tokens["control"]) as controller, reader.mirror() as mirror):
            with self.assertRaises(rta.PermissionDenied):
                await reader.add("gain", "vol")
            await controller.add("gain", "vol")
            await mirror.wait_for(lambda graph: "vol" in graph.nodes, timeout=PATIENCE_S)
