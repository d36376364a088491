// SPDX-License-Identifier: MIT
// Values with units, as people write and read them. Parsing and formatExact() are those of rtactl (daemon/text/quantity.cpp);
// tests/interop/web compares them with the program. formatDisplay() is for places where a value changes while it is watched.

/** The largest float32. Parameters are float32. */
const LARGEST = 3.4028234663852886e38;
/** All levels treat -120 dB as silence. */
export const SILENCE_DB = -120;

/** Units of parameters, as in ParameterInfo.unit of the protocol. Other symbols are those of a newer daemon. */
export type UnitSymbol = 'Hz' | 'dB' | 'ms' | 's' | 'on/off' | 'frames' | '' | (string & {});

/** A value, or a clause that says why a text is none. */
export type Parsed = {value: number; error?: undefined} | {value?: undefined; error: string};

type Dimension = 'a frequency' | 'a level' | 'a time' | 'a plain number';

/** The units that may be written after a number, in lower case, with their factor into Hz, dB, seconds or a plain number. */
const SUFFIXES: Readonly<Record<string, {dimension: Dimension; factor: number}>> = {
  hz: {dimension: 'a frequency', factor: 1},
  khz: {dimension: 'a frequency', factor: 1000},
  db: {dimension: 'a level', factor: 1},
  us: {dimension: 'a time', factor: 1e-6},
  '\u00b5s': {dimension: 'a time', factor: 1e-6},
  ms: {dimension: 'a time', factor: 1e-3},
  s: {dimension: 'a time', factor: 1},
  min: {dimension: 'a time', factor: 60},
  h: {dimension: 'a time', factor: 3600},
  '%': {dimension: 'a plain number', factor: 0.01},
};

interface Unit {
  dimension: Dimension;
  /** Factor to the base unit of the dimension. */
  inBase: number;
  described: string;
}

const PLAIN: Unit = {dimension: 'a plain number', inBase: 1, described: 'a plain number'};
const UNITS: Readonly<Record<string, Unit>> = {
  Hz: {dimension: 'a frequency', inBase: 1, described: 'a frequency (Hz, kHz)'},
  dB: {dimension: 'a level', inBase: 1, described: 'a level (dB)'},
  ms: {dimension: 'a time', inBase: 1e-3, described: 'a time (us, ms, s, min, h)'},
  s: {dimension: 'a time', inBase: 1, described: 'a time (us, ms, s, min, h)'},
  'on/off': {dimension: 'a plain number', inBase: 1, described: 'on or off'},
  frames: {dimension: 'a plain number', inBase: 1, described: 'a number of frames'},
  '': PLAIN,
};

/** Returns the unit that the suffix of a name stands for, such as `max_time_ms`; '' if it has none. */
export function unitOfName(name: string): UnitSymbol {
  const suffix = /_(hz|db|ms|s|frames)$/.exec(name)?.[1];
  const symbols: Record<string, UnitSymbol> = {hz: 'Hz', db: 'dB'};
  return suffix === undefined ? '' : symbols[suffix] ?? suffix;
}

/** Returns true for on/true/yes and false for off/false/no, in any case; undefined otherwise. */
export function parseSwitch(text: string): boolean | undefined {
  const word = trimmed(text).toLowerCase();
  if (['on', 'true', 'yes'].includes(word)) return true;
  if (['off', 'false', 'no'].includes(word)) return false;
  return undefined;
}

/**
 * Parses a number and converts it to `symbol`. The value is a float32. The error is a clause:
 * `"250ms" is a time; write a frequency (Hz, kHz)`. A minus sign (U+2212) counts as a hyphen, because the page shows it.
 */
export function parseValue(text: string, symbol: UnitSymbol): Parsed {
  const unit = UNITS[symbol];
  const wanted = unit ?? PLAIN;
  const refuse = (what: string): Parsed => ({error: `${quoted(text)} is ${what}; write ${wanted.described}`});
  if (symbol === 'on/off' || unit === undefined) {
    const on = parseSwitch(text);
    if (on !== undefined) return {value: on ? 1 : 0};
  }
  if (trimmed(text) === '') return refuse('empty');
  const quantity = split(text.replaceAll('\u2212', '-'));
  if (!quantity) return refuse(symbol === 'on/off' ? 'neither on nor off' : 'not a number');
  let value = quantity.number;
  if (quantity.suffix !== '') {
    const suffix = Object.hasOwn(SUFFIXES, quantity.suffix) ? SUFFIXES[quantity.suffix] : undefined;
    if (!suffix) return refuse('a number with an unknown unit');
    if (unit !== undefined) {
      if (suffix.dimension !== unit.dimension || symbol === 'on/off' || symbol === 'frames') return refuse(suffix.dimension);
      // Divides by 1000 rather than multiply by 0.001, so that 250 ms is exactly 0.25 s.
      const factor = suffix.factor / unit.inBase;
      value = factor < 1 ? value / Math.round(1 / factor) : value * Math.round(factor);
    }
  }
  if (value === -Infinity && symbol === 'dB') return {value: SILENCE_DB};
  if (!(Math.abs(value) <= LARGEST)) return refuse('out of range');
  return {value: Math.fround(value)};
}

