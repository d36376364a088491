# SPDX-License-Identifier: MIT
"""What a daemon, or something else, may answer."""
import asyncio
import unittest
import unittest.mock

import rta
from rta import frames, subscription
from rta.v1 import control_pb2 as pb
from support import PATIENCE_S, FakeDaemon

# Long enough for a busy machine, if an error is expected for another reason.
LONG_S = PATIENCE_S


def change(number):
    return pb.ServerMessage(event=pb.Event(number=number, output_muted=pb.OutputMuted(muted=True)))


def levels(number, dropped=0):
    return pb.ServerMessage(event=pb.Event(telemetry_number=number, telemetry_dropped=dropped, levels=pb.Levels(frame=number)))


class Answers(unittest.IsolatedAsyncioTestCase):
    async def raises(self, error, pattern, serve, timeout=LONG_S, greet=True):
        async with FakeDaemon(serve, greet) as daemon, asyncio.timeout(PATIENCE_S):
            with self.assertRaisesRegex(error, pattern) as caught:
                async with rta.connect(daemon.address, timeout=LONG_S if greet else timeout) as client:
                    client._timeout_s = timeout
                    await client.status()
            return caught.exception

    async def test_ok_without_the_result_is_an_error(self):
        async def serve(peer):
            await peer.respond(await peer.request(), status=pb.Status())
        await self.raises(rta.ProtocolError, "without its result", serve)

    async def test_ok_with_another_result_is_an_error(self):
        async def serve(peer):
            await peer.respond(await peer.request(), panic=pb.PanicResult())
        await self.raises(rta.ProtocolError, "without its result", serve)

    async def test_an_error_with_a_result_has_both(self):
        async def serve(peer):
            for _ in range(2):
                request = await peer.request()
                if request.HasField("list_node_types"):
                    await peer.respond(request, list_node_types=pb.NodeTypesResult())
                else:
                    await peer.respond(request, status=pb.Status(code=pb.DEADLINE_EXCEEDED, message="committed"),
                                       apply_transaction=pb.TransactionResult(revision=7))
        async with FakeDaemon(serve) as daemon, rta.connect(daemon.address) as client:
            with self.assertRaises(rta.DeadlineExceeded) as caught:
                await client.remove("a")
        self.assertEqual(caught.exception.result.revision, 7)

    async def test_an_unknown_code_is_a_rejection(self):
        async def serve(peer):
            request = await peer.request()
            response = pb.Response(id=request.id, status=pb.Status(message="new"))
            response.status.code = 77
            await peer.send(pb.ServerMessage(response=response))
        error = await self.raises(rta.Error, "77: new", serve)
        self.assertEqual((type(error), error.code), (rta.Error, 77))

    async def test_the_deadline_ends_a_call_without_an_answer(self):
        async def serve(peer):
            await asyncio.Event().wait()
        await self.raises(rta.DeadlineExceeded, "no response within 0.05 s", serve, timeout=0.05)

    async def test_endless_events_do_not_pass_the_deadline(self):
        async def serve(peer):
            for number in range(1, 1 << 40):
                peer.writer.write(frames.encode(change(number).SerializeToString()) * 1000)
                await peer.writer.drain()
        await self.raises(rta.DeadlineExceeded, "no response", serve, timeout=0.3)

    async def test_a_peer_that_does_not_read_does_not_pass_the_deadline(self):
        async def serve(peer):
            peer.reader._transport.pause_reading()
            await asyncio.Event().wait()
        async with FakeDaemon(serve) as daemon, asyncio.timeout(PATIENCE_S), rta.connect(daemon.address) as client:
            client._timeout_s = 0.2
            results = await asyncio.gather(*(client.load(" " * ((4 << 20) - 100)) for _ in range(8)), return_exceptions=True)
            self.assertEqual({type(result) for result in results}, {rta.DeadlineExceeded})
            # What waited has not been buffered.
            self.assertLess(client._session._writer.transport.get_write_buffer_size(), 5 << 20)

    async def test_connecting_is_a_part_of_the_time_of_a_call(self):
        starts = []

        async def serve(peer):
            await peer.respond(await peer.request(), get_status=pb.StatusResult())

        async def call(session, request, timeout_s, start=None, original=rta.session.Session.call):
            starts.append(start)
            return await original(session, request, timeout_s, start)
        async with FakeDaemon(serve) as daemon:
            client = rta.connect(daemon.address, timeout=LONG_S)
            self.addAsyncCleanup(client.close)
            before = asyncio.get_running_loop().time()
            with unittest.mock.patch.object(rta.session.Session, "call", call):
                await client.status()
        hello, status = starts
        self.assertIsNotNone(hello)
        self.assertGreaterEqual(hello, before)
        self.assertEqual(status, hello)

    async def test_no_answer_to_hello(self):
        async def serve(peer):
            await asyncio.Event().wait()
        await self.raises(rta.DeadlineExceeded, "no response", serve, timeout=1.0, greet=False)

    async def test_an_error_that_belongs_to_no_request_ends_the_connection(self):
        async def serve(peer):
            await peer.request()
            await peer.respond(pb.Request(), status=pb.Status(code=pb.RESOURCE_EXHAUSTED, message="limit of 512 clients"))
            await asyncio.Event().wait()
        await self.raises(rta.ResourceExhausted, "limit of 512 clients", serve, greet=False)

    async def test_something_else_than_rtad(self):
        for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x80" * 10, b"\x03\xff\xff\xff", b"\xff\xff\xff\xff\x7f"):
            async def serve(peer, answer=answer):
                await peer.reader.read(1)
                peer.writer.write(answer)
                await peer.writer.drain()
                await asyncio.Event().wait() if answer[0] > 127 or answer[0] == 3 else None
            await self.raises((rta.ProtocolError, rta.Disconnected), "is this an rtad|closed the connection", serve, greet=False)

    async def test_a_closed_connection_ends_calls_and_subscriptions_and_the_next_call_connects_again(self):
        calls = []

        async def serve(peer):
            while True:
                request = await peer.request()
                calls.append(request.WhichOneof("request"))
                if request.HasField("get_status") and calls.count("get_status") == 1:
                    return
                await peer.respond(request, get_status=pb.StatusResult() if request.HasField("get_status") else None,
                                   subscribe=pb.SubscribeResult() if request.HasField("subscribe") else None)
        async with FakeDaemon(serve) as daemon, asyncio.timeout(PATIENCE_S), rta.connect(daemon.address) as client:
            async with client.events("changes") as events:
                with self.assertRaises(rta.Disconnected):
                    await client.status()
                with self.assertRaises(rta.Disconnected):
                    await anext(events)
            await client.status()
        self.assertEqual(calls, ["subscribe", "get_status", "get_status"])

    async def test_the_hello_has_the_token_and_the_name(self):
        found = []

        async def serve(peer):
            found.append((await peer.request()).hello)
            await peer.respond(pb.Request(id=1), status=pb.Status(code=pb.UNAUTHENTICATED, message="invalid token"))
        async with FakeDaemon(serve, greet=False) as daemon:
            with self.assertRaisesRegex(rta.Unauthenticated, "invalid token"):
                async with rta.connect(daemon.address, token="rtad_secret", client_name="me"):
                    pass
        self.assertEqual((found[0].token, found[0].client_name, found[0].protocol_version), ("rtad_secret", "me", 1))


