// SPDX-License-Identifier: MIT
// The model of the page, without a browser, at a real daemon.
//
// Environment: RTA_WEB_MODULES, the modules of client/web; RTA_BIN, the folder of rtad.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import test from 'node:test';
import {pathToFileURL} from 'node:url';

const moduleUrl = (name) => pathToFileURL(path.join(process.env.RTA_WEB_MODULES, 'page', name)).href;
const clientUrl = pathToFileURL(path.join(process.env.RTA_WEB_MODULES, '../node_modules/rta-client/src/index.js')).href;
const {EngineModel} = await import(moduleUrl('model.js'));
const {connect} = await import(clientUrl);

const DEADLINE_MS = 20_000;
const CHAIN = {nodes: [{name: 'osc', type: 'sine'}, {name: 'amp', type: 'gain'}, {name: 'out', type: 'output'}],
  connections: [{from: 'osc', to: 'amp'}, {from: 'amp', to: 'out'}]};

class Daemon {
  #process = null;
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rta-model-'));
  get socket() { return path.join(this.directory, 'socket'); }

  async start() {
    this.#process = spawn(path.join(process.env.RTA_BIN, 'rtad'),
      ['--device', 'null', '--listen', '127.0.0.1:0', '--socket', this.socket, '--state-dir', path.join(this.directory, 'state')], {stdio: ['ignore', 'ignore', 'pipe']});
    for await (const line of readline.createInterface(this.#process.stderr)) if (line.includes('device: null')) return;
    assert.fail('rtad did not start');
  }

  stop() { this.#process.kill('SIGSTOP'); }

  async kill() {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}

/** Runs a test with a daemon and a model of it. `frame()` runs what waits for the next animation frame. */
async function withModel(run, {token = '', load = true} = {}) {
  const daemon = new Daemon();
  await daemon.start();
  const admin = await connect(daemon.socket);
  if (load) await admin.load(CHAIN);
  const frames = [];
  const visibility = Object.assign(new EventTarget(), {hidden: false});
  const model = new EngineModel({frame: (callback) => frames.push(callback), visibility});
  const frame = () => { for (const callback of frames.splice(0)) callback(); };
  const timer = setInterval(frame, 5);
  const open = (chosen = token) => model.open({kind: 'daemon', name: 'test', connect: () => connect(daemon.socket, {name: 'model', token: chosen, deadlineMs: 3000})});
  try {
    await run({daemon, admin, model, open, visibility, frame, stopFrames: () => clearInterval(timer)});
  } finally {
    clearInterval(timer);
    model.close();
    admin.close();
    await daemon.kill();
    fs.rmSync(daemon.directory, {recursive: true, force: true});
  }
}

/** Waits until an event of the model after which a condition holds. */
function until(model, name, condition) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not in time: ${condition}`)), DEADLINE_MS);
    const look = () => {
      if (!condition()) return;
      clearTimeout(timer);
      model.removeEventListener(name, look);
      resolve();
    };
    model.addEventListener(name, look);
    look();
  });
}

const isOpen = (model) => until(model, 'connection', () => model.connection === 'running');

test('values of one frame are one request, and those of one movement one step of the history', () => withModel(async ({admin, model, open, frame, stopFrames}) => {
  open();
  await isOpen(model);
  stopFrames();
  const events = admin.events({topics: ['TOPIC_CHANGES']});
  await events.ready;
  for (let level = -60; level <= -20; level += 1) {
    model.set({'osc.gain_db': level});
    assert.equal(model.value('osc', 'gain_db'), level, 'immediately');
    if (level % 20 === 0) frame();
  }
  assert.ok(model.unacknowledged > 0);
  const values = [];
  while (values.at(-1) !== -20) {
    const {value: {parameters_changed: changed}} = await events.next();
    if (changed) values.push(...changed.changes.map(({value}) => value));
  }
  assert.deepEqual(values, [-60, -40, -20]);
  const steps = await admin.history({steps: 10});
  assert.equal(steps.filter(({client_name}) => client_name === 'model').length, 1);
}));

test('two controls that are moved at the same time are two steps', () => withModel(async ({admin, model, open}) => {
  open();
  await isOpen(model);
  for (const level of [-30, -31, -32]) {
    model.set({'osc.gain_db': level});
    model.set({'amp.gain_db': level, 'amp.mute': 1});
    await until(model, 'graph', () => model.graph.nodes.get('amp').parameters.gain_db === level && model.graph.nodes.get('osc').parameters.gain_db === level);
  }
  const steps = (await admin.history({steps: 10, with_edits: true})).filter(({client_name}) => client_name === 'model');
  assert.deepEqual(steps.map(({edits}) => edits.length).sort(), [1, 2]);
  await until(model, 'history', () => model.undoStep !== null);
  await model.undo();
  await until(model, 'history', () => model.redoStep !== null);
  await model.redo();
  await until(model, 'history', () => model.redoStep === null);
}));

test('refused edits are reported with the sentence of the daemon, and are not shown any more', () => withModel(async ({model, open}) => {
  open();
  await isOpen(model);
  assert.equal(await model.edit((t) => t.connect('amp', 'osc'), 'connect amp to osc'), null);
  assert.match(model.notices.list.at(-1).text, /^Could not connect amp to osc: .*osc/);
  model.set({'osc.frequency_hz': -5});
  assert.equal(model.value('osc', 'frequency_hz'), -5);
  await until(model, 'notices', () => model.notices.list.some(({text}) => text.startsWith('osc.frequency_hz not changed: ')));
  assert.equal(model.value('osc', 'frequency_hz'), 440);
  assert.equal(model.unacknowledged, 0);
}));

test('a daemon that is killed and started again', () => withModel(async ({daemon, model, open}) => {
  open();
  await isOpen(model);
  const levels = {count: 0};
  model.watchPort('osc', false, () => { levels.count += 1; });
  model.watchLevels(() => {});
  await daemon.kill();
  await until(model, 'connection', () => model.connection === 'lost');
  assert.equal(model.graph.nodes.size, 3, 'the graph is shown as it was');
  assert.equal(model.canEdit, false);
  assert.equal(await model.edit((t) => t.remove('osc'), 'remove osc'), null);
  model.set({'osc.gain_db': -3});
  assert.equal(model.value('osc', 'gain_db'), -20, 'not accepted while the connection is lost');
  await daemon.start();
  await isOpen(model);
  assert.ok(model.notices.list.some(({text}) => /was started again/.test(text)));
  const before = levels.count;
  await until(model, 'status', () => levels.count > before);
  assert.equal(model.canEdit, true);
}));

test('edits without an answer are counted, shown as uncertain, and reported when the connection is back', () => withModel(async ({daemon, model, open, frame}) => {
  open();
  await isOpen(model);
  daemon.stop();
  const asked = model.edit((t) => t.add('gain', 'late').connect('osc', 'late'), 'add late');
  model.set({'osc.gain_db': -3});
  frame();
  assert.equal(model.unacknowledged, 2);
  await daemon.kill();
  assert.equal(await asked, null);
  await until(model, 'connection', () => model.connection === 'lost');
  assert.equal(model.isUncertain('osc', 'gain_db'), true);
  assert.equal(model.value('osc', 'gain_db'), -3);
  await daemon.start();
  await isOpen(model);
  const reported = (pattern) => model.notices.list.some(({text}) => pattern.test(text));
  assert.ok(reported(/"add late"/));
  assert.ok(reported(/^osc\.gain_db not changed: the connection was lost/));
  assert.equal(model.value('osc', 'gain_db'), -20);
  assert.equal(model.unacknowledged, 0);
}));

test('a client that may only read, and a token that is revoked', () => withModel(async ({admin, model, open}) => {
  const {token} = await admin.call({create_token: {name: 'viewer', role: 'read'}});
  open(token);
  await isOpen(model);
  assert.equal(model.canEdit, false);
  assert.match(model.whyReadOnly, /role read/);
  model.set({'osc.gain_db': 0});
  assert.equal(model.value('osc', 'gain_db'), -20);
  assert.equal(await model.undo(), null);
  await admin.call({revoke_token: {name: 'viewer'}});
  await until(model, 'connection', () => model.connection === 'refused');
  assert.match(model.reason, /token|revoked/);
  assert.equal(model.graph.nodes.size, 3);
  open();  // another token
  await isOpen(model);
  assert.equal(model.canEdit, true);
}, {load: true}));

test('one subscription for all views, slower while the page is hidden', () => withModel(async ({admin, model, open, visibility}) => {
  open();
  await isOpen(model);
  const spans = [];
  let wake = () => {};
  const next = () => new Promise((resolve) => { wake = resolve; });
  const stops = [model.watchPort('osc', true, (level, {frame_count}) => { spans.push([frame_count, level.spectra?.length ?? 0]); wake(); }),
    model.watchPort('osc', false, () => {}), model.watchPort('absent', false, () => assert.fail('a port that does not exist'))];
  while (!spans.some(([, spectra]) => spectra === 1)) await next();
  const fast = spans.at(-1)[0];
  assert.ok(fast <= 48_000 / 25, `${fast} frames`);
  const levels = [];
  stops.push(model.watchLevels(({frame_count}) => { levels.push(frame_count); wake(); }));
  while (levels.length === 0) await next();
  visibility.hidden = true;
  visibility.dispatchEvent(new Event('visibilitychange'));
  while (levels.at(-1) < 48_000 / 4) await next();
  visibility.hidden = false;
  visibility.dispatchEvent(new Event('visibilitychange'));
  const count = spans.length;
  while (spans.length === count) await next();
  stops.forEach((stop) => stop());
  // A client that watches nothing leaves its subscription to changes.
  for (let tries = 0; ; tries += 1) {
    const before = spans.length;
    await admin.status();
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    if (spans.length === before) break;
    assert.ok(tries < 50, 'levels continue');
  }
}));

test('volume, mute and scenes', () => withModel(async ({admin, model, open}) => {
  open();
  await isOpen(model);
  model.setVolume(-12.5);
  assert.equal(model.volumeDb, -12.5);
  await until(model, 'status', () => model.status.engine.output_volume_db === -12.5);
  await admin.volume(-3);
  await until(model, 'status', () => model.volumeDb === -3);
  await model.mute(true);
  await until(model, 'status', () => model.muted);
  await model.saveScene('one');
  await until(model, 'scenes', () => model.scenes.some(({name}) => name === 'one'));
  await model.edit((t) => t.remove('amp'), 'remove amp');
  await until(model, 'graph', () => !model.graph.nodes.has('amp'));
  await model.recallScene('one', 50);
  await until(model, 'graph', () => model.graph.nodes.has('amp'));
  await model.renameScene('one', 'two');
  await until(model, 'scenes', () => model.scenes.some(({name}) => name === 'two'));
  assert.equal(await model.recallScene('one'), null);
  assert.match(model.notices.list.at(-1).text, /one/);
}));

test('a response follows the parameters of its node', () => withModel(async ({model, open}) => {
  open();
  await isOpen(model);
  await model.edit((t) => t.add('biquad_filter', 'low', {frequency_hz: 1000}), 'add low');
  await until(model, 'graph', () => model.graph.nodes.has('low'));
  const corners = [];
  const stop = model.watchResponse({node: 'low'}, (response) => {
    const {magnitude_db} = response.outputs[0];
    corners.push(response.frequencies_hz[magnitude_db.findIndex((level) => level < -3)]);
    model.dispatchEvent(new Event('notices'));
  });
  await until(model, 'notices', () => corners.length > 0 && Math.abs(corners.at(-1) / 1000 - 1) < 0.05);
  for (const frequency of [2000, 3000, 4000]) model.set({'low.frequency_hz': frequency});
  await until(model, 'notices', () => Math.abs(corners.at(-1) / 4000 - 1) < 0.05);
  stop();
  const none = await new Promise((resolve) => { model.watchResponse({node: 'osc'}, resolve); });
  assert.equal(none, null);
}));
