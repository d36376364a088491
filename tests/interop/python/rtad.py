# SPDX-License-Identifier: MIT
"""A minimal client of rtad: framing and calls. It does not use the library of client/python, so it tests the protocol
independently, and shows what a client in another language has to do.

Requires Google's protobuf and the two .proto files, compiled with

    protoc -I proto --python_out=. rta/v1/graph.proto rta/v1/control.proto
"""
import socket

from rta.v1 import control_pb2 as pb


def encode_varint(number):
    """Encodes 7 bits per byte, least significant first; the top bit is set if another byte follows."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def decode_varint(data):
    """Returns the number and its length in bytes, or None if it is incomplete."""
    number = 0
    for i, byte in enumerate(data[:10]):
        number |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return number, i + 1
    return None


class Refused(Exception):
    """The status of a response is not OK. `status` has the code and the index of the rejected edit."""

    def __init__(self, status):
        super().__init__(f"{pb.Code.Name(status.code)}: {status.message}")
        self.status = status


class Client:
    """A client of one daemon. Not thread-safe."""

    def __init__(self, host="127.0.0.1", port=7340, name="python"):
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._last_id = 0
        request = pb.Request()
        request.hello.protocol_version = 1
        request.hello.client_name = name
        self.daemon = self.call(request).hello

    def call(self, request):
        """Sends a request and returns its response."""
        self._last_id += 1
        request.id = self._last_id
        payload = request.SerializeToString()
        self._socket.sendall(encode_varint(len(payload)) + payload)
        while True:
            message = self._receive()
            if message.HasField("event"):
                continue  # this client does not subscribe
            if message.response.status.code != pb.OK:
                raise Refused(message.response.status)
            return message.response

    def close(self):
        self._socket.close()

    def _receive(self):
        """Receives one message: the length as a varint, then the message."""
        while True:
            length = decode_varint(self._buffer)
            if length and len(self._buffer) >= sum(length):
                end = sum(length)
                payload, self._buffer = self._buffer[length[1]:end], self._buffer[end:]
                return pb.ServerMessage.FromString(payload)
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionError("rtad disconnected")
            self._buffer += received


def ask(client, what):
    """Sends a request without fields, and returns its result."""
    request = pb.Request()
    getattr(request, what).SetInParent()
    return getattr(client.call(request), what)
