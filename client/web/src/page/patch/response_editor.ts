// SPDX-License-Identifier: MIT
import type {FrequencyResponseResult, Spectrum} from 'rta-client/core';
import {css, html} from 'lit';
import {customElement, property, query} from 'lit/decorators.js';
import type {PropertyValues} from 'lit';
import {type ParameterSpec, parametersOf} from '../controls/specs.js';
import '../drawing/curve.js';
import type {HandleChange, RtaCurve} from '../drawing/curve.js';
import {ModelElement} from '../model_element.js';
import {handlesOf, pointsOf, valuesOf} from './curve_handles.js';
import {type NodeView, portsOfNode} from './ports.js';

/** The frequency response of a node, with handles for its frequencies, over the spectrum of its output. */
@customElement('rta-response-editor')
export class ResponseEditor extends ModelElement {
  static override readonly watched = ['graph'] as const;

  static override readonly styles = css`
    :host { display: block; }
    rta-curve { display: block; height: 220px; border: 1px solid var(--rta-line); border-radius: var(--rta-radius); background: var(--rta-raised); }
  `;

  @property({attribute: false}) node!: NodeView;
  @query('rta-curve') private readonly curve!: RtaCurve;
  #stops: (() => void)[] = [];
  #watched = '';

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop();
  }

  override render() {
    const {node} = this;
    const points = pointsOf(this.#specs(), node);
    const change = ({detail}: CustomEvent<HandleChange>): void => {
      const point = points.get(detail.id);
      if (!point || !this.model.canEdit) return;
      const values = valuesOf(point, detail, this.#value);
      this.model.set(Object.fromEntries([...values].map(([name, value]) => [`${node.name}.${name}`, value])));
    };
    return html`<rta-curve label="Frequency response of ${node.name}" .handles=${handlesOf(points, this.#value)}
      @input=${change} @change=${change}></rta-curve>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const output = portsOfNode(this.node, this.model.types, 'outputs')[0]?.id ?? '';
    if (this.#watched === `${this.node.name} ${output}`) return;
    this.#stop();
    this.#watched = `${this.node.name} ${output}`;
    this.#stops = [
      this.model.watchResponse({node: this.node.name}, (response) => this.#show(response)),
      this.model.watchPort(output, true, ({spectra}) => { if (spectra.length > 0) this.#showSpectra(spectra); }),
    ];
  }

  #show(response: FrequencyResponseResult | null): void {
    this.curve.curves = (response?.outputs ?? []).map(({magnitude_db}, i) => (
      {frequencies_hz: response!.frequencies_hz, magnitude_db, filled: response!.outputs.length === 1, colour: i === 0 ? 'accent' : 'text'}));
  }

  #showSpectra(spectra: readonly Spectrum[]): void { this.curve.spectra = spectra; }

  #specs(): ParameterSpec[] {
    const type = this.model.types.get(this.node.type);
    return type ? parametersOf(type, this.node.settings) : [];
  }

  readonly #value = (spec: ParameterSpec): number => this.model.value(this.node.name, spec.name) ?? spec.default;

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#watched = '';
  }
}

declare global {
  interface HTMLElementTagNameMap { 'rta-response-editor': ResponseEditor }
}
