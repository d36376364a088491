// SPDX-License-Identifier: MIT
// What goes wrong around the page: browsers without what it needs, and daemons that go away, refuse it, or are others.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import {binaries, frame, requestOf, temporaryDirectory} from '../../tests/support.mjs';
import {CHAIN, startPanel, until} from './panel_daemon.mjs';
import {openPage, record, site} from './rig.mjs';
import {Site} from './site.mjs';
import {openTone, start} from './start.mjs';
import {trapping} from './trap.mjs';

const connection = (page) => page.evaluate(() => document.querySelector('rta-app').model.connection);
const becomes = (page, state) => until(async () => await connection(page) === state, `the connection did not become ${state}`);

/** What a browser may lack, and what the page says. */
const LACKS = {
  AudioWorklet: [() => { delete globalThis.AudioWorkletNode; delete BaseAudioContext.prototype.audioWorklet; }, /AudioWorklet/],
  SIMD: [() => { const {validate} = WebAssembly; WebAssembly.validate = (bytes) => bytes.byteLength > 100 && validate(bytes);
    WebAssembly.compile = WebAssembly.compileStreaming = async () => { throw new WebAssembly.CompileError('Wasm SIMD unsupported'); }; }, /SIMD|WebAssembly/],
  WebAssembly: [() => { delete globalThis.WebAssembly; }, /WebAssembly/],
};

for (const [name, [stub, message]] of Object.entries(LACKS)) {
  test(`a browser without ${name} gets a message`, async (t) => {
    const page = await openPage(t, {prepare: (fresh) => fresh.addInitScript(stub)});
    await page.getByText(message).first().waitFor();
  });
}

test('a browser without WebSocket gets a message', async (t) => {
  const {url} = await startPanel(t, {connected: false});
  const page = await openPage(t, {url, prepare: (fresh) => fresh.addInitScript(() => { delete globalThis.WebSocket; })});
  await page.getByText(/WebSocket/).first().waitFor();
});

test('a daemon is killed and started again under the page', async (t) => {
  const directory = temporaryDirectory(t);
  const state = ['--state-dir', path.join(directory, 'state')];
  const first = await startPanel(t, {directory, arguments: state});
  const {host, port} = new URL(first.url);
  const page = await openPage(t, {url: first.url});
  await becomes(page, 'running');
  first.daemon.process.kill('SIGKILL');
  await page.getByRole('alert').getByText(`No connection to ${host}`).waitFor();
  assert.equal(await page.locator('rta-card').count(), 3, 'the graph stays on the page');
  assert.ok(await page.getByRole('slider', {name: 'Volume'}).isDisabled());
  const second = await startPanel(t, {directory, graph: null, web: `127.0.0.1:${port}`, arguments: state});
  await becomes(page, 'running');
  await page.locator('rta-notices').getByText(/was started again/).waitFor();
  await page.getByRole('slider', {name: 'Volume'}).fill('-7');
  await until(async () => (await second.client.volume()).volume_db === -7, 'the page is not connected again');
  await second.daemon.stop();
});

test('a token is asked for, kept out of the address, and may be revoked', async (t) => {
  const directory = temporaryDirectory(t);
  const state = path.join(directory, 'state');
  const rtad = (...words) => execFileSync(path.join(binaries, 'rtad'), [...words, '--state-dir', state]).toString();
  const tokenOf = (role, name) => /^\S{20,}$/m.exec(rtad('token', 'new', '--role', role, name))?.[0];
  const token = tokenOf('control', 'page');
  assert.ok(token, 'rtad token new prints a token');
  const other = tokenOf('admin', 'other');
  const {client, daemon, url} = await startPanel(t, {directory, graph: CHAIN, arguments: ['--state-dir', state]});
  const page = await openPage(t, {url});
  await page.getByRole('alert').getByText(/does not accept this page/).waitFor();
  const enter = async (text) => {
    await page.getByRole('button', {name: /^Enter a token/}).click();
    await page.getByLabel(/^Token/).fill(text);
    await page.getByRole('button', {name: 'Connect', exact: true}).click();
    await becomes(page, 'running');
  };
  await enter(token);
  assert.ok(!page.url().includes(token));
  assert.ok(await page.evaluate((text) => !document.cookie.includes(text) && !JSON.stringify({...localStorage}).includes(text), token));
  await client.call({revoke_token: {name: 'page'}});
  await becomes(page, 'refused');
  await page.getByRole('alert').getByText(/does not accept this page: .*token/).first().waitFor();
  assert.equal(await page.locator('rta-card').count(), 3, 'what was shown stays');
  assert.ok(await page.getByRole('slider', {name: 'Volume'}).isDisabled());
  await enter(other);
  await page.locator('rta-card[data-name="osc"]').waitFor();
  await daemon.stop();
});

