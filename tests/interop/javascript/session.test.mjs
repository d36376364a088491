// SPDX-License-Identifier: MIT
// A session that open() provides in place of a transport.
import assert from 'node:assert/strict';
import test from 'node:test';
import {RtaError, connectOver, messageAsReceived, requestAsReceived} from 'rta-client/core';
import {turns} from './support.mjs';

/** Answers get_status and subscribe. The test delivers events through `listener`. */
class FakeSession {
  requests = [];
  resumed = 0;
  closed = null;

  constructor(listener) { this.listener = listener; }

  async greet({name}) { return messageAsReceived({response: {hello: {server_version: 'fake', author: name}}}).response.hello; }

  async call(request) {
    const {kind, request: received} = requestAsReceived(request);
    if (this.closed) throw this.closed;
    this.requests.push(received);
    if (!['get_status', 'subscribe'].includes(kind)) throw new RtaError('UNIMPLEMENTED', `no ${kind}`);
    return messageAsReceived({response: {[kind]: kind === 'get_status' ? {uptime_s: 7} : {instance_id: 'fake'}}}).response[kind];
  }

  resume() { this.resumed += 1; }

  close(error) {
    this.closed = error;
    this.listener.end(error);
  }
}

async function connected() {
  const sessions = [];
  const open = async () => ({session: (listener) => (sessions.push(new FakeSession(listener)), sessions.at(-1)), peer: 'the page'});
  return {client: await connectOver(open, {name: 'a test'}), sessions};
}

test('a client calls a session, and gets its events', async () => {
  const {client, sessions: [session]} = await connected();
  assert.equal(client.hello.author, 'a test');
  assert.equal(client.peer, 'the page');
  assert.equal(client.fingerprint, null);
  assert.equal((await client.status()).uptime_s, 7);
  await assert.rejects(client.panic(), {name: 'RtaError', code: 'UNIMPLEMENTED', message: 'no panic'});
  await assert.rejects(client.call({get_graph: {x: 1}}), {code: 'INVALID_ARGUMENT', message: /GetGraph: unknown field: "x"/});

  const stream = client.events({topics: ['TOPIC_CHANGES']});
  await stream.ready;
  assert.deepEqual(session.requests.at(-1).subscribe.topics, ['TOPIC_CHANGES']);
  for (let number = 1; number <= 300; number += 1) {
    const {event, bytes} = messageAsReceived({event: {number, output_muted: {muted: true}}});
    session.listener.deliver(event, bytes);
  }
  assert.equal(session.listener.full(), true);
  assert.equal((await stream.next()).value.output_muted.muted, true);
  assert.ok(session.resumed > 0);
  client.close();
  assert.equal(session.closed.code, 'UNAVAILABLE');
  for (let left = 299; left > 0; left -= 1) await stream.next();
  await assert.rejects(stream.next(), {code: 'UNAVAILABLE'});
});

test('after a session has ended, the next call opens another', async () => {
  const {client, sessions} = await connected();
  const stream = client.events();
  await stream.ready;
  sessions[0].close(new RtaError('UNAVAILABLE', 'the page is gone'));
  await assert.rejects(stream.next(), {message: 'the page is gone'});
  assert.equal(client.connected, false);
  assert.equal((await client.status()).uptime_s, 7);
  assert.equal(sessions.length, 2);
  client.close();
});

test('a session that is provided too late is closed', async () => {
  let provide;
  let late;
  const opened = new Promise((resolve) => { provide = resolve; });
  await assert.rejects(connectOver(() => opened, {deadlineMs: 20}), {code: 'DEADLINE_EXCEEDED'});
  provide({session: (listener) => (late = new FakeSession(listener)), peer: 'the page'});
  await turns(3);
  assert.equal(late.closed.code, 'DEADLINE_EXCEEDED');
});

test('messages have the form in which they are received from a daemon', () => {
  const {kind, request} = requestAsReceived({set_parameters: {changes: [{node: 'osc', parameter: 'gain_db', value: -6.1}]}});
  assert.equal(kind, 'set_parameters');
  assert.equal(request.set_parameters.changes[0].value, Math.fround(-6.1));
  const {response, bytes} = messageAsReceived({response: {get_graph: {graph: {nodes: [{name: 'osc', settings: {channels: 2}}]}}}});
  const [node] = response.get_graph.graph.nodes;
  assert.deepEqual(node, {name: 'osc', type: '', settings: {channels: 2}, parameters: {}, title: '', description: ''});
  assert.ok(bytes > 0 && bytes < 100);
});

test('a message is the same wherever the memory of its bytes grows', () => {
  for (let length = 0; length < 600; length += 1) {
    const names = ['x'.repeat(length), 'a', 'b'];
    const {request} = requestAsReceived({apply_transaction: {edits: {edits: names.map((name) => ({remove_node: {name}}))}}});
    assert.deepEqual(request.apply_transaction.edits.edits.map(({remove_node: {name}}) => name), names);
  }
});
