// SPDX-License-Identifier: MIT
// The strips of a mixer, from the graph: what they control, what they measure, and their order.
import type {ChannelLevel, MirrorGraph, MirrorNode, NodeType} from 'rta-client/core';
import {type ParameterSpec, parametersOf, portsOf} from '../controls/specs.js';
import {isLevel} from '../controls/scale.js';

/** A signal that is measured, and the gain that it gets before the place of which the level is shown. */
export interface Contribution {
  /** An output port, `node:port`. */
  port: string;
  gain_db: number;
}

/** What kind of thing a strip is; the output of the device is not a node. */
export type StripKind = 'source' | 'gain' | 'input' | 'output' | 'device';

/** A strip of the mixer. */
export interface Strip {
  /** Unique, and the same as long as the node exists: `vol`, `mix:2`; `` (empty) for the device output. */
  id: string;
  kind: StripKind;
  /** Name of the node; empty for the device output. */
  node: string;
  /** For people: the title of the node, or its name. */
  title: string;
  /** What it is: "gain", "mixer input 2". */
  subtitle: string;
  /** The level that the fader sets; absent for the device output. */
  level?: ParameterSpec;
  /** The on/off parameter of the mute key. */
  mute?: ParameterSpec;
  /** Where the level is measured. The values of the fader and of the mute count in addition if `afterFader` is not set. */
  contributions: readonly Contribution[];
  /** The measured port is behind the fader. */
  afterFader: boolean;
  /** A meter node that measures the loudness of the same signal. */
  meter?: string;
}

/** The device output, with the volume. It is the last strip. */
export const DEVICE_STRIP: Strip =
  {id: '', kind: 'device', node: '', title: 'Output', subtitle: 'device', contributions: [], afterFader: true};

type Types = ReadonlyMap<string, NodeType>;

/** Returns the strips of a graph, from its sources to its outputs: each gain, mixer input and output, and each source. */
export function stripsOf(graph: MirrorGraph, types: Types): Strip[] {
  const ranks = ranksOf(graph);
  const nodes = [...graph.nodes.values()].sort((a, b) =>
    (ranks.get(a.name) ?? 0) - (ranks.get(b.name) ?? 0) || byName(a.name, b.name));
  const incoming = incomingOf(graph);
  const strips = nodes.flatMap((node) => {
    const type = types.get(node.type);
    return type ? stripsOfNode(node, type, incoming) : [];
  });
  return strips.map((strip) => ({...strip, ...titleOf(strip, graph), ...meterOf(strip, graph)}));
}

/** Returns how many nodes the longest path to each node has. */
export function ranksOf(graph: MirrorGraph): Map<string, number> {
  const next = new Map<string, string[]>();
  const open = new Map<string, number>([...graph.nodes.keys()].map((name) => [name, 0]));
  for (const {from, to} of graph.connections.values()) {
    const [source, target] = [nodeOf(from), nodeOf(to)];
    next.set(source, [...next.get(source) ?? [], target]);
    open.set(target, (open.get(target) ?? 0) + 1);
  }
  const ranks = new Map<string, number>();
  const ready = [...open].filter(([, count]) => count === 0).map(([name]) => name);
  for (const name of ready) ranks.set(name, 0);
  for (let name = ready.shift(); name !== undefined; name = ready.shift()) {
    for (const target of next.get(name) ?? []) {
      ranks.set(target, Math.max(ranks.get(target) ?? 0, ranks.get(name)! + 1));
      const left = open.get(target)! - 1;
      open.set(target, left);
      if (left === 0) ready.push(target);
    }
  }
  return ranks;
}

/**
 * Returns the level that a strip shows, one for each channel: the sum of the powers of what it measures. `levels` has the
 * levels of ports; a port without levels counts as silent, and no port with levels gives undefined.
 */
