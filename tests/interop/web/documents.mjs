// SPDX-License-Identifier: MIT
// Documents on the page: saved, kept over a reload, shared as a link; and links that are not documents.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import zlib from 'node:zlib';
import {measureTone} from './analysis.mjs';
import {rendered, startPanel, until} from './panel_daemon.mjs';
import {openPage, record} from './rig.mjs';
import {RATE} from './sound.mjs';
import {openTone, start} from './start.mjs';

const linkOf = (document) => `#doc=${zlib.deflateRawSync(Buffer.from(document)).toString('base64url')}`;
const notice = (page, text) => page.locator('rta-notices').getByText(text);
const TONE = JSON.stringify({nodes: [{name: 'tone', type: 'sine', parameters: {frequency_hz: 550, gain_db: -26}}, {name: 'out', type: 'output'}],
  connections: [{from: 'tone', to: 'out'}], title: 'Shared'});

/** Returns the names of the nodes that the page shows. */
const shown = (page) => page.evaluate(() => [...document.querySelector('rta-app').model.graph.nodes.keys()].sort());

test('a graph is saved as a file, and kept over a reload', async (t) => {
  const page = await openTone(t);
  await page.getByRole('button', {name: 'Documents'}).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name: 'Save as a file'}).click()]);
  assert.equal(download.suggestedFilename(), 'A-tone.json');
  const {nodes, title} = JSON.parse(fs.readFileSync(await download.path(), 'utf8'));
  assert.deepEqual([nodes.map(({name}) => name), title], [['osc', 'out'], 'A tone']);
  const isKept = () => page.evaluate(() => (localStorage.getItem('rta.recent') ?? '').includes('A tone'));
  await until(isKept, 'the graph was not kept');
  await page.reload();
  await page.locator('rta-card[data-name="osc"]').waitFor();
  assert.deepEqual(await shown(page), ['osc', 'out']);
});

test('a link has the graph, which is muted until a click', async (t) => {
  const page = await openTone(t);
  await page.getByRole('button', {name: 'Documents'}).click();
  await page.getByRole('button', {name: /^Share as a link/}).click();
  const link = await page.getByRole('textbox', {name: 'Link'}).inputValue();
  const other = await openPage(t, {url: link});
  await other.locator('rta-card[data-name="osc"]').waitFor();
  assert.deepEqual(await shown(other), ['osc', 'out']);
  assert.equal(new URL(other.url()).hash, '', 'a reload must not open the link again');

  const recording = await record(t);
  await start(other);
  await recording.untilSound();
  await other.evaluate((fragment) => { location.hash = fragment; }, linkOf(TONE));
  await other.getByText('Shared is open and muted.').waitFor();
  await recording.untilSilence();
  await other.getByRole('button', {name: 'Listen'}).click();
  await recording.untilSound();
  await recording.next(0.2);
  const {frequency} = measureTone(await recording.steady(), RATE);
  assert.ok(Math.abs(frequency - 550) < 0.1, `${frequency} Hz`);
});

/** Fragments that are not documents, and what the page says. */
const BAD_LINKS = {
  'is cut short': [linkOf(TONE).slice(0, 60), /The link is incomplete or damaged/],
  'is empty': ['#doc=', /The link contains no document/],
  'inflates to more than memory': [linkOf(' '.repeat(64 << 20)), /The document in the link is too long/],
  'is not JSON': [linkOf('{"nodes": ['), /line 1/],
  'has an unknown type': [linkOf('{"nodes": [{"name": "a", "type": "sinus"}]}'), /sinus/],
  'has a cycle': [linkOf('{"nodes": [{"name": "a", "type": "gain"}], "connections": [{"from": "a", "to": "a"}]}'), /cycle/],
};

test('a link that is not a document is refused, and the sound stays', async (t) => {
  const recording = await record(t);
  const page = await openTone(t);
  await start(page);
  await recording.untilSound();
  for (const [name, [fragment, message]] of Object.entries(BAD_LINKS)) {
    await page.evaluate((hash) => { location.hash = hash; }, fragment);
    await notice(page, message).first().waitFor().catch((error) => assert.fail(`a link that ${name}: ${error.message}`));
    assert.deepEqual(await shown(page), ['osc', 'out'], name);
  }
  const {frequency, level_db} = measureTone(await recording.steady(), RATE);
  assert.ok(Math.abs(frequency - 440) < 0.1 && Math.abs(level_db + 20) < 0.1, `${frequency} Hz, ${level_db} dB`);
});

test('a daemon gets a document only after its user has seen what changes', async (t) => {
  const {client, url, recording} = await startPanel(t);
  const page = await openPage(t, {url, fragment: linkOf(TONE)});
  const dialog = page.getByRole('dialog', {name: /^Apply “Shared”/});
  await dialog.waitFor();
  await dialog.getByText(/tone/).first().waitFor();
  assert.equal((await client.graph()).revision, 1, 'nothing has changed yet');
  await dialog.getByRole('button', {name: 'Apply'}).click();
  await until(async () => (await client.graph()).revision === 2, 'the document was not applied');
  await rendered(client, 0.4);
  const {samples, rate} = await recording();
  const {frequency} = measureTone(samples.subarray(-0.25 * rate, -0.05 * rate), rate);
  assert.ok(Math.abs(frequency - 550) < 0.1, `${frequency} Hz`);
});

export {notice, shown};
