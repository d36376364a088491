# SPDX-License-Identifier: MIT
"""Every request, and its errors, with a real rtad."""
import asyncio
import datetime
import json
import math
import pathlib
import tempfile
import unittest
import unittest.mock

import rta
from rta.address import default_addresses
from rta.v1 import control_pb2 as pb
from support import CHAIN, DaemonCase


class Requests(DaemonCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.client = await self.enterAsyncContext(rta.connect(self.daemon.address, client_name="tests"))

    async def test_hello_and_status(self):
        self.assertEqual(self.client.hello.protocol_version, 1)
        status = await self.client.status()
        self.assertEqual(status.instance_id, self.client.hello.instance_id)
        self.assertIn("tests", [client.name for client in status.clients])

    async def test_the_unix_socket(self):
        async with rta.connect(self.daemon.socket) as client:
            self.assertEqual((await client.status()).instance_id, self.client.hello.instance_id)

    async def test_types_and_devices(self):
        self.assertEqual([node_type.name for node_type in await self.client.types("gain")], ["gain"])
        self.assertGreater(len(await self.client.types()), 20)
        self.assertIsInstance(await self.client.devices(), list)

    async def test_the_device(self):
        async with rta.connect(self.daemon.socket) as client:
            self.assertEqual((await client.set_device("null")).kind, "null")
            with self.assertRaises(rta.Unavailable):
                await client.set_device("jack:none")

    async def test_edits_one_by_one(self):
        client = self.client
        await client.add("sine", "osc", frequency_hz=440, title="Tone")
        await client.add("gain", "vol", gain_db=-6, mute=True)
        await client.add("equalizer", "eq", bands=3, kind_2="notch", frequency_2_hz=500)
        await client.add("output", "out", channels=2)
        await client.connect("osc", "vol")
        await client.connect("vol:out", "eq:in", -3)
        await client.connect("eq", "out")
        await client.change_settings("eq", bands=2)
        await client.rename("vol", "level")
        await client.describe("level", description="Volume")
        await client.describe(title="Test")
        await client.disconnect("eq", "out")
        result = await client.set_latency_compensation(True)
        graph = await client.graph()
        self.assertEqual(graph.revision, result.revision)
        self.assertEqual(graph.connections, {("osc:out", "level:in"): 0, ("level:out", "eq:in"): -3})
        self.assertEqual(graph.nodes["osc"].title, "Tone")
        self.assertEqual(graph.nodes["osc"].parameters, {"frequency_hz": 440, "gain_db": -20})
        self.assertEqual(graph.nodes["level"].description, "Volume")
        self.assertEqual(graph.nodes["level"].settings, {"channels": 1})
        self.assertEqual(graph.parameter("level.mute"), 1)
        self.assertEqual(graph.nodes["eq"].settings["kind_2"], "notch")
        self.assertEqual(graph.nodes["eq"].settings["bands"], 2)
        self.assertEqual(graph.parameter("eq.frequency_2_hz"), 500)
        self.assertNotIn("frequency_3_hz", graph.nodes["eq"].parameters)
        self.assertEqual((graph.title, graph.latency_compensation), ("Test", True))
        await client.remove("level", "eq")
        self.assertEqual(set((await client.graph()).nodes), {"osc", "out"})

    async def test_documents(self):
        for document in (CHAIN, json.dumps(CHAIN), await self._message()):
            await self.client.load({})
            self.assertEqual((await self.client.check(document)).node_count, 3)
            self.assertEqual((await self.client.status()).engine.node_count, 0)
            self.assertTrue((await self.client.load(document, wait=True)).HasField("frame"))
            graph = await self.client.graph()
            saved = await self.client.document()
            await self.client.load({})
            await self.client.load(saved)
            self.assertEqual(await self.client.graph(), graph)
            self.assertEqual(graph.parameter("vol.gain_db"), -12)

    async def _message(self):
        await self.client.load(CHAIN)
        return (await self.client.call(rta.Request(get_graph=pb.GetGraph()))).get_graph.graph

    async def test_parameters(self):
        await self.client.load(CHAIN)
        self.assertTrue((await self.client.set({"vol.gain_db": -20, "vol.mute": True}, ramp_ms=5)).HasField("frame"))
        self.assertEqual(await self.client.get("vol.mute"), 1)
        result = await self.client.change({"vol.gain_db": -1.5})
        self.assertEqual(result.relative_changes[0].value, -21.5)
        self.assertEqual(await self.client.get("vol.gain_db"), -21.5)
        await self.client.toggle("vol.mute", "vol.invert")
        self.assertEqual((await self.client.get("vol.mute"), await self.client.get("vol.invert")), (0, 1))

    async def test_undo_and_redo(self):
        await self.client.load(CHAIN)
        await self.client.set({"vol.gain_db": -20})
        await self.client.remove("osc")
        steps = await self.client.history(2, with_edits=True)
        self.assertEqual([step.summary for step in steps], ["remove osc", "set vol.gain_db = -20"])
        self.assertEqual(steps[1].inverse[0].set_parameter.value, -12)
        self.assertEqual((await self.client.history(1, before=steps[0].number))[0].number, steps[1].number)
        undone = await self.client.undo(2, wait=True)
        self.assertTrue(undone.HasField("frame"))
        self.assertEqual([step.number for step in undone.steps], [step.number for step in steps])
        self.assertEqual(await self.client.get("vol.gain_db"), -12)
        await self.client.redo()
        self.assertEqual(await self.client.get("vol.gain_db"), -20)
        self.assertIn("osc", (await self.client.graph()).nodes)
        with self.assertRaises(rta.NotFound):
            await self.client.redo(2)

    async def test_scenes(self):
        await self.client.load(CHAIN)
        day = await self.client.save_scene("day")
        self.assertEqual((day.name, day.partial), ("day", False))
        self.assertTrue((await self.client.save_scene("quiet", "vol")).partial)
        await self.client.set({"vol.gain_db": -20})
        await self.client.remove("osc")
        self.assertEqual([edit.WhichOneof("edit") for edit in (await self.client.scene("quiet")).diff], ["set_parameter"])
        recalled = await self.client.recall_scene("quiet", fade_ms=50, wait=True)
        self.assertTrue(recalled.transaction.HasField("frame"))
        self.assertEqual(await self.client.get("vol.gain_db"), -12)
        self.assertNotIn("osc", (await self.client.graph()).nodes)
        await self.client.recall_scene("day")
        self.assertIn("osc", (await self.client.graph()).nodes)
        self.assertEqual((await self.client.history(1))[0].summary, "recall day")
        later = await self.client.recall_scene("day", at=datetime.timedelta(hours=1))
        self.assertEqual(later.transaction.pending.summary, "recall day")
        self.assertEqual((await self.client.rename_scene("quiet", "low")).name, "low")
        self.assertEqual([scene.name for scene in await self.client.scenes()], ["day", "low"])
        await self.client.remove_scene("low")
        with self.assertRaises(rta.NotFound):
            await self.client.recall_scene("low")

    async def test_scheduled_changes(self):
        await self.client.load(CHAIN)
        first = await self.client.time()
        second = await self.client.time()
        self.assertLessEqual(first.frame, second.frame)
        self.assertLess(first.monotonic_ns, second.monotonic_ns)
        later = await self.client.schedule({"vol.gain_db": -6}, datetime.timedelta(hours=1))
        self.assertEqual(later.summary, "set vol.gain_db = -6")
        edits = rta.Edits()
        edits.remove("vol")
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)
        removed = await self.client.schedule(edits, at)
        self.assertEqual(removed.utc_us, round(at.timestamp() * 1e6))
        self.assertLess({later.id, removed.id}, {0} | {edit.id for edit in await self.client.pending()})
        self.assertEqual((await self.client.cancel(removed.id)).summary, "remove vol")
        await self.client.cancel(later.id)
        with self.assertRaises(rta.NotFound):
            await self.client.cancel(later.id)
        async with self.client.events("changes") as events:
            await self.client.schedule({"vol.gain_db": -9}, (await self.client.time()).frame + 4800)
            async for event in events:
                if event.pending_changed.what in (pb.PendingChanged.COMMITTED, pb.PendingChanged.LATE):
                    break
        self.assertEqual(await self.client.get("vol.gain_db"), -9)
        for time in (-1, 2**64, 1.5, True, datetime.datetime.now()):
            with self.assertRaises(rta.InvalidArgument):
                await self.client.schedule({"vol.gain_db": -9}, time)
        with self.assertRaises(rta.InvalidArgument):
            await self.client.schedule({"vol.gain_db": -9}, 0)

    async def test_changes_that_must_be_confirmed(self):
        await self.client.load(CHAIN)
        edits = rta.Edits()
        edits.remove("vol")
        result = await self.client.apply_edits(edits, confirm_within_s=60)
        self.assertEqual(result.confirmation.summary, "remove vol")
        self.assertEqual((await self.client.status()).confirmation.id, result.confirmation.id)
        with self.assertRaises(rta.NotFound):
            await self.client.confirm(result.confirmation.id + 1)
        reverted = await self.client.revert(result.confirmation.id, wait=True)
        self.assertEqual([step.undone for step in reverted.steps], [True])
        self.assertEqual(await self.client.get("vol.gain_db"), -12)
        async with self.client.transaction(confirm_within_s=60) as transaction:
            transaction.remove("vol")
        self.assertTrue(transaction.result.HasField("confirmation"))
        self.assertEqual((await self.client.confirm()).id, transaction.result.confirmation.id)
        self.assertTrue((await self.client.undo(confirm_within_s=60)).HasField("confirmation"))
        await self.client.revert()
        await self.client.load(CHAIN, confirm_within_s=600)
        await self.client.confirm()
        with self.assertRaises(rta.FailedPrecondition):
            await self.client.confirm()

    async def test_the_output(self):
        await self.client.mute()
        self.assertTrue((await self.client.status()).engine.output_muted)
        await self.client.mute(False)
        await self.client.volume(-12)
        self.assertEqual((await self.client.volume(add_db=2)).volume_db, -10)
        await self.client.panic()
        engine = (await self.client.status()).engine
        self.assertEqual((engine.output_muted, engine.output_volume_db), (True, -10))
        await self.client.add("meter", "vu")
        await self.client.reset_meters("vu")
        await self.client.reset_meters()

    async def test_responses(self):
        await self.client.load({"nodes": [{"name": "lp", "type": "biquad_filter", "parameters": {"frequency_hz": 1000}},
                                          {"name": "half", "type": "gain", "parameters": {"gain_db": -6}}],
                                "connections": [{"from": "lp", "to": "half"}]})
        node = await self.client.response("lp", frequencies_hz=[1000])
        self.assertAlmostEqual(node.outputs[0].magnitude_db[0], 20 * math.log10(math.sqrt(0.5)), 2)
        path = await self.client.response("lp:in", "half:out", frequencies_hz=[1000])
        self.assertAlmostEqual(path.outputs[0].magnitude_db[0], 20 * math.log10(math.sqrt(0.5)) - 6, 2)
        self.assertEqual(len((await self.client.response("lp")).frequencies_hz), 961)

    async def test_a_transaction_is_one_revision(self):
        before = (await self.client.graph()).revision
        async with self.client.transaction(wait=True) as t:
            t.add("sine", "osc")
            t.add("gain", "vol", gain_db=-3)
            t.add("output", "out")
            t.connect("osc", "vol")
            t.connect("vol", "out", gain_db=-1)
            t.set({"vol.gain_db": -9}, ramp_ms=1)
            t.change_settings("osc", channels=1)
            t.rename("osc", "tone")
            t.describe("tone", title="A")
            t.set_latency_compensation(False)
            t.add("gain", "spare")
            t.remove("spare")
            self.assertEqual((await t.check()).node_count, 3)
            t.disconnect("vol", "out")
        self.assertEqual(t.result.revision, before + 1)
        self.assertTrue(t.result.HasField("frame"))
        graph = await self.client.graph()
        self.assertEqual(graph.revision, before + 1)
        self.assertEqual(graph.connections, {("tone:out", "vol:in"): 0})
        self.assertEqual(graph.parameter("vol.gain_db"), -9)

    async def test_a_transaction_that_raises_or_is_empty_sends_nothing(self):
        before = (await self.client.graph()).revision
        with self.assertRaises(ZeroDivisionError):
            async with self.client.transaction() as t:
                t.add("gain", "vol")
                raise ZeroDivisionError
        async with self.client.transaction() as t:
            pass
        self.assertIsNone(t.result)
        self.assertEqual((await self.client.graph()).revision, before)

    async def test_a_rejected_transaction_changes_nothing_and_names_the_edit(self):
        with self.assertRaises(rta.NotFound) as caught:
            async with self.client.transaction() as t:
                t.add("gain", "a")
                t.remove("ghost")
        self.assertEqual((caught.exception.edit_index, caught.exception.code), (1, pb.NOT_FOUND))
        self.assertEqual(caught.exception.code_name, "NOT_FOUND")
        self.assertIn("ghost", caught.exception.sentence)
        self.assertEqual((await self.client.graph()).nodes, {})

    async def test_a_guard_that_does_not_hold_says_what_it_has_found(self):
        client = self.client
        await client.load(CHAIN)
        graph = await client.graph()
        guard = rta.Guard(expected_revision=graph.revision, expected_change=graph.change_number,
                          expected_instance=client.hello.instance_id)
        self.assertEqual((await client.check(CHAIN, guard=guard)).revision, graph.revision)
        await client.set({"vol.gain_db": -6}, guard=guard)
        changes = [client.set({"vol.gain_db": -9}, guard=guard), client.change({"vol.gain_db": -1}, guard=guard),
                   client.toggle("vol.mute", guard=guard), client.load({}, guard=guard), client.check({}, guard=guard),
                   client.add("gain", "x", guard=guard), client.remove("vol", guard=guard),
                   client.rename("vol", "x", guard=guard), client.connect("osc", "out", guard=guard),
                   client.disconnect("osc", "vol", guard=guard), client.change_settings("vol", channels=2, guard=guard),
                   client.describe("vol", title="x", guard=guard), client.set_latency_compensation(True, guard=guard)]
        for change in changes:
            with self.assertRaises(rta.Aborted) as caught:
                await change
            self.assertEqual(caught.exception.conflict.revision, graph.revision)
            self.assertEqual(caught.exception.conflict.author, "loopback")
            self.assertEqual(caught.exception.conflict.client_name, "tests")
        with self.assertRaises(rta.Aborted):
            async with client.transaction(guard=guard) as transaction:
                transaction.remove("vol")
        self.assertEqual((await client.graph()).parameter("vol.gain_db"), -6)
        async with client.transaction(guard=rta.Guard(expected_revision=graph.revision)) as transaction:
            transaction.remove("vol")
        self.assertEqual(transaction.result.revision, graph.revision + 1)

    async def test_clients_that_read_and_write_with_guards_lose_no_update(self):
        await self.client.load(CHAIN)

        async def count(client):
            done = 0
            while done < 40:
                graph = await client.graph()
                try:
                    await client.set({"osc.frequency_hz": graph.parameter("osc.frequency_hz") + 1}, ramp_ms=0,
                                     guard=rta.Guard(expected_change=graph.change_number))
                    done += 1
                except rta.Aborted:
                    pass

        async with rta.connect(self.daemon.address) as other:
            await asyncio.gather(count(self.client), count(other))
        self.assertEqual(await self.client.get("osc.frequency_hz"), 440 + 80)

    async def test_errors_have_classes(self):
        client = self.client
        await client.load(CHAIN)
        for error, request in (
                (rta.NotFound, client.set({"ghost.gain_db": 1})), (rta.NotFound, client.add("gayn", "g")),
                (rta.NotFound, client.add("gain", "g", gaim_db=1)), (rta.NotFound, client.add("gain", "g", kind="x")),
                (rta.NotFound, client.get("vol.x")), (rta.NotFound, client.get("ghost.x")),
                (rta.AlreadyExists, client.add("gain", "vol")), (rta.FailedPrecondition, client.connect("vol", "vol")),
                (rta.InvalidArgument, client.load("{")), (rta.InvalidArgument, client.set({"vol.gain_db": 1000})),
                (rta.InvalidArgument, client.set({"vol.gain_db": 1e300})),
                (rta.InvalidArgument, client.set({"vol.gain_db": math.nan})), (rta.InvalidArgument, client.set({})),
                (rta.InvalidArgument, client.reset_meters("a", "a"))):
            with self.subTest(error=error.__name__), self.assertRaises(error) as caught:
                await request
            self.assertEqual(caught.exception.code, error.code)

    async def test_what_cannot_be_sent_is_an_error_of_the_library_too(self):
        client = self.client
        for request in (client.set({"vol": 1}), client.set({"vol.gain_db": "-6 dB"}), client.set({"vol.gain_db": 10 ** 400}),
                        client.get("vol"), client.load({"a": object()}), client.load({"a": math.nan}), client.volume(),
                        client.volume(1, add_db=1), client.change_settings("vol", channels=[1]),
                        client.load(" " * (5 << 20))):
            with self.assertRaisesRegex(rta.InvalidArgument, "expected|JSON"):
                await request
        self.assertRaises(rta.InvalidArgument, rta.connect, "a:b")
        self.assertRaises(rta.InvalidArgument, rta.connect, "a", fingerprint="ab:cd")
        self.assertRaises(rta.InvalidArgument, client.events, "level")

    async def test_concurrent_requests_are_pipelined_and_answered(self):
        await self.client.load(CHAIN)
        values = await asyncio.gather(*(self.client.change({"osc.frequency_hz": 1}) for _ in range(300)))
        self.assertEqual([result.relative_changes[0].value for result in values], [441 + i for i in range(300)])

    async def test_an_abandoned_request_does_not_disturb_the_next(self):
        await self.client.load(CHAIN)
        for _ in range(20):
            task = asyncio.create_task(self.client.document())
            await asyncio.sleep(0)
            task.cancel()
            self.assertEqual(await self.client.get("vol.gain_db"), -12)

    async def test_a_closed_client_refuses(self):
        await self.client.close()
        with self.assertRaisesRegex(rta.Disconnected, "closed"):
            await self.client.status()
        await self.client.close()


