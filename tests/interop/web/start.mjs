// SPDX-License-Identifier: MIT
// The engine in the page: start is pressed, and the sound is recorded.
import assert from 'node:assert/strict';
import test from 'node:test';
import {largestStep, levels, measureTone, stretches} from './analysis.mjs';
import {MOST_STEP_DB} from './capture.mjs';
import {openPage, record, site} from './rig.mjs';
import {RATE} from './sound.mjs';

/** Attempts to record a change while neither browser nor sound server is late. A step of the engine is in all of them. */
const ATTEMPTS = 6;

export const start = (page) => page.getByRole('button', {name: 'Start', exact: true}).click();
const volume = (page) => page.getByRole('slider', {name: 'Volume'});

/** Opens the page with a sine of 440 Hz at -20 dB, which comes as a file, so that it is not muted. */
export async function openTone(t, options = {}) {
  const page = await openPage(t, options);
  const tone = {nodes: [{name: 'osc', type: 'sine', parameters: {frequency_hz: 440, gain_db: -20}},
    {name: 'out', type: 'output', settings: {channels: 2}}], connections: [{from: 'osc', to: 'out'}], title: 'A tone'};
  await page.getByRole('button', {name: 'Start', exact: true}).waitFor();
  await page.getByLabel('Document', {exact: true}).setInputFiles({name: 'tone.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(tone))});
  await page.locator('rta-card[data-name="osc"]').waitFor();
  await volume(page).fill('0');
  return page;
}

function assertTone(samples, frequency, level_db, name) {
  const measured = measureTone(samples, RATE);
  assert.ok(Math.abs(measured.frequency - frequency) < 0.1, `${name}: ${measured.frequency} Hz, expected ${frequency}`);
  assert.ok(Math.abs(measured.level_db - level_db) < 0.1, `${name}: ${measured.level_db} dB, expected ${level_db}`);
}

for (const isolated of [true, false]) {
  test(`start is pressed, and the tone is heard, ${isolated ? 'with' : 'without'} shared memory`, async (t) => {
    const recording = await record(t);
    const page = await openTone(t, {url: (await site({isolated})).url});
    assert.equal(await page.evaluate(() => globalThis.crossOriginIsolated), isolated);
    assert.ok((await recording.next(0.2)).every((sample) => sample === 0), 'silence before the click');
    await start(page);
    await recording.untilSound();
    await recording.next(0.2);
    assertTone(await recording.steady(), 440, -20, 'after start');
    await volume(page).fill('-12');
    await recording.next(0.3);
    assertTone(await recording.steady(), 440, -32, 'after the slider');
    await page.getByRole('button', {name: 'Stop', exact: true}).click();
    await recording.untilSilence();
  });
}

test('the level follows the slider without a step', async (t) => {
  const recording = await record(t);
  const page = await openTone(t);
  await start(page);
  await recording.untilSound();
  let largest;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const [from, to] = attempt % 2 === 0 ? [-20, -30] : [-30, -20];
    const begin = recording.length;
    await volume(page).fill(String(to + 20));
    await recording.next(0.5);
    const parts = stretches(recording.since(begin));
    // The stretch in which the level changes.
    const change = parts.find((part) => {
      const found = levels(part, RATE, 440, 0.02);
      return found.some((level) => Math.abs(level - from) < 0.3) && found.some((level) => Math.abs(level - to) < 0.3);
    });
    if (change === undefined) continue;
    largest = largestStep(change, RATE, 440);
    const planted = change.map((sample, n) => (n < change.length / 2 ? sample : sample * 10 ** (-0.5 / 20)));
    assert.ok(largestStep(planted, RATE, 440).relative_db > MOST_STEP_DB, 'a planted step of 0.5 dB is not found');
    if (largest.relative_db < MOST_STEP_DB) return;
  }
  assert.fail(largest ? `a step of ${largest.relative_db} dB` : 'no change of the level was recorded without gaps');
});
