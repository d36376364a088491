# SPDX-License-Identifier: MIT
"""Plays a chain and edits it. Then mirrors the graph until a node named `the_end` is added, and compares the mirror with
the graph of the daemon. Uses the library of client/python.

    follow.py                    the daemon is that of RTACTL_HOST and RTACTL_TOKEN_FILE
    follow.py PREFIX COUNT       over connections that are cut: adds 1 dB to PREFIX_0.gain_db and so on, instead of playing
"""
import asyncio
import sys

import rta
from rta.v1 import control_pb2 as pb

PAUSE_S = 0.02


async def play_and_edit(client):
    async with client.transaction(wait=True) as t:
        t.add("sine", "osc", frequency_hz=440)
        t.add("gain", "vol", gain_db=-12)
        t.add("output", "out", channels=2)
        t.connect("osc", "vol")
        t.connect("vol", "out")
    print(f"revision {t.result.revision} takes effect at frame {t.result.frame}")

    await client.set({"osc.frequency_hz": 660}, ramp_ms=100)

    # Add a second tone in one transaction, which is applied as a whole or not at all.
    async with client.transaction() as t:
        t.add("sine", "fifth", frequency_hz=990)
        t.connect("fifth", "vol", gain_db=-6)

    try:
        await client.remove("ghost")
        sys.exit("an unknown node was removed")
    except rta.NotFound as error:
        print(f"refused, as expected: {error}")


async def edit_once(client, prefix, count):
    """Makes relative changes, which must not be repeated: after a lost connection, it is unknown whether they took effect."""
    for number in range(count):
        try:
            await client.change({f"{prefix}_{number}.gain_db": 1})
            print("applied", number)
        except rta.Unavailable:
            print("unknown", number)
            await asyncio.sleep(PAUSE_S)
    print("edited", flush=True)


async def ask(client, request):
    """Sends a request that changes nothing, until it succeeds."""
    while True:
        try:
            return await client.call(request)
        except rta.Unavailable:
            await asyncio.sleep(PAUSE_S)


async def compare(client, mirror):
    """Compares the mirror with the message of the daemon, which has all parameters."""
    result = (await ask(client, rta.Request(get_graph=pb.GetGraph()))).get_graph
    mine = await mirror.wait_for(lambda graph: graph.change_number >= result.change_number)
    if mine.revision != result.revision:
        sys.exit(f"the mirror has revision {mine.revision}, the graph {result.revision}")
    for node in result.graph.nodes:
        copy = mine.nodes[node.name]
        if copy.type != node.type or copy.parameters != dict(node.parameters) or not dict(node.settings).items() <= copy.settings.items():
            sys.exit(f"the mirror differs:\n{copy}\n{node}")
    if len(mine.nodes) != len(result.graph.nodes) or len(mine.connections) != len(result.graph.connections):
        sys.exit("the mirror has other nodes or connections")
    print(f"the mirror equals the graph: {len(mine.nodes)} nodes, {len(mine.connections)} connections, revision {mine.revision}, "
          f"graph read {mirror.reread} times, connection resumed {mirror.resumed} times")


async def main(prefix=None, count=0):
    client = rta.connect(client_name="follow.py")
    if not prefix:
        await play_and_edit(client)
    async with client.mirror() as mirror:
        print("following", flush=True)
        if prefix:
            await edit_once(client, prefix, int(count))
        await mirror.wait_for(lambda graph: "the_end" in graph.nodes)
        await compare(client, mirror)
        if not prefix and mirror.reread != 1:
            sys.exit(f"the graph was requested {mirror.reread} times: a change was lost, or not understood")
        if not prefix and mirror.graph != await client.graph():
            sys.exit("the mirror differs from the graph")
    await client.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
