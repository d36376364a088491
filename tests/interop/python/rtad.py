# SPDX-License-Identifier: MIT
"""A client of rtad in one small file: framing, calls and events.

It needs Google's protobuf and the two .proto files, compiled with

    protoc -I proto --python_out=. rta/v1/graph.proto rta/v1/control.proto
"""
import collections
import socket

from rta.v1 import control_pb2 as pb


def encode_varint(number):
    """Seven bits a byte, the lowest first; the top bit says that another byte follows."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def decode_varint(data):
    """The number, and how many bytes it took; None if not all of them are there."""
    number = 0
    for i, byte in enumerate(data[:10]):
        number |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return number, i + 1
    return None


class Refused(Exception):
    """The daemon's answer was not OK. `status` has its code, and the edit at fault."""

    def __init__(self, status):
        super().__init__(f"{pb.Code.Name(status.code)}: {status.message}")
        self.status = status


class Client:
    """One conversation. Not for several threads at once."""

    def __init__(self, host="127.0.0.1", port=7340, name="python"):
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._events = collections.deque()
        self._last_id = 0
        request = pb.Request()
        request.hello.protocol_version = 1
        request.hello.client_name = name
        self.daemon = self.call(request).hello

    def call(self, request):
        """Sends the request and returns its response; events that come before it are kept for event()."""
        self._last_id += 1
        request.id = self._last_id
        payload = request.SerializeToString()
        self._socket.sendall(encode_varint(len(payload)) + payload)
        while True:
            message = self._receive()
            if message.HasField("event"):
                self._events.append(message.event)
            elif message.response.status.code != pb.OK:
                raise Refused(message.response.status)
            else:
                return message.response

    def event(self):
        """The next event, after subscribing; waits for it."""
        while not self._events:
            message = self._receive()
            if message.HasField("event"):
                self._events.append(message.event)
        return self._events.popleft()

    def close(self):
        self._socket.close()

    def _receive(self):
        """A message: its length as a varint, then as many bytes."""
        while True:
            length = decode_varint(self._buffer)
            if length and len(self._buffer) >= sum(length):
                end = sum(length)
                payload, self._buffer = self._buffer[length[1]:end], self._buffer[end:]
                return pb.ServerMessage.FromString(payload)
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionError("rtad closed the connection")
            self._buffer += received