test('a daemon of another version is named', async (t) => {
  const page = await openPage(t, {url: (await site()).url, prepare: (fresh) => fresh.routeWebSocket(/\/socket$/, (socket) => {
    socket.onMessage((bytes) => {
      const {id} = requestOf(Buffer.concat([Buffer.from([bytes.length]), bytes]));
      const message = frame({response: {id, status: {code: 9, message: 'protocol version 1 is not supported: expected 2'}}});
      socket.send(message.subarray(1));
    });
  })});
  await page.evaluate(() => document.querySelector('rta-app').shadowRoot.querySelector('rta-transport').dispatchEvent(new Event('connect')));
  await page.getByRole('dialog', {name: 'Connect to a daemon'}).getByRole('textbox', {name: /^Address/}).fill('127.0.0.1:7380');
  await page.getByRole('button', {name: 'Connect', exact: true}).click();
  await page.getByRole('alert').getByText(/protocol version 1 is not supported/).first().waitFor();
});

/** A server of the page whose engine traps. */
async function startTrap(t, {isolated = true} = {}) {
  const folder = process.env.RTA_SITE;
  const name = fs.readdirSync(folder).find((file) => /^processor-\w+\.js$/.test(file));
  const own = await Site.start(folder, {isolated, extra: {[`/${name}`]: trapping(fs.readFileSync(path.join(folder, name), 'utf8'))}});
  t.after(() => own.stop());
  return own.url;
}

const add = (page, name) => page.evaluate((node) => void document.querySelector('rta-app').model.edit((edit) => edit.add('gain', node), `add ${node}`), name);
const failure = (page) => page.getByRole('alert').getByText(/engine has failed/).first().waitFor();

for (const isolated of [true, false]) {
  test(`an engine that traps is restarted with the graph that it had, ${isolated ? 'with' : 'without'} shared memory`, async (t) => {
    const recording = await record(t);
    const page = await openTone(t, {url: await startTrap(t, {isolated})});
    await page.getByRole('slider', {name: 'Volume'}).fill('-6');
    await start(page);
    await recording.untilSound();
    await add(page, 'trap_now');
    await becomes(page, 'failed');
    await failure(page);
    await recording.untilSilence();
    assert.equal(await page.locator('rta-card').count(), 2, 'the graph stays on the page');
    assert.ok(await page.getByRole('slider', {name: 'Volume'}).isDisabled());
    await page.getByRole('alert').getByRole('button', {name: 'Restart', exact: true}).click();
    await becomes(page, 'running');
    await recording.untilSound();
    await page.locator('rta-card[data-name="osc"]').waitFor();
    const state = await page.evaluate(async () => {
      const {client} = document.querySelector('rta-app').model;
      return {nodes: (await client.graph()).graph.nodes.map(({name}) => name).sort(), ...await client.volume()};
    });
    assert.deepEqual(state, {nodes: ['osc', 'out'], volume_db: -6});
  });
}

