# SPDX-License-Identifier: MIT
"""Edits the graph at random, then adds a node named `the_end`.

    edit_at_random.py HOST PORT SEED COUNT
"""
import random
import sys

from rtad import Client, Refused, ask, pb

SETTINGS = {"gain": ["channels"], "sine": ["channels"], "mixer": ["inputs", "channels"],
            "equalizer": ["bands", "kind_1", "kind_2", "kind_3", "kind_4"]}
KINDS = ["lowpass", "highpass", "notch", "peaking", "high_shelf"]


class Editor:
    def __init__(self, client, chance):
        self.client = client
        self.chance = chance
        self.added = 0
        self.saved = []
        self.done = {}

    def run(self, count):
        """Makes `count` edits. The last third do not replace the graph, so that a mirror keeps its mistakes to the end."""
        edits = [self.add, self.add, self.remove, self.rename, self.connect, self.connect, self.connect, self.disconnect,
                 self.set_parameter, self.change_settings, self.lower_bands, self.compensate, self.describe, self.several,
                 self.parameters]
        last = count // 3
        self.run_kinds([*edits, self.replace, self.undo], count - last)
        self.run_kinds(edits, last)

    def run_kinds(self, kinds, count):
        for _ in range(count):
            self.graph = ask(self.client, "get_graph")
            kind = self.chance.choice(kinds)
            request = pb.Request()
            if kind(request) is False:
                continue
            try:
                self.client.call(request)
                self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1
            except Refused as refused:
                assert refused.status.code in (pb.FAILED_PRECONDITION, pb.INVALID_ARGUMENT, pb.NOT_FOUND), refused

    def node(self):
        return self.chance.choice(self.graph.graph.nodes) if self.graph.graph.nodes else None

    def new_name(self):
        self.added += 1
        return f"n{self.added}"

    def edit(self, request):
        return request.apply_transaction.edits.edits.add()

    def add(self, request):
        node = self.edit(request).add_node
        node.name, node.type = self.new_name(), self.chance.choice(list(SETTINGS))
        if self.chance.random() < 0.5:
            node.settings["channels"] = self.chance.randint(1, 2)
        if node.type == "mixer" and self.chance.random() < 0.7:
            node.settings["inputs"] = self.chance.randint(1, 4)
        if node.type == "equalizer":
            node.settings["kind_3"] = self.chance.choice(KINDS)
        if node.type == "gain":
            node.parameters["gain_db"] = self.chance.uniform(-60, 0)

    def remove(self, request):
        if not self.node():
            return False
        self.edit(request).remove_node.name = self.node().name

    def rename(self, request):
        if not self.node():
            return False
        edit = self.edit(request).rename_node
        edit.name, edit.new_name = self.node().name, self.new_name()

    def connect(self, request):
        if not self.node():
            return False
        connection = self.edit(request).connect
        target = self.node()
        port = f":in_{self.chance.randint(1, 4)}" if target.type == "mixer" else self.chance.choice(["", ":in"])
        setattr(connection, "from", self.node().name + self.chance.choice(["", ":out"]))
        connection.to = target.name + port
        if self.chance.random() < 0.6:
            connection.gain_db = self.chance.uniform(-60, 6)

    def disconnect(self, request):
        if not self.graph.graph.connections:
            return False
        connection = self.chance.choice(self.graph.graph.connections)
        edit = self.edit(request).disconnect
        setattr(edit, "from", getattr(connection, "from"))
        edit.to = connection.to

    def change(self, change):
        node = self.node()
        change.node, change.parameter = node.name, self.chance.choice(sorted(node.parameters))
        change.value = self.chance.choice([0, 1]) if change.parameter.startswith(("mute", "invert", "bypass")) \
            else self.chance.uniform(20, 2000) if change.parameter.startswith("frequency") \
            else self.chance.uniform(0.1, 10) if change.parameter.startswith("q_") else self.chance.uniform(-60, 0)

    def set_parameter(self, request):
        if not self.node():
            return False
        self.change(self.edit(request).set_parameter)

    def parameters(self, request):
        if not self.node():
            return False
        for _ in range(self.chance.randint(1, 5)):
            self.change(request.set_parameters.changes.add())

    def change_settings(self, request):
        node = self.node()
        if not node or node.type not in SETTINGS:
            return False
        edit = self.edit(request).change_settings
        edit.node = node.name
        setting = self.chance.choice(SETTINGS[node.type])
        edit.settings[setting] = self.chance.choice(KINDS) if setting.startswith("kind") else self.chance.randint(1, 4)

    def lower_bands(self, request):
        """Lowers the number of bands below a kind that was given, which is then removed."""
        kinds = [(node.name, int(setting.removeprefix("kind_"))) for node in self.graph.graph.nodes
                 for setting in sorted(node.settings) if setting.startswith("kind_") and setting != "kind_1"]
        if not kinds:
            return False
        edit = self.edit(request).change_settings
        edit.node, number = self.chance.choice(kinds)
        edit.settings["bands"] = self.chance.randint(1, number - 1)

    def compensate(self, request):
        self.edit(request).set_latency_compensation.enabled = self.chance.random() < 0.5

    def describe(self, request):
        edit = self.edit(request).describe
        edit.node = self.node().name if self.node() and self.chance.random() < 0.7 else ""
        setattr(edit, self.chance.choice(["title", "description"]), self.chance.choice(["", "first", "second"]))

    def several(self, request):
        for kind in self.chance.sample([self.add, self.add, self.remove, self.rename, self.connect], 3):
            kind(request)

    def replace(self, request):
        """Replaces the graph by a copy without some of the nodes and parameters."""
        if self.chance.random() < 0.5:
            return False
        self.saved.append(self.graph.document)
        kept = [node for node in self.graph.graph.nodes if self.chance.random() < 0.8]
        names = {node.name for node in kept}
        graph = request.apply_transaction.graph
        graph.SetInParent()
        for node in kept:
            copy = graph.nodes.add()
            copy.CopyFrom(node)
            if self.chance.random() < 0.3:
                copy.ClearField("parameters")
        for connection in self.graph.graph.connections:
            if {getattr(connection, "from").partition(":")[0], connection.to.partition(":")[0]} <= names:
                graph.connections.add().CopyFrom(connection)

    def undo(self, request):
        """Loads a document saved earlier."""
        if not self.saved:
            return False
        request.apply_transaction.document = self.saved.pop()


def main(host, port, seed, count):
    client = Client(host, int(port), "edit_at_random.py")
    editor = Editor(client, random.Random(int(seed)))
    editor.run(int(count))
    request = pb.Request()
    end = request.apply_transaction.edits.edits.add().add_node
    end.name, end.type = "the_end", "gain"
    client.call(request)
    print(f"edits made: {editor.done}")
    never = {"add", "remove", "rename", "connect", "disconnect", "set_parameter", "change_settings", "lower_bands",
             "compensate", "describe", "several", "parameters", "replace", "undo"} - set(editor.done)
    if never:
        sys.exit(f"these kinds of edit were never made: {never}")


if __name__ == "__main__":
    main(*sys.argv[1:])
