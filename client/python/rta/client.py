# SPDX-License-Identifier: MIT
"""The client: one method for each request of the protocol, over a connection that is renewed when it is lost."""
from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from rta import address as addresses
from rta.errors import Disconnected, InvalidArgument, NotFound
from rta.graph import Graph, NodeTypes, Setting, graph_of, split_name
from rta.mirror import Mirror
from rta.session import PROTOCOL_VERSION, Session, deadline
from rta.subscription import EventQueue, Subscription, Topic, checked_topics, watches_of
from rta.times import Time, when
from rta.tls import TlsOptions
from rta.token_file import default_token
from rta.transaction import Edits, Transaction, Values, number, parameter_changes
from rta.v1 import control_pb2 as pb
from rta.v1 import graph_pb2

Document = str | Mapping[str, Any] | graph_pb2.Graph

T = TypeVar("T")

# The daemon itself gives up after 8 s (set_device) and 10 s (list_devices).
_DEVICE_TIMEOUT_S = 12.0


def connect(address: str | os.PathLike[str] | None = None, *, token: str | None = None, client_name: str = "python",
            timeout: float = 10.0, tls: bool = False, ca: str | os.PathLike[str] | None = None,
            fingerprint: str | None = None, certificate: str | os.PathLike[str] | None = None,
            key: str | os.PathLike[str] | None = None, known_hosts: str | os.PathLike[str] | None = None) -> Client:
    """Returns a client, which connects when it enters its `async with` block, or at its first request.

    `address` is HOST[:PORT] or the path of a Unix socket. Without it, the environment decides, as for rtactl: RTACTL_HOST, or
    else the addresses of a daemon on this machine; without `token`, too, that in the file RTACTL_TOKEN_FILE.
    `timeout` limits connecting, and each request, in seconds. `client_name` is shown to other clients, at most 128 bytes.

    An address that is not on this machine uses TLS; `tls`, `ca`, `fingerprint` or `certificate` force it on loopback. The
    certificate is verified by `ca` (a PEM file), or by `fingerprint` (`SHA256:...`), or by the known-hosts file of rtactl,
    which stores the certificate of a new host and refuses a changed one. An expired one is always refused. `certificate` and
    `key` are PEM files of a client certificate.
    """
    if fingerprint is not None and not fingerprint.startswith("SHA256:"):
        raise InvalidArgument(f'invalid fingerprint "{fingerprint}": expected SHA256: and 43 characters of base64')
    if address is not None:
        found = [addresses.parse(address)]
    else:
        found = addresses.default_addresses()
        token = token or default_token()
    hello = pb.Hello(protocol_version=PROTOCOL_VERSION, client_name=client_name, token=(token or "").strip())
    return Client(found, TlsOptions(tls, ca, fingerprint, certificate, key, known_hosts), hello, timeout)


