// SPDX-License-Identifier: MIT
// The way from the browser to the recording, without the engine: what is measured later is not the rig.
import assert from 'node:assert/strict';
import test from 'node:test';
import {RATE} from './sound.mjs';
import {largestStep, measureTone} from './analysis.mjs';
import {openPage, record} from './rig.mjs';
import {Site} from './site.mjs';

const PAGE = `<!doctype html><html lang="en"><title>oscillator</title><link rel="icon" href="data:,">
<button>start</button><script type="module" src="oscillator.js"></script>`;
const SCRIPT = `document.querySelector('button').onclick = () => {
  const context = new AudioContext();
  const gain = new GainNode(context, {gain: 0.1});
  const oscillator = new OscillatorNode(context, {frequency: 441});
  oscillator.connect(gain).connect(context.destination);
  oscillator.start();
};`;

/** The largest step of a glide over 20 ms, relative to the amplitude. analysis.test.mjs plants steps that are above. */
export const MOST_STEP_DB = -60;

test('the rig records what a browser plays', async (t) => {
  const own = await Site.start('.', {extra: {'/index.html': PAGE, '/oscillator.js': SCRIPT}});
  t.after(() => own.stop());
  const page = await openPage(t, {url: own.url});
  const recording = await record(t);
  assert.ok((await recording.next(0.2)).every((sample) => sample === 0), 'silence before the click');
  await page.click('button');
  await recording.untilSound();
  const samples = await recording.steady();
  const {frequency, level_db} = measureTone(samples, RATE, 441);
  assert.ok(Math.abs(frequency - 441) < 0.05, `${frequency} Hz`);
  assert.ok(Math.abs(level_db + 20) < 0.02, `${level_db} dB`);
  assert.ok(largestStep(samples, RATE, 441).relative_db < MOST_STEP_DB, JSON.stringify(largestStep(samples, RATE, 441)));
});
