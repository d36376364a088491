// SPDX-License-Identifier: MIT
import {LitElement, type PropertyValues, type TemplateResult, css, html} from 'lit';
import {define} from '../drawing/canvas_element.js';
import {cssProperties} from './css_properties.js';
import {DoubleTap, keep, report} from './events.js';
import {HeldValue} from './held_value.js';
import {type StepSize, isLevel, rounded, scaleOf, stepped} from './scale.js';
import type {ValueSpec} from './specs.js';
import {SILENCE_DB, formatDisplay} from './units.js';

/** A level that reaches down to silence. */
const LEVEL: ValueSpec = {unit: 'dB', minimum: SILENCE_DB, maximum: 12, default: 0, ramp_law: 'amplitude'};
const MARKS_DB = [0, 24, 12, 6, -6, -12, -20, -30, -40, -60, SILENCE_DB];
/** Distance of marks that are shown, as a part of the fader. */
const LEAST_DISTANCE = 0.055;
/** Part of a movement with Shift. */
const FINE = 0.1;
/** Movement that does not count yet: a double click is not steady. */
const SLACK_PIXELS = 3;

/**
 * A fader: `<rta-fader label="Volume" .spec=${spec} .value=${-6}>`. A movement is relative to where it starts, so a touch
 * does not jump. With Shift, it is ten times as fine. A double click sets the default.
 *
 * Attributes: `label`, `orientation` (vertical or horizontal), `marks` (shows levels next to it), `disabled`, `pending`.
 * Events: 'input' while it moves, 'change' at the end; `detail` is the value.
 */
export class RtaFader extends LitElement {
  static override properties = {
    spec: {attribute: false}, value: {type: Number}, label: {}, orientation: {reflect: true}, marks: {type: Boolean},
    disabled: {type: Boolean, reflect: true}, pending: {type: Boolean, reflect: true},
  };

