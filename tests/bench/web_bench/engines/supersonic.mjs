// SPDX-License-Identifier: MIT
// SuperSonic: a synth definition, in the AudioWorklet of scsynth.
import {SuperSonic} from 'supersonic-scsynth';
import {SAMPLE_RATE_HZ, factorOf} from '../graphs.mjs';

export const name = 'SuperSonic';

const AUDIO = 2;
const BINARY_MULTIPLY = 2;
const BINARY_ADD = 0;

/** Builds the bytes of a synth definition, version 2. */
class SynthDef {
  #constants = [];
  #ugens = [];

  constant(value) {
    if (!this.#constants.includes(value)) this.#constants.push(value);
    return {ugen: -1, output: this.#constants.indexOf(value)};
  }

  add(kind, inputs, outputs = 1, special = 0, rate = AUDIO) {
    const wires = inputs.map((input) => (typeof input === 'number' ? this.constant(input) : input));
    this.#ugens.push({kind, rate, special, outputs, wires});
    return {ugen: this.#ugens.length - 1, output: 0};
  }

  bytes(synthName) {
    const out = [];
    const put = (size, set) => {
      const view = new DataView(new ArrayBuffer(size));
      set(view);
      out.push(...new Uint8Array(view.buffer));
    };
    const int8 = (value) => put(1, (view) => view.setInt8(0, value));
    const int16 = (value) => put(2, (view) => view.setInt16(0, value));
    const int32 = (value) => put(4, (view) => view.setInt32(0, value));
    const float = (value) => put(4, (view) => view.setFloat32(0, value));
    const string = (text) => { int8(text.length); for (const letter of text) int8(letter.charCodeAt(0)); };
    for (const letter of 'SCgf') int8(letter.charCodeAt(0));
    int32(2);
    int16(1);
    string(synthName);
    int32(this.#constants.length);
    this.#constants.forEach(float);
    int32(0);  // parameters
    int32(0);  // their names
    int32(this.#ugens.length);
    for (const {kind, rate, special, outputs, wires} of this.#ugens) {
      string(kind);
      int8(rate);
      int32(wires.length);
      int32(outputs);
      int16(special);
      for (const {ugen, output} of wires) { int32(ugen); int32(output); }
      for (let i = 0; i < outputs; ++i) int8(rate);
    }
    int16(0);  // variants
    return new Uint8Array(out);
  }
}

function definitionOf(graph, inputBus) {
  const definition = new SynthDef();
  const input = definition.add('In', [inputBus]);
  let sum;
  const add = (signal) => { sum = sum ? definition.add('BinaryOpUGen', [sum, signal], 1, BINARY_ADD) : signal; };
  let last = input;
  for (const biquad of graph.biquads) {
    const filter = definition.add('BPeakEQ', [last, biquad.frequency_hz, 1 / biquad.q, biquad.gain_db]);
    if (graph.series) last = filter; else add(filter);
  }
  for (const gain_db of graph.gains_db) add(definition.add('BinaryOpUGen', [last, factorOf(gain_db)], 1, BINARY_MULTIPLY));
  for (const frames of graph.delays_frames) {
    // DelayN rounds down to whole frames, after the time was rounded to a float.
    add(definition.add('DelayN', [last, 0.2, (frames + 0.25) / SAMPLE_RATE_HZ]));
  }
  definition.add('Out', [0, sum, sum], 0);  // both channels, which the destination mixes
  return definition.bytes('bench');
}

export async function connect(context, source, graph) {
  // It asks the context for the time of the device, which an OfflineAudioContext does not have.
  context.getOutputTimestamp = () => ({contextTime: 1, performanceTime: performance.now()});
  const engine = new SuperSonic({baseURL: '/supersonic/', coreBaseURL: '/supersonic-core/', audioContext: context, mode: 'sab', autoConnect: false,
    scsynthOptions: {numInputBusChannels: 1, numOutputBusChannels: 2, realTimeMemorySize: 65536}});
  await engine.init();
  source.connect(engine.node.input ?? engine.node);
  engine.node.connect(context.destination);
  engine.send('/d_recv', definitionOf(graph, 2));
  engine.send('/s_new', 'bench', 1000, 0, 0);
}
