// SPDX-License-Identifier: MIT
// The connection between page and worklet, and the processor, without a browser.
//
// Environment: RTA_WEB_MODULES, the modules of client/web; RTA_WASM, the engine.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {PerformanceObserver} from 'node:perf_hooks';
import test from 'node:test';
import {pathToFileURL} from 'node:url';
import {Worker} from 'node:worker_threads';

const moduleUrl = (name) => pathToFileURL(path.join(process.env.RTA_WEB_MODULES, 'engine', name)).href;
const {MAXIMUM_MESSAGE_BYTES, MessageKind, RingReader, RingWriter, ringMemory} = await import(moduleUrl('ring.js'));
const {WorkletChannel} = await import(moduleUrl('channel.js'));
const {LoadMeter, loadsOf} = await import(moduleUrl('load_meter.js'));
const {LoadWindow} = await import(moduleUrl('load_window.js'));

/** A generator of numbers, the same in each run. */
function randomNumbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

const messageOf = (length, seed) => Uint8Array.from({length}, (_, i) => i * 7 + seed);

test('messages of all sizes pass a ring, in order, whatever writer and reader do in between', () => {
  const random = randomNumbers(1);
  for (const capacity of [64, 256, 4096]) {
    const memory = ringMemory(capacity);
    const writer = new RingWriter(memory);
    const reader = new RingReader(memory);
    const sent = [];
    let received = 0;
    for (let step = 0; step < 20_000; ++step) {
      if (random(2) === 0) {
        if (writer.resume()) {
          const bytes = messageOf(random(4) === 0 ? random(3 * capacity) : random(20), step);
          const kind = 1 + random(4);
          writer.send(kind, bytes);
          sent.push({kind, bytes: bytes.slice()});
          bytes.fill(0);  // the writer has its own copy
        }
      } else if (reader.receive(1 + random(2 * capacity))) {
        const {kind, bytes} = sent[received++];
        assert.equal(reader.kind, kind);
        assert.deepEqual(reader.bytes.slice(0, reader.length), bytes);
      }
    }
    assert.ok(received > 1000 && sent.length - received <= capacity, `${received} of ${sent.length}`);
  }
});

test('a ring refuses what it cannot hold, and what comes too early', () => {
  for (const capacity of [0, 63, 100, 2 ** 31]) assert.throws(() => ringMemory(capacity), /power of two/);
  const writer = new RingWriter(ringMemory(64));
  assert.throws(() => writer.send(MessageKind.command, new Uint8Array(MAXIMUM_MESSAGE_BYTES + 1)), /at most 4194304/);
  writer.send(MessageKind.command, new Uint8Array(100));
  assert.equal(writer.idle, false);
  assert.throws(() => writer.send(MessageKind.command, new Uint8Array(1)), /not sent completely/);
});

test('a ring passes messages between threads', async () => {
  const MESSAGES = 5000;
  const memory = ringMemory(16384);
  const code = `import {workerData, parentPort} from 'node:worker_threads';
    import {RingWriter} from '${moduleUrl('ring.js')}';
    const writer = new RingWriter(workerData.memory);
    const nap = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.1);
    for (let i = 0; i < ${MESSAGES}; ++i) {
      while (!writer.resume()) nap();
      writer.send(1 + i % 4, Uint8Array.from({length: i * 31 % 2000}, (_, k) => i + k));
    }
    while (!writer.resume()) nap();
    parentPort.postMessage('sent');`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {workerData: {memory}});
  const sent = new Promise((resolve, reject) => { worker.once('message', resolve).once('error', reject); });
  const reader = new RingReader(memory);
  for (let i = 0; i < MESSAGES;) {
    if (reader.receive(1 << 20)) {
      assert.equal(reader.kind, 1 + i % 4);
      assert.equal(reader.length, i * 31 % 2000);
      for (let k = 0; k < reader.length; ++k) if (reader.bytes[k] !== (i + k & 255)) assert.fail(`message ${i}, byte ${k}`);
      ++i;
    } else {
      await new Promise((resolve) => { setImmediate(resolve); });
    }
  }
  assert.equal(await sent, 'sent');
  await worker.terminate();
});

