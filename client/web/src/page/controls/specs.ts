// SPDX-License-Identifier: MIT
// The parameters and settings of a node, from the table of its type.
import type {JsonValue, NodeType, ParameterInfo, RepeatInfo, SettingInfo} from 'rta-client/core';

/** What a control needs to know of a value. A ParameterInfo of the protocol is one. */
export interface ValueSpec {
  /** As in ParameterInfo: Hz, dB, ms, s, on/off, or empty. */
  unit: string;
  minimum: number;
  maximum: number;
  /** Value after a double click. */
  default: number;
  /** linear, logarithmic, amplitude, on_off or own. */
  ramp_law: string;
  /** Only whole numbers. */
  whole?: boolean;
}

/** A parameter of a node under its own name, with its limits and its default. */
export interface ParameterSpec extends ValueSpec {
  name: string;
  help: string;
  /** Name of the row of the table, such as `gain_#_db`. */
  row: string;
  /** What the # of the row stand for. */
  numbers: readonly number[];
}

/** A setting of a node under its own name. */
export interface SettingSpec {
  name: string;
  help: string;
  info: SettingInfo;
  numbers: readonly number[];
}

type Settings = Readonly<Record<string, JsonValue>>;
interface Expanded {name: string; numbers: readonly number[]}

/** Returns the parameters that a node of this type has with these settings (all of them, as in MirrorNode). */
export function parametersOf(type: NodeType, settings: Settings): ParameterSpec[] {
  return type.parameters.flatMap((row) =>
    expand(row.name, row.repeated_by, settings).map((expanded) => parameterSpec(row, expanded, settings)));
}

/** Returns the settings that a node of this type has with these settings. */
export function settingsOf(type: NodeType, settings: Settings): SettingSpec[] {
  return type.settings.flatMap((info) =>
    expand(info.name, info.repeated_by ? [info.repeated_by] : [], settings)
      .map(({name, numbers}) => ({name, help: info.help, info, numbers})));
}

/** Returns the names of the ports of a node, in order. */
export function portsOf(type: NodeType, settings: Settings, direction: 'inputs' | 'outputs'): string[] {
  return type[direction].flatMap(({name, repeated_by}) =>
    expand(name, repeated_by ? [repeated_by] : [], settings).map((port) => port.name));
}

/** Returns the name of a value for people: `gain_2_db` is "gain 2", `max_time_ms` is "max time". */
export function labelOf(name: string): string {
  return name.replace(/_(hz|db|ms|s|frames|octaves)$/, '').replaceAll('_', ' ');
}

function parameterSpec(row: ParameterInfo, {name, numbers}: Expanded, settings: Settings): ParameterSpec {
  const limit = settings[row.maximum_setting];
  const maximum = typeof limit === 'number' ? Math.min(row.maximum, limit) : row.maximum;
  const value = row.default * (row.default_factor ?? 1) ** ((numbers[0] ?? 1) - 1);
  return {
    name, numbers, row: row.name, help: row.help, unit: row.unit, ramp_law: row.ramp_law, minimum: row.minimum, maximum,
    default: Math.fround(Math.min(Math.max(value, row.minimum), maximum)),
  };
}

/** Returns the names that a row stands for. The last # varies fastest. A count without a # is 0 or 1. */
function expand(pattern: string, repeats: readonly RepeatInfo[], settings: Settings): Expanded[] {
  let names: Expanded[] = [{name: pattern, numbers: []}];
  for (const {setting, less} of repeats) {
    const count = Math.max(Number(settings[setting]) - less, 0) || 0;
    names = names.flatMap(({name, numbers}) => Array.from({length: count}, (_, i) => (
      {name: name.replace('#', String(i + 1)), numbers: [...numbers, i + 1]})));
  }
  return names;
}
