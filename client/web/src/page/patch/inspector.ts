// SPDX-License-Identifier: MIT
import {css, html, nothing} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import '../controls/fader.js';
import type {ValueSpec} from '../controls/specs.js';
import '../controls/switch.js';
import {SILENCE_DB, formatDisplay} from '../controls/units.js';
import '../controls/value.js';
import {needsResponse} from '../drawing/mini.js';
import {icon} from '../icons.js';
import {ModelElement, common} from '../model_element.js';
import {NOTHING, type PatchActions, type Selection} from './actions.js';
import './parameter_fields.js';
import {type NodeView, type Port, channels, findPort, nodeOf, portsOfNode} from './ports.js';
import './response_editor.js';
import './signal_view.js';

/** The gain of a connection. */
const GAIN: ValueSpec = {unit: 'dB', minimum: -120, maximum: 24, default: 0, ramp_law: 'amplitude'};

/** Everything about what is selected. Dispatches 'select' with another selection, and 'leave'. */
@customElement('rta-inspector')
export class Inspector extends ModelElement {
  static override readonly watched = ['graph', 'connection', 'status'] as const;

  static override readonly styles = [common, css`
    :host { display: block; width: 348px; overflow-y: auto; background: var(--rta-surface); border-left: 1px solid var(--rta-line); }
    .body { display: grid; gap: 14px; padding: 14px 16px 24px; }
    .head { display: grid; gap: 6px; }
    .kind { display: flex; align-items: center; gap: 8px; color: var(--rta-dim); font-size: 12px; min-height: 24px; }
    .kind span { flex: 1; }
    .kind button { min-height: 28px; min-width: 28px; padding: 0 4px; display: grid; place-items: center; }
    input.name { width: 100%; font-size: 18px; font-weight: 600; border-color: transparent; background: none; padding: 0 6px; margin: 0 -6px; }
    input.name:hover, input.name:focus { border-color: var(--rta-edge); background: var(--rta-raised); }
    h2 { margin: 0; font-size: 18px; font-weight: 600; overflow-wrap: anywhere; }
    p { margin: 0; color: var(--rta-dim); font-size: 13px; }
    summary { cursor: pointer; list-style: none; color: var(--rta-dim); font-size: 13px; }
    details:not([open]) summary { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
    .buttons { display: flex; flex-wrap: wrap; gap: 6px; }
    .buttons button { display: inline-flex; align-items: center; gap: 5px; padding: 0 9px; font-size: 13px; }
    .buttons svg { width: 16px; height: 16px; }
    h3 { margin: 0 0 4px; font-size: 12px; font-weight: 600; color: var(--rta-dim); }
    ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 2px; }
    li { display: flex; align-items: center; gap: 4px; min-height: 30px; }
    li .link { flex: 1; min-width: 0; text-align: left; overflow: hidden; text-overflow: ellipsis; padding: 0 6px; margin: 0 -6px; }
    li .none { flex: 1; color: var(--rta-dim); }
    li button { min-height: 28px; }
    li .space, li > .quiet:not(.link) { flex: none; width: 36px; }
    li svg { width: 16px; height: 16px; }
    li .port { flex: none; width: 84px; color: var(--rta-dim); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .gain { display: grid; grid-template-columns: minmax(0, 1fr) 92px; gap: 8px; align-items: center; }
    .gain rta-value { display: block; --rta-value-width: 100%; }
    textarea { width: 100%; resize: vertical; min-height: 56px; }
    @media (pointer: coarse) {
      button, .kind button, li button { min-height: var(--rta-touch); min-width: var(--rta-touch); }
      li .space, li > .quiet:not(.link) { width: var(--rta-touch); }
      li .link { min-width: 0; }
    }
    @media (max-width: 700px) {
      :host { width: auto; border-left: 0; border-top: 1px solid var(--rta-edge); border-radius: 14px 14px 0 0; box-shadow: var(--rta-shadow); }
      :host([empty]) { display: none; }
    }
  `];

  @property({attribute: false}) actions!: PatchActions;
  @property({attribute: false}) selection: Selection = NOTHING;

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute('role', 'complementary');
    this.setAttribute('aria-label', 'Inspector');
    this.addEventListener('keydown', this.#onKey);
  }

  /** Moves the focus to the name, or to the first control. */
  focusField(field: 'first' | 'name'): void {
    const name = this.renderRoot.querySelector<HTMLInputElement>('input.name');
    const fields = this.renderRoot.querySelector('rta-parameter-fields')?.shadowRoot;
    const first = fields?.querySelector<HTMLElement>('.row rta-fader, .row rta-switch, fieldset select, fieldset rta-value, td rta-value, .setting > :last-child');
    const target = field === 'name' ? name : first ?? this.renderRoot.querySelector<HTMLElement>('.buttons button, button');
    target?.focus();
    if (field === 'name') name?.select();
  }

