// SPDX-License-Identifier: MIT
// Plays a chain and edits it. Then mirrors the graph until a node named `the_end` is added, and compares the mirror with
// the graph of the daemon.
//
//   node follow.mjs                    the daemon is that of RTACTL_HOST and RTACTL_TOKEN_FILE
//   node follow.mjs PREFIX COUNT       over connections that are cut: adds 1 dB to PREFIX_0.gain_db and so on, instead of
//                                      playing
import assert from 'node:assert/strict';
import {setTimeout as pause} from 'node:timers/promises';
import {RtaError, connect} from 'rta-client';

const PAUSE_MS = 20;

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

/** Makes relative changes, which must not be repeated: after a lost connection, it is unknown whether they took effect. */
async function editOnce(client, prefix, count) {
  for (let number = 0; number < count; number += 1) {
    try {
      await client.set({[`${prefix}_${number}.gain_db`]: {add: 1}});
      console.log(`applied ${number}`);
    } catch (error) {
      if (error.code !== 'UNAVAILABLE') throw error;
      console.log(`unknown ${number}`);
      await pause(PAUSE_MS);
    }
  }
  console.log('edited');
}

/** Makes a call that changes nothing, until it succeeds; once, if connections are not cut. */
async function repeat(call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!prefix || error.code !== 'UNAVAILABLE') throw error;
      await pause(PAUSE_MS);
    }
  }
}

const [prefix, count] = process.argv.slice(2);
const client = await repeat(() => connect(undefined, {name: 'follow.mjs'}));
if (!prefix) await playAndEdit(client);

const mirror = await repeat(() => client.mirror());
console.log('following');
const first = mirror.change_number;
if (prefix) await editOnce(client, prefix, Number(count));
for await (const {graph} of mirror.changes()) {
  if (graph.nodes.has('the_end')) break;
}

const {graph, revision, change_number} = await repeat(() => client.graph());
for await (const live of mirror.changes()) {
  if (live.change_number >= change_number) break;
}
const fresh = await repeat(() => client.mirror());
assert.deepEqual(mirror.graph, fresh.graph);
// Independently of the library's idea of a graph: the daemon lists all parameters.
assert.deepEqual(Object.fromEntries([...mirror.graph.nodes].map(([name, {parameters}]) => [name, parameters])),
  Object.fromEntries(graph.nodes.map(({name, parameters}) => [name, parameters])));
assert.equal(mirror.revision, revision);
if (!prefix) assert.equal(mirror.reads, 1, 'changes without a gap');
console.log(`the mirror equals the graph: ${graph.nodes.length} nodes, ${graph.connections.length} connections, ` +
  `revision ${revision}, ${mirror.change_number - first} changes, graph read ${mirror.reads} times, ` +
  `connection resumed ${mirror.resumes} times`);
client.close();
