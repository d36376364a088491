// SPDX-License-Identifier: MIT
import type {ChannelLevel} from 'rta-client/core';
import {CanvasElement, define, sheetOf} from './canvas_element.js';
import type {Palette} from './theme.js';

/** Seconds of levels that are shown. */
const SPAN_S = 10;
/** The most levels that are kept: 10 s at 100 Hz. */
const MOST_LEVELS = 1000;
/** Where the lines are, in dBFS. */
const LINES_DB = [0, -12, -24, -36, -48, -60];
const LOWEST_DB = -66;
const COLOURS = ['accent', 'good', 'warn', 'text'] as const;

const STYLES = sheetOf(':host { min-height: 60px; }');

interface Moment { time: number; peak: number; rms: number }

/**
 * A signal over time: `<rta-scope label="osc:out">`. With `samples`, one array for each channel, it draws the wave, from
 * its first rise through zero. Without, it draws the levels that push() is given: the peak and the RMS level of the
 * last 10 seconds.
 */
export class RtaScope extends CanvasElement {
  static observedAttributes = ['label'];
  #samples: readonly Float32Array[] = [];
  #moments: Moment[] = [];

  constructor() { super(STYLES); }

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute('role', 'img');
    this.attributeChangedCallback();
  }

  attributeChangedCallback(): void { this.setAttribute('aria-label', this.getAttribute('label') ?? 'Signal'); }

  get label(): string { return this.getAttribute('label') ?? ''; }
  set label(value: string) { this.setAttribute('label', value); }

  /** The latest samples of each channel. */
  set samples(samples: readonly Float32Array[] | undefined) {
    this.#samples = samples ?? [];
    this.invalidate();
  }

  /** Adds the levels of an event. The highest channel is shown. */
  push(levels: readonly ChannelLevel[]): void {
    const now = performance.now();
    this.#moments.push({time: now, peak: Math.max(-150, ...levels.map(({peak_db}) => peak_db)),
                        rms: Math.max(-150, ...levels.map(({rms_db}) => rms_db))});
    const old = this.#moments.findIndex(({time}) => now - time < SPAN_S * 1000 + 500);
    this.#moments.splice(0, Math.max(old, this.#moments.length - MOST_LEVELS));
    this.invalidate();
  }

  /** Forgets the levels, because those of another port follow. */
  clear(): void {
    this.#moments = [];
    this.#samples = [];
    this.invalidate();
  }

  protected draw(context: CanvasRenderingContext2D, palette: Palette, time: number): void {
    if (this.#samples.length > 0) this.#drawWaves(context, palette);
    else this.#drawLevels(context, palette, time);
  }

  #drawWaves(context: CanvasRenderingContext2D, palette: Palette): void {
    const {width, height} = this.size;
    const middle = height / 2;
    context.strokeStyle = palette.line;
    context.lineWidth = 1;
    for (const share of [-1, -0.5, 0, 0.5, 1]) strokeLine(context, 0, middle - share * (middle - 6), width);
    this.#samples.slice(0, COLOURS.length).forEach((samples, index) => {
      const start = firstRise(this.#samples[0]!);
      const count = samples.length - start;
      if (count < 2) return;
      context.strokeStyle = palette[COLOURS[index]!];
      context.lineWidth = 1.5;
      context.lineJoin = 'round';
      context.beginPath();
      for (let i = 0; i < count; i += 1) {
        const y = middle - Math.min(Math.max(samples[start + i]!, -1.2), 1.2) * (middle - 6);
        if (i === 0) context.moveTo(0, y); else context.lineTo(width * i / (count - 1), y);
      }
      context.stroke();
    });
  }

  #drawLevels(context: CanvasRenderingContext2D, palette: Palette, time: number): void {
    const {width, height} = this.size;
    const left = width >= 200 ? 34 : 2;
    const bottom = height - (width >= 200 ? 18 : 4);
    const y = (db: number): number => 6 + (bottom - 6) * Math.min(Math.max(db, LOWEST_DB), 6) / LOWEST_DB;
    context.font = `11px ${palette.font}`;
    context.fillStyle = palette.dim;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    context.lineWidth = 1;
    LINES_DB.forEach((db, i) => {
      context.strokeStyle = palette.line;
      strokeLine(context, left, y(db), width);
      if (left > 2 && (height > 130 || i % 2 === 0)) context.fillText(db === 0 ? '0' : `\u2212${-db}`, left - 6, Math.max(y(db), 6));
    });
    const now = Math.max(time, this.#moments[this.#moments.length - 1]?.time ?? 0);
    if (left > 2) drawSeconds(context, left, width, height);
    const x = (at: number): number => width - (width - left) * (now - at) / (SPAN_S * 1000);
    context.save();
    context.beginPath();
    context.rect(left, 0, width - left, bottom);
    context.clip();
    this.#drawHistory(context, palette.accent, ({peak}) => y(peak), x, bottom, 0.25);
    this.#drawHistory(context, palette.accent, ({rms}) => y(rms), x, bottom, 0.55);
    context.restore();
  }

  #drawHistory(context: CanvasRenderingContext2D, colour: string, y: (moment: Moment) => number, x: (time: number) => number,
               bottom: number, alpha: number): void {
    const first = this.#moments[0];
    const last = this.#moments[this.#moments.length - 1];
    if (!first || !last) return;
    context.beginPath();
    context.moveTo(x(first.time), bottom);
    for (const moment of this.#moments) context.lineTo(x(moment.time), y(moment));
    context.lineTo(x(last.time), bottom);
    context.fillStyle = colour;
    context.globalAlpha = alpha;
    context.fill();
    context.globalAlpha = 1;
  }
}

function drawSeconds(context: CanvasRenderingContext2D, left: number, width: number, height: number): void {
  context.textBaseline = 'alphabetic';
  for (const seconds of [10, 7.5, 5, 2.5, 0]) {
    const x = width - (width - left) * seconds / SPAN_S;
    context.textAlign = seconds === 10 ? 'left' : seconds === 0 ? 'right' : 'center';
    context.fillText(seconds === 0 ? 'now' : `\u2212${seconds} s`, x, height - 4);
  }
}

/** Returns the index at which a wave first rises through zero, in its first half; 0 if it does not. */
export function firstRise(samples: Float32Array): number {
  const last = samples.length >> 1;
  for (let i = 1; i < last; i += 1) {
    if (samples[i - 1]! < 0 && samples[i]! >= 0) return i;
  }
  return 0;
}

function strokeLine(context: CanvasRenderingContext2D, x: number, y: number, right: number): void {
  const sharp = Math.round(y) + 0.5;
  context.beginPath();
  context.moveTo(x, sharp);
  context.lineTo(right, sharp);
  context.stroke();
}

define('rta-scope', RtaScope);
declare global { interface HTMLElementTagNameMap { 'rta-scope': RtaScope } }
