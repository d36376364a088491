# SPDX-License-Identifier: MIT
import asyncio
import inspect
import socket
import threading

import rta
from rta.client import Client
from support import CHAIN, PATIENCE_S, DaemonCase

# Of the library's own parts.
INTERNAL = {"session", "open_queue", "close_queue", "graph_of", "types_of", "apply_edits", "check_edits"}


class Blocking(DaemonCase):
    def connect(self, **options):
        return rta.sync.connect(self.daemon.address, **options)

    async def test_every_public_method_exists_with_the_same_signature(self):
        for name, method in inspect.getmembers(Client, inspect.isfunction):
            if not name.startswith("_") and name not in INTERNAL:
                with self.subTest(name):
                    mine = getattr(rta.sync.Client, name)
                    self.assertEqual(list(inspect.signature(mine).parameters), list(inspect.signature(method).parameters))
                    self.assertFalse(inspect.iscoroutinefunction(mine))

    async def test_a_whole_program(self):
        def program():
            with self.connect(client_name="blocking") as client:
                client.load(CHAIN)
                with client.mirror() as mirror, client.events("changes") as events:
                    with client.transaction(wait=True) as t:
                        t.add("gain", "more", gain_db=-3)
                        t.connect("osc", "more")
                        self.assertEqual(t.check().node_count, 4)
                    self.assertTrue(t.result.HasField("frame"))
                    graph = mirror.wait_for(lambda graph: "more" in graph.nodes, timeout=PATIENCE_S)
                    self.assertEqual(graph, client.graph())
                    self.assertEqual(mirror.graph, graph)
                    self.assertTrue(mirror.connected)
                    self.assertEqual(next(events).graph_changed.client_name, "blocking")
                    client.set({"vol.gain_db": -1})
                    self.assertEqual(client.get("vol.gain_db"), -1)
                for levels in client.meters(rate_hz=100):
                    self.assertEqual(len(levels.outputs), 2)
                    break
                with self.assertRaises(rta.NotFound):
                    with client.transaction() as t:
                        t.remove("ghost")
                self.assertEqual(client.hello.instance_id, client.status().instance_id)
            with self.assertRaises(rta.Disconnected):
                client.status()
            client.close()
        before = threading.active_count()
        await asyncio.to_thread(program)
        self.assertNotIn("rta", [thread.name for thread in threading.enumerate()])
        self.assertLessEqual(threading.active_count(), before + 1)  # the one of to_thread

    async def test_several_threads_share_a_client(self):
        def program(client):
            for _ in range(50):
                client.change({"osc.frequency_hz": 1})
        with self.connect() as client:
            client.load(CHAIN)
            threads = [threading.Thread(target=program, args=(client,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(client.get("osc.frequency_hz"), 640)

    async def test_closing_ends_a_call_of_another_thread(self):
        client = self.connect()
        events = client.events("changes").__enter__()
        raised = []

        def wait():
            try:
                next(events)
            except rta.Error as error:
                raised.append(error)
        thread = threading.Thread(target=wait)
        thread.start()
        client.close()
        thread.join(PATIENCE_S)
        self.assertEqual([type(error) for error in raised], [rta.Disconnected])

    async def test_closing_ends_a_call_that_still_connects(self):
        raised = []

        def call(client):
            try:
                client.status()
            except rta.Error as error:
                raised.append(error)
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = rta.sync.connect("127.0.0.1:%d" % server.getsockname()[1], timeout=PATIENCE_S)
            thread = threading.Thread(target=call, args=(client,))
            thread.start()
            connection, _ = server.accept()
            with connection:
                self.assertTrue(connection.recv(1))  # Hello, which is not answered
                client.close()
                thread.join(PATIENCE_S)
        self.assertEqual([type(error) for error in raised], [rta.Disconnected])

    async def test_a_call_within_a_predicate_is_refused_instead_of_waiting_for_itself(self):
        raised = []

        def program():
            try:
                with self.connect() as client, client.mirror() as mirror:
                    mirror.wait_for(lambda graph: client.status(), timeout=PATIENCE_S)
            except RuntimeError as error:
                raised.append(str(error))
        thread = threading.Thread(target=program, daemon=True)
        thread.start()
        thread.join(PATIENCE_S)
        self.assertIn("within a predicate", raised[0] if raised else "")

    async def test_wrong_arguments_start_no_thread(self):
        before = threading.active_count()
        with self.assertRaises(rta.InvalidArgument):
            rta.sync.connect("a:b")
        self.assertEqual(threading.active_count(), before)
