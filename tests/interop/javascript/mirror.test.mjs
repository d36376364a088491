// SPDX-License-Identifier: MIT
// The mirror, over everything that can happen to its connection.
import assert from 'node:assert/strict';
import test from 'node:test';
import Long from 'long';
import {connect} from 'rta-client';
import {CuttingProxy, Daemon, fakeDaemon, frame, okFrame, randomOf, temporaryDirectory} from './support.mjs';

/** Waits until the mirror satisfies a condition. */
async function until(mirror, condition) {
  for await (const {graph} of mirror.changes()) {
    if (condition(mirror, graph)) return;
  }
}

/** Compares the mirror with a new mirror, and that with what the daemon returns. */
async function assertEqualsDaemon(mirror, client) {
  const {graph, revision, change_number} = await client.graph();
  await until(mirror, () => mirror.connected && mirror.change_number >= change_number);
  assert.equal(mirror.revision, revision);
  const fresh = await client.mirror();
  fresh.close();
  assert.deepEqual(mirror.graph, fresh.graph);
  assert.deepEqual([...mirror.graph.nodes.keys()].sort(), graph.nodes.map(({name}) => name).sort());
  for (const {name, parameters, settings} of graph.nodes) {
    const node = mirror.graph.nodes.get(name);
    assert.deepEqual(node.parameters, parameters, name);
    assert.deepEqual({...node.settings, ...settings}, node.settings, name);
  }
  assert.equal(mirror.graph.connections.size, graph.connections.length);
}

/** Edits at random. Some edits are refused. */
class Editor {
  constructor(client, random) {
    Object.assign(this, {client, random, names: [], made: 0, refused: 0, added: 0});
  }

  name() { return this.pick(this.names) ?? 'none'; }

  pick(list) { return list[Math.floor(this.random() * list.length)]; }

  async edit() {
    try {
      const add = this.names.length < 20 ? this.add : this.remove;
      await this.pick([add, add, this.connect, this.connect, this.set, this.change, this.rename, this.remove, this.replace]).call(this);
      this.made += 1;
    } catch (error) {
      assert.ok(['FAILED_PRECONDITION', 'INVALID_ARGUMENT', 'NOT_FOUND'].includes(error.code), `${error.stack}`);
      this.refused += 1;
    }
    this.names = (await this.client.graph({content: 'GRAPH_CONTENT_MESSAGE'})).graph.nodes.map(({name}) => name);
  }

  add() {
    const [type, parameters, settings] = this.pick([['gain', {gain_db: -30 * this.random()}, {}], ['sine', {}, {channels: 2}],
      ['mixer', {}, {inputs: 3}], ['noise', {}, {}], ['delay_line', {}, {max_time_ms: 5}],
      ['equalizer', {}, {bands: 3, kind_2: 'notch'}]]);
    this.added += 1;
    const name = `n${this.added}`;
    return this.client.transaction((t) => t.add(type, name, parameters, settings).describe(name, {title: `Node ${name}`}));
  }
  connect() { return this.client.transaction((t) => t.connect(this.name(), this.name(), -20 * this.random())); }
  set() { return this.client.set({[`${this.name()}.gain_db`]: -40 * this.random()}); }
  change() { return this.client.transaction((t) => t.changeSettings(this.name(), {channels: this.pick([1, 2, 3])})); }
  rename() { return this.client.transaction((t) => t.rename(this.name(), `r${this.added += 1}`).setLatencyCompensation(this.random() < 0.5)); }
  remove() { return this.client.transaction((t) => t.remove(this.name())); }
  async replace() {
    if (this.random() < 0.7) return;
    const {graph} = await this.client.graph();
    const nodes = graph.nodes.filter(() => this.random() < 0.7);
    await this.client.load({...graph, nodes, connections: []});
  }
}

