// SPDX-License-Identifier: MIT
// Places for nodes that have none: from left to right, as the signal flows.
import {type Box, CARD, type Point, type Size, boundsOf, overlap} from './geometry.js';

const GAP = {across: 56, along: 24};
const SWEEPS = 12;
/** Cards are aligned at their headers, so that the cables of a chain are straight. */
const ANCHOR = CARD.header / 2;
/** Room for a cable that passes a layer, and the most of them that are considered. */
const PASSAGE = {height: 64, most: 4000};

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

/** A node of a layer while it is laid out, or a cable that passes it. `y` is that of its ports. */
interface Item { readonly name: string; readonly height: number; y: number }

function neighbours({sizes, edges}: LayoutGraph, from: 0 | 1): Neighbours {
  const found = new Map([...sizes.keys()].map((name) => [name, [] as string[]]));
  for (const edge of edges) if (sizes.has(edge[0]) && sizes.has(edge[1])) found.get(edge[from])!.push(edge[1 - from]!);
  return found;
}

/** Returns the graph in which each edge leads to the next layer: longer ones lead over passages, which are added to `layers`. */
function withPassages({sizes, edges}: LayoutGraph, layers: Map<string, number>): LayoutGraph {
  const added = new Map<string, Size>();
  const short = edges.flatMap(([from, to]) => {
    const [first, last] = [layers.get(from) ?? 0, layers.get(to) ?? 0];
    if (!sizes.has(from) || !sizes.has(to) || last - first < 2 || added.size > PASSAGE.most) return [[from, to] as const];
    const chain = [from];
    for (let layer = first + 1; layer < last; layer += 1) {
      const name = ` ${added.size}`;  // not the name of a node
      added.set(name, {width: 0, height: PASSAGE.height});
      layers.set(name, layer);
      chain.push(name);
    }
    return [...chain, to].slice(1).map((name, i) => [chain[i]!, name] as const);
  });
  return {sizes: new Map([...sizes, ...added]), edges: short};
}

/**
 * Puts the nodes into layers, and then, in some sweeps to the right and to the left, each as near as possible to the middle of
 * its neighbours, without overlaps.
 */
function layoutLayers(nodes: LayoutGraph): Map<string, Point> {
  const layerOf = layersOf(nodes, neighbours(nodes, 1), neighbours(nodes, 0));
  const graph = withPassages(nodes, layerOf);
  const [targets, sources] = [neighbours(graph, 0), neighbours(graph, 1)];
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
  return placesOf(nodes, present);
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
    const offset = Math.min(ANCHOR, item.height / 2) + GAP.along / 2;
    blocks.push({members: [item], offsets: [offset], sum: wish - offset, length: item.height + GAP.along});
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

/** Returns the places of the upper left corners of the nodes. The first layer starts at 0. */
function placesOf({sizes}: LayoutGraph, layers: readonly (readonly Item[])[]): Map<string, Point> {
  const found = new Map<string, Point>();
  let x = 0;
  let top = Infinity;
  for (const layer of layers) {
    const nodes = layer.filter(({name}) => sizes.has(name));
    for (const {name, y} of nodes) {
      found.set(name, {x, y: Math.round(y - ANCHOR)});
      top = Math.min(top, Math.round(y - ANCHOR));
    }
    x += Math.max(0, ...nodes.map(({name}) => sizes.get(name)!.width)) + GAP.across;
  }
  return new Map([...sizes.keys()].map((name) => [name, {x: found.get(name)!.x, y: found.get(name)!.y - top}]));
}
