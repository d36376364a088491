# SPDX-License-Identifier: MIT
"""Graphs as values, and how edits change them."""
from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf import struct_pb2

from rta.v1 import control_pb2 as pb
from rta.v1 import graph_pb2

Setting = bool | int | float | str
Ports = tuple[str, str]  # from and to, as `node:port`


class UnknownEdit(Exception):
    """An edit that this version cannot apply: request the graph again."""


@dataclass(frozen=True)
class Node:
    """A node with all its settings and parameters, including those that have their defaults."""

    type: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    title: str = ""
    description: str = ""


@dataclass(frozen=True)
class Graph:
    """A graph at one moment; it never changes. `connections` maps (from, to), as `node:port`, to the gain in dB.

    `revision` and `change_number` are those of the daemon; graphs are compared without them.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict)
    connections: Mapping[Ports, float] = field(default_factory=dict)
    latency_compensation: bool = False
    title: str = ""
    description: str = ""
    revision: int = field(default=0, compare=False)
    change_number: int = field(default=0, compare=False)

    def parameter(self, name: str) -> float:
        """Returns the value of `node.parameter`. KeyError: none."""
        node, _, parameter = name.partition(".")
        return self.nodes[node].parameters[parameter]


class NodeTypes:
    """The node types of a daemon: the defaults of what messages omit."""

    def __init__(self, types: Iterable[pb.NodeType]) -> None:
        self._types = {node_type.name: node_type for node_type in types}

    def is_setting(self, type_name: str, name: str) -> bool:
        rows = self._types[type_name].settings if type_name in self._types else []
        return any(_fits(row.name, name) for row in rows)

    def is_parameter(self, type_name: str, name: str) -> bool:
        rows = self._types[type_name].parameters if type_name in self._types else []
        return any(_fits(row.name, name) for row in rows)

    def settings(self, type_name: str, given: Mapping[str, Any]) -> dict[str, Setting]:
        """Returns all settings of a node: the given values, or the defaults, without those beyond a count that was
        lowered."""
        rows = self._type(type_name).settings
        found: dict[str, Setting] = {}
        for row in sorted(rows, key=lambda row: bool(row.HasField("repeated_by"))):  # the counts first
            count = _count(row.repeated_by, found) if row.HasField("repeated_by") else 1
            for number in range(1, count + 1):
                name = _numbered(row.name, [number])
                value = given.get(name, _plain(row.default))
                found[name] = int(value) if row.kind == "integer" else value
        return found

    def parameters(self, type_name: str, settings: Mapping[str, Setting]) -> dict[str, float]:
        """Returns all parameters of a node with their defaults."""
        found = {}
        for row in self._type(type_name).parameters:
            counts = [range(1, _count(repeat, settings) + 1) for repeat in row.repeated_by]
            maximum = row.maximum
            if row.maximum_setting:
                maximum = min(maximum, _float32(float(settings[row.maximum_setting])))
            defaults = [min(row.default, maximum)]
            for numbers in itertools.product(*counts):
                while numbers and len(defaults) < numbers[0]:
                    following = _float32(defaults[-1] * row.default_factor) if row.HasField("default_factor") else defaults[-1]
                    defaults.append(min(max(following, row.minimum), maximum))
                found[_numbered(row.name, numbers)] = defaults[numbers[0] - 1 if numbers else 0]
        return found

    def port(self, node_type: str, settings: Mapping[str, Setting], output: bool) -> str:
        """Returns the name of the first output or input of a node: the one that may be omitted."""
        rows = self._type(node_type).outputs if output else self._type(node_type).inputs
        for row in rows:
            if not row.HasField("repeated_by") or _count(row.repeated_by, settings) > 0:
                return _numbered(row.name, [1])
        raise UnknownEdit(f"type {node_type} has no {'output' if output else 'input'}")

    def _type(self, name: str) -> pb.NodeType:
        if name not in self._types:
            raise UnknownEdit(f"unknown node type {name}")
        return self._types[name]


def graph_of(message: graph_pb2.Graph, types: NodeTypes, revision: int = 0, change_number: int = 0) -> Graph:
    """Returns the graph of a message, with the defaults of what it omits."""
    draft = _Draft(Graph(), types)
    draft.replace_graph(message)
    return draft.graph(revision, change_number)


def applied(graph: Graph, event: pb.Event, types: NodeTypes) -> Graph:
    """Returns the graph after the change of an event. UnknownEdit: request the graph again."""
    draft = _Draft(graph, types)
    kind = event.WhichOneof("event")
    revision = graph.revision
    if kind == "graph_changed":
        revision = event.graph_changed.revision
        for edit in event.graph_changed.edits:
            draft.apply(edit)
    elif kind == "parameters_changed":
        for change in event.parameters_changed.changes:
            draft.set_parameter(change)
    else:
        return replace(graph, change_number=event.number)  # without copies
    return draft.graph(revision, event.number)


class _Draft:
    """A graph while edits are applied. Copies a node, and the connections, when they are first changed."""

    def __init__(self, graph: Graph, types: NodeTypes) -> None:
        self._types = types
        self._nodes = dict(graph.nodes)
        self._connections = graph.connections
        self._copied_connections: dict[Ports, float] | None = None
        self._graph = graph
        self._parameters: dict[str, dict[str, float]] = {}  # of the nodes that are copied

    def graph(self, revision: int, change_number: int) -> Graph:
        return replace(self._graph, nodes=self._nodes, connections=self._connections, revision=revision,
                       change_number=change_number)

    def apply(self, edit: pb.Edit) -> None:
        kind = edit.WhichOneof("edit")
        if kind is None:
            raise UnknownEdit("unknown kind of edit")
        method = getattr(self, kind, None)
        if method is None:
            raise UnknownEdit(f"unknown kind of edit: {kind}")
        try:
            method(getattr(edit, kind))
        except KeyError as error:
            raise UnknownEdit(f"{kind} of {error}, which is not in the graph") from error

    def add_node(self, node: graph_pb2.Node) -> None:
        settings = self._types.settings(node.type, dict(node.settings))
        parameters = self._types.parameters(node.type, settings)
        parameters.update(node.parameters)
        self._put(node.name, Node(node.type, settings, parameters, node.title, node.description), parameters)

    def remove_node(self, edit: pb.RemoveNode) -> None:
        del self._nodes[edit.name]
        self._parameters.pop(edit.name, None)
        self._use({ports: gain for ports, gain in self._connections.items()
                   if edit.name not in (_node_of(ports[0]), _node_of(ports[1]))})

    def rename_node(self, edit: pb.RenameNode) -> None:
        def renamed(port: str) -> str:
            return edit.new_name + port[len(edit.name):] if _node_of(port) == edit.name else port
        self._nodes[edit.new_name] = self._nodes.pop(edit.name)
        if edit.name in self._parameters:
            self._parameters[edit.new_name] = self._parameters.pop(edit.name)
        self._use({(renamed(ports[0]), renamed(ports[1])): gain for ports, gain in self._connections.items()})

    def connect(self, edit: graph_pb2.Connection) -> None:
        self._own_connections()[self._ports(edit)] = edit.gain_db  # 0 if omitted

    def disconnect(self, edit: pb.Disconnect) -> None:
        del self._own_connections()[self._ports(edit)]

    def set_parameter(self, change: pb.SetParameter) -> None:
        if change.node not in self._parameters:
            if change.node not in self._nodes:
                raise UnknownEdit(f"parameter of {change.node}, which is not in the graph")
            node = self._nodes[change.node]
            parameters = dict(node.parameters)
            self._put(change.node, replace(node, parameters=parameters), parameters)
        self._parameters[change.node][change.parameter] = change.value

    def change_settings(self, edit: pb.ChangeSettings) -> None:
        node = self._nodes[edit.node]
        given = {**node.settings, **dict(edit.settings)}
        kept = {name: value for name, value in given.items() if name not in edit.defaults}
        settings = self._types.settings(node.type, kept)
        parameters = {name: node.parameters.get(name, default)
                      for name, default in self._types.parameters(node.type, settings).items()}
        self._put(edit.node, replace(node, settings=settings, parameters=parameters), parameters)

    def set_latency_compensation(self, edit: pb.SetLatencyCompensation) -> None:
        self._graph = replace(self._graph, latency_compensation=edit.enabled)

    def describe(self, edit: pb.Describe) -> None:
        texts: dict[str, Any] = {name: getattr(edit, name) for name in ("title", "description") if edit.HasField(name)}
        if edit.node:
            self._nodes[edit.node] = replace(self._nodes[edit.node], **texts)
        else:
            self._graph = replace(self._graph, **texts)

    def replace_graph(self, graph: graph_pb2.Graph) -> None:
        self._nodes, self._parameters = {}, {}
        self._use({})
        for node in graph.nodes:
            self.add_node(node)
        for connection in graph.connections:
            self.connect(connection)
        self._graph = Graph(latency_compensation=graph.latency_compensation, title=graph.title,
                            description=graph.description)

    def _put(self, name: str, node: Node, parameters: dict[str, float]) -> None:
        self._nodes[name] = node
        self._parameters[name] = parameters

    def _own_connections(self) -> dict[Ports, float]:
        if self._copied_connections is None:
            return self._use(dict(self._connections))
        return self._copied_connections

    def _use(self, connections: dict[Ports, float]) -> dict[Ports, float]:
        self._connections = self._copied_connections = connections
        return connections

    def _ports(self, edit: graph_pb2.Connection | pb.Disconnect) -> Ports:
        return self._port(getattr(edit, "from"), output=True), self._port(edit.to, output=False)

    def _port(self, text: str, output: bool) -> str:
        if ":" in text:
            return text
        node = self._nodes[text]
        return f"{text}:{self._types.port(node.type, node.settings, output)}"


def _fits(pattern: str, name: str) -> bool:
    """Whether a name is that of a row, in which # stands for a number from 1."""
    return re.fullmatch(re.escape(pattern).replace(r"\#", "[1-9][0-9]*"), name) is not None


def _node_of(port: str) -> str:
    return port.partition(":")[0]


def _plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    return getattr(value, kind) if kind else 0


def _count(repeat: pb.RepeatInfo, settings: Mapping[str, Setting]) -> int:
    return int(settings[repeat.setting]) - repeat.less


def _numbered(name: str, numbers: Sequence[int]) -> str:
    for number in numbers:
        name = name.replace("#", str(number), 1)
    return name


def _float32(number: float) -> float:
    rounded: float = struct.unpack("f", struct.pack("f", number))[0]
    return rounded


def split_name(name: str) -> tuple[str, str] | None:
    """Returns the node and the parameter of `node.parameter`."""
    node, dot, parameter = name.partition(".")
    return (node, parameter) if node and dot and parameter else None