/** Returns "440 Hz", "-6 dB", "on" or "0.5", with the fewest digits that give the same float32: what rtactl prints. */
export function formatExact(value: number, symbol: UnitSymbol): string {
  if (symbol === 'on/off' && (value === 0 || value === 1)) return value === 1 ? 'on' : 'off';
  return symbol === '' || symbol === 'on/off' ? formatNumber(value) : `${formatNumber(value)} ${symbol}`;
}

/** Returns the shortest decimal that reads back as the same float32: "440", "-12.5", "0.1". */
export function formatNumber(value: number): string {
  const single = Math.fround(value);
  for (let digits = 1; digits <= 9; digits += 1) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) !== single) continue;
    // rtactl writes numbers from 1e-7 on without an exponent, JavaScript those from 1e-6 on.
    if (/e-7$/.test(String(short))) return short.toFixed(6 + digits);
    return Object.is(short, -0) ? '-0' : String(short);
  }
  return String(single);
}

/**
 * Returns a value for a place where it is watched while it changes: "\u22126.0 dB", "1.200 kHz", "250 ms". The number of
 * digits does not depend on the value, so that the text does not jump. `silent`: the level that stands for silence.
 */
export function formatDisplay(value: number, symbol: UnitSymbol, silent = -Infinity): string {
  const [digits, unit] = displayParts(value, symbol, silent);
  return unit === '' ? digits : `${digits}\u00a0${unit}`;
}

/** Returns the number and the unit of formatDisplay(). */
export function displayParts(value: number, symbol: UnitSymbol, silent = -Infinity): [string, string] {
  switch (symbol) {
    case 'on/off': return [formatExact(value, symbol), ''];
    case 'dB': return [value <= silent ? '\u2212\u221e' : fixed(value, 1), 'dB'];
    case 'Hz': return Math.abs(value) >= 999.95 ? [significant(value / 1000, 4), 'kHz'] : [significant(value, 4), 'Hz'];
    case 'ms': return Math.abs(value) >= 999.5 ? [significant(value / 1000, 3), 's'] : [significant(value, 3), 'ms'];
    case 's': return Math.abs(value) > 0 && Math.abs(value) < 0.9995 ? [significant(value * 1000, 3), 'ms'] : [significant(value, 3), 's'];
    case 'frames': return [String(Math.round(value)), 'frames'];
    default: return [significant(value, 3), symbol];
  }
}

/** Returns a level that a meter shows: "\u221212.3", or "\u2212\u221e" for silence. */
export function formatLevel(levelDb: number): string {
  return levelDb <= -150 ? '\u2212\u221e' : fixed(levelDb, 1);
}

/** Returns a share as a percentage with one decimal place: "12.3 %". */
export function formatPercent(share: number): string { return `${fixed(share * 100, 1)}\u00a0%`; }

/** Returns a duration: "3.2 s", "4 min 05 s", "2 h 04 min". */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${fixed(Math.max(seconds, 0), 1)}\u00a0s`;
  const whole = Math.floor(seconds);
  const two = (number: number): string => String(number).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}\u00a0min ${two(whole % 60)}\u00a0s`;
  return `${Math.floor(whole / 3600)}\u00a0h ${two(Math.floor(whole / 60) % 60)}\u00a0min`;
}

/** Returns text in double quotes, at most 80 bytes of it, as error messages show it. */
export function quoted(text: string): string {
  const encoder = new TextEncoder();
  let bytes = 0;
  let shown = '';
  for (const character of text) {
    bytes += encoder.encode(character).length;
    if (bytes > 80) return `"${shown}..."`;
    shown += isControl(character) ? escaped(encoder.encode(character)) : /["\\]/.test(character) ? `\\${character}` : character;
  }
  return `"${shown}"`;
}

function isControl(character: string): boolean {
  return /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(character);
}

function escaped(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

function trimmed(text: string): string { return text.replace(/^[ \t]+|[ \t]+$/g, ''); }

/** Splits text into a number and a suffix in lower case; undefined if it does not start with a number. */
function split(text: string): {number: number; suffix: string} | undefined {
  const rest = trimmed(text).replace(/^\+(?=[^-])/, '');
  const infinite = /^(-?)inf(.*)$/is.exec(rest);
  if (infinite) return {number: infinite[1] === '-' ? -Infinity : Infinity, suffix: lower(infinite[2] ?? '')};
  const finite = /^(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(.*)$/is.exec(rest);
  return finite ? {number: Number(finite[1]), suffix: lower(finite[2] ?? '')} : undefined;
}

/** Returns text without surrounding blanks, with the letters of ASCII in lower case. */
function lower(text: string): string { return trimmed(text).replace(/[A-Z]/g, (letter) => letter.toLowerCase()); }

/** Returns a number with `digits` digits in all, at least one of them before the point, and a minus sign (U+2212). */
function significant(value: number, digits: number): string {
  const magnitude = Math.abs(value);
  let places = magnitude < 1 ? digits - 1 : digits - 1 - Math.floor(Math.log10(magnitude));
  // 9.9996 is written as 10.00, not as 10.000.
  if (magnitude >= 1 && Number(magnitude.toFixed(Math.max(places, 0))) >= 10 ** (digits - places)) places -= 1;
  return fixed(value, Math.max(places, 0));
}

function fixed(value: number, places: number): string {
  const text = Math.abs(value).toFixed(places);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}
