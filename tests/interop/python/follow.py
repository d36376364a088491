# SPDX-License-Identifier: MIT
"""Plays a chain and edits it. Then mirrors the graph until a node named `the_end` is added, and compares the mirror with
the graph of the daemon.

    follow.py HOST PORT
"""
import sys

from mirror import Graph, Mirror, ask
from rtad import Client, Refused, pb

CHAIN = """{
  "nodes": [{"name": "osc", "type": "sine", "parameters": {"frequency_hz": 440}},
            {"name": "vol", "type": "gain", "parameters": {"gain_db": -12}},
            {"name": "out", "type": "output", "settings": {"channels": 2}}],
  "connections": [{"from": "osc", "to": "vol"}, {"from": "vol", "to": "out"}]
}"""


def play_and_edit(client):
    request = pb.Request()
    request.apply_transaction.document = CHAIN
    request.apply_transaction.wait_for_start = True
    played = client.call(request).apply_transaction
    print(f"revision {played.revision} takes effect at frame {played.frame}")

    request = pb.Request()
    change = request.set_parameters.changes.add(node="osc", parameter="frequency_hz", value=660)
    change.ramp_ms = 100
    client.call(request)

    # Add a second tone in one transaction, which is applied as a whole or not at all.
    request = pb.Request()
    edits = request.apply_transaction.edits.edits
    add = edits.add().add_node
    add.name, add.type = "fifth", "sine"
    add.parameters["frequency_hz"] = 990
    connect = edits.add().connect
    setattr(connect, "from", "fifth")  # a keyword of Python
    connect.to, connect.gain_db = "vol", -6
    client.call(request)

    request = pb.Request()
    request.apply_transaction.edits.edits.add().remove_node.name = "ghost"
    try:
        client.call(request)
        sys.exit("an unknown node was removed")
    except Refused as refused:
        print(f"refused, as expected: {refused} (edit {refused.status.edit_index})")
        assert refused.status.code == pb.NOT_FOUND


def main(host, port):
    client = Client(host, int(port), "follow.py")
    print(f"rtad {client.daemon.server_version}, instance {client.daemon.instance_id}")
    play_and_edit(client)

    mirror = Mirror(client)
    print("following", flush=True)
    first = mirror.number
    while "the_end" not in mirror.graph.nodes:
        mirror.follow()

    result = ask(client, "get_graph")
    while mirror.number < result.change_number:
        mirror.follow()
    actual = Graph(mirror.graph.types.values())
    actual.replace(result.graph)
    if mirror.graph != actual or mirror.revision != result.revision:
        sys.exit(f"the mirror differs:\n{vars(mirror.graph)}\n{vars(actual)}")
    print(f"the mirror equals the graph: {len(actual.nodes)} nodes, {len(actual.connections)} connections, "
          f"revision {mirror.revision}, {mirror.number - first} changes without a gap")


if __name__ == "__main__":
    main(*sys.argv[1:])
