// SPDX-License-Identifier: MIT
// The browser's own nodes.
import {SAMPLE_RATE_HZ, factorOf} from '../graphs.mjs';

export const name = 'browser';

export async function connect(context, source, graph) {
  let last = source;
  for (const {frequency_hz, q, gain_db} of graph.biquads) {
    const filter = new BiquadFilterNode(context, {type: 'peaking', frequency: frequency_hz, Q: q, gain: gain_db});
    if (graph.series) {
      last.connect(filter);
      last = filter;
    } else {
      source.connect(filter).connect(context.destination);
    }
  }
  for (const gain_db of graph.gains_db) last.connect(new GainNode(context, {gain: factorOf(gain_db)})).connect(context.destination);
  for (const frames of graph.delays_frames) {
    const delay = new DelayNode(context, {maxDelayTime: 0.2, delayTime: frames / SAMPLE_RATE_HZ});
    last.connect(delay).connect(context.destination);
  }
}
