// SPDX-License-Identifier: MIT
// EngineHost in Node.js: the samples of rtad render, edits without clicks, memory, commands that are nonsense, and the size of the
// module.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import {randomOf, temporaryDirectory} from '../../tests/support.mjs';
import {LocalChannel, QUANTUM, another, localClient, module, moduleBytes} from './local_engine.mjs';

const SAMPLE_RATE_HZ = 48_000;
const TOLERANCE = 1e-5;  // of full scale, between targets
const SECONDS = 2;
/** The module may not grow unnoticed. docs/decisions/0028-page-engine.md names what remains to be done. */
const MOST_BYTES = 850_000;
const MOST_COMPRESSED_BYTES = 370_000;

/** Returns the graphs of the cookbook by the names of their files. */
function cookbook() {
  const text = fs.readFileSync(path.join(process.env.RTA_SOURCE, 'docs', 'cookbook.md'), 'utf8');
  return [...text.matchAll(/^```json (\S+)\n(.*?)^```$/gms)].map(([, name, document]) => ({name, document}));
}

/** Writes two channels of 32-bit floats. */
function writeWav(file, channels) {
  const frames = channels[0].length;
  const bytes = Buffer.alloc(44 + frames * channels.length * 4);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(3, 20);
  bytes.writeUInt16LE(channels.length, 22);
  bytes.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  bytes.writeUInt32LE(SAMPLE_RATE_HZ * channels.length * 4, 28);
  bytes.writeUInt16LE(channels.length * 4, 32);
  bytes.writeUInt16LE(32, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(bytes.length - 44, 40);
  for (let frame = 0; frame < frames; frame += 1) {
    channels.forEach((samples, channel) => bytes.writeFloatLE(samples[frame], 44 + (frame * channels.length + channel) * 4));
  }
  fs.writeFileSync(file, bytes);
}

function readWav(file) {
  const bytes = fs.readFileSync(file);
  let channels = 0;
  for (let at = 12; at + 8 <= bytes.length;) {
    const [name, size] = [bytes.toString('latin1', at, at + 4), bytes.readUInt32LE(at + 4)];
    if (name === 'fmt ') channels = bytes.readUInt16LE(at + 10);
    if (name === 'data') {
      const frames = size / 4 / channels;
      return Array.from({length: channels}, (_, channel) => (
        Float32Array.from({length: frames}, (__, frame) => bytes.readFloatLE(at + 8 + (frame * channels + channel) * 4))));
    }
    at += 8 + size + (size & 1);
  }
  throw new Error(`${file} has no samples`);
}

/** Noise with pauses, so that gates and compressors move. */
function program() {
  const random = randomOf(3);
  return [0, 1].map(() => Float32Array.from({length: SECONDS * SAMPLE_RATE_HZ}, (_, frame) => (
    (random() * 2 - 1) * (Math.floor(frame / 9600) % 2 === 0 ? 0.5 : 0.001))));
}

/** Renders with a host whose quantum is not a multiple of the block, or is. */
function rendered(document, inputs, channels, quantum) {
  const channel = new LocalChannel({channels_in: inputs.length, channels_out: channels});
  channel.close();
  const {error} = channel.execute({apply_transaction: {document}});
  assert.equal(error, undefined, error?.message);
  const frames = inputs[0].length;
  const outputs = Array.from({length: channels}, () => new Float32Array(frames));
  for (let at = 0; at + quantum <= frames; at += quantum) {
    channel.host.process(inputs.map((samples) => samples.subarray(at, at + quantum)), outputs.map((samples) => samples.subarray(at, at + quantum)));
    while (channel.host.nextEvent() !== null);
  }
  return outputs;
}

function largestDifference(a, b) {
  let largest = 0;
  a.forEach((sample, i) => {
    const difference = Math.abs(sample - b[i]);
    if (!(difference <= largest)) largest = difference;  // also NaN
  });
  return largest;
}

test('every graph of the cookbook sounds as in rtad render', (t) => {
  const directory = temporaryDirectory(t);
  const input = program();
  writeWav(path.join(directory, 'input.wav'), input);
  const graphs = cookbook();
  assert.ok(graphs.length >= 5, `${graphs.length} graphs`);
  let heard = 0;
  for (const {name, document} of graphs) {
    const [graph, output] = [path.join(directory, 'graph.json'), path.join(directory, 'output.wav')];
    fs.writeFileSync(graph, document);
    execFileSync(path.join(process.env.RTA_BIN, 'rtad'), ['render', '--graph', graph, '--output', output, '--duration', String(SECONDS),
      '--input', path.join(directory, 'input.wav')], {stdio: 'pipe'});
    const native = readWav(output);
    const portable = rendered(document, input, native.length, QUANTUM);
    native.forEach((samples, channel) => {
      const difference = largestDifference(portable[channel].subarray(0, SAMPLE_RATE_HZ), samples.subarray(0, SAMPLE_RATE_HZ));
      assert.ok(difference < TOLERANCE, `${name}, channel ${channel + 1}: differs by ${difference}`);
      if (samples.some((sample) => Math.abs(sample) > 0.01)) heard += 1;
    });
  }
  assert.ok(heard >= graphs.length, `${heard} channels are heard`);
});

test('a quantum of any length gives the same samples, inputs at most one block later', () => {
  const document = '{"nodes": [{"name": "in", "type": "input"}, {"name": "osc", "type": "sine"}, {"name": "out", "type": "output"},' +
    ' {"name": "second", "type": "output", "settings": {"first_channel": 2}}],' +
    ' "connections": [{"from": "in", "to": "out"}, {"from": "osc", "to": "second"}]}';
  const input = [program()[0]];
  const [direct, tone] = rendered(document, input, 2, 128);
  assert.deepEqual(direct.subarray(0, 48_000), input[0].subarray(0, 48_000));
  for (const quantum of [1, 7, 63, 96, 441, 1000]) {
    const [late, sameTone] = rendered(document, input, 2, quantum);
    assert.deepEqual(sameTone.subarray(0, 40_000), tone.subarray(0, 40_000), `quantum ${quantum}`);
    const latency = late.findIndex((sample) => sample !== 0) - direct.findIndex((sample) => sample !== 0);
    assert.ok(latency >= 0 && latency <= 64, `quantum ${quantum}: ${latency} frames`);
  }
});

test('10,000 edits take no memory after the first', () => {
  const channel = new LocalChannel();
  channel.close();
  const run = (count) => {
    for (let i = 0; i < count; i += 1) {
      const name = `n${i % 5}`;
      const edits = [{add_node: {name, type: ['gain', 'delay_line', 'biquad_filter'][i % 3]}}, {connect: {from: 'osc', to: name}}, {connect: {from: name, to: 'out'}}];
      const commands = [{apply_transaction: {edits: {edits}}}, {set_parameters: {changes: [{node: 'osc', parameter: 'gain_db', value: -(i % 40)}]}},
        {undo: {}}, {redo: {}}, {apply_transaction: {edits: {edits: [{remove_node: {name}}]}}}];
      for (const command of commands) {
        const {error, retry} = channel.execute({...command, now_ms: i * 5000});
        assert.ok(error === undefined || retry, error?.message);
        for (let quantum = 0; quantum < 12; quantum += 1) channel.render();
        channel.deliver();
      }
    }
  };
  channel.execute({apply_transaction: {edits: {edits: [{add_node: {name: 'osc', type: 'sine'}}, {add_node: {name: 'out', type: 'output'}}]}}});
  run(1500);  // until the history is full, and the heap has found its shape
  const before = channel.host.memory_bytes;
  run(2000);
  assert.equal(channel.host.memory_bytes, before);
});

/** Returns the largest second difference of what is rendered while `edit` is called between blocks. */
function roughness(edit) {
  const channel = new LocalChannel({channels_out: 1});
  channel.close();
  const send = (command) => channel.execute({...command, now_ms: 0});
  send({apply_transaction: {edits: {edits: [{add_node: {name: 'osc', type: 'sine', parameters: {frequency_hz: 220, gain_db: 0}}},
    {add_node: {name: 'vol', type: 'gain'}}, {add_node: {name: 'out', type: 'output'}}, {connect: {from: 'osc', to: 'vol'}}, {connect: {from: 'vol', to: 'out'}}]}}});
  let [last, slope, largest] = [0, 0, 0];
  for (let quantum = 0; quantum < 3000; quantum += 1) {
    if (quantum > 20 && quantum % 7 === 0) edit(send, quantum);
    channel.render();
    channel.deliver();
    for (const sample of channel.outputs[0]) {
      const next = sample - last;
      if (quantum > 0) largest = Math.max(largest, Math.abs(next - slope));
      [last, slope] = [sample, next];
    }
  }
  return largest;
}

test('edits are heard without a click', () => {
  const random = randomOf(5);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const edits = (...list) => ({apply_transaction: {edits: {edits: list}}});
  let accepted = 0;
  const largest = roughness((send) => {
    const {error} = send(pick([
      edits({set_parameter: {node: 'vol', parameter: 'gain_db', value: -Math.floor(random() * 40)}}),
      {set_parameters: {changes: [{node: 'vol', parameter: 'mute', value: Math.round(random())}]}},
      edits({add_node: {name: 'eq', type: 'biquad_filter', settings: {kind: 'peaking'}, parameters: {gain_db: -6}}}, {disconnect: {from: 'osc', to: 'vol'}},
        {connect: {from: 'osc', to: 'eq'}}, {connect: {from: 'eq', to: 'vol'}}),
      edits({remove_node: {name: 'eq'}}, {connect: {from: 'osc', to: 'vol', gain_db: -3}}),
      edits({connect: {from: 'vol', to: 'out', gain_db: -Math.floor(random() * 20)}}),
      {undo: {}}, {redo: {}}, {undo: {steps: 3}},
      {set_volume: {volume_db: -Math.floor(random() * 20)}},
      {mute_output: {muted: random() < 0.3}},
    ]));
    if (!error) accepted += 1;
  });
  assert.ok(accepted > 150, `${accepted} edits`);
  // A sine of 220 Hz has 8.3e-4; a linear crossfade of 10 ms adds 1 / 480 where it begins.
  assert.ok(largest < 6e-3, `second difference ${largest}`);
  const jump = roughness((send, quantum) => send({set_parameters: {changes: [{node: 'vol', parameter: 'gain_db', value: quantum % 2 ? 0 : -20, ramp_ms: 0}]}}));
  assert.ok(jump > 0.02, `a jump has ${jump}: the test can fail`);
});

test('sessions over one engine share scenes, changes and measurements', async (t) => {
  const {channel, client} = await localClient(t);
  const other = await another(channel, 'desk');
  t.after(() => other.close());
  await client.transaction((edit) => edit.add('sine', 'osc', {gain_db: -6, frequency_hz: 937.5}).add('output', 'out').connect('osc', 'out'), {wait_for_start: true});
  const mirror = await other.mirror();
  await client.saveScene('one');
  assert.deepEqual((await other.scenes()).map(({name}) => name), ['one']);
  await client.set({'osc.gain_db': -12});
  for await (const {graph} of mirror.changes()) if (graph.nodes.get('osc').parameters.gain_db === -12) break;
  for await (const {ports: [port]} of other.portLevels([{port: 'osc', spectrum: true}], {telemetry_rate_hz: 50})) {
    if (!port?.spectra.length || port.channels[0].peak_db > -11.9) continue;
    const [{magnitudes_db, band_hz}] = port.spectra;
    assert.equal(magnitudes_db.length, 1024);
    assert.ok(Math.abs(magnitudes_db[Math.round(937.5 / band_hz)] + 12) < 0.2);
    break;
  }
  for await (const {outputs} of client.meters({telemetry_rate_hz: 50})) {
    if (Math.abs(outputs[0].peak_db + 12) < 0.1) break;
  }
  await assert.rejects(client.devices(), {code: 'UNIMPLEMENTED'});
  await assert.rejects(client.set({'osc.gain_db': 0}, {at: {in_s: 1}}), {code: 'UNIMPLEMENTED'});
  assert.equal((await other.status()).clients.length, 2);
});

test('while the device stands still, changes are committed and answered with an error', async (t) => {
  const {channel, client} = await localClient(t);
  channel.running = false;
  await client.transaction((edit) => edit.add('sine', 'osc'));
  await assert.rejects(client.set({'osc.gain_db': -6}), {code: 'DEADLINE_EXCEEDED', message: /no block of audio was rendered for 500 ms/});
  assert.equal((await client.graph()).graph.nodes[0].parameters.gain_db, -6);
  channel.running = true;
  await client.set({'osc.gain_db': -9});
});

test('a recall that is not heard in time is refused, also while the engine is slow', async (t) => {
  const {channel, client} = await localClient(t);
  await client.transaction((edit) => edit.add('sine', 'osc').add('output', 'out').connect('osc', 'out'), {wait_for_start: true});
  await client.saveScene('one');
  channel.running = false;
  const {send} = channel;
  channel.send = async (command) => {
    // Longer than the time in which the change must be heard.
    if (command.publish) await new Promise((resolve) => { setTimeout(resolve, 100); });
    return send.call(channel, command);
  };
  await assert.rejects(client.recallScene('one', {wait_for_start: true, timeout_ms: 1}), {code: 'DEADLINE_EXCEEDED', message: /not heard yet/});
});

test('requests that are sent together keep their order, also while the engine has no room', async (t) => {
  const NODES = 60;
  const {channel, client} = await localClient(t);
  await client.transaction((edit) => edit.add('sine', 'osc').add('output', 'out').connect('osc', 'out'), {wait_for_start: true});
  let repeated = 0;
  const {execute} = channel;
  channel.execute = (command) => {
    const reply = execute.call(channel, command);
    if (reply.retry) repeated += 1;
    return reply;
  };
  const timeout_ms = 30_000;
  await Promise.all(Array.from({length: NODES}, (_, i) => [
    client.call({timeout_ms, apply_transaction: {edits: {edits: [{add_node: {name: `n${i}`, type: 'gain'}}, {connect: {from: 'osc', to: `n${i}`}},
      {connect: {from: `n${i}`, to: 'out'}}]}}}),
    client.set({[`n${i}.gain_db`]: -i}, {timeout_ms}),  // refused if the node does not exist yet
    client.set({'osc.gain_db': -i}, {timeout_ms}),
  ]).flat());
  assert.ok(repeated > 0, 'the engine had room for all: the test tests nothing');
  const {graph} = await client.graph();
  const gains = new Map(graph.nodes.map(({name, parameters}) => [name, parameters.gain_db]));
  for (let i = 0; i < NODES; i += 1) assert.equal(gains.get(`n${i}`) + i, 0);
  assert.equal(gains.get('osc'), 1 - NODES);
});

test('nonsense is refused, and changes nothing', () => {
  const channel = new LocalChannel();
  channel.close();
  const before = channel.execute({get_graph: {}}).result.document;
  const values = [null, true, -1, 1e300, 'x', [], {}, [[[]]], {nodes: 3}, {edits: [{}]}, '\u0000'];
  const kinds = ['apply_transaction', 'check_graph', 'set_parameters', 'undo', 'redo', 'get_history', 'recall_scene', 'read_scene', 'check_scene',
    'scene_document', 'set_volume', 'reset_meters', 'get_frequency_response', 'watch', 'publish', 'get_graph', 'nonsense'];
  const fields = ['edits', 'graph', 'document', 'changes', 'steps', 'nodes', 'name', 'event', 'volume_db', 'watches', 'frequencies_hz', 'from', 'guard', 'content'];
  for (const kind of kinds) {
    for (const value of values) {
      for (const content of [value, ...fields.map((field) => ({[field]: value}))]) {
        const reply = channel.execute({[kind]: content});
        assert.ok(reply.result !== undefined || typeof reply.error.message === 'string', `${kind} ${JSON.stringify(content)}`);
      }
    }
  }
  assert.equal(channel.execute({get_graph: {}}).result.document, before);
});

/** An engine with three gains, a clock that the test sets, and its documents. */
function faders() {
  const channel = new LocalChannel();
  channel.close();
  let now_ms = 0;
  const send = (command) => {
    const {error, result} = channel.execute({...command, now_ms});
    assert.equal(error, undefined, error?.message);
    for (let quantum = 0; quantum < 12; quantum += 1) channel.render();
    channel.deliver();
    return result;
  };
  const edit = (...edits) => send({apply_transaction: {edits: {edits}}});
  edit(...['a', 'b', 'c'].map((name) => ({add_node: {name, type: 'gain'}})));
  return {
    send, edit,
    wait: (ms) => { now_ms += ms; },
    set: (node, value, parameter = 'gain_db') => send({set_parameters: {changes: [{node, parameter, value}]}}),
    /** Returns the gains of a, b and c, and the names of the other nodes. */
    state: () => {
      const {nodes} = send({get_graph: {}}).graph;
      const gain = (name) => nodes.find((node) => node.name === name)?.parameters.gain_db;
      return [gain('a'), gain('b'), gain('c'), nodes.map(({name}) => name).filter((name) => !'abc'.includes(name)).join()];
    },
    summaries: () => send({get_history: {steps: 1000}}).steps.map(({summary}) => summary),
  };
}

test('gestures that continue behind later steps are one step each', () => {
  const {send, edit, wait, set, state, summaries} = faders();
  set('a', -1);
  edit({add_node: {name: 'x', type: 'gain'}});
  wait(1900);
  set('a', -2);
  set('b', -3);
  wait(1900);
  set('a', -4);
  set('b', -5);
  assert.deepEqual(summaries().slice(0, 3), ['set b.gain_db = -5', 'add x', 'set a.gain_db = -4']);
  const walk = (states) => states.map(([command, expected]) => {
    send({[command]: {}});
    assert.deepEqual(state(), expected, command);
  });
  walk([['undo', [-4, 0, 0, 'x']], ['undo', [-4, 0, 0, '']], ['undo', [0, 0, 0, '']],
    ['redo', [-4, 0, 0, '']], ['redo', [-4, 0, 0, 'x']], ['redo', [-4, -5, 0, 'x']]]);
  // An undo ends them all.
  set('a', -6);
  walk([['undo', [-4, -5, 0, 'x']]]);
  send({undo: {steps: 3}});
  assert.deepEqual(state(), [0, 0, 0, '']);
  send({redo: {steps: 3}});
  assert.deepEqual(state(), [-4, -5, 0, 'x']);
});

test('a gesture ends with a pause, and with a later change of its parameter or node', () => {
  const {edit, wait, set, summaries} = faders();
  set('a', -1);
  wait(2001);
  set('a', -2);
  assert.deepEqual(summaries().slice(0, 2), ['set a.gain_db = -2', 'set a.gain_db = -1']);
  edit({rename_node: {name: 'a', new_name: 'd'}}, {rename_node: {name: 'd', new_name: 'a'}});  // changes nothing
  edit({set_parameter: {node: 'a', parameter: 'mute', value: 1}});
  set('a', -3);
  assert.equal(summaries()[1], 'set a.gain_db = -3');
  edit({set_parameter: {node: 'a', parameter: 'gain_db', value: -9}});
  set('a', -4);
  assert.deepEqual(summaries().slice(0, 2), ['set a.gain_db = -4', 'set a.gain_db = -9']);
  edit({connect: {from: 'a', to: 'b'}});
  set('a', -5);
  assert.deepEqual(summaries().slice(0, 2), ['set a.gain_db = -5', 'connect a -> b']);
  edit({remove_node: {name: 'b'}});
  set('a', -6);
  assert.deepEqual(summaries().slice(0, 2), ['set a.gain_db = -6', 'remove b']);
});

test('an undo returns to the values of gestures that are no longer kept', () => {
  const {send, edit, set, state} = faders();
  set('a', -1);
  edit({add_node: {name: 'x', type: 'gain'}});
  set('a', -2);
  edit({add_node: {name: 'y', type: 'gain'}});
  for (let i = 0; i < 998; i += 1) edit({describe: {node: 'b', title: `t${i}`}});
  set('c', -3);  // the history has 1000 steps: the gesture, and the first edit, are dropped
  send({undo: {steps: 999}});
  assert.deepEqual(state(), [-2, 0, 0, 'x,y']);
  send({undo: {}});
  assert.deepEqual(state(), [-2, 0, 0, 'x']);
});

/** Commands with all their members, as hosts send them. */
const SCENE = '{"nodes": [{"name": "osc", "type": "sine"}]}';
const COMPLETE = [
  {list_node_types: {type: 'gain'}},
  {get_graph: {content: 1, nodes: ['osc'], with_origin: true}},
  {get_state: {}},
  {get_frequency_response: {from: 'osc', to: 'out', from_channel: 1, to_channel: 1, frequencies_hz: [100, 1000]}},
  {get_frequency_response: {node: 'vol', frequencies_hz: [100, 1000]}},
  {apply_transaction: {edits: {edits: [
    {add_node: {name: 'eq', type: 'equalizer', settings: {bands: 3, kind_1: 'highpass'}, parameters: {gain_1_db: -3}, title: 'EQ', description: 'x'}},
    {connect: {from: 'osc', to: 'eq', gain_db: -3}}, {rename_node: {name: 'vol', new_name: 'fader'}}, {disconnect: {from: 'osc', to: 'fader'}},
    {set_parameter: {node: 'osc', parameter: 'gain_db', value: -6, ramp_ms: 5}}, {set_parameter: {node: 'osc', parameter: 'gain_db', add: 3}},
    {change_settings: {node: 'osc', settings: {channels: 2}, defaults: ['channels']}}, {set_latency_compensation: {enabled: true}},
    {describe: {node: 'osc', title: 'Tone', description: ''}}, {remove_node: {name: 'eq'}}]}, guard: {expected_revision: 1, expected_change: 1, expected_instance: 'here'}}},
  {apply_transaction: {graph: {nodes: [{name: 'a', type: 'delay_line', settings: {max_time_ms: 10}, parameters: {time_ms: 5}}, {name: 'b', type: 'output'}],
    connections: [{from: 'a', to: 'b', gain_db: -1}], latency_compensation: false, title: 'T', description: 'D'}}},
  {check_graph: {document: SCENE, with_graph: true, with_diff: true}},
  {set_parameters: {changes: [{node: 'osc', parameter: 'gain_db', value: -6, ramp_ms: 10}, {node: 'vol', parameter: 'mute', toggle: true}], guard: {expected_revision: 1}}},
  {undo: {steps: 1, of_all: false}}, {redo: {steps: 1}}, {get_history: {steps: 5, before: 3, with_edits: true}},
  {check_scene: {name: 'day', names: ['day', 'night'], exists: true, fade_ms: 20}}, {scene_document: {nodes: ['osc']}},
  {read_scene: {document: SCENE, partial: true, with_graph: true, with_diff: true}},
  {recall_scene: {document: SCENE, partial: true, name: 'day', fade_ms: 20, guard: {expected_revision: 1}}},
  {mute_output: {muted: false}}, {panic: {}}, {set_volume: {volume_db: -3}}, {set_volume: {add_db: -3}}, {reset_meters: {nodes: ['osc']}},
  {watch: {levels_hz: 10, ports_hz: 10, watches: [{port: 'osc', spectrum: true}]}}, {publish: {event: '{"scene_saved": {"name": "x"}}'}},
].map((command) => ({client_name: 'test', utc_us: 1, now_ms: 1, instance_id: 'here', ...command}));

/** JSON that hosts should not send. */
const HOSTILE = ['null', 'true', '-1', '0.5', '1e300', '-1e300', '1e999', '-1e999', '9007199254740992', '9007199254740993', '18446744073709551616',
  '2147483648', '-2147483649', '4294967296', '4294967297', '1e-400', '"NaN"', '"Infinity"', '"-Infinity"', '"1"', '""', '[]', '{}', '[null]', '[{}]',
  '{"edits": [{}]}', '{"nodes": [1]}', `${'['.repeat(12)}1${']'.repeat(12)}`, '"\\ud800"', '"\\u0000"'];
/** The same, in place of whole members: their time is long enough. */
const LARGE = ['['.repeat(20_000), '{"a":'.repeat(20_000), `"${'x'.repeat(20_000)}"`, `[${'0,'.repeat(20_000)}0]`, `[${'{},'.repeat(20_000)}{}]`,
  `[${Array.from({length: 20_000}, (_, i) => `"n${i}"`)}]`, `[${Array.from({length: 20_000}, (_, i) => `{"port":"n${i}"}`)}]`,
  `{${Array.from({length: 20_000}, (_, i) => `"n${i}":${i}`)}}`];

/** Returns the paths of all members and elements of a value. */
function pathsOf(value) {
  if (value === null || typeof value !== 'object') return [];
  return Object.keys(value).flatMap((key) => [[key], ...pathsOf(value[key]).map((rest) => [key, ...rest])]);
}

/** Returns the JSON of a command in which the value at a path is another one, or is missing. */
function altered(command, path, json) {
  const copy = structuredClone(command);
  const parent = path.slice(0, -1).reduce((value, key) => value[key], copy);
  const last = path.at(-1);
  if (json !== undefined) parent[last] = '\u2620';
  else if (Array.isArray(parent)) parent.splice(last, 1);
  else delete parent[last];
  return JSON.stringify(copy).replace('"\u2620"', () => json);
}

test('a storm of hostile commands is answered, and what is refused changes nothing', (t) => {
  const channel = new LocalChannel();
  channel.close();
  const edits = [{add_node: {name: 'osc', type: 'sine'}}, {add_node: {name: 'vol', type: 'gain'}}, {add_node: {name: 'out', type: 'output'}},
    {connect: {from: 'osc', to: 'vol'}}, {connect: {from: 'vol', to: 'out'}}];
  const start = channel.execute({apply_transaction: {edits: {edits}}});
  assert.equal(start.error, undefined, start.error?.message);
  const send = (json) => JSON.parse(new TextDecoder().decode(channel.host.execute(new TextEncoder().encode(json))));
  const numbers = ({revision, change_number}) => ({revision, change_number});
  let last = numbers(start);
  const counts = {commands: 0, refused: 0};
  for (const command of COMPLETE) {
    for (const path of pathsOf(command)) {
      for (const json of [undefined, ...HOSTILE, ...(path.length === 2 ? LARGE : [])]) {
        const text = altered(command, path, json);
        const what = text.length > 300 ? `${path.join('.')} = ${json?.slice(0, 40)}` : text;
        const reply = send(text);
        counts.commands += 1;
        assert.ok(reply.result !== undefined || typeof reply.error?.message === 'string', what);
        if (reply.error) {
          counts.refused += 1;
          // Without them, it is not even JSON.
          if (reply.revision !== undefined) assert.deepEqual(numbers(reply), last, `${what}: ${reply.error.message}`);
        } else {
          last = numbers(reply);
        }
      }
      for (let quantum = 0; quantum < 4; quantum += 1) channel.render();
      channel.deliver();
      last = numbers(channel.execute({get_state: {}}));  // what is heard has numbers, too
    }
  }
  assert.deepEqual(numbers(channel.execute({get_state: {}})), last);
  assert.ok(channel.outputs.every((samples) => samples.every(Number.isFinite)));
  t.diagnostic(`${counts.commands} commands, ${counts.refused} refused; ${channel.host.memory_bytes >> 20} MiB`);
  assert.ok(counts.refused > counts.commands / 2);
});

test('numbers out of range are refused with the range', () => {
  const channel = new LocalChannel();
  channel.close();
  const edits = [{add_node: {name: 'osc', type: 'sine'}}, {add_node: {name: 'out', type: 'output'}}, {connect: {from: 'osc', to: 'out'}}];
  channel.execute({apply_transaction: {edits: {edits}}});
  const before = channel.execute({get_graph: {}}).result;
  const integers = {
    content: [(content) => ({get_graph: {content}}), -(2 ** 31), 2 ** 31 - 1],
    from_channel: [(from_channel) => ({get_frequency_response: {from: 'osc', to: 'out', from_channel}}), 0, 2 ** 32 - 1],
    to_channel: [(to_channel) => ({get_frequency_response: {from: 'osc', to: 'out', to_channel}}), 0, 2 ** 32 - 1],
    steps: [(steps) => ({undo: {steps}}), 0, 2 ** 32 - 1],
    before: [(number) => ({get_history: {before: number}}), 0, 2 ** 53],
    expected_revision: [(expected_revision) => ({undo: {guard: {expected_revision}}}), 0, 2 ** 53],
    utc_us: [(utc_us) => ({get_state: {}, utc_us}), -(2 ** 53), 2 ** 53],
  };
  for (const [name, [command, least, most]] of Object.entries(integers)) {
    for (const number of [least - (least < -1e9 ? 4096 : 1), most + 4096, 0.5, 1e300, -1e300, 'NaN', 'Infinity', '-Infinity', true, []]) {
      const {error} = channel.execute(command(number));
      assert.equal(error?.code, 'INVALID_ARGUMENT', `${name} = ${number}: ${JSON.stringify(error)}`);
      const expected = typeof number === 'object' || number === true ? 'a number' : `an integer from ${least} to ${most}`;
      assert.ok(error.message.startsWith(`"${name}" of`) && error.message.endsWith(`: expected ${expected}`), `${name} = ${number}: ${error.message}`);
    }
  }
  for (const now_ms of ['NaN', 'Infinity', 'now']) assert.match(channel.execute({get_state: {}, now_ms}).error.message, /"now_ms" .*number/);
  assert.match(channel.execute({get_frequency_response: {node: 'osc', frequencies_hz: [100, 'x']}}).error.message, /expected a list of numbers/);
  assert.match(channel.execute({panic: 5}).error.message, /panic is not an object/);
  assert.match(channel.execute({get_state: {}, client_name: 'x'.repeat(129)}).error.message, /client_name is too long: expected at most 128 bytes/);
  assert.match(channel.execute({publish: {event: 'x'.repeat(5 << 20)}}).error.message, /expected at most 4194304 bytes/);
  assert.deepEqual(channel.execute({get_graph: {}}).result, before);
});

test('a host that reads no events takes a bounded memory', () => {
  const channel = new LocalChannel();
  channel.close();
  const event = JSON.stringify({x: 'y'.repeat(1 << 20)});
  const publish = (count) => { for (let i = 0; i < count; i += 1) assert.equal(channel.execute({publish: {event}}).error, undefined); };
  publish(35);
  const before = channel.host.memory_bytes;
  publish(20);
  // The heap may become more fragmented.
  assert.ok(channel.host.memory_bytes <= before + (4 << 20), `${before}, then ${channel.host.memory_bytes} bytes`);
});

test('the module imports nothing, and stays small', (t) => {
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  const compressed = zlib.gzipSync(moduleBytes, {level: 9}).length;
  t.diagnostic(`${moduleBytes.length} bytes, ${compressed} compressed`);
  assert.ok(moduleBytes.length <= MOST_BYTES && compressed <= MOST_COMPRESSED_BYTES, `${moduleBytes.length} bytes, ${compressed} compressed`);
});
