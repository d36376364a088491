# SPDX-License-Identifier: MIT
import unittest

from rta import InvalidArgument
from rta.address import Address, parse


class Addresses(unittest.TestCase):
    def test_have_these_forms(self):
        for text, address, is_local in (
                ("studio", Address("studio", 7340), False), ("studio:80", Address("studio", 80), False),
                ("localhost", Address("localhost"), True), ("127.0.0.1:1", Address("127.0.0.1", 1), True),
                ("127.8.0.1", Address("127.8.0.1"), True), ("10.0.0.1", Address("10.0.0.1"), False),
                ("::1", Address("::1"), True), ("[::1]", Address("::1"), True), ("[fe80::1]:65535", Address("fe80::1", 65535), False),
                ("localhost.example.org", Address("localhost.example.org"), False),
                ("/run/rtad/control.sock", Address(path="/run/rtad/control.sock"), True), ("./s", Address(path="./s"), True)):
            with self.subTest(text):
                self.assertEqual(parse(text), address)
                self.assertEqual(parse(str(parse(text))), address)
                self.assertEqual(parse(text).is_local, is_local)

    def test_of_other_forms_are_refused(self):
        for text in ("", ":80", "a:", "a:0", "a:65536", "a:x", "a:-1", "a:+1", "a:\u0661", "[::1", "[::1]80", "[::1]:", "a b", "a\n:1",
                     "tls://studio:7340", "http://studio/"):
            with self.subTest(text), self.assertRaisesRegex(InvalidArgument, "expected HOST"):
                parse(text)