  override render() {
    const {selection} = this;
    this.toggleAttribute('empty', selection.kind === 'nodes' && selection.names.size === 0);
    return html`<div class="body">${this.#content(selection)}</div>`;
  }

  #content(selection: Selection) {
    const {graph, types} = this.model;
    if (selection.kind === 'cable') {
      const cable = graph.connections.get(selection.key);
      return cable ? this.#cable(selection.key, cable) : nothing;
    }
    if (selection.kind === 'port') {
      const port = findPort(graph, types, selection.port.id, selection.port.direction);
      return port ? this.#port(port) : nothing;
    }
    const nodes = [...selection.names].flatMap((name) => graph.nodes.get(name) ?? []);
    return nodes.length > 1 ? this.#several(nodes) : nodes[0] ? this.#node(nodes[0]) : this.#graph();
  }

  #head(kind: string) {
    return html`<div class="kind"><span>${kind}</span>
      <button class="quiet" aria-label="Close the inspector" title="Close (Escape)" @click=${() => this.#leave(true)}>${icon('close')}</button></div>`;
  }

  #node(node: NodeView) {
    const type = this.model.types.get(node.type);
    return html`
      <div class="head">
        ${this.#head(node.type.replaceAll('_', ' '))}<h2 class="visually-hidden">Node ${node.name}</h2>
        <input class="name" aria-label="Name of the node" autocomplete="off" spellcheck="false" maxlength="64" .value=${node.name} ?disabled=${!this.model.canEdit}
          @change=${(event: Event) => this.#rename(node, event.target as HTMLInputElement)}>
        <details><summary title="Show or hide the rest">${node.description || type?.help}</summary></details>
        ${this.#buttons([node.name], 'bypass' in node.parameters)}
      </div>
      ${needsResponse(node.type) ? html`<rta-response-editor .model=${this.model} .node=${node}></rta-response-editor>` : nothing}
      <rta-parameter-fields .model=${this.model} .node=${node}></rta-parameter-fields>
      ${this.#ports(node)}`;
  }

  #several(nodes: readonly NodeView[]) {
    const names = nodes.map(({name}) => name);
    return html`<div class="head">${this.#head('selection')}<h2>${nodes.length} nodes</h2><p>${names.join(', ')}</p>
      ${this.#buttons(names, nodes.some(({parameters}) => 'bypass' in parameters))}</div>`;
  }

  #buttons(names: readonly string[], bypass: boolean) {
    const disabled = !this.model.canEdit;
    const on = names.every((name) => (this.model.value(name, 'bypass') ?? 1) > 0);
    return html`<div class="buttons">
      ${bypass ? html`<button aria-pressed=${on} ?disabled=${disabled} @click=${() => this.actions.bypass(names)}>${icon('power')}Bypass</button>` : nothing}
      <button ?disabled=${disabled} @click=${() => this.actions.duplicate(names)}>${icon('duplicate')}Duplicate</button>
      <button class="danger" ?disabled=${disabled} @click=${() => this.actions.remove(names)}>${icon('remove')}Remove</button>
    </div>`;
  }

  /** The ports of a node with what they are connected to. */
  #ports(node: NodeView) {
    const ports = (['inputs', 'outputs'] as const).flatMap((direction) => portsOfNode(node, this.model.types, direction));
    return html`<section aria-label="Connections"><h3>Connections</h3><ul>${ports.flatMap((port) => this.#cablesOf(port))}</ul></section>`;
  }

  #cablesOf(port: Port) {
    const cables = [...this.model.graph.connections].filter(([, {from, to}]) => (port.direction === 'outputs' ? from : to) === port.id);
    const arrow = port.direction === 'outputs' ? '→' : '←';
    const connect = html`<button class="quiet" aria-label="Connect ${port.id}" title="Connect ${port.id} (${channels(port.width)})" ?disabled=${!this.model.canEdit}
      @click=${() => this.actions.connectPort(port)}>${icon('add')}</button>`;
    const name = (first: boolean) => html`<span class="port" title="${port.id}, ${channels(port.width)}">${first ? port.name : ''}</span>`;
    if (cables.length === 0) return [html`<li>${name(true)}<span class="none">not connected</span>${connect}</li>`];
    return cables.map(([key, {from, to, gain_db}], i) => {
      const other = port.direction === 'outputs' ? to : from;
      return html`<li>${name(i === 0)}
        <button class="quiet link" @click=${() => this.#select({kind: 'cable', key})} aria-label="Connection ${from} to ${to}">${arrow} ${other}${gain_db === 0 ? '' : ` (${formatDisplay(gain_db, 'dB', SILENCE_DB)})`}</button>
        <button class="quiet" aria-label="Disconnect ${from} from ${to}" ?disabled=${!this.model.canEdit} @click=${() => this.actions.disconnect(key)}>${icon('close')}</button>
        ${i === 0 ? connect : html`<span class="space"></span>`}</li>`;
    });
  }

  #cable(key: string, {from, to, gain_db}: {from: string; to: string; gain_db: number}) {
    const set = ({detail}: CustomEvent<number>): void => {
      void this.model.edit((transaction) => transaction.connect(from, to, detail), `change the gain from ${from} to ${to}`);
    };
    const disabled = !this.model.canEdit;
    return html`
      <div class="head">${this.#head('connection')}<h2>${from} → ${to}</h2></div>
      <section aria-label="Gain"><h3>Gain</h3><div class="gain">
        <rta-fader orientation="horizontal" label="Gain of the connection" .spec=${GAIN} .value=${gain_db} ?disabled=${disabled} @change=${set}></rta-fader>
        <rta-value label="Gain of the connection, as a number" .spec=${GAIN} .value=${gain_db} ?disabled=${disabled} @change=${set}></rta-value>
      </div></section>
      <div class="buttons">
        <button ?disabled=${disabled} @click=${() => this.actions.add({cable: key})}>${icon('add')}Insert a node</button>
        <button class="danger" ?disabled=${disabled} @click=${() => this.actions.disconnect(key)}>${icon('remove')}Remove</button>
      </div>
      <section aria-label="Signal"><h3>Signal at ${from}</h3><rta-signal .model=${this.model} .port=${from}></rta-signal></section>
      <div class="buttons">${[nodeOf(from), nodeOf(to)].map((name) => html`<button @click=${() => this.#select({kind: 'nodes', names: new Set([name])})}>${name}</button>`)}</div>`;
  }

  #port(port: Port) {
    const sources = port.direction === 'outputs' ? [port.id]
      : [...this.model.graph.connections.values()].filter(({to}) => to === port.id).map(({from}) => from);
    return html`
      <div class="head">${this.#head(`${port.direction === 'outputs' ? 'output' : 'input'}, ${channels(port.width)}`)}<h2>${port.id}</h2></div>
      <div class="buttons">
        <button class="primary" ?disabled=${!this.model.canEdit} @click=${() => this.actions.connectPort(port)}>${icon('cable')}Connect…</button>
        <button ?disabled=${!this.model.canEdit} @click=${() => this.actions.add({port})}>${icon('add')}Add a node here</button>
      </div>
      <section aria-label="Connections"><ul>${this.#cablesOf(port)}</ul></section>
      ${sources[0] === undefined ? nothing : html`<section aria-label="Signal"><h3>Signal at ${sources[0]}</h3>
        <rta-signal .model=${this.model} .port=${sources[0]}></rta-signal></section>`}
      <div class="buttons"><button @click=${() => this.#select({kind: 'nodes', names: new Set([port.node])})}>${port.node}</button></div>`;
  }

  /** Nothing is selected: the graph. */
  #graph() {
    const {graph, canEdit, whyReadOnly} = this.model;
    const describe = (texts: {title?: string; description?: string}): void => {
      void this.model.edit((transaction) => transaction.describe('', texts), 'describe the graph');
    };
    const valueIn = (event: Event): string => (event.target as HTMLInputElement).value;
    return html`
      <div class="head"><div class="kind"><span>graph</span></div><h2 class="visually-hidden">Graph</h2>
        <input class="name" aria-label="Title of the graph" placeholder="Untitled graph" maxlength="200" .value=${graph.title} ?disabled=${!canEdit}
          @change=${(event: Event) => describe({title: valueIn(event)})}>
        <p>${plural(graph.nodes.size, 'node')}, ${plural(graph.connections.size, 'connection')}</p></div>
      ${whyReadOnly ? html`<p>${whyReadOnly}</p>` : nothing}
      <section><h3>Description</h3><textarea aria-label="Description of the graph" maxlength="4000" .value=${graph.description} ?disabled=${!canEdit}
        @change=${(event: Event) => describe({description: valueIn(event)})}></textarea></section>
      <section><h3>Timing</h3>
        <rta-switch label="Latency compensation" text .checked=${graph.latency_compensation} ?disabled=${!canEdit}
          title="Delays the shorter paths where paths of different latency meet"
          @change=${({detail}: CustomEvent<boolean>) => this.model.edit((transaction) => transaction.setLatencyCompensation(detail), 'change the latency compensation')}>Latency compensation</rta-switch></section>
      <p>Select a node, a port or a cable. Press <b>?</b> for the keys.</p>`;
  }

  #rename(node: NodeView, input: HTMLInputElement): void {
    const name = input.value.trim();
    input.value = node.name;  // until the daemon has renamed it
    void this.actions.rename(node.name, name);
  }

  #select(selection: Selection): void { this.dispatchEvent(new CustomEvent('select', {detail: selection})); }

  #leave(close: boolean): void {
    this.dispatchEvent(new Event('leave'));
    if (close) this.#select(NOTHING);
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    event.preventDefault();
    this.#leave(false);
  };
}

function plural(count: number, noun: string): string { return `${count} ${noun}${count === 1 ? '' : 's'}`; }

declare global {
  interface HTMLElementTagNameMap { 'rta-inspector': Inspector }
}