test('a mirror follows every kind of edit without reading the graph again', async (t) => {
  const daemon = await Daemon.start(t);
  const [client, editing] = [await connect(daemon.address), await connect(daemon.address)];
  t.after(() => { client.close(); editing.close(); });
  const mirror = await client.mirror();
  const editor = new Editor(editing, randomOf(1));
  for (let i = 0; i < 300; i += 1) await editor.edit();
  await assertEqualsDaemon(mirror, editing);
  assert.equal(mirror.reads, 1);
  assert.ok(editor.made > 100 && mirror.graph.nodes.size > 3, `${editor.made} edits, ${mirror.graph.nodes.size} nodes`);
});

test('a mirror knows the defaults of every type, and what a changed setting adds and removes', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon.address);
  t.after(() => client.close());
  const mirror = await client.mirror();
  const types = await client.nodeTypes();
  let added = 0;
  for (const {name, settings} of types) {
    // A type with a setting that has no default, such as a file, is not added.
    const adding = await client.transaction((t) => t.add(name, name)).catch((error) => error);
    if (adding instanceof Error) continue;
    added += 1;
    for (const {name: setting, kind, minimum, maximum} of settings.filter(({kind: of}) => of === 'integer' || of === 'number')) {
      const values = kind === 'integer' ? [minimum, minimum + 2, minimum + 1] : [minimum, (minimum + maximum) / 2];
      for (const value of values) await client.transaction((t) => t.changeSettings(name, {[setting.replace('#', '1')]: value})).catch(() => {});
    }
  }
  await client.transaction((t) => t.add('delay_line', 'short', {}, {max_time_ms: 5}));
  assert.ok(added > 15, `${added} of ${types.length} types`);
  await assertEqualsDaemon(mirror, client);
  assert.equal(mirror.reads, 1);
});

test('a mirror has the same graph as the daemon after 50 cuts at random bytes', async (t) => {
  const random = randomOf(2);
  const daemon = await Daemon.start(t);
  // A quarter of the connections is cut while hello, the subscription or what was missed is received, the others later.
  const budget = () => Math.ceil((random() < 0.25 ? 500 : 6_000) * random());
  const proxy = await CuttingProxy.start(t, daemon.address, (connection) => connection === 1 ? 60_000 : budget());
  const [client, editing] = [await connect(proxy.address), await connect(daemon.address)];
  t.after(() => { client.close(); editing.close(); });
  const mirror = await client.mirror();
  const editor = new Editor(editing, random);
  let highest = 0;
  while (proxy.cuts < 50) {
    await editor.edit();
    assert.ok(mirror.change_number >= highest, 'the mirror never goes back');
    highest = mirror.change_number;
  }
  await assertEqualsDaemon(mirror, editing);
  assert.ok(mirror.reads + mirror.resumes > 20, `the graph was read ${mirror.reads} times, and resumed ${mirror.resumes} times`);
  assert.ok(mirror.resumes > 5, `resumed ${mirror.resumes} times`);
});

test('a mirror resumes without reading the graph', async (t) => {
  const daemon = await Daemon.start(t);
  const proxy = await CuttingProxy.start(t, daemon.address);
  const client = await connect(proxy.address);
  t.after(() => client.close());
  await client.transaction((t) => t.add('sine', 'osc'), {wait_for_start: true});
  const mirror = await client.mirror();
  const states = [];
  const watching = (async () => {
    for await (const {connected, resumes, graph} of mirror.changes()) {
      states.push(connected);
      if (resumes === 3 && graph.nodes.get('osc').parameters.gain_db === -33) return;
    }
  })();
  for (let i = 1; i <= 3; i += 1) {
    proxy.cut();
    await until(mirror, () => mirror.resumes === i);
  }
  await client.set({'osc.gain_db': -33});
  await watching;
  assert.equal(mirror.reads, 1);
  assert.ok(states.includes(false) && states.at(-1));
  // Something is missed: the daemon sends it.
  const direct = await connect(daemon.address);
  t.after(() => direct.close());
  proxy.cut();
  await until(mirror, () => !mirror.connected);
  await direct.set({'osc.gain_db': -44});
  await until(mirror, (_, graph) => mirror.connected && graph.nodes.get('osc').parameters.gain_db === -44);
  assert.deepEqual([mirror.reads, mirror.resumes], [1, 4]);
});

