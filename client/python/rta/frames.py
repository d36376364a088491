# SPDX-License-Identifier: MIT
"""The framing of the protocol: each message is preceded by its length in bytes, as a varint."""
from __future__ import annotations

from collections.abc import Iterator

from rta.errors import ProtocolError

MAXIMUM_FRAME_BYTES = 4 << 20
_MAXIMUM_LENGTH_BYTES = 10


def encode(payload: bytes) -> bytes:
    """Returns the payload as a frame."""
    length = len(payload)
    prefix = bytearray()
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + payload


class Decoder:
    """Splits a stream of bytes into payloads. Checks each length before it waits for, or stores, what it announces."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._taken = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Takes received bytes, and yields the payloads that are complete. ProtocolError: the stream is invalid."""
        self._buffer += data
        while (payload := self._next()) is not None:
            yield payload
        del self._buffer[:self._taken]
        self._taken = 0

    def _next(self) -> bytes | None:
        length, start = 0, self._taken
        for index in range(_MAXIMUM_LENGTH_BYTES):
            if start == len(self._buffer):
                return None
            byte = self._buffer[start]
            start += 1
            length |= (byte & 0x7F) << (7 * index)
            if length > MAXIMUM_FRAME_BYTES:
                raise ProtocolError(f"unexpected reply: a frame of over {MAXIMUM_FRAME_BYTES} bytes; is this an rtad?")
            if byte < 0x80:
                break
        else:
            raise ProtocolError("unexpected reply: not a frame length; is this an rtad?")
        end = start + length
        if end > len(self._buffer):
            return None
        self._taken = end
        return bytes(self._buffer[start:end])
