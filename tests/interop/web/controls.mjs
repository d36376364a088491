// SPDX-License-Identifier: MIT
// The controls of the page, by pointer and by keyboard, at a daemon: handles on response plots, faders, fine steps, defaults; and what
// is shown before a daemon has answered.
import assert from 'node:assert/strict';
import test from 'node:test';
import {startPanel, until} from './panel_daemon.mjs';
import {openPage} from './rig.mjs';

const GRAPH = {nodes: [
  {name: 'osc', type: 'sine', parameters: {gain_db: -30}},
  {name: 'cut', type: 'biquad_filter', settings: {kind: 'highpass'}, parameters: {frequency_hz: 200, q: 1}},
  {name: 'eq', type: 'equalizer', settings: {bands: 2}, parameters: {frequency_1_hz: 300, gain_1_db: 3, q_1: 2, frequency_2_hz: 2000, gain_2_db: -4, q_2: 2}},
  {name: 'vol', type: 'gain', parameters: {gain_db: -12}},
  {name: 'out', type: 'output', settings: {channels: 2}}],
connections: [{from: 'osc', to: 'cut'}, {from: 'cut', to: 'eq'}, {from: 'eq', to: 'vol'}, {from: 'vol', to: 'out'}]};

/** Returns a function that returns the parameters of a node, as the daemon has them. */
const readerOf = (client) => async (node) => (await client.graph()).graph.nodes.find(({name}) => name === node).parameters;

async function centreOf(locator) {
  const {x, y, width, height} = await locator.boundingBox();
  return {x: x + width / 2, y: y + height / 2};
}

/** Drags by a number of pixels. */
async function drag(page, locator, dx, dy) {
  const {x, y} = await centreOf(locator);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + dx, y + dy, {steps: 8});
  await page.mouse.up();
}

/** Opens the inspector of a node. Returns the handles of its response. */
async function inspect(page, node) {
  await page.locator(`rta-card[data-name="${node}"] .names`).click();
  await page.getByRole('heading', {name: `Node ${node}`, exact: true}).waitFor({state: 'attached'});
  const handles = page.locator('rta-response-editor rta-curve').getByRole('slider');
  await handles.first().waitFor();
  await page.waitForTimeout(300);  // until the range of the plot fits the response
  return handles;
}

const near = (found, expected, share, what) => assert.ok(Math.abs(found / expected - 1) < share, `${what}: ${found}, expected ${expected}`);

test('handles are dragged on the response of an equalizer and of a filter', async (t) => {
  const {client, url} = await startPanel(t, {graph: GRAPH});
  const read = readerOf(client);
  const page = await openPage(t, {url, fragment: '#patch'});
  const handles = await inspect(page, 'eq');
  assert.equal(await handles.count(), 2);
  const second = handles.nth(1);
  const before = await centreOf(second);
  await drag(page, second, -40, -30);
  await until(async () => (await read('eq')).frequency_2_hz < 1900 && (await read('eq')).gain_2_db > -3.5, 'the handle moved nothing');
  // The handle is where it was left, and the daemon has what it shows.
  await until(async () => Math.abs(Number(await second.getAttribute('aria-valuenow')) - (await read('eq')).frequency_2_hz) < 1, 'the value is not that of the daemon');
  const after = await centreOf(second);
  assert.ok(Math.abs(after.x - before.x + 40) < 2, `the handle moved by ${after.x - before.x} pixels in frequency`);
  const dragged = await read('eq');
  assert.deepEqual([dragged.frequency_1_hz, dragged.gain_1_db, dragged.q_1, dragged.q_2], [300, 3, 2, 2], 'other values stay');
  assert.equal((await client.history({steps: 10})).length, 2, 'a movement is one step');

  await page.keyboard.down('Shift');
  await drag(page, second, 0, -40);
  await page.keyboard.up('Shift');
  await until(async () => (await read('eq')).q_2 > 3.5, 'Shift does not change the Q');
  near((await read('eq')).q_2, 4, 0.06, 'Q after 40 pixels');
  assert.equal((await read('eq')).frequency_2_hz, dragged.frequency_2_hz);

  await second.dblclick();
  await until(async () => (await read('eq')).gain_2_db === 0, 'a double click does not set the default');
  assert.equal((await read('eq')).frequency_2_hz, dragged.frequency_2_hz, 'the frequency stays');

  const [handle] = await (await inspect(page, 'cut')).all();
  await drag(page, handle, 50, 20);
  await until(async () => (await read('cut')).frequency_hz > 220, 'the handle of the filter moved nothing');
  const {frequency_hz} = await read('cut');
  await handle.focus();
  await page.keyboard.press('ArrowRight');
  await until(async () => (await read('cut')).frequency_hz !== frequency_hz, 'the key moved nothing');
  const coarse = (await read('cut')).frequency_hz;
  near(coarse / frequency_hz, 2 ** (1 / 12), 0.01, 'a step');
  await page.keyboard.press('Shift+ArrowRight');
  await until(async () => (await read('cut')).frequency_hz !== coarse, 'the fine step moved nothing');
  near((await read('cut')).frequency_hz / coarse, 2 ** (1 / 96), 0.003, 'a fine step');
});

