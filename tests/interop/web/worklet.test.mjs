// SPDX-License-Identifier: MIT
// The connection between page and worklet, and the processor, without a browser.
//
// Environment: RTA_WEB_MODULES, the modules of client/web; RTA_WASM, the engine.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import inspector from 'node:inspector';
import path from 'node:path';
import test from 'node:test';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {Worker} from 'node:worker_threads';

const moduleUrl = (name) => pathToFileURL(path.join(process.env.RTA_WEB_MODULES, 'engine', name)).href;
const {MAXIMUM_MESSAGE_BYTES, MessageKind, RingReader, RingWriter, ringMemory} = await import(moduleUrl('ring.js'));
const {WorkletChannel} = await import(moduleUrl('channel.js'));
const {EngineHost} = await import(moduleUrl('host.js'));
const {LoadMeter, loadsOf} = await import(moduleUrl('load_meter.js'));
const {LoadWindow} = await import(moduleUrl('load_window.js'));

// The scope of an AudioWorklet, as far as the processor uses it.
Object.assign(globalThis, {sampleRate: 48000, currentFrame: 0, registerProcessor: (_, type) => { globalThis.Processor = type; },
  AudioWorkletProcessor: class { port = {onmessage: null, posted: [], postMessage(message) { this.posted.push(message); }}; }});
await import(moduleUrl('processor.js'));

/** A generator of numbers, the same in each run. */
function randomNumbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

const originalTimeout = setTimeout;
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
      if (this.replies) {
        this.replies.send(MessageKind.reply, reply);
        this.replies.wake();
      }
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

