// SPDX-License-Identifier: MIT
// Peers that do not follow the protocol.
import assert from 'node:assert/strict';
import test from 'node:test';
import {connect} from 'rta-client';
import {connectOver} from 'rta-client/core';
import {fakeDaemon, frame, okFrame, turns} from './support.mjs';

async function clientOf(t, answer, options) {
  const {address} = await fakeDaemon(t, answer);
  const client = await connect(address, options);
  t.after(() => client.close());
  return client;
}

const notAnRtad = {code: 'INTERNAL', message: /^127.0.0.1:\d+ is not an rtad: unexpected reply/};

for (const [what, bytes] of Object.entries({
  'a length of 5 MiB': [0x80, 0x80, 0xc0, 0x02],
  'a length that does not end': Array(10).fill(0x80),
  'bytes that are not a message': [0x03, 0xff, 0xff, 0xff],
  'a message that is shorter than its fields': [0x03, 0x0a, 0x20, 0x08],
  'HTTP': [...Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')],
  'a response to a request that was not sent': [...okFrame(99, {get_status: {}})],
  'a response without an id': [...okFrame(0, {get_status: {}})],
})) {
  test(`${what} ends the connection with an error`, async (t) => {
    const client = await clientOf(t, (_, socket) => socket.write(Buffer.from(bytes)));
    const stream = client.events();
    const calls = [client.status(), client.graph(), stream.next()];
    for (const call of calls) await assert.rejects(call, notAnRtad);
    assert.equal(client.connected, false);
  });
}

test('half a message, and then the end, is a lost connection', async (t) => {
  const client = await clientOf(t, (request, socket) => {
    const bytes = okFrame(request.id, {get_status: {server_version: 'x'.repeat(1000)}});
    socket.end(bytes.subarray(0, 500));
  });
  await assert.rejects(client.status(), {code: 'UNAVAILABLE', message: /lost the connection/});
});

test('a message may arrive in any pieces, and may have 4 MiB', async (t) => {
  const longest = 'x'.repeat((4 << 20) - 30);
  const client = await clientOf(t, async (request, socket) => {
    socket.setNoDelay(true);
    const status = okFrame(request.id, {get_status: {server_version: 'short'}});
    const bytes = Buffer.concat([frame({event: {number: 1, panicked: {}}}), status]);
    if (request.get_graph) return socket.write(okFrame(request.id, {get_graph: {document: longest}}));
    for (const byte of bytes) {
      await new Promise((resolve) => { socket.write(Buffer.from([byte]), resolve); });
    }
    return undefined;
  });
  assert.equal((await client.status()).server_version, 'short');
  assert.equal((await client.graph()).document, longest);
  assert.equal((await client.status()).server_version, 'short');
});

test('a message of 5 MiB is refused before it is received', async (t) => {
  let closed;
  const client = await clientOf(t, (request, socket) => {
    closed = new Promise((resolve) => { socket.once('close', resolve); });
    socket.write(okFrame(request.id, {get_graph: {document: 'x'.repeat(5 << 20)}}));
  });
  await assert.rejects(client.graph(), {code: 'INTERNAL', message: /a message of more than 4194304 bytes/});
  await closed;
});

test('an OK response without its result is an error of that call', async (t) => {
  const client = await clientOf(t, (request, socket) => {
    if (request.get_status) return socket.write(okFrame(request.id, {}));
    if (request.get_graph) return socket.write(okFrame(request.id, {get_status: {}}));
    return socket.write(okFrame(request.id, {panic: {}}));
  });
  await assert.rejects(client.status(), {code: 'INTERNAL', message: /answered OK to get_status without a result/});
  await assert.rejects(client.graph(), {code: 'INTERNAL', message: /answered OK to get_graph without a result/});
  assert.deepEqual(await client.panic(), {});
});

test('an error with a result has both', async (t) => {
  const client = await clientOf(t, (request, socket) => socket.write(
    frame({response: {id: request.id, status: {code: 4, message: 'not heard yet', edit_index: 0}, apply_transaction: {revision: 7}}})));
  await assert.rejects(client.transaction((t) => t.remove('a')), (error) => {
    assert.deepEqual([error.code, error.message, error.editIndex, error.result.revision], ['DEADLINE_EXCEEDED', 'not heard yet', 0, 7]);
    return true;
  });
});

test('unknown codes, fields and kinds of message are accepted', async (t) => {
  const client = await clientOf(t, (request, socket) => {
    if (request.subscribe) {
      socket.write(okFrame(request.id, {subscribe: {}}));
      socket.write(Buffer.from([0x03, 0xba, 0x3e, 0x00]));              // a ServerMessage with field 999
      socket.write(Buffer.from([0x07, 0x12, 0x05, 0x08, 0x05, 0xba, 0x3e, 0x00]));  // event 5 with field 999
      return socket.write(Buffer.from([0x05, 0x12, 0x03, 0xba, 0x3e, 0x00]));       // telemetry of an unknown kind
    }
    return socket.write(frame({response: {id: request.id, status: {code: 77, message: 'new'}}}));
  });
  const stream = client.events();
  assert.deepEqual((await stream.next()).value, {number: 5, telemetry_number: 0, telemetry_dropped: 0});
  await assert.rejects(client.status(), {code: 77, message: 'new'});
});

test('a response without a request says why the daemon disconnects', async (t) => {
  const {address} = await fakeDaemon(t, (_, socket) => socket.end(
    frame({response: {status: {code: 8, message: 'limit of 512 clients reached; try again later'}}})), {greet: false});
  await assert.rejects(connect(address), {code: 'RESOURCE_EXHAUSTED', message: /limit of 512 clients/});
});

test('a peer that disconnects, or is silent, before hello is answered', async (t) => {
  const silent = await fakeDaemon(t, () => {}, {greet: false});
  await assert.rejects(connect(silent.address, {deadlineMs: 50}), {code: 'DEADLINE_EXCEEDED'});
  const rude = await fakeDaemon(t, (_, socket) => socket.destroy(), {greet: false});
  await assert.rejects(connect(rude.address),
    {code: 'UNAVAILABLE', message: /disconnected before it answered hello.*; expected an rtad/});
});

test('close() ends a call that still connects', async (t) => {
  let hellos = 0;
  let arrived;
  const second = new Promise((resolve) => { arrived = resolve; });
  const {address, sockets} = await fakeDaemon(t, (request, socket) => {
    hellos += 1;
    if (hellos === 1) socket.write(okFrame(request.id, {hello: {server_version: 'fake', instance_id: 'fake'}}));
    else arrived();
  }, {greet: false});
  const client = await connect(address);
  for (const socket of sockets) socket.destroy();
  while (client.connected) await turns(1);
  const call = client.status();
  await second;
  client.close();
  await assert.rejects(call, {code: 'UNAVAILABLE', message: 'the client is closed'});
});

test('endless events do not pass the deadline', async (t) => {
  const event = frame({event: {telemetry_number: 1, levels: {}}});
  const many = Buffer.concat(Array(2000).fill(event));
  const client = await clientOf(t, (request, socket) => {
    if (request.subscribe) return socket.write(okFrame(request.id, {subscribe: {}}));
    const more = () => {
      while (!socket.destroyed && socket.write(many));
      socket.once('drain', more);
    };
    return more();
  });
  client.events();
  await assert.rejects(client.status({deadlineMs: 300}), {code: 'DEADLINE_EXCEEDED'});
});

test('a peer that does not read, or does not answer, holds calls, not memory without bound', async () => {
  let written = {requests: 0, bytes: 0};
  let answer;
  let full = false;
  const transport = {
    read: () => new Promise((resolve) => { answer = resolve; }),
    write: ({length}) => {
      written = {requests: written.requests + 1, bytes: written.bytes + length};
      return full ? new Promise(() => {}) : Promise.resolve();
    },
    close: () => answer(null),
  };
  const connecting = connectOver(async () => ({transport, peer: 'a test'}), {deadlineMs: 500});
  await turns(10);
  answer(okFrame(1, {hello: {}}));
  const client = await connecting;
  full = true;
  const document = 'x'.repeat(1 << 20);
  const large = Array.from({length: 50}, () => client.load(document));
  for (const call of large) await assert.rejects(call, {code: 'DEADLINE_EXCEEDED'});
  assert.ok(written.bytes > 8 << 20 && written.bytes < 10 << 20, `${written.bytes} bytes were handed to the transport`);
  client.close();

  full = false;
  const again = connectOver(async () => ({transport, peer: 'a test'}), {deadlineMs: 500});
  await turns(10);
  answer(okFrame(1, {hello: {}}));
  const second = await again;
  written.requests = 0;
  const small = Array.from({length: 3000}, () => second.status());
  for (const call of small) await assert.rejects(call, {code: 'DEADLINE_EXCEEDED'});
  assert.equal(written.requests, 1024);
  second.close();
});
