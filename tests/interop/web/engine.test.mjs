// SPDX-License-Identifier: MIT
// The engine in pages of Chromium: the pages of docs/browser.md, and renders against those of `rtad render`.
//
// Environment: that of rig.mjs; RTA_BIN, the folder of rtad; RTA_DOCS, the folder docs; RTA_WEB_DIST, the folder `dist` of rta-web.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {measureTone} from './analysis.mjs';
import {openPage} from './rig.mjs';
import {Site} from './site.mjs';
import {trapping} from './trap.mjs';
import {readChannels, writeWav} from './wav.mjs';

const RATE = 48000;
const TOLERANCE = 1e-5;  // relative to full scale
/** The pages of the documentation have inline scripts. */
const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; connect-src 'self'";
const BLANK = '<!doctype html><html lang="en"><title>engine</title><link rel="icon" href="data:,">';

/** Returns the blocks of code with a file name of a page of the documentation: {NAME: CODE}. */
function filesOf(name, kind) {
  const text = fs.readFileSync(path.join(process.env.RTA_DOCS, name), 'utf8');
  return Object.fromEntries([...text.matchAll(new RegExp(`^\`\`\`${kind} (\\S+)\\n(.*?)^\`\`\`$`, 'gms'))].map(([, file, code]) => [file, code]));
}

/** Opens a page of a server that has the package in rta-web, as docs/browser.md says. */
async function open(t, files, {name = 'index.html', isolated = true, ...options} = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rta-web-'));
  fs.symlinkSync(path.resolve(process.env.RTA_WEB_DIST), path.join(folder, 'rta-web'));
  const extra = {'/index.html': BLANK, '/favicon.ico': '', ...Object.fromEntries(Object.entries(files).map(([file, code]) => [`/${file}`, code]))};
  const site = await Site.start(folder, {isolated, extra, policy: POLICY});
  t.after(() => {
    site.stop();
    fs.rmSync(folder, {recursive: true});
  });
  const page = await openPage(t, {url: `${site.url}${name}`, ...options});
  assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
  return page;
}

/** Runs in the page: resolves to the peak and the samples of a node's output, 32-bit floats in base64, when it has a signal. */
async function listen(node) {
  const analyser = new AnalyserNode(node.context, {fftSize: 32768});
  node.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  // All of the samples are of the sound, when its first one has passed through.
  do {
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    analyser.getFloatTimeDomainData(samples);
  } while (samples.subarray(0, 64).every((sample) => sample === 0));
  node.disconnect(analyser);
  const peak = samples.reduce((largest, sample) => Math.max(largest, Math.abs(sample)), 0);
  const bytes = new Uint8Array(samples.buffer);
  let binary = '';
  for (let at = 0; at < bytes.length; at += 32768) binary += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return {peak, rate_hz: node.context.sampleRate, samples: btoa(binary)};
}

/** Returns the peak of a node's output, an expression in the page, and the frequency, to 0.01 Hz if it is a steady tone. */
async function hear(page, node) {
  const {peak, rate_hz, samples} = await page.evaluate(`(${listen})(${node})`);
  const {frequency} = measureTone(new Float32Array(new Uint8Array(Buffer.from(samples, 'base64')).buffer), rate_hz);
  return {peak, frequency_hz: frequency};
}

/** Runs in a page before its scripts: keeps the node that is connected with the device. */
function keepSpeaker() {
  const {connect} = AudioNode.prototype;
  AudioNode.prototype.connect = function (target, ...others) {
    if (target instanceof AudioDestinationNode) globalThis.speaker = this;
    return connect.call(this, target, ...others);
  };
}

