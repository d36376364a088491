// SPDX-License-Identifier: MIT
// WAV files of 32-bit floats, such as rtad writes.
import fs from 'node:fs';

/** Returns the samples of each channel of a WAV file, and its rate. */
export function readChannels(file) {
  const bytes = fs.readFileSync(file);
  let format;
  for (let at = 12; at + 8 <= bytes.length;) {
    const [name, size] = [bytes.toString('latin1', at, at + 4), bytes.readUInt32LE(at + 4)];
    if (name === 'fmt ') format = {channels: bytes.readUInt16LE(at + 10), rate: bytes.readUInt32LE(at + 12), bits: bytes.readUInt16LE(at + 22)};
    if (name === 'data') {
      if (format?.bits !== 32) throw new Error(`${file} has ${format?.bits} bits: expected floats`);
      const frames = Math.floor(Math.min(size, bytes.length - at - 8) / (4 * format.channels));
      const samplesOf = (channel) => Float32Array.from({length: frames}, (_, i) => bytes.readFloatLE(at + 8 + 4 * (i * format.channels + channel)));
      return {rate: format.rate, channels: Array.from({length: format.channels}, (_, channel) => samplesOf(channel))};
    }
    at += 8 + size + (size % 2);
  }
  throw new Error(`${file} has no samples`);
}

/** Returns the samples of the first channel of a WAV file, and its rate. */
export function readWav(file) {
  const {rate, channels: [samples]} = readChannels(file);
  return {rate, samples};
}

/** Writes the samples of channels into a WAV file. */
export function writeWav(file, rate, channels) {
  const frames = channels[0].length;
  const frameBytes = 4 * channels.length;
  const bytes = Buffer.alloc(44 + frames * frameBytes);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  const FLOAT = 3;
  for (const [offset, size, value] of [[16, 4, 16], [20, 2, FLOAT], [22, 2, channels.length], [24, 4, rate], [28, 4, rate * frameBytes],
    [32, 2, frameBytes], [34, 2, 32]]) bytes.writeUIntLE(value, offset, size);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(frames * frameBytes, 40);
  channels.forEach((samples, channel) => samples.forEach((sample, i) => bytes.writeFloatLE(sample, 44 + i * frameBytes + 4 * channel)));
  fs.writeFileSync(file, bytes);
}
