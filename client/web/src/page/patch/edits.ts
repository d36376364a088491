// SPDX-License-Identifier: MIT
// The edits of the patch view, as lists of edits of the protocol.
import type {JsonValue, MirrorGraph, NodeType} from 'rta-client/core';
import {type NodeView, type Port, type Types, adaptation, findPort, fits, keyOf, nodeOf, portsOfNode} from './ports.js';

export type Edit = Readonly<Record<string, object>>;

const MOST_LETTERS = 64;

/** Returns a name that no node has: the wish itself, or with _2, _3, ... */
export function freeName(wish: string, taken: ReadonlyMap<string, unknown> | ReadonlySet<string>): string {
  const base = wish.replace(/_\d+$/, '');
  if (!taken.has(wish)) return wish;
  for (let number = 2; ; number += 1) {
    const suffix = `_${number}`;
    const name = base.slice(0, MOST_LETTERS - suffix.length) + suffix;
    if (!taken.has(name)) return name;
  }
}

/** Returns the settings of a new node that has as many channels as the signal, as far as its type allows. */
export function settingsFor(type: NodeType, width: number): Record<string, JsonValue> {
  const row = type.settings.find(({name}) => name === 'channels');
  const most = row?.maximum ?? 0;
  return row && width > 1 && width <= most ? {channels: width} : {};
}

/** Connects two ports. If their widths do not fit, changes the number of channels of a node that is not connected yet. */
export function connectEdits(graph: MirrorGraph, from: Port, to: Port): Edit[] {
  const change = fits(from, to) ? null : adaptation(graph, from, to);
  const adapt = change ? [{change_settings: {node: change.node, settings: {channels: change.channels}}}] : [];
  return [...adapt, {connect: {from: from.id, to: to.id}}];
}

/** Adds a node, and connects it to the ports `from` and `to`, each if given. A connection from `from` to `to` is replaced. */
export function addEdits(graph: MirrorGraph, types: Types, type: NodeType, name: string,
                         {from, to}: {from?: string; to?: string} = {}): Edit[] {
  const source = from === undefined ? undefined : findPort(graph, types, from, 'outputs');
  const target = to === undefined ? undefined : findPort(graph, types, to, 'inputs');
  const settings = settingsFor(type, source?.width ?? target?.width ?? 1);
  const node: NodeView = {name, type: type.name, settings: {...defaults(type), ...settings}, parameters: {}, title: '', description: ''};
  const [input] = portsOfNode(node, types, 'inputs');
  const [output] = portsOfNode(node, types, 'outputs');
  const cable = source && target && graph.connections.get(keyOf(source.id, target.id));
  return [
    {add_node: {name, type: type.name, settings}},
    ...(cable && input && output ? [{disconnect: {from: cable.from, to: cable.to}}] : []),
    ...(source && input ? [{connect: {from: source.id, to: input.id}}] : []),
    ...(target && output ? [{connect: {from: output.id, to: target.id, ...(cable ? {gain_db: cable.gain_db} : {})}}] : []),
  ];
}

/** Puts a node that exists into a connection. */
export function insertEdits(graph: MirrorGraph, types: Types, name: string, key: string): Edit[] {
  const node = graph.nodes.get(name);
  const cable = graph.connections.get(key);
  if (!node || !cable) return [];
  const source = findPort(graph, types, cable.from, 'outputs');
  const [input] = portsOfNode(node, types, 'inputs');
  const [output] = portsOfNode(node, types, 'outputs');
  if (!source || !input || !output) return [];
  const change = fits(source, input) ? null : adaptation(graph, source, input);
  return [
    ...(change?.node === name ? [{change_settings: {node: name, settings: {channels: change.channels}}}] : []),
    {disconnect: {from: cable.from, to: cable.to}},
    {connect: {from: cable.from, to: input.id}},
    {connect: {from: output.id, to: cable.to, gain_db: cable.gain_db}},
  ];
}

/** Removes nodes. `bridge`: what was connected through one of them is connected directly, where the widths fit. */
export function removeEdits(graph: MirrorGraph, types: Types, names: readonly string[], bridge: boolean): Edit[] {
  const removes = names.map((name) => ({remove_node: {name}}));
  if (!bridge || names.length !== 1) return removes;
  const [name] = names;
  const cables = [...graph.connections.values()];
  const incoming = cables.filter(({to}) => nodeOf(to) === name);
  const outgoing = cables.filter(({from}) => nodeOf(from) === name);
  const bridges = incoming.flatMap((before) => outgoing.flatMap((after) => {
    const from = findPort(graph, types, before.from, 'outputs');
    const to = findPort(graph, types, after.to, 'inputs');
    if (!from || !to || !fits(from, to) || graph.connections.has(keyOf(from.id, to.id))) return [];
    return [{connect: {from: from.id, to: to.id, gain_db: Math.max(before.gain_db + after.gain_db, -120)}}];
  }));
  return [...removes, ...bridges];
}

/** Copies nodes with the connections between them. Returns the edits, and the new names by the old ones. */
export function duplicateEdits(graph: MirrorGraph, names: readonly string[]): {edits: Edit[]; copies: Map<string, string>} {
  const taken = new Set(graph.nodes.keys());
  const copies = new Map<string, string>();
  const edits: Edit[] = [];
  for (const name of names) {
    const node = graph.nodes.get(name);
    if (!node) continue;
    const copy = freeName(name, taken);
    taken.add(copy);
    copies.set(name, copy);
    const settings = Object.fromEntries(Object.entries(node.settings).filter(([, value]) => value !== null));
    edits.push({add_node: {...node, name: copy, settings, parameters: {...node.parameters}}});
  }
  for (const {from, to, gain_db} of graph.connections.values()) {
    const [source, target] = [copies.get(nodeOf(from)), copies.get(nodeOf(to))];
    if (source === undefined || target === undefined) continue;
    edits.push({connect: {from: source + from.slice(nodeOf(from).length), to: target + to.slice(nodeOf(to).length), gain_db}});
  }
  return {edits, copies};
}

function defaults(type: NodeType): Record<string, JsonValue> {
  return Object.fromEntries(type.settings.filter(({repeated_by}) => !repeated_by).map((row) => [row.name, row.default ?? null]));
}
