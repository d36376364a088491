// SPDX-License-Identifier: MIT
import type {ChannelLevel, Loudness} from 'rta-client/core';
import {type PropertyValues, type TemplateResult, css, html, nothing} from 'lit';
import '../controls/fader.js';
import '../controls/meter.js';
import type {RtaMeter} from '../controls/meter.js';
import type {ValueSpec} from '../controls/specs.js';
import '../controls/switch.js';
import {SILENCE_DB, formatLevel} from '../controls/units.js';
import '../controls/value.js';
import {words} from '../controls/words.js';
import {define} from '../drawing/canvas_element.js';
import {ModelElement, common} from '../model_element.js';
import {DEVICE_STRIP, type Strip, levelsOf} from './layout.js';
import {pins} from './pins.js';

/** The volume of the device output; see SetVolume in the protocol. */
export const VOLUME: ValueSpec = {unit: 'dB', minimum: SILENCE_DB, maximum: 12, default: 0, ramp_law: 'amplitude'};
/** The numbers of the loudness change at this rate, so that they can be read. */
const NUMBERS_EVERY_MS = 250;

/**
 * A strip of the mixer: fader, mute, meter. `look`: `mixer`, upright; or `stage`, wide, for a phone. It measures its signal
 * while it can be seen.
 */
export class StripElement extends ModelElement {
  static override properties = {strip: {attribute: false}, look: {reflect: true}};
  protected static override readonly watched = ['graph', 'status', 'connection'] as const;

  static override styles = [common, css`
    :host { display: grid; grid-template: auto minmax(120px, 1fr) auto auto auto / 100%; gap: var(--rta-gap); padding: 8px;
      width: 104px; flex: none; background: var(--rta-surface); border: 1px solid var(--rta-line); border-radius: var(--rta-radius); }
    .head { display: grid; grid-template-columns: minmax(0, 1fr) auto; align-items: start; align-content: start; min-width: 0; height: 54px; }
    /* A name has two lines, or one with a longer word. */
    h2 { margin: 0; font-size: 14px; font-weight: 600; line-height: 1.25; overflow: hidden; text-overflow: ellipsis;
      display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; }
    .head p { margin: 0; grid-column: 1 / -1; font-size: 12px; color: var(--rta-dim); overflow: hidden; text-overflow: ellipsis;
      white-space: nowrap; }
    button.pin { min-height: 24px; min-width: 24px; width: 24px; padding: 0; margin: -3px -4px -6px 0; display: grid; place-items: center;
      border-color: transparent; background: none; color: var(--rta-dim); }
    button.pin[aria-pressed='true'] { background: none; border-color: transparent; color: var(--rta-accent); }
    button.pin svg { width: 16px; height: 16px; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linejoin: round; }
    button.pin[aria-pressed='true'] svg { fill: currentColor; }
    .levels { display: flex; justify-content: center; gap: 4px; min-height: 0; }
    rta-fader { height: 100%; min-width: 40px; }
    rta-meter { height: auto; align-self: stretch; width: 34px; }
    rta-value { justify-self: center; }
    rta-switch { min-height: 28px; }
    .space { min-height: 28px; }
    .loudness { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: 0 6px; font-size: 12px; line-height: 1.35; min-height: 33px;
      color: var(--rta-dim); }
    .loudness dd { margin: 0; text-align: right; color: var(--rta-text); }
    :host([look='stage']) { width: auto; grid-template: auto auto auto / minmax(0, 1fr) auto auto; gap: 4px 12px; align-items: center; padding: 10px 14px; }
    :host([look='stage']) .head { grid-column: 1; }
    :host([look='stage']) h2 { font-size: 17px; }
    :host([look='stage']) .levels { grid-column: 1 / -1; display: grid; grid-template-columns: 100%; gap: 0; }
    :host([look='stage']) rta-fader { height: 52px; width: 100%; }
    :host([look='stage']) rta-meter { width: 100%; height: 8px; }
    :host([look='stage']) .pin, :host([look='stage']) .loudness, :host([look='stage']) .space { display: none; }
    :host([look='stage']) .head { height: auto; }
    :host([look='stage']) rta-switch { grid-column: 3; grid-row: 1; }
    :host([look='stage']) rta-value { grid-column: 2; grid-row: 1; font-size: 17px; }
    :host([look='stage']) rta-value:has(+ .space) { grid-column: 2 / -1; }
    @media (pointer: coarse) {
      rta-fader { min-width: var(--rta-touch); }
      .space { min-height: var(--rta-touch); }
      button.pin { min-height: var(--rta-touch); min-width: 36px; margin: -10px -10px -22px 0; }
    }
  `];

  declare strip: Strip;
  declare look: 'mixer' | 'stage';

