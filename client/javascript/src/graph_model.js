// SPDX-License-Identifier: MIT
// The graph as a program needs it: every node with all settings and parameters, every connection with full port names.

import {RtaError} from './errors.js';

/** Thrown if an edit does not fit the graph, or is of an unknown kind: the graph must be read again. */
export class Gap extends RtaError {
  constructor(message) { super('INTERNAL', message); }
}

/**
 * `nodes` maps the name of a node to {name, type, settings, parameters, title, description}, and `connections` maps
 * "FROM TO" to {from, to, gain_db}.
 */
export class GraphModel {
  #types;

  constructor(types) {
    this.#types = new Map(types.map((type) => [type.name, type]));
    this.nodes = new Map();
    this.connections = new Map();
    this.latency_compensation = false;
    this.title = '';
    this.description = '';
  }

  replace({nodes = [], connections = [], latency_compensation = false, title = '', description = ''}) {
    this.nodes.clear();
    this.connections.clear();
    nodes.forEach((node) => this.#add(node));
    connections.forEach((connection) => this.#connect(connection));
    Object.assign(this, {latency_compensation, title, description});
  }

  apply(edit) {
    if (edit.add_node) this.#add(edit.add_node);
    else if (edit.remove_node) this.#remove(edit.remove_node.name);
    else if (edit.rename_node) this.#rename(edit.rename_node.name, edit.rename_node.new_name);
    else if (edit.connect) this.#connect(edit.connect);
    else if (edit.disconnect) this.connections.delete(keyOf(this.#ends(edit.disconnect)));
    else if (edit.set_parameter) this.set(edit.set_parameter);
    else if (edit.change_settings) this.#change(edit.change_settings);
    else if (edit.set_latency_compensation) this.latency_compensation = edit.set_latency_compensation.enabled;
    else if (edit.describe) this.#describe(edit.describe);
    else if (edit.replace_graph) this.replace(edit.replace_graph);
    else throw new Gap('unknown kind of edit');
  }

  set({node, parameter, value}) { this.#node(node).parameters[parameter] = value; }

  #node(name) {
    const node = this.nodes.get(name);
    if (!node) throw new Gap(`unknown node "${name}"`);
    return node;
  }

  #type(name) {
    const type = this.#types.get(name);
    if (!type) throw new Gap(`unknown node type "${name}"`);
    return type;
  }

  #add({name, type, settings = {}, parameters = {}, title = '', description = ''}) {
    const all = this.#allSettings(type, settings);
    const values = {...this.#defaults(type, all), ...parameters};
    this.nodes.set(name, {name, type, settings: all, parameters: values, title, description});
  }

  #describe({node, title, description}) {
    const target = node === '' ? this : this.#node(node);
    if (title !== undefined) target.title = title;
    if (description !== undefined) target.description = description;
  }

  #remove(name) {
    this.nodes.delete(name);
    for (const [key, {from, to}] of this.connections) {
      if (nodeOf(from) === name || nodeOf(to) === name) this.connections.delete(key);
    }
  }

  #rename(name, newName) {
    const node = this.#node(name);
    this.nodes.delete(name);
    this.nodes.set(newName, {...node, name: newName});
    const renamed = (port) => nodeOf(port) === name ? newName + port.slice(name.length) : port;
    this.connections = new Map([...this.connections.values()].map(({from, to, gain_db}) => {
      const connection = {from: renamed(from), to: renamed(to), gain_db};
      return [keyOf(connection), connection];
    }));
  }

  #connect({from, to, gain_db = 0}) {
    const connection = {...this.#ends({from, to}), gain_db};
    this.connections.set(keyOf(connection), connection);
  }

  #change({node: name, settings, defaults = []}) {
    const node = this.#node(name);
    const given = {...node.settings, ...settings};
    for (const setting of defaults) delete given[setting];
    node.settings = this.#allSettings(node.type, given);
    const earlier = node.parameters;
    node.parameters = this.#defaults(node.type, node.settings);
    for (const parameter of Object.keys(node.parameters)) {
      if (parameter in earlier) node.parameters[parameter] = earlier[parameter];
    }
  }

  /** Returns all parameters of a node with their defaults. A # in a name of the type stands for a number from 1. */
  #defaults(typeName, settings) {
    const found = {};
    for (const row of this.#type(typeName).parameters) {
      const maximum = Math.min(row.maximum, settings[row.maximum_setting] ?? Infinity);
      for (const {name, first} of repeatedNames(row, settings)) {
        const value = row.default * (row.default_factor ?? 1) ** (first - 1);
        found[name] = Math.fround(Math.min(Math.max(value, row.minimum), maximum));
      }
    }
    return found;
  }

  /** Returns all settings of a node: the given values, or the defaults. Drops those beyond a count that was lowered. */
  #allSettings(typeName, given) {
    const rows = this.#type(typeName).settings;
    const valueOf = (name, row) => [name, given[name] ?? row.default ?? null];
    const found = Object.fromEntries(rows.filter((row) => !row.repeated_by).map((row) => valueOf(row.name, row)));
    for (const row of rows.filter((other) => other.repeated_by)) {
      const names = repeatedNames({name: row.name, repeated_by: [row.repeated_by]}, found);
      Object.assign(found, Object.fromEntries(names.map(({name}) => valueOf(name, row))));
    }
    return found;
  }

  #ends({from, to}) { return {from: this.#full(from, 'outputs'), to: this.#full(to, 'inputs')}; }

  /** Returns `node:port`; the port may be omitted if the node has only one. */
  #full(port, direction) {
    if (port.includes(':')) return port;
    const [only] = this.#type(this.#node(port).type)[direction];
    if (!only) throw new Gap(`"${port}" has no ${direction}`);
    return `${port}:${only.name.replace('#', '1')}`;
  }
}

function nodeOf(port) { return port.split(':')[0]; }
function keyOf({from, to}) { return `${from} ${to}`; }

/** Returns the names that a row of a type stands for, each with the number of its first #. */
function repeatedNames(row, settings) {
  let names = [{name: row.name, first: 1}];
  row.repeated_by.forEach(({setting, less}, place) => {
    const count = Number(settings[setting]) - less;
    names = names.flatMap(({name, first}) => Array.from({length: count}, (_, i) => (
      {name: name.replace('#', i + 1), first: place === 0 ? i + 1 : first})));
  });
  return names;
}