for (const isolated of [true, false]) {
  test(`the player of docs/browser.md plays, ${isolated ? 'isolated' : 'not isolated'}`, async (t) => {
    const page = await open(t, {...filesOf('browser.md', 'html'), ...filesOf('browser.md', 'json')}, {name: 'player.html', isolated});
    const player = page.locator('rta-player');
    const button = player.getByRole('button');
    const slider = player.getByRole('slider');
    await player.getByText('A tone').waitFor();
    assert.equal(await button.textContent(), 'Start');
    await button.click();
    await player.getByRole('button', {name: 'Stop'}).waitFor();
    const {peak, frequency_hz} = await hear(page, "document.querySelector('rta-player').engine.output");
    assert.ok(Math.abs(frequency_hz - 440) < 0.1 && Math.abs(peak - 0.1) < 1e-4, `${frequency_hz} Hz, peak ${peak}`);

    // By keyboard: 12 dB less, in steps of 0.5 dB.
    await slider.focus();
    for (let step = 0; step < 24; ++step) await page.keyboard.press('ArrowLeft');
    assert.equal(await slider.getAttribute('aria-valuetext'), '\u221212.0 dB');
    await page.waitForFunction(async () => (
      (await document.querySelector('rta-player').client.status()).engine.output_volume_db === -12));
    await page.waitForFunction(`(${listen})(document.querySelector('rta-player').engine.output).then(({peak}) => Math.abs(peak - 0.1 * 10 ** (-12 / 20)) < 1e-4)`);

    await button.focus();
    await page.keyboard.press('Space');
    await page.waitForFunction(() => document.querySelector('rta-player').engine.context.state === 'suspended');
    assert.equal(await button.textContent(), 'Start');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('rta-player').engine.state === 'running');
    // Removed from the page, it ends.
    const closed = await page.evaluate(() => {
      const element = document.querySelector('rta-player');
      const {context} = element.engine;
      element.remove();
      return new Promise((resolve) => { context.onstatechange = () => resolve(context.state); });
    });
    assert.equal(closed, 'closed');
  });
}

test('a player shows errors, and plays when they are mended', async (t) => {
  const page = await open(t, {'index.html': '<!doctype html><html lang="en"><title>x</title><script type="module" src="rta-web/player.js"></script>' +
    '<rta-player></rta-player>', 'bad.json': '{"nodes": [\n  {"nmae": "osc"}]}', ...filesOf('browser.md', 'json')}, {expected: [/404/]});
  const player = page.locator('rta-player');
  const errorText = () => page.evaluate(() => document.querySelector('rta-player').shadowRoot.querySelector('[role=alert]').textContent);
  const expectError = async (pattern) => {
    await player.getByRole('alert').filter({hasText: pattern}).waitFor();
    assert.match(await errorText(), pattern);
  };
  await player.getByRole('button').click();
  await expectError(/no document: expected the attribute src/);
  const setSource = (src) => page.evaluate((value) => document.querySelector('rta-player').setAttribute('src', value), src);
  await setSource('missing.json');
  await expectError(/missing.json: status 404, expected 200/);
  await setSource('bad.json');
  await player.getByRole('button').click();
  await expectError(/line 2, column 4.*nmae/s);
  await setSource('tone.json');
  await player.getByRole('button').click();
  await page.waitForFunction(() => document.querySelector('rta-player').engine?.state === 'running');
  assert.equal(await errorText(), '');
});

/** Runs in the page: whether the player runs, its texts, and its nodes. */
async function playerState() {
  const player = document.querySelector('rta-player');
  const text = (selector) => player.shadowRoot.querySelector(selector).textContent;
  return {runs: player.engine?.state === 'running', button: text('button'), error: text('.error'), status: text('.status'),
    nodes: player.client && !player.engine.failed ? (await player.client.graph()).graph.nodes.map(({name}) => name).sort().join() : ''};
}

const PLAYER = '<!doctype html><html lang="en"><title>x</title><script type="module" src="rta-web/player.js"></script>' +
  '<rta-player src="one.json"></rta-player>';
/** Documents whose nodes tell them apart. */
const documentOf = (name) => JSON.stringify({nodes: [{name, type: 'sine', parameters: {gain_db: -20}}, {name: 'out', type: 'output', settings: {channels: 2}}],
  connections: [{from: name, to: 'out'}]});

test('a player whose document changes while it opens plays the latest', async (t) => {
  const page = await open(t, {'index.html': PLAYER, 'one.json': documentOf('one'), 'two.json': documentOf('two')});
  const player = page.locator('rta-player');
  // While the first document is fetched, and while the engine loads it.
  for (const moment of ['fetch', 'load']) {
    await page.evaluate(async (when) => {
      const old = document.querySelector('rta-player');
      const fresh = document.createElement('rta-player');
      fresh.setAttribute('src', 'one.json');
      old.replaceWith(fresh);
      document.onclick = () => {
        const started = fresh.start();
        globalThis.started = started.then(() => '', ({message}) => message);
        if (when === 'fetch') fresh.setAttribute('src', 'two.json');
        // AudioWorkletNodes are created after the document was fetched, and before it is loaded.
        const own = globalThis.AudioWorkletNode;
        globalThis.AudioWorkletNode = class extends own {
          constructor(...options) {
            super(...options);
            globalThis.AudioWorkletNode = own;
            if (when === 'load') setTimeout(() => fresh.setAttribute('src', 'two.json'), 0);
          }
        };
      };
    }, moment);
    await page.mouse.click(5, 400);
    assert.equal(await page.evaluate(() => globalThis.started), '', moment);
    await page.waitForFunction(async () => (await document.querySelector('rta-player').client.graph()).graph.nodes.some(({name}) => name === 'two'), null, {timeout: 5000});
    assert.deepEqual(await page.evaluate(playerState), {runs: true, button: 'Stop', error: '', status: '', nodes: 'out,two'}, moment);
  }
  await player.getByRole('button', {name: 'Stop'}).click();
});

