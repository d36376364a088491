// SPDX-License-Identifier: MIT
// Places for nodes that have none: from left to right, as the signal flows.
import {type Box, type Point, type Size, boundsOf, overlap} from './geometry.js';

const GAP = {across: 56, along: 24};
const SWEEPS = 12;

export interface LayoutGraph {
  /** In the order of the graph. */
  readonly sizes: ReadonlyMap<string, Size>;
  /** From node to node. */
  readonly edges: readonly (readonly [string, string])[];
}

/** Lays out all nodes. */
export function layoutAll(graph: LayoutGraph): Map<string, Point> {
  return graph.sizes.size === 0 ? new Map() : layoutLayers(graph);
}

/** Returns the places with places for the nodes that had none; the others stay. */
export function placeMissing(graph: LayoutGraph, places: ReadonlyMap<string, Point>): Map<string, Point> {
  const known = new Map([...places].filter(([name]) => graph.sizes.has(name)));
  const missing = [...graph.sizes.keys()].filter((name) => !known.has(name));
  if (missing.length === 0) return known;
  if (known.size === 0) return layoutAll(graph);
  // Those that were added together are laid out together, below the others if nothing connects them.
  const isMissing = new Set(missing);
  for (const name of missing) known.set(name, freePlace(graph, known, name, wishOf(graph, known, name, isMissing)));
  return known;
}

/** A node is placed behind the nodes that it gets its signal from, or before those that it feeds. */
function wishOf(graph: LayoutGraph, known: ReadonlyMap<string, Point>, name: string, isMissing: ReadonlySet<string>): Point {
  const {width} = graph.sizes.get(name)!;
  const sources = graph.edges.filter(([, to]) => to === name).map(([from]) => boxOf(graph, known, from)).filter(isBox);
  if (sources.length > 0) {
    return {x: Math.max(...sources.map((box) => box.x + box.width)) + GAP.across, y: Math.min(...sources.map(({y}) => y))};
  }
  const targets = graph.edges.filter(([from, to]) => from === name && !isMissing.has(to))
    .map(([, to]) => boxOf(graph, known, to)).filter(isBox);
  if (targets.length > 0) {
    return {x: Math.min(...targets.map(({x}) => x)) - GAP.across - width, y: Math.min(...targets.map(({y}) => y))};
  }
  const bounds = boundsOf([...known.keys()].map((other) => boxOf(graph, known, other)).filter(isBox))!;
  return {x: bounds.x, y: bounds.y + bounds.height + GAP.along * 2};
}

/** Returns the first place from `wish` downwards where a node covers no other. */
function freePlace(graph: LayoutGraph, known: ReadonlyMap<string, Point>, name: string, wish: Point): Point {
  const others = [...known.keys()].map((other) => boxOf(graph, known, other)).filter(isBox);
  let box = {...wish, ...graph.sizes.get(name)!};
  for (let tries = 0; tries <= others.length; tries += 1) {
    const hit = others.find((other) => overlap(box, other, GAP.along / 2));
    if (!hit) break;
    box = {...box, y: hit.y + hit.height + GAP.along};
  }
  return {x: box.x, y: box.y};
}

function boxOf(graph: LayoutGraph, places: ReadonlyMap<string, Point>, name: string): Box | undefined {
  const place = places.get(name);
  const size = graph.sizes.get(name);
  return place && size && {...place, ...size};
}

function isBox(box: Box | undefined): box is Box { return box !== undefined; }

/** Returns the layer of each node: behind all of its sources, and as near to its first target as that allows. */
function layersOf({sizes, edges}: LayoutGraph, sources: Neighbours, targets: Neighbours): Map<string, number> {
  const waiting = new Map([...sizes.keys()].map((name) => [name, sources.get(name)!.length]));
  const layers = new Map([...waiting].filter(([, count]) => count === 0).map(([name]) => [name, 0]));
  for (const [name, layer] of layers) {
    for (const target of targets.get(name)!) {
      waiting.set(target, waiting.get(target)! - 1);
      // A Map yields entries that are added while it is read. The last source decides.
      if (waiting.get(target) === 0) layers.set(target, layer + 1);
    }
  }
  for (const [name] of edges) {
    if (!layers.has(name) || sources.get(name)!.length > 0) continue;
    layers.set(name, Math.max(Math.min(...targets.get(name)!.map((target) => layers.get(target) ?? 1)) - 1, 0));
  }
  return layers;
}