class NoDaemon(unittest.IsolatedAsyncioTestCase):
    async def test_the_error_names_the_address_and_the_reason(self):
        for address in ("127.0.0.1:1", "/nowhere/control.sock"):
            with self.assertRaisesRegex(rta.CannotConnect, f"{address}.*is it running"):
                async with rta.connect(address):
                    pass

    async def test_the_default_addresses_are_those_of_rtactl(self):
        with unittest.mock.patch.dict("os.environ", {"RTACTL_HOST": "studio:80"}):
            self.assertEqual([str(address) for address in default_addresses()], ["studio:80"])
        local = {"RTACTL_HOST": "", "RUNTIME_DIRECTORY": "/nowhere/a:/b", "XDG_RUNTIME_DIR": "/nowhere/c"}
        with unittest.mock.patch.dict("os.environ", local):
            self.assertEqual([str(address) for address in default_addresses()], [
                "/nowhere/a/control.sock", "/nowhere/c/rtad/control.sock", "/run/rtad/control.sock", "127.0.0.1:7340"])

    async def test_a_bad_token_file_is_refused_without_its_content(self):
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "token"
            for text, mode, message in (("rtad_short", 0o600, "no access token"), ("rtad_" + "x" * 43, 0o640, "expected mode 0600"),
                                        (None, 0, "cannot read the token file")):
                file.unlink(missing_ok=True)
                if text is not None:
                    file.write_text(text)
                    file.chmod(mode)
                with (self.subTest(message), unittest.mock.patch.dict("os.environ", {"RTACTL_TOKEN_FILE": str(file)}),
                      self.assertRaisesRegex(rta.InvalidArgument, message) as caught):
                    rta.connect()
                self.assertNotIn(str(text), str(caught.exception))