  static override styles = css`
    :host { display: inline-grid; position: relative; touch-action: pan-x; user-select: none; -webkit-user-select: none;
      min-width: var(--rta-touch, 44px); height: 200px; cursor: ns-resize; --thumb: 26px; --groove: 4px; }
    :host([hidden]) { display: none; }
    :host([orientation='horizontal']) { touch-action: pan-y; cursor: ew-resize; height: var(--rta-touch, 44px); min-width: 120px; }
    :host([disabled]) { opacity: .45; cursor: default; pointer-events: none; }
    input { pointer-events: none; margin: 0; padding: 0; background: none; -webkit-appearance: none; appearance: none;
      writing-mode: vertical-lr; direction: rtl; width: 100%; height: 100%; grid-area: 1 / 1; outline: none; color: inherit; position: relative; z-index: 1; }
    :host([orientation='horizontal']) input { writing-mode: horizontal-tb; direction: ltr; }
    .groove, .fill { grid-area: 1 / 1; place-self: center; border-radius: 2px; pointer-events: none; }
    .groove { width: var(--groove); height: 100%; background: var(--rta-line, #cdd2da); }
    .fill { width: var(--groove); align-self: end; justify-self: center; height: calc(var(--thumb) / 2 + var(--at) * (100% - var(--thumb)));
      background: var(--rta-accent, #0a66c2); }
    :host([orientation='horizontal']) .groove { width: 100%; height: var(--groove); }
    :host([orientation='horizontal']) .fill { height: var(--groove); place-self: center start;
      width: calc(var(--thumb) / 2 + var(--at) * (100% - var(--thumb))); }
    input::-webkit-slider-runnable-track { background: none; border: 0; }
    input::-moz-range-track { background: none; border: 0; }
    input::-webkit-slider-thumb { -webkit-appearance: none; appearance: none; box-sizing: border-box; height: var(--thumb); width: 34px;
      border-radius: 4px; border: 1px solid var(--rta-dim, #5b6472); background: var(--cap); box-shadow: 0 1px 3px rgb(0 0 0 / .25); }
    input::-moz-range-thumb { box-sizing: border-box; height: var(--thumb); width: 34px; border-radius: 4px;
      border: 1px solid var(--rta-dim, #5b6472); background: var(--cap); box-shadow: 0 1px 3px rgb(0 0 0 / .25); }
    :host { --cap: linear-gradient(var(--rta-surface, #fff) calc(50% - 1px), var(--rta-accent, #0a66c2) calc(50% - 1px) calc(50% + 1px),
      var(--rta-surface, #fff) calc(50% + 1px)); }
    :host([orientation='horizontal']) { --cap: linear-gradient(90deg, var(--rta-surface, #fff) calc(50% - 1px),
      var(--rta-accent, #0a66c2) calc(50% - 1px) calc(50% + 1px), var(--rta-surface, #fff) calc(50% + 1px)); }
    :host([orientation='horizontal']) input::-webkit-slider-thumb { width: var(--thumb); height: 32px; }
    :host([orientation='horizontal']) input::-moz-range-thumb { width: var(--thumb); height: 32px; }
    input:focus-visible::-webkit-slider-thumb { outline: 2px solid var(--rta-accent, #0a66c2); outline-offset: 2px; }
    input:focus-visible::-moz-range-thumb { outline: 2px solid var(--rta-accent, #0a66c2); outline-offset: 2px; }
    :host([pending]) .fill { opacity: .5; }
    .marks { grid-area: 1 / 1; position: relative; margin-block: calc(var(--thumb) / 2); pointer-events: none;
      font-size: 10px; line-height: 1; color: var(--rta-dim, #5b6472); font-variant-numeric: tabular-nums; }
    .marks span { position: absolute; right: calc(50% + 20px); bottom: calc(var(--mark) * 100%); translate: 0 50%; white-space: nowrap; }
    .marks i { position: absolute; left: calc(50% - 9px); width: 18px; height: 1px; bottom: calc(var(--mark) * 100%);
      background: var(--rta-line, #cdd2da); }
    .marks i.zero { background: var(--rta-dim, #5b6472); }
    :host([orientation='horizontal']) .marks { margin: 0 calc(var(--thumb) / 2); }
    :host([orientation='horizontal']) .marks i { left: calc(var(--mark) * 100%); top: calc(50% - 9px); bottom: auto; width: 1px; height: 18px; }
    :host([orientation='horizontal']) .marks span { right: auto; left: calc(var(--mark) * 100%); translate: -50%; bottom: calc(50% + 18px); }
    :host([marks]) { min-width: 84px; }
  `;

  declare spec: ValueSpec;
  declare label: string;
  declare orientation: 'vertical' | 'horizontal';
  declare marks: boolean;
  declare disabled: boolean;
  /** The value was not acknowledged yet. */
  declare pending: boolean;

  readonly #held = new HeldValue(0, () => this.requestUpdate());
  readonly #taps = new DoubleTap();
  #drag: {pointer: number; place: number; at: number; before: number; moved: boolean} | undefined;

