// SPDX-License-Identifier: MIT
// Edits as lines for people: what a document would change.
import type {Edit, JsonValue, NodeType} from 'rta-client/core';
import {type ParameterSpec, parametersOf} from '../controls/specs.js';
import {formatExact, quoted, unitOfName} from '../controls/units.js';

/** A line of a difference. */
export interface EditLine {
  kind: 'added' | 'removed' | 'changed';
  text: string;
}

type Types = ReadonlyMap<string, NodeType>;
/** Returns the type and the settings of a node of the present graph. */
type NodeLookup = (name: string) => {type: string; settings: Readonly<Record<string, JsonValue>>} | undefined;

/** Returns a line for each edit. Values that are defaults are left out. */
export function linesOf(edits: readonly Edit[], types: Types, node: NodeLookup): EditLine[] {
  return edits.map((edit) => lineOf(edit, types, node));
}

/** Returns how many nodes and connections edits add, remove and change. */
export function summaryOf(lines: readonly EditLine[]): string {
  const count = (kind: EditLine['kind']): number => lines.filter((line) => line.kind === kind).length;
  const parts = (['added', 'removed', 'changed'] as const).filter((kind) => count(kind) > 0).map((kind) => `${count(kind)} ${kind}`);
  return parts.length === 0 ? 'nothing changes' : parts.join(', ');
}

function lineOf(edit: Edit, types: Types, node: NodeLookup): EditLine {
  if (edit.add_node) {
    const {name, type, settings = {}, parameters} = edit.add_node;
    const specs = specsOf(types, type, settings);
    const values = [...sorted(settings).map(([setting, value]) => `${setting} ${textOf(setting, value)}`),
                    ...sorted(parameters ?? {}).filter(([parameter, value]) => value !== specs.get(parameter)?.default)
                      .map(([parameter, value]) => `${parameter} ${formatExact(value, specs.get(parameter)?.unit ?? '')}`)];
    return {kind: 'added', text: `${name} (${type})${values.length > 0 ? `: ${values.join(', ')}` : ''}`};
  }
  if (edit.remove_node) return {kind: 'removed', text: edit.remove_node.name};
  if (edit.connect) {
    const {from, to, gain_db} = edit.connect;
    return {kind: 'added', text: `${from} → ${to}${gain_db ? `, ${formatExact(gain_db, 'dB')}` : ''}`};
  }
  if (edit.disconnect) return {kind: 'removed', text: `${edit.disconnect.from} → ${edit.disconnect.to}`};
  return {kind: 'changed', text: changeOf(edit, types, node)};
}

function changeOf(edit: Edit, types: Types, node: NodeLookup): string {
  if (edit.set_parameter) {
    const {node: name, parameter, value} = edit.set_parameter;
    const found = node(name);
    const unit = found && specsOf(types, found.type, found.settings).get(parameter)?.unit;
    return `${name}.${parameter} = ${formatExact(value, unit ?? '')}`;
  }
  if (edit.change_settings) {
    const {node: name, settings = {}, defaults} = edit.change_settings;
    return [...Object.entries(settings).map(([setting, value]) => `${name}.${setting} = ${textOf(setting, value)}`),
            ...defaults.map((setting) => `${name}.${setting} = its default`)].join(', ');
  }
  if (edit.rename_node) return `${edit.rename_node.name} is renamed to ${edit.rename_node.new_name}`;
  if (edit.set_latency_compensation) return `latency compensation ${edit.set_latency_compensation.enabled ? 'on' : 'off'}`;
  if (edit.describe) {
    const {node: name, title, description} = edit.describe;
    const what = [...title === undefined ? [] : [`title ${quoted(title)}`], ...description === undefined ? [] : ['description']];
    return `${what.join(' and ')} of ${name || 'the graph'}`;
  }
  if (edit.replace_graph) return `the whole graph: ${edit.replace_graph.nodes.length} nodes, ${edit.replace_graph.connections.length} connections`;
  return 'an edit that this page does not know';
}

function specsOf(types: Types, name: string, settings: Readonly<Record<string, JsonValue>>): Map<string, ParameterSpec> {
  const type = types.get(name);
  if (!type) return new Map();
  const given = Object.fromEntries(type.settings.map((row) => [row.name, settings[row.name] ?? row.default ?? null]));
  return new Map(parametersOf(type, {...given, ...settings}).map((spec) => [spec.name, spec]));
}

/** Returns the values by their names, in the order of people. */
function sorted<T>(values: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(values).sort(([a], [b]) => a.localeCompare(b, 'en', {numeric: true}));
}

/** Returns the value of a setting. Its unit is in its name. */
function textOf(setting: string, value: JsonValue | undefined): string {
  if (typeof value === 'number') return formatExact(value, unitOfName(setting));
  return value === true ? 'on' : value === false ? 'off' : typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
