// SPDX-License-Identifier: MIT
import type {ChannelLevel, FrequencyResponseResult, GainReduction} from 'rta-client/core';
import {LitElement, type PropertyValues, css, html, nothing} from 'lit';
import {customElement, property, query} from 'lit/decorators.js';
import {type ParameterSpec, labelOf} from '../controls/specs.js';
import {formatDisplay} from '../controls/units.js';
import '../controls/value.js';
import '../drawing/mini.js';
import {type RtaMini, needsResponse} from '../drawing/mini.js';
import {icon} from '../icons.js';
import type {EngineModel} from '../model.js';
import {common} from '../model_element.js';
import {CARD, type CardShape} from './geometry.js';
import {type NodeView, type Port, channels} from './ports.js';

/** The card of a node: its name, a picture of what it does, its ports and its main controls. */
@customElement('rta-card')
export class Card extends LitElement {
  static override readonly styles = [common, css`
    :host {
      position: absolute; left: 0; top: 0; width: ${CARD.width}px; border-radius: var(--rta-radius); outline: none;
      background: var(--rta-raised); border: 1px solid var(--rta-line); box-shadow: var(--rta-shadow); cursor: grab;
      user-select: none; -webkit-user-select: none; touch-action: none; contain: layout style; font-size: 13px;
    }
    :host([selected]) { border-color: var(--rta-accent); box-shadow: 0 0 0 1px var(--rta-accent), var(--rta-shadow); }
    :host(:focus-visible) { outline: 2px solid var(--rta-accent); outline-offset: 3px; }
    :host([dragging]) { cursor: grabbing; }
    .head { display: flex; align-items: center; gap: 4px; height: ${CARD.header - 1}px; padding: 0 6px 0 12px; }
    .names { flex: 1; min-width: 0; line-height: 1.15; }
    .names * { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .names strong { font-weight: 600; }
    .names span { color: var(--rta-dim); font-size: 11px; }
    .bypass { min-height: 28px; min-width: 28px; padding: 0; display: grid; place-items: center; color: var(--rta-accent); border-radius: 50%; }
    .bypass[aria-pressed="true"] { color: var(--rta-dim); background: none; border-color: transparent; }
    .bypass svg { width: 16px; height: 16px; }
    :host([bypassed]) { border-style: dashed; }
    :host([bypassed]) .names strong { color: var(--rta-dim); }
    .port {
      all: unset; position: absolute; width: 24px; height: 20px; margin: -10px -12px; cursor: crosshair; touch-action: none;
      display: grid; place-items: center; z-index: 1;
    }
    .port::before {
      content: ''; width: 9px; height: 9px; border-radius: 50%; background: var(--rta-surface); border: 2px solid var(--rta-edge);
    }
    .port:active:not(:disabled) { background: none; }
    .port.wide::before { border-radius: 3px; }
    .port.connected::before { background: var(--rta-edge); }
    .port:hover::before, .port:focus-visible::before, .port.chosen::before { border-color: var(--rta-accent); background: var(--rta-accent); }
    .port.target::before { border-color: var(--rta-accent); box-shadow: 0 0 0 3px var(--rta-tint); }
    .port:focus-visible { outline: 2px solid var(--rta-accent); border-radius: 4px; }
    .ports { display: grid; grid-template-columns: 1fr 1fr; padding: 0 12px; font-size: 11px; color: var(--rta-dim); }
    .ports > * { height: ${CARD.port}px; line-height: ${CARD.port}px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .ports .out { text-align: right; }
    rta-mini { height: ${CARD.picture - 10}px; margin: 2px 12px 8px; pointer-events: none; }
    .control { display: flex; align-items: center; justify-content: space-between; gap: 8px; height: ${CARD.control}px; padding: 0 12px; border-top: 1px solid var(--rta-line); }
    .control span { color: var(--rta-dim); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .control output { white-space: nowrap; }
    .control .uncertain { color: var(--rta-warn); }
    rta-value { --rta-touch: 24px; margin: -2px -8px -2px 0; }
    @media (pointer: coarse) {
      .port { width: 44px; height: 28px; margin: -14px -22px; }
      .port::before { width: 12px; height: 12px; }
      .bypass { min-height: 32px; min-width: 32px; }
    }
  `];

  @property({attribute: false}) model!: EngineModel;
  @property({attribute: false}) node!: NodeView;
  /** Differs if the values of the node do; the node itself is changed in place. */
  @property({attribute: false}) state = '';
  @property({attribute: false}) shape!: CardShape;
  /** Ports of the graph that have a connection. */
  @property({attribute: false}) connected: ReadonlySet<string> = new Set();
  /** Ports that a connection that is being made may lead to; null if none is. */
  @property({attribute: false}) targets: ReadonlySet<string> | null = null;
  /** A port that is shown in the inspector, or where a connection starts. */
  @property({attribute: false}) chosen = '';
  /** Whether its controls can be used: it has the focus, or the pointer is on it, or it is selected. */
  @property({type: Boolean, reflect: true}) active = false;
  @property({type: Boolean, reflect: true}) selected = false;

