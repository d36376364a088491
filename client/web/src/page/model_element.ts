// SPDX-License-Identifier: MIT
// The base of the elements that show the model.
import {LitElement, css, type PropertyValues} from 'lit';
import {property} from 'lit/decorators.js';
import type {EngineModel, ModelEvents} from './model.js';

/**
 * An element with the property `model`, which is updated when the model dispatches one of `watched`. Styles are constructed
 * style sheets: the Content-Security-Policy refuses <style> elements and style attributes, also those that lit's styleMap
 * writes first; a position is set by element.style.
 */
export abstract class ModelElement extends LitElement {
  /** Events of the model after which the element is updated. */
  protected static readonly watched: readonly (keyof ModelEvents)[] = [];

  @property({attribute: false}) model!: EngineModel;

  #followed: EngineModel | null = null;
  readonly #update = (): void => { this.requestUpdate(); };

  override connectedCallback(): void {
    super.connectedCallback();
    this.#follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unfollow();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('model')) this.#follow();
  }

  #follow(): void {
    this.#unfollow();
    this.#followed = this.model ?? null;
    for (const name of this.#events()) this.#followed?.addEventListener(name, this.#update);
    this.requestUpdate();
  }

  #unfollow(): void {
    for (const name of this.#events()) this.#followed?.removeEventListener(name, this.#update);
    this.#followed = null;
  }

  #events(): readonly string[] { return (this.constructor as typeof ModelElement).watched; }
}

/** Buttons, inputs and focus as the whole page has them. */
export const common = css`
  :host { box-sizing: border-box; font-family: var(--rta-font); }
  *, *::before, *::after { box-sizing: inherit; }
  [hidden] { display: none !important; }
  button, select, input, textarea { font: inherit; color: inherit; }
  button, select, input:not([type]), input[type="text"], input[type="number"], input[type="password"], input[type="search"], textarea {
    min-height: 32px; padding: 0 10px; border: 1px solid var(--rta-edge); border-radius: var(--rta-radius);
    background: var(--rta-raised);
  }
  textarea { padding: 6px 10px; }
  button { cursor: pointer; white-space: nowrap; border-color: var(--rta-line); }
  button:hover:not(:disabled) { border-color: var(--rta-edge); }
  button:active:not(:disabled) { background: var(--rta-line); }
  button[aria-pressed="true"], button.primary {
    background: var(--rta-accent); border-color: var(--rta-accent); color: var(--rta-on-accent);
  }
  button.quiet { border-color: transparent; background: none; }
  button.quiet:hover:not(:disabled) { background: var(--rta-line); }
  button.danger { color: var(--rta-bad); }
  button:disabled, select:disabled, input:disabled { opacity: 0.55; cursor: default; }
  :focus-visible { outline: 2px solid var(--rta-accent); outline-offset: 2px; }
  input[type="range"] { accent-color: var(--rta-accent); min-width: 0; margin: 0; }
  .visually-hidden {
    position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
  }
  @media (pointer: coarse) {
    button, select, input:not([type="range"], [type="checkbox"], [type="radio"]) { min-height: var(--rta-touch); min-width: var(--rta-touch); }
    input:not([type="range"]), select, textarea { font-size: 16px; }
  }
  @media (prefers-reduced-motion: reduce) {
    *, *::before, *::after { transition: none !important; animation: none !important; scroll-behavior: auto !important; }
  }
`;
