// SPDX-License-Identifier: MIT
// The forms of the waves of sources, for small pictures.

/** Returns a value of one period of a wave, for a phase from 0 to 1. */
export type Wave = (phase: number) => number;

/** Returns the wave of a node, or undefined if its type is not a source of a periodic signal. */
export function waveOf(type: string, shape: unknown, pulseWidth = 0.5): Wave | undefined {
  if (type === 'sine') return (phase) => Math.sin(2 * Math.PI * phase);
  if (type !== 'oscillator') return undefined;
  switch (shape) {
    case 'square': return (phase) => phase < pulseWidth ? 1 : -1;
    case 'triangle': return (phase) => phase < 0.25 ? phase * 4 : phase < 0.75 ? 2 - phase * 4 : phase * 4 - 4;
    default: return (phase) => 2 * phase - 1;
  }
}

/** Returns numbers from -1 to 1 that look like noise and are always the same. */
export function noiseOf(count: number, pink: boolean): Float32Array {
  const values = new Float32Array(count);
  let state = 0x1234567;
  let slow = 0;
  for (let i = 0; i < count; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const white = state / 2 ** 31 - 1;
    slow = 0.85 * slow + 0.15 * white;
    values[i] = pink ? Math.max(-1, Math.min(1, slow * 2.2 + white * 0.25)) : white;
  }
  return values;
}
