// SPDX-License-Identifier: MIT
import type {ChannelLevel, Loudness} from 'rta-client/core';
import {CanvasElement, define, sheetOf} from '../drawing/canvas_element.js';
import {type Palette, prefersReducedMotion} from '../drawing/theme.js';
import {formatLevel} from './units.js';

/** Where levels are on the meter. */
const PLACES: readonly (readonly [number, number])[] = [[-80, 0], [-60, 0.12], [-40, 0.32], [-20, 0.62], [0, 0.93], [6, 1]];
const MARKS_DB = [0, -10, -20, -30, -40, -60];
const LOWEST_DB = -80;
const WARN_DB = -6;
/** How fast the bar of the peak falls. */
const FALL_DB_PER_S = 24;
/** How long the highest peak is held. */
const HOLD_MS = 1500;
/** How long the meter shows that full scale was exceeded. */
const CLIP_MS = 5000;
/** Without levels for as long, the bars fall on their own. */
const SILENT_MS = 150;
/** Screen readers are not given more than one value in this time. */
const SPOKEN_MS = 1000;
const STYLES = sheetOf(':host { width: 14px; height: 160px; cursor: default; }');

interface Channel {
  peak: number;
  rms: number;
  held: number;
  heldAt: number;
}

/** Returns the place of a level on a meter, from 0 to 1. */
export function placeOfLevel(db: number): number {
  if (!(db > LOWEST_DB)) return 0;
  for (let i = 1; i < PLACES.length; i += 1) {
    const [[a, from], [b, to]] = [PLACES[i - 1]!, PLACES[i]!];
    if (db <= b) return from + (to - from) * (db - a) / (b - a);
  }
  return 1;
}

/**
 * A level meter: RMS as a bar, the peak above it, the highest peak held. `levels` has one ChannelLevel for each channel and
 * is set for each event; `loudness` adds a mark at the momentary loudness. `<rta-meter label="Master" reading>` also
 * shows the held peak as a number. A click clears what is held.
 */
export class RtaMeter extends CanvasElement {
  static observedAttributes = ['label', 'orientation', 'reading', 'marks'];

  #channels: Channel[] = [];
  #loudness: number | undefined;
  #clippedAt = -Infinity;
  #arrived = -Infinity;
  #drawn = 0;
  #spoken = -Infinity;

  constructor() {
    super(STYLES);
    this.addEventListener('click', () => this.clear());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute('role', 'meter');
    this.setAttribute('aria-valuemin', '-80');
    this.setAttribute('aria-valuemax', '6');
    this.#speak(performance.now());
  }

  attributeChangedCallback(): void {
    this.setAttribute('aria-label', this.getAttribute('label') ?? 'Level');
    this.invalidate();
  }

  set label(value: string) { this.setAttribute('label', value); }
  get label(): string { return this.getAttribute('label') ?? ''; }

