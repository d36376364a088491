# SPDX-License-Identifier: MIT
"""One connection to a daemon: hello, requests with deadlines, and the events of its subscriptions."""
from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import weakref
from collections.abc import AsyncIterator, Sequence

from google.protobuf.message import DecodeError

from rta import frames, tls
from rta.address import Address
from rta.errors import (CannotConnect, CertificateRejected, DeadlineExceeded, Disconnected, Error, InvalidArgument,
                        ProtocolError, from_status)
from rta.subscription import EventQueue, Topic, topic_names, topic_of
from rta.v1 import control_pb2 as pb

PROTOCOL_VERSION = 1
_READ_BYTES = 1 << 16
_CLOSE_S = 0.5
# Detects a peer that has disappeared without closing the connection, after 10 + 3 * 5 s.
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


@contextlib.asynccontextmanager
async def deadline(timeout_s: float, what: str, start: float | None = None) -> AsyncIterator[None]:
    """Raises DeadlineExceeded if the body takes longer, from now or from `start`, a time of the event loop."""
    try:
        async with asyncio.timeout_at((asyncio.get_running_loop().time() if start is None else start) + timeout_s) as limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineExceeded(f"{what} within {timeout_s:g} s") from error


class Session:
    """A connection that has been accepted by the daemon. Not reusable: after `lost` is set, every call raises it."""

    def __init__(self, address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.address = address
        self.hello = pb.HelloResult()
        self.lost: Error | None = None
        self.topics_lock = asyncio.Lock()
        self._reader, self._writer = reader, writer
        self._write_lock = asyncio.Lock()
        self._last_id = 0
        self._pending: dict[int, asyncio.Future[pb.Response]] = {}
        # Weak: a subscription that the program has forgotten ends.
        self._queues: weakref.WeakSet[EventQueue] = weakref.WeakSet()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, addresses: Sequence[Address], options: tls.TlsOptions, hello: pb.Hello, timeout_s: float,
                   start: float) -> Session:
        """Connects to the first address that accepts, within a time from `start`. CannotConnect lists each address with the
        reason."""
        reasons = []
        for number, address in enumerate(addresses, 1):
            share_s = timeout_s * number / len(addresses)  # time for the others is left
            try:
                async with deadline(share_s, f"{address} did not accept the connection", start):
                    session = cls(address, *await _connect(address, options))
            except ssl.SSLCertVerificationError as error:
                raise CertificateRejected(f"the certificate of {address} is not valid: {error.verify_message}") from error
            except (OSError, DeadlineExceeded) as error:
                reasons.append(f"{address}: {error.sentence if isinstance(error, Error) else error}")
                continue
            try:
                session.hello = (await session.call(pb.Request(hello=hello), timeout_s, start)).hello
            except BaseException:
                await session.close()
                raise
            return session
        raise CannotConnect(f"cannot connect to rtad ({'; '.join(reasons)}); is it running?")

    async def call(self, request: pb.Request, timeout_s: float, start: float | None = None) -> pb.Response:
        """Sends a request, to which it gives an id, and returns its response. Raises the error of the daemon, or
        DeadlineExceeded after `timeout_s`, from now or from `start`, whatever else is received in the meantime."""
        number = 0
        try:
            async with deadline(timeout_s, "no response", start):
                async with self._write_lock:
                    # Waits before the request is buffered: callers that give up in between have sent nothing.
                    await self._drain()
                    number, answer = self._write(request)
                response = await answer
        finally:
            self._pending.pop(number, None)
        kind = request.WhichOneof("request")
        has_result = kind is not None and response.HasField(kind)
        if response.status.code != pb.OK:
            raise from_status(response.status, getattr(response, kind) if kind and has_result else None)
        if not has_result:
            raise ProtocolError(f"unexpected reply: an OK response to {kind} without its result")
        return response

    async def subscribe(self, queue: EventQueue, timeout_s: float, resume: pb.Subscribe | None = None) -> pb.SubscribeResult:
        """Adds a subscription. The daemon knows one per client, which is the union of all. `resume` has the change after which
        the events shall continue; they do not if another subscription has changes, which would receive them twice."""
        async with self.topics_lock:
            alone = not any("changes" in other.topics for other in self._queues)
            self._queues.add(queue)
            try:
                request = self._subscribe_request()
                if resume and alone:
                    request.subscribe.MergeFrom(resume)
                return (await self.call(request, timeout_s)).subscribe
            except BaseException:
                self._queues.discard(queue)
                raise

    async def unsubscribe(self, queue: EventQueue, timeout_s: float) -> None:
        if queue not in self._queues:
            return
        async with self.topics_lock:
            self._queues.discard(queue)
            if not self.lost:
                with contextlib.suppress(Error):  # the connection then is lost, or the daemon busy: nothing to wait for
                    await self.call(self._subscribe_request(), timeout_s)

    async def close(self, reason: Error | None = None) -> None:
        """Closes the connection. Pending calls and subscriptions raise `reason`."""
        if not self.lost:
            self._end(reason or Disconnected("the connection was closed"))
            # In Python 3.11, a TLS transport that is closed twice cannot be aborted, and a lost connection closes it, too.
            if not self._writer.is_closing():
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(_CLOSE_S):  # the end of TLS has a message of its own
                        self._writer.close()
                        await self._writer.wait_closed()
        self._writer.transport.abort()
        self._reading.cancel()
        await asyncio.wait([self._reading])

    def _subscribe_request(self) -> pb.Request:
        topics: set[Topic] = set()
        watches: dict[str, bool] = {}
        for queue in self._queues:
            topics |= queue.topics
            for port, spectrum in queue.watches.items():
                watches[port] = spectrum or watches.get(port, False)
        # An empty list would mean all topics; dropouts are the rarest events.
        subscribe = pb.Subscribe(topics=topic_names(sorted(topics) or ["xruns"]))
        subscribe.watches.extend(pb.PortWatch(port=port, spectrum=spectrum) for port, spectrum in sorted(watches.items()))
        rates = [queue.rate_hz for queue in self._queues if queue.rate_hz is not None]
        if rates:
            subscribe.telemetry_rate_hz = max(rates)
        return pb.Request(subscribe=subscribe)

    def _write(self, request: pb.Request) -> tuple[int, asyncio.Future[pb.Response]]:
        self._last_id += 1
        request.id = self._last_id
        payload = request.SerializeToString()
        if len(payload) > frames.MAXIMUM_FRAME_BYTES:
            raise InvalidArgument(f"a request of {len(payload)} bytes; expected at most {frames.MAXIMUM_FRAME_BYTES}")
        answer = asyncio.get_running_loop().create_future()
        self._pending[self._last_id] = answer
        self._writer.write(frames.encode(payload))
        return self._last_id, answer

    async def _drain(self) -> None:
        if self.lost:
            raise self.lost
        try:
            await self._writer.drain()
        except OSError as error:
            raise self.lost or self._disconnected(error) from error

    async def _read(self) -> None:
        decoder = frames.Decoder()
        try:
            while data := await self._reader.read(_READ_BYTES):
                for payload in decoder.feed(data):
                    self._take(payload)
            self._end(Disconnected(f"rtad at {self.address} closed the connection"))
        except (OSError, EOFError) as error:
            self._end(self._disconnected(error))
        except DecodeError:
            self._end(ProtocolError(f"unexpected reply of {self.address}: not a message of the protocol; is this an rtad?"))
        except Error as error:
            self._end(error)
        finally:
            self._end(Disconnected("the connection was closed"))
            self._writer.transport.abort()

    def _take(self, payload: bytes) -> None:
        message = pb.ServerMessage.FromString(payload)
        if message.HasField("event"):
            topic = topic_of(message.event)
            if message.event.HasField("port_levels"):
                for queue in list(self._queues):
                    queue.put_port_levels(message.event)
            elif topic:
                for queue in list(self._queues):
                    queue.put(topic, message.event, len(payload))
        elif message.HasField("response"):
            response = message.response
            if response.id == 0:  # belongs to no request: the daemon disconnects
                raise from_status(response.status)
            answer = self._pending.pop(response.id, None)
            if answer and not answer.done():
                answer.set_result(response)

    def _disconnected(self, error: Exception) -> Disconnected:
        return Disconnected(f"the connection to {self.address} was lost: {error or type(error).__name__}")

    def _end(self, reason: Error) -> None:
        if self.lost:
            return
        self.lost = reason
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(reason)
                answer.exception()  # marks it as seen: its caller may have given up
        for queue in list(self._queues):
            queue.end(reason)


async def _connect(address: Address, options: tls.TlsOptions) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.path:
        return await asyncio.open_unix_connection(address.path, limit=_READ_BYTES)
    context = options.context() if options.wanted_for(address) else None
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context, limit=_READ_BYTES)
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    if context:
        try:
            # Reads and writes files.
            await asyncio.to_thread(options.verify, address, tls.peer_certificate(writer.get_extra_info("ssl_object")))
        except BaseException:
            writer.transport.abort()
            raise
    return reader, writer
