// SPDX-License-Identifier: MIT
// How a value is laid out along a control, and by how much a key changes it.
import type {ValueSpec} from './specs.js';
import {SILENCE_DB} from './units.js';

/** Relates values to positions on a control: 0 is the start, 1 the end. */
export interface Scale {
  position(value: number): number;
  value(position: number): number;
}

/** How far a key moves a value: `fine` with Shift, `page` with Page Up and Page Down. */
export type StepSize = 'fine' | 'normal' | 'page';

/** A fader of a mixing desk: 10 dB take the most room near 0 dB. Positions at a maximum of 10 dB; -120 dB is silence. */
const FADER: readonly (readonly [number, number])[] =
  [[SILENCE_DB, 0], [-60, 0.06], [-40, 0.16], [-30, 0.25], [-20, 0.38], [-10, 0.56], [0, 0.75], [10, 1]];
/** Room above 0 dB that a fader has for each dB. */
const ABOVE_ZERO = 0.025;

/** Whether a parameter is a level that reaches down to silence. */
export function isLevel(spec: ValueSpec): boolean { return spec.unit === 'dB' && spec.minimum <= SILENCE_DB; }

/** Returns the scale of a value, from its unit, range and ramp law. */
export function scaleOf(spec: ValueSpec): Scale {
  const {minimum, maximum} = spec;
  if (!(maximum > minimum)) return {position: () => 0, value: () => minimum};
  switch (lawOf(spec)) {
    case 'level': return faderScale(maximum);
    case 'logarithmic': return logarithmicScale(minimum, maximum);
    case 'power': return powerScale(maximum);
    case 'symmetric': return symmetricScale(maximum);
    case 'linear': return linearScale(minimum, maximum);
  }
}

type Law = 'level' | 'logarithmic' | 'power' | 'symmetric' | 'linear';

function lawOf(spec: ValueSpec): Law {
  const {minimum, maximum, unit} = spec;
  if (isLevel(spec)) return 'level';
  if (spec.whole || unit === 'on/off' || unit === 'dB') return 'linear';
  if (minimum > 0 && (spec.ramp_law === 'logarithmic' || maximum / minimum >= 1000)) return 'logarithmic';
  if (minimum === 0 && (unit === 'ms' || unit === 's')) return 'power';
  return minimum < 0 && maximum === -minimum && maximum >= 100 ? 'symmetric' : 'linear';
}

/** Returns a value limited to its range. */
export function limited(value: number, {minimum, maximum, whole}: ValueSpec): number {
  const inside = Math.min(Math.max(value, minimum), maximum);
  return Math.fround(whole ? Math.round(inside) : inside);
}

/**
 * Returns a value rounded to what a control shows, so that a dragged value is a plain number: tenths of dB, four digits of
 * a frequency, three of others. `fine` keeps one digit more.
 */
export function rounded(value: number, spec: ValueSpec, fine = false): number {
  if (spec.unit === 'dB') return limited(Number(value.toFixed(fine ? 2 : 1)), spec);
  if (spec.whole) return limited(value, spec);
  const digits = (spec.unit === 'Hz' ? 4 : 3) + (fine ? 1 : 0);
  if (lawOf(spec) !== 'linear') return limited(Number(value.toPrecision(digits)), spec);
  const range = Math.max(Math.abs(spec.minimum), Math.abs(spec.maximum));
  const places = digits - 1 - Math.floor(Math.log10(range));
  return limited(Number(value.toFixed(Math.min(Math.max(places, 0), 10))), spec);
}

/** Returns the value one step up (`direction` 1) or down (-1). It differs from `value` unless the end of the range is reached. */
export function stepped(value: number, direction: 1 | -1, spec: ValueSpec, size: StepSize = 'normal'): number {
  if (spec.unit === 'on/off') return direction > 0 ? 1 : 0;
  const step = stepAt(value, spec, size);
  // Steps stop at multiples of the step. The margin keeps a float32 near a multiple from stopping there twice.
  const steps = value / step;
  const next = direction > 0 ? Math.floor(steps + 1 + 1e-4) : Math.ceil(steps - 1 - 1e-4);
  return limited(Number((next * step).toPrecision(7)), spec);
}

/** Returns the step at a value: 0.5 dB, about 3 % of what has a logarithmic scale, a hundredth of a linear range. */
function stepAt(value: number, spec: ValueSpec, size: StepSize): number {
  const factor = {fine: 0.1, normal: 1, page: 10}[size];
  if (spec.whole) return size === 'page' ? Math.max(Math.round((spec.maximum - spec.minimum) / 10), 1) : 1;
  if (spec.unit === 'dB') return {fine: 0.1, normal: 0.5, page: 6}[size];
  const range = spec.maximum - spec.minimum;
  if (lawOf(spec) === 'linear') return niceBelow(range / 100 * factor * 1.001);
  const least = Math.max(spec.minimum, range / 1e5);
  return niceBelow(Math.max(Math.abs(value), least) * 0.035 * factor);
}

/** Returns the largest of 1, 2 or 5 times a power of ten that is not above a number. */
function niceBelow(number: number): number {
  const power = 10 ** Math.floor(Math.log10(number));
  const most = [5, 2, 1].find((factor) => factor * power <= number * 1.0001) ?? 1;
  return Number((most * power).toPrecision(3));
}

function linearScale(minimum: number, maximum: number): Scale {
  return {position: (value) => (value - minimum) / (maximum - minimum),
          value: (position) => minimum + position * (maximum - minimum)};
}

function logarithmicScale(minimum: number, maximum: number): Scale {
  return {position: (value) => Math.log(value / minimum) / Math.log(maximum / minimum),
          value: (position) => minimum * (maximum / minimum) ** position};
}

/** For times that start at 0. */
function powerScale(maximum: number): Scale {
  return {position: (value) => Math.cbrt(value / maximum), value: (position) => maximum * position ** 3};
}

/** For wide ranges around 0. */
function symmetricScale(maximum: number): Scale {
  const most = Math.asinh(maximum);
  return {position: (value) => (Math.asinh(value) / most + 1) / 2, value: (position) => Math.sinh((position * 2 - 1) * most)};
}

function faderScale(maximum: number): Scale {
  const top = Math.max(maximum, -100);
  const at = (level: number): number => interpolate(FADER, level, 0, 1);
  // Above 0 dB, the room is by the dB: a fader up to 24 dB has its 0 dB lower than one up to 10 dB.
  const length = (level: number): number => level > 0 ? 0.75 + level * ABOVE_ZERO : at(level);
  const whole = length(top);
  return {
    position: (value) => length(Math.min(value, top)) / whole,
    value: (position) => {
      const place = position * whole;
      return place > 0.75 ? (place - 0.75) / ABOVE_ZERO : interpolate(FADER, place, 1, 0);
    },
  };
}

/** Interpolates between points, from coordinate `from` to coordinate `to`. */
function interpolate(points: readonly (readonly [number, number])[], value: number, from: 0 | 1, to: 0 | 1): number {
  const last = points[points.length - 1]!;
  for (let i = 1; i < points.length; i += 1) {
    const [a, b] = [points[i - 1]!, points[i]!];
    if (value > b[from]) continue;
    const share = Math.max((value - a[from]) / (b[from] - a[from]), 0);
    return a[to] + share * (b[to] - a[to]);
  }
  return last[to];
}
