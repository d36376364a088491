// SPDX-License-Identifier: MIT
import type {Spectrum} from 'rta-client/core';
import {report} from '../controls/events.js';
import {formatDisplay} from '../controls/units.js';
import {type Frame, dbOfY, drawGrid, hzOfX, xOfHz, yOfDb} from './axes.js';
import {CanvasElement, define, sheetOf} from './canvas_element.js';
import {columnsOf} from './spectrum_columns.js';
import type {Palette} from './theme.js';

/** A line in a plot: for example a FrequencyResponseResult with one of its outputs. */
export interface Curve {
  frequencies_hz: readonly number[];
  magnitude_db: readonly number[];
  /** Default: accent. */
  colour?: 'accent' | 'dim' | 'text' | 'warn' | 'good' | 'bad';
  /** Fills the area to 0 dB. */
  filled?: boolean;
  dashed?: boolean;
  label?: string;
}

/** A range that a handle keeps to. */
export interface HandleRange { minimum: number; maximum: number }

/** A point of a plot that can be dragged. */
export interface Handle {
  /** Repeated in events. */
  id: string;
  /** For screen readers: "band 2, peak". */
  label: string;
  /** On the handle: "2". */
  text?: string;
  frequency_hz: number;
  /** Absent: the handle moves only in frequency, on the 0 dB line. */
  gain_db?: number;
  q?: number;
  frequency_range: HandleRange;
  gain_range?: HandleRange;
  q_range?: HandleRange;
  /** Values after a double click; absent: it does nothing. */
  reset?: {gain_db?: number; q?: number};
}

/** The detail of the events of a plot: a handle and its new values. Only what has changed is set. */
export interface HandleChange {
  id: string;
  frequency_hz?: number;
  gain_db?: number;
  q?: number;
}

const HANDLES = sheetOf(`
  :host { min-height: 120px; }
  button { all: unset; position: absolute; left: 0; top: 0; box-sizing: border-box; width: 24px; height: 24px; margin: -12px;
    border-radius: 50%; display: grid; place-items: center; font-size: 11px; font-weight: 600; line-height: 1; cursor: grab;
    font-variant-numeric: tabular-nums; touch-action: none; user-select: none; -webkit-user-select: none;
    color: var(--rta-text, #14181f); background: var(--rta-surface, #fff); border: 2px solid var(--rta-accent, #0a66c2); }
  button::before { content: ''; position: absolute; inset: -12px; border-radius: 50%; }
  button:focus-visible, button.active { background: var(--rta-accent, #0a66c2); color: var(--rta-on-accent, #fff); }
  button:focus-visible { outline: 2px solid var(--rta-accent, #0a66c2); outline-offset: 3px; }
  output { position: absolute; top: 6px; right: 8px; padding: 3px 8px; white-space: pre; font-size: 12px; border-radius: 4px;
    font-variant-numeric: tabular-nums; color: var(--rta-text, #14181f); background: var(--rta-surface, #fff);
    border: 1px solid var(--rta-line, #cdd2da); pointer-events: none; }
  output:empty { display: none; }`);
const FINE = 0.1;
/** Levels that are always shown. */
const LEAST_RANGE_DB = 12;

/**
 * A plot of frequency responses with handles: `<rta-curve label="Response" .curves=${[...]} .handles=${[...]}>`. A handle is
 * dragged to a frequency and gain; the wheel, or a drag with Shift, changes its Q. The arrow keys move it, Page Up and Page
 * Down change its Q, in fine steps with Shift; a double click or Delete sets its defaults.
 *
 * Properties: `curves`, `handles`, `spectra` (a live spectrum behind the curves), `range_db` ([lowest, highest], default: as
 * the curves need), `label`. Events: 'input' and 'change' with a HandleChange, 'select' with the id of the focused handle.
 */
export class RtaCurve extends CanvasElement {
  #curves: readonly Curve[] = [];
  #handles: readonly Handle[] = [];
  #spectra: readonly Spectrum[] = [];
  #range: readonly [number, number] | undefined;
  /** The range while a handle is dragged: it must not move below the pointer. */
  #heldRange: readonly [number, number] | undefined;
  #frame: Frame | undefined;
  readonly #buttons = new Map<string, HTMLButtonElement>();
  readonly #output = document.createElement('output');
  #drag: {id: string; pointer: number; x: number; y: number; values: Handle; change: HandleChange | undefined} | undefined;
  #settling = new Map<string, {values: Partial<Handle>; timer: ReturnType<typeof setTimeout>}>();

