// SPDX-License-Identifier: MIT
import {css, html} from 'lit';
import type {PropertyValues} from 'lit';
import {customElement, property, query} from 'lit/decorators.js';
import '../controls/meter.js';
import type {RtaMeter} from '../controls/meter.js';
import '../drawing/scope.js';
import type {RtaScope} from '../drawing/scope.js';
import '../drawing/spectrum.js';
import type {RtaSpectrum} from '../drawing/spectrum.js';
import {ModelElement} from '../model_element.js';

/** Level, course and spectrum of the signal at an output port. */
@customElement('rta-signal')
export class SignalView extends ModelElement {
  static override readonly styles = css`
    :host { display: grid; gap: 8px; }
    rta-scope, rta-spectrum { display: block; border: 1px solid var(--rta-line); border-radius: var(--rta-radius); background: var(--rta-raised); }
    rta-meter { width: 100%; height: 14px; }
    rta-scope { height: 96px; }
    rta-spectrum { height: 160px; }
  `;

  @property() port = '';
  @query('rta-meter') private readonly meter!: RtaMeter;
  @query('rta-scope') private readonly scope!: RtaScope;
  @query('rta-spectrum') private readonly spectrum!: RtaSpectrum;
  #stop: (() => void) | null = null;
  #watched = '';

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    this.#watched = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.requestUpdate();
  }

  override render() {
    return html`
      <rta-meter label="Level at ${this.port}" orientation="horizontal" reading></rta-meter>
      <rta-scope label="Course of the level at ${this.port}"></rta-scope>
      <rta-spectrum label="Spectrum at ${this.port}"></rta-spectrum>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (this.#watched === this.port) return;
    this.#stop?.();
    this.#watched = this.port;
    this.scope.clear();
    this.#stop = this.model.watchPort(this.port, true, ({channels, spectra}) => {
      this.meter.levels = channels;
      this.scope.push(channels);
      if (spectra.length > 0) this.spectrum.spectra = spectra;
    });
  }
}

declare global {
  interface HTMLElementTagNameMap { 'rta-signal': SignalView }
}
