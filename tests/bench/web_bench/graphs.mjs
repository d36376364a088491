// SPDX-License-Identifier: MIT
// The graphs that are rendered, in numbers, and their output, computed with doubles.

export const SAMPLE_RATE_HZ = 48000;

const BIQUADS = Array.from({length: 100}, (_, i) => ({
  frequency_hz: 100 * 100 ** (i / 99), q: 1, gain_db: i % 2 === 0 ? 3 : -3}));
const GAINS_DB = Array.from({length: 50}, (_, i) => -6 - i % 12);
const DELAYS_FRAMES = Array.from({length: 50}, (_, i) => 480 + 144 * i);

/** 100 peaking biquads, 50 gains and 50 delays. `series`: the biquads are in series, before all gains and delays. */
export const GRAPHS = {
  series: {series: true, biquads: BIQUADS, gains_db: GAINS_DB, delays_frames: DELAYS_FRAMES},
  parallel: {series: false, biquads: BIQUADS, gains_db: GAINS_DB, delays_frames: DELAYS_FRAMES},
};

export const factorOf = (gain_db) => 10 ** (gain_db / 20);

/** Returns the coefficients of the Audio EQ Cookbook, with a0 = 1. */
export function coefficientsOf({frequency_hz, q, gain_db}) {
  const root = 10 ** (gain_db / 40);
  const angle = 2 * Math.PI * frequency_hz / SAMPLE_RATE_HZ;
  const alpha = Math.sin(angle) / (2 * q);
  const a0 = 1 + alpha / root;
  const middle = -2 * Math.cos(angle) / a0;
  return {b0: (1 + alpha * root) / a0, b1: middle, b2: (1 - alpha * root) / a0, a1: middle, a2: (1 - alpha / root) / a0};
}

/** Returns noise for the input, the same for all. */
export function noise(frames) {
  let state = 1;
  return Float32Array.from({length: frames}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 0.01 * (state / 2 ** 31 - 1);
  });
}

function filtered(input, biquad) {
  const {b0, b1, b2, a1, a2} = coefficientsOf(biquad);
  let s1 = 0;
  let s2 = 0;
  return Float64Array.from(input, (x) => {
    const y = b0 * x + s1;
    s1 = b1 * x - a1 * y + s2;
    s2 = b2 * x - a2 * y;
    return y;
  });
}

/** Returns what the graph makes of the input. */
export function expected(graph, input) {
  const sum = new Float64Array(input.length);
  const add = (signal, gain = 1, delay = 0) => {
    for (let i = delay; i < sum.length; ++i) sum[i] += gain * signal[i - delay];
  };
  let signal = Float64Array.from(input);
  for (const biquad of graph.biquads) {
    if (graph.series) signal = filtered(signal, biquad);
    else add(filtered(input, biquad));
  }
  for (const gain_db of graph.gains_db) add(signal, factorOf(gain_db));
  for (const frames of graph.delays_frames) add(signal, 1, frames);
  return sum;
}