export function levelsOf(strip: Strip, levels: ReadonlyMap<string, readonly ChannelLevel[]>, fader: {gain_db: number; muted: boolean}):
    ChannelLevel[] | undefined {
  const parts = strip.contributions.flatMap(({port, gain_db}) => {
    const channels = levels.get(port);
    return channels ? [{channels, gain_db}] : [];
  });
  if (parts.length === 0) return undefined;
  const own = strip.afterFader ? 0 : fader.muted || fader.gain_db <= -120 ? -Infinity : fader.gain_db;
  const width = Math.max(...parts.map(({channels}) => channels.length));
  return Array.from({length: width}, (_, channel) => {
    const sum = {peak_db: 0, rms_db: 0};
    for (const {channels, gain_db} of parts) {
      // A mono signal feeds every channel.
      const level = channels[channels.length === 1 ? 0 : channel];
      if (!level) continue;
      sum.peak_db += powerOf(level.peak_db + gain_db);
      sum.rms_db += powerOf(level.rms_db + gain_db);
    }
    return {peak_db: levelOf(sum.peak_db) + own, rms_db: levelOf(sum.rms_db) + own};
  });
}

function stripsOfNode(node: MirrorNode, type: NodeType, incoming: ReadonlyMap<string, Contribution[]>): Strip[] {
  const parameters = parametersOf(type, node.settings);
  const inputs = portsOf(type, node.settings, 'inputs');
  const outputs = portsOf(type, node.settings, 'outputs');
  const named = (name: string): ParameterSpec | undefined => parameters.find((parameter) => parameter.name === name);
  const common = {node: node.name, title: node.title || node.name};
  if (node.type === 'mixer') return inputs.flatMap((port, index) => {
    const level = named(`gain_${index + 1}_db`);
    const mute = named(`mute_${index + 1}`);
    if (!level) return [];
    return [{...common, id: `${node.name}:${index + 1}`, kind: 'input' as const, subtitle: `mixer input ${index + 1}`, level,
             ...mute ? {mute} : {}, contributions: incoming.get(`${node.name}:${port}`) ?? [], afterFader: false}];
  });
  const level = named('gain_db');
  const mute = named('mute');
  if (!level || !isLevel(level)) return [];
  const strip = {...common, id: node.name, subtitle: node.type.replaceAll('_', ' '), level, ...mute ? {mute} : {}};
  if (outputs.length === 0) return [{...strip, kind: 'output', contributions: incoming.get(`${node.name}:${inputs[0]}`) ?? [], afterFader: false}];
  if (node.type !== 'gain' && inputs.length > 0) return [];
  return [{...strip, kind: node.type === 'gain' ? 'gain' : 'source', contributions: [{port: `${node.name}:${outputs[0]}`, gain_db: 0}],
           afterFader: true}];
}

/** Returns what arrives at each input. */
function incomingOf(graph: MirrorGraph): Map<string, Contribution[]> {
  const incoming = new Map<string, Contribution[]>();
  for (const {from, to, gain_db} of graph.connections.values())
    incoming.set(to, [...incoming.get(to) ?? [], {port: from, gain_db}]);
  return incoming;
}

/** An input of a mixer has the title of what is connected to it. */
function titleOf(strip: Strip, {nodes}: MirrorGraph): {title?: string; subtitle?: string} {
  const [only] = strip.contributions;
  if (strip.kind !== 'input' || strip.contributions.length !== 1 || !only) return {};
  const source = nodes.get(nodeOf(only.port));
  return source ? {title: source.title || source.name, subtitle: `${strip.title}, ${strip.subtitle.replace('mixer ', '')}`} : {};
}

/** Returns the meter node that measures the signal of a strip, if there is one. */
function meterOf(strip: Strip, {nodes, connections}: MirrorGraph): {meter?: string} {
  const isMeter = (name: string): boolean => nodes.get(name)?.type === 'meter';
  const [only] = strip.contributions;
  if (strip.contributions.length !== 1 || !only) return {};
  if (!strip.afterFader) return isMeter(nodeOf(only.port)) ? {meter: nodeOf(only.port)} : {};
  const measured = [...connections.values()].find(({from, to, gain_db}) => from === only.port && gain_db === 0 && isMeter(nodeOf(to)));
  return measured ? {meter: nodeOf(measured.to)} : {};
}

/** In the order of people: in_2 precedes in_10. */
function byName(a: string, b: string): number { return a.localeCompare(b, 'en', {numeric: true}); }

function nodeOf(port: string): string { return port.split(':')[0]!; }
function powerOf(db: number): number { return db <= -150 ? 0 : 10 ** (db / 10); }
function levelOf(power: number): number { return power > 0 ? Math.max(10 * Math.log10(power), -150) : -150; }
