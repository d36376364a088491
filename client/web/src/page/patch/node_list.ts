// SPDX-License-Identifier: MIT
// The patch as a list, in the order in which the signal flows: for screen readers, and for those who like lists.
import type {MirrorGraph} from 'rta-client/core';
import {css, html} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {icon} from '../icons.js';
import {ModelElement, common} from '../model_element.js';
import type {PatchActions, Selection} from './actions.js';
import {type NodeView, nodeOf} from './ports.js';

/** Returns the names of the nodes, each after the nodes that it gets its signal from. */
export function inOrder(graph: MirrorGraph): string[] {
  const sources = new Map([...graph.nodes.keys()].map((name) => [name, new Set<string>()]));
  for (const {from, to} of graph.connections.values()) sources.get(nodeOf(to))?.add(nodeOf(from));
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    const stack = [name];
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const open = [...sources.get(top) ?? []].filter((source) => !found.has(source) && !stack.includes(source));
      if (open.length === 0) {
        found.add(top);
        stack.pop();
      } else {
        stack.push(open[0]!);
      }
    }
  };
  for (const name of sources.keys()) visit(name);
  return [...found];
}

/** Dispatches 'select' with a selection, and 'canvas' when the cards are wanted. */
@customElement('rta-node-list')
export class NodeList extends ModelElement {
  static override readonly watched = ['graph', 'connection'] as const;

  static override readonly styles = [common, css`
    :host { display: block; overflow-y: auto; padding: 12px 16px 80px; }
    .tools { display: flex; gap: 8px; margin-bottom: 12px; }
    .tools button { display: inline-flex; align-items: center; gap: 6px; }
    ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 6px; max-width: 860px; }
    li { display: grid; grid-template-columns: minmax(130px, 14em) minmax(0, 1fr) auto; gap: 12px; align-items: center; padding: 8px 12px;
      background: var(--rta-raised); border: 1px solid var(--rta-line); border-radius: var(--rta-radius); }
    li.selected { border-color: var(--rta-accent); box-shadow: 0 0 0 1px var(--rta-accent); }
    h3 { margin: 0; font-size: 14px; }
    h3 button { text-align: left; font-weight: 600; padding: 0 8px; margin: 0 -8px; overflow: hidden; text-overflow: ellipsis; max-width: 100%; }
    p { margin: 0; color: var(--rta-dim); font-size: 13px; overflow-wrap: anywhere; }
    .buttons { display: flex; gap: 4px; }
    @media (max-width: 700px) { li { grid-template-columns: 1fr auto; } .text { grid-column: 1 / -1; grid-row: 2; } }
  `];

  @property({attribute: false}) actions!: PatchActions;
  @property({attribute: false}) selection: Selection = {kind: 'nodes', names: new Set()};

  override render() {
    const {graph, canEdit} = this.model;
    return html`
      <div class="tools">
        <button @click=${() => this.dispatchEvent(new Event('canvas'))}>${icon('graph')}Show cards</button>
        <button class="primary" ?disabled=${!canEdit} @click=${() => this.actions.add()}>${icon('add')}Add a node</button>
      </div>
      <h2 class="visually-hidden">Nodes</h2>
      <ol aria-label="Nodes, in the order of the signal">${inOrder(graph).map((name) => this.#item(graph.nodes.get(name)!))}</ol>
      ${graph.nodes.size === 0 ? html`<p>The graph is empty.</p>` : null}`;
  }

  #item(node: NodeView) {
    const {name} = node;
    const cables = [...this.model.graph.connections.values()];
    const sources = cables.filter(({to}) => nodeOf(to) === name).map(({from}) => from);
    const targets = cables.filter(({from}) => nodeOf(from) === name).map(({to}) => to);
    const selected = this.selection.kind === 'nodes' && this.selection.names.has(name);
    const bypassed = (this.model.value(name, 'bypass') ?? 0) > 0 ? ', bypassed' : '';
    return html`<li class=${selected ? 'selected' : ''}>
      <h3><button class="quiet" aria-current=${selected} @click=${() => this.dispatchEvent(new CustomEvent('select', {detail: {kind: 'nodes', names: new Set([name])}}))}>${name}</button></h3>
      <div class="text"><p>${node.type.replaceAll('_', ' ')}${bypassed}</p>
        <p>${sources.length > 0 ? `from ${sources.join(', ')}` : 'no input'} · ${targets.length > 0 ? `to ${targets.join(', ')}` : 'no target'}</p></div>
      <div class="buttons">
        <button aria-label="Connect ${name}" title="Connect" ?disabled=${!this.model.canEdit} @click=${() => this.actions.connectNode(name)}>${icon('cable')}</button>
        <button class="danger" aria-label="Remove ${name}" title="Remove" ?disabled=${!this.model.canEdit} @click=${() => this.actions.remove([name])}>${icon('remove')}</button>
      </div></li>`;
  }
}

declare global {
  interface HTMLElementTagNameMap { 'rta-node-list': NodeList }
}