test('a player without its microphone says why, plays, and tries again', async (t) => {
  const page = await open(t, {'index.html': PLAYER.replace('src="one', 'microphone src="one'), 'one.json': documentOf('one')}, {prepare: (fresh) => fresh.addInitScript(() => {
    globalThis.refusal = 'NotAllowedError';
    const own = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (options) => {
      if (globalThis.refusal) throw new DOMException('refused', globalThis.refusal);
      return own(options);
    };
  })});
  const player = page.locator('rta-player');
  await player.getByRole('button', {name: 'Start'}).click();
  await player.getByRole('alert').filter({hasText: /microphone was refused: allow it for this page/}).waitFor();
  assert.equal((await page.evaluate(playerState)).runs, true, 'it plays without the microphone');
  const again = player.getByRole('button', {name: 'Try the microphone again'});
  await page.evaluate(() => { globalThis.refusal = 'NotFoundError'; });
  await again.click();
  await player.getByRole('alert').filter({hasText: /no microphone was found: connect one/}).waitFor();
  await page.evaluate(() => { globalThis.refusal = ''; });
  await again.click();
  await page.waitForFunction(() => document.querySelector('rta-player').engine.microphoneOn);
  await again.waitFor({state: 'hidden'});
  assert.deepEqual((await page.evaluate(playerState)), {runs: true, button: 'Stop', error: '', status: '', nodes: 'one,out'});
});

for (const [what, interrupt, message] of [
  ['is suspended by the system', 'engine.context.suspend()', /stopped the sound\. It continues/],
  ['loses its device', 'engine.context.suspend().then(() => engine.context.dispatchEvent(new Event("error")))', /device failed or was disconnected\. It continues/],
]) {
  test(`a player that ${what} says so, and one click resumes`, async (t) => {
    const page = await open(t, {'index.html': PLAYER, 'one.json': documentOf('one')});
    const player = page.locator('rta-player');
    await player.getByRole('button', {name: 'Start'}).click();
    await page.waitForFunction(() => document.querySelector('rta-player').engine?.state === 'running');
    await page.evaluate(async (code) => {
      const {engine} = document.querySelector('rta-player');
      engine.context.resume = () => new Promise(() => {});  // Attempts to continue have no effect.
      globalThis.engine = engine;
      await Function(`return ${code}`)();
    }, interrupt);
    await player.getByRole('status').filter({hasText: message}).waitFor();
    const resume = player.getByRole('button', {name: 'Resume'});
    await resume.waitFor();
    assert.equal((await page.evaluate(playerState)).nodes, 'one,out');
    await resume.click();
    await player.getByRole('alert').filter({hasText: /expected an audio output that is connected/}).waitFor();
    await page.evaluate(() => { delete engine.context.resume; });
    await resume.click();
    await player.getByRole('button', {name: 'Stop'}).waitFor();
    const {peak} = await page.evaluate(`(${listen})(engine.output)`);
    assert.ok(Math.abs(peak - 0.1) < 1e-3, `peak ${peak}`);
    assert.deepEqual(await page.evaluate(playerState), {runs: true, button: 'Stop', error: '', status: '', nodes: 'one,out'});
  });
}

test('a player whose engine traps says so, and is restarted with its document', async (t) => {
  const code = fs.readFileSync(path.join(process.env.RTA_WEB_DIST, 'processor.js'), 'utf8');
  const page = await open(t, {'index.html': PLAYER, 'one.json': documentOf('one'), 'rta-web/processor.js': trapping(code)});
  const player = page.locator('rta-player');
  await player.getByRole('button', {name: 'Start'}).click();
  await page.waitForFunction(() => document.querySelector('rta-player').engine?.state === 'running');
  const error = await page.evaluate(() => document.querySelector('rta-player').client.transaction((edit) => edit.add('gain', 'trap_now'))
    .then(() => '', ({code: kind, message}) => `${kind}: ${message}`));
  assert.match(error, /^INTERNAL: the engine of this page has failed: RuntimeError: unreachable/);
  await player.getByRole('status').filter({hasText: /The engine has failed and is silent/}).waitFor();
  await player.getByRole('button', {name: 'Restart'}).click();
  await player.getByRole('button', {name: 'Stop'}).waitFor();
  assert.ok((await page.evaluate(`(${listen})(document.querySelector('rta-player').engine.output)`)).peak > 0.05);
  assert.deepEqual(await page.evaluate(playerState), {runs: true, button: 'Stop', error: '', status: '', nodes: 'one,out'});
});

