// SPDX-License-Identifier: MIT
import {LitElement, type TemplateResult, css, html} from 'lit';
import {words} from '../controls/words.js';
import {define} from '../drawing/canvas_element.js';

/** A press of this length opens the menu. */
const LONG_MS = 550;
/** A movement of this length is a scroll. */
const SLACK_PIXELS = 12;

/**
 * A scene on the stage: a tap recalls it, a long press or the key next to it opens its menu. Dispatches 'recall' and 'menu'.
 */
export class SceneButton extends LitElement {
  static override properties = {
    name: {}, detail: {}, current: {type: Boolean, reflect: true}, changed: {type: Boolean, reflect: true},
    busy: {type: Boolean, reflect: true}, disabled: {type: Boolean, reflect: true},
  };

  static override styles = css`
    .visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    :host { display: grid; grid-template: 1fr / 1fr auto; position: relative; min-height: 84px; }
    button { font: inherit; color: var(--rta-text, #14181f); cursor: pointer; touch-action: manipulation; user-select: none; margin: 0;
      -webkit-user-select: none; -webkit-touch-callout: none; }
    button:focus-visible { outline: 2px solid var(--rta-accent, #0a66c2); outline-offset: 2px; z-index: 1; }
    button:disabled { opacity: .6; cursor: default; }
    .recall { grid-area: 1 / 1 / 2 / 3; text-align: left; padding: 10px 12px; background: var(--rta-raised, #fff); min-width: 0;
      border: 1px solid var(--rta-edge, #858e95); border-radius: calc(var(--rta-radius, 6px) + 2px); }
    .recall:active { background: var(--rta-tint, #dcebea); }
    .more { grid-area: 1 / 2; z-index: 1; align-self: end; width: 44px; height: 44px; padding: 0; border: 0; background: none; color: var(--rta-dim, #525c63); font-size: 20px; }
    strong { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; text-overflow: ellipsis;
      font-size: 20px; font-weight: 600; line-height: 1.2; }
    small { display: block; margin: 2px 32px 0 0; font-size: 13px; color: var(--rta-dim, #525c63); }
    :host([current]) .recall { background: var(--rta-accent, #0a66c2); border-color: var(--rta-accent, #0a66c2); color: var(--rta-on-accent, #fff); }
    :host([current]) small, :host([current]) .more { color: var(--rta-on-accent, #fff); }
    :host([current][changed]) .recall { background: var(--rta-tint, #dcebea); color: var(--rta-text, #14181f); border-width: 2px; padding: 9px 11px; }
    :host([current][changed]) small, :host([current][changed]) .more { color: var(--rta-dim, #525c63); }
    :host([busy]) .recall { opacity: .75; }
  `;

  declare name: string;
  /** A second line. */
  declare detail: string;
  /** The scene that was recalled last. */
  declare current: boolean;
  /** The graph has changed since. */
  declare changed: boolean;
  declare busy: boolean;
  declare disabled: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #start: {x: number; y: number} | undefined;
  /** The press is over before the button is released. */
  #done = false;

  constructor() {
    super();
    this.name = '';
    this.detail = '';
    this.current = false;
    this.changed = false;
    this.busy = false;
    this.disabled = false;
  }

  override focus(options?: FocusOptions): void { this.renderRoot.querySelector<HTMLElement>('.recall')?.focus(options); }

  protected override render(): TemplateResult {
    const state = this.busy ? 'recalling' : this.current ? this.changed ? 'changed since' : 'current' : '';
    return html`<button type="button" class="recall" ?disabled=${this.disabled} aria-current=${this.current ? 'true' : 'false'}
        @pointerdown=${this.#press} @pointermove=${this.#move} @pointerup=${this.#end} @pointercancel=${this.#end} @pointerleave=${this.#end}
        @contextmenu=${this.#context} @click=${this.#click} @keydown=${this.#key}>
        <span class="visually-hidden">Recall </span><strong title=${this.name}>${words(this.name)}</strong><small>${state || this.detail || '\u00a0'}</small></button>
      <button type="button" class="more" ?disabled=${this.disabled} aria-haspopup="dialog" aria-label=${`Save over, rename or remove ${this.name}`}
        @click=${this.#menu}>⋯</button>`;
  }

  #press({button, clientX, clientY}: PointerEvent): void {
    if (button !== 0) return;
    this.#done = false;
    this.#start = {x: clientX, y: clientY};
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#done = true;
      navigator.vibrate?.(30);
      this.#menu();
    }, LONG_MS);
  }

  #move({clientX, clientY}: PointerEvent): void {
    if (this.#start && Math.hypot(clientX - this.#start.x, clientY - this.#start.y) > SLACK_PIXELS) this.#end();
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#start = undefined;
  }

  /** A long press of a touch, or the right button of a mouse. */
  #context(event: Event): void {
    event.preventDefault();
    if (this.#done) return;
    this.#end();
    this.#done = true;
    this.#menu();
  }

  #key({key, shiftKey}: KeyboardEvent): void {
    this.#done = false;
    if (key === 'ContextMenu' || (key === 'F10' && shiftKey)) this.#menu();
  }

  #click(): void {
    if (!this.#done) this.dispatchEvent(new CustomEvent('recall'));
    this.#done = false;
  }

  #menu(): void { this.dispatchEvent(new CustomEvent('menu')); }
}

define('rta-scene-button', SceneButton);
declare global { interface HTMLElementTagNameMap { 'rta-scene-button': SceneButton } }