test('a mirror survives restarts of the daemon', async (t) => {
  const directory = temporaryDirectory(t);
  const proxy = await CuttingProxy.start(t, '127.0.0.1:1');
  const start = async () => {
    const daemon = await Daemon.start(t, {directory, arguments: ['--state-dir', `${directory}/state`]});
    proxy.target = daemon.address;
    return daemon;
  };
  let daemon = await start();
  const client = await connect(proxy.address);
  t.after(() => client.close());
  const mirror = await client.mirror();
  const instances = new Set();
  for (let i = 1; i <= 3; i += 1) {
    await client.transaction((t) => t.add('gain', `g${i}`));
    instances.add(mirror.instance_id);
    await daemon.stop();
    await until(mirror, () => !mirror.connected);
    assert.equal(mirror.graph.nodes.size, i, 'the graph stays');
    daemon = await start();
    await until(mirror, () => mirror.connected);
  }
  assert.deepEqual([...mirror.graph.nodes.keys()].sort(), ['g1', 'g2', 'g3']);
  assert.equal(instances.size, 3);
  assert.equal(mirror.reads, 4);
  await client.set({'g1.gain_db': -7});
  await assertEqualsDaemon(mirror, client);
});

test('after a gap, or an unknown kind of edit, the mirror reads the graph again', async (t) => {
  const graphs = [{change_number: 3, nodes: ['a']}, {change_number: 7, nodes: ['a', 'b']}, {change_number: 8, nodes: ['c']},
    {change_number: 9, nodes: ['d']}];
  const pushed = [
    frame({event: {number: 3, panicked: {}}}),  // already in the graph
    frame({event: {number: 7, graph_changed: {edits: [{add_node: {name: 'b', type: 'gain'}}]}}}),  // 4 to 6 are missing
    frame({event: {number: 8, graph_changed: {edits: [{}]}}}),  // an edit of a later version
    frame({event: {number: 9, graph_changed: {edits: [{set_parameter: {node: 'ghost'}}]}}}),
  ];
  let reads = 0;
  const {address} = await fakeDaemon(t, (request, socket) => {
    if (request.subscribe) return socket.write(okFrame(request.id, {subscribe: {instance_id: 'fake', change_number: 3}}));
    if (request.list_node_types) {
      const gain = {name: 'gain', inputs: [{name: 'in'}], outputs: [{name: 'out'}]};
      return socket.write(okFrame(request.id, {list_node_types: {types: [gain]}}));
    }
    const {change_number, nodes} = graphs[Math.min(reads, 3)];
    reads += 1;
    socket.write(okFrame(request.id, {get_graph: {change_number, graph: {nodes: nodes.map((name) => ({name, type: 'gain'}))}}}));
    if (reads === 1) socket.write(pushed[0]);
    return reads <= 3 && socket.write(pushed[reads]);
  });
  const client = await connect(address);
  t.after(() => client.close());
  const mirror = await client.mirror();
  await until(mirror, (_, graph) => graph.nodes.has('d'));
  assert.deepEqual([mirror.reads, mirror.change_number], [4, 9]);
});

test('a graph that cannot be understood is not read again without a pause', async (t) => {
  let reads = 0;
  const {address} = await fakeDaemon(t, (request, socket) => {
    if (request.subscribe) return socket.write(okFrame(request.id, {subscribe: {instance_id: 'fake', change_number: 3}}));
    if (request.list_node_types) return socket.write(okFrame(request.id, {list_node_types: {types: [{name: 'gain'}]}}));
    reads += 1;
    const type = reads === 1 || reads === 4 ? 'gain' : 'unknown';
    socket.write(okFrame(request.id, {get_graph: {change_number: 3, graph: {nodes: [{name: `n${reads}`, type}]}}}));
    return reads === 1 && socket.write(frame({event: {number: 5, panicked: {}}}));
  });
  const client = await connect(address);
  t.after(() => client.close());
  const mirror = await client.mirror();
  let lost = 0;
  await until(mirror, (_, graph) => {
    if (!mirror.connected) lost += 1;
    return graph.nodes.has('n4');
  });
  assert.ok(lost > 0, 'the mirror was not connected during the pause');
  reads = 1;
  await assert.rejects(client.mirror(), {name: 'RtaError', code: 'INTERNAL', message: /unknown node type/});
});