  @query('rta-mini') private readonly mini!: RtaMini | null;
  #stopResponse: (() => void) | null = null;
  #responseOf = '';

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute('role', 'group');
    this.setAttribute('aria-roledescription', 'node');
    this.#followResponse();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopResponse?.();
    this.#stopResponse = null;
    this.#responseOf = '';
  }

  /** Shows levels at the output of the node. */
  showLevels(levels: readonly ChannelLevel[]): void { if (this.mini) this.mini.levels = levels; }
  showReduction(reduction: GainReduction | undefined): void { if (this.mini) this.mini.reduction = reduction; }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('state') || changed.has('connected')) this.setAttribute('aria-label', this.#description());
    this.toggleAttribute('bypassed', this.#isOn('bypass') || this.#isOn('mute'));
    if (changed.has('node')) this.#followResponse();
  }

  override render() {
    const {node, shape} = this;
    return html`
      <div class="head">
        <div class="names"><strong>${node.title || node.name}</strong><span>${node.title ? `${node.name} · ` : ''}${node.type.replaceAll('_', ' ')}</span></div>
        ${'bypass' in node.parameters ? this.#bypassButton() : nothing}
      </div>
      ${shape.rows > 0 ? html`<div class="ports" aria-hidden="true">${Array.from({length: shape.rows}, (_, i) => html`
        <span>${shape.inputs[i]?.name}</span><span class="out">${shape.outputs[i]?.name}</span>`)}</div>` : nothing}
      ${shape.picture ? html`<rta-mini .type=${node.type} .parameters=${this.#values()} .settings=${node.settings}></rta-mini>` : nothing}
      ${shape.controls.map((spec) => this.#control(spec))}
      ${[...shape.inputs, ...shape.outputs].map((port) => this.#port(port))}`;
  }

  protected override updated(): void {
    for (const element of this.renderRoot.querySelectorAll<HTMLElement>('.port')) {
      const {x, y} = element.dataset;
      Object.assign(element.style, {left: `${x}px`, top: `${y}px`});
    }
  }

  #port(port: Port) {
    const {shape} = this;
    const index = shape[port.direction].indexOf(port);
    const y = shape.rows === 0 ? CARD.header / 2 : CARD.header + (index + 0.5) * CARD.port;
    const x = port.direction === 'inputs' ? 0 : shape.width - 2;
    const connected = this.connected.has(port.id);
    const classes = ['port', port.width > 1 ? 'wide' : '', connected ? 'connected' : '', this.targets?.has(port.id) ? 'target' : '',
      this.chosen === port.id ? 'chosen' : ''].join(' ');
    const name = `${port.direction === 'inputs' ? 'Input' : 'Output'} ${port.id}, ${channels(port.width)}, ${connected ? 'connected' : 'not connected'}`;
    return html`<button class=${classes} data-port=${port.id} data-direction=${port.direction} data-x=${x} data-y=${y} tabindex=${this.active ? 0 : -1}
      aria-label=${name} title="${port.id} (${channels(port.width)})"
      @pointerdown=${(event: PointerEvent) => this.#report('port-press', {port, event})}
      @click=${(event: MouseEvent) => { if (event.detail === 0) this.#report('port-choose', {port}); }}></button>`;
  }

  #bypassButton() {
    const on = this.#isOn('bypass');
    return html`<button class="bypass quiet" aria-pressed=${on} tabindex=${this.active ? 0 : -1} ?disabled=${!this.model.canEdit}
      aria-label="Bypass ${this.node.name}" title=${on ? 'Bypassed. Press to use the node.' : 'Bypass the node'}
      @click=${() => this.model.set({[`${this.node.name}.bypass`]: on ? 0 : 1})}>${icon('power')}</button>`;
  }

  #control(spec: ParameterSpec) {
    const {node, model} = this;
    const value = model.value(node.name, spec.name) ?? spec.default;
    const label = labelOf(spec.name);
    const silent = spec.minimum <= -120 ? -120 : -Infinity;
    const change = (event: CustomEvent<number>): void => {
      event.stopPropagation();
      model.set({[`${node.name}.${spec.name}`]: event.detail});
    };
    return html`<div class="control"><span>${label}</span>${this.active && spec.unit !== 'on/off'
      ? html`<rta-value plain label="${node.name} ${label}" .spec=${spec} .value=${value} ?disabled=${!model.canEdit}
          ?pending=${model.isUncertain(node.name, spec.name)} @input=${change} @change=${change}></rta-value>`
      : html`<output class=${model.isUncertain(node.name, spec.name) ? 'uncertain' : ''}>${formatDisplay(value, spec.unit, silent)}</output>`}</div>`;
  }

  /** The parameters with those that were set and are not acknowledged. */
  #values(): Record<string, number> {
    const {name, parameters} = this.node;
    return Object.fromEntries(Object.keys(parameters).map((parameter) => [parameter, this.model.value(name, parameter)!]));
  }

  #isOn(parameter: string): boolean { return (this.model.value(this.node.name, parameter) ?? 0) > 0; }

  #description(): string {
    const {name, type, title} = this.node;
    const bypassed = this.#isOn('bypass') ? ', bypassed' : '';
    const open = [...this.shape.inputs, ...this.shape.outputs].filter(({id}) => !this.connected.has(id)).map((port) => port.name);
    return `${title ? `${title}, ` : ''}${name}, ${type.replaceAll('_', ' ')}${bypassed}` +
      (open.length > 0 ? `, not connected: ${open.slice(0, 4).join(', ')}` : '');
  }

  #followResponse(): void {
    const wanted = this.isConnected && this.node && needsResponse(this.node.type) ? this.node.name : '';
    if (wanted === this.#responseOf) return;
    this.#stopResponse?.();
    this.#stopResponse = null;
    this.#responseOf = wanted;
    if (wanted === '') return;
    this.#stopResponse = this.model.watchResponse({node: wanted}, (response: FrequencyResponseResult | null) => {
      if (this.mini) this.mini.response = response ?? undefined;
    });
  }

  #report(name: string, detail: object): void { this.dispatchEvent(new CustomEvent(name, {detail, bubbles: true, composed: true})); }
}

declare global {
  interface HTMLElementTagNameMap { 'rta-card': Card }
}
