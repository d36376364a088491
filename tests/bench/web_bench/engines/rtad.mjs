// SPDX-License-Identifier: MIT
// The engine of rtad, in its AudioWorklet.
import {createPageEngine} from 'rta-web/engine';
import {SAMPLE_RATE_HZ} from '../graphs.mjs';

export const name = 'rtad';

function documentOf(graph) {
  const nodes = [{name: 'in', type: 'input'}, {name: 'out', type: 'output'}];
  const connections = [];
  const add = (node, from, to) => {
    nodes.push(node);
    connections.push({from, to: node.name});
    if (to) connections.push({from: node.name, to});
  };
  let last = 'in';
  graph.biquads.forEach((parameters, i) => {
    const biquad = {name: `biquad_${i}`, type: 'biquad_filter', settings: {kind: 'peaking'}, parameters};
    add(biquad, last, graph.series ? undefined : 'out');
    if (graph.series) last = biquad.name;
  });
  graph.gains_db.forEach((gain_db, i) => add({name: `gain_${i}`, type: 'gain', parameters: {gain_db}}, last, 'out'));
  graph.delays_frames.forEach((frames, i) => add({name: `delay_${i}`, type: 'delay_line', settings: {max_time_ms: 200},
    parameters: {time_ms: 1000 * frames / SAMPLE_RATE_HZ, mix: 1, feedback: 0}}, last, 'out'));
  return {nodes, connections};
}

export async function connect(context, source, graph) {
  const engine = await createPageEngine({context, channels_in: 1, processor_url: '/rta-web/processor.js', module_url: '/rta-web/rta_engine.wasm'});
  source.connect(engine.input);
  await engine.client.load(documentOf(graph));
  return () => engine.close();
}
