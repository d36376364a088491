// SPDX-License-Identifier: MIT
// The short forms of edits and parameter changes.
import {invalid} from './errors.js';

/**
 * Returns the changes of an object such as {"osc.gain_db": -6, "amp.mute": true, "osc.frequency_hz": {add: 10, ramp_ms: 500}}.
 * `ramp_ms` applies to those without their own.
 */
export function parameterChanges(values, ramp_ms) {
  return Object.entries(values).map(([name, value]) => {
    const [, node, parameter] = /^([^.]+)\.([^.]+)$/.exec(name) ?? [];
    if (node === undefined) throw invalid(`invalid parameter "${name}": expected NODE.PARAMETER, such as "osc.gain_db"`);
    return {node, parameter, ramp_ms, ...changeOf(name, value)};
  });
}

function changeOf(name, value) {
  if (typeof value === 'boolean') return {value: value ? 1 : 0};
  if (typeof value === 'number') return {value};
  if (value !== null && typeof value === 'object') return value;
  throw invalid(`invalid value ${JSON.stringify(value)} of ${name}: expected a number, true, false, or {value | add | toggle, ramp_ms}`);
}

/** Collects the edits of a transaction, in order. Each method returns the transaction. */
export class Transaction {
  edits = [];

  /** Adds an edit in the form of the protocol, such as {remove_node: {name: "osc"}}. */
  edit(edit) {
    this.edits.push(edit);
    return this;
  }

  add(type, name, parameters = {}, settings = {}) {
    return this.edit({add_node: {type, name, parameters: numbers(parameters), settings}});
  }
  remove(...names) {
    for (const name of names) this.edit({remove_node: {name}});
    return this;
  }
  rename(name, new_name) { return this.edit({rename_node: {name, new_name}}); }
  connect(from, to, gain_db) { return this.edit({connect: {from, to, gain_db}}); }
  disconnect(from, to) { return this.edit({disconnect: {from, to}}); }
  /** Changes parameters, as Client.set() does. */
  set(values, {ramp_ms} = {}) {
    for (const set_parameter of parameterChanges(values, ramp_ms)) this.edit({set_parameter});
    return this;
  }
  /** Changes settings of a node, which rebuilds it with a crossfade. */
  changeSettings(node, settings) { return this.edit({change_settings: {node, settings}}); }
  /** Sets the title or the description of a node, or of the graph if `node` is "". */
  describe(node, {title, description}) { return this.edit({describe: {node, title, description}}); }
  setLatencyCompensation(enabled = true) { return this.edit({set_latency_compensation: {enabled}}); }
}

function numbers(parameters) {
  return Object.fromEntries(Object.entries(parameters)
    .map(([name, value]) => [name, typeof value === 'boolean' ? Number(value) : value]));
}

/** Returns the content of a transaction: a function that collects edits, a graph, or the text of a document. */
export async function contentOf(change) {
  if (typeof change === 'string') return {document: change};
  if (typeof change === 'function') {
    const transaction = new Transaction();
    await change(transaction);
    return {edits: {edits: transaction.edits}};
  }
  if (change !== null && typeof change === 'object') return {graph: change};
  throw invalid('invalid change of the graph: expected a function, a graph, or the text of a document');
}