  constructor() {
    super(HANDLES);
    this.#output.setAttribute('aria-hidden', 'true');
    this.root.append(this.#output);
  }

  static observedAttributes = ['label'];
  attributeChangedCallback(): void { this.setAttribute('aria-label', this.label); }

  get label(): string { return this.getAttribute('label') ?? 'Frequency response'; }
  set label(value: string) { this.setAttribute('label', value); }

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', this.label);
  }

  set curves(curves: readonly Curve[]) { this.#curves = curves; this.invalidate(); }
  get curves(): readonly Curve[] { return this.#curves; }

  set range_db(range: readonly [number, number] | undefined) { this.#range = range; this.invalidate(); }

  set spectra(spectra: readonly Spectrum[] | undefined) {
    this.#spectra = spectra ?? [];
    this.invalidate();
  }

  set handles(handles: readonly Handle[]) {
    this.#handles = handles;
    const ids = new Set(handles.map(({id}) => id));
    for (const [id, button] of this.#buttons) {
      if (ids.has(id)) continue;
      button.remove();
      this.#buttons.delete(id);
    }
    for (const handle of handles) {
      if (!this.#buttons.has(handle.id)) this.#buttons.set(handle.id, this.#newButton(handle.id));
      this.#label(handle);
    }
    this.invalidate();
  }
  get handles(): readonly Handle[] { return this.#handles; }

  protected draw(context: CanvasRenderingContext2D, palette: Palette): void {
    const frame = this.#newFrame();
    this.#frame = frame;
    drawGrid(context, frame, palette);
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
    context.clip();
    this.#drawSpectrum(context, palette, frame);
    for (const curve of this.#curves) drawCurve(context, palette, frame, curve);
    context.restore();
    this.#placeButtons(frame);
  }

  #newFrame(): Frame {
    const {width, height} = this.size;
    const labelled = width >= 220 && height >= 110;
    const [lowDb, highDb] = this.#heldRange ?? this.#range ?? this.#neededRange();
    const rates = this.#curves.flatMap(({frequencies_hz}) => frequencies_hz.length > 0 ? [frequencies_hz[frequencies_hz.length - 1]!] : []);
    const highHz = Math.min(Math.max(20_000, ...rates), 24_000);
    return {left: labelled ? 36 : 2, top: 8, right: width - (labelled ? 10 : 2), bottom: height - (labelled ? 22 : 8),
            lowHz: 20, highHz, lowDb, highDb};
  }

  /** Returns a range in steps of 6 dB that shows the upper 60 dB of the curves. */
  #neededRange(): readonly [number, number] {
    let [low, high] = [-LEAST_RANGE_DB, LEAST_RANGE_DB];
    for (const {magnitude_db} of this.#curves) {
      for (const db of magnitude_db) {
        if (db > high) high = db;
        if (db < low) low = db;
      }
    }
    for (const {gain_db = 0} of this.#handles) [low, high] = [Math.min(low, gain_db), Math.max(high, gain_db)];
    const top = Math.ceil((high + 1) / 6) * 6;
    return [Math.max(Math.floor((low - 1) / 6) * 6, top - 60), top];
  }

  #drawSpectrum(context: CanvasRenderingContext2D, palette: Palette, frame: Frame): void {
    if (this.#spectra.length === 0) return;
    const width = frame.right - frame.left;
    const columns = columnsOf(this.#spectra, frame, width);
    // The spectrum has a range of its own, from -96 to 0 dBFS: only its form is of interest here.
    const y = (db: number): number => frame.bottom + (frame.top - frame.bottom) * Math.min(Math.max((db + 96) / 96, 0), 1);
    context.beginPath();
    context.moveTo(frame.left, frame.bottom);
    columns.forEach((db, x) => context.lineTo(frame.left + x, y(db)));
    context.lineTo(frame.right, frame.bottom);
    context.fillStyle = palette.dim;
    context.globalAlpha = 0.18;
    context.fill();
    context.globalAlpha = 1;
  }

  #placeButtons(frame: Frame): void {
    for (const original of this.#handles) {
      const handle = this.#current(original);
      const button = this.#buttons.get(handle.id);
      if (!button) continue;
      const x = Math.min(Math.max(xOfHz(frame, handle.frequency_hz), frame.left), frame.right);
      const y = Math.min(Math.max(yOfDb(frame, handle.gain_db ?? 0), frame.top), frame.bottom);
      button.style.transform = `translate(${x.toFixed(1)}px,${y.toFixed(1)}px)`;
      this.#label(original);
    }
  }

  /** Describes a handle for screen readers. */
  #label(original: Handle): void {
    const handle = this.#current(original);
    const button = this.#buttons.get(handle.id);
    if (!button) return;
    setText(button, handle.text ?? '');
    setAttribute(button, 'aria-label', handle.label);
    setAttribute(button, 'aria-valuetext', describe(handle));
    setAttribute(button, 'aria-valuenow', String(handle.frequency_hz));
    setAttribute(button, 'aria-valuemin', String(handle.frequency_range.minimum));
    setAttribute(button, 'aria-valuemax', String(handle.frequency_range.maximum));
  }

  /** Returns a handle with the values that the user has given it and its owner does not have yet. */
  #current(handle: Handle): Handle {
    if (this.#drag?.id === handle.id) return this.#drag.values;
    const settling = this.#settling.get(handle.id);
    return settling ? {...handle, ...settling.values} : handle;
  }

  #find(id: string): Handle | undefined {
    const handle = this.#handles.find((other) => other.id === id);
    return handle && this.#current(handle);
  }

  #newButton(id: string): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('role', 'slider');
    button.addEventListener('focus', () => { this.#show(id); this.dispatchEvent(new CustomEvent('select', {detail: id})); });
    button.addEventListener('blur', () => setText(this.#output, ''));
    button.addEventListener('pointerenter', () => this.#show(id));
    button.addEventListener('pointerleave', () => { if (!this.#drag && !button.matches(':focus')) setText(this.#output, ''); });
    button.addEventListener('pointerdown', (event) => this.#press(id, event));
    button.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const)
      button.addEventListener(end, (event) => this.#release(event));
    button.addEventListener('keydown', (event) => this.#key(id, event));
    button.addEventListener('wheel', (event) => this.#wheel(id, event), {passive: false});
    button.addEventListener('dblclick', () => this.#reset(id));
    this.root.append(button);
    return button;
  }

  #show(id: string): void {
    const handle = this.#find(id);
    if (handle) setText(this.#output, `${handle.text ? `${handle.text}   ` : ''}${describe(handle)}`);
  }

  #press(id: string, event: PointerEvent): void {
    const handle = this.#find(id);
    if (event.button !== 0 || this.#drag || !handle || !this.#frame) return;
    event.preventDefault();
    const button = event.currentTarget as HTMLButtonElement;
    button.focus({preventScroll: true});
    button.setPointerCapture(event.pointerId);
    button.classList.add('active');
    this.#heldRange = [this.#frame.lowDb, this.#frame.highDb];
    this.#drag = {id, pointer: event.pointerId, x: event.clientX, y: event.clientY, values: handle, change: undefined};
  }

  #move(event: PointerEvent): void {
    const drag = this.#drag;
    const frame = this.#frame;
    if (drag?.pointer !== event.pointerId || !frame) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (dx === 0 && dy === 0) return;
    Object.assign(drag, {x: event.clientX, y: event.clientY});
    const {values} = drag;
    if (event.shiftKey && values.q !== undefined) return this.#dragTo({q: roundQ(limit(values.q * 2 ** (-dy / 40), values.q_range))});
    const factor = event.altKey ? FINE : 1;
    const frequency_hz = limit(hzOfX(frame, xOfHz(frame, values.frequency_hz) + dx * factor), values.frequency_range);
    if (values.gain_db === undefined) return this.#dragTo({frequency_hz});
    return this.#dragTo({frequency_hz, gain_db: limit(dbOfY(frame, yOfDb(frame, values.gain_db) + dy * factor), values.gain_range)});
  }

  /** Keeps exact values while dragging, and reports rounded ones. */
  #dragTo(values: Omit<HandleChange, 'id'>): void {
    const drag = this.#drag;
    if (!drag) return;
    drag.values = {...drag.values, ...values};
    drag.change = {...drag.change, id: drag.id, ...values};
    this.#shown(drag.id, roundChange({id: drag.id, ...values}), 'input');
  }

  #release(event: PointerEvent): void {
    const drag = this.#drag;
    if (drag?.pointer !== event.pointerId) return;
    this.#drag = undefined;
    this.#heldRange = undefined;
    (event.currentTarget as HTMLElement).classList.remove('active');
    if (drag.change) this.#settle(roundChange(drag.change));
    else this.invalidate();
  }

  #wheel(id: string, event: WheelEvent): void {
    const handle = this.#find(id);
    if (handle?.q === undefined || event.ctrlKey) return;
    event.preventDefault();
    const notches = Math.max(-1, Math.min(1, -event.deltaY / 100));
    this.#settle({id, q: roundQ(limit(handle.q * 1.12 ** (notches * (event.shiftKey ? FINE : 1)), handle.q_range))});
  }

  #key(id: string, event: KeyboardEvent): void {
    const handle = this.#find(id);
    if (!handle || event.altKey || event.ctrlKey || event.metaKey) return;
    const change = changeOfKey(event, handle);
    if (!change) return;
    event.preventDefault();
    if (event.key === 'Delete' || event.key === 'Backspace') this.#reset(id);
    else this.#settle(roundChange({id, ...change}, event.shiftKey));
  }

  #reset(id: string): void {
    const handle = this.#find(id);
    if (handle?.reset) this.#settle({id, ...handle.reset});
  }

  /** Reports a change that is complete, and shows it until the owner has it. */
  #settle(change: HandleChange): void {
    const {id, ...values} = change;
    clearTimeout(this.#settling.get(id)?.timer);
    const timer = setTimeout(() => { this.#settling.delete(id); this.invalidate(); }, 600);
    this.#settling.set(id, {values: {...this.#settling.get(id)?.values, ...values}, timer});
    this.#shown(id, change, 'input');
    this.#shown(id, change, 'change');
  }

  #shown(id: string, change: HandleChange, kind: 'input' | 'change'): void {
    this.#show(id);
    this.invalidate();
    report(this, kind, change);
  }
}

/** Returns what a key changes, or nothing for other keys. */
function changeOfKey({key, shiftKey}: KeyboardEvent, {frequency_hz, gain_db, q, ...ranges}: Handle): Omit<HandleChange, 'id'> | undefined {
  const sign = key === 'ArrowRight' || key === 'ArrowUp' || key === 'PageUp' ? 1 : -1;
  switch (key) {
    case 'ArrowLeft': case 'ArrowRight':
      return {frequency_hz: limit(frequency_hz * 2 ** (sign * (shiftKey ? 1 / 96 : 1 / 12)), ranges.frequency_range)};
    case 'ArrowUp': case 'ArrowDown':
      return gain_db === undefined ? {} : {gain_db: limit(gain_db + sign * (shiftKey ? 0.1 : 0.5), ranges.gain_range)};
    case 'PageUp': case 'PageDown':
      return q === undefined ? {} : {q: limit(q * 1.12 ** (sign * (shiftKey ? FINE : 1)), ranges.q_range)};
    case 'Delete': case 'Backspace': return {};
    default: return undefined;
  }
}

function drawCurve(context: CanvasRenderingContext2D, palette: Palette, frame: Frame, curve: Curve): void {
  const {frequencies_hz, magnitude_db, colour = 'accent'} = curve;
  if (frequencies_hz.length === 0) return;
  const points = frequencies_hz.map((hz, i) => [xOfHz(frame, hz), yOfDb(frame, Math.max(magnitude_db[i] ?? -300, frame.lowDb - 60))] as const);
  const path = new Path2D();
  points.forEach(([x, y], i) => { if (i === 0) path.moveTo(x, y); else path.lineTo(x, y); });
  if (curve.filled) {
    const area = new Path2D(path);
    const zero = Math.min(Math.max(yOfDb(frame, 0), frame.top), frame.bottom);
    area.lineTo(points[points.length - 1]![0], zero);
    area.lineTo(points[0]![0], zero);
    context.fillStyle = palette[colour];
    context.globalAlpha = 0.14;
    context.fill(area);
    context.globalAlpha = 1;
  }
  context.strokeStyle = palette[colour];
  context.lineWidth = colour === 'dim' ? 1.25 : 2;
  context.lineJoin = 'round';
  context.setLineDash(curve.dashed ? [5, 4] : []);
  context.stroke(path);
  context.setLineDash([]);
}

function describe({frequency_hz, gain_db, q}: Handle): string {
  return [formatDisplay(frequency_hz, 'Hz'), ...gain_db === undefined ? [] : [formatDisplay(gain_db, 'dB')],
          ...q === undefined ? [] : [`Q\u00a0${formatDisplay(q, '')}`]].join('   ');
}

function limit(value: number, range: HandleRange | undefined): number {
  return range ? Math.min(Math.max(value, range.minimum), range.maximum) : value;
}

function roundQ(q: number): number { return Math.fround(Number(q.toPrecision(3))); }

/** Rounds values to what is shown, so that they are plain numbers. */
function roundChange(change: HandleChange, fine = false): HandleChange {
  const rounded = {...change};
  if (change.frequency_hz !== undefined) rounded.frequency_hz = Math.fround(Number(change.frequency_hz.toPrecision(fine ? 5 : 4)));
  if (change.gain_db !== undefined) rounded.gain_db = Math.fround(Number(change.gain_db.toFixed(1)));
  if (change.q !== undefined) rounded.q = roundQ(change.q);
  return rounded;
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element: HTMLElement, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

define('rta-curve', RtaCurve);
declare global { interface HTMLElementTagNameMap { 'rta-curve': RtaCurve } }
