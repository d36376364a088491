// SPDX-License-Identifier: MIT
// The handles of a response plot, from the table of parameters: a frequency, and the gain and the q that belong to it.
import {type ParameterSpec, labelOf} from '../controls/specs.js';
import {rounded} from '../controls/scale.js';
import type {Handle, HandleChange} from '../drawing/curve.js';
import type {NodeView} from './ports.js';

/** A point of the plot, and the parameters that it moves. */
export interface Point {
  readonly frequency: ParameterSpec;
  readonly gain: ParameterSpec | undefined;
  readonly q: ParameterSpec | undefined;
}

/** Returns the points of a node, by the id of their handle: the name of the frequency. */
export function pointsOf(specs: readonly ParameterSpec[], node: NodeView): Map<string, Point> {
  const find = (row: string, {numbers}: ParameterSpec): ParameterSpec | undefined =>
    specs.find((other) => other.row === row && other.numbers.join() === numbers.join());
  const frequencies = specs.filter(({unit, row}) => unit === 'Hz' && row.includes('frequency'));
  return new Map(frequencies.map((frequency) => {
    const gain = find(frequency.row.replace('frequency', 'gain').replace(/_hz$/, '_db'), frequency);
    const q = find(frequency.row.replace(/frequency(_#)?_hz$/, 'q$1'), frequency);
    const kind = node.settings[['kind', ...frequency.numbers].join('_')];
    const width = node.settings['width'];
    return [frequency.name, {
      frequency,
      // Peaks and shelves have a gain; kinds of first order have no q.
      gain: typeof kind === 'string' && /peaking|shelf/.test(kind) ? gain : undefined,
      q: (typeof kind === 'string' && kind.endsWith('_1')) || (width !== undefined && width !== 'q') ? undefined : q,
    }];
  }));
}

/** Returns the handles with their current values. */
export function handlesOf(points: ReadonlyMap<string, Point>, value: (spec: ParameterSpec) => number): Handle[] {
  return [...points].map(([id, {frequency, gain, q}]) => {
    const [number] = frequency.numbers;
    return {
      id, label: labelOf(frequency.name), ...(number === undefined ? {} : {text: String(number)}),
      frequency_hz: value(frequency), frequency_range: frequency, ...(gain ? {gain_db: value(gain), gain_range: gain} : {}),
      ...(q ? {q: value(q), q_range: q} : {}),
      reset: {...(gain ? {gain_db: gain.default} : {}), ...(q ? {q: q.default} : {})},
    };
  });
}

/** Returns all values that a handle moves, also those that stay: so that one movement is one gesture. */
export function valuesOf({frequency, gain, q}: Point, change: HandleChange, value: (spec: ParameterSpec) => number): Map<string, number> {
  const values = new Map([[frequency.name, rounded(change.frequency_hz ?? value(frequency), frequency)]]);
  if (gain) values.set(gain.name, rounded(change.gain_db ?? value(gain), gain));
  if (q) values.set(q.name, rounded(change.q ?? value(q), q));
  return values;
}
