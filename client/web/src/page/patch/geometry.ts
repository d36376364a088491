// SPDX-License-Identifier: MIT
// Sizes and places in the patch, in pixels at 100 %. Nothing is measured in the page, so that the layout does not depend on
// what is visible.
import type {NodeType} from 'rta-client/core';
import {type ParameterSpec, parametersOf} from '../controls/specs.js';
import {type NodeView, type Port, type Types, portsOfNode} from './ports.js';

export interface Point { readonly x: number; readonly y: number }
export interface Size { readonly width: number; readonly height: number }
export interface Box extends Point, Size {}

export const CARD = {width: 208, header: 38, port: 20, picture: 62, control: 26, bottom: 8} as const;
const MOST_CONTROLS = 3;

/** What a card shows, and where its ports are. */
export interface CardShape extends Size {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Rows of ports with their names; 0: the ports are at the header, without names. */
  readonly rows: number;
  readonly controls: readonly ParameterSpec[];
  readonly picture: boolean;
}

/** Returns the parameters that a card shows: up to three, none of nodes with several rows of repeated values. */
export function mainParameters(type: NodeType, node: NodeView): ParameterSpec[] {
  const rows = type.parameters.filter(({unit}) => unit !== 'on/off');
  const repeated = rows.filter(({repeated_by, name}) => repeated_by.length > 0 && name.includes('#'));
  if (repeated.length > 1 || rows.some(({repeated_by}) => repeated_by.length > 1)) return [];
  return parametersOf(type, node.settings).filter(({unit, name}) => unit !== 'on/off' || name === 'mute').slice(0, MOST_CONTROLS);
}

export function shapeOf(node: NodeView, types: Types): CardShape {
  const type = types.get(node.type);
  const inputs = portsOfNode(node, types, 'inputs');
  const outputs = portsOfNode(node, types, 'outputs');
  const rows = inputs.length > 1 || outputs.length > 1 ? Math.max(inputs.length, outputs.length) : 0;
  const controls = type ? mainParameters(type, node) : [];
  const picture = !['merge', 'split'].includes(node.type);
  const height = CARD.header + rows * CARD.port + (picture ? CARD.picture : 0) + controls.length * CARD.control + CARD.bottom;
  return {inputs, outputs, rows, controls, picture, width: CARD.width, height};
}

/** Returns the centre of a port relative to its card. */
export function portPlace(shape: CardShape, port: Port): Point {
  const list = shape[port.direction];
  const index = list.findIndex(({name}) => name === port.name);
  const y = shape.rows === 0 ? CARD.header / 2 : CARD.header + (index + 0.5) * CARD.port;
  return {x: port.direction === 'inputs' ? 0 : shape.width, y};
}

/** Returns the path of a cable. One that leads back is led around. */
export function cablePath(from: Point, to: Point): string {
  const distance = to.x - from.x;
  const bend = distance > 0 ? Math.max(Math.min(distance / 2, 140), 24) : 80 + Math.min(-distance / 3, 120);
  return `M${from.x} ${from.y}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
}

/** Returns the box around boxes, or null if there are none. */
export function boundsOf(boxes: Iterable<Box>): Box | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const {x, y, width, height} of boxes) {
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + width), Math.max(bottom, y + height)];
  }
  return left === Infinity ? null : {x: left, y: top, width: right - left, height: bottom - top};
}

export function overlap(a: Box, b: Box, margin = 0): boolean {
  return a.x < b.x + b.width + margin && b.x < a.x + a.width + margin && a.y < b.y + b.height + margin && b.y < a.y + a.height + margin;
}

/** Returns the name of the nearest box in a direction; undefined if none is there. */
export function nearest(boxes: ReadonlyMap<string, Box>, start: string, dx: number, dy: number): string | undefined {
  const origin = boxes.get(start);
  if (!origin) return boxes.keys().next().value;
  let found: string | undefined;
  let least = Infinity;
  for (const [name, box] of boxes) {
    const x = box.x + box.width / 2 - origin.x - origin.width / 2;
    const y = box.y + box.height / 2 - origin.y - origin.height / 2;
    const along = x * dx + y * dy;
    const across = Math.abs(x * dy) + Math.abs(y * dx);
    if (name === start || along <= 4 || across > along * 3) continue;
    if (along + 2 * across < least) {
      least = along + 2 * across;
      found = name;
    }
  }
  return found;
}