/** The worklet's end of a channel, in this thread: it answers when serve() is called, and counts turns. */
class FakeWorklet {
  constructor({isolated = true, capacity = 1024} = {}) {
    const {port1, port2} = new MessageChannel();
    this.port = port1;
    this.own = port2;
    this.turns = 0;
    this.rings = isolated ? {commands: ringMemory(capacity), replies: ringMemory(capacity)} : undefined;
    this.received = [];
    if (isolated) {
      this.commands = new RingReader(this.rings.commands);
      this.replies = new RingWriter(this.rings.replies);
    }
    port2.onmessage = ({data}) => {
      if (data.turn) { this.turns += 1; this.serve(64); port2.postMessage({turned: true}); }
      if (data.command) this.received.push(data.command);
      if (data.end) this.ended = true;
    };
  }

  serve(most) {
    let served = 0;
    for (; served < most; ++served) {
      let bytes;
      if (this.commands) {
        if (!this.replies.resume() || !this.commands.receive(1 << 20)) break;
        bytes = this.commands.bytes.slice(0, this.commands.length);
      } else {
        bytes = this.received.shift();
        if (!bytes) break;
      }
      const reply = new TextEncoder().encode(JSON.stringify({echo: JSON.parse(new TextDecoder().decode(bytes))}));
      if (this.replies) this.replies.send(MessageKind.reply, reply);
      else this.own.postMessage({kind: MessageKind.reply, bytes: reply});
    }
    return served;
  }

  close() { this.own.close(); }
}

for (const isolated of [true, false]) {
  test(`commands are answered in order, ${isolated ? 'through rings' : 'through the port'}, while the context is suspended`, async (t) => {
    const worklet = new FakeWorklet({isolated});
    t.after(() => worklet.close());
    const channel = new WorkletChannel(worklet, worklet.rings, () => false);
    const large = 'x'.repeat(100_000);
    const replies = await Promise.all(Array.from({length: 300}, (_, i) => channel.send({i, text: i === 150 ? large : 'ü'})));
    assert.deepEqual(replies.map(({echo}) => echo.i), Array.from({length: 300}, (_, i) => i));
    assert.equal(replies[150].echo.text, large);
    assert.equal(replies[151].echo.text, 'ü');
    assert.ok(worklet.turns > 0);
    channel.close();
    await assert.rejects(channel.send({}), {code: 'UNAVAILABLE'});
  });
}

test('while the context runs, commands wait for process(), and the page may post nothing', async (t) => {
  const worklet = new FakeWorklet();
  t.after(() => worklet.close());
  const channel = new WorkletChannel(worklet, worklet.rings, () => true);
  const reply = channel.send({a: 1});
  assert.equal(worklet.serve(1), 1);
  assert.deepEqual(await reply, {echo: {a: 1}});
  assert.equal(worklet.turns, 0);
  channel.close();
});

test('a context that runs and does not answer is helped', async (t) => {
  const worklet = new FakeWorklet();
  t.after(() => worklet.close());
  const channel = new WorkletChannel(worklet, worklet.rings, () => true);
  assert.deepEqual(await channel.send({a: 1}), {echo: {a: 1}});
  assert.ok(worklet.turns > 0);
  channel.close();
});

test('what waits for a worklet is bounded, and fails when the channel is closed', async (t) => {
  const worklet = new FakeWorklet();
  t.after(() => worklet.close());
  worklet.own.onmessage = null;
  const channel = new WorkletChannel(worklet, worklet.rings, () => false);
  const waiting = Array.from({length: 4096}, (_, i) => channel.send({i}).catch(({code}) => code));
  await assert.rejects(channel.send({}), (error) => error.code === 'RESOURCE_EXHAUSTED' && /at most 4096/.test(error.message));
  await assert.rejects(channel.send({text: 'x'.repeat(MAXIMUM_MESSAGE_BYTES)}), {code: 'RESOURCE_EXHAUSTED'});
  channel.close();
  assert.ok((await Promise.all(waiting)).every((code) => code === 'UNAVAILABLE'));
});

test('loads are added up to those of a second', () => {
  const meter = new LoadMeter();
  const window = new LoadWindow();
  assert.equal(window.load.callback_count, 0);
  for (let quantum = 1; quantum <= 750; ++quantum) {
    meter.start();
    meter.stop(128, 48000);
    if (meter.full(quantum * 128, 128, 48000, 65536)) window.add(loadsOf(meter.bytes));
  }
  assert.equal(window.memory_bytes, 65536);
  const {callback_count, mean, p99, worst} = window.load;
  assert.ok(callback_count >= 375 && callback_count <= 380, `${callback_count}`);
  assert.ok(mean >= 0 && mean <= p99 && p99 <= worst, `${mean} ${p99} ${worst}`);
});
