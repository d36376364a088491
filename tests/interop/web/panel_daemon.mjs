// SPDX-License-Identifier: MIT
// A daemon that serves the page, for tests of the page as its panel.
import assert from 'node:assert/strict';
import path from 'node:path';
import {connect} from 'rta-client';
import {Daemon, temporaryDirectory} from '../../tests/support.mjs';
import {stretches} from './analysis.mjs';
import {readWav} from './wav.mjs';

const PATIENCE_MS = 20_000;

/** A sine of 440 Hz at -20 dB through `vol` to both channels. */
export const CHAIN = {nodes: [
  {name: 'osc', type: 'sine', parameters: {frequency_hz: 440, gain_db: -20}},
  {name: 'vol', type: 'gain', parameters: {gain_db: 0}},
  {name: 'out', type: 'output', settings: {channels: 2}}],
connections: [{from: 'osc', to: 'vol'}, {from: 'vol', to: 'out'}]};

/** Resolves when a condition is met; it is checked again and again, because what it reads has no events. */
export async function until(condition, complaint) {
  for (const deadline = Date.now() + PATIENCE_MS; !await condition();) {
    assert.ok(Date.now() < deadline, complaint);
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
}

/**
 * Starts `rtad --web`, which records what it plays. Returns {daemon, client, url, directory, recording()}; recording() stops the
 * daemon, and returns the sound between its silence.
 */
export async function startPanel(t, {graph = CHAIN, web = '127.0.0.1:0', directory = temporaryDirectory(t), arguments: more = [], connected = true} = {}) {
  const file = path.join(directory, 'recording.wav');
  const daemon = await Daemon.start(t, {directory, device: `null:${file}`, arguments: ['--web', web, '--web-root', process.env.RTA_SITE, ...more]});
  const [, url] = /serving (https?:\/\/\S+)/.exec(daemon.log) ?? [];
  assert.ok(url, `rtad --web does not say where:\n${daemon.log}`);
  if (!connected) return {daemon, url, directory};
  const client = await connect(daemon.socket);
  t.after(() => client.close());
  if (graph) await client.load(JSON.stringify(graph), {wait_for_start: true});
  const recording = async () => {
    await daemon.stop();
    const {samples, rate} = readWav(file);
    const [longest] = stretches(samples).sort((a, b) => b.length - a.length);
    assert.ok(longest?.length > rate / 4, 'the daemon has played nothing');
    return {samples: longest, rate};
  };
  return {daemon, client, url, directory, recording};
}

/** Waits until the engine has rendered `seconds` more. */
export async function rendered(client, seconds) {
  const frameOf = async () => Number((await client.time()).frame);
  const end = await frameOf() + seconds * 48000;
  await until(async () => await frameOf() >= end, 'the engine does not render');
}