class Subscriptions(unittest.IsolatedAsyncioTestCase):
    """With a fake daemon that sends more events than a real one."""

    async def asyncSetUp(self):
        self.messages, self.subscribed, self.resumed, self.watched = [], [], [], []

        async def serve(peer):
            while True:
                request = await peer.request()
                if request.HasField("subscribe"):
                    self.subscribed.append((sorted(request.subscribe.topics), request.subscribe.telemetry_rate_hz))
                    self.resumed.append(request.subscribe.resume_after)
                    self.watched.append([(watch.port, watch.spectrum) for watch in request.subscribe.watches])
                    await peer.respond(request, subscribe=pb.SubscribeResult())
                    continue
                for message in self.messages:
                    peer.writer.write(frames.encode(message.SerializeToString()))
                await peer.respond(request, get_status=pb.StatusResult())
        self.daemon = await self.enterAsyncContext(FakeDaemon(serve))
        self.client = await self.enterAsyncContext(rta.connect(self.daemon.address, timeout=PATIENCE_S))

    async def receive(self, messages):
        self.messages = messages
        await self.client.status()

    async def test_telemetry_that_is_not_read_is_dropped_and_counted(self):
        kept = subscription.MAXIMUM_TELEMETRY
        async with self.client.meters() as meters:
            await self.receive([levels(1)])
            self.assertEqual((await anext(meters)).frame, 1)
            await self.receive([levels(number) for number in range(2, kept + 12)])
            self.assertEqual((await anext(meters)).frame, 12)
            self.assertEqual(meters.telemetry_dropped, 10)
            await self.receive([levels(kept + 20, dropped=8)])  # by the daemon
            while (await anext(meters)).frame != kept + 20:
                pass
            self.assertEqual(meters.telemetry_dropped, 10 + 8 + 0)

    async def test_changes_that_are_not_read_end_the_subscription_without_a_gap(self):
        kept = subscription.MAXIMUM_CHANGES
        async with self.client.events("changes", "levels") as events:
            await self.receive([change(number + 1) for number in range(kept + 5)] + [levels(1)])
            numbers = [(await anext(events)).number for _ in range(kept)]
            self.assertEqual(numbers, list(range(1, kept + 1)))
            with self.assertRaisesRegex(rta.EventsLost, f"{kept} changes were not read"):
                await anext(events)

    async def test_large_changes_are_limited_by_their_size(self):
        large = pb.ServerMessage(event=pb.Event(graph_changed=pb.GraphChanged(client_name="x" * (3 << 20))))
        async with self.client.events("changes") as events:
            fitting = subscription.MAXIMUM_CHANGES_BYTES // (3 << 20)
            for number in range(1, fitting + 3):
                large.event.number = number
                await self.receive([large])
            with self.assertRaises(rta.EventsLost):
                for number in range(1, fitting + 3):
                    self.assertEqual((await anext(events)).number, number)
            self.assertEqual(number, fitting + 1)

    async def test_the_daemon_gets_the_union_of_all_subscriptions(self):
        async with self.client.events("changes"):
            async with self.client.meters(rate_hz=50) as meters, self.client.events("load", rate_hz=20):
                await self.receive([change(1), levels(1)])
                self.assertEqual((await anext(meters)).frame, 1)
        names = {"TOPIC_CHANGES": 1, "TOPIC_LEVELS": 2, "TOPIC_LOAD": 3, "TOPIC_XRUNS": 4}
        self.assertEqual({name: pb.Topic.Value(name) for name in names}, names)
        self.assertEqual(self.subscribed, [([1], 0), ([1, 2], 50), ([1, 2, 3], 50), ([1, 2], 50), ([1], 0), ([4], 0)])

    async def test_a_subscription_resumes_only_if_no_other_one_would_receive_changes_twice(self):
        resume = pb.Subscribe(resume_after=7, resume_instance="one")
        async with self.client.meters():
            queues = [(await self.client.open_queue(("changes",), None, resume=resume))[0] for _ in range(2)]
            self.assertEqual(self.resumed, [0, 7, 0])
            for queue in queues:
                await self.client.close_queue(queue)

    async def test_levels_of_ports_go_to_the_subscriptions_that_watch_them(self):
        ports = [pb.PortLevel(port=name) for name in ("osc", "vol:out")]
        event = pb.ServerMessage(event=pb.Event(telemetry_number=1, port_levels=pb.PortLevels(frame=7, ports=ports)))
        async with self.client.port_levels(["osc"], rate_hz=20) as osc, \
                self.client.port_levels({"vol:out": True, "osc": False}) as both, self.client.meters() as meters:
            await self.receive([event, levels(1)])
            self.assertEqual([port.port for port in (await anext(osc)).ports], ["osc"])
            self.assertEqual([port.port for port in (await anext(both)).ports], ["osc", "vol:out"])
            self.assertEqual((await anext(meters)).frame, 1)
        self.assertEqual(self.watched, [[("osc", False)], [("osc", False), ("vol:out", True)],
                                        [("osc", False), ("vol:out", True)], [("osc", False), ("vol:out", True)],
                                        [("osc", False)], []])

    async def test_a_rejected_subscription_raises(self):
        with self.assertRaises(rta.InvalidArgument):
            self.client.events("all")

    async def test_a_closed_subscription_ends(self):
        events = self.client.events("changes")
        await events.close()
        self.assertEqual([event async for event in events], [])
