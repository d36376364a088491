// SPDX-License-Identifier: MIT
// The values that the page reads and writes, compared with those of rtactl; and the controls that move them.
//
// Environment: RTA_WEB_MODULES, the modules of client/web; that of support.mjs.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import {promisify} from 'node:util';
import {connect} from 'rta-client';
import {Daemon, binaries, randomOf} from '../../tests/support.mjs';
import {pageModule} from './modules.mjs';

const {displayParts, formatDisplay, formatExact, formatNumber, parseValue} = await pageModule('controls/units');
const {limited, rounded, scaleOf, stepped} = await pageModule('controls/scale');
const {labelOf, parametersOf, portsOf, settingsOf} = await pageModule('controls/specs');
const {HeldValue} = await pageModule('controls/held_value');
const run = promisify(execFile);

/** One parameter of each unit. The ranges are wide enough for most texts. */
const PARAMETERS = {'osc.frequency_hz': 'Hz', 'vol.gain_db': 'dB', 'echo.time_ms': 'ms', 'hall.decay_s': 's', 'filter.q': '', 'vol.mute': 'on/off'};
const TEXTS = ['440', '440Hz', '1.2kHz', '1.2 KHZ', '-6', '-6dB', '+3 db', '++3', '+-3', '-inf', '-inf dB', 'inf', '250ms', '0.25s', '1500us',
  '1500\u00b5s', '0.002min', '0.0005h', '50%', '5 %', '.5', '5.', '.', '1e3', '1e3Hz', '1e', '1e-2 s', '1E1ms', '', '  7 ', '0x10', 'nan', 'infinity', '1,5',
  'abc', '5zz', '3 d B', '-', 'on', 'OFF', 'true', 'yes', '1', '0', '2', '1e60', '16777217', '0.1', '1constructor'];
/** Their words do not depend on the unit. */
const UNUSUAL_TEXTS = ['a"b', 'b\\c', 'k\u00e4se', 'x'.repeat(100), '\u00e4'.repeat(60), '1\u0007', 'constructor'];
const GRAPH = (change) => change.add('sine', 'osc').add('gain', 'vol').add('delay_line', 'echo').add('reverb', 'hall').add('biquad_filter', 'filter');

test('texts have the value that rtactl gives them, or are refused with the same words', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon.socket);
  t.after(() => client.close());
  await client.transaction(GRAPH);
  const types = new Map((await client.nodeTypes()).map((type) => [type.name, type]));
  const typeOf = {osc: 'sine', vol: 'gain', echo: 'delay_line', hall: 'reverb', filter: 'biquad_filter'};
  let accepted = 0;
  for (const [name, unit] of Object.entries(PARAMETERS)) {
    const [node, parameter] = name.split('.');
    const spec = parametersOf(types.get(typeOf[node]), {max_time_ms: 1000}).find((row) => row.name === parameter);
    assert.equal(spec.unit, unit, name);
    const texts = unit === 'Hz' ? [...TEXTS, ...UNUSUAL_TEXTS] : TEXTS;
    const results = await Promise.all(texts.map((text) => run(path.join(binaries, 'rtactl'), ['--socket', daemon.socket, 'set', `${name}=${text}`])
      .catch((error) => error)));
    for (const [i, text] of texts.entries()) {
      const rtactl = results[i];
      const {value, error} = parseValue(text, unit);
      const what = `${name}=${JSON.stringify(text)}`;
      if (error !== undefined) {
        assert.equal(rtactl.stderr, `rtactl: ${name} cannot be set: ${error}\n`, what);
      } else if (value < spec.minimum || value > spec.maximum || (unit === 'on/off' && value !== 0 && value !== 1)) {
        assert.equal(rtactl.code, 1, what);
      } else {
        assert.equal(rtactl.stdout, `set ${name} = ${formatExact(value, unit)}\n`, what);
        accepted += 1;
      }
    }
  }
  assert.ok(accepted > 60, `${accepted} texts were accepted`);
});

test('numbers have the fewest digits that read back as the same float32', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon.socket);
  t.after(() => client.close());
  await client.transaction((change) => change.add('biquad', 'free').add('oscillator', 'osc'));
  const random = randomOf(11);
  const values = [0.1, 1 / 3, 440, 16777216, 1000000, 0.70710677, 123456.789, 1e-7, -0.05, ...Array.from({length: 300}, () => (random() - 0.5) * 10 ** (8 * random() - 5))];
  for (const value of values) assert.equal(Math.fround(Number(formatNumber(value))), Math.fround(value));
  const inRange = values.filter((value) => Math.abs(value) <= 1000).slice(0, 40);
  for (const value of inRange) {
    await client.set({'free.b0': value});
    const {stdout} = await run(path.join(binaries, 'rtactl'), ['--socket', daemon.socket, 'get', 'free.b0']);
    assert.equal(stdout.trim(), `free.b0 = ${formatNumber(value)}`);
  }
});

