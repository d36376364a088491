// SPDX-License-Identifier: MIT
// Spectra of the protocol on a logarithmic axis.
import type {Spectrum} from 'rta-client/core';
import {type Frame, hzOfX} from './axes.js';

/** Returns the highest level of several spectra at a frequency between two of their bands, in dB. */
function levelAt({magnitudes_db, band_hz}: Spectrum, hz: number): number {
  const place = hz / band_hz;
  const index = Math.min(Math.floor(place), magnitudes_db.length - 1);
  const next = Math.min(index + 1, magnitudes_db.length - 1);
  return magnitudes_db[index]! + (magnitudes_db[next]! - magnitudes_db[index]!) * (place - index);
}

/**
 * Returns the level of each column of pixels of a frame: the highest band in it, or a value between two bands where the
 * bands are wider than a column. Of several channels, the highest.
 */
export function columnsOf(spectra: readonly Spectrum[], frame: Frame, width: number): Float32Array {
  const columns = new Float32Array(Math.max(Math.ceil(width), 0)).fill(-150);
  for (const spectrum of spectra) {
    const {magnitudes_db, band_hz} = spectrum;
    for (let x = 0; x < columns.length; x += 1) {
      const [low, high] = [hzOfX(frame, frame.left + x), hzOfX(frame, frame.left + x + 1)];
      let level = levelAt(spectrum, low);
      const last = Math.min(Math.floor(high / band_hz), magnitudes_db.length - 1);
      for (let band = Math.ceil(low / band_hz); band <= last; band += 1) level = Math.max(level, magnitudes_db[band]!);
      if (level > columns[x]!) columns[x] = level;
    }
  }
  return columns;
}
