// SPDX-License-Identifier: MIT
// An engine in a page answers as a daemon does: the same requests, by the same client library, have the same results, errors,
// mirrors, histories and documents.
import assert from 'node:assert/strict';
import test from 'node:test';
import {connect} from 'rta-client';
import {Daemon, randomOf} from '../../tests/support.mjs';
import {localClient} from './local_engine.mjs';

const SEED = Number(process.env.RTA_SEED ?? 17);  // other seeds find other faults
const REQUESTS = 600;

/** What differs by design: clocks, costs, and who the client is. A daemon returns settings as they were sent, also none. */
const OWN = new Set(['frame', 'utc_us', 'starts_within_ms', 'predicted_load', 'prepare_ms', 'was_prepared', 'prepared', 'prepared_bytes',
  'change_number', 'durable', 'instance_id', 'client_name']);

function normalised(value) {
  // A page has no media folders, and so no node type that plays files.
  if (typeof value === 'string') return value.replaceAll('loopback', 'page').replace(/(unknown node type .*expected one of: ).*/, '$1');
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(normalised);
  return Object.fromEntries(Object.entries(value)
    .filter(([name, member]) => !OWN.has(name) && !(name === 'settings' && !Array.isArray(member) && Object.keys(member).length === 0))
    .map(([name, member]) => [name, normalised(member)]));
}

/** Returns what a request leads to. */
async function outcome(client, request) {
  try {
    return {result: normalised(await request(client))};
  } catch (error) {
    if (error.name !== 'RtaError') throw error;
    return {code: error.code, message: normalised(error.message), editIndex: error.editIndex, conflict: error.conflict !== undefined};
  }
}

/** A daemon and a page that get the same requests. */
class Pair {
  static async start(t) {
    const daemon = await Daemon.start(t);
    const pair = new Pair();
    pair.daemon = await connect(daemon.address, {name: 'test'});
    t.after(() => pair.daemon.close());
    Object.assign(pair, {page: (await localClient(t)).client, count: 0});
    pair.mirrors = [await pair.daemon.mirror(), await pair.page.mirror()];
    return pair;
  }

  /** Sends a request to both, and compares the outcomes. */
  async same(what, request) {
    this.count += 1;
    const [expected, found] = await Promise.all([outcome(this.daemon, request), outcome(this.page, request)]);
    assert.deepEqual(found, expected, `request ${this.count}: ${what}`);
    return found;
  }

  /** Compares what the engines have become. */
  async compare() {
    await this.same('get_graph', (client) => client.graph());
    await this.same('get_history', (client) => client.history({steps: 1000, with_edits: true}));
    await this.same('list_scenes', (client) => client.scenes());
    const [expected, found] = this.mirrors;
    const revision = (await this.page.graph({content: 'GRAPH_CONTENT_MESSAGE'})).revision;
    for (const mirror of this.mirrors) {
      for await (const state of mirror.changes()) if (state.revision >= revision) break;
    }
    // Changes of parameters have no revision: both mirrors are complete once the graph has been read.
    const state = ({graph}) => ({nodes: new Map([...graph.nodes].sort()), connections: new Map([...graph.connections].sort()),
      compensation: graph.latency_compensation, title: graph.title, description: graph.description});
    assert.deepEqual(state(found), state(expected));
    assert.equal(found.reads, 1, 'the mirror of the page never lost the thread');
  }
}

/** Makes requests of all kinds, of which many are wrong. */
class Script {
  #random;
  #types;
  #used = new Set();

  constructor(seed, types) {
    this.#random = randomOf(seed);
    this.#types = types;
  }

