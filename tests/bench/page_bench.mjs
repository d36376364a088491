// SPDX-License-Identifier: MIT
// The page on a slow phone: the mixer with the meters and spectra of 16 channels, on a CPU that is throttled to a quarter; and the
// time from the click on Start to sound. Runs next to the tests of tests/interop/web. Prints figures.
import assert from 'node:assert/strict';
import test from 'node:test';
import {startPanel} from './panel_daemon.mjs';
import {openPage, record} from './rig.mjs';
import {RATE} from './sound.mjs';
import {openTone, start} from './start.mjs';

const CHANNELS = 16;
const SECONDS = 8;
const GRAPH = {nodes: Array.from({length: CHANNELS}, (_, i) => ([{name: `osc${i}`, type: 'sine', parameters: {frequency_hz: 100 * (i + 1), gain_db: -40}},
  {name: `vol${i}`, type: 'gain'}])).flat().concat([{name: 'out', type: 'output'}]),
connections: Array.from({length: CHANNELS}, (_, i) => ([{from: `osc${i}`, to: `vol${i}`}, {from: `vol${i}`, to: 'out'}])).flat()};

/** Runs in the page: returns the share of tasks under 50 ms, and the median rate of the levels. */
async function measure(seconds) {
  const long = [];
  new PerformanceObserver((list) => long.push(...list.getEntries())).observe({entryTypes: ['longtask']});
  const times = [];
  const {model} = document.querySelector('rta-app');
  const stops = [model.watchLevels(() => times.push(performance.now()))];
  let spectra = 0;
  for (let i = 0; i < 16; i += 1) stops.push(model.watchPort(`vol${i}:out`, true, ({spectra: arrived}) => { spectra += arrived.length; }));
  let tasks = 0;
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    await new Promise((resolve) => { setTimeout(resolve, 0); });
    tasks += 1;
  }
  for (const stop of stops) stop();
  const steps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
  return {short: 1 - long.length / Math.max(tasks, 1), rate_hz: 1000 / steps[steps.length >> 1], long: long.length, tasks, spectra};
}

test('meters of 16 channels on a throttled phone', async (t) => {
  const {url} = await startPanel(t, {graph: GRAPH});
  const page = await openPage(t, {url, fragment: '#mixer', context: {viewport: {width: 390, height: 844}, hasTouch: true, isMobile: true}});
  await page.locator('rta-strip').first().waitFor();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', {rate: 4});
  const figures = await page.evaluate(measure, SECONDS);
  t.diagnostic(`${(100 * figures.short).toFixed(2)} % of tasks under 50 ms (wanted: 99), levels at ${figures.rate_hz.toFixed(1)} Hz (28): ` +
    JSON.stringify(figures));
  assert.ok(figures.spectra > 0);  // otherwise nothing was measured
});

test('from the click to sound', async (t) => {
  const recording = await record(t);
  const page = await openTone(t);
  const begin = recording.length;
  await start(page);
  const seconds = (await recording.untilSound() - begin) / RATE;
  t.diagnostic(`${seconds.toFixed(2)} s (wanted: 1)`);
});
