# SPDX-License-Identifier: MIT
"""Edits of a graph, collected for one transaction."""
from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, SupportsFloat

from rta.errors import InvalidArgument
from rta.graph import NodeTypes, Setting, split_name
from rta.v1 import control_pb2 as pb
from rta.v1 import graph_pb2

if TYPE_CHECKING:
    from rta.client import Client

Values = Mapping[str, float]


class Edits:
    """A list of edits. Each method appends one; nothing is sent. Names, units and ranges are those of docs/nodes.md."""

    def __init__(self) -> None:
        self._edits: list[pb.Edit] = []
        # Of nodes to add: which of them are settings is known when the edits are sent.
        self._values: list[tuple[graph_pb2.Node, dict[str, Setting]]] = []

    def __len__(self) -> int:
        return len(self._edits)

    def add(self, type: str, name: str, /, *, title: str = "", description: str = "", **values: Setting) -> None:
        """Adds a node. `values` are its settings and parameters; those that are left out have their defaults."""
        edit = self._append(pb.Edit(add_node=graph_pb2.Node(name=name, type=type, title=title, description=description)))
        self._values.append((edit.add_node, values))

    def remove(self, *names: str) -> None:
        """Removes nodes with their connections."""
        for name in names:
            self._append(pb.Edit(remove_node=pb.RemoveNode(name=name)))

    def rename(self, name: str, new_name: str) -> None:
        """Renames a node. Its sound is not interrupted."""
        self._append(pb.Edit(rename_node=pb.RenameNode(name=name, new_name=new_name)))

    def connect(self, source: str, target: str, gain_db: float | None = None) -> None:
        """Connects an output to an input, each `node:port`, or `node` if it has only one. If they are connected, the gain
        ramps to the new value. `gain_db`: -120 (silence) to 24, default 0."""
        edit = self._append(pb.Edit(connect=graph_pb2.Connection(**_ends(source, target))))
        if gain_db is not None:
            edit.connect.gain_db = number("gain_db", gain_db)

    def disconnect(self, source: str, target: str) -> None:
        """Removes a connection."""
        self._append(pb.Edit(disconnect=pb.Disconnect(**_ends(source, target))))

    def set(self, values: Values, *, ramp_ms: float | None = None) -> None:
        """Sets parameters, by `node.parameter`. `ramp_ms`: 0 to 600000, default 20."""
        for change in parameter_changes(values, ramp_ms):
            self._append(pb.Edit(set_parameter=change))

    def change_settings(self, node: str, /, **settings: Setting) -> None:
        """Rebuilds a node with other settings, cross-faded."""
        edit = self._append(pb.Edit(change_settings=pb.ChangeSettings(node=node)))
        for name, value in settings.items():
            set_setting(edit.change_settings.settings, name, value)
        edit.change_settings.settings.SetInParent()

    def describe(self, node: str = "", *, title: str | None = None, description: str | None = None) -> None:
        """Sets the title or the description of a node, or, without a name, of the graph."""
        self._append(pb.Edit(describe=pb.Describe(node=node, title=title, description=description)))

    def set_latency_compensation(self, enabled: bool) -> None:
        """Switches latency compensation on or off."""
        self._append(pb.Edit(set_latency_compensation=pb.SetLatencyCompensation(enabled=enabled)))

    def message(self, types: NodeTypes) -> pb.EditList:
        """Returns the edits as a message."""
        for node, values in self._values:
            for name, value in values.items():
                # The daemon refuses unknown names, and says which it knows.
                known = types.is_parameter(node.type, name)
                if types.is_setting(node.type, name) or (not known and isinstance(value, str)):
                    set_setting(node.settings, name, value)
                else:
                    node.parameters[name] = number(f"{node.name}.{name}", value)
        return pb.EditList(edits=self._edits)

    def _append(self, edit: pb.Edit) -> pb.Edit:
        self._edits.append(edit)
        return edit


class Transaction(Edits):
    """Edits that are applied when the `async with` block ends, as a whole or not at all; not if the block raises.

    `result` is then the TransactionResult. A block without edits sends nothing.
    """

    def __init__(self, client: Client, wait: bool, guard: pb.Guard | None = None,
                 confirm_within_s: int | None = None) -> None:
        super().__init__()
        self._client, self._wait, self._guard, self._confirm_within_s = client, wait, guard, confirm_within_s
        self.result: pb.TransactionResult | None = None

    async def __aenter__(self) -> Transaction:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        if kind is None and len(self):
            self.result = await self._client.apply_edits(self, self._wait, self._guard, self._confirm_within_s)

    async def check(self) -> pb.CheckResult:
        """Validates and compiles the edits so far without committing them. Raises the error that the commit would raise."""
        return await self._client.check_edits(self)


def parameter_changes(values: Values, ramp_ms: float | None, relative: bool = False) -> list[pb.SetParameter]:
    """Returns a message for each `node.parameter`."""
    changes = []
    for name, value in values.items():
        parts = split_name(name)
        if not parts:
            raise InvalidArgument(f'invalid parameter "{name}": expected NODE.PARAMETER, such as "vol.gain_db"')
        change = pb.SetParameter(node=parts[0], parameter=parts[1], ramp_ms=ramp_ms)
        if relative:
            change.add = number(name, value)
        else:
            change.value = number(name, value)
        changes.append(change)
    return changes


def _ends(source: str, target: str) -> dict[str, Any]:
    return {"from": source, "to": target}  # `from` is a keyword of Python


def set_setting(settings: Any, name: str, value: Setting) -> None:
    """Stores a setting in a google.protobuf.Struct."""
    if not isinstance(value, (bool, int, float, str)):
        raise InvalidArgument(f'{name} = {value!r}: expected a number, text, True or False')
    settings[name] = value


def number(name: str, value: object) -> float:
    """Returns the value of a parameter: a number, or True and False for on and off."""
    if not isinstance(value, SupportsFloat):
        raise InvalidArgument(f'{name} = {value!r}: expected a number, True or False')
    try:
        return float(value)
    except OverflowError as error:
        raise InvalidArgument(f'{name}: the number is too large; expected a float') from error
