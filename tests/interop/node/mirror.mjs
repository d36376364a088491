// SPDX-License-Identifier: MIT
// Mirrors the daemon's graph from events alone. It subscribes first and then requests the graph, so that no change is
// lost between the two. Change numbers have no gaps; the graph already contains the changes up to its change_number.

/** Thrown if a change is missing: request the graph again. */
export class Gap extends Error {}

/** All nodes and connections, with every setting and parameter, and with full port names. */
export class Graph {
  constructor(types) {
    this.types = new Map(types.map((type) => [type.name, type]));
    this.nodes = new Map();
    this.connections = new Map();  // gain_db by "from to"
    this.latencyCompensation = false;
    this.texts = {title: '', description: ''};
  }

  replace({nodes = [], connections = [], latency_compensation = false, title = '', description = ''}) {
    this.nodes.clear();
    this.connections.clear();
    nodes.forEach((node) => this.add(node));
    connections.forEach((connection) => this.connect(connection));
    this.latencyCompensation = latency_compensation;
    this.texts = {title, description};
  }

  apply(edit) {
    if (edit.add_node) this.add(edit.add_node);
    else if (edit.remove_node) this.remove(edit.remove_node.name);
    else if (edit.rename_node) this.rename(edit.rename_node.name, edit.rename_node.new_name);
    else if (edit.connect) this.connect(edit.connect);
    else if (edit.disconnect) this.connections.delete(this.ends(edit.disconnect));
    else if (edit.set_parameter) this.set(edit.set_parameter);
    else if (edit.change_settings) this.changeSettings(edit.change_settings);
    else if (edit.set_latency_compensation) this.latencyCompensation = edit.set_latency_compensation.enabled ?? false;
    else if (edit.describe) this.describe(edit.describe);
    else if (edit.replace_graph) this.replace(edit.replace_graph);
    else throw new Gap('unknown kind of edit');
  }

  add({name, type, settings, parameters, title = '', description = ''}) {
    const all = this.allSettings(type, plainFields(settings));
    this.nodes.set(name, {type, settings: all, parameters: {...this.defaults(type, all), ...parameters},
      texts: {title, description}});
  }

  describe({node = '', ...texts}) { Object.assign(node === '' ? this.texts : this.nodes.get(node).texts, texts); }

  remove(name) {
    this.nodes.delete(name);
    for (const ends of this.connections.keys()) {
      if (ends.split(' ').some((port) => nodeOf(port) === name)) this.connections.delete(ends);
    }
  }

  rename(name, newName) {
    const renamed = (port) => nodeOf(port) === name ? newName + port.slice(name.length) : port;
    this.nodes.set(newName, this.nodes.get(name));
    this.nodes.delete(name);
    this.connections = new Map([...this.connections].map(
      ([ends, gain]) => [ends.split(' ').map(renamed).join(' '), gain]));
  }

  connect(connection) { this.connections.set(this.ends(connection), connection.gain_db ?? 0); }

  set({node, parameter, value = 0}) { this.nodes.get(node).parameters[parameter] = value; }

  changeSettings({node: name, settings}) {
    const node = this.nodes.get(name);
    node.settings = this.allSettings(node.type, {...node.settings, ...plainFields(settings)});
    const kept = node.parameters;
    node.parameters = this.defaults(node.type, node.settings);
    for (const parameter of Object.keys(node.parameters)) {
      if (parameter in kept) node.parameters[parameter] = kept[parameter];
    }
  }

  /** Returns all parameters of a node with their defaults. A # in a name of the type stands for a number from 1. */
  defaults(type, settings) {
    const found = {};
    for (const row of this.types.get(type).parameters ?? []) {
      let names = [{name: row.name, first: 1}];
      (row.repeated_by ?? []).forEach(({setting, less = 0}, place) => {
        names = names.flatMap(({name, first}) => Array.from({length: settings[setting] - less}, (_, i) => (
          {name: name.replace('#', i + 1), first: place === 0 ? i + 1 : first})));
      });
      for (const {name, first} of names) {
        const standard = (row.default ?? 0) * (row.default_factor ?? 1) ** (first - 1);
        found[name] = Math.fround(Math.min(Math.max(standard, row.minimum ?? 0), row.maximum ?? 0));
      }
    }
    return found;
  }

  /** Returns all settings of a node: the given values, or the defaults. Drops those beyond a count that was lowered. */
  allSettings(type, given) {
    const rows = this.types.get(type).settings ?? [];
    const valueOf = (name, row) => [name, given[name] ?? plain(row.default)];
    const found = Object.fromEntries(rows.filter((row) => !row.repeated_by).map((row) => valueOf(row.name, row)));
    for (const row of rows.filter((row) => row.repeated_by)) {
      const {setting, less = 0} = row.repeated_by;
      const names = Array.from({length: found[setting] - less}, (_, i) => row.name.replace('#', i + 1));
      Object.assign(found, Object.fromEntries(names.map((name) => valueOf(name, row))));
    }
    return found;
  }

  ends({from, to}) { return `${this.full(from, 'outputs')} ${this.full(to, 'inputs')}`; }

  /** Returns `node:port`; the port may be omitted if the node has only one. */
  full(port, direction) {
    if (port.includes(':')) return port;
    const type = this.types.get(this.nodes.get(port).type);
    return `${port}:${type[direction][0].name.replace('#', '1')}`;
  }
}

/** The graph, its revision and the number of the latest change in it. */
export class Mirror {
  static async begin(client) {
    const mirror = new Mirror();
    mirror.client = client;
    mirror.graph = new Graph((await client.call({list_node_types: {}})).list_node_types.types);
    await client.call({subscribe: {topics: [1]}});  // TOPIC_CHANGES
    const {graph = {}, revision = 0, change_number = 0} = (await client.call({get_graph: {}})).get_graph;
    mirror.graph.replace(graph);
    mirror.revision = revision;
    mirror.number = change_number;
    return mirror;
  }

  /** Applies the next event, and returns it. */
  async follow() {
    const event = await this.client.event();
    if (event.number <= this.number) return event;  // already in the graph
    if (event.number !== this.number + 1) throw new Gap(`change ${event.number} follows ${this.number}`);
    this.number = event.number;
    if (event.graph_changed) {
      (event.graph_changed.edits ?? []).forEach((edit) => this.graph.apply(edit));
      this.revision = event.graph_changed.revision;
    } else if (event.parameters_changed) {
      event.parameters_changed.changes.forEach((change) => this.graph.set(change));
    }
    return event;
  }
}

function nodeOf(port) { return port.split(':')[0]; }

/** Returns the value of a google.protobuf.Value. */
function plain(value = {}) { return Object.values(value)[0] ?? null; }

function plainFields(struct) {
  return Object.fromEntries(Object.entries(struct?.fields ?? {}).map(([name, value]) => [name, plain(value)]));
}