test('the page of docs/browser.md filters, and follows its slider', async (t) => {
  const page = await open(t, filesOf('browser.md', 'html'), {name: 'filter.html', prepare: (opened) => opened.addInitScript(keepSpeaker)});
  assert.ok(filesOf('browser.md', 'html')['filter.html'].split('\n').length <= 26, 'it is longer than it says');
  const button = page.getByRole('button');
  // The engine is open when the button does something.
  await page.waitForFunction(() => document.querySelector('button').onclick !== null);
  await button.click();
  await page.waitForFunction(() => document.querySelector('button').textContent === 'Stop');
  await page.getByRole('slider').fill('8000');
  const bright = await page.evaluate(`(${listen})(speaker)`);
  await page.getByRole('slider').fill('100');
  await page.waitForFunction(`(${listen})(speaker).then(({peak}) => peak > 0 && peak < ${bright.peak / 4})`);
  await button.click();
  await page.waitForFunction(() => document.querySelector('button').textContent === 'Start');
  assert.equal(await page.getByRole('alert').textContent(), '');
});

test('the page of docs/browser.md renders', async (t) => {
  const page = await open(t, {...filesOf('browser.md', 'html'), ...filesOf('browser.md', 'json')}, {name: 'render.html'});
  await page.getByText('peak 0.100').waitFor();
});

// ---- against rtad render

const SECONDS = 2;
const CHANNELS_IN = 3;
const input = Array.from({length: CHANNELS_IN}, (_, channel) => Float32Array.from({length: SECONDS * RATE}, (__, n) => (
  0.25 * Math.sin(n * (0.01 + 0.013 * channel) + n * n * 1e-7) * (1 + Math.sin(n / 9000)))));

/** Runs in the page: renders a document, and returns the samples of each channel as numbers of 32 bits. */
async function render({text, channels, seconds, rate, captured}) {
  const {createPageEngine} = await import('/rta-web/engine.js');
  const context = new OfflineAudioContext(channels, seconds * rate, rate);
  const engine = await createPageEngine({context, channels_in: captured.length});
  const buffer = context.createBuffer(captured.length, seconds * rate, rate);
  captured.forEach((bytes, channel) => buffer.copyToChannel(new Float32Array(Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)).buffer), channel));
  const source = new AudioBufferSourceNode(context, {buffer});
  source.connect(engine.input);
  source.start();
  await engine.client.load(text);
  const rendered = await context.startRendering();
  await engine.close();
  return Array.from({length: channels}, (_, channel) => {
    const bytes = new Uint8Array(rendered.getChannelData(channel).buffer);
    let binary = '';
    for (let at = 0; at < bytes.length; at += 32768) binary += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(binary);
  });
}

test('an OfflineAudioContext renders every document of the cookbook as rtad render does', async (t) => {
  const page = await open(t, {});
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rta-web-'));
  t.after(() => fs.rmSync(folder, {recursive: true}));
  const inputFile = path.join(folder, 'input.wav');
  writeWav(inputFile, RATE, input);
  const documents = filesOf('cookbook.md', 'json');
  assert.ok(Object.keys(documents).length >= 6);
  for (const [name, text] of Object.entries(documents)) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    execFileSync(path.join(process.env.RTA_BIN, 'rtad'), ['render', '--graph', file, '--input', inputFile, '--duration', String(SECONDS),
      '--output', `${file}.wav`], {stdio: 'pipe'});
    const {channels: native} = readChannels(`${file}.wav`);
    const captured = input.map((samples) => Buffer.from(samples.buffer).toString('base64'));
    const rendered = await page.evaluate(render, {text, channels: native.length, seconds: SECONDS, rate: RATE, captured});
    rendered.forEach((base64, channel) => {
      const samples = new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);
      let largest = 0;
      let difference = 0;
      native[channel].forEach((sample, frame) => {
        largest = Math.max(largest, Math.abs(sample));
        const own = Math.abs(samples[frame] - sample);
        if (!(own <= difference)) difference = own;  // also for NaN
      });
      t.diagnostic(`${name}, channel ${channel + 1}: peak ${largest.toFixed(3)}, differs by ${difference.toExponential(1)}`);
      assert.ok(difference < TOLERANCE, `${name}, channel ${channel + 1} differs by ${difference}`);
      assert.ok(largest > 1e-3 || channel > 0, `${name} is silent`);
    });
  }
});

