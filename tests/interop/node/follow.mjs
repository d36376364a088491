// SPDX-License-Identifier: MIT
// Plays a chain and edits it. Then mirrors the graph until a node named `the_end` is added, and compares the mirror with
// the graph of the daemon.
//
//   node follow.mjs HOST PORT          with the access token RTAD_TOKEN, if it is set
import assert from 'node:assert/strict';
import {RtaError, connect} from 'rta-client';

async function playAndEdit(client) {
  const played = await client.transaction((t) => t
    .add('sine', 'osc', {frequency_hz: 440}).add('gain', 'vol', {gain_db: -12}).add('output', 'out', {}, {channels: 2})
    .connect('osc', 'vol').connect('vol', 'out'), {wait_for_start: true});
  console.log(`revision ${played.revision} takes effect at frame ${played.frame}`);
  await client.set({'osc.frequency_hz': 660}, {ramp_ms: 100});
  // Add a second tone in one transaction, which is applied as a whole or not at all.
  await client.transaction((t) => t.add('sine', 'fifth', {frequency_hz: 990}).connect('fifth', 'vol', -6));
  await assert.rejects(client.transaction((t) => t.remove('ghost')),
    (error) => error instanceof RtaError && error.code === 'NOT_FOUND' && error.editIndex === 0);
}

const [host, port] = process.argv.slice(2);
const client = await connect(`${host}:${port}`, {name: 'follow.mjs', token: process.env.RTAD_TOKEN});
console.log(`rtad ${client.hello.server_version}, instance ${client.hello.instance_id}`);
await playAndEdit(client);

const mirror = await client.mirror();
console.log('following');
const first = mirror.change_number;
for await (const {graph} of mirror.changes()) {
  if (graph.nodes.has('the_end')) break;
}

const {graph, revision, change_number} = await client.graph();
for await (const live of mirror.changes()) {
  if (live.change_number >= change_number) break;
}
const fresh = await client.mirror();
assert.deepEqual(mirror.graph, fresh.graph);
// Independently of the library's idea of a graph: the daemon lists all parameters.
assert.deepEqual(Object.fromEntries([...mirror.graph.nodes].map(([name, {parameters}]) => [name, parameters])),
  Object.fromEntries(graph.nodes.map(({name, parameters}) => [name, parameters])));
assert.equal(mirror.revision, revision);
assert.equal(mirror.reads, 1, 'changes without a gap');
console.log(`the mirror equals the graph: ${graph.nodes.length} nodes, ${graph.connections.length} connections, ` +
  `revision ${revision}, ${mirror.change_number - first} changes without a gap`);
client.close();
