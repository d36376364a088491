// SPDX-License-Identifier: MIT
// What the tests of the page share: a sound server, a browser, static servers. They start with the first test that needs them.
//
// Environment: RTA_SITE, the folder of the page; RTA_CHROMIUM, the program; that of support.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, {after} from 'node:test';
import {launchChromium} from '../launch.mjs';
import {Site} from './site.mjs';
import {SoundServer} from './sound.mjs';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rta-web-'));
const stops = [() => fs.rmSync(directory, {recursive: true, force: true, maxRetries: 10})];
const shared = new Map();

/** Returns what `start` resolves to, which is the same for all tests. It is stopped after the last one. */
function once(name, start, stop) {
  if (!shared.has(name)) {
    shared.set(name, start().then((thing) => {
      stops.unshift(() => stop(thing));
      return thing;
    }));
  }
  return shared.get(name);
}

after(async () => {
  for (const stop of stops) await stop();
});

export const soundServer = () => once('sound', () => SoundServer.start(directory), (server) => server.stop());

/** Chromium, with sound. Sound starts after a click only, as for users. */
export const browser = () => once('browser', async () => {
  const {env} = await soundServer();
  return launchChromium({env, ignoreDefaultArgs: ['--mute-audio'], args: ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream']});
}, (running) => running.close());

export const site = ({isolated = true} = {}) => once(`site ${isolated}`, () => Site.start(process.env.RTA_SITE, {isolated}), (running) => running.stop());

/** What the browser reports although the page works as intended. */
const EXPECTED = [/favicon/, /WebSocket connection to .* failed/, /The AudioContext was not allowed to start/];

/**
 * Opens a page in a context of its own, which is closed after the test. An error that the page does not handle fails the test,
 * and so do violations of the policy; `expected` are messages that this test provokes.
 */
export async function openPage(t, {url, fragment = '', context: options = {}, prepare, expected = []} = {}) {
  const running = await browser();
  const context = await running.newContext({viewport: {width: 1280, height: 800}, ...options});
  const page = await context.newPage();
  const errors = [];
  const note = (text) => { if (![...EXPECTED, ...expected].some((known) => known.test(text))) errors.push(text); };
  page.on('pageerror', (error) => note(`${error.stack ?? error}`));
  page.on('console', (message) => { if (message.type() === 'error') note(message.text()); });
  page.setDefaultTimeout(20_000);
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, [], 'the page reported errors');
  });
  await prepare?.(page);
  await page.goto((url ?? (await site()).url) + fragment);
  return page;
}

/** Records the sound of the browser until the end of the test. */
export async function record(t) {
  const recording = await (await soundServer()).record();
  t.after(() => recording.stop());
  return recording;
}

export {test};