  #stops: (() => void)[] = [];
  /** What is measured, as text. */
  #measured = '';
  #visible = false;
  readonly #levels = new Map<string, readonly ChannelLevel[]>();
  readonly #seen = new IntersectionObserver((entries) => {
    this.#visible = entries.some(({isIntersecting}) => isIntersecting);
    this.#measure();
  }, {rootMargin: '0px 120px'});
  #numbersAt = -Infinity;
  readonly #pinned = (): void => this.requestUpdate();

  constructor() {
    super();
    this.strip = DEVICE_STRIP;
    this.look = 'mixer';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#seen.observe(this);
    pins.addEventListener('change', this.#pinned);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#seen.disconnect();
    this.#visible = false;
    this.#measure();
    pins.removeEventListener('change', this.#pinned);
  }

  protected override render(): TemplateResult {
    const {strip} = this;
    const horizontal = this.look === 'stage';
    const spec = strip.level ?? VOLUME;
    const name = `${strip.title}, ${strip.subtitle}`;
    const disabled = !this.model.canEdit;
    const pending = strip.level !== undefined && this.model.isUncertain(strip.node, strip.level.name);
    return html`<div class="head"><h2 title=${strip.title}>${words(strip.title)}</h2>${strip.kind === 'device' ? nothing : this.#pin()}
        <p title=${strip.subtitle}>${strip.subtitle}</p></div>
      <div class="levels">
        <rta-fader label=${`Level of ${name}`} .spec=${spec} .value=${this.#gain} .disabled=${disabled} .pending=${pending}
          orientation=${horizontal ? 'horizontal' : 'vertical'} @input=${this.#setLevel} @change=${this.#setLevel}></rta-fader>
        <rta-meter label=${`Signal of ${name}`} ?reading=${!horizontal} orientation=${horizontal ? 'horizontal' : 'vertical'}></rta-meter>
      </div>
      <rta-value label=${`Level of ${name}, as a number`} .spec=${spec} .value=${this.#gain} .disabled=${disabled} .pending=${pending}
        @input=${this.#setLevel} @change=${this.#setLevel}></rta-value>
      ${strip.mute || (strip.kind === 'device' && !horizontal) ? html`<rta-switch look="key" tone="bad" label=${`Mute ${name}`} text="Mute"
        .checked=${this.#muted} .disabled=${disabled} @change=${this.#setMute}></rta-switch>` : html`<span class="space"></span>`}
      ${horizontal ? nothing : html`<dl class="loudness">${strip.meter === undefined ? nothing
        : html`<dt title="Short-term loudness, 3 s">S</dt><dd id="short"></dd><dt title="Integrated loudness since the reset">I</dt><dd id="integrated"></dd>`}</dl>`}`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', `${this.strip.title}, ${this.strip.subtitle}`);
    this.#measure();
  }

  #pin(): TemplateResult {
    const pinned = pins.has(this.strip.id);
    return html`<button class="pin" aria-pressed=${pinned} aria-label=${`Pin ${this.strip.title} to the stage`}
      title=${pinned ? 'Remove from the stage' : 'Pin to the stage'} @click=${() => pins.toggle(this.strip.id)}>
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M5.5 1.5h5l-.8 5 2.3 2.5h-8l2.3-2.5z"/><path d="M8 9v5.5"/></svg></button>`;
  }

  get #gain(): number {
    const {node, level} = this.strip;
    return level ? this.model.value(node, level.name) ?? level.default : this.model.volumeDb;
  }

  get #muted(): boolean {
    const {node, mute, kind} = this.strip;
    return kind === 'device' ? this.model.muted : mute !== undefined && (this.model.value(node, mute.name) ?? 0) > 0;
  }

  #setLevel({detail}: CustomEvent<number>): void {
    const {node, level} = this.strip;
    if (level) this.model.set({[`${node}.${level.name}`]: detail});
    else this.model.setVolume(detail);
  }

  #setMute({detail}: CustomEvent<boolean>): void {
    const {node, mute} = this.strip;
    if (mute) this.model.set({[`${node}.${mute.name}`]: detail ? 1 : 0});
    else void this.model.mute(detail);
  }

  /** Measures what the strip shows, while it can be seen. */
  #measure(): void {
    const {strip} = this;
    const wanted = this.#visible ? JSON.stringify([strip.id, strip.kind, strip.contributions, strip.meter]) : '';
    if (wanted === this.#measured) return;
    this.#measured = wanted;
    for (const stop of this.#stops.splice(0)) stop();
    this.#levels.clear();
    if (wanted === '') return;
    for (const {port} of strip.contributions) {
      this.#stops.push(this.model.watchPort(port, false, ({channels}) => {
        this.#levels.set(port, channels);
        this.#showLevels(levelsOf(this.strip, this.#levels, {gain_db: this.#gain, muted: this.#muted}));
      }));
    }
    if (strip.kind === 'device') {
      this.#stops.push(this.model.watchLevels(({outputs}) => this.#showLevels(outputs)));
    } else if (strip.meter !== undefined) {
      this.#stops.push(this.model.watchLevels(({meters}) => {
        this.#showLoudness(meters.find(({node}) => node === strip.meter)?.loudness);
      }));
    }
  }

  get #meter(): RtaMeter | null { return this.renderRoot.querySelector('rta-meter'); }

  #showLevels(levels: readonly ChannelLevel[] | undefined): void {
    if (this.#meter && levels) this.#meter.levels = levels;
  }

  #showLoudness(loudness: Loudness | undefined): void {
    if (this.#meter) this.#meter.loudness = loudness;
    const now = performance.now();
    if (now - this.#numbersAt < NUMBERS_EVERY_MS) return;
    this.#numbersAt = now;
    const show = (id: string, lufs: number | undefined): void => {
      const element = this.renderRoot.querySelector(`#${id}`);
      if (element) element.textContent = lufs === undefined ? '\u2013' : `${formatLevel(lufs)}\u00a0LUFS`;
    };
    show('short', loudness?.short_term_lufs);
    show('integrated', loudness?.integrated_lufs);
  }
}

define('rta-strip', StripElement);
declare global { interface HTMLElementTagNameMap { 'rta-strip': StripElement } }
