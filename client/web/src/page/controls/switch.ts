// SPDX-License-Identifier: MIT
import {LitElement, type TemplateResult, css, html} from 'lit';
import {define} from '../drawing/canvas_element.js';
import {report} from './events.js';
import {HeldValue} from './held_value.js';

/**
 * A switch: `<rta-switch label="Mute" look="key" tone="bad" .checked=${muted}>`. `look="key"` is a key that lights up,
 * with its label on it; otherwise the label is for screen readers, and the text next to the switch is the content.
 * Events: 'input' and 'change'; `detail` is true or false.
 */
export class RtaSwitch extends LitElement {
  static override properties = {
    checked: {type: Boolean}, label: {}, text: {}, look: {reflect: true}, tone: {reflect: true},
    disabled: {type: Boolean, reflect: true}, pending: {type: Boolean, reflect: true},
  };

  static override styles = css`
    :host { display: inline-flex; --on: var(--rta-accent, #0a66c2); }
    :host([hidden]) { display: none; }
    :host([tone='bad']) { --on: var(--rta-bad, #c4281c); }
    :host([tone='warn']) { --on: var(--rta-warn, #b36b00); }
    :host([tone='good']) { --on: var(--rta-good, #1d7f4e); }
    button { font: inherit; color: inherit; background: none; border: 0; margin: 0; padding: 4px 0; display: inline-flex; gap: 10px;
      align-items: center; cursor: pointer; min-height: 28px; touch-action: manipulation; border-radius: var(--rta-radius, 6px); }
    button:disabled { opacity: .5; cursor: default; }
    button:focus-visible { outline: 2px solid var(--rta-accent, #0a66c2); outline-offset: 2px; }
    .slot { box-sizing: border-box; position: relative; flex: none; width: 36px; height: 20px; border-radius: 10px;
      border: 1px solid var(--rta-edge, #5b6472); background: var(--rta-bg, #fff); transition: background .12s; }
    .slot::after { content: ''; position: absolute; top: 3px; left: 3px; width: 12px; height: 12px; border-radius: 6px;
      background: var(--rta-dim, #5b6472); transition: translate .12s; }
    [aria-checked='true'] .slot { background: var(--on); border-color: var(--on); }
    [aria-checked='true'] .slot::after { translate: 16px; background: var(--rta-bg, #fff); }
    :host([look='key']) button { width: 100%; justify-content: center; padding: 4px 10px; border: 1px solid var(--rta-edge, #858e95);
      background: var(--rta-surface, #fff); font-weight: 600; font-size: 13px; white-space: nowrap; }
    :host([look='key']) button:hover { border-color: var(--rta-dim, #5b6472); }
    :host([look='key']) [aria-checked='true'] { background: var(--on); border-color: var(--on); color: var(--rta-on-accent, #fff); }
    :host([pending]) button { font-style: italic; }
    @media (pointer: coarse) { button { min-height: var(--rta-touch, 44px); min-width: var(--rta-touch, 44px); } }
    @media (prefers-reduced-motion: reduce) { .slot, .slot::after { transition: none; } }
  `;

  declare label: string;
  /** Text on a key, if it differs from the label. */
  declare text: string;
  declare look: 'switch' | 'key';
  declare tone: 'accent' | 'warn' | 'bad' | 'good';
  declare disabled: boolean;
  /** The value was not acknowledged yet. */
  declare pending: boolean;

  readonly #held = new HeldValue(false, () => this.requestUpdate());

  constructor() {
    super();
    this.label = '';
    this.text = '';
    this.look = 'switch';
    this.tone = 'accent';
    this.disabled = false;
    this.pending = false;
  }

  get checked(): boolean { return this.#held.shown; }
  set checked(value: boolean) {
    this.#held.owner = value;
    this.requestUpdate();
  }

  override focus(options?: FocusOptions): void { this.renderRoot.querySelector('button')?.focus(options); }

  protected override render(): TemplateResult {
    const isKey = this.look === 'key';
    return html`<button type="button" role="switch" aria-checked=${this.checked} aria-label=${this.label}
      ?disabled=${this.disabled} @click=${this.#toggle}>${isKey ? this.text || this.label : html`<span class="slot"></span><slot></slot>`}</button>`;
  }

  #toggle(): void {
    const value = !this.checked;
    this.#held.change(value, false);
    this.requestUpdate();
    report(this, 'input', value);
    report(this, 'change', value);
  }
}

define('rta-switch', RtaSwitch);
declare global { interface HTMLElementTagNameMap { 'rta-switch': RtaSwitch } }
