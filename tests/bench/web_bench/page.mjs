// SPDX-License-Identifier: MIT
// Runs in the page: renders a graph with one of the engines.
import {GRAPHS, SAMPLE_RATE_HZ, expected, noise} from './graphs.mjs';
import * as browser from './engines/browser.mjs';
import * as elementary from './engines/elementary.mjs';
import * as faust from './engines/faust.mjs';
import * as rtad from './engines/rtad.mjs';
import * as supersonic from './engines/supersonic.mjs';

const ENGINES = Object.fromEntries([rtad, browser, elementary, faust, supersonic].map((engine) => [engine.name, engine]));
const NOISE_S = 2;

/** Returns the wall time in s, and the output. */
async function render(engine, graph, seconds) {
  const context = new OfflineAudioContext(1, seconds * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ);
  const buffer = context.createBuffer(1, NOISE_S * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ);
  buffer.copyToChannel(noise(buffer.length), 0);
  const source = new AudioBufferSourceNode(context, {buffer, loop: true});
  source.start();
  const end = await ENGINES[engine].connect(context, source, GRAPHS[graph]);
  const start = performance.now();
  const output = await context.startRendering();
  const wall_s = (performance.now() - start) / 1000;
  end?.();
  return {wall_s, samples: output.getChannelData(0)};
}

globalThis.engines = Object.keys(ENGINES);
globalThis.measure = async (engine, graph, seconds) => (await render(engine, graph, seconds)).wall_s;

/** Returns the level of the difference from the expected output, relative to it, in dB. */
globalThis.check = async (engine, graph) => {
  const {samples} = await render(engine, graph, NOISE_S);
  const wanted = expected(GRAPHS[graph], noise(NOISE_S * SAMPLE_RATE_HZ));
  const energy = (value) => { let sum = 0; for (let i = wanted.length / 2; i < wanted.length; ++i) sum += value(i) ** 2; return sum; };
  return 10 * Math.log10(energy((i) => samples[i] - wanted[i]) / energy((i) => wanted[i]));
};
