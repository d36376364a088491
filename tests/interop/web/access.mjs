// SPDX-License-Identifier: MIT
// Access for everyone: axe-core finds no violation in any view, light and dark, wide and on a phone; and the order of the focus.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import test from 'node:test';
import {openPage} from './rig.mjs';
import {startPanel} from './panel_daemon.mjs';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const WIDTHS = {wide: {viewport: {width: 1280, height: 800}}, phone: {viewport: {width: 390, height: 844}, hasTouch: true, isMobile: true}};

/** The policy of the page refuses scripts of others, so this one is not part of the page. */
async function violations(page) {
  const results = await page.evaluate(() => globalThis.axe.run(document, {resultTypes: ['violations']}));
  return results.violations.map(({id, nodes}) => `${id}: ${nodes.slice(0, 4).map(({target, failureSummary}) => (
    `${target.flat().join(' ')} ${failureSummary?.split('\n')[1] ?? ''}`)).join('; ')}`);
}

/** What is open on the page. */
const STATES = {
  Patch: async (page) => page.getByRole('tab', {name: 'Patch'}).click(),
  inspector: async (page) => {
    await page.locator('rta-card[data-name="vol"]').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', {name: 'Close the inspector'}).waitFor();
  },
  palette: async (page) => {
    await page.keyboard.press('Escape');
    await page.locator('rta-card[data-name="vol"]').focus();
    await page.keyboard.press('a');
    await page.getByRole('combobox', {name: /^Add/}).waitFor();
  },
  documents: async (page) => {
    await page.keyboard.press('Escape');
    await page.getByRole('button', {name: 'Documents'}).click();
    await page.getByRole('dialog', {name: 'Documents'}).waitFor();
  },
  Mixer: async (page) => {
    await page.keyboard.press('Escape');
    await page.getByRole('tab', {name: 'Mixer'}).click();
  },
  Stage: async (page) => page.getByRole('tab', {name: 'Stage'}).click(),
};

for (const [width, size] of Object.entries(WIDTHS)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds no violation, ${width}, ${colorScheme}`, async (t) => {
      const {client, url} = await startPanel(t);
      await client.saveScene('evening');
      const page = await openPage(t, {url, fragment: '#patch', context: {...size, colorScheme, reducedMotion: 'reduce', bypassCSP: true}});
      await page.locator('rta-card[data-name="vol"]').waitFor();
      await page.addScriptTag({path: axe});
      const found = {};
      for (const [name, open] of Object.entries(STATES)) {
        await open(page);
        const list = await violations(page);
        if (list.length > 0) found[name] = list;
      }
      assert.deepEqual(found, {});
    });
  }
}

/** Returns the role and name of what has the focus. */
function focused() {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const label = element.getAttribute('aria-label') || element.labels?.[0]?.textContent || element.textContent.trim() || element.getAttribute('title') || '';
  return `${element.localName} ${label.trim().replace(/\s+/g, ' ')}`.slice(0, 60);
}

test('the focus goes from the top to the view, and each control has a name', async (t) => {
  const {url} = await startPanel(t);
  const page = await openPage(t, {url, fragment: '#patch'});
  await page.locator('rta-card[data-name="out"]').waitFor();
  const order = [];
  for (let i = 0; i < 12; i += 1) {
    await page.keyboard.press('Tab');
    order.push(await page.evaluate(focused));
  }
  const expected = [/^button Mute/, /^input Volume/, /^button Panic/, /^button .*localhost/, /^button Patch/, /^button Documents/];
  let place = -1;
  for (const pattern of expected) {
    const next = order.findIndex((name, i) => i > place && pattern.test(name));
    assert.ok(next > place, `${pattern} after ${order[place] ?? 'the start'} in\n${order.join('\n')}`);
    place = next;
  }
  assert.ok(order.slice(place + 1).some((name) => name.startsWith('rta-card')), order.join('\n'));
  for (const name of order) assert.match(name, /^\S+ \S/, 'a control without a name');
});

/** Runs in the page: returns what a finger operates and is too small for it. */
function smallTargets() {
  const found = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) visit(element.shadowRoot);
      if (!element.matches('button, input, select, textarea') || element.closest('[hidden]')) continue;
      const host = element.getRootNode().host;
      // Cards have the scale of the patch; a pin shares the width of a strip with the name; handles have a larger area around them.
      if (host?.localName === 'rta-card' || host?.getRootNode().host?.localName === 'rta-card' || host?.localName === 'rta-curve') continue;
      const {width, height} = element.getBoundingClientRect();
      const least = element.matches('.pin') ? 36 : 44;
      if (width > 0 && height > 0 && (width < least - 0.5 || height < 43.5)) {
        found.push(`${host?.localName} ${element.getAttribute('aria-label') ?? element.textContent.trim()}: ${width.toFixed(0)} x ${height.toFixed(0)}`);
      }
    }
  };
  visit(document);
  return found;
}

test('what a finger operates on a phone has 44 pixels', async (t) => {
  const {client, url} = await startPanel(t);
  await client.saveScene('evening');
  const page = await openPage(t, {url, fragment: '#patch', context: WIDTHS.phone});
  await page.locator('rta-card[data-name="vol"]').waitFor();
  const found = {};
  for (const [name, open] of Object.entries(STATES)) {
    await open(page);
    await page.waitForTimeout(100);
    const list = await page.evaluate(smallTargets);
    if (list.length > 0) found[name] = list;
  }
  assert.deepEqual(found, {});
});