test('replies are read when they arrive, not by looking again and again', async (t) => {
  const worklet = new FakeWorklet();
  t.after(() => worklet.close());
  const pauses = [];
  t.mock.method(globalThis, 'setTimeout', (callback, ms, ...others) => {
    pauses.push(ms);
    return originalTimeout(callback, ms, ...others);
  });
  const channel = new WorkletChannel(worklet, worklet.rings, () => true);
  for (let i = 0; i < 50; i += 1) {
    const reply = channel.send({i});
    assert.equal(worklet.serve(1), 1);
    assert.deepEqual(await reply, {echo: {i}});
  }
  channel.close();
  assert.ok(pauses.every((ms) => ms >= 250), `it looked again after ${Math.min(...pauses)} ms`);
  assert.equal(worklet.turns, 0);
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

// ---- the processor

const DOCUMENT = JSON.stringify({
  nodes: [{name: 'osc', type: 'sine', parameters: {gain_db: -20}}, {name: 'out', type: 'output', settings: {channels: 2}}],
  connections: [{from: 'osc', to: 'out'}]});

/** A processor, and the page's end of its rings. */
function createProcessor({isolated = true, render_in_turns = true} = {}) {
  const rings = isolated ? {commands: ringMemory(65536), replies: ringMemory(65536)} : undefined;
  const module = new WebAssembly.Module(fs.readFileSync(process.env.RTA_WASM));
  const processor = new Processor({processorOptions: {module, rings, block_size: 128, channels_in: 1, channels_out: 2, render_in_turns}});
  const inputs = [[new Float32Array(128)]];
  const outputs = [[new Float32Array(128), new Float32Array(128)]];
  const page = {processor, outputs, replies: 0,
    commands: rings && new RingWriter(rings.commands), messages: rings && new RingReader(rings.replies),
    process: () => processor.process(inputs, outputs),
    send(command) {
      const bytes = new TextEncoder().encode(JSON.stringify(command));
      if (isolated) this.commands.send(MessageKind.command, bytes);
      else processor.port.onmessage({data: {command: bytes}});
    },
    /** Reads what the processor has sent. Returns the replies. */
    read() {
      const replies = [];
      const take = (kind, bytes) => { if (kind === MessageKind.reply) replies.push(JSON.parse(new TextDecoder().decode(bytes))); };
      while (this.messages?.receive(1 << 20)) take(this.messages.kind, this.messages.bytes.slice(0, this.messages.length));
      for (const {kind, bytes} of processor.port.posted.splice(0)) if (kind) take(kind, bytes);
      return replies;
    }};
  return page;
}

for (const isolated of [true, false]) {
  test(`a quantum serves one command, ${isolated ? 'through rings, and posts nothing' : 'through the port'}`, () => {
    const page = createProcessor({isolated});
    page.send({apply_transaction: {document: DOCUMENT}});
    for (let i = 0; i < 100; ++i) page.send({get_state: {}});
    for (let served = 0; served < 101; ++served) {
      page.process();
      if (isolated) assert.equal(page.processor.port.posted.length, 0);
      const replies = page.read();
      assert.equal(replies.length, 1, `in quantum ${served}`);
      assert.equal(replies[0].error, undefined, JSON.stringify(replies[0]));
    }
    for (let i = 0; i < 100; ++i) page.process();
    assert.equal(page.read().length, 0);
    assert.ok(Math.max(...page.outputs[0][0]) > 0.05);
    assert.deepEqual(page.outputs[0][0], page.outputs[0][1]);
  });
}

test('turns serve commands while the context does not run, and only then', () => {
  const page = createProcessor();
  const turn = () => page.processor.port.onmessage({data: {turn: true}});
  page.send({apply_transaction: {document: DOCUMENT}});
  page.send({get_state: {}});
  turn();
  assert.deepEqual(page.processor.port.posted.splice(0), [{turned: true}]);
  const [, {result}] = page.read();
  assert.equal(result.engine.node_count, 2);
  page.process();
  page.send({get_state: {}});
  turn();  // a quantum was rendered since the last turn
  assert.equal(page.read().length, 0);
  turn();
  assert.equal(page.read().length, 1);

  const offline = createProcessor({render_in_turns: false});
  offline.send({get_state: {}});
  offline.processor.port.onmessage({data: {turn: true}});
  assert.equal(offline.read()[0].result.engine.frame ?? 0, 0, 'an offline render begins at its first frame');
});

test('a processor ends when the page closes it', () => {
  const page = createProcessor();
  assert.equal(page.process(), true);
  page.processor.port.onmessage({data: {end: true}});
  assert.equal(page.process(), false);
});

/** Returns the bytes that functions of the modules allocate while `work` runs, as V8 samples them. */
async function allocatedBy(work) {
  const session = new inspector.Session();
  session.connect();
  const post = promisify(session.post.bind(session));
  await post('HeapProfiler.startSampling', {samplingInterval: 256, includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true});
  work();
  const {profile} = await post('HeapProfiler.stopSampling');
  session.disconnect();
  const sumOf = ({selfSize, callFrame, children}) => (
    children.reduce((sum, child) => sum + sumOf(child), callFrame.url.startsWith(moduleUrl('')) ? selfSize : 0));
  return sumOf(profile.head);
}

test('a quantum without a command allocates nothing but the numbers of the clock', async () => {
  const page = createProcessor();
  page.send({apply_transaction: {document: DOCUMENT}});
  const QUANTA = 100_000;
  const run = () => {
    for (let i = 0; i < QUANTA; ++i) {
      page.process();
      if (i % 1000 === 0) page.read();
    }
  };
  run();  // until everything is compiled
  const perQuantum = await allocatedBy(run) / QUANTA;
  // Two numbers of at most 16 bytes in every fourth quantum; the rest is compiled code and what the page reads.
  assert.ok(perQuantum < 12, `${perQuantum} bytes in a quantum`);
});

test('the memory of an engine is constant over 10,000 edits', () => {
  const module = new WebAssembly.Module(fs.readFileSync(process.env.RTA_WASM));
  const host = new EngineHost(module, {sample_rate_hz: 48000, block_size: 128, channels_in: 0, channels_out: 2});
  const outputs = [new Float32Array(128), new Float32Array(128)];
  const render = (quanta) => {
    for (let i = 0; i < quanta; ++i) {
      host.process([], outputs);
      while (host.nextEvent() !== null);
    }
  };
  const execute = (command) => {
    const bytes = new TextEncoder().encode(JSON.stringify({client_name: 'test', utc_us: 0, now_ms: 0, ...command}));
    for (let attempt = 0; attempt < 100; ++attempt) {
      const {error, retry} = JSON.parse(new TextDecoder().decode(host.execute(bytes)));
      if (error === undefined) return;
      if (!retry) assert.fail(error.message);
      render(4);  // the engine has no room until the sound has changed
    }
    assert.fail('the engine has no room');
  };
  const transaction = (...edits) => ({apply_transaction: {edits: {edits}}});
  const edits = [
    {set_parameters: {changes: [{node: 'osc', parameter: 'gain_db', value: -30}]}},
    transaction({add_node: {name: 'echo', type: 'delay_line'}}, {connect: {from: 'osc', to: 'echo'}}),
    {set_parameters: {changes: [{node: 'osc', parameter: 'gain_db', value: -20}]}},
    transaction({remove_node: {name: 'echo'}}),
  ];
  execute({apply_transaction: {document: DOCUMENT}});
  const edit = (count) => {
    for (let i = 0; i < count; ++i) {
      execute(edits[i % edits.length]);
      render(2);
    }
  };
  edit(40_000);  // until the history is full, and the heap as fragmented as it becomes
  const before = host.memory_bytes;
  edit(10_000);
  assert.equal(host.memory_bytes, before);
});
