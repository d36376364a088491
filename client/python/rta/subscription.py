# SPDX-License-Identifier: MIT
"""Subscriptions: bounded queues of events between a connection and the program that reads them."""
from __future__ import annotations

import asyncio
import collections
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Generic, Literal, TypeVar, get_args

from rta.errors import Disconnected, Error, EventsLost, InvalidArgument
from rta.v1 import control_pb2 as pb

Topic = Literal["changes", "levels", "load", "xruns", "node_loads"]
TOPICS: tuple[Topic, ...] = get_args(Topic)

# Of one subscription. The daemon, too, drops telemetry of a client beyond 256 events.
MAXIMUM_TELEMETRY = 256
# More than the daemon sends to a client that resumes.
MAXIMUM_CHANGES = 16384
MAXIMUM_CHANGES_BYTES = 32 << 20

T = TypeVar("T")


def topic_names(topics: Iterable[Topic]) -> list[str]:
    """Returns the names of enum Topic."""
    return [f"TOPIC_{topic.upper()}" for topic in topics]


def watches_of(ports: Mapping[str, bool] | Iterable[str]) -> dict[str, bool]:
    """Returns the ports, each with whether its spectrum is measured."""
    return dict(ports) if isinstance(ports, Mapping) else dict.fromkeys(ports, False)


def watched_part(event: pb.Event, watches: Mapping[str, bool]) -> pb.Event:
    """Returns the levels of ports that a subscription watches."""
    part = pb.Event()
    part.CopyFrom(event)
    del part.port_levels.ports[:]
    part.port_levels.ports.extend(port for port in event.port_levels.ports if port.port in watches)
    return part


def topic_of(event: pb.Event) -> Topic | None:
    """Returns the topic of an event; None for telemetry that this version does not know."""
    if event.number:
        return "changes"
    kind = event.WhichOneof("event")
    return next((topic for topic in TOPICS if topic == kind), None)


class EventQueue:
    """The events of one subscription. When telemetry is read too slowly, the oldest is dropped and counted; when changes
    are, the queue ends with EventsLost, after the changes that are in it. Changes are never skipped."""

    def __init__(self, topics: Iterable[Topic], rate_hz: float | None, watches: Mapping[str, bool] | None = None) -> None:
        self.topics = frozenset(topics)
        self.rate_hz = rate_hz
        self.watches = dict(watches or {})
        self.telemetry_dropped = 0
        self._changes: collections.deque[tuple[pb.Event, int]] = collections.deque()
        self._changes_bytes = 0
        self._telemetry: collections.deque[pb.Event] = collections.deque()
        self._end: Error | None = None
        self._ready = asyncio.Event()

    def put(self, topic: Topic, event: pb.Event, size_bytes: int) -> None:
        if self._end or topic not in self.topics:
            return
        if topic == "changes":
            if len(self._changes) >= MAXIMUM_CHANGES or self._changes_bytes + size_bytes > MAXIMUM_CHANGES_BYTES:
                self.end(EventsLost(f"{len(self._changes)} changes were not read in time; read them faster, or subscribe again"))
                return
            self._changes.append((event, size_bytes))
            self._changes_bytes += size_bytes
        else:
            self._put_telemetry(event)
        self._ready.set()

    def put_port_levels(self, event: pb.Event) -> None:
        if not self._end and self.watches:
            self._put_telemetry(watched_part(event, self.watches))
            self._ready.set()

    def _put_telemetry(self, event: pb.Event) -> None:
        if len(self._telemetry) >= MAXIMUM_TELEMETRY:
            self._telemetry.popleft()
            self.telemetry_dropped += 1
        self._telemetry.append(event)

    def end(self, error: Error) -> None:
        """Ends the queue. What is in it can still be read."""
        self._end = self._end or error
        self._ready.set()

    async def get(self) -> pb.Event:
        """Returns the next event: changes first, each kind in order."""
        while True:
            if self._changes:
                event, size_bytes = self._changes.popleft()
                self._changes_bytes -= size_bytes
                return event
            if self._telemetry:
                return self._telemetry.popleft()
            if self._end:
                raise self._end
            self._ready.clear()
            await self._ready.wait()


class Subscription(Generic[T]):
    """An asynchronous iterator over events, each converted by `convert`.

    `async with` subscribes immediately; without it, the first event that is requested does. The iterator ends with
    Disconnected if the connection is lost, and with EventsLost if the program reads changes too slowly.
    """

    def __init__(self, open_queue: Callable[[], Awaitable[EventQueue]],
                 close_queue: Callable[[EventQueue], Awaitable[None]], convert: Callable[[pb.Event], T]) -> None:
        self._open_queue, self._close_queue, self._convert = open_queue, close_queue, convert
        self._queue: EventQueue | None = None
        self._daemon_dropped: tuple[int, int] | None = None  # at the first event, and now
        self._closed = False

    @property
    def telemetry_dropped(self) -> int:
        """Number of telemetry events lost since the first one, by the daemon or here, because the client reads too slowly."""
        here = self._queue.telemetry_dropped if self._queue else 0
        first, now = self._daemon_dropped or (0, 0)
        return here + now - first

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        if self._closed:
            raise StopAsyncIteration
        if not self._queue:
            self._queue = await self._open_queue()
        event = await self._queue.get()
        if not event.number:
            now = event.telemetry_dropped
            self._daemon_dropped = (self._daemon_dropped[0] if self._daemon_dropped else now, now)
        return self._convert(event)

    async def __aenter__(self) -> Subscription[T]:
        if not self._queue and not self._closed:
            self._queue = await self._open_queue()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the subscription."""
        self._closed = True
        if self._queue:
            self._queue.end(Disconnected("the subscription is closed"))
            await self._close_queue(self._queue)


def checked_topics(topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
    """Returns the topics; all except node_loads if none exist. InvalidArgument: unknown ones."""
    for topic in topics:
        if topic not in TOPICS:
            raise InvalidArgument(f'unknown topic "{topic}": expected {", ".join(TOPICS)}')
    return topics or tuple(topic for topic in TOPICS if topic != "node_loads")
