// SPDX-License-Identifier: MIT
// The JavaScript client over WebSockets, as pages use it, and over TCP: both see the same. The WebSocket is that of the package
// ws, which verifies what rtad sends.
//
// Environment: that of support.mjs.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import test from 'node:test';
import {connect} from 'rta-client';
import {connectOver} from 'rta-client/core';
import {WebSocket} from 'ws';
import {Daemon} from '../tests/support.mjs';

/** Splits delimited messages. */
class Splitter {
  #rest = Buffer.alloc(0);

  * take(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      let length = 0;
      let head = 0;
      do {
        if (head === this.#rest.length) return;
        length += (this.#rest[head] & 127) * 2 ** (7 * head);
      } while (this.#rest[head++] & 128);
      if (this.#rest.length < head + length) return;
      yield this.#rest.subarray(head, head + length);
      this.#rest = this.#rest.subarray(head + length);
    }
  }
}

function prefix(length) {
  const bytes = [];
  for (; length > 127; length = Math.floor(length / 128)) bytes.push((length % 128) | 128);
  return Buffer.from([...bytes, length]);
}

/** Opens a transport of the client. `fragment`: sends messages in parts of so many bytes. */
async function openTransport(url, fragment = Infinity) {
  const socket = new WebSocket(url.replace('http', 'ws') + 'socket', {origin: url.replace(/\/$/, ''), perMessageDeflate: true});
  const messages = [];
  let wake = () => {};
  socket.on('message', (data, isBinary) => {
    assert.ok(isBinary);
    messages.push(Buffer.concat([prefix(data.length), data]));
    wake();
  });
  socket.on('close', () => { messages.push(null); wake(); });
  await once(socket, 'open');
  assert.equal(socket.extensions, '');
  const splitter = new Splitter();
  return {
    async read() {
      while (messages.length === 0) await new Promise((resolve) => { wake = resolve; });
      return messages.length > 1 || messages[0] !== null ? messages.shift() : null;
    },
    async write(bytes) {
      for (const message of splitter.take(Buffer.from(bytes))) {
        for (let at = 0; at === 0 || at < message.length; at += fragment) {
          const end = Math.min(message.length, at + fragment);
          socket.send(message.subarray(at, end), {binary: true, fin: end === message.length});
          if (fragment !== Infinity) socket.ping('between fragments');
        }
      }
    },
    close() { socket.close(); },
  };
}

async function start(t) {
  const daemon = await Daemon.start(t, {arguments: ['--web', '127.0.0.1:0']});
  const [, url] = /serving (http:\/\/localhost:\d+\/)/.exec(daemon.log);
  return {daemon, url};
}

async function over(t, url, fragment) {
  const client = await connectOver(async () => ({transport: await openTransport(url, fragment), peer: url}), {name: 'page'});
  t.after(() => client.close());
  return client;
}

for (const fragment of [Infinity, 1000]) {
  test(`a mirror over a WebSocket equals one over TCP (fragments of ${fragment} bytes)`, async (t) => {
    const {daemon, url} = await start(t);
    const tcp = await connect(daemon.address);
    t.after(() => tcp.close());
    const page = await over(t, url, fragment);
    const mirrors = [await tcp.mirror(), await page.mirror()];
    let random = 1;
    const draw = (count) => { random = (random * 48271) % 2147483647; return random % count; };
    const names = [];
    for (let i = 0; i < 300; i += 1) {
      const editor = [tcp, page][draw(2)];
      if (names.length < 3 || draw(3) === 0) {
        const name = `n${i}`;
        await editor.transaction((change) => {
          change.add('gain', name, {gain_db: -draw(60)});
          if (names.length > 0) change.connect(names[draw(names.length)], name);
        });
        names.push(name);
      } else if (draw(3) === 0) {
        await editor.transaction((change) => change.remove(names.splice(draw(names.length), 1)[0]));
      } else {
        await editor.set({[`${names[draw(names.length)]}.gain_db`]: -draw(60)});
      }
    }
    const {change_number, revision} = await tcp.graph();
    for (const mirror of mirrors) {
      for await (const {change_number: latest} of mirror.changes()) if (latest >= change_number) break;
    }
    assert.deepEqual(mirrors[1].graph, mirrors[0].graph);
    assert.equal(mirrors[1].revision, revision);
    assert.equal(mirrors[1].reads, 1);
  });
}

test('large messages, and the answer to an invalid document', async (t) => {
  const {url} = await start(t);
  for (const fragment of [Infinity, 1 << 16]) {
    const page = await over(t, url, fragment);
    const nodes = Array.from({length: 8_000}, (_, i) => ({name: `a${i}`, type: 'gain', title: 'x'.repeat(60)}));
    await page.transaction(JSON.stringify({nodes}));
    assert.equal((await page.graph()).graph.nodes.length, 8_000);
    await assert.rejects(page.transaction('{"nodes": ['), {code: 'INVALID_ARGUMENT'});
  }
});

test('without an Origin, or with another one, the handshake fails', async (t) => {
  const {url} = await start(t);
  for (const options of [{}, {origin: 'http://evil.test'}, {origin: 'null'}, {origin: `${url}x`}]) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}socket`, options);
    const [error] = await once(socket, 'error');
    assert.match(error.message, /403/);
  }
});
