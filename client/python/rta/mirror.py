# SPDX-License-Identifier: MIT
"""A copy of the daemon's graph that is kept up to date by events, and survives reconnections and restarts."""
from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from rta.errors import (Aborted, DeadlineExceeded, Disconnected, Error, FailedPrecondition, ProtocolError,
                        ResourceExhausted, Unavailable)
from rta.graph import Graph, UnknownEdit, applied
from rta.session import Session
from rta.subscription import EventQueue
from rta.v1 import control_pb2 as pb

if TYPE_CHECKING:
    from rta.client import Client

# What may pass. Others, such as a rejected token or certificate, end the mirror.
_RETRIED = (Unavailable, DeadlineExceeded, ResourceExhausted, Aborted, ProtocolError)

Predicate = Callable[[Graph], object]


class Mirror:
    """Follows the graph while its `async with` block runs.

    The block begins when the graph has been read. `graph` is then always a whole graph of the daemon: the latest that the
    mirror has received. Each change creates a new one; a Graph never changes, so it can be kept and compared.
    """

    def __init__(self, client: Client, retry_s: tuple[float, float], silence_s: float) -> None:
        self._client, self._retry_s, self._silence_s = client, retry_s, silence_s
        self.graph = Graph()
        self.instance_id = ""
        self.connected = False  # and up to date, except for events on their way
        self.resumed = 0  # number of reconnections after which the graph was not requested
        self.reread = 0  # number of times that the graph was requested
        self._waiters: list[tuple[Predicate, asyncio.Future[Graph]]] = []
        self._failure: Error | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Mirror:
        self._task = asyncio.create_task(self._run())
        try:
            await self.wait_for(lambda graph: self.reread > 0)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the mirror. `graph` stays as it is."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._fail(Disconnected("the mirror was closed"))

    async def wait_for(self, predicate: Predicate, *, timeout: float | None = None) -> Graph:
        """Waits until `predicate(graph)` is true, and returns that graph. Beginning with the current one, it is called for
        every graph that the mirror has. DeadlineExceeded: not within `timeout` seconds. Raises what the predicate raises,
        and the error that has ended the mirror."""
        if predicate(self.graph):
            return self.graph
        if self._failure:
            raise self._failure
        found: asyncio.Future[Graph] = asyncio.get_running_loop().create_future()
        waiter = (predicate, found)
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                return await found
        except TimeoutError as error:
            if timeout is None or (found.done() and not found.cancelled()):
                raise  # the predicate's
            raise DeadlineExceeded(f"the graph did not become as expected within {timeout:g} s") from error
        finally:
            self._waiters.remove(waiter)

    async def _run(self) -> None:
        delay_s = self._retry_s[0]
        while True:
            before = self.reread + self.resumed
            try:
                await self._follow_once()
            except Error as error:
                if self._client.closed or not isinstance(error, _RETRIED):
                    return self._fail(error)
            except Exception as error:  # must not look like a graph that does not change
                self._fail(Error(f"the mirror failed: {error!r}"))
                raise
            if self.reread + self.resumed > before:
                delay_s = self._retry_s[0]
            # Many clients that have lost one daemon must not all return at the same moment.
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))
            delay_s = min(2 * delay_s, self._retry_s[1])

    async def _follow_once(self) -> None:
        """Follows the graph until the connection is lost, which raises."""
        queue, subscribed, session = await self._client.open_queue(("changes",), None, resume=self._resume())
        try:
            if (self.reread and subscribed.instance_id == self.instance_id
                    and subscribed.change_number == self.graph.change_number):
                self.resumed += 1
            else:
                await self._read_graph(session)
                self.instance_id = subscribed.instance_id
            self.connected = True
            await self._follow(session, queue)
        finally:
            self.connected = False
            queue.end(Disconnected("the mirror was closed"))
            with contextlib.suppress(Error):
                await self._client.close_queue(queue)

    def _resume(self) -> pb.Subscribe | None:
        """Returns what asks the daemon for the changes that were missed; None if it must be a whole graph."""
        if not self.reread:
            return None
        return pb.Subscribe(resume_after=self.graph.change_number, resume_instance=self.instance_id)

    async def _follow(self, session: Session, queue: EventQueue) -> None:
        while True:
            try:
                async with asyncio.timeout(self._silence_s):
                    event = await queue.get()
            except TimeoutError:
                await self._ping(session)
                continue
            if event.number <= self.graph.change_number:
                continue  # already in the graph
            try:
                if event.number != self.graph.change_number + 1:
                    raise UnknownEdit("a change is missing")
                self._show(applied(self.graph, event, await self._client.types_of(session)))
            except UnknownEdit:
                await self._read_graph(session)

    async def _ping(self, session: Session) -> None:
        """Sends a request to an idle daemon, and closes the connection if it does not answer."""
        try:
            await session.call(pb.Request(get_status=pb.GetStatus()), self._silence_s)
        except DeadlineExceeded as error:
            silent = Disconnected(f"no answer for {self._silence_s:g} s")
            await session.close(silent)
            raise silent from error

    async def _read_graph(self, session: Session) -> None:
        try:
            graph = await self._client.graph_of(session)
        except ResourceExhausted as error:  # over 4 MiB; trying again does not help
            raise FailedPrecondition(f"the graph cannot be mirrored: {error.sentence}") from error
        self.reread += 1
        self._show(graph)

    def _show(self, graph: Graph) -> None:
        self.graph = graph
        for predicate, waiter in self._waiters:
            if waiter.done():
                continue
            try:
                if predicate(graph):
                    waiter.set_result(graph)
            except Exception as error:
                waiter.set_exception(error)

    def _fail(self, error: Error) -> None:
        self._failure = self._failure or error
        for _, waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(self._failure)