// ---- the engine in a live context

/** Runs in the page: opens an engine with a tone as `engine`. */
async function openTone(options) {
  const {createPageEngine} = await import('/rta-web/engine.js');
  globalThis.engine = await createPageEngine(options);
  await engine.client.transaction((edit) => edit.add('sine', 'osc', {gain_db: -20}).add('gain', 'vol').add('output', 'out')
    .connect('osc', 'vol').connect('vol', 'out'));
}

/** Playwright's clicks are what browsers ask for. */
async function start(page) {
  await page.evaluate(() => { document.onclick = () => { globalThis.started = engine.start(); }; });
  await page.mouse.click(5, 5);
  await page.evaluate(() => globalThis.started);
}

test('the engine can be edited before the first click, and needs one for the sound', async (t) => {
  const page = await open(t, {});
  await page.evaluate(openTone, {});
  assert.deepEqual(await page.evaluate(() => [engine.state, engine.reason]), ['suspended', '']);
  // Without a click, browsers leave the promise open, if they do not know that the user likes sound.
  const error = await page.evaluate(() => {
    engine.context.resume = () => new Promise(() => {});
    Object.defineProperty(navigator, 'userActivation', {value: {hasBeenActive: false}});  // The calls of Playwright count as those of a user.
    return engine.start().catch(({code, message}) => ({code, message})).finally(() => { delete engine.context.resume; });
  });
  assert.equal(error.code, 'FAILED_PRECONDITION');
  assert.match(error.message, /expected a click or a key/);
  const many = await page.evaluate(async () => {
    for (let i = 0; i < 100; ++i) await engine.client.transaction((edit) => edit.add('gain', `g${i}`));
    return (await engine.client.graph()).graph.nodes.length;
  });
  assert.equal(many, 103);
  await start(page);
  assert.equal(await page.evaluate(() => engine.state), 'running');
});

test('a context that is interrupted continues, and the page says why it is silent', async (t) => {
  const page = await open(t, {});
  await page.evaluate(openTone, {});
  await start(page);
  const reason = await page.evaluate(async () => {
    const suspended = new Promise((resolve) => { engine.addEventListener('statechange', () => { if (engine.reason) resolve(engine.reason); }); });
    await engine.context.suspend();  // as the system does, without engine.suspend()
    return suspended;
  });
  assert.match(reason, /stopped the sound\. It continues/);
  await page.waitForFunction(() => engine.state === 'running' && engine.reason === '');
  const {frequency_hz} = await hear(page, 'engine.output');
  assert.ok(Math.abs(frequency_hz - 440) < 0.1, `${frequency_hz} Hz: the sound has not continued`);
  // What is meant to be suspended stays so.
  await page.evaluate(() => engine.suspend());
  assert.deepEqual(await page.evaluate(() => [engine.state, engine.context.state, engine.reason]), ['suspended', 'suspended', '']);
});

test('microphone and files are inputs, and what is refused has a sentence', async (t) => {
  const page = await open(t, {}, {context: {permissions: []}});
  await page.evaluate(async () => {
    const {createPageEngine} = await import('/rta-web/engine.js');
    globalThis.engine = await createPageEngine({});
    await engine.client.transaction((edit) => edit.add('input', 'in').add('output', 'out').connect('in', 'out'));
  });
  await start(page);
  await page.evaluate(() => engine.microphone(true));  // Chromium's fake device beeps
  assert.ok((await page.evaluate(`(${listen})(engine.output)`)).peak > 0);
  await page.evaluate(() => engine.microphone(false));
  await page.evaluate(async () => {
    const buffer = new AudioBuffer({length: 48000, sampleRate: engine.context.sampleRate});
    buffer.getChannelData(0).forEach((_, n, samples) => { samples[n] = 0.5 * Math.sin(n * 2 * Math.PI * 1000 / engine.context.sampleRate); });
    await engine.playFile(buffer);
  });
  await page.waitForFunction(`(${listen})(engine.output).then(({peak}) => Math.abs(peak - 0.5) < 1e-3)`);
  const error = await page.evaluate(() => engine.playFile(new Blob(['no sound'])).catch(({code, message}) => ({code, message})));
  assert.equal(error.code, 'INVALID_ARGUMENT');
  assert.match(error.message, /expected a sound file/);
  const output = await page.evaluate(() => engine.setOutput('nonsense').catch(({code, message}) => ({code, message})));
  assert.equal(output.code, 'NOT_FOUND');
  assert.equal((await page.evaluate(() => engine.outputs()))[0].id, '');
});

