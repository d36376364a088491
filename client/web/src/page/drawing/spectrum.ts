// SPDX-License-Identifier: MIT
import type {Spectrum} from 'rta-client/core';
import {formatDisplay} from '../controls/units.js';
import {type Frame, dbOfY, drawGrid, hzOfX, yOfDb} from './axes.js';
import {CanvasElement, define, sheetOf} from './canvas_element.js';
import {columnsOf} from './spectrum_columns.js';
import {type Palette, prefersReducedMotion} from './theme.js';

const HOLD_MS = 2000;
const FALL_DB_PER_S = 30;
/** Without a spectrum for as long, what is held falls on its own. */
const SILENT_MS = 150;
const LOWEST_DB = -110;
const HIGHEST_DB = 6;
const STYLES = sheetOf(`
  :host { min-height: 80px; }
  output { position: absolute; top: 6px; right: 8px; padding: 2px 6px; white-space: pre; font-size: 12px; border-radius: 4px;
    font-variant-numeric: tabular-nums; background: var(--rta-surface, #fff); color: var(--rta-text, #14181f); pointer-events: none; }
  output:empty { display: none; }`);

/**
 * A spectrum on a logarithmic frequency axis, with the highest levels held for a while: `<rta-spectrum label="out:1">`.
 * `spectra` has one Spectrum for each channel and is set for each event; of several channels, the highest is shown. A
 * click clears what is held. The pointer reads frequency and level.
 */
export class RtaSpectrum extends CanvasElement {
  static observedAttributes = ['label'];
  #spectra: readonly Spectrum[] = [];
  #columns: Float32Array = new Float32Array(0);
  #held = new Float32Array(0);
  #heldAt = new Float64Array(0);
  #fresh = false;
  #drawn = 0;
  #arrived = -Infinity;
  #frame: Frame | undefined;
  readonly #output = document.createElement('output');

  constructor() {
    super(STYLES);
    this.#output.setAttribute('aria-hidden', 'true');
    this.root.append(this.#output);
    this.addEventListener('click', () => this.clear());
    this.addEventListener('pointermove', ({offsetX, offsetY}) => this.#read(offsetX, offsetY));
    this.addEventListener('pointerleave', () => { this.#output.textContent = ''; });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute('role', 'img');
    this.attributeChangedCallback();
  }

  attributeChangedCallback(): void { this.setAttribute('aria-label', this.getAttribute('label') ?? 'Spectrum'); }

  get label(): string { return this.getAttribute('label') ?? ''; }
  set label(value: string) { this.setAttribute('label', value); }

  /** The spectra of an event, one for each channel; without any, the last ones stay. */
  set spectra(spectra: readonly Spectrum[] | undefined) {
    if (!spectra || spectra.length === 0) return;
    this.#spectra = spectra;
    this.#fresh = true;
    this.#arrived = performance.now();
    this.invalidate();
  }

  /** Clears what is held. */
  clear(): void {
    this.#held.fill(-150);
    this.invalidate();
  }

  protected override layout(): void {
    const {width, height} = this.size;
    const labelled = width >= 220 && height >= 110;
    const bandHz = this.#spectra[0]?.band_hz ?? 0;
    const highHz = bandHz > 0 ? Math.min(20_000, bandHz * 1024 * 0.96) : 20_000;
    this.#frame = {left: labelled ? 36 : 2, top: 8, right: width - (labelled ? 10 : 2), bottom: height - (labelled ? 22 : 6),
                   lowHz: 20, highHz, lowDb: LOWEST_DB, highDb: HIGHEST_DB};
    const count = Math.max(Math.ceil(this.#frame.right - this.#frame.left), 1);
    this.#held = new Float32Array(count).fill(-150);
    this.#heldAt = new Float64Array(count);
    this.#fresh = true;
  }

  protected override drawBackground(context: CanvasRenderingContext2D, palette: Palette): void {
    if (this.#frame) drawGrid(context, this.#frame, palette);
  }

  protected draw(context: CanvasRenderingContext2D, palette: Palette, time: number): boolean {
    const frame = this.#frame;
    if (!frame) return false;
    if (this.#fresh) this.#columns = columnsOf(this.#spectra, frame, frame.right - frame.left);
    this.#fresh = false;
    const moves = this.#hold(time);
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
    context.clip();
    // Bevels and rectangles: round joins and the area of a path of hundreds of points take several times as long.
    context.lineJoin = 'bevel';
    context.strokeStyle = palette.dim;
    context.lineWidth = 1;
    context.stroke(pathOf(frame, this.#held));
    context.fillStyle = palette.accent;
    context.globalAlpha = 0.16;
    this.#columns.forEach((db, x) => {
      const y = Math.round(yOfDb(frame, Math.max(db, frame.lowDb)));
      context.fillRect(frame.left + x, y, 1, frame.bottom - y);
    });
    context.globalAlpha = 1;
    context.strokeStyle = palette.accent;
    context.lineWidth = 1.5;
    context.stroke(pathOf(frame, this.#columns));
    context.restore();
    // Each spectrum draws what falls; it falls on its own only when no more arrive.
    const silent = time - this.#arrived > SILENT_MS;
    if (moves && !silent) this.drawLater(SILENT_MS);
    return moves && silent;
  }

  /** Holds the highest levels. Returns whether one of them falls. */
  #hold(time: number): boolean {
    const fall = prefersReducedMotion() ? 300 : FALL_DB_PER_S * Math.min(time - this.#drawn, 100) / 1000;
    this.#drawn = time;
    let moves = false;
    for (let x = 0; x < this.#held.length; x += 1) {
      const level = this.#columns[x] ?? -150;
      if (level >= this.#held[x]!) {
        this.#held[x] = level;
        this.#heldAt[x] = time;
      } else if (time - this.#heldAt[x]! > HOLD_MS) {
        this.#held[x] = Math.max(this.#held[x]! - fall, level);
      }
      moves ||= this.#held[x]! > Math.max(level, LOWEST_DB);
    }
    return moves;
  }

  #read(x: number, y: number): void {
    const frame = this.#frame;
    if (!frame || x < frame.left || x > frame.right || y < frame.top || y > frame.bottom) {
      this.#output.textContent = '';
      return;
    }
    const level = this.#columns[Math.round(x - frame.left)] ?? dbOfY(frame, y);
    this.#output.textContent = `${formatDisplay(hzOfX(frame, x), 'Hz')}   ${formatDisplay(level, 'dB', -150)}`;
  }
}

function pathOf(frame: Frame, columns: Float32Array): Path2D {
  const path = new Path2D();
  const lowest = frame.lowDb - 3;
  columns.forEach((db, x) => {
    const y = yOfDb(frame, Math.max(db, lowest));
    if (x === 0) path.moveTo(frame.left, y); else path.lineTo(frame.left + x, y);
  });
  return path;
}

define('rta-spectrum', RtaSpectrum);
declare global { interface HTMLElementTagNameMap { 'rta-spectrum': RtaSpectrum } }
