// SPDX-License-Identifier: MIT
// The measurements of recorded tones, on tones of known frequency and level, and with planted faults.
import assert from 'node:assert/strict';
import test from 'node:test';
import {largestStep, levels, measureTone, stretches} from './analysis.mjs';

const RATE = 48000;

/** Returns a sine whose amplitude at a time in seconds is `amplitude(time)`, as 32-bit floats. */
function sine(frequency, amplitude, seconds = 1) {
  return Float32Array.from({length: seconds * RATE}, (_, n) => amplitude(n / RATE) * Math.sin((2 * Math.PI * frequency * n) / RATE + 0.3));
}

const glide = (from, to, start, length) => (time) => from + (to - from) * Math.min(Math.max((time - start) / length, 0), 1);

test('frequency and level of a tone are measured exactly', () => {
  for (const [frequency, amplitude] of [[440, 0.1], [997.03, 0.5], [61.7, 0.01], [3520.5, 1]]) {
    const {frequency: measured, level_db} = measureTone(sine(frequency, () => amplitude, 0.5), RATE);
    assert.ok(Math.abs(measured - frequency) < 0.01, `${measured} Hz: expected ${frequency}`);
    assert.ok(Math.abs(level_db - 20 * Math.log10(amplitude)) < 0.01, `${level_db} dB`);
  }
});

test('a tone that is out of tune by 0.2 Hz, or louder by 0.2 dB, is found', () => {
  const {frequency, level_db} = measureTone(sine(440.2, () => 0.1 * 10 ** (0.2 / 20)), RATE, 440);
  assert.ok(frequency - 440 > 0.1);
  assert.ok(level_db + 20 > 0.1);
});

test('a glide is not a step, and a planted step is found', () => {
  const smooth = sine(440, glide(0.1, 0.05, 0.5, 0.02));
  const step = sine(440, (time) => (time < 0.5 ? 0.1 : 0.1 * 10 ** (-0.5 / 20)));
  const phase = smooth.map((sample, n) => (n < 24000 ? sample : smooth[n - 3]));
  const limit = -60;
  assert.ok(largestStep(smooth, RATE, 440).relative_db < limit, 'the glide');
  for (const [name, faulty] of Object.entries({step, phase})) {
    const {relative_db, at} = largestStep(faulty, RATE, 440);
    assert.ok(relative_db > limit, `${name}: ${relative_db} dB`);
    assert.ok(Math.abs(at - 24000) < 3, `${name} at ${at}`);
  }
});

test('stretches are between gaps, and levels follow', () => {
  const tone = sine(440, glide(0.1, 0.05, 0.45, 0.1));
  const places = (samples) => stretches(samples).map((part) => [part.byteOffset / 4, part.length]);
  assert.deepEqual(places(tone), [[0, RATE]]);
  const measured = levels(tone, RATE, 440);
  assert.ok(Math.abs(measured[0] + 20) < 0.05 && Math.abs(measured.at(-1) + 26.02) < 0.05);
  tone.fill(0, 0, 100).fill(0, 30000, 30064).fill(0, 40000, 40031).fill(0, RATE - 50);
  assert.deepEqual(places(tone), [[100, 29900], [30064, RATE - 50 - 30064]]);
  assert.deepEqual(places(new Float32Array(RATE)), []);
});