test('the text of a value has the same width for all values of a range', () => {
  const random = randomOf(3);
  const digits = (text) => text.replace(/[^0-9]/g, '').length;
  for (let i = 0; i < 2000; i += 1) {
    const hz = 20 * 1000 ** random();
    const [number, unit] = displayParts(hz, 'Hz');
    assert.equal(digits(number), 4, `${hz}: ${number} ${unit}`);
    assert.equal(digits(displayParts(1 + 9998 * random(), 'ms')[0]), 3);
    assert.match(formatDisplay(-96 + 108 * random(), 'dB'), /^\u2212?\d{1,2}\.\d\u00a0dB$/);
  }
  assert.equal(formatDisplay(999.96, 'Hz'), '1.000\u00a0kHz');
  assert.equal(formatDisplay(9.9999, 'Hz'), '10.00\u00a0Hz');
  assert.equal(formatDisplay(999.9, 'ms'), '1.00\u00a0s');
  assert.equal(formatDisplay(0, 'ms'), '0.00\u00a0ms');
  assert.equal(formatDisplay(-0.04, 'dB'), '0.0\u00a0dB');
  assert.equal(formatDisplay(-120, 'dB', -120), '\u2212\u221e\u00a0dB');
});

test('what is shown is read back as it is shown', () => {
  for (const [value, unit] of [[-6.3, 'dB'], [1234.5, 'Hz'], [62.5, 'Hz'], [250, 'ms'], [1500, 'ms'], [1.6, 's'], [0.7071, '']]) {
    const shown = formatDisplay(value, unit);
    const {value: read} = parseValue(shown.replace('\u00a0', ' '), unit);
    assert.equal(formatDisplay(read, unit), shown);
  }
});

test('every parameter of every type can be moved over its range, in both directions', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon.socket);
  t.after(() => client.close());
  let count = 0;
  for (const type of await client.nodeTypes()) {
    const settings = Object.fromEntries(type.settings.map((row) => [row.name, row.default]));
    for (const spec of parametersOf(type, settings)) {
      const {position, value} = scaleOf(spec);
      const what = `${type.name}.${spec.name}`;
      assert.ok(Math.abs(position(spec.minimum)) < 1e-9 && Math.abs(position(spec.maximum) - 1) < 1e-9, what);
      for (let place = 0, last = -Infinity; place <= 1; place += 1 / 64) {
        const at = value(place);
        assert.ok(at >= last - 1e-9, `${what} at ${place}`);
        assert.ok(Math.abs(position(at) - place) < 1e-6, `${what} at ${place}: ${at}`);
        const near = rounded(at, spec);
        assert.ok(near >= spec.minimum && near <= spec.maximum, what);
        last = at;
      }
      for (const size of ['fine', 'normal', 'page']) {
        for (const direction of [1, -1]) {
          let at = spec.default;
          let steps = 0;
          for (let next = stepped(at, direction, spec, size); next !== at; next = stepped(at, direction, spec, size)) {
            assert.ok(direction > 0 ? next > at : next < at, `${what}: ${at} to ${next}`);
            at = next;
            steps += 1;
            assert.ok(steps < 20_000, `${what}: steps of ${size} do not reach the end`);
          }
          assert.equal(at, limited(direction > 0 ? spec.maximum : spec.minimum, spec), `${what} ${size} ${direction}`);
        }
      }
      count += 1;
    }
  }
  assert.ok(count > 60, `${count} parameters`);
});

test('a node has the parameters and settings that the daemon gives it', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon.socket);
  t.after(() => client.close());
  const types = new Map((await client.nodeTypes()).map((type) => [type.name, type]));
  await client.transaction((change) => change.add('mixer', 'mix', {}, {inputs: 3}).add('matrix', 'cross', {}, {inputs: 3, outputs: 2})
    .add('equalizer', 'eq', {}, {bands: 4}).add('crossover', 'ways', {}, {ways: 4}).add('delay_line', 'echo', {}, {max_time_ms: 50}));
  const mirror = await client.mirror();
  for (const {name, type, settings, parameters} of mirror.graph.nodes.values()) {
    const specs = parametersOf(types.get(type), settings);
    assert.deepEqual(specs.map((spec) => spec.name).sort(), Object.keys(parameters).sort(), name);
    for (const spec of specs) assert.equal(spec.default, parameters[spec.name], `${name}.${spec.name}`);
    assert.deepEqual(settingsOf(types.get(type), settings).map((spec) => spec.name).sort(), Object.keys(settings).sort(), name);
  }
  const node = mirror.graph.nodes.get('mix');
  assert.deepEqual(portsOf(types.get('mixer'), node.settings, 'inputs'), ['in_1', 'in_2', 'in_3']);
  assert.equal(labelOf('gain_2_db'), 'gain 2');
});

test('a control shows the value of its user until the owner has it, whatever echoes arrive before', () => {
  let released = 0;
  const held = new HeldValue(0, () => { released += 1; });
  held.change(1, true);
  held.change(2, true);
  held.owner = 1;  // the echo of the first change
  assert.equal(held.shown, 2);
  held.change(3, false);
  held.owner = 2;
  assert.equal(held.shown, 3);
  held.owner = 3;
  assert.equal(released, 1);
  held.owner = 9;  // another client
  assert.equal(held.shown, 9);
});
