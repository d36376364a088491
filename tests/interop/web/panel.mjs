// SPDX-License-Identifier: MIT
// The page as the panel of a daemon, whose recording is checked: the samples are exact, however busy this machine is.
import assert from 'node:assert/strict';
import test from 'node:test';
import {largestStep, measureTone} from './analysis.mjs';
import {MOST_STEP_DB} from './capture.mjs';
import {rendered, startPanel, until} from './panel_daemon.mjs';
import {openPage} from './rig.mjs';

function assertTone({frequency, level_db}, expected, name) {
  assert.ok(Math.abs(frequency - expected.frequency) < 0.1, `${name}: ${frequency} Hz, expected ${expected.frequency}`);
  assert.ok(Math.abs(level_db - expected.level_db) < 0.1, `${name}: ${level_db} dB, expected ${expected.level_db}`);
}

test('the volume slider moves the level of a daemon without a step', async (t) => {
  const {client, url, recording} = await startPanel(t);
  const page = await openPage(t, {url});
  const slider = page.getByRole('slider', {name: 'Volume'});
  await rendered(client, 0.3);
  await slider.fill('-10');
  await until(async () => (await client.volume()).volume_db === -10, 'the volume did not arrive');
  await slider.press('ArrowRight');
  await until(async () => (await client.volume()).volume_db === -9.5, 'the key did not arrive');
  await rendered(client, 0.4);
  const {samples, rate} = await recording();
  const [fade, part] = [rate * 0.05, rate * 0.2];
  const sound = samples.subarray(fade, -fade);
  assertTone(measureTone(sound.subarray(0, part), rate), {frequency: 440, level_db: -20}, 'before');
  assertTone(measureTone(sound.subarray(-part), rate), {frequency: 440, level_db: -29.5}, 'after');
  const {relative_db} = largestStep(sound, rate, 440);
  assert.ok(relative_db < MOST_STEP_DB, `a step of ${relative_db} dB`);
  const planted = sound.map((sample, n) => (n < part ? sample : sample * 10 ** (-0.5 / 20)));
  assert.ok(largestStep(planted, rate, 440).relative_db > MOST_STEP_DB, 'a planted step of 0.5 dB is not found');
});

/** Adds a node by the palette, which is open. */
async function choose(page, type, {key = 'Enter', tap = false} = {}) {
  const search = page.getByRole('combobox', {name: /^Add/});
  await search.fill(type);
  const option = page.getByRole('option', {name: new RegExp(`^${type}\\b`)}).first();
  if (tap) await option.tap();
  else await search.press(key);
}

/** What different users do to have a sine connected to an output. */
const WAYS = {
  async pointer(page) {
    for (const type of ['sine', 'output']) {
      await page.getByRole('button', {name: /^Add/}).first().click();
      await choose(page, type);
      await page.locator(`rta-card[data-name="${type}"]`).waitFor();
    }
    const [from, to] = [page.locator('[data-port="sine:out"]'), page.locator('[data-port="output:in"]')];
    const centre = async (port) => {
      const {x, y, width, height} = await port.boundingBox();
      return [x + width / 2, y + height / 2];
    };
    await page.mouse.move(...await centre(from));
    await page.mouse.down();
    await page.mouse.move(...await centre(to), {steps: 5});
    await page.mouse.up();
  },
  async keyboard(page) {
    for (let tabs = 0; tabs < 30 && !await page.evaluate(focusIsIn, 'rta-patch'); tabs += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('a');
    await choose(page, 'sine');
    await page.locator('rta-card[data-name="sine"]').waitFor();
    await page.keyboard.press('a');
    await choose(page, 'output', {key: 'Shift+Enter'});
  },
  async touch(page) {
    for (const type of ['sine', 'output']) {
      await page.getByRole('button', {name: /^Add/}).first().tap();
      await choose(page, type, {tap: true});
      await page.locator(`rta-card[data-name="${type}"]`).waitFor();
      // On a phone, the inspector of the new node covers the lower part.
      await page.getByRole('button', {name: 'Close the inspector'}).tap();
    }
    const touch = await page.context().newCDPSession(page);
    const centre = async (port) => {
      const {x, y, width, height} = await page.locator(`[data-port="${port}"]`).boundingBox();
      return {x: x + width / 2, y: y + height / 2};
    };
    const [from, to] = [await centre('sine:out'), await centre('output:in')];
    const send = (type, touchPoints) => touch.send('Input.dispatchTouchEvent', {type, touchPoints});
    await send('touchStart', [from]);
    for (const part of [0.25, 0.5, 0.75, 1]) await send('touchMove', [{x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part}]);
    await send('touchEnd', []);
  },
};

/** Whether the focus is in an element, also inside its shadow tree. */
function focusIsIn(name) {
  let element = document.activeElement;
  for (; element; element = element.shadowRoot?.activeElement) if (element.localName === name) return true;
  return false;
}

for (const [way, build] of Object.entries(WAYS)) {
  test(`a graph is built by ${way}, and heard`, async (t) => {
    const {client, url, recording} = await startPanel(t, {graph: null});
    const context = way === 'touch' ? {viewport: {width: 412, height: 915}, hasTouch: true, isMobile: true} : {};
    const page = await openPage(t, {url, fragment: '#patch', context});
    await page.getByRole('button', {name: /^Add/, disabled: false}).first().waitFor();
    await build(page);
    await until(async () => {
      const {nodes, connections} = JSON.parse((await client.graph({content: 'GRAPH_CONTENT_DOCUMENT'})).document);
      return nodes.length === 2 && connections.length === 1;
    }, 'the graph was not built');
    await rendered(client, 0.5);
    const {samples, rate} = await recording();
    assertTone(measureTone(samples.subarray(-0.3 * rate, -0.05 * rate), rate), {frequency: 440, level_db: -20}, way);
  });
}