  chance(probability) { return this.#random() < probability; }
  number(count) { return Math.floor(this.#random() * count); }
  pick(list) { return list[this.number(list.length)]; }
  name() { return this.chance(0.04) ? this.pick(['', 'a b', '7up', 'x'.repeat(65), 'é', '\u0007']) : this.pick(['a', 'b', 'c', 'd', 'e', 'out', 'mix', 'eq']); }

  port(direction) {
    const name = this.name();
    if (this.chance(0.6)) return name;
    return `${name}:${this.pick(direction === 'out' ? ['out', 'out_1', 'out_2', 'in', 'x'] : ['in', 'in_1', 'in_2', 'in_9', 'out', ''])}`;
  }

  value(row) {
    const {minimum = -1, maximum = 1} = row ?? {};
    const inside = minimum + this.#random() * (maximum - minimum);
    return this.pick([minimum, maximum, inside, inside, inside, Math.round(inside), maximum * 1.1 + 1, minimum - 1, 0, 1, 1e30, NaN, -Infinity]);
  }

  settings(type) {
    const given = {};
    for (const row of type.settings) {
      if (row.drawn) given[row.name] = this.number(1000);
      else if (this.chance(0.3) && !row.name.includes('#')) given[row.name] = this.setting(row);
    }
    if (this.chance(0.05)) given.nonsense = 1;
    return given;
  }

  setting(row) {
    if (this.chance(0.1)) return this.pick([null, 'x', -1, 1.5, [], {}, true, 1e300]);
    if (row.kind === 'choice') return this.pick(row.choices);
    if (row.kind === 'on_off') return this.chance(0.5);
    if (row.kind === 'text') return 'x';
    return Math.min(row.minimum + this.number(3), row.maximum);
  }

  addition() {
    const type = this.chance(0.05) ? {name: 'sin', settings: [], parameters: []} : this.pick(this.#types);
    const parameters = {};
    for (const row of type.parameters) {
      if (this.chance(0.2)) parameters[row.name.replaceAll('#', '1')] = this.value(row);
    }
    return {add_node: {name: this.name(), type: type.name, settings: this.settings(type), parameters,
      ...(this.chance(0.1) ? {title: this.pick(['Foyer', 'x'.repeat(300), '\u202e'])} : {})}};
  }

  edit() {
    const kinds = {
      add: () => this.addition(),
      add_more: () => this.addition(),
      remove: () => ({remove_node: {name: this.name()}}),
      rename: () => ({rename_node: {name: this.name(), new_name: this.name()}}),
      connect: () => ({connect: {from: this.port('out'), to: this.port('in'), ...(this.chance(0.4) ? {gain_db: this.value({minimum: -120, maximum: 24})} : {})}}),
      connect_more: () => ({connect: {from: this.port('out'), to: this.port('in')}}),
      disconnect: () => ({disconnect: {from: this.port('out'), to: this.port('in')}}),
      set: () => ({set_parameter: this.change()}),
      settings: () => ({change_settings: {node: this.name(), settings: {channels: this.pick([1, 2, 3, 0, 65, 'x', null])},
        defaults: this.chance(0.1) ? ['channels'] : []}}),
      compensate: () => ({set_latency_compensation: {enabled: this.chance(0.5)}}),
      describe: () => ({describe: {node: this.pick(['', this.name()]), ...(this.chance(0.8) ? {title: 'Hall'} : {}), ...(this.chance(0.3) ? {description: 'of the town'} : {})}}),
      empty: () => ({}),
    };
    return kinds[this.pick(Object.keys(kinds))]();
  }

  change() {
    const row = this.pick(this.pick(this.#types).parameters) ?? {name: 'gain_db', minimum: -120, maximum: 24};
    const change = {node: this.name(), parameter: row.name.replaceAll('#', '1')};
    if (this.chance(0.15)) change.ramp_ms = this.pick([0, 5, 600000, 600001, -1, NaN]);
    const kind = this.pick(['value', 'value', 'value', 'add', 'toggle', 'both']);
    if (kind === 'value' || kind === 'both') change.value = this.value(row);
    if (kind === 'add' || kind === 'both') change.add = this.pick([1, -3, 0.1, 1e9]);
    if (kind === 'toggle') change.toggle = this.chance(0.9);
    return change;
  }

  /** A change of a parameter that was not changed before: two changes within 2 s are one step, and the clocks differ. */
  newChange() {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const change = this.change();
      const key = `${change.node}.${change.parameter}`;
      if (this.#used.has(key)) continue;
      this.#used.add(key);
      return change;
    }
    return {node: 'nobody', parameter: 'x', value: 1};
  }

  graph() {
    const nodes = Array.from({length: this.number(4)}, () => this.addition().add_node);
    return {nodes, connections: this.chance(0.3) ? [{from: this.port('out'), to: this.port('in')}] : [], title: this.pick(['', 'One'])};
  }

  document() {
    return this.pick(['', '{', '[]', '{"nodes": [{"name": "a", "typo": 1}]}', '// only a comment\n{}',
      '{"nodes": [{"name": "a", "type": "gain", "parameters": {"gain_db": "-6 dB", "mute": "on"}}, {"name": "out", "type": "output"}],' +
      ' "connections": [{"from": "a", "to": "out"}]}',
      '{"nodes": [{"name": "a", "type": "biquad_filter", "parameters": {"frequency_hz": "30 kHz"}}]}']);
  }

  guard() {
    if (!this.chance(0.1)) return undefined;
    return this.pick([{expected_revision: 99999}, {expected_revision: 0}]);
  }

  /** Returns [description, request]. */
  request() {
    const kinds = {
      edits: () => {
        const edits = Array.from({length: 1 + this.number(3)}, () => this.edit());
        const [guard, wait_for_start] = [this.guard(), this.chance(0.1)];
        return ['edits', edits, (client) => client.transaction((t) => edits.forEach((edit) => t.edit(edit)), {guard, wait_for_start})];
      },
      one: () => {
        const edit = this.edit();
        return ['edit', edit, (client) => client.transaction((t) => t.edit(edit))];
      },
      check: () => {
        const edits = Array.from({length: 1 + this.number(3)}, () => this.edit());
        const with_graph = this.chance(0.5);
        return ['check', edits, (client) => client.check((t) => edits.forEach((edit) => t.edit(edit)), {with_graph, with_diff: true})];
      },
      graph: () => {
        const graph = this.graph();
        return ['graph', graph, (client) => client.load(graph)];
      },
      document: () => {
        const document = this.document();
        return ['document', document, (client) => client.load(document)];
      },
      set: () => {
        const changes = Array.from({length: 1 + this.number(2)}, () => this.newChange());
        return ['set', changes, (client) => client.call({set_parameters: {changes}})];
      },
      undo: () => {
        const options = {steps: this.pick([undefined, undefined, 1, 2, 3, 0, 1001, 1000]), of_all: this.chance(0.2)};
        return ['undo', options, (client) => client.undo(options)];
      },
      redo: () => {
        const options = {steps: this.pick([undefined, undefined, 1, 2])};
        return ['redo', options, (client) => client.redo(options)];
      },
      scene: () => {
        const [name, nodes] = [this.name(), this.chance(0.4) ? [this.name()] : []];
        return ['save_scene', {name, nodes}, (client) => client.saveScene(name, {nodes})];
      },
      recall: () => {
        const [name, fade_ms] = [this.name(), this.pick([undefined, 0, 50, -1, 600001])];
        return ['recall_scene', {name, fade_ms}, (client) => client.recallScene(name, {fade_ms})];
      },
      rename_scene: () => {
        const [name, other] = [this.name(), this.name()];
        return ['rename_scene', [name, other], (client) => client.renameScene(name, other)];
      },
      remove_scene: () => {
        const name = this.name();
        return ['remove_scene', name, (client) => client.removeScene(name)];
      },
      get_scene: () => {
        const name = this.name();
        return ['get_scene', name, (client) => client.scene(name)];
      },
      volume: () => {
        const change = this.pick([-6, 12, -120, 13, -121, NaN, {add_db: 3}, {add_db: -100}, {add_db: 0.1}, {}]);
        return ['volume', change, (client) => client.volume(change)];
      },
      mute: () => {
        const muted = this.chance(0.5);
        return ['mute', muted, (client) => client.mute(muted)];
      },
      response: () => {
        const of = this.pick([this.name(), {from: this.port('out'), to: this.port('in')}, {from: this.name()}, {node: this.name(), from: 'a', to: 'b'}]);
        const frequencies_hz = this.pick([[100, 1000], [0], [24000], [-1], [20]]);
        return ['response', {of, frequencies_hz}, async (client) => rounded(await client.response(of, {frequencies_hz}))];
      },
      types: () => {
        const type = this.pick(['', 'gain', 'gian', 'sine']);
        return ['types', type, (client) => commonTypes(client, type)];
      },
      part: () => {
        const nodes = [this.name(), this.name()];
        const content = this.pick([undefined, 'GRAPH_CONTENT_MESSAGE', 'GRAPH_CONTENT_DOCUMENT', 3]);
        return ['get_graph', {nodes, content}, (client) => client.graph({nodes, content})];
      },
      history: () => {
        const options = {steps: this.pick([0, 1, 5, 1001]), before: this.pick([undefined, 3])};
        return ['history', options, (client) => client.history(options)];
      },
      meters: () => {
        const nodes = this.pick([[], ['a', 'a'], [this.name()]]);
        return ['reset_meters', nodes, (client) => client.resetMeters(nodes)];
      },
      subscribe: () => {
        const message = this.pick([{topics: [9]}, {telemetry_rate_hz: 0}, {telemetry_rate_hz: 101}, {resume_after: 3, topics: ['TOPIC_LEVELS']},
          {resume_after: 3}, {watches: [{port: this.port('out')}]}, {watches: Array.from({length: 65}, (_, i) => ({port: `n${i}`}))}]);
        // A valid one would replace the subscription of the mirror.
        const topics = message.topics ?? ['TOPIC_CHANGES'];
        return ['subscribe', message, async (client) => { await client.call({subscribe: {...message, topics}}); return {}; }];
      },
    };
    const weighted = [...Object.keys(kinds), 'edits', 'edits', 'edits', 'edits', 'one', 'one', 'one', 'undo', 'set', 'set', 'check'];
    return kinds[this.pick(weighted)]();
  }
}

/** Computed with other mathematics. */
function rounded(value) {
  if (typeof value === 'number') return Math.round(value * 100) / 100 + 0;
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(rounded);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rounded(member)]));
}

/** Returns the node types that both have. */
async function commonTypes(client, type = '') {
  return (await client.nodeTypes(type)).filter(({name}) => name !== 'file_player');
}

test('random requests have the same outcome', {timeout: 240_000}, async (t) => {
  const pair = await Pair.start(t);
  const {result: types} = await pair.same('types', (client) => commonTypes(client));
  const script = new Script(SEED, types);
  const codes = new Map();
  for (let i = 0; i < REQUESTS; i += 1) {
    const [kind, content, request] = script.request();
    const {code = 'OK'} = await pair.same(`${kind} ${JSON.stringify(content)}`, request);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    if (i % 50 === 49) await pair.compare();
  }
  await pair.compare();
  t.diagnostic(`${pair.count} requests: ${[...codes].map(([code, count]) => `${code} ${count}`).join(', ')}`);
  for (const code of ['OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'FAILED_PRECONDITION', 'ABORTED']) {
    assert.ok(codes.has(code), `no outcome ${code}`);
  }
  assert.ok(codes.get('OK') > REQUESTS / 5);
});

test('gestures, undo and scenes of a short session', async (t) => {
  const pair = await Pair.start(t);
  assert.equal(pair.page.hello.server_version, pair.daemon.hello.server_version);
  await pair.same('build', (client) => client.transaction((t) => t.add('sine', 'osc').add('gain', 'vol').add('output', 'out')
    .connect('osc', 'vol').connect('vol', 'out')));
  // Two faders that move in turn are two steps.
  await pair.same('two faders', async (client) => {
    await Promise.all([-3, -6, -9].flatMap((gain) => [client.set({'osc.gain_db': gain}), client.set({'vol.gain_db': gain})]));
    return client.history();
  });
  // A transaction that sets another parameter of the node, and does something else besides, ends a gesture.
  await pair.same('a fader, and an edit of its node', async (client) => {
    await client.set({'osc.gain_db': -12});
    await client.transaction((t) => t.set({'osc.frequency_hz': 500}).add('gain', 'x'));
    await client.set({'osc.gain_db': -15});
    return client.history();
  });
  await pair.same('undo', (client) => client.undo({steps: 2}));
  await pair.same('save', (client) => client.saveScene('day'));
  await pair.same('undo', (client) => client.undo());
  await pair.compare();
  await pair.same('undo', (client) => client.undo());
  await pair.same('night', (client) => client.saveScene('night', {nodes: ['vol']}));
  await pair.same('redo', (client) => client.redo({steps: 2}));
  await pair.compare();
  await pair.same('recall', (client) => client.recallScene('night', {fade_ms: 100, wait_for_start: true}));
  await pair.same('scene', (client) => client.scene('day'));
  await pair.same('recall', (client) => client.recallScene('day'));
  await pair.same('relative', (client) => client.set({'osc.gain_db': {add: 1.5}, 'vol.mute': {toggle: true}}));
  await pair.same('remove', (client) => client.transaction((t) => t.remove('vol')));
  await pair.same('undo a removal', (client) => client.undo());
  await pair.same('panic', (client) => client.panic());
  await pair.same('unmute', (client) => client.unmute());
  await pair.same('guard', async (client) => {
    const {change_number} = await client.graph();
    await client.set({'osc.gain_db': -1});
    return client.transaction((t) => t.remove('osc'), {guard: {expected_change: change_number}}).catch(({code, conflict}) => ({code, conflict: conflict.revision}));
  });
  await pair.compare();
});

/** Returns the changes of a subscription, without what depends on clocks, until one is about `revision`. */
async function changesUntil(stream, revision) {
  const found = [];
  for await (const event of stream) {
    found.push(normalised(event));
    if (event.transaction_heard?.revision === revision) return found;
  }
  return found;
}

test('events have the same form and order', async (t) => {
  const pair = await Pair.start(t);
  const events = await Promise.all([pair.daemon, pair.page].map(async (client) => {
    const stream = client.events({topics: ['TOPIC_CHANGES']});
    await stream.ready;
    await client.transaction((t) => t.add('sine', 'osc', {gain_db: -12}).add('output', 'out').connect('osc', 'out', -3), {wait_for_start: true});
    await client.set({'osc.gain_db': -6, 'osc.frequency_hz': {add: 10}});
    await client.volume(-3);
    await client.mute();
    await client.unmute();
    await client.saveScene('one');
    await client.transaction((t) => t.changeSettings('osc', {channels: 2}).describe('osc', {title: 'Tone'}), {wait_for_start: true}).catch(() => {});
    await client.renameScene('one', 'two');
    await client.undo({wait_for_start: true});
    await client.recallScene('two', {wait_for_start: true});
    await client.removeScene('two');
    const {revision} = await client.load({nodes: [{name: 'x', type: 'gain'}]}, {wait_for_start: true});
    return changesUntil(stream, revision);
  }));
  // Transactions begin at times of their own.
  const kinds = ([...list]) => list.filter(({transaction_heard}) => !transaction_heard).map(({number, ...event}) => event);
  assert.deepEqual(kinds(events[1]), kinds(events[0]));
  const numbers = events[1].map(({number}) => number);
  numbers.forEach((number, i) => { if (i > 0) assert.equal(number, numbers[i - 1] + 1); });
});
