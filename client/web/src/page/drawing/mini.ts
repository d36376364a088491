// SPDX-License-Identifier: MIT
import type {ChannelLevel, GainReduction, JsonValue} from 'rta-client/core';
import {placeOfLevel} from '../controls/meter.js';
import {formatDisplay} from '../controls/units.js';
import {type Frame, xOfHz, yOfDb} from './axes.js';
import {CanvasElement, define, sheetOf} from './canvas_element.js';
import type {Palette} from './theme.js';
import {noiseOf, waveOf} from './waves.js';

/** The frequency response of a node: the arrays of a FrequencyResponseResult, with one for each output. */
export interface MiniResponse {
  frequencies_hz: readonly number[];
  outputs: readonly {magnitude_db: readonly number[]}[];
}

type Values = Readonly<Record<string, number>>;
type Settings = Readonly<Record<string, JsonValue>>;
type Painter = (mini: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number) => void;

interface MiniState {
  type: string;
  parameters: Values;
  settings: Settings;
  response: MiniResponse | undefined;
  levels: readonly ChannelLevel[];
  reduction: GainReduction | undefined;
}

/** Room for the bar of the level at the lower edge. */
const BAR = 4;
const RESPONSE_RANGE_DB = 18;
const MOST_REDUCTION_DB = 24;
const STYLES = sheetOf(':host { height: 48px; }');

/** What is drawn for each type. Types that are not listed have their level only. */
const PAINTERS: Readonly<Record<string, Painter>> = {
  biquad: drawResponse, biquad_filter: drawResponse, butterworth_filter: drawResponse, linkwitz_riley_filter: drawResponse,
  linkwitz_transform: drawResponse, equalizer: drawResponse, crossover: drawResponse, dc_blocker: drawResponse, convolver: drawResponse,
  compressor: drawTransfer, limiter: drawTransfer, gate: drawTransfer,
  delay_line: drawTaps, sine: drawWave, oscillator: drawWave, noise: drawNoise, impulse: drawImpulse, constant: drawConstant,
  gain: drawGain, input: drawGain, output: drawGain, mixer: drawMixer, pan: drawPan, reverb: drawReverb, soft_clip: drawClip,
  matrix: drawMatrix, meter: drawMeter,
};

/** Types whose picture needs `response`. */
export function needsResponse(type: string): boolean { return PAINTERS[type] === drawResponse; }

/**
 * A small live picture of a node: `<rta-mini .type=${'delay_line'} .parameters=${...} .settings=${...}>`. `levels` and
 * `reduction` are set for each event; `response` is what client.response() returns, for types that needsResponse() names.
 */
export class RtaMini extends CanvasElement {
  static observedAttributes = ['label'];
  readonly #state: MiniState = {type: '', parameters: {}, settings: {}, response: undefined, levels: [], reduction: undefined};