test('another instance with the same change number has another graph', async (t) => {
  let instance = 'a';
  const {address, sockets} = await fakeDaemon(t, (request, socket) => {
    if (request.subscribe) return socket.write(okFrame(request.id, {subscribe: {instance_id: instance, change_number: 3}}));
    if (request.list_node_types) return socket.write(okFrame(request.id, {list_node_types: {types: [{name: `of_${instance}`}]}}));
    return socket.write(okFrame(request.id, {get_graph: {change_number: 3, graph: {nodes: [{name: instance, type: `of_${instance}`}]}}}));
  });
  const client = await connect(address);
  t.after(() => client.close());
  const mirror = await client.mirror();
  assert.ok(mirror.graph.nodes.has('a'));
  instance = 'b';
  sockets.forEach((socket) => socket.destroy());
  await until(mirror, (_, graph) => graph.nodes.has('b'));
  assert.deepEqual([mirror.instance_id, mirror.reads], ['b', 2]);
});

test('numbers above 2^53 have no gap, either', async (t) => {
  const first = 2n ** 53n - 2n;
  const wide = (number) => Long.fromString(`${number}`, true);
  const {address} = await fakeDaemon(t, (request, socket) => {
    if (request.subscribe) return socket.write(okFrame(request.id, {subscribe: {instance_id: 'fake', change_number: wide(first)}}));
    if (request.list_node_types) return socket.write(okFrame(request.id, {list_node_types: {}}));
    socket.write(okFrame(request.id, {get_graph: {change_number: wide(first), revision: wide(2n ** 64n - 1n)}}));
    for (let number = first; number <= first + 5n; number += 1n) socket.write(frame({event: {number: wide(number), panicked: {}}}));
    return undefined;
  });
  const client = await connect(address);
  t.after(() => client.close());
  const mirror = await client.mirror();
  assert.equal(mirror.revision, 2n ** 64n - 1n);
  await until(mirror, () => mirror.change_number === first + 5n);
  assert.equal(mirror.reads, 1);
});

test('a mirror ends with the reason if it is refused, or the client is closed', async (t) => {
  let refuse = false;
  const {address, sockets} = await fakeDaemon(t, (request, socket) => {
    if (request.hello) {
      return socket.write(refuse ? frame({response: {id: request.id, status: {code: 16, message: 'the token was revoked'}}})
        : okFrame(request.id, {hello: {instance_id: 'fake'}}));
    }
    const [kind] = ['subscribe', 'list_node_types', 'get_graph'].filter((name) => request[name]);
    return socket.write(okFrame(request.id, {[kind]: {}}));
  }, {greet: false});
  const client = await connect(address);
  const mirror = await client.mirror();
  refuse = true;
  sockets.forEach((socket) => socket.destroy());
  await assert.rejects(until(mirror, () => false), {code: 'UNAUTHENTICATED', message: 'the token was revoked'});
  assert.equal(mirror.error.code, 'UNAUTHENTICATED');

  refuse = false;
  const second = await client.mirror();
  const third = await client.mirror();
  third.close();
  await until(third, () => false);
  client.close();
  await assert.rejects(until(second, () => false), {code: 'UNAVAILABLE', message: 'the client is closed'});
  await assert.rejects(client.mirror(), {code: 'UNAVAILABLE'});

  const last = await connect(address);
  t.after(() => last.close());
  const abort = new AbortController();
  const fourth = await last.mirror({signal: abort.signal});
  abort.abort(new Error('enough'));
  await assert.rejects(until(fourth, () => false), /^Error: enough$/);
  await assert.rejects(last.mirror({signal: abort.signal}), /^Error: enough$/);
  await last.status().catch(() => {});  // the client can be used further
});
