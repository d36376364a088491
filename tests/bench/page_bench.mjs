// SPDX-License-Identifier: MIT
// The page on a slow phone: the mixer with the meters and spectra of 16 channels, on a CPU that is throttled to a quarter; the rate of
// edits; and the time from the click on Start to sound. Runs next to the tests of tests/interop/web. Prints figures.
import assert from 'node:assert/strict';
import test from 'node:test';
import {startPanel} from './panel_daemon.mjs';
import {browser, openPage, record} from './rig.mjs';
import {RATE} from './sound.mjs';
import {openTone, start} from './start.mjs';

const CHANNELS = 16;
const SECONDS = 8;
/** The main thread of a page must not be busy for longer. */
const LONG_MS = 50;
const GRAPH = {nodes: Array.from({length: CHANNELS}, (_, i) => ([{name: `osc${i}`, type: 'sine', parameters: {frequency_hz: 100 * (i + 1), gain_db: -40}},
  {name: `vol${i}`, type: 'gain'}])).flat().concat([{name: 'out', type: 'output'}]),
connections: Array.from({length: CHANNELS}, (_, i) => ([{from: `osc${i}`, to: `vol${i}`}, {from: `vol${i}`, to: 'out'}])).flat()};

/** Runs in the page: shows the meters and the spectra of all channels. `measured()` returns how often they have come. */
function watchAll(channels) {
  const {model} = document.querySelector('rta-app');
  const times = [];
  let spectra = 0;
  model.watchLevels(() => times.push(performance.now()));
  for (let i = 0; i < channels; i += 1) model.watchPort(`vol${i}:out`, true, ({spectra: arrived}) => { spectra += arrived.length; });
  globalThis.measured = () => {
    const steps = times.splice(0).map((time, i, all) => time - all[i - 1]).slice(1).sort((a, b) => a - b);
    return {rate_hz: 1000 / steps[steps.length >> 1], spectra};
  };
}

/** Records a trace, and returns the durations in ms of all tasks of the main thread of the page. */
async function tasksOf(page, work) {
  const running = await browser();
  await running.startTracing(page, {categories: ['disabled-by-default-devtools.timeline', '__metadata']});
  await work();
  const {traceEvents} = JSON.parse((await running.stopTracing()).toString());
  const mains = new Set(traceEvents.filter(({name, args}) => name === 'thread_name' && args.name === 'CrRendererMain').map(({pid, tid}) => `${pid} ${tid}`));
  const threads = new Map();
  for (const {name, ph, pid, tid, dur} of traceEvents) {
    if (name !== 'RunTask' || ph !== 'X' || !mains.has(`${pid} ${tid}`)) continue;
    threads.set(pid, [...(threads.get(pid) ?? []), dur / 1000]);
  }
  // Other pages are idle.
  const sum = (durations) => durations.reduce((total, duration) => total + duration, 0);
  return [...threads.values()].sort((one, other) => sum(other) - sum(one))[0] ?? [];
}

test('meters of 16 channels on a throttled phone', async (t) => {
  const {url} = await startPanel(t, {graph: GRAPH});
  const page = await openPage(t, {url, fragment: '#mixer', context: {viewport: {width: 390, height: 844}, hasTouch: true, isMobile: true}});
  await page.locator('rta-strip').first().waitFor();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', {rate: 4});
  await page.evaluate(watchAll, CHANNELS);
  await page.waitForTimeout(1000);
  await page.evaluate(() => void globalThis.measured());
  const tasks = await tasksOf(page, () => page.waitForTimeout(SECONDS * 1000));
  const {rate_hz, spectra} = await page.evaluate(() => globalThis.measured());
  const long = tasks.filter((duration) => duration >= LONG_MS);
  t.diagnostic(`${(100 * (1 - long.length / tasks.length)).toFixed(2)} % of ${tasks.length} tasks under ${LONG_MS} ms (wanted: 99), ` +
    `the longest ${Math.max(...tasks).toFixed(0)} ms; levels at ${rate_hz.toFixed(1)} Hz (28)`);
  assert.ok(spectra > 0 && tasks.length > 0);  // otherwise nothing was measured
});

/** Runs in the page: sets a parameter for some seconds, `flight` requests at a time. Returns how many were answered in a second. */
async function editRate({seconds, flight}) {
  const {client} = document.querySelector('rta-app').model;
  const start = performance.now();
  let count = 0;
  const one = async () => {
    while (performance.now() - start < seconds * 1000) {
      count += 1;
      await client.set({'osc.gain_db': -20 - count % 10});
    }
  };
  await Promise.all(Array.from({length: flight}, one));
  return count / (performance.now() - start) * 1000;
}

test('edits of the engine in the page', async (t) => {
  const page = await openTone(t);
  await start(page);
  await page.waitForFunction(() => document.querySelector('rta-app').model.connection === 'running');
  for (const flight of [1, 3, 16]) {
    const rate = await page.evaluate(editRate, {seconds: 3, flight});
    t.diagnostic(`${flight} in flight: ${rate.toFixed(0)} in a second`);
  }
});

test('from the click to sound', async (t) => {
  const recording = await record(t);
  const page = await openTone(t);
  const begin = recording.length;
  await start(page);
  const seconds = (await recording.untilSound() - begin) / RATE;
  t.diagnostic(`${seconds.toFixed(2)} s (wanted: 1)`);
});
