// SPDX-License-Identifier: MIT
import {LitElement, type TemplateResult, css, html} from 'lit';
import {define} from '../drawing/canvas_element.js';

/** How long the button must be held. */
const HOLD_MS = 800;
/** The second press of a key confirms the first within this time. */
const CONFIRM_MS = 4000;

/**
 * A button that does nothing by accident: `<rta-hold-button label="Panic" hold-text="Hold to stop">`. It must be held for
 * 0.8 s, or, from the keyboard and a screen reader, pressed twice. Dispatches 'confirm'.
 */
export class HoldButton extends LitElement {
  static override properties = {
    label: {}, holdText: {attribute: 'hold-text'}, disabled: {type: Boolean, reflect: true}, armed: {state: true}, holding: {state: true},
  };

  static override styles = css`
    :host { display: grid; }
    button { position: relative; overflow: hidden; font: inherit; font-size: 17px; font-weight: 600; color: var(--rta-bad, #b3261e);
      background: var(--rta-surface, #fff); border: 2px solid var(--rta-bad, #b3261e); border-radius: var(--rta-radius, 6px);
      min-height: 64px; padding: 6px 12px; cursor: pointer; touch-action: manipulation; user-select: none; -webkit-user-select: none;
      -webkit-touch-callout: none; }
    button:focus-visible { outline: 2px solid var(--rta-accent, #0a66c2); outline-offset: 2px; }
    button:disabled { opacity: .5; cursor: default; }
    button::before { content: ''; position: absolute; inset: 0; background: var(--rta-bad, #b3261e); transform: scaleX(0); transform-origin: left;
      opacity: .3; }
    button.holding::before { transform: scaleX(1); transition: transform ${HOLD_MS / 1000}s linear; }
    button.armed { background: var(--rta-bad, #b3261e); color: var(--rta-on-accent, #fff); }
    span { position: relative; display: block; }
    small { position: relative; display: block; font-size: 12px; font-weight: 400; }
    @media (prefers-reduced-motion: reduce) { button.holding::before { transition: none; } }
  `;

  declare label: string;
  declare holdText: string;
  declare disabled: boolean;
  declare protected armed: boolean;
  declare protected holding: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #done = false;

  constructor() {
    super();
    this.label = '';
    this.holdText = 'hold';
    this.disabled = false;
    this.armed = false;
    this.holding = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#release();
  }

  protected override render(): TemplateResult {
    return html`<button type="button" class="${this.holding ? 'holding' : ''} ${this.armed ? 'armed' : ''}" ?disabled=${this.disabled}
      @pointerdown=${this.#press} @pointerup=${this.#release} @pointercancel=${this.#release} @pointerleave=${this.#release}
      @contextmenu=${(event: Event) => event.preventDefault()} @click=${this.#click}>
      <span>${this.label}</span> <small>${this.armed ? 'press again to confirm' : this.holdText}</small></button>`;
  }

  #press({button}: PointerEvent): void {
    if (button !== 0) return;
    this.#done = false;
    this.holding = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#confirm(), HOLD_MS);
  }

  #release(): void {
    if (!this.holding) return;
    this.holding = false;
    clearTimeout(this.#timer);
  }

  #confirm(): void {
    this.#done = true;
    this.holding = false;
    this.armed = false;
    navigator.vibrate?.(60);
    this.dispatchEvent(new CustomEvent('confirm', {bubbles: true, composed: true}));
  }

  /** A click of a pointer was too short. Keys and screen readers click without one. */
  #click(event: MouseEvent): void {
    if (this.#done || event.detail > 0) {
      this.#done = false;
      return;
    }
    if (this.armed) {
      clearTimeout(this.#timer);
      this.#confirm();
      this.#done = false;
      return;
    }
    this.armed = true;
    this.#timer = setTimeout(() => { this.armed = false; }, CONFIRM_MS);
  }
}

define('rta-hold-button', HoldButton);
declare global { interface HTMLElementTagNameMap { 'rta-hold-button': HoldButton } }
