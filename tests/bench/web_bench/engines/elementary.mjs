// SPDX-License-Identifier: MIT
// Elementary: its nodes, in its AudioWorklet.
import {el} from '@elemaudio/core';
import WebRenderer from '@elemaudio/web-renderer';
import {coefficientsOf, factorOf} from '../graphs.mjs';

export const name = 'Elementary';

const sumOf = (signals) => (signals.length === 1 ? signals[0] :
  el.add(sumOf(signals.slice(0, signals.length >> 1)), sumOf(signals.slice(signals.length >> 1))));

export async function connect(context, source, graph) {
  const renderer = new WebRenderer();
  const node = await renderer.initialize(context, {numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1],
    channelCount: 1, channelCountMode: 'explicit'});
  clearInterval(renderer._timer);  // polls for events 60 times per second
  source.connect(node).connect(context.destination);
  const input = el.in({channel: 0});
  const outputs = [];
  let last = input;
  for (const biquad of graph.biquads) {
    const {b0, b1, b2, a1, a2} = coefficientsOf(biquad);
    const filter = el.biquad(b0, b1, b2, a1, a2, last);
    if (graph.series) last = filter; else outputs.push(filter);
  }
  for (const gain_db of graph.gains_db) outputs.push(el.mul(factorOf(gain_db), last));
  for (const frames of graph.delays_frames) outputs.push(el.sdelay({size: frames}, last));
  await renderer.render(sumOf(outputs));
}
