// SPDX-License-Identifier: MIT
// Reads what `rtad --device null:FILE.wav` has written: 32-bit floats.
import fs from 'node:fs';

/** Returns the samples of the first channel of a WAV file, and its rate. */
export function readWav(file) {
  const bytes = fs.readFileSync(file);
  let format;
  for (let at = 12; at + 8 <= bytes.length;) {
    const [name, size] = [bytes.toString('latin1', at, at + 4), bytes.readUInt32LE(at + 4)];
    if (name === 'fmt ') format = {channels: bytes.readUInt16LE(at + 10), rate: bytes.readUInt32LE(at + 12), bits: bytes.readUInt16LE(at + 22)};
    if (name === 'data') {
      if (format?.bits !== 32) throw new Error(`${file} has ${format?.bits} bits: expected floats`);
      const frames = Math.floor(Math.min(size, bytes.length - at - 8) / (4 * format.channels));
      return {rate: format.rate, samples: Float32Array.from({length: frames}, (_, i) => bytes.readFloatLE(at + 8 + 4 * i * format.channels))};
    }
    at += 8 + size + (size % 2);
  }
  throw new Error(`${file} has no samples`);
}