  constructor() { super(STYLES); }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.hasAttribute('label')) this.setAttribute('aria-hidden', 'true');
  }

  attributeChangedCallback(): void {
    this.setAttribute('role', 'img');
    this.setAttribute('aria-label', this.getAttribute('label') ?? '');
    this.removeAttribute('aria-hidden');
  }

  get label(): string { return this.getAttribute('label') ?? ''; }
  set label(value: string) { this.setAttribute('label', value); }

  set type(type: string) { this.#set({type}); }
  get type(): string { return this.#state.type; }
  set parameters(parameters: Values) { this.#set({parameters}); }
  set settings(settings: Settings) { this.#set({settings}); }
  set response(response: MiniResponse | undefined) { this.#set({response}); }

  /** Levels at the output of the node. */
  set levels(levels: readonly ChannelLevel[] | undefined) { this.#set({levels: levels ?? []}); }

  /** Of a compressor, limiter or gate. */
  set reduction(reduction: GainReduction | undefined) { this.#set({reduction}); }

  #set(values: Partial<MiniState>): void {
    Object.assign(this.#state, values);
    this.invalidate();
  }

  protected draw(context: CanvasRenderingContext2D, palette: Palette): void {
    const {width, height} = this.size;
    context.lineJoin = 'round';
    context.lineWidth = 1.5;
    context.strokeStyle = palette.accent;
    context.fillStyle = palette.accent;
    const painter = PAINTERS[this.#state.type];
    if (painter) painter(this.#state, context, palette, width, height - BAR - 2);
    drawLevelBar(this.#state.levels, context, palette, width, height);
    if ((this.#state.parameters['bypass'] ?? 0) > 0) strikeOut(context, palette, width, height - BAR - 2);
  }
}

function drawLevelBar(levels: readonly ChannelLevel[], context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  context.fillStyle = palette.line;
  context.fillRect(0, height - BAR, width, BAR);
  if (levels.length === 0) return;
  const peak = Math.max(...levels.map(({peak_db}) => peak_db));
  const rms = Math.max(...levels.map(({rms_db}) => rms_db));
  context.fillStyle = peak > 0 ? palette.bad : peak > -6 ? palette.warn : palette.good;
  context.globalAlpha = 0.45;
  context.fillRect(0, height - BAR, width * placeOfLevel(peak), BAR);
  context.globalAlpha = 1;
  context.fillRect(0, height - BAR, width * placeOfLevel(rms), BAR);
}

/** Shows that the node is bypassed. */
function strikeOut(context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  context.fillStyle = palette.surface;
  context.globalAlpha = 0.7;
  context.fillRect(0, 0, width, height);
  context.globalAlpha = 1;
  context.fillStyle = palette.dim;
  text(context, palette, 'bypassed', width / 2, height / 2, 'center');
}

function drawResponse({response}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  const frame: Frame = {left: 0, top: 0, right: width, bottom: height, lowHz: 20, highHz: 20_000,
                        lowDb: -RESPONSE_RANGE_DB, highDb: RESPONSE_RANGE_DB};
  baseLine(context, palette, width, yOfDb(frame, 0));
  for (const {magnitude_db} of response?.outputs ?? []) {
    const path = new Path2D();
    response!.frequencies_hz.forEach((hz, i) => {
      const y = Math.min(Math.max(yOfDb(frame, magnitude_db[i] ?? 0), -2), height + 4);
      if (i === 0) path.moveTo(xOfHz(frame, hz), y); else path.lineTo(xOfHz(frame, hz), y);
    });
    context.save();
    clipTo(context, width, height);
    context.stroke(path);
    context.restore();
  }
}

/** The static curve of a processor of dynamics, and its gain reduction as a bar from above. */
function drawTransfer({type, parameters, reduction}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  const side = Math.min(height, width * 0.5);
  const lowest = -70;
  const x = (db: number): number => side * (db - lowest) / -lowest;
  const y = (db: number): number => height - height * (db - lowest) / -lowest;
  context.save();
  clipTo(context, side, height);
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  polyline(context, [[x(lowest), y(lowest)], [x(0), y(0)]]);
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  const points: [number, number][] = [];
  for (let db = lowest; db <= 0; db += 1) points.push([x(db), y(Math.max(transferOf(type, parameters, db), lowest - 10))]);
  polyline(context, points);
  context.restore();
  const left = side + 10;
  const db = reduction?.current_db ?? 0;
  const shown = Math.min(db, MOST_REDUCTION_DB) / MOST_REDUCTION_DB;
  context.fillStyle = palette.line;
  context.fillRect(left, height - 8, width - left, 5);
  context.fillStyle = palette.warn;
  context.fillRect(width - (width - left) * shown, height - 8, (width - left) * shown, 5);
  context.fillStyle = db > 0.05 ? palette.text : palette.dim;
  text(context, palette, formatDisplay(db === 0 ? 0 : -db, 'dB'), width, height - 18, 'right');
}

/** Returns the output level of a processor of dynamics for a steady input level. */
export function transferOf(type: string, parameters: Values, db: number): number {
  const {threshold_db = -20, ratio = 4, knee_db = 0, makeup_db = 0, ceiling_db = -1, range_db = -80} = parameters;
  if (type === 'limiter') return Math.min(db, ceiling_db);
  if (type === 'gate') return db >= threshold_db ? db : db + range_db;
  const over = db - threshold_db;
  const slope = 1 / ratio - 1;
  if (2 * over < -knee_db) return db + makeup_db;
  if (2 * Math.abs(over) <= knee_db && knee_db > 0) return db + slope * (over + knee_db / 2) ** 2 / (2 * knee_db) + makeup_db;
  return db + slope * over + makeup_db;
}

function drawTaps({parameters}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  const {time_ms = 0, feedback = 0, mix = 1} = parameters;
  const bottom = height - 12;
  baseLine(context, palette, width, bottom);
  const echoes = Math.abs(feedback) < 0.01 ? 1 : Math.min(Math.ceil(Math.log(0.04) / Math.log(Math.abs(feedback))), 12);
  const distance = Math.min(width / (echoes + 1.5), width * 0.4);
  const bar = (x: number, height_: number, colour: string): void => {
    context.fillStyle = colour;
    context.fillRect(Math.round(x), bottom - Math.max(height_, 1), 3, Math.max(height_, 1));
  };
  bar(4, (bottom - 4) * (1 - mix), palette.dim);
  for (let echo = 1; echo <= echoes; echo += 1)
    bar(4 + distance * echo, (bottom - 4) * mix * Math.abs(feedback) ** (echo - 1), palette.accent);
  context.fillStyle = palette.dim;
  text(context, palette, formatDisplay(time_ms, 'ms'), 4 + distance, height - 4, 'left');
}

function drawWave({type, parameters, settings}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  const wave = waveOf(type, settings['shape'], parameters['pulse_width']);
  baseLine(context, palette, width, height / 2);
  if (!wave) return;
  const size = height / 2 - 4;
  const points: [number, number][] = [];
  for (let x = 0; x <= width; x += 0.5) points.push([x, height / 2 - wave((x / width * 2) % 1) * size]);
  polyline(context, points);
}

function drawNoise({settings}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  baseLine(context, palette, width, height / 2);
  const values = noiseOf(Math.floor(width / 2), settings['color'] === 'pink');
  context.lineWidth = 1;
  polyline(context, [...values].map((value, i) => [i * 2, height / 2 - value * (height / 2 - 4)]));
}

function drawImpulse(_: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  baseLine(context, palette, width, height - 6);
  polyline(context, [[width / 4, height - 6], [width / 4, 4]]);
}

function drawConstant({parameters}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  baseLine(context, palette, width, height / 2);
  const y = height / 2 - (parameters['value'] ?? 0) * (height / 2 - 4);
  polyline(context, [[0, y], [width, y]]);
}

/** A gain as a bar from 0 dB, and its level in large digits. */
function drawGain({parameters}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  const gain = parameters['gain_db'] ?? 0;
  const muted = (parameters['mute'] ?? 0) > 0;
  context.fillStyle = muted ? palette.bad : palette.text;
  context.font = `500 ${Math.min(Math.round(height * 0.5), 20)}px ${palette.font}`;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(muted ? 'muted' : formatDisplay(gain, 'dB', -120), 0, height * 0.38);
  drawBalance(context, palette, width, height - 6, Math.min(Math.max(gain, -36), 24) / (gain < 0 ? 36 : 24), muted);
}

function drawMixer({parameters, settings}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  const count = Math.min(Number(settings['inputs'] ?? 2), 16);
  const distance = Math.min(width / count, 20);
  for (let i = 1; i <= count; i += 1) {
    const x = (i - 0.5) * distance;
    const muted = (parameters[`mute_${i}`] ?? 0) > 0;
    const y = height - 4 - placeOfLevel(Math.min(parameters[`gain_${i}_db`] ?? 0, 6)) * (height - 10);
    context.fillStyle = palette.line;
    context.fillRect(x - 1, 3, 2, height - 7);
    context.fillStyle = muted ? palette.bad : palette.accent;
    context.fillRect(x - Math.min(distance * 0.35, 6), y - 2, Math.min(distance * 0.7, 12), 4);
  }
}

function drawPan({parameters}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  const position = parameters['position'] ?? 0;
  drawBalance(context, palette, width, height / 2 + 6, position, false);
  context.fillStyle = palette.dim;
  text(context, palette, 'L', 2, height / 2 - 8, 'left');
  text(context, palette, 'R', width - 2, height / 2 - 8, 'right');
}

function drawReverb({parameters}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  const {decay_s = 2, pre_delay_ms = 10} = parameters;
  baseLine(context, palette, width, height - 12);
  const span = Math.max(decay_s * 1.2, 0.5);
  const start = Math.min(pre_delay_ms / 1000 / span, 0.5) * width;
  context.beginPath();
  context.moveTo(start, height - 12);
  for (let x = start; x <= width; x += 1)
    context.lineTo(x, height - 12 - (height - 16) * 10 ** (-1.5 * (x - start) / width * span / decay_s));
  context.lineTo(width, height - 12);
  context.globalAlpha = 0.3;
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = palette.dim;
  text(context, palette, formatDisplay(decay_s, 's'), width, height - 4, 'right');
}

function drawClip({parameters}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  baseLine(context, palette, width, height / 2);
  const drive = 10 ** ((parameters['drive_db'] ?? 0) / 20);
  const points: [number, number][] = [];
  for (let x = 0; x <= width; x += 1)
    points.push([x, height / 2 - Math.tanh(drive * Math.sin(x / width * 4 * Math.PI)) * (height / 2 - 4)]);
  polyline(context, points);
}

function drawMatrix({parameters, settings}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  const [inputs, outputs] = [Math.min(Number(settings['inputs'] ?? 2), 16), Math.min(Number(settings['outputs'] ?? 2), 8)];
  const cell = Math.min(width / inputs, (height - 2) / outputs, 14);
  for (let i = 0; i < inputs; i += 1) {
    for (let o = 0; o < outputs; o += 1) {
      const place = placeOfLevel(Math.min(parameters[`gain_${i + 1}_${o + 1}_db`] ?? -120, 6));
      context.fillStyle = place > 0 ? palette.accent : palette.line;
      context.globalAlpha = place > 0 ? 0.3 + 0.7 * place : 0.6;
      context.fillRect(i * cell, o * cell, cell - 2, cell - 2);
    }
  }
  context.globalAlpha = 1;
}

/** A meter node: a bar for each channel. */
function drawMeter({levels, settings}: MiniState, context: CanvasRenderingContext2D, palette: Palette, width: number, height: number): void {
  const count = Math.min(Math.max(levels.length, Number(settings['channels'] ?? 1)), 8);
  const thick = Math.min((height - 4) / count - 2, 10);
  for (let i = 0; i < count; i += 1) {
    const y = 2 + i * (thick + 2);
    context.fillStyle = palette.line;
    context.fillRect(0, y, width, thick);
    const level = levels[i];
    if (!level) continue;
    context.fillStyle = palette.accent;
    context.globalAlpha = 0.4;
    context.fillRect(0, y, width * placeOfLevel(level.peak_db), thick);
    context.globalAlpha = 1;
    context.fillRect(0, y, width * placeOfLevel(level.rms_db), thick);
  }
}

/** A bar from the middle, for a value from -1 to 1. */
function drawBalance(context: CanvasRenderingContext2D, palette: Palette, width: number, y: number, value: number, muted: boolean): void {
  context.fillStyle = palette.line;
  context.fillRect(0, y - 2, width, 4);
  context.fillStyle = muted ? palette.dim : palette.accent;
  const middle = width / 2;
  context.fillRect(Math.min(middle, middle + value * middle), y - 2, Math.abs(value) * middle, 4);
  context.fillRect(middle - 1, y - 5, 2, 10);
}

function baseLine(context: CanvasRenderingContext2D, palette: Palette, width: number, y: number): void {
  context.save();
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  polyline(context, [[0, Math.round(y) + 0.5], [width, Math.round(y) + 0.5]]);
  context.restore();
}

function polyline(context: CanvasRenderingContext2D, points: readonly (readonly [number, number])[]): void {
  context.beginPath();
  points.forEach(([x, y], i) => { if (i === 0) context.moveTo(x, y); else context.lineTo(x, y); });
  context.stroke();
}

function clipTo(context: CanvasRenderingContext2D, width: number, height: number): void {
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
}

function text(context: CanvasRenderingContext2D, palette: Palette, words: string, x: number, y: number, align: CanvasTextAlign): void {
  context.font = `11px ${palette.font}`;
  context.textAlign = align;
  context.textBaseline = 'middle';
  context.fillText(words, x, y);
}

define('rta-mini', RtaMini);
declare global { interface HTMLElementTagNameMap { 'rta-mini': RtaMini } }
