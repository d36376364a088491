// SPDX-License-Identifier: MIT
// The main path in Firefox: start is pressed, the sound is recorded, the slider moves the level; and the page as a panel.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import {temporaryDirectory} from '../../tests/support.mjs';
import {launchFirefox} from '../launch.mjs';
import {measureTone} from './analysis.mjs';
import {startPanel, until} from './panel_daemon.mjs';
import {Site} from './site.mjs';
import {RATE, SoundServer} from './sound.mjs';

const TONE = {nodes: [{name: 'osc', type: 'sine', parameters: {frequency_hz: 440, gain_db: -20}}, {name: 'out', type: 'output', settings: {channels: 2}}],
  connections: [{from: 'osc', to: 'out'}]};

/** Runs in the page: sets the slider as a user does. */
function setVolume(volume) {
  const slider = document.querySelector('rta-app').shadowRoot.querySelector('rta-transport').shadowRoot.querySelector('#volume');
  slider.value = volume;
  slider.dispatchEvent(new InputEvent('input', {bubbles: true, composed: true}));
}

/** Runs in the page: finds an element, also in shadow trees. */
function findDeep(selector) {
  const search = (root) => {
    const found = root.querySelector(selector);
    if (found) return found;
    for (const {shadowRoot} of root.querySelectorAll('*')) {
      const inner = shadowRoot && search(shadowRoot);
      if (inner) return inner;
    }
    return null;
  };
  return search(document);
}

/** Resolves to an element when it is there. The selectors of puppeteer do not find it: the policy of the page refuses their code. */
async function element(page, selector) {
  let handle;
  await until(async () => {
    handle = (await page.evaluateHandle(findDeep, selector)).asElement();
    return handle !== null;
  }, `${selector} is not on the page`);
  return handle;
}

async function open(t, env, url) {
  const browser = await launchFirefox({env});
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(url);
  return page;
}

test('start is pressed in Firefox, and the tone follows the slider', async (t) => {
  const directory = temporaryDirectory(t);
  const server = await SoundServer.start(directory);
  t.after(() => server.stop());
  const site = await Site.start(process.env.RTA_SITE);
  t.after(() => site.stop());
  const recording = await server.record();
  t.after(() => recording.stop());
  const page = await open(t, server.env, site.url);
  const file = path.join(directory, 'tone.json');
  fs.writeFileSync(file, JSON.stringify(TONE));
  await element(page, 'rta-card');
  const input = await element(page, 'input[type="file"][aria-label="Document"]');
  await input.uploadFile(file);
  await element(page, 'rta-card[data-name="osc"]');
  await page.evaluate(setVolume, 0);
  await (await element(page, 'button.main')).click();
  await recording.untilSound();
  await recording.next(0.3);
  const check = async (expected) => {
    const {frequency, level_db} = measureTone(await recording.steady(), RATE, 440);
    assert.ok(Math.abs(frequency - 440) < 0.1 && Math.abs(level_db - expected) < 0.1, `${frequency} Hz, ${level_db} dB: expected 440 Hz, ${expected} dB`);
  };
  await check(-20);
  await page.evaluate(setVolume, -12);
  await recording.next(0.4);
  await check(-32);
});

test('Firefox is the panel of a daemon', async (t) => {
  const {client, url} = await startPanel(t);
  const page = await open(t, {...process.env, HOME: temporaryDirectory(t)}, url);
  await element(page, 'rta-card[data-name="vol"]');
  await page.evaluate(setVolume, -8);
  await until(async () => (await client.volume()).volume_db === -8, 'the slider did not reach the daemon');
});