type Neighbours = ReadonlyMap<string, readonly string[]>;

/** A node of a layer while it is laid out. */
interface Item { readonly name: string; readonly height: number; y: number }

function neighbours({sizes, edges}: LayoutGraph, from: 0 | 1): Neighbours {
  const found = new Map([...sizes.keys()].map((name) => [name, [] as string[]]));
  for (const edge of edges) if (sizes.has(edge[0]) && sizes.has(edge[1])) found.get(edge[from])!.push(edge[1 - from]!);
  return found;
}

/**
 * Puts the nodes into layers, and then, in some sweeps to the right and to the left, each as near as possible to the middle of
 * its neighbours, without overlaps.
 */
function layoutLayers(graph: LayoutGraph): Map<string, Point> {
  const [targets, sources] = [neighbours(graph, 0), neighbours(graph, 1)];
  const layerOf = layersOf(graph, sources, targets);
  const layers: Item[][] = [];
  const items = new Map([...graph.sizes].map(([name, {height}]) => [name, {name, height, y: 0}]));
  for (const item of items.values()) (layers[layerOf.get(item.name) ?? 0] ??= []).push(item);
  const present = layers.filter((layer) => layer !== undefined);
  for (const layer of present) place(layer, () => 0);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const [order, near] = sweep % 2 === 0 ? [present, sources] : [[...present].reverse(), targets];
    for (const layer of order) {
      place(layer, ({name, y}) => {
        const others = near.get(name)!.map((other) => items.get(other)!.y);
        return others.length === 0 ? y : others.reduce((sum, other) => sum + other, 0) / others.length;
      });
    }
  }
  return pointsOf(graph, present);
}

/**
 * Orders a layer by the wished middles of its nodes, and places them without overlaps so that the sum of the squares of the
 * distances from the wishes is least: neighbours that would overlap are moved as one block to their mean.
 */
function place(layer: Item[], wishOf: (item: Item) => number): void {
  const wished = layer.map((item) => ({item, wish: wishOf(item)}));
  wished.sort((a, b) => a.wish - b.wish);
  const blocks: {members: Item[]; offsets: number[]; sum: number; length: number}[] = [];
  const start = ({sum, members}: {sum: number; members: Item[]}): number => sum / members.length;
  for (const {item, wish} of wished) {
    const length = item.height + GAP.along;
    blocks.push({members: [item], offsets: [length / 2], sum: wish - length / 2, length});
    for (let last = blocks.at(-1)!, before = blocks.at(-2); before && start(before) + before.length > start(last); last = blocks.at(-1)!, before = blocks.at(-2)) {
      blocks.pop();
      before.sum += last.sum - before.length * last.members.length;
      before.offsets.push(...last.offsets.map((offset) => offset + before!.length));
      before.members.push(...last.members);
      before.length += last.length;
    }
  }
  layer.splice(0, layer.length, ...blocks.flatMap(({members}) => members));
  for (const block of blocks) block.members.forEach((item, i) => { item.y = start(block) + block.offsets[i]!; });
}

/** Returns the places of the upper left corners. The first layer starts at 0. */
function pointsOf({sizes}: LayoutGraph, layers: readonly (readonly Item[])[]): Map<string, Point> {
  const top = Math.min(...layers.flatMap((layer) => layer.map(({y, height}) => y - height / 2)));
  const points = new Map<string, Point>();
  let x = 0;
  for (const layer of layers) {
    for (const {name, y, height} of layer) points.set(name, {x, y: Math.round(y - height / 2 - top)});
    x += Math.max(...layer.map(({name}) => sizes.get(name)!.width)) + GAP.across;
  }
  return new Map([...sizes.keys()].map((name) => [name, points.get(name)!]));
}
