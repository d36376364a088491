// SPDX-License-Identifier: MIT
// Measures recorded tones, independently of the engine: from the samples alone. A `tone` is one sine plus whatever is wrong
// with it.

const blackmanHarris = (i, length) => {
  const x = (2 * Math.PI * i) / length;
  return 0.35875 - 0.48829 * Math.cos(x) + 0.14128 * Math.cos(2 * x) - 0.01168 * Math.cos(3 * x);
};

/** Returns amplitude and phase of the part of `samples` at a frequency. The phase is that at the middle. */
function partAt(samples, rate, frequency) {
  const turn = (2 * Math.PI * frequency) / rate;
  const middle = samples.length / 2;
  let real = 0, imaginary = 0, weight = 0;
  for (let i = 0; i < samples.length; i += 1) {
    const window = blackmanHarris(i, samples.length);
    real += window * samples[i] * Math.cos(turn * (i - middle));
    imaginary -= window * samples[i] * Math.sin(turn * (i - middle));
    weight += window;
  }
  return {amplitude: (2 * Math.hypot(real, imaginary)) / weight, phase: Math.atan2(imaginary, real)};
}

const wrapped = (phase) => phase - 2 * Math.PI * Math.round(phase / (2 * Math.PI));

/** Returns the frequency with the most power, on a coarse grid from 20 Hz to 5 kHz. */
function strongest(samples, rate) {
  const part = samples.subarray(0, Math.min(samples.length, 4096));
  const step = rate / part.length;
  let best = {amplitude: 0, frequency: 0};
  for (let frequency = Math.ceil(20 / step) * step; frequency < 5000; frequency += step) {
    const {amplitude} = partAt(part, rate, frequency);
    if (amplitude > best.amplitude) best = {amplitude, frequency};
  }
  return best.frequency;
}

/**
 * Returns the frequency of a tone and its level, that of a full-scale sine being 0 dB. The frequency follows from the turn of the
 * phase over a time, short at first, so that the turn is unambiguous. Both are exact to 0.01 for at least 0.2 s of a steady tone.
 */
export function measureTone(samples, rate, near = strongest(samples, rate)) {
  let frequency = near;
  for (const hop of [1024, 1024, samples.length >> 3, samples.length >> 1, samples.length >> 1]) {
    const [first, second] = [samples.subarray(0, -hop), samples.subarray(hop)].map((part) => partAt(part, rate, frequency));
    frequency += (wrapped(second.phase - first.phase - (2 * Math.PI * frequency * hop) / rate) / (2 * Math.PI)) * (rate / hop);
  }
  return {frequency, level_db: 20 * Math.log10(partAt(samples, rate, frequency).amplitude)};
}

/**
 * Returns the largest step of a tone whose level may glide, in dB below its amplitude, and where it is. For a sine of frequency w,
 * x[n] - 2 cos(w) x[n-1] + x[n-2] is zero; a glide of the level leaves little of it, a step of the level or of the phase much more.
 */
export function largestStep(samples, rate, frequency) {
  const twice = 2 * Math.cos((2 * Math.PI * frequency) / rate);
  let largest = 0, at = 0, amplitude = 0;
  for (let n = 2; n < samples.length; n += 1) {
    amplitude = Math.max(amplitude, Math.abs(samples[n]));
    const rest = Math.abs(samples[n] - twice * samples[n - 1] + samples[n - 2]);
    if (rest > largest) [largest, at] = [rest, n];
  }
  return {relative_db: 20 * Math.log10(Math.max(largest, 1e-12) / amplitude), at};
}

/** Returns the parts of a sound between gaps: zeros in a row, which a tone does not have, from a machine that was late. */
export function stretches(samples, gap = 32) {
  const found = [];
  let start = 0, zeros = 0;
  for (let n = 0; n < samples.length; n += 1) {
    if (samples[n] !== 0) {
      if (zeros >= gap) start = n;
      zeros = 0;
    } else if (++zeros === gap && n - gap + 1 > start) {
      found.push(samples.subarray(start, n - gap + 1));
    }
  }
  if (zeros < gap && start < samples.length) found.push(samples.subarray(start));
  return found;
}

/** Returns the levels in dB of consecutive pieces of a tone. */
export function levels(samples, rate, frequency, seconds = 0.05) {
  const length = Math.round(seconds * rate);
  return Array.from({length: Math.floor(samples.length / length)}, (_, i) => (
    20 * Math.log10(Math.max(partAt(samples.subarray(i * length, (i + 1) * length), rate, frequency).amplitude, 1e-9))));
}
