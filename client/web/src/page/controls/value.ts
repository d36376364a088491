// SPDX-License-Identifier: MIT
import {LitElement, type TemplateResult, css, html, nothing} from 'lit';
import {define} from '../drawing/canvas_element.js';
import {cssProperties} from './css_properties.js';
import {DoubleTap, keep, report} from './events.js';
import {HeldValue} from './held_value.js';
import {type StepSize, isLevel, limited, rounded, scaleOf, stepped} from './scale.js';
import type {ValueSpec} from './specs.js';
import {SILENCE_DB, formatDisplay, formatExact, parseValue} from './units.js';

const PLAIN: ValueSpec = {unit: '', minimum: 0, maximum: 1, default: 0, ramp_law: 'linear'};
/** Pixels of a drag over the whole range. */
const DRAG_PIXELS = 240;
const FINE = 0.1;
/** Movement below which a press is a click. */
const CLICK_PIXELS = 3;

/**
 * A number with its unit: `<rta-value label="Frequency" .spec=${spec} .value=${440}>`. It is typed as people write it
 * (`250ms`, `-6dB`, `1.2kHz`), dragged, or changed with the arrow keys; with Shift, in fine steps. A double click sets the
 * default. A text that is not accepted stays, with the reason, until it is corrected or Escape is pressed.
 *
 * Events: 'input' while it moves, 'change' at the end; `detail` is the value.
 */
export class RtaValue extends LitElement {
  static override properties = {
    spec: {attribute: false}, value: {type: Number}, label: {}, disabled: {type: Boolean, reflect: true},
    pending: {type: Boolean, reflect: true}, text: {state: true}, error: {state: true},
  };

  static override styles = css`
    :host { display: inline-block; position: relative; vertical-align: baseline; max-width: 100%; }
    :host([hidden]) { display: none; }
    input { box-sizing: border-box; width: var(--rta-value-width, calc(var(--chars) * 1ch + 16px)); max-width: 100%; min-height: 28px; padding: 3px 7px; margin: 0;
      font: inherit; font-variant-numeric: tabular-nums; text-align: right; color: var(--rta-text, #14181f);
      background: var(--rta-surface, #fff); border: 1px solid var(--rta-edge, #858e95); border-radius: var(--rta-radius, 6px);
      cursor: ns-resize; touch-action: pan-y; outline: none; }
    :host([plain]) input:not(:focus) { background: none; border-color: transparent; }
    input:hover { border-color: var(--rta-dim, #5b6472); }
    input:focus { cursor: text; border-color: var(--rta-accent, #0a66c2); box-shadow: 0 0 0 1px var(--rta-accent, #0a66c2); }
    input[aria-invalid='true'] { border-color: var(--rta-bad, #c4281c); box-shadow: 0 0 0 1px var(--rta-bad, #c4281c); }
    input:disabled { opacity: .5; cursor: default; }
    :host([pending]) input { font-style: italic; }
    @media (pointer: coarse) { input { min-height: var(--rta-touch, 44px); } }
    .error { position: absolute; z-index: 10; top: calc(100% + 4px); right: 0; width: max-content; max-width: 240px; padding: 6px 10px;
      font-size: 13px; line-height: 1.35; text-align: left; color: var(--rta-text, #14181f); background: var(--rta-surface, #fff);
      border: 1px solid var(--rta-bad, #c4281c); border-radius: var(--rta-radius, 6px); box-shadow: 0 4px 16px rgb(0 0 0 / .2); }
  `;

  declare spec: ValueSpec;
  declare label: string;
  declare disabled: boolean;
  /** The value was not acknowledged yet. */
  declare pending: boolean;
  /** What is being typed; undefined: nothing. */
  declare protected text: string | undefined;
  declare protected error: string;

  readonly #held = new HeldValue(0, () => this.requestUpdate());
  readonly #taps = new DoubleTap();
  #drag: {pointer: number; x: number; y: number; at: number; moved: boolean} | undefined;

  constructor() {
    super();
    this.spec = PLAIN;
    this.label = '';
    this.disabled = false;
    this.pending = false;
    this.text = undefined;
    this.error = '';
  }

