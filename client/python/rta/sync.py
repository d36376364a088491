# SPDX-License-Identifier: MIT
"""The library without asyncio: the same methods, which block.

    with rta.sync.connect("127.0.0.1:7340") as client:
        print(client.status().engine.revision)

Each client runs an event loop in a thread of its own. Its methods may be called from any thread. An interrupted method
cancels its request.
"""
from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

import rta.client
from rta import mirror, subscription
from rta.errors import Disconnected
from rta.graph import Graph
from rta.transaction import Edits
from rta.v1 import control_pb2 as pb

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Inner = TypeVar("Inner", covariant=True)


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rta", daemon=True)
        self._thread.start()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Runs a coroutine in the loop and returns its result."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a method of rta.sync was called within a predicate of wait_for(), which runs in the thread "
                               "of the client: the method would wait for itself")
        with self._lock:
            if self._stopped:
                work.close()
                raise Disconnected("the client was closed")
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError as error:
            raise Disconnected("the client was closed") from error
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """Cancels what still runs, and ends the thread."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Facade(Protocol[Inner]):
    """An object whose coroutines run in a loop."""

    @property
    def inner(self) -> Inner: ...

    @property
    def loop(self) -> Loop: ...


def blocking(method: Callable[Concatenate[T, P], Coroutine[Any, Any, R]]) -> Callable[Concatenate[Facade[T], P], R]:
    """Returns a method that runs a coroutine method of the inner object, and waits for its result."""
    @functools.wraps(method)
    def run(facade: Facade[T], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return facade.loop.run(method(facade.inner, *args, **kwargs))
    return run


class Subscription(Generic[T]):
    """An iterator over events; see rta.subscription.Subscription."""

    def __init__(self, loop: Loop, inner: subscription.Subscription[T]) -> None:
        self.loop, self.inner = loop, inner

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            return self.loop.run(self.inner.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def __enter__(self) -> Subscription[T]:
        self.loop.run(self.inner.__aenter__())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the subscription."""
        self.loop.run(self.inner.close())

    @property
    def telemetry_dropped(self) -> int:
        """Number of telemetry events lost because the client reads too slowly."""
        return self.inner.telemetry_dropped


class Mirror:
    """A copy of the graph that follows the daemon; see rta.mirror.Mirror. Predicates run in the thread of the client,
    and must not call its methods."""

    def __init__(self, loop: Loop, inner: mirror.Mirror) -> None:
        self.loop, self.inner = loop, inner

    wait_for = blocking(mirror.Mirror.wait_for)
    close = blocking(mirror.Mirror.close)

    @property
    def graph(self) -> Graph:
        return self.inner.graph

    @property
    def connected(self) -> bool:
        return self.inner.connected

    def __enter__(self) -> Mirror:
        self.loop.run(self.inner.__aenter__())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Transaction(Edits):
    """Edits that are applied when the `with` block ends; see rta.transaction.Transaction."""

    def __init__(self, loop: Loop, client: rta.client.Client, wait: bool, guard: pb.Guard | None = None,
                 confirm_within_s: int | None = None) -> None:
        super().__init__()
        self._loop, self._client, self._wait, self._guard = loop, client, wait, guard
        self._confirm_within_s = confirm_within_s
        self.result: pb.TransactionResult | None = None

    def __enter__(self) -> Transaction:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None and len(self):
            self.result = self._loop.run(
                self._client.apply_edits(self, self._wait, self._guard, self._confirm_within_s))

    def check(self) -> pb.CheckResult:
        """Validates and compiles the edits so far without committing them."""
        return self._loop.run(self._client.check_edits(self))


