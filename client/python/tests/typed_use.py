# SPDX-License-Identifier: MIT
"""Not run: mypy checks that users of the library get these types (target python_types)."""
from typing import assert_type

import rta
from rta.v1 import control_pb2 as pb


async def asynchronous() -> None:
    async with rta.connect("127.0.0.1:7340", token="t", fingerprint="SHA256:x") as client:
        assert_type(client, rta.Client)
        assert_type(await client.status(), pb.StatusResult)
        assert_type(await client.graph(), rta.Graph)
        assert_type(await client.add("gain", "vol", gain_db=-6, mute=True), pb.TransactionResult)
        assert_type(await client.set({"vol.gain_db": -6}, guard=rta.Guard(expected_change=7)), pb.ParametersResult)
        assert_type((await client.graph()).nodes["vol"], rta.Node)
        async for event in client.events("changes", "levels"):
            assert_type(event, rta.Event)
        async for levels in client.meters():
            assert_type(levels, rta.Levels)
        async for ports in client.port_levels({"vol": True}):
            assert_type(ports, pb.PortLevels)
        async with client.mirror() as mirror, client.transaction() as transaction:
            assert_type(await mirror.wait_for(lambda graph: graph.nodes), rta.Graph)
            transaction.connect("a", "b", gain_db=-3)
            assert_type(transaction.result, pb.TransactionResult | None)
        await client.set({"vol.gain_db": "loud"})  # type: ignore[dict-item]
        client.events("level")  # type: ignore[arg-type]


def blocking() -> None:
    with rta.sync.connect("127.0.0.1:7340", token="t") as client:
        assert_type(client.status(), pb.StatusResult)
        assert_type(client.add("gain", "vol", gain_db=-6, mute=True), pb.TransactionResult)
        for event in client.events("changes"):
            assert_type(event, rta.Event)
        for levels in client.meters():
            assert_type(levels, rta.Levels)
        for ports in client.port_levels(["vol"]):
            assert_type(ports, pb.PortLevels)
        with client.mirror() as mirror, client.transaction() as transaction:
            assert_type(mirror.wait_for(lambda graph: graph.nodes, timeout=1), rta.Graph)
            transaction.add("gain", "vol", gain_db=-6)
        client.set({"vol.gain_db": "loud"})  # type: ignore[dict-item]
        rta.sync.connect(secret=1)  # type: ignore[call-arg]
