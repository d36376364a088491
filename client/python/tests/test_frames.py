# SPDX-License-Identifier: MIT
import random
import unittest

from rta import ProtocolError
from rta.frames import MAXIMUM_FRAME_BYTES, Decoder, encode


class Frames(unittest.TestCase):
    def test_are_what_the_documentation_shows(self):
        payload = bytes.fromhex("08 01 1a 0b 08 01 12 07 65 78 61 6d 70 6c 65")
        self.assertEqual(encode(payload), b"\x0f" + payload)

    def test_come_back_however_the_stream_is_split(self):
        chance = random.Random(1)
        payloads = [chance.randbytes(length) for length in (0, 1, 127, 128, 16383, 16384, 70000)]
        stream = b"".join(map(encode, payloads))
        for largest in (1, 7, 1000, len(stream)):
            decoder, found, taken = Decoder(), [], 0
            while taken < len(stream):
                length = chance.randint(1, largest)
                found += decoder.feed(stream[taken:taken + length])
                taken += length
            self.assertEqual(found, payloads)

    def test_of_the_maximum_length_are_accepted_and_longer_ones_refused_by_their_length_alone(self):
        decoder = Decoder()
        self.assertEqual(list(decoder.feed(encode(bytes(MAXIMUM_FRAME_BYTES)))), [bytes(MAXIMUM_FRAME_BYTES)])
        with self.assertRaises(ProtocolError):
            list(decoder.feed(encode(bytes(MAXIMUM_FRAME_BYTES + 1))[:4]))

    def test_with_an_endless_length_are_refused(self):
        self.assertEqual(list(Decoder().feed(b"\x80" * 9)), [])
        with self.assertRaises(ProtocolError):
            list(Decoder().feed(b"\x80" * 10))
