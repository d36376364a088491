// SPDX-License-Identifier: MIT
// The strips of the mixer: which, in what order, and the level that they show, compared with the daemon's.
//
// Environment: RTA_WEB_MODULES, the modules of client/web; that of support.mjs.
import assert from 'node:assert/strict';
import test from 'node:test';
import {connect} from 'rta-client';
import {Daemon} from '../../tests/support.mjs';
import {pageModule} from './modules.mjs';

const {levelsOf, ranksOf, stripsOf} = await pageModule('mixer/layout');

async function graphOf(t, change) {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon.socket);
  t.after(() => client.close());
  await client.transaction(change);
  const mirror = await client.mirror();
  return {client, graph: mirror.graph, types: new Map((await client.nodeTypes()).map((type) => [type.name, type]))};
}

test('strips are those of sources, gains, inputs of mixers and outputs, as the signal goes', async (t) => {
  const {graph, types} = await graphOf(t, (change) => change
    .add('output', 'a_out', {}, {channels: 2}).add('gain', 'bus').add('mixer', 'mix', {}, {inputs: 11})
    .add('input', 'voice').add('sine', 'osc').add('gain', 'z_trim').add('soft_clip', 'drive').add('meter', 'levels')
    .describe('osc', {title: 'Oscillator, 440 Hz'})
    .connect('voice', 'z_trim').connect('z_trim', 'mix:in_2').connect('osc', 'mix:in_10', -6).connect('voice', 'mix:in_10')
    .connect('mix', 'drive').connect('drive', 'bus').connect('bus', 'levels').connect('levels', 'a_out'));
  const strips = stripsOf(graph, types);
  assert.deepEqual(strips.map(({id}) => id), ['osc', 'voice', 'z_trim', ...Array.from({length: 11}, (_, i) => `mix:${i + 1}`), 'bus', 'a_out']);
  const strip = (id) => strips.find((other) => other.id === id);
  assert.deepEqual([strip('mix:2').title, strip('mix:2').subtitle], ['z_trim', 'mix, input 2']);
  assert.deepEqual([strip('mix:10').title, strip('mix:10').subtitle], ['mix', 'mixer input 10']);  // two signals
  assert.equal(strip('osc').title, 'Oscillator, 440 Hz');
  assert.deepEqual(strip('mix:10').contributions.map(({port, gain_db}) => [port, gain_db]).sort(), [['osc:out', -6], ['voice:out', 0]]);
  assert.deepEqual([strip('mix:10').level.name, strip('mix:10').mute.name], ['gain_10_db', 'mute_10']);
  assert.deepEqual([strip('bus').meter, strip('a_out').meter, strip('voice').meter], ['levels', 'levels', undefined]);
  assert.equal(strip('a_out').mute, undefined);
  assert.equal(strip('bus').mute.name, 'mute');
  assert.equal(ranksOf(graph).get('a_out'), 6);
});

test('strips of a type that the page does not know are left out', async (t) => {
  const {graph, types} = await graphOf(t, (change) => change.add('gain', 'vol').add('output', 'out').connect('vol', 'out'));
  types.delete('gain');
  assert.deepEqual(stripsOf(graph, types).map(({id}) => id), ['out']);
});

test('the level of a strip is that of the signal behind its fader', async (t) => {
  const {client, graph, types} = await graphOf(t, (change) => change
    .add('sine', 'tone', {gain_db: -6}).add('mixer', 'mix', {gain_1_db: -8}, {inputs: 2, channels: 2})
    .add('output', 'out', {gain_db: -3}, {channels: 2}).connect('tone', 'mix:in_1', -4).connect('mix', 'out'));
  const strips = new Map(stripsOf(graph, types).map((strip) => [strip.id, strip]));
  const measured = new Map();
  for await (const {ports} of client.portLevels(['tone', 'mix'], {telemetry_rate_hz: 20})) {
    for (const {port, channels} of ports) measured.set(port.includes(':') ? port : `${port}:out`, channels);
    if (measured.size === 2 && Math.abs(measured.get('mix:out')[0].rms_db + 21.01) < 0.05) break;
  }
  const shown = levelsOf(strips.get('mix:1'), measured, {gain_db: -8, muted: false});
  assert.ok(Math.abs(shown[0].peak_db - measured.get('mix:out')[0].peak_db) < 0.05, `${shown[0].peak_db}`);
  assert.ok(Math.abs(shown[0].rms_db - measured.get('mix:out')[1].rms_db) < 0.05, `${shown[0].rms_db}`);
  const [left, right] = levelsOf(strips.get('out'), measured, {gain_db: -3, muted: false});
  assert.ok(Math.abs(left.peak_db + 21) < 0.05 && Math.abs(right.peak_db + 21) < 0.05, `${left.peak_db}`);
  assert.equal(levelsOf(strips.get('mix:1'), measured, {gain_db: -8, muted: true})[0].peak_db, -Infinity);
  assert.equal(levelsOf(strips.get('mix:1'), measured, {gain_db: -120, muted: false})[0].peak_db, -Infinity);
  assert.equal(levelsOf(strips.get('mix:2'), measured, {gain_db: 0, muted: false}), undefined);
});