class Client:
    """The client; see rta.client.Client."""

    def __init__(self, loop: Loop, inner: rta.client.Client) -> None:
        self.loop, self.inner = loop, inner

    def __enter__(self) -> Client:
        self.loop.run(self.inner.__aenter__())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Disconnects, and ends the thread."""
        try:
            self.loop.run(self.inner.close())
        except Disconnected:
            return  # closed already
        self.loop.stop()

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self.inner.closed

    @property
    def hello(self) -> pb.HelloResult:
        """The version and the instance of the daemon."""
        return self.inner.hello

    call = blocking(rta.client.Client.call)
    status = blocking(rta.client.Client.status)
    devices = blocking(rta.client.Client.devices)
    set_device = blocking(rta.client.Client.set_device)
    types = blocking(rta.client.Client.types)
    graph = blocking(rta.client.Client.graph)
    document = blocking(rta.client.Client.document)
    get = blocking(rta.client.Client.get)
    response = blocking(rta.client.Client.response)
    load = blocking(rta.client.Client.load)
    check = blocking(rta.client.Client.check)
    add = blocking(rta.client.Client.add)
    remove = blocking(rta.client.Client.remove)
    rename = blocking(rta.client.Client.rename)
    connect = blocking(rta.client.Client.connect)
    disconnect = blocking(rta.client.Client.disconnect)
    change_settings = blocking(rta.client.Client.change_settings)
    describe = blocking(rta.client.Client.describe)
    set_latency_compensation = blocking(rta.client.Client.set_latency_compensation)
    set = blocking(rta.client.Client.set)
    change = blocking(rta.client.Client.change)
    toggle = blocking(rta.client.Client.toggle)
    mute = blocking(rta.client.Client.mute)
    volume = blocking(rta.client.Client.volume)
    panic = blocking(rta.client.Client.panic)
    undo = blocking(rta.client.Client.undo)
    redo = blocking(rta.client.Client.redo)
    confirm = blocking(rta.client.Client.confirm)
    revert = blocking(rta.client.Client.revert)
    history = blocking(rta.client.Client.history)
    time = blocking(rta.client.Client.time)
    schedule = blocking(rta.client.Client.schedule)
    pending = blocking(rta.client.Client.pending)
    cancel = blocking(rta.client.Client.cancel)
    save_scene = blocking(rta.client.Client.save_scene)
    recall_scene = blocking(rta.client.Client.recall_scene)
    scenes = blocking(rta.client.Client.scenes)
    rename_scene = blocking(rta.client.Client.rename_scene)
    remove_scene = blocking(rta.client.Client.remove_scene)
    scene = blocking(rta.client.Client.scene)
    create_code = blocking(rta.client.Client.create_code)
    reset_meters = blocking(rta.client.Client.reset_meters)

    def transaction(self, *, wait: bool = False, guard: pb.Guard | None = None,
                    confirm_within_s: int | None = None) -> Transaction:
        return Transaction(self.loop, self.inner, wait, guard, confirm_within_s)

    def events(self, *topics: subscription.Topic, rate_hz: float | None = None) -> Subscription[pb.Event]:
        return Subscription(self.loop, self.inner.events(*topics, rate_hz=rate_hz))

    def meters(self, *, rate_hz: float | None = None) -> Subscription[pb.Levels]:
        return Subscription(self.loop, self.inner.meters(rate_hz=rate_hz))

    def port_levels(self, ports: Mapping[str, bool] | Iterable[str], *,
                    rate_hz: float | None = None) -> Subscription[pb.PortLevels]:
        return Subscription(self.loop, self.inner.port_levels(ports, rate_hz=rate_hz))

    def mirror(self, *, retry_s: tuple[float, float] = (0.1, 5.0), silence_s: float = 15.0) -> Mirror:
        return Mirror(self.loop, self.inner.mirror(retry_s=retry_s, silence_s=silence_s))


def _blocking_connect(make: Callable[P, rta.client.Client]) -> Callable[P, Client]:
    @functools.wraps(make)
    def run(*args: P.args, **kwargs: P.kwargs) -> Client:
        inner = make(*args, **kwargs)
        return Client(Loop(), inner)
    return run


connect = _blocking_connect(rta.client.connect)
