// SPDX-License-Identifier: MIT
// Places for nodes that have none: from left to right, as the signal flows.
import dagre from '@dagrejs/dagre';
import {type Box, type Point, type Size, boundsOf, overlap} from './geometry.js';

const GAP = {across: 56, along: 24};
/** Larger graphs are laid out in columns, which takes no time. */
const MOST_FOR_DAGRE = 400;

export interface LayoutGraph {
  /** In the order of the graph. */
  readonly sizes: ReadonlyMap<string, Size>;
  /** From node to node. */
  readonly edges: readonly (readonly [string, string])[];
}

/** Lays out all nodes. */
export function layoutAll(graph: LayoutGraph): Map<string, Point> {
  return graph.sizes.size > MOST_FOR_DAGRE ? layoutColumns(graph) : layoutLayers(graph);
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

function layoutLayers({sizes, edges}: LayoutGraph): Map<string, Point> {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({rankdir: 'LR', nodesep: GAP.along, ranksep: GAP.across, ranker: 'network-simplex'});
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [name, {width, height}] of sizes) graph.setNode(name, {width, height});
  for (const [from, to] of edges) if (sizes.has(from) && sizes.has(to)) graph.setEdge(from, to);
  dagre.layout(graph);
  return new Map([...sizes].map(([name, {width, height}]) => {
    const {x, y} = graph.node(name) as {x: number; y: number};
    return [name, {x: Math.round(x - width / 2), y: Math.round(y - height / 2)}];
  }));
}

/** Puts each node into the column after the last of its sources. */
function layoutColumns({sizes, edges}: LayoutGraph): Map<string, Point> {
  const targets = new Map<string, string[]>();
  const waiting = new Map<string, number>();
  for (const [from, to] of edges) {
    targets.set(from, [...(targets.get(from) ?? []), to]);
    waiting.set(to, (waiting.get(to) ?? 0) + 1);
  }
  const columns = new Map([...sizes.keys()].filter((name) => !waiting.has(name)).map((name) => [name, 0]));
  for (const [name, column] of columns) {
    for (const target of targets.get(name) ?? []) {
      const left = waiting.get(target)! - 1;
      waiting.set(target, left);
      // A Map yields entries that are added while it is read. The last source decides.
      if (left === 0) columns.set(target, column + 1);
    }
  }
  const heights = new Map<number, number>();
  return new Map([...sizes].map(([name, {width, height}]) => {
    const column = columns.get(name) ?? 0;
    const y = heights.get(column) ?? 0;
    heights.set(column, y + height + GAP.along);
    return [name, {x: column * (width + GAP.across), y}];
  }));
}
