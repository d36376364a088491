// SPDX-License-Identifier: MIT
// Plays a chain and edits it. Then mirrors the graph until a node named `the_end` is added, and compares the mirror
// with the graph of the daemon.
//
//   RTAD_PROTO=DIR node follow.mjs HOST PORT      DIR contains rta/v1/control.proto
import assert from 'node:assert/strict';
import {Graph, Mirror} from './mirror.mjs';
import {Client, Refused, loadProtocol} from './rtad.mjs';

// google.protobuf.Value in the representation of protobufjs.
const chain = {
  nodes: [
    {name: 'osc', type: 'sine', parameters: {frequency_hz: 440}},
    {name: 'vol', type: 'gain', parameters: {gain_db: -12}},
    {name: 'out', type: 'output', settings: {fields: {channels: {numberValue: 2}}}},
  ],
  connections: [{from: 'osc', to: 'vol'}, {from: 'vol', to: 'out'}],
};

async function playAndEdit(client) {
  const played = (await client.call({apply_transaction: {graph: chain, wait_for_start: true}})).apply_transaction;
  console.log(`revision ${played.revision} takes effect at frame ${played.frame}`);
  await client.call({set_parameters: {changes: [{node: 'osc', parameter: 'frequency_hz', value: 660, ramp_ms: 100}]}});
  // Add a second tone in one transaction, which is applied as a whole or not at all.
  await client.call({apply_transaction: {edits: {edits: [
    {add_node: {name: 'fifth', type: 'sine', parameters: {frequency_hz: 990}}},
    {connect: {from: 'fifth', to: 'vol', gain_db: -6}},
  ]}}});
  await assert.rejects(
    client.call({apply_transaction: {edits: {edits: [{remove_node: {name: 'ghost'}}]}}}),
    (error) => error instanceof Refused && error.status.code === 'NOT_FOUND' && error.status.edit_index === 0);
}

const [host, port] = process.argv.slice(2);
const client = await Client.connect(loadProtocol(process.env.RTAD_PROTO), {host, port: Number(port), name: 'follow.mjs'});
console.log(`rtad ${client.daemon.server_version}, instance ${client.daemon.instance_id}`);
await playAndEdit(client);

const mirror = await Mirror.begin(client);
console.log('following');
const first = mirror.number;
while (!mirror.graph.nodes.has('the_end')) await mirror.follow();

const result = (await client.call({get_graph: {}})).get_graph;
while (mirror.number < result.change_number) await mirror.follow();
const actual = new Graph([...mirror.graph.types.values()]);
actual.replace(result.graph);
assert.deepEqual(mirror.graph.nodes, actual.nodes);
assert.deepEqual(mirror.graph.connections, actual.connections);
assert.equal(mirror.graph.latencyCompensation, actual.latencyCompensation);
assert.deepEqual(mirror.graph.texts, actual.texts);
assert.equal(mirror.revision, result.revision);
console.log(`the mirror equals the graph: ${actual.nodes.size} nodes, ${actual.connections.size} connections, ` +
  `revision ${mirror.revision}, ${mirror.number - first} changes without a gap`);
client.close();
