// SPDX-License-Identifier: MIT
// The ports of nodes, and which of them may be connected.
import type {MirrorGraph, MirrorNode, NodeType} from 'rta-client/core';
import {portsOf} from '../controls/specs.js';

export type Direction = 'inputs' | 'outputs';
export type Types = ReadonlyMap<string, NodeType>;
export type NodeView = Readonly<MirrorNode>;

export interface Port {
  readonly node: string;
  readonly name: string;
  /** node:port */
  readonly id: string;
  readonly direction: Direction;
  /** Number of channels. */
  readonly width: number;
  /** Whether the setting `channels` of the node determines the width. */
  readonly adaptable: boolean;
}

/** Returns the ports of a node in the order of its type; none if this version of the page does not know the type. */
export function portsOfNode(node: NodeView, types: Types, direction: Direction): Port[] {
  const type = types.get(node.type);
  return (type?.[direction] ?? []).flatMap((row) => {
    const rows = {...type!, [direction]: [row]};
    const width = row.width || Number(node.settings['channels']) || 1;
    return portsOf(rows, node.settings, direction).map((name) => (
      {node: node.name, name, id: `${node.name}:${name}`, direction, width, adaptable: row.width === 0}));
  });
}

/** Returns the port of that name, node:port. */
export function findPort(graph: MirrorGraph, types: Types, id: string, direction: Direction): Port | undefined {
  const node = graph.nodes.get(nodeOf(id));
  return node && portsOfNode(node, types, direction).find((port) => port.id === id);
}

export function nodeOf(port: string): string { return port.slice(0, port.indexOf(':')); }
export function keyOf(from: string, to: string): string { return `${from} ${to}`; }

export function channels(width: number): string { return width === 1 ? '1 channel' : `${width} channels`; }

/** Returns the names of the nodes that can be reached from a node along (or, backwards, against) the connections. */
export function reachable(graph: MirrorGraph, start: string, backwards = false): Set<string> {
  const next = new Map<string, string[]>();
  for (const {from, to} of graph.connections.values()) {
    const [source, target] = backwards ? [nodeOf(to), nodeOf(from)] : [nodeOf(from), nodeOf(to)];
    next.set(source, [...(next.get(source) ?? []), target]);
  }
  const found = new Set([start]);
  for (const name of found) for (const other of next.get(name) ?? []) found.add(other);
  return found;
}

/** Returns the ports that a port may be connected to: not along a cycle, not twice, and of a width that fits. */
export function targetsOf(graph: MirrorGraph, types: Types, port: Port): Port[] {
  const backwards = port.direction === 'inputs';
  const before = reachable(graph, port.node, !backwards);
  const others = [...graph.nodes.values()].filter(({name}) => !before.has(name))
    .flatMap((node) => portsOfNode(node, types, backwards ? 'outputs' : 'inputs'));
  return others.filter((other) => {
    const [from, to] = backwards ? [other, port] : [port, other];
    return !graph.connections.has(keyOf(from.id, to.id)) && (fits(from, to) || adaptation(graph, from, to) !== null);
  });
}

/** Whether the widths of two ports allow a connection. */
export function fits(from: Port, to: Port): boolean { return from.width === to.width || from.width === 1; }

/** Returns the node whose number of channels can be changed so that two ports fit: one that is not connected yet. */
export function adaptation(graph: MirrorGraph, from: Port, to: Port): {node: string; channels: number} | null {
  const connected = new Set([...graph.connections.values()].flatMap((cable) => [nodeOf(cable.from), nodeOf(cable.to)]));
  if (to.adaptable && !connected.has(to.node)) return {node: to.node, channels: from.width};
  if (from.adaptable && !connected.has(from.node)) return {node: from.node, channels: to.width};
  return null;
}
