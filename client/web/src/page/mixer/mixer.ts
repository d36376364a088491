// SPDX-License-Identifier: MIT
import {type PropertyValues, type TemplateResult, css, html} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {define} from '../drawing/canvas_element.js';
import {ModelElement, common} from '../model_element.js';
import {DEVICE_STRIP, type Strip, stripsOf} from './layout.js';
import {pins} from './pins.js';
import './strip.js';

/** The mixer: `<rta-mixer .model=${model}>`. It scrolls from left to right; the device output stays in view. */
export class Mixer extends ModelElement {
  protected static override readonly watched = ['graph', 'connection'] as const;

  static override styles = [common, css`
    :host { display: grid; grid-template: 100% / minmax(0, 1fr) auto; height: 100%; }
    .strips { display: flex; gap: var(--rta-gap); padding: 12px; overflow: auto hidden; overscroll-behavior-x: contain; }
    .strips:focus-visible { outline-offset: -2px; }
    .device { padding: 12px; border-left: 1px solid var(--rta-line); background: var(--rta-bg); display: flex; }
    rta-strip { min-height: 0; }
    .empty { margin: auto; max-width: 34em; padding: 0 16px; color: var(--rta-dim); text-align: center; }
    @media (max-width: 700px) { .strips, .device { padding: 8px; } }
  `];

  #strips: readonly Strip[] = [];

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    this.#strips = stripsOf(this.model.graph, this.model.types);
    pins.of(this.model.source?.name ?? '');
  }

  protected override render(): TemplateResult {
    return html`<div class="strips" role="group" aria-label="Strips" tabindex="0">
        ${this.#strips.length === 0 ? html`<p class="empty">The graph has nothing with a level. Add a gain, a mixer or an output in the patch.</p>`
          : repeat(this.#strips, ({id}) => id, (strip) => html`<rta-strip .model=${this.model} .strip=${strip}></rta-strip>`)}
      </div>
      <div class="device"><rta-strip .model=${this.model} .strip=${DEVICE_STRIP}></rta-strip></div>`;
  }
}

define('rta-mixer', Mixer);
declare global { interface HTMLElementTagNameMap { 'rta-mixer': Mixer } }
