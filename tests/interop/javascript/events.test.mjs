// SPDX-License-Identifier: MIT
// Subscriptions, and their bounds.
import assert from 'node:assert/strict';
import test from 'node:test';
import {connect} from 'rta-client';
import {connectOver} from 'rta-client/core';
import {Daemon, fakeDaemon, frame, okFrame, requestOf, turns} from './support.mjs';

async function clientOf(t) {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon.address);
  t.after(() => client.close());
  return client;
}

async function next(stream) { return (await stream.next()).value; }

test('a stream has the events of its topics, from the call on', async (t) => {
  const client = await clientOf(t);
  await client.volume(-1);
  const changes = client.events({topics: ['TOPIC_CHANGES']});
  const everything = client.events({topics: ['TOPIC_CHANGES', 'TOPIC_LEVELS', 'TOPIC_LOAD', 'TOPIC_NODE_LOADS'], telemetry_rate_hz: 50});
  const {revision} = await client.transaction((t) => t.add('sine', 'osc').add('output', 'out').connect('osc', 'out'));
  await client.set({'osc.gain_db': -30});
  const graphChanged = await next(changes);
  assert.equal(graphChanged.number, 2);
  assert.equal(graphChanged.graph_changed.revision, revision);
  assert.deepEqual(graphChanged.graph_changed.edits[2], {connect: {from: 'osc', to: 'out'}});
  const awaited = ['graph_changed', 'parameters_changed', 'transaction_heard', 'levels', 'load', 'node_loads'];
  const kinds = new Set();
  for await (const event of everything) {
    Object.keys(event).filter((name) => typeof event[name] === 'object').forEach((kind) => kinds.add(kind));
    if (awaited.every((kind) => kinds.has(kind))) break;
  }
  const later = [await next(changes), await next(changes)].map((event) => Object.keys(event).at(-1)).sort();
  assert.deepEqual(later, ['parameters_changed', 'transaction_heard'], 'no telemetry');
  assert.deepEqual(await everything.next(), {value: undefined, done: true}, 'ended by break');
});

test('meters yields levels, and unsubscribes at the end', async (t) => {
  const client = await clientOf(t);
  await client.transaction((t) => t.add('sine', 'osc', {gain_db: -6}).add('output', 'out').add('meter', 'vu')
    .connect('osc', 'out').connect('osc', 'vu'), {wait_for_start: true});
  let last;
  for await (const levels of client.meters({telemetry_rate_hz: 100})) {
    last = levels;
    if (levels.meters.length > 0 && levels.outputs[0].peak_db > -6.1) break;
  }
  assert.ok(Math.abs(last.outputs[0].peak_db + 6) < 0.1, `${last.outputs[0].peak_db}`);
  assert.equal(last.meters[0].node, 'vu');
  const [{telemetry_dropped}] = (await client.status()).clients;
  assert.equal(telemetry_dropped, 0);
});

test('watched ports go to the streams that watch them', async (t) => {
  const client = await clientOf(t);
  await client.transaction((t) => t.add('sine', 'osc', {gain_db: -6, frequency_hz: 937.5}).add('gain', 'vol', {gain_db: -6})
    .connect('osc', 'vol'), {wait_for_start: true});
  const both = client.events({watches: ['vol:out', {port: 'osc', spectrum: true}], telemetry_rate_hz: 20});
  for await (const {ports} of client.portLevels(['osc'])) {
    assert.deepEqual(ports.map(({port}) => port), ['osc']);
    if (Math.abs(ports[0].channels[0].peak_db + 6) < 0.1) break;
  }
  for await (const {port_levels: {ports}} of both) {
    assert.deepEqual(ports.map(({port}) => port), ['vol:out', 'osc']);
    const [{magnitudes_db} = {magnitudes_db: []}] = ports[1].spectra;
    if (Math.abs(magnitudes_db[40] + 6) < 0.1 && Math.abs(ports[0].channels[0].peak_db + 12) < 0.1) break;
  }
  for (const watches of [[7], 'osc', [{}]])
    assert.throws(() => client.events({watches}), /expected a list of ports/);
  await assert.rejects(client.portLevels(['osc:none']).next(), {code: 'NOT_FOUND'});
});

test('a signal ends a stream with its reason', async (t) => {
  const client = await clientOf(t);
  const abort = new AbortController();
  const stream = client.events({signal: abort.signal});
  await stream.ready;
  const waiting = assert.rejects(stream.next(), /^Error: enough$/);
  abort.abort(new Error('enough'));
  await waiting;
  assert.deepEqual(await stream.next(), {value: undefined, done: true});
});