class Client:
    """A client of one daemon, for one event loop. connect() creates it.

    Requests of concurrent tasks are pipelined. Each raises Error or one of its subclasses. When the connection is lost,
    pending requests raise Disconnected, subscriptions end, and the next request connects again. Results are the messages
    of control.proto, whose fields are described there.
    """

    def __init__(self, found: list[addresses.Address], tls_options: TlsOptions, hello: pb.Hello, timeout_s: float) -> None:
        self._addresses, self._tls, self._hello, self._timeout_s = found, tls_options, hello, timeout_s
        self._session: Session | None = None
        self._connecting = asyncio.Lock()
        self._closed = False
        self._types: tuple[str, NodeTypes] | None = None  # and the instance they belong to

    async def __aenter__(self) -> Client:
        await self.session()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnects. Further requests raise Disconnected."""
        self._closed = True
        if self._session:
            await self._session.close(Disconnected("the client was closed"))

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._closed

    @property
    def hello(self) -> pb.HelloResult:
        """The version and the instance of the daemon that the client has last connected to."""
        return self._session.hello if self._session else pb.HelloResult()

    async def session(self, start: float | None = None) -> Session:
        """Returns the connection. Connects if none exists, within the timeout from `start`, a time of the event loop."""
        start = asyncio.get_running_loop().time() if start is None else start
        async with deadline(self._timeout_s, "no connection", start):
            await self._connecting.acquire()
        try:
            if not self._closed and (not self._session or self._session.lost):
                self._session = await Session.open(self._addresses, self._tls, self._hello, self._timeout_s, start)
                # A one-time code is used up: the token of its session takes its place.
                self._hello.token = self._session.hello.session_token or self._hello.token
            if self._closed:  # possibly in the meantime
                await self.close()
            if self._closed or not self._session:
                raise Disconnected("the client was closed")
            return self._session
        finally:
            self._connecting.release()

    async def call(self, request: pb.Request, *, at_least_s: float = 0.0) -> pb.Response:
        """Sends any request of the protocol and returns its response. Sets the id of the request."""
        start = asyncio.get_running_loop().time()
        session = await self.session(start)
        return await session.call(request, max(self._timeout_s, at_least_s), start)

    # ---- Reading

    async def status(self) -> pb.StatusResult:
        """Returns the state of the device, the engine, the clients, persistence and the load."""
        return (await self.call(pb.Request(get_status=pb.GetStatus()))).get_status

    async def devices(self) -> list[pb.Device]:
        """Returns the sound cards."""
        request = pb.Request(list_devices=pb.ListDevices())
        return list((await self.call(request, at_least_s=_DEVICE_TIMEOUT_S)).list_devices.devices)

    async def types(self, type: str = "") -> list[pb.NodeType]:
        """Returns the node types, or one of them, with their ports, settings, parameters and help."""
        return list((await self.call(pb.Request(list_node_types=pb.ListNodeTypes(type=type)))).list_node_types.types)

    async def graph(self) -> Graph:
        """Returns the graph, with all settings and parameters."""
        return await self.graph_of(await self.session())

    async def document(self) -> str:
        """Returns the graph as document text, for load()."""
        request = pb.Request(get_graph=pb.GetGraph(content=pb.GRAPH_CONTENT_DOCUMENT))
        return (await self.call(request)).get_graph.document

    async def get(self, parameter: str) -> float:
        """Returns the value of `node.parameter`."""
        parts = split_name(parameter)
        if not parts:
            raise InvalidArgument(f'invalid parameter "{parameter}": expected NODE.PARAMETER, such as "vol.gain_db"')
        request = pb.Request(get_graph=pb.GetGraph(content=pb.GRAPH_CONTENT_MESSAGE, nodes=[parts[0]]))
        node = (await self.call(request)).get_graph.graph.nodes[0]
        if parts[1] not in node.parameters:
            known = ", ".join(sorted(node.parameters))
            raise NotFound(f'node "{node.name}": unknown parameter "{parts[1]}"; expected one of: {known}')
        return float(node.parameters[parts[1]])

    async def response(self, start: str, end: str = "", *, frequencies_hz: Iterable[float] = (), start_channel: int = 0,
                       end_channel: int = 0) -> pb.FrequencyResponseResult:
        """Returns the frequency response of a node, or, with `end`, of the path between two ports. Without
        `frequencies_hz`: 961, from 20 Hz to 20 kHz."""
        get = pb.GetFrequencyResponse(frequencies_hz=frequencies_hz, from_channel=start_channel, to_channel=end_channel)
        if end:
            setattr(get, "from", start)
            get.to = end
        else:
            get.node = start
        return (await self.call(pb.Request(get_frequency_response=get))).get_frequency_response

    async def graph_of(self, session: Session) -> Graph:
        """Returns the graph as of this connection."""
        types = await self.types_of(session)
        request = pb.Request(get_graph=pb.GetGraph(content=pb.GRAPH_CONTENT_MESSAGE))
        result = (await session.call(request, self._timeout_s)).get_graph
        return graph_of(result.graph, types, result.revision, result.change_number)

    async def types_of(self, session: Session) -> NodeTypes:
        """Returns the node types of the daemon, which it requests once."""
        if not self._types or self._types[0] != session.hello.instance_id:
            request = pb.Request(list_node_types=pb.ListNodeTypes())
            result = (await session.call(request, self._timeout_s)).list_node_types
            self._types = (session.hello.instance_id, NodeTypes(result.types))
        return self._types[1]

    # ---- Editing

    # With a `guard`, such as Guard(expected_change=graph.change_number), a change of which the condition does not hold
    # raises Aborted, with `conflict`.

    # With `confirm_within_s`, 1 to 600, the daemon reverts the change unless confirm() comes in time: also if this client
    # vanishes. The result has `confirmation`.

    def transaction(self, *, wait: bool = False, guard: pb.Guard | None = None,
                    confirm_within_s: int | None = None) -> Transaction:
        """Returns a list of edits that are applied together when its `async with` block ends. With `wait`, the block ends
        when they begin to be heard, and the result has the frame."""
        return Transaction(self, wait, guard, confirm_within_s)

    async def load(self, document: Document, *, wait: bool = False, guard: pb.Guard | None = None,
                   confirm_within_s: int | None = None) -> pb.TransactionResult:
        """Replaces the graph by a document: text, a dict or a message. Nodes that stay continue without interruption."""
        content = pb.ApplyTransaction(wait_for_start=wait, guard=guard, confirm_within_s=confirm_within_s)
        if isinstance(document, graph_pb2.Graph):
            content.graph.CopyFrom(document)
        else:
            content.document = _text(document)
        return await self._apply(content)

    async def check(self, document: Document, *, diff: bool = False, guard: pb.Guard | None = None) -> pb.CheckResult:
        """Validates and compiles a document without committing it. With `diff`, the result has the edits that turn the
        current graph into it."""
        content = pb.CheckGraph(with_diff=diff, guard=guard)
        if isinstance(document, graph_pb2.Graph):
            content.graph.CopyFrom(document)
        else:
            content.document = _text(document)
        return (await self.call(pb.Request(check_graph=content))).check_graph

    async def add(self, type: str, name: str, /, *, title: str = "", description: str = "",
                  guard: pb.Guard | None = None, **values: Setting) -> pb.TransactionResult:
        """Adds a node; see Edits.add()."""
        edits = Edits()
        edits.add(type, name, title=title, description=description, **values)
        return await self.apply_edits(edits, guard=guard)

    async def remove(self, *names: str, guard: pb.Guard | None = None) -> pb.TransactionResult:
        """Removes nodes with their connections."""
        edits = Edits()
        edits.remove(*names)
        return await self.apply_edits(edits, guard=guard)

    async def rename(self, name: str, new_name: str, *, guard: pb.Guard | None = None) -> pb.TransactionResult:
        """Renames a node. Its sound is not interrupted."""
        edits = Edits()
        edits.rename(name, new_name)
        return await self.apply_edits(edits, guard=guard)

    async def connect(self, source: str, target: str, gain_db: float | None = None, *,
                      guard: pb.Guard | None = None) -> pb.TransactionResult:
        """Connects an output to an input; see Edits.connect()."""
        edits = Edits()
        edits.connect(source, target, gain_db)
        return await self.apply_edits(edits, guard=guard)

    async def disconnect(self, source: str, target: str, *, guard: pb.Guard | None = None) -> pb.TransactionResult:
        """Removes a connection."""
        edits = Edits()
        edits.disconnect(source, target)
        return await self.apply_edits(edits, guard=guard)

    async def change_settings(self, node: str, /, *, guard: pb.Guard | None = None,
                              **settings: Setting) -> pb.TransactionResult:
        """Rebuilds a node with other settings, cross-faded."""
        edits = Edits()
        edits.change_settings(node, **settings)
        return await self.apply_edits(edits, guard=guard)

    async def describe(self, node: str = "", *, title: str | None = None, description: str | None = None,
                       guard: pb.Guard | None = None) -> pb.TransactionResult:
        """Sets the title or the description of a node, or, without a name, of the graph."""
        edits = Edits()
        edits.describe(node, title=title, description=description)
        return await self.apply_edits(edits, guard=guard)

    async def set_latency_compensation(self, enabled: bool, *, guard: pb.Guard | None = None) -> pb.TransactionResult:
        """Switches latency compensation on or off."""
        edits = Edits()
        edits.set_latency_compensation(enabled)
        return await self.apply_edits(edits, guard=guard)

    async def apply_edits(self, edits: Edits, wait: bool = False, guard: pb.Guard | None = None,
                          confirm_within_s: int | None = None) -> pb.TransactionResult:
        """Applies edits as a whole or not at all."""
        message = edits.message(await self.types_of(await self.session()))
        return await self._apply(pb.ApplyTransaction(edits=message, wait_for_start=wait, guard=guard,
                                                     confirm_within_s=confirm_within_s))

    async def check_edits(self, edits: Edits) -> pb.CheckResult:
        """Validates and compiles edits without committing them."""
        message = edits.message(await self.types_of(await self.session()))
        return (await self.call(pb.Request(check_graph=pb.CheckGraph(edits=message)))).check_graph

    async def undo(self, steps: int = 1, *, force: bool = False, of_all: bool = False, wait: bool = False,
                   confirm_within_s: int | None = None) -> pb.UndoResult:
        """Undoes the latest changes of the graph by the author of this client, as one transaction. `force`: also what
        others have changed since in the same places. `of_all`: also changes of other authors."""
        message = pb.Undo(steps=steps, force=force, of_all=of_all, wait_for_start=wait, confirm_within_s=confirm_within_s)
        return (await self.call(pb.Request(undo=message))).undo

    async def redo(self, steps: int = 1, *, force: bool = False, of_all: bool = False, wait: bool = False,
                   confirm_within_s: int | None = None) -> pb.UndoResult:
        """Applies again what the author has undone, the latest undone first. A new change ends this."""
        message = pb.Redo(steps=steps, force=force, of_all=of_all, wait_for_start=wait, confirm_within_s=confirm_within_s)
        return (await self.call(pb.Request(redo=message))).redo

    async def confirm(self, id: int | None = None) -> pb.OpenConfirmation:
        """Keeps the change that waits for its confirmation; `id`: only this one. status() has it as `confirmation`."""
        return (await self.call(pb.Request(confirm=pb.Confirm(id=id)))).confirm.confirmation

    async def revert(self, id: int | None = None, *, wait: bool = False) -> pb.UndoResult:
        """Reverts the change that waits for its confirmation now."""
        return (await self.call(pb.Request(revert=pb.Revert(id=id, wait_for_start=wait)))).revert

    async def history(self, steps: int = 20, *, before: int | None = None,
                      with_edits: bool = False) -> list[pb.HistoryStep]:
        """Returns the changes of all authors, the latest first; `before`: only those before this number."""
        message = pb.GetHistory(steps=steps, before=before, with_edits=with_edits)
        return list((await self.call(pb.Request(get_history=message))).get_history.steps)

    # ---- Parameters and the device output

    async def set(self, values: Values, *, ramp_ms: float | None = None,
                  guard: pb.Guard | None = None) -> pb.ParametersResult:
        """Sets parameters by `node.parameter`, all in one block or none. `ramp_ms`: 0 to 600000, default 20."""
        return await self._set(parameter_changes(values, ramp_ms), guard)

    async def change(self, values: Values, *, ramp_ms: float | None = None,
                     guard: pb.Guard | None = None) -> pb.ParametersResult:
        """Adds to parameters by `node.parameter`. `relative_changes` of the result has the new values."""
        return await self._set(parameter_changes(values, ramp_ms, relative=True), guard)

    async def toggle(self, *parameters: str, guard: pb.Guard | None = None) -> pb.ParametersResult:
        """Inverts on/off parameters, such as "vol.mute"."""
        changes = parameter_changes(dict.fromkeys(parameters, 0.0), None)
        for change in changes:
            change.ClearField("value")
            change.toggle = True
        return await self._set(changes, guard)

    async def mute(self, muted: bool = True) -> pb.MuteOutputResult:
        """Mutes or unmutes the device output, with a fade of 20 ms."""
        return (await self.call(pb.Request(mute_output=pb.MuteOutput(muted=muted)))).mute_output

    async def volume(self, volume_db: float | None = None, *, add_db: float | None = None) -> pb.SetVolumeResult:
        """Sets the gain of the device output, -120 (silence) to 12 dB, or adds to it. status() has the current one."""
        if (volume_db is None) == (add_db is None):
            raise InvalidArgument("volume: expected either volume_db or add_db")
        change = pb.SetVolume()
        if volume_db is not None:
            change.volume_db = number("volume_db", volume_db)
        else:
            change.add_db = number("add_db", add_db)
        return (await self.call(pb.Request(set_volume=change))).set_volume

    async def panic(self) -> pb.PanicResult:
        """Mutes the device output, then resets every processor. mute(False) unmutes it."""
        return (await self.call(pb.Request(panic=pb.Panic()))).panic

    # ---- Time

    async def time(self) -> pb.TimeResult:
        """Relates the engine's sample clock to CLOCK_MONOTONIC and UTC."""
        return (await self.call(pb.Request(get_time=pb.GetTime()))).get_time

    async def schedule(self, change: Edits | Values, at: Time, *, ramp_ms: float | None = None) -> pb.PendingEdit:
        """Makes a change later: edits, in the block that holds the frame of the time, or parameters by `node.parameter`, at
        exactly that frame. `at` is a frame of the sample clock, a timedelta from now, or a datetime with a time zone; at most
        24 hours ahead. The daemon keeps the change in memory: it survives this client, but not the daemon."""
        if isinstance(change, Edits):
            edits = change.message(await self.types_of(await self.session()))
            content = pb.ApplyTransaction(edits=edits, at=when(at))
            return (await self._apply(content)).pending
        changes = pb.SetParameters(changes=parameter_changes(change, ramp_ms), at=when(at))
        return (await self.call(pb.Request(set_parameters=changes))).set_parameters.pending

    async def pending(self) -> list[pb.PendingEdit]:
        """Returns the changes that wait for their time, the earliest first."""
        return list((await self.call(pb.Request(list_pending=pb.ListPending()))).list_pending.edits)

    async def cancel(self, id: int) -> pb.PendingEdit:
        """Cancels a change that waits for its time."""
        return (await self.call(pb.Request(cancel_pending=pb.CancelPending(id=id)))).cancel_pending.edit

    # ---- Scenes

    async def save_scene(self, name: str, *nodes: str) -> pb.SceneInfo:
        """Saves the graph as a scene, or only these nodes with the connections between them. Replaces a scene of that
        name."""
        return (await self.call(pb.Request(save_scene=pb.SaveScene(name=name, nodes=nodes)))).save_scene.scene

    async def recall_scene(self, name: str, *, fade_ms: float | None = None, wait: bool = False, at: Time | None = None,
                           guard: pb.Guard | None = None) -> pb.RecallSceneResult:
        """Makes the graph that of a scene, as one transaction. `fade_ms`: time in which parameters, and gains of
        connections, reach its values, 0 to 600000, default 20. With `at`, later; see schedule()."""
        message = pb.RecallScene(name=name, fade_ms=fade_ms, wait_for_start=wait, guard=guard,
                                 at=None if at is None else when(at))
        return (await self.call(pb.Request(recall_scene=message))).recall_scene

    async def scenes(self) -> list[pb.SceneInfo]:
        """Returns all scenes, sorted by name."""
        return list((await self.call(pb.Request(list_scenes=pb.ListScenes()))).list_scenes.scenes)

    async def rename_scene(self, name: str, new_name: str) -> pb.SceneInfo:
        """Renames a scene."""
        message = pb.RenameScene(name=name, new_name=new_name)
        return (await self.call(pb.Request(rename_scene=message))).rename_scene.scene

    async def remove_scene(self, name: str) -> pb.SceneInfo:
        """Removes a scene. The graph does not change."""
        return (await self.call(pb.Request(remove_scene=pb.RemoveScene(name=name)))).remove_scene.scene

    async def scene(self, name: str) -> pb.SceneResult:
        """Returns the graph of a scene, and in `diff` the edits with which a recall would change the current graph."""
        message = pb.GetScene(name=name, with_graph=True, with_diff=True)
        return (await self.call(pb.Request(get_scene=message))).get_scene

    async def reset_meters(self, *nodes: str) -> pb.ResetMetersResult:
        """Restarts the loudness measurement of these `meter` nodes, or of all."""
        return (await self.call(pb.Request(reset_meters=pb.ResetMeters(nodes=nodes)))).reset_meters

    async def set_device(self, device: str | None = None) -> pb.DeviceState:
        """Changes the device, while the graph keeps running. Without `device`, opens the requested one again."""
        request = pb.Request(set_device=pb.SetDevice(device=device))
        return (await self.call(request, at_least_s=_DEVICE_TIMEOUT_S)).set_device.device

    async def create_code(self, role: str = "") -> pb.CreateCodeResult:
        """Creates a one-time code, with which another client may enter within 2 minutes: "code:" and the code as its `token`.
        Without `role`, it has that of this client."""
        return (await self.call(pb.Request(create_code=pb.CreateCode(role=role)))).create_code

    # ---- Events

    def events(self, *topics: Topic, rate_hz: float | None = None) -> Subscription[pb.Event]:
        """Returns the events of these topics; without any, of all except node_loads. `rate_hz` of telemetry: 1 to 100,
        default 10; a client has one rate, the highest of its subscriptions."""
        return self._subscription(checked_topics(topics), rate_hz, lambda event: event)

    def meters(self, *, rate_hz: float | None = None) -> Subscription[pb.Levels]:
        """Returns the levels of the device output and of all `meter` nodes, `rate_hz` times per second."""
        return self._subscription(("levels",), rate_hz, lambda event: event.levels)

    def port_levels(self, ports: Mapping[str, bool] | Iterable[str], *,
                    rate_hz: float | None = None) -> Subscription[pb.PortLevels]:
        """Returns the levels of output ports ("node:port", or "node" for its only output), `rate_hz` times per second. A
        mapping says for each port whether its spectrum is measured, too."""
        return self._subscription((), rate_hz, lambda event: event.port_levels, watches_of(ports))

    def mirror(self, *, retry_s: tuple[float, float] = (0.1, 5.0), silence_s: float = 15.0) -> Mirror:
        """Returns a copy of the graph that follows the daemon while its `async with` block runs, through reconnections.

        `retry_s` are the shortest and the longest pause between attempts to connect. After `silence_s` without an event,
        it checks that the daemon still answers.
        """
        return Mirror(self, retry_s, silence_s)

    async def open_queue(self, topics: Iterable[Topic], rate_hz: float | None, watches: Mapping[str, bool] | None = None,
                         resume: pb.Subscribe | None = None) -> tuple[EventQueue, pb.SubscribeResult, Session]:
        """Subscribes. Used by subscriptions and mirrors."""
        session = await self.session()
        queue = EventQueue(topics, rate_hz, watches)
        return queue, await session.subscribe(queue, self._timeout_s, resume), session

    async def close_queue(self, queue: EventQueue) -> None:
        if self._session and not self._closed:
            await self._session.unsubscribe(queue, self._timeout_s)

    def _subscription(self, topics: tuple[Topic, ...], rate_hz: float | None, convert: Callable[[pb.Event], T],
                      watches: Mapping[str, bool] | None = None) -> Subscription[T]:
        async def open_queue() -> EventQueue:
            return (await self.open_queue(topics, rate_hz, watches))[0]

        return Subscription(open_queue, self.close_queue, convert)

    # ---- Helpers

    async def _apply(self, content: pb.ApplyTransaction) -> pb.TransactionResult:
        request = pb.Request(apply_transaction=content)
        # The daemon gives up before the client does, and its error has the revision. At most 60 s.
        request.timeout_ms = max(1, min(60_000, int(self._timeout_s * 500)))
        return (await self.call(request)).apply_transaction

    async def _set(self, changes: list[pb.SetParameter], guard: pb.Guard | None) -> pb.ParametersResult:
        request = pb.Request(set_parameters=pb.SetParameters(changes=changes, guard=guard))
        return (await self.call(request)).set_parameters


def _text(document: str | Mapping[str, Any]) -> str:
    if isinstance(document, str):
        return document
    try:
        return json.dumps(document, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"the document cannot be written as JSON: {error}") from error