test('a fader has fine steps with Shift, and its default after a double click', async (t) => {
  const {client, url} = await startPanel(t, {graph: GRAPH});
  const gain = async () => (await readerOf(client)('vol')).gain_db;
  const page = await openPage(t, {url, fragment: '#mixer'});
  const fader = page.locator('rta-fader').and(page.locator('[label^="Level of vol"]'));
  const slider = fader.getByRole('slider');
  await slider.waitFor();
  const changed = async (before) => {
    await until(async () => await gain() !== before, 'the fader moved nothing');
    await page.waitForTimeout(200);  // until the last value has arrived
    return gain();
  };
  await slider.focus();
  await page.keyboard.press('ArrowUp');
  const step = await changed(-12) + 12;
  await page.keyboard.press('Shift+ArrowUp');
  const fine = await changed(-12 + step) + 12 - step;
  assert.ok(fine > 0 && fine < step / 2, `a step of ${step} dB, a fine one of ${fine} dB`);

  const start = await gain();
  const box = await fader.boundingBox();
  const pull = async () => {
    const {x, y} = {x: box.x + box.width / 2, y: box.y + box.height / 2};
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, y - 60, {steps: 8});
    await page.mouse.up();
  };
  await pull();
  const wide = await changed(start) - start;
  await page.waitForTimeout(500);  // Otherwise, it would be a double click.
  await page.keyboard.down('Shift');
  await pull();
  await page.keyboard.up('Shift');
  const narrow = await changed(start + wide) - start - wide;
  assert.ok(narrow > 0 && narrow < wide / 4, `60 pixels are ${wide} dB, with Shift ${narrow} dB`);
  await page.waitForTimeout(500);
  await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2);
  await until(async () => await gain() === 0, 'a double click does not set the default');
});

test('edits that a daemon has not acknowledged are shown as such', async (t) => {
  const {client, daemon, url} = await startPanel(t, {graph: GRAPH});
  const page = await openPage(t, {url, fragment: '#mixer'});
  const fader = page.locator('rta-fader').and(page.locator('[label^="Level of vol"]'));
  await fader.getByRole('slider').focus();
  daemon.process.kill('SIGSTOP');
  t.after(() => daemon.process.kill('SIGCONT'));
  await page.keyboard.press('ArrowUp');
  await page.getByRole('button', {name: /^Engine: .*: \d sent$/}).waitFor();
  assert.equal(await fader.evaluate(({value}) => value > -12), true, 'the new value is shown');
  daemon.process.kill('SIGCONT');
  await page.getByRole('button', {name: /^Engine: [^ ]+$/}).waitFor();
  const acknowledged = (await readerOf(client)('vol')).gain_db;
  assert.ok(acknowledged > -12);

  daemon.process.kill('SIGSTOP');
  await page.keyboard.press('ArrowUp');
  await page.getByRole('button', {name: /^Engine: .*: \d sent$/}).waitFor();
  daemon.process.kill('SIGKILL');
  await page.getByRole('alert').getByText(/^No connection to/).waitFor();
  await page.locator('rta-fader[label^="Level of vol"][pending]').waitFor();
});
