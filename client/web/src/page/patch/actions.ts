// SPDX-License-Identifier: MIT
// What can be done in the patch, by pointer and by keyboard, on the canvas, in the list and in the inspector.
import type {EngineModel} from '../model.js';
import type {Choice, Chooser} from './chooser.js';
import {type Edit, addEdits, connectEdits, duplicateEdits, freeName, insertEdits, removeEdits} from './edits.js';
import type {Point} from './geometry.js';
import {type Port, channels, portsOfNode, targetsOf} from './ports.js';

/** What the inspector shows. `key` is "FROM TO". */
export type Selection =
  {kind: 'nodes'; names: ReadonlySet<string>} | {kind: 'cable'; key: string} | {kind: 'port'; port: Port};

export const NOTHING: Selection = {kind: 'nodes', names: new Set()};

/** The view of the patch. */
export interface PatchView {
  readonly chooser: Chooser;
  selection: Selection;
  /** The selected nodes, or else the one that has the focus. */
  readonly chosen: readonly string[];
  /** Puts a node that is being added somewhere; null: where the layout puts it. */
  place(name: string, at: Point | null): void;
  placeOf(name: string): Point | undefined;
  /** Moves cards apart so that one fits into a connection. Returns its place. */
  makeRoom(key: string): Point | null;
  focusNode(name: string): void;
}

export interface AddOptions {
  /** Where the card is put. */
  at?: Point | null;
  /** Connection that the node is inserted into, "FROM TO". */
  cable?: string;
  /** Port that the node is connected to. */
  port?: Port;
}

export class PatchActions {
  readonly #model: EngineModel;
  readonly #view: PatchView;

  constructor(model: EngineModel, view: PatchView) {
    this.#model = model;
    this.#view = view;
  }

  /** Lets the user choose a type, and adds a node of it. */
  async add({at = null, cable, port}: AddOptions = {}): Promise<void> {
    const {graph, types} = this.#model;
    const connection = cable === undefined ? undefined : graph.connections.get(cable);
    const suits = [...types.values()].filter(({inputs, outputs}) =>
      connection ? inputs.length > 0 && outputs.length > 0 : port?.direction === 'outputs' ? inputs.length > 0 : !port || outputs.length > 0);
    const choices = suits.map(({name, help}) => ({id: name, title: name.replaceAll('_', ' '), detail: help}));
    const title = connection ? `Insert between ${connection.from} and ${connection.to}` : port ? `Add a node at ${port.id}` : 'Add a node';
    const selected = this.#selectedOutput();
    const hint = !connection && !port && selected ? `Enter adds it, Shift and Enter also connects it to ${selected.id}.` : '';
    const chosen = await this.#view.chooser.choose(title, choices, hint);
    const type = chosen && this.#model.types.get(chosen.id);
    if (!type) return;
    const name = freeName(type.name, this.#model.graph.nodes);
    const source = port ?? (chosen.shift && !connection ? selected : undefined);
    const ends = connection ? {from: connection.from, to: connection.to}
      : source ? (source.direction === 'outputs' ? {from: source.id} : {to: source.id}) : {};
    this.#view.place(name, connection ? this.#view.makeRoom(cable!) : at);
    const what = connection ? `insert ${name}` : `add ${name}`;
    if (await this.#apply(addEdits(this.#model.graph, this.#model.types, type, name, ends), what)) this.#view.focusNode(name);
  }

  async connect(a: Port, b: Port): Promise<void> {
    const [from, to] = a.direction === 'outputs' ? [a, b] : [b, a];
    await this.#apply(connectEdits(this.#model.graph, from, to), `connect ${from.id} to ${to.id}`);
  }

  /** Lets the user choose a port of the node, and what it is connected to. */
  async connectNode(name: string): Promise<void> {
    const node = this.#model.graph.nodes.get(name);
    if (!node) return;
    const ports = [...portsOfNode(node, this.#model.types, 'outputs'), ...portsOfNode(node, this.#model.types, 'inputs')];
    const [first] = ports;
    if (!first) return;
    const chosen = ports.length === 1 ? {id: '0'} : await this.#view.chooser.choose(`Connect ${name}`, ports.map((port, i) => portChoice(port, String(i))));
    const port = chosen && ports[Number(chosen.id)];
    if (port) await this.connectPort(port);
  }

  /** Lets the user choose what a port is connected to. */
  async connectPort(port: Port): Promise<void> {
    const targets = targetsOf(this.#model.graph, this.#model.types, port);
    const title = port.direction === 'outputs' ? `Connect ${port.id} to` : `Connect to ${port.id} from`;
    const chosen = await this.#view.chooser.choose(title, targets.map((target, i) => portChoice(target, String(i))),
      targets.length === 0 ? 'No other port has as many channels.' : '');
    const target = chosen && targets[Number(chosen.id)];
    if (target) await this.connect(port, target);
  }

  async insert(name: string, key: string): Promise<void> {
    const edits = insertEdits(this.#model.graph, this.#model.types, name, key);
    if (edits.length === 0) return;
    this.#view.place(name, this.#view.makeRoom(key));
    await this.#apply(edits, `insert ${name} into a connection`);
  }

  async remove(names: readonly string[], bridge = false): Promise<void> {
    if (names.length === 0) return;
    const edits = removeEdits(this.#model.graph, this.#model.types, names, bridge);
    await this.#apply(edits, `remove ${names.length > 3 ? `${names.length} nodes` : names.join(', ')}`);
  }

  async disconnect(key: string): Promise<void> {
    const cable = this.#model.graph.connections.get(key);
    if (cable) await this.#apply([{disconnect: {from: cable.from, to: cable.to}}], `disconnect ${cable.from} from ${cable.to}`);
  }

  bypass(names: readonly string[]): void {
    const able = names.filter((name) => this.#model.value(name, 'bypass') !== undefined);
    if (able.length === 0) return;
    const all = able.every((name) => this.#model.value(name, 'bypass') === 1);
    this.#model.set(Object.fromEntries(able.map((name) => [`${name}.bypass`, all ? 0 : 1])));
  }

  async rename(name: string, new_name: string): Promise<void> {
    if (name !== new_name) await this.#apply([{rename_node: {name, new_name}}], `rename ${name} to ${new_name}`);
  }

  async duplicate(names: readonly string[]): Promise<void> {
    const {edits, copies} = duplicateEdits(this.#model.graph, names);
    if (edits.length === 0) return;
    for (const [name, copy] of copies) {
      const place = this.#view.placeOf(name);
      this.#view.place(copy, place ? {x: place.x + 32, y: place.y + 32} : null);
    }
    if (!await this.#apply(edits, `duplicate ${[...copies.keys()].join(', ')}`)) return;
    this.#view.selection = {kind: 'nodes', names: new Set(copies.values())};
    const [first] = copies.values();
    if (first !== undefined) this.#view.focusNode(first);
  }

  async #apply(edits: readonly Edit[], what: string): Promise<boolean> {
    return await this.#model.edit((transaction) => { for (const edit of edits) transaction.edit(edit); }, what) !== null;
  }

  /** The output of the only node that is selected, if it has one. */
  #selectedOutput(): Port | undefined {
    const [name, ...others] = this.#view.chosen;
    const node = name === undefined || others.length > 0 ? undefined : this.#model.graph.nodes.get(name);
    return node && portsOfNode(node, this.#model.types, 'outputs')[0];
  }
}

function portChoice(port: Port, id: string): Choice {
  return {id, title: port.id, detail: `${port.direction === 'outputs' ? 'output' : 'input'}, ${channels(port.width)}`};
}