test('an engine that traps while it is suspended is reported, and an empty one helps against a graph that traps again', async (t) => {
  const page = await openTone(t, {url: await startTrap(t)});
  await add(page, 'trap_later');
  await becomes(page, 'failed');
  await failure(page);
  await page.getByRole('alert').getByRole('button', {name: 'Restart', exact: true}).click();
  await becomes(page, 'running');
  await add(page, 'trap_later');
  await becomes(page, 'failed');
  await page.locator('rta-card[data-name="trap_later"]').waitFor();
  await page.getByRole('alert').getByRole('button', {name: 'Restart', exact: true}).click();
  await until(() => page.evaluate(() => document.querySelector('rta-app').model.restarted), 'it was not restarted');
  await becomes(page, 'failed');
  await page.getByRole('button', {name: 'Restart empty'}).click();
  await becomes(page, 'running');
  assert.equal(await page.locator('rta-card').count(), 0);
});

test('a context that is suspended while it plays is named, and one click resumes', async (t) => {
  const recording = await record(t);
  const page = await openTone(t);
  await start(page);
  await recording.untilSound();
  await page.evaluate(async () => {
    const {context} = document.querySelector('rta-app').model.source.audio;
    context.resume = () => new Promise(() => {});  // The device is away: attempts to continue have no effect.
    await context.suspend();
  });
  await page.getByRole('alert').getByText(/stopped the sound/).waitFor();
  await becomes(page, 'suspended');
  await recording.untilSilence();
  assert.equal(await page.locator('rta-card').count(), 2);
  await page.evaluate(() => { delete document.querySelector('rta-app').model.source.audio.context.resume; });
  await page.getByRole('button', {name: 'Resume'}).click({noWaitAfter: true}).catch(() => {});  // It may have continued before.
  await becomes(page, 'running');
  await recording.untilSound();
  assert.equal(await page.getByRole('alert').getByText(/stopped the sound/).count(), 0);
});

test('an error that occurs under a modal dialog is shown above it, and can be dismissed', async (t) => {
  const page = await openTone(t, {prepare: (fresh) => fresh.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('refused', 'NotAllowedError'); };
  })});
  await page.getByRole('button', {name: 'Documents'}).click();
  const notice = page.locator('rta-notices .notice');
  const dismiss = notice.getByRole('button', {name: 'Dismiss this notice'});
  await page.getByRole('dialog').getByText('Microphone', {exact: true}).click();
  await notice.getByText(/microphone was refused/).waitFor();
  await dismiss.click({timeout: 5000});
  assert.equal(await notice.count(), 0);
  assert.ok(await page.getByRole('dialog', {name: 'Documents'}).isVisible(), 'the dialog stays');
  // After the dialog, the notices are where they were.
  await page.getByRole('dialog').getByText('Microphone', {exact: true}).click();
  await notice.waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({state: 'hidden'});
  await dismiss.click({timeout: 5000});
  assert.equal(await notice.count(), 0);
});

test('long names of scenes break between words, and are complete as a title', async (t) => {
  const {client, url} = await startPanel(t);
  const names = ['verse-two-with-strings', 'a'.repeat(64), 'Intro_quiet_and_slow_before_the_break'];
  for (const name of names) await client.saveScene(name);
  const page = await openPage(t, {url, fragment: '#stage', context: {viewport: {width: 390, height: 844}}});
  await page.locator('rta-scene-button').nth(names.length - 1).waitFor();
  for (const name of names) {
    const title = page.locator('rta-scene-button strong').and(page.getByTitle(name));
    await title.waitFor();
    const parts = await title.evaluate((element) => {
      const lines = new Map();
      const range = document.createRange();
      const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        for (let i = 0; i < text.length; i += 1) {
          range.setStart(text, i);
          range.setEnd(text, i + 1);
          const {top} = range.getBoundingClientRect();
          lines.set(top, (lines.get(top) ?? '') + text.data[i]);
        }
      }
      return {lines: [...lines.values()], ellipsis: getComputedStyle(element).textOverflow};
    });
    for (const line of parts.lines.slice(0, -1)) assert.match(line, /[-_]$/, `${name} breaks inside of a word: ${parts.lines.join(' | ')}`);
    assert.equal(parts.ellipsis, 'ellipsis');
  }
});
