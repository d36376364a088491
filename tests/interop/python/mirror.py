# SPDX-License-Identifier: MIT
"""Mirrors the daemon's graph from events alone.

It subscribes first and then requests the graph, so that no change is lost between the two. Change numbers have no gaps; the
graph already contains the changes up to its change_number.
"""
import itertools
import struct

from rtad import pb


class Gap(Exception):
    """A change is missing: request the graph again."""


class Graph:
    """All nodes and connections, with every setting and parameter, and with full port names."""

    def __init__(self, types):
        self.types = {node_type.name: node_type for node_type in types}
        self.nodes = {}
        self.connections = {}  # gain_db by (from, to)
        self.latency_compensation = False
        self.texts = {"title": "", "description": ""}

    def __eq__(self, other):
        return (self.nodes == other.nodes and self.connections == other.connections
                and self.latency_compensation == other.latency_compensation and self.texts == other.texts)

    def replace(self, graph):
        self.nodes = {}
        self.connections = {}
        for node in graph.nodes:
            self.add(node)
        for connection in graph.connections:
            self.connect(connection)
        self.latency_compensation = graph.latency_compensation
        self.texts = {"title": graph.title, "description": graph.description}

    def apply(self, edit):
        kind = edit.WhichOneof("edit")
        if kind == "add_node":
            self.add(edit.add_node)
        elif kind == "remove_node":
            self.remove(edit.remove_node.name)
        elif kind == "rename_node":
            self.rename(edit.rename_node.name, edit.rename_node.new_name)
        elif kind == "connect":
            self.connect(edit.connect)
        elif kind == "disconnect":
            del self.connections[self.ends(edit.disconnect)]
        elif kind == "set_parameter":
            self.set(edit.set_parameter)
        elif kind == "change_settings":
            self.change_settings(edit.change_settings.node, dict(edit.change_settings.settings))
        elif kind == "set_latency_compensation":
            self.latency_compensation = edit.set_latency_compensation.enabled
        elif kind == "describe":
            texts = self.nodes[edit.describe.node]["texts"] if edit.describe.node else self.texts
            texts.update({field.name: value for field, value in edit.describe.ListFields() if field.name != "node"})
        elif kind == "replace_graph":
            self.replace(edit.replace_graph)
        else:
            raise Gap("unknown kind of edit")

    def add(self, node):
        settings = self.all_settings(node.type, dict(node.settings))
        parameters = self.defaults(node.type, settings)
        parameters.update(node.parameters)
        self.nodes[node.name] = {"type": node.type, "settings": settings, "parameters": parameters,
                                 "texts": {"title": node.title, "description": node.description}}

    def remove(self, name):
        del self.nodes[name]
        self.connections = {ends: gain for ends, gain in self.connections.items()
                            if name not in (node_of(ends[0]), node_of(ends[1]))}

    def rename(self, name, new_name):
        def renamed(port):
            return new_name + port[len(name):] if node_of(port) == name else port
        self.nodes[new_name] = self.nodes.pop(name)
        self.connections = {(renamed(ends[0]), renamed(ends[1])): gain for ends, gain in self.connections.items()}

    def connect(self, connection):
        self.connections[self.ends(connection)] = connection.gain_db  # 0 if omitted

    def set(self, change):
        self.nodes[change.node]["parameters"][change.parameter] = change.value

    def change_settings(self, name, settings):
        node = self.nodes[name]
        node["settings"] = self.all_settings(node["type"], {**node["settings"], **settings})
        kept = node["parameters"]
        node["parameters"] = {parameter: kept.get(parameter, default)
                              for parameter, default in self.defaults(node["type"], node["settings"]).items()}

    def defaults(self, type_name, settings):
        """Returns all parameters of a node with their defaults. A # in a name stands for a number from 1."""
        found = {}
        for row in self.types[type_name].parameters:
            for numbers in itertools.product(*(range(1, count(repeat, settings) + 1) for repeat in row.repeated_by)):
                factor = row.default_factor ** (numbers[0] - 1) if row.HasField("default_factor") else 1
                default = min(max(row.default * factor, row.minimum), row.maximum)
                found[numbered(row.name, numbers)] = float32(default)
        return found

    def all_settings(self, type_name, given):
        """Returns all settings of a node: the given values, or the defaults. Drops those beyond a count that was lowered."""
        rows = self.types[type_name].settings
        found = {row.name: given.get(row.name, plain(row.default)) for row in rows if not row.HasField("repeated_by")}
        for row in rows:
            if row.HasField("repeated_by"):
                names = [numbered(row.name, [number + 1]) for number in range(count(row.repeated_by, found))]
                found.update((name, given.get(name, plain(row.default))) for name in names)
        return found

    def ends(self, connection):
        return (self.full(getattr(connection, "from"), "outputs"), self.full(connection.to, "inputs"))

    def full(self, port, direction):
        """Returns `node:port`; the port may be omitted if the node has only one."""
        if ":" in port:
            return port
        node = self.nodes[port]
        first = getattr(self.types[node["type"]], direction)[0]
        return f"{port}:{first.name.replace('#', '1')}"


class Mirror:
    """The graph, its revision and the number of the latest change in it."""

    def __init__(self, client):
        self.client = client
        self.graph = Graph(ask(client, "list_node_types").types)
        request = pb.Request()
        request.subscribe.topics.append(pb.TOPIC_CHANGES)
        client.call(request)
        now = ask(client, "get_graph")
        self.graph.replace(now.graph)
        self.revision = now.revision
        self.number = now.change_number

    def follow(self):
        """Applies the next event, and returns it."""
        event = self.client.event()
        if event.number <= self.number:
            return event  # already in the graph
        if event.number != self.number + 1:
            raise Gap(f"change {event.number} follows {self.number}")
        self.number = event.number
        kind = event.WhichOneof("event")
        if kind == "graph_changed":
            for edit in event.graph_changed.edits:
                self.graph.apply(edit)
            self.revision = event.graph_changed.revision
        elif kind == "parameters_changed":
            for change in event.parameters_changed.changes:
                self.graph.set(change)
        return event


def ask(client, what):
    """Sends a request without fields, and returns its result."""
    request = pb.Request()
    getattr(request, what).SetInParent()
    return getattr(client.call(request), what)


def node_of(port):
    return port.partition(":")[0]


def plain(value):
    """Returns the value of a google.protobuf.Value."""
    kind = value.WhichOneof("kind")
    return getattr(value, kind) if kind else None


def count(repeat, settings):
    return int(settings[repeat.setting]) - repeat.less


def numbered(name, numbers):
    for number in numbers:
        name = name.replace("#", str(number), 1)
    return name


def float32(number):
    return struct.unpack("f", struct.pack("f", number))[0]