  constructor() {
    super();
    this.spec = LEVEL;
    this.label = '';
    this.orientation = 'vertical';
    this.marks = false;
    this.disabled = false;
    this.pending = false;
    this.addEventListener('pointerdown', (event) => this.#press(event));
    this.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const)
      this.addEventListener(end, (event) => this.#release(event));
  }

  get value(): number { return this.#held.shown; }
  set value(value: number) {
    this.#held.owner = value;
    this.requestUpdate();
  }

  override focus(options?: FocusOptions): void { this.#input?.focus(options); }

  protected override render(): TemplateResult {
    const position = scaleOf(this.spec).position(this.value);
    return html`${this.#marks()}<div class="groove"></div><div class="fill" ${cssProperties({'--at': position})}></div>
      <input type="range" min="0" max="1" step="any" .value=${String(position)} aria-label=${this.label}
        aria-orientation=${this.orientation} aria-valuetext=${this.#text()} ?disabled=${this.disabled}
        @input=${this.#native} @change=${keep} @keydown=${this.#key}>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('spec')) this.requestUpdate();  // the range input limits its value by the range that it had
  }

  get #input(): HTMLInputElement | null { return this.renderRoot.querySelector('input'); }

  #text(): string { return formatDisplay(this.value, this.spec.unit, isLevel(this.spec) ? SILENCE_DB : undefined); }

  /** Ticks of levels; with `marks`, with their numbers. */
  #marks(): TemplateResult | string {
    if (!isLevel(this.spec)) return '';
    const {position} = scaleOf(this.spec);
    const shown: number[] = [];
    for (const db of MARKS_DB.filter((mark) => mark >= this.spec.minimum && mark <= this.spec.maximum)) {
      if (shown.every((other) => Math.abs(position(other) - position(db)) >= LEAST_DISTANCE)) shown.push(db);
    }
    return html`<div class="marks" aria-hidden="true">${shown.map((db) => html`
      <i class=${db === 0 ? 'zero' : ''} ${cssProperties({'--mark': position(db)})}></i>${this.marks ? html`
      <span ${cssProperties({'--mark': position(db)})}>${db <= SILENCE_DB ? '∞' : Math.abs(db)}</span>` : ''}`)}</div>`;
  }

  #set(value: number, moving: boolean): void {
    this.#held.change(value, moving);
    this.requestUpdate();
    report(this, moving ? 'input' : 'change', value);
  }

  /** A screen reader or a browser has moved the range input. */
  #native(event: Event): void {
    keep(event);
    const value = rounded(scaleOf(this.spec).value(Number((event.target as HTMLInputElement).value)), this.spec);
    this.#set(value, true);
    this.#set(value, false);
  }

  #key(event: KeyboardEvent): void {
    const value = this.#valueOfKey(event);
    if (value === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (value === this.value) return;
    this.#set(value, true);
    this.#set(value, false);
  }

  #valueOfKey({key, shiftKey}: KeyboardEvent): number | undefined {
    const size: StepSize = key.startsWith('Page') ? 'page' : shiftKey ? 'fine' : 'normal';
    switch (key) {
      case 'ArrowUp': case 'ArrowRight': case 'PageUp': return stepped(this.value, 1, this.spec, size);
      case 'ArrowDown': case 'ArrowLeft': case 'PageDown': return stepped(this.value, -1, this.spec, size);
      case 'Home': return this.spec.minimum;
      case 'End': return this.spec.maximum;
      case 'Delete': case 'Backspace': return this.spec.default;
      default: return undefined;
    }
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0 || this.disabled || this.#drag) return;
    event.preventDefault();
    this.#input?.focus({preventScroll: true});
    if (this.#taps.press(event)) {
      this.#set(this.spec.default, true);
      this.#set(this.spec.default, false);
      return;
    }
    this.setPointerCapture(event.pointerId);
    this.#drag = {pointer: event.pointerId, place: this.#placeOf(event), at: scaleOf(this.spec).position(this.value), before: this.value,
                  moved: false};
  }

  #move(event: PointerEvent): void {
    const drag = this.#drag;
    if (drag?.pointer !== event.pointerId) return;
    const place = this.#placeOf(event);
    const length = (this.orientation === 'vertical' ? this.clientHeight : this.clientWidth) - 26;
    const moved = (place - drag.place) / Math.max(length, 1) * (event.shiftKey ? FINE : 1);
    if (moved === 0 || (!drag.moved && Math.abs(place - drag.place) < SLACK_PIXELS)) return;
    if (!drag.moved) this.#taps.forget();
    Object.assign(drag, {place, moved: true, at: Math.min(Math.max(drag.at + moved, 0), 1)});
    const value = rounded(scaleOf(this.spec).value(drag.at), this.spec, event.shiftKey);
    if (value !== this.value) this.#set(value, true);
  }

  #release(event: PointerEvent): void {
    if (this.#drag?.pointer !== event.pointerId) return;
    const {moved, before} = this.#drag;
    this.#drag = undefined;
    // A touch that turns out to scroll the page is cancelled.
    const value = event.type === 'pointercancel' ? before : this.value;
    if (moved) this.#set(value, false);
    else this.#held.settle();
  }

  #placeOf({clientX, clientY}: PointerEvent): number { return this.orientation === 'vertical' ? -clientY : clientX; }
}

define('rta-fader', RtaFader);
declare global { interface HTMLElementTagNameMap { 'rta-fader': RtaFader } }