test('what a browser lacks is said', async (t) => {
  const page = await open(t, {}, {expected: [/404/]});
  const complaint = (prepare) => page.evaluate(`(async () => {
    const {createPageEngine} = await import('/rta-web/engine.js');
    const restore = (${prepare})();
    try { return await createPageEngine({}).then(() => 'created', ({code, message}) => code + ': ' + message); } finally { restore(); }
  })()`);
  const without = (name) => `() => { const own = globalThis.${name}; globalThis.${name} = undefined; return () => { globalThis.${name} = own; }; }`;
  assert.match(await complaint(without('AudioContext')), /^UNAVAILABLE: this browser has no Web Audio: expected Chromium/);
  assert.match(await complaint(without('AudioWorkletNode')), /^UNAVAILABLE: this browser has no AudioWorklet: expected Chromium/);
  assert.match(await complaint(without('WebAssembly')), /^UNAVAILABLE: WebAssembly is not available/);
  assert.match(await complaint(`() => { const own = WebAssembly.validate; WebAssembly.validate = () => false;
    return () => { WebAssembly.validate = own; }; }`), /^UNAVAILABLE: this browser has no WebAssembly SIMD/);
  const missing = await page.evaluate(async () => {
    const {createPageEngine} = await import('/rta-web/engine.js');
    return createPageEngine({module_url: '/rta-web/nothing.wasm'}).catch(({message}) => message);
  }).catch(({message}) => message);
  assert.match(missing, /nothing\.wasm: status 404, expected 200/);
});

test('load and memory are reported, and 10,000 edits leave nothing behind', async (t) => {
  const EDITS = 10_000;
  const page = await open(t, {});
  await page.evaluate(openTone, {});
  await start(page);
  const loads = await page.evaluate(async () => {
    await new Promise((resolve) => { engine.addEventListener('load', () => { if (engine.load.callback_count > 100) resolve(); }); });
    const {load, device} = await engine.client.status();
    return {load, device, dropouts: engine.dropouts};
  });
  assert.ok(loads.load.callback_count > 100 && loads.load.mean >= 0 && loads.load.mean < 10, JSON.stringify(loads));
  assert.equal(loads.device.sample_rate_hz, RATE);

  const devtools = await page.context().newCDPSession(page);
  // While the context is suspended, the engine does not wait for the time of each quantum.
  const edit = (count) => page.evaluate(async (edits) => {
    const {client} = engine;
    await engine.suspend();
    for (let i = 0; i < edits; i += 40) {
      await Promise.all(Array.from({length: 40}, (_, k) => (k % 2 === 0
        ? client.set({'vol.gain_db': -(k % 12)})
        : client.transaction((change) => (k % 4 === 1 ? change.add('delay_line', 'echo').connect('vol', 'echo') : change.remove('echo'))))));
    }
  }, count);
  // Engines report their memory while they run.
  const memory = async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    const {usedSize} = await devtools.send('Runtime.getHeapUsage');
    await start(page);
    await page.evaluate(() => new Promise((resolve) => { engine.addEventListener('load', resolve, {once: true}); }));
    return {heap: usedSize, engine: await page.evaluate(() => engine.memory_bytes)};
  };
  await edit(EDITS);  // until the history is full
  const before = await memory();
  await edit(EDITS);
  const after = await memory();
  t.diagnostic(`engine ${before.engine} and ${after.engine} bytes, heap of the page ${before.heap} and ${after.heap}`);
  // Four pages of 64 KB, until the heap is as fragmented as it becomes: a leak of 27 bytes in an edit would show. worklet.test.mjs
  // continues for longer, and expects none.
  assert.ok(after.engine <= before.engine + 4 * 65536, `memory of the engine: ${before.engine}, then ${after.engine} bytes`);
  // The page keeps changes for clients that connect again, at most 16 MiB.
  assert.ok(after.heap < before.heap + (16 << 20), `heap of the page: ${before.heap}, then ${after.heap}`);
});