  /** The levels of an event, one for each channel. */
  set levels(levels: readonly ChannelLevel[] | null | undefined) {
    if (!levels) return;
    const now = performance.now();
    const fallen = this.#fallen(now);
    this.#channels = levels.map(({peak_db, rms_db}, index) => {
      const channel = fallen[index];
      const peak = Math.max(peak_db, channel?.peak ?? -Infinity);
      const isHigher = !channel || peak_db >= channel.held || now - channel.heldAt > HOLD_MS;
      return {peak, rms: rms_db, held: isHigher ? peak_db : channel.held, heldAt: isHigher ? now : channel.heldAt};
    });
    if (levels.some(({peak_db}) => peak_db > 0)) this.#clippedAt = now;
    this.#arrived = now;
    this.#drawn = now;
    if (now - this.#spoken > SPOKEN_MS) this.#speak(now);
    this.invalidate();
  }

  /** The loudness of an event; null if it is not measured. */
  set loudness(loudness: Loudness | null | undefined) {
    this.#loudness = loudness?.momentary_lufs;
    this.invalidate();
  }

  /** Highest peak that is held, in dBFS. */
  get heldPeak(): number { return Math.max(-150, ...this.#channels.map(({held}) => held)); }

  /** Clears what is held. */
  clear(): void {
    this.#clippedAt = -Infinity;
    this.#channels = this.#channels.map((channel) => ({...channel, held: channel.peak}));
    this.invalidate();
  }

  protected draw(context: CanvasRenderingContext2D, palette: Palette, time: number): boolean {
    const now = Math.max(time, this.#drawn);
    const silent = now - this.#arrived > SILENT_MS;
    if (silent) this.#channels = this.#fallen(now).map((channel) => ({...channel, rms: Math.min(channel.rms, channel.peak)}));
    this.#drawn = now;
    const {width, height} = this.size;
    const horizontal = this.getAttribute('orientation') === 'horizontal';
    const left = this.hasAttribute('marks') && !horizontal ? 18 : 0;
    const top = this.hasAttribute('reading') && !horizontal ? 18 : 0;
    if (top > 0) this.#drawReading(context, palette, width, now);
    if (left > 0) drawMarks(context, palette, left, top, height);
    const [across, along] = horizontal ? [height, width] : [width - left, height - top];
    this.#drawBars(palette, across, ({colour, alpha = 1, start, thick, from, to, least = 0}) => {
      context.globalAlpha = alpha;
      context.fillStyle = colour;
      const length = Math.max(along * (to - from), least);
      if (horizontal) context.fillRect(Math.min(along * from, along - length), start, length, thick);
      else context.fillRect(left + start, top + Math.min(along * (1 - to), along - length), thick, length);
      context.globalAlpha = 1;
    });
    const moves = this.#channels.some(({peak}) => peak > LOWEST_DB);
    if (moves && !silent) this.drawLater(SILENT_MS);
    return moves && silent;
  }

  #drawBars(palette: Palette, across: number, fill: (bar: Bar) => void): void {
    const count = Math.max(this.#channels.length, 1);
    const gap = count > 1 && across / count > 4 ? 2 : 0;
    const thick = Math.max((across - gap * (count - 1)) / count, 1);
    for (let index = 0; index < count; index += 1) {
      const start = index * (thick + gap);
      fill({colour: palette.line, alpha: 0.55, start, thick, from: 0, to: 1});
      const channel = this.#channels[index];
      if (!channel) continue;
      for (const bar of levelBars(palette, channel.peak)) fill({...bar, alpha: 0.4, start, thick});
      for (const bar of levelBars(palette, channel.rms)) fill({...bar, start, thick});
      const held = placeOfLevel(channel.held);
      if (held > 0) fill({colour: colourOf(palette, channel.held), start, thick, from: held, to: held, least: 2});
    }
    for (const db of MARKS_DB) {
      const place = placeOfLevel(db);
      fill({colour: palette.surface, alpha: 0.8, start: 0, thick: across, from: place, to: place, least: 1});
    }
    const loudness = placeOfLevel(this.#loudness ?? -Infinity);
    if (loudness > 0) fill({colour: palette.text, start: 0, thick: across, from: loudness, to: loudness, least: 2});
  }

  #drawReading(context: CanvasRenderingContext2D, palette: Palette, width: number, now: number): void {
    const clipped = now - this.#clippedAt < CLIP_MS;
    context.font = `${clipped ? 600 : 400} 11px ${palette.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'top';
    context.fillStyle = clipped ? palette.bad : palette.dim;
    context.fillText(formatLevel(this.heldPeak), width / 2, 2);
  }

  /** Returns the channels as they are at a time without further levels. */
  #fallen(now: number): Channel[] {
    const fall = prefersReducedMotion() ? Infinity : FALL_DB_PER_S * Math.max(now - this.#drawn, 0) / 1000;
    return this.#channels.map((channel) => {
      const peak = channel.peak - fall;
      return {...channel, peak, held: now - channel.heldAt > HOLD_MS ? Math.max(peak, LOWEST_DB) : channel.held};
    });
  }

  #speak(now: number): void {
    this.#spoken = now;
    const peak = Math.max(-150, ...this.#channels.map((channel) => channel.peak));
    const rms = Math.max(-150, ...this.#channels.map((channel) => channel.rms));
    this.setAttribute('aria-valuenow', Math.min(Math.max(peak, -80), 6).toFixed(1));
    this.setAttribute('aria-valuetext', `peak ${formatLevel(peak)} dB, RMS ${formatLevel(rms)} dB`);
  }
}

function colourOf(palette: Palette, db: number): string {
  return db > 0 ? palette.bad : db > WARN_DB ? palette.warn : palette.accent;
}

/** A rectangle on the meter: `from` and `to` are along it, from 0 to 1, `start` and `thick` across it, in pixels. */
interface Bar {
  colour: string;
  alpha?: number;
  start: number;
  thick: number;
  from: number;
  to: number;
  /** Least length in pixels. */
  least?: number;
}

/** Returns the parts of a bar up to a level, each in its colour. */
function levelBars(palette: Palette, level: number): Pick<Bar, 'colour' | 'from' | 'to'>[] {
  return [[LOWEST_DB, WARN_DB], [WARN_DB, 0], [0, 6]]
    .filter(([low]) => level > low!)
    .map(([low, high]) => (
      {colour: colourOf(palette, high!), from: placeOfLevel(low!), to: placeOfLevel(Math.min(level, high!))}));
}

function drawMarks(context: CanvasRenderingContext2D, palette: Palette, width: number, top: number, height: number): void {
  context.font = `9px ${palette.font}`;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  context.fillStyle = palette.dim;
  for (const db of MARKS_DB) {
    const y = top + (height - top) * (1 - placeOfLevel(db));
    context.fillText(String(Math.abs(db)), width - 4, y);
  }
}

define('rta-meter', RtaMeter);
declare global { interface HTMLElementTagNameMap { 'rta-meter': RtaMeter } }