test('a client subscribes to what its streams need, at the highest rate', async (t) => {
  const requests = [];
  const {address} = await fakeDaemon(t, (request, socket) => {
    requests.push([request.subscribe.topics.join(), request.subscribe.telemetry_rate_hz]);
    socket.write(okFrame(request.id, {subscribe: {}}));
  });
  const client = await connect(address);
  t.after(() => client.close());
  const changes = client.events({topics: ['TOPIC_CHANGES']});
  const levels = client.events({topics: ['TOPIC_LEVELS'], telemetry_rate_hz: 25});
  const load = client.events({topics: ['TOPIC_CHANGES', 'TOPIC_LOAD']});
  levels.return();
  load.return();
  changes.return();
  const last = client.events({topics: []});
  await last.ready;
  assert.deepEqual(requests.map(([topics]) => topics), ['1', '1,2', '1,2,3', '1,3', '1', '4', '1,2,3,4']);
  assert.deepEqual(requests.map(([, rate]) => rate), [null, 25, 25, 10, null, null, 10]);
});

test('while events are not read, the client stops reading, unless a call is pending', async (t) => {
  const answers = [];
  let events = 0;
  const transport = {
    // Before a response, 500 events are sent.
    async read() {
      await turns(1);
      if (answers.length > 0 && events >= answers[0].after) return answers.shift().bytes;
      events += 1;
      return frame({event: {number: events, panicked: {}}});
    },
    async write(bytes) {
      const {id, hello, subscribe} = requestOf(bytes);
      const result = hello ? {hello: {}} : subscribe ? {subscribe: {}} : {get_status: {uptime_s: 7}};
      answers.push({after: events + (hello || subscribe ? 0 : 500), bytes: okFrame(id, result)});
    },
    close() {},
  };
  const client = await connectOver(async () => ({transport, peer: 'a test'}));
  t.after(() => client.close());
  const stream = client.events();
  await stream.ready;
  await turns(2000);
  const before = events;
  assert.ok(before < 300, `${before} events were read`);
  assert.equal((await client.status()).uptime_s, 7);
  await turns(2000);
  assert.ok(events < before + 510, `${events - before} events were read`);
  for (let read = 1; read <= 2000; read += 1) {
    const {number} = await next(stream);
    if (read > 1) assert.equal(number, stream.last + 1);
    stream.last = number;
  }
  await turns(2000);
  assert.ok(events > 2000 && events < 2600, `${events} events were read`);
});

test('a stream that is not read does not hold up the others', async (t) => {
  const {address} = await fakeDaemon(t, (request, socket) => {
    if (request.subscribe) return socket.write(okFrame(request.id, {subscribe: {}}));
    socket.write(okFrame(request.id, {get_status: {}}));
    for (let number = 1; number <= 5000; number += 1) socket.write(frame({event: {number, panicked: {}}}));
    return undefined;
  });
  const client = await connect(address);
  t.after(() => client.close());
  const [forgotten, read] = [client.events(), client.events()];
  await client.status();
  for (let number = 1; number <= 5000; number += 1) assert.equal((await next(read)).number, number);
  for (let number = 1; number <= 4097; number += 1) assert.equal((await next(forgotten)).number, number);
  await assert.rejects(forgotten.next(), {code: 'RESOURCE_EXHAUSTED'});
});

test('changes that are not read while calls are pending end the stream; telemetry is dropped', async (t) => {
  const {address} = await fakeDaemon(t, (request, socket) => {
    if (request.subscribe) return socket.write(okFrame(request.id, {subscribe: {instance_id: 'fake', change_number: 0}}));
    // Events, and only then the response.
    const levels = request.list_node_types ? 4095 : 10_000;
    for (let i = 1; i <= levels; i += 1) socket.write(frame({event: {telemetry_number: i, levels: {frame: i}}}));
    const changes = request.list_node_types ? 10_000 : 0;
    for (let i = 1; i <= changes; i += 1) socket.write(frame({event: {number: i, panicked: {frame: i}}}));
    return socket.write(okFrame(request.id, request.list_node_types ? {list_node_types: {}} : {get_status: {}}));
  });
  const client = await connect(address);
  t.after(() => client.close());
  const stream = client.events();
  await client.status();
  assert.equal(stream.dropped, 10_000 - 4096);
  assert.equal((await next(stream)).telemetry_number, 10_000 - 4096 + 1, 'the oldest are dropped');
  await client.nodeTypes();
  assert.equal(stream.dropped, 10_000 + 4095 - 1, 'no change is dropped before the telemetry');
  let read = 0;
  await assert.rejects(async () => {
    for await (const event of stream) {
      read += 1;
      assert.equal(event.number, read, 'changes that were received before the error are not lost');
    }
  }, {code: 'RESOURCE_EXHAUSTED', message: /events \(\d+ bytes\) were not read/});
  assert.equal(read, 4097);
  await client.status();
});
