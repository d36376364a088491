# SPDX-License-Identifier: MIT
"""The mirror, through everything that can end a connection."""
import asyncio
import random
import unittest

import rta
from rta.v1 import control_pb2 as pb
from support import CHAIN, PATIENCE_S, Daemon, DaemonCase, FakeDaemon, Proxy

SOON = (0.01, 0.1)


async def equals_the_graph(mirror, client):
    """Waits until the mirror has the current revision and changes. Returns the graph of the daemon."""
    graph = await client.graph()
    await mirror.wait_for(lambda mine: mine.change_number >= graph.change_number, timeout=PATIENCE_S)
    return graph


class Mirrors(DaemonCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.client = await self.enterAsyncContext(rta.connect(self.daemon.address))
        await self.client.load(CHAIN, wait=True)  # that it is heard is a change, too

    async def test_follow_every_kind_of_change(self):
        async with self.client.mirror() as mirror:
            self.assertEqual(mirror.graph, await self.client.graph())
            before = mirror.graph
            first = (await self.client.history(1))[0].number
            async with self.client.transaction() as t:
                t.add("equalizer", "eq", bands=4, kind_2="notch", frequency_3_hz=100)
                t.add("noise", "hiss")
                t.add("mixer", "mix", inputs=3)
                t.add("delay_line", "echo", max_time_ms=50)
                t.add("delay_line", "slap", max_time_ms=20)
                t.connect("hiss", "mix:in_2", -3)
                t.connect("hiss", "eq")
                t.set({"eq.gain_4_db": 3})
            await self.client.change_settings("eq", bands=1)
            await self.client.change_settings("eq", bands=3)
            await self.client.set({"echo.time_ms": 5})
            await self.client.change_settings("echo", max_time_ms=10)
            await self.client.rename("hiss", "noise")
            await self.client.set({"vol.gain_db": -30, "osc.frequency_hz": 1000.1})
            await self.client.change({"vol.gain_db": 1})
            await self.client.describe("vol", title="Volume")
            await self.client.describe(title="Test", description="of the mirror")
            await self.client.set_latency_compensation(True)
            await self.client.mute()
            await self.client.remove("osc")
            graph = await equals_the_graph(mirror, self.client)
            self.assertEqual(mirror.graph, graph)
            steps = (await self.client.history(1))[0].number - first
            await self.client.undo(steps)
            self.assertEqual(await equals_the_graph(mirror, self.client), before)
            await self.client.redo(steps)
            self.assertEqual(await equals_the_graph(mirror, self.client), graph)
            self.assertEqual(mirror.graph.revision, graph.revision + 2)
            self.assertEqual(set(graph.nodes), {"vol", "out", "eq", "noise", "mix", "echo", "slap"})
            self.assertEqual(graph.parameter("slap.time_ms"), 20)  # the maximum, which is below the default
            await self.client.load(CHAIN)
            self.assertEqual(mirror.graph if await equals_the_graph(mirror, self.client) else None, before)
            self.assertEqual((mirror.reread, mirror.resumed), (1, 0))
        self.assertEqual(before.parameter("vol.gain_db"), -12)  # graphs do not change

    async def test_wait_for_sees_every_graph(self):
        async with self.client.mirror() as mirror:
            async with asyncio.TaskGroup() as tasks:
                for value in range(20):
                    tasks.create_task(mirror.wait_for(lambda graph, value=value: graph.parameter("vol.gain_db") == value,
                                                      timeout=PATIENCE_S))
                await asyncio.gather(*(self.client.set({"vol.gain_db": value}) for value in range(20)))

    async def test_wait_for_raises_what_the_predicate_raises_and_at_its_timeout(self):
        async with self.client.mirror() as mirror:
            with self.assertRaises(KeyError):
                await mirror.wait_for(lambda graph: graph.parameter("ghost.gain_db"))
            waiting = asyncio.create_task(mirror.wait_for(lambda graph: 1 / len(graph.nodes) and False))
            await asyncio.sleep(0)
            await self.client.load({})
            with self.assertRaises(ZeroDivisionError):
                await waiting
            with self.assertRaises(rta.DeadlineExceeded):
                await mirror.wait_for(lambda graph: False, timeout=0.01)

    async def test_resume_with_what_was_missed(self):
        async with Proxy(self.daemon.port) as proxy, rta.connect(proxy.address) as client, client.mirror(retry_s=SOON) as mirror:
            await self.lose_connection(proxy, mirror)
            self.assertEqual((mirror.reread, mirror.resumed), (1, 1))
            await self.client.set({"vol.gain_db": -1})
            await mirror.wait_for(lambda graph: graph.parameter("vol.gain_db") == -1, timeout=PATIENCE_S)
            proxy.target_port = 1
            await self.lose_connection(proxy, mirror, returns=False)
            await self.client.set({"vol.gain_db": -2})
            proxy.target_port = self.daemon.port
            await mirror.wait_for(lambda graph: graph.parameter("vol.gain_db") == -2, timeout=PATIENCE_S)
            self.assertEqual((mirror.reread, mirror.resumed), (1, 2))

    async def test_resume_with_thousands_of_changes(self):
        async with Proxy(self.daemon.port) as proxy, rta.connect(proxy.address) as client, client.mirror(retry_s=SOON) as mirror:
            proxy.target_port = 1
            await self.lose_connection(proxy, mirror, returns=False)
            for first in range(0, 2_000, 500):
                await asyncio.gather(*(self.client.set({"vol.gain_db": -(number % 60)}) for number in range(first, first + 500)))
            await self.client.set({"vol.gain_db": 7})
            proxy.target_port = self.daemon.port
            await mirror.wait_for(lambda graph: graph.parameter("vol.gain_db") == 7, timeout=PATIENCE_S)
            self.assertEqual((mirror.reread, mirror.resumed), (1, 1))

    async def lose_connection(self, proxy, mirror, returns=True):
        before = proxy.connections
        proxy.cut()
        async with asyncio.timeout(PATIENCE_S):
            while proxy.connections == before or (returns and not mirror.connected):
                await asyncio.sleep(0.005)

    async def test_a_connection_that_has_gone_silent_is_replaced(self):
        async with Proxy(self.daemon.port) as proxy, rta.connect(proxy.address) as client:
            async with client.mirror(retry_s=SOON, silence_s=0.3) as mirror:
                proxy.hold()
                await self.client.set({"vol.gain_db": -3})
                await mirror.wait_for(lambda graph: graph.parameter("vol.gain_db") == -3, timeout=PATIENCE_S)

    async def test_equals_the_graph_after_50_random_cuts(self):
        chance = random.Random(5)
        async with Proxy(self.daemon.port) as proxy, rta.connect(proxy.address) as client, client.mirror(retry_s=SOON) as mirror:
            edits = asyncio.create_task(self.edit_until_cancelled(chance))
            for _ in range(50):
                before = proxy.connections
                proxy.cut_after_bytes = chance.randint(1, 6000)
                async with asyncio.timeout(PATIENCE_S):
                    while proxy.cut_after_bytes is not None or proxy.connections == before:
                        await asyncio.sleep(0.002)
            edits.cancel()
            await asyncio.wait([edits])
            await self.client.add("gain", "the_end")
            await mirror.wait_for(lambda graph: "the_end" in graph.nodes, timeout=PATIENCE_S)
            graph = await equals_the_graph(mirror, self.client)
            self.assertEqual(mirror.graph, graph)
            self.assertEqual(mirror.graph.revision, graph.revision)
            self.assertGreater(mirror.resumed, 1)
            self.assertGreater(proxy.connections, 50)

    async def edit_until_cancelled(self, chance):
        for number in range(1 << 30):
            name = f"n{number}"
            await self.client.add(chance.choice(["gain", "equalizer", "mixer"]), name)
            await self.client.connect("osc", f"{name}:in_1" if (await self.client.graph()).nodes[name].type == "mixer" else name)
            await self.client.set({"vol.gain_db": chance.uniform(-60, 0)})
            if number > 20:
                await self.client.remove(f"n{number - 20}")

    async def test_ends_with_the_error_if_waiting_does_not_help(self):
        async def serve(peer):
            request = await peer.request()
            await peer.respond(request, status=pb.Status(code=pb.PERMISSION_DENIED, message="role"))
        async with FakeDaemon(serve) as daemon, rta.connect(daemon.address) as client:
            with self.assertRaises(rta.PermissionDenied):
                async with client.mirror():
                    pass

    async def test_ends_with_its_client(self):
        async with rta.connect(self.daemon.address) as client, client.mirror() as mirror:
            waiting = asyncio.create_task(mirror.wait_for(lambda graph: False, timeout=PATIENCE_S))
            await asyncio.sleep(0)
            await client.close()
            with self.assertRaises(rta.Disconnected):
                await waiting
            with self.assertRaises(rta.Disconnected):
                await mirror.wait_for(lambda graph: False, timeout=PATIENCE_S)

    async def test_rereads_if_the_instance_is_another_even_if_the_numbers_agree(self):
        state = {"instances": 0}

        async def serve(peer):
            state["instances"] += 1
            hello = await peer.request()
            name = f"instance{state['instances']}"
            await peer.respond(hello, hello=pb.HelloResult(protocol_version=1, instance_id=name))
            while True:
                request = await peer.request()
                kind = request.WhichOneof("request")
                if kind == "list_node_types":
                    await peer.respond(request, list_node_types=pb.NodeTypesResult())
                elif kind == "subscribe":
                    await peer.respond(request, subscribe=pb.SubscribeResult(instance_id=name, change_number=5))
                elif kind == "get_graph":
                    graph = pb.GraphResult(change_number=5)
                    graph.graph.title = name
                    await peer.respond(request, get_graph=graph)
                    if state["instances"] == 1:
                        return

        async with FakeDaemon(serve, greet=False) as daemon, rta.connect(daemon.address) as client:
            async with client.mirror(retry_s=SOON) as mirror:
                await mirror.wait_for(lambda graph: graph.title == "instance2", timeout=PATIENCE_S)
                self.assertEqual((mirror.reread, mirror.resumed), (2, 0))

    async def test_rereads_after_a_gap_and_after_an_edit_that_it_does_not_know(self):
        types = await self.client.types()
        state = {"number": 5, "reads": 0}
        unknown = pb.GraphChanged(revision=2)
        unknown.edits.add().ParseFromString(b"\xfa\x01\x00")  # field 31

        async def serve(peer):
            while True:
                request = await peer.request()
                kind = request.WhichOneof("request")
                if kind == "list_node_types":
                    await peer.respond(request, list_node_types=pb.NodeTypesResult(types=types))
                elif kind == "subscribe":
                    await peer.respond(request, subscribe=pb.SubscribeResult(instance_id="fake", change_number=5))
                elif kind == "get_graph":
                    state["reads"] += 1
                    graph = pb.GraphResult(change_number=state["number"])
                    graph.graph.nodes.add(name=f"n{state['reads']}", type="gain")
                    await peer.respond(request, get_graph=graph)
                    if state["reads"] == 1:
                        state["number"] = 8
                        await peer.send(pb.ServerMessage(event=pb.Event(number=8, output_muted=pb.OutputMuted())))
                    elif state["reads"] == 2:
                        state["number"] = 9
                        await peer.send(pb.ServerMessage(event=pb.Event(number=9, graph_changed=unknown)))

        async with (FakeDaemon(serve) as daemon, rta.connect(daemon.address) as client,
                    client.mirror(silence_s=PATIENCE_S) as mirror):
            graph = await mirror.wait_for(lambda graph: "n3" in graph.nodes, timeout=PATIENCE_S)
            self.assertEqual((mirror.reread, graph.change_number), (3, 9))


class Restarts(unittest.IsolatedAsyncioTestCase):
    async def test_the_mirror_survives_a_restart_and_a_crash(self):
        daemon = Daemon()
        self.addCleanup(daemon.close)
        async with rta.connect(daemon.address) as client, client.mirror(retry_s=SOON) as mirror:
            first = mirror.instance_id
            await client.load(CHAIN)
            for end in (daemon.stop, daemon.kill):
                await asyncio.to_thread(end)
                await asyncio.to_thread(daemon.start)
                name = f"after_{end.__name__}"
                await client.add("gain", name)  # connects again
                await mirror.wait_for(lambda graph: name in graph.nodes, timeout=PATIENCE_S)
                graph = await equals_the_graph(mirror, client)
                self.assertEqual(mirror.graph, graph)
                self.assertNotEqual(mirror.instance_id, first)