  get value(): number { return this.#held.shown; }
  set value(value: number) {
    this.#held.owner = value;
    this.requestUpdate();
  }

  override focus(options?: FocusOptions): void { this.#input.focus(options); }

  protected override render(): TemplateResult {
    const {unit, minimum, maximum} = this.spec;
    return html`<input type="text" role="spinbutton" inputmode="text" autocomplete="off" spellcheck="false" enterkeyhint="done"
        ${cssProperties({'--chars': this.#chars()})} .value=${this.text ?? this.#shown(this.value)} ?disabled=${this.disabled}
        aria-label=${this.label} aria-valuenow=${this.value} aria-valuemin=${minimum} aria-valuemax=${maximum}
        aria-valuetext=${this.#shown(this.value)} aria-invalid=${this.error !== ''} aria-errormessage=${this.error ? 'error' : nothing}
        title=${`${formatExact(this.value, unit)} (${formatExact(minimum, unit)} to ${formatExact(maximum, unit)})`}
        @focus=${this.#focused} @blur=${this.#left} @input=${this.#typed} @change=${keep} @keydown=${this.#key}
        @pointerdown=${this.#press} @pointermove=${this.#move} @pointerup=${this.#release} @pointercancel=${this.#release}>
      ${this.error ? html`<div class="error" id="error" role="alert">${this.error}</div>` : nothing}`;
  }

  get #input(): HTMLInputElement { return this.renderRoot.querySelector('input')!; }

  #shown(value: number): string {
    if (this.spec.whole) return formatExact(Math.round(value), this.spec.unit);
    return formatDisplay(value, this.spec.unit, isLevel(this.spec) ? SILENCE_DB : undefined);
  }

  /** Width of the longest text of the range, so that no value moves its neighbours. */
  #chars(): number {
    const {minimum, maximum, unit} = this.spec;
    const samples = [minimum, maximum, this.spec.default, unit === 'dB' ? -99.9 : 500];
    return Math.max(...samples.map((value) => this.#shown(limited(value, this.spec)).length), 4);
  }

  #set(value: number, moving: boolean): void {
    this.#held.change(value, moving);
    this.text = undefined;
    this.error = '';
    this.requestUpdate();
    report(this, moving ? 'input' : 'change', value);
  }

  #setAtOnce(value: number): void {
    this.#set(value, true);
    this.#set(value, false);
  }

  #focused(): void { this.#input.select(); }

  #typed(event: Event): void {
    keep(event);
    this.text = this.#input.value;
    this.error = '';
  }

  /** Takes what was typed. Returns false, and shows why, if it is not accepted. */
  #commit(): boolean {
    if (this.text === undefined) return true;
    const {unit, minimum, maximum, whole} = this.spec;
    const {value, error} = parseValue(this.text, unit);
    if (error !== undefined) {
      this.error = error;
    } else if (value < minimum || value > maximum) {
      this.error = `${formatExact(value, unit)} is out of range: ${formatExact(minimum, unit)} to ${formatExact(maximum, unit)}`;
    } else if (whole && !Number.isInteger(value)) {
      this.error = `${formatExact(value, unit)} is not a whole number`;
    } else {
      this.#setAtOnce(value);
      return true;
    }
    return false;
  }

  #left(): void {
    if (this.#commit()) return;
    this.text = undefined;
    this.error = '';
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    switch (event.key) {
      case 'Enter':
        if (this.#commit()) this.#selectLater();
        break;
      case 'Escape':
        if (this.text === undefined) return;
        event.stopPropagation();  // the panel around it stays open
        this.text = undefined;
        this.error = '';
        this.#selectLater();
        break;
      case 'ArrowUp': case 'PageUp': this.#step(1, event); break;
      case 'ArrowDown': case 'PageDown': this.#step(-1, event); break;
      default: return;
    }
    event.preventDefault();
  }

  #step(direction: 1 | -1, {key, shiftKey}: KeyboardEvent): void {
    if (!this.#commit()) return;
    const size: StepSize = key.startsWith('Page') ? 'page' : shiftKey ? 'fine' : 'normal';
    const value = stepped(this.value, direction, this.spec, size);
    if (value !== this.value) this.#setAtOnce(value);
    this.#selectLater();
  }

  /** So that what is typed next replaces the value. */
  #selectLater(): void { void this.updateComplete.then(() => this.#input.select()); }

  #press(event: PointerEvent): void {
    if (event.button !== 0 || this.disabled) return;
    if (this.#taps.press(event)) {
      event.preventDefault();
      if (this.spec.default !== this.value || this.text !== undefined) this.#setAtOnce(this.spec.default);
      return;
    }
    if (this.#input.matches(':focus') && event.pointerType === 'mouse') return;  // to place the cursor
    event.preventDefault();
    this.#input.setPointerCapture(event.pointerId);
    this.#drag = {pointer: event.pointerId, x: event.clientX, y: event.clientY, at: scaleOf(this.spec).position(this.value), moved: false};
  }

  #move(event: PointerEvent): void {
    const drag = this.#drag;
    if (drag?.pointer !== event.pointerId) return;
    const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(x, y) < CLICK_PIXELS) return;
    this.#taps.forget();
    const at = Math.min(Math.max(drag.at + (x - y) / DRAG_PIXELS * (event.shiftKey ? FINE : 1), 0), 1);
    Object.assign(drag, {x: event.clientX, y: event.clientY, at, moved: true});
    const value = rounded(scaleOf(this.spec).value(at), this.spec, event.shiftKey);
    if (value !== this.value) this.#set(value, true);
  }

  #release(event: PointerEvent): void {
    if (this.#drag?.pointer !== event.pointerId) return;
    const {moved} = this.#drag;
    this.#drag = undefined;
    if (moved) this.#set(this.value, false);
    else if (event.type === 'pointerup') this.#input.focus();
  }
}

define('rta-value', RtaValue);
declare global { interface HTMLElementTagNameMap { 'rta-value': RtaValue } }
