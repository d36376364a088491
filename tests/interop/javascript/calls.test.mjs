// SPDX-License-Identifier: MIT
// Every call of the library, and every error, against rtad.
import assert from 'node:assert/strict';
import test from 'node:test';
import {RtaError, connect} from 'rta-client';
import {CuttingProxy, Daemon} from './support.mjs';

const chain = {
  nodes: [
    {name: 'osc', type: 'sine', parameters: {frequency_hz: 440}},
    {name: 'vol', type: 'gain', parameters: {gain_db: -12}},
    {name: 'out', type: 'output', settings: {channels: 2}},
  ],
  connections: [{from: 'osc', to: 'vol'}, {from: 'vol', to: 'out', gain_db: -3}],
};

async function clientOf(t, options) {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon.socket, {name: 'calls', ...options});  // as admin
  t.after(() => client.close());
  return {client, daemon};
}

function refusal(code, message, more = {}) {
  return (error) => {
    assert.ok(error instanceof RtaError, `${error}`);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    for (const [name, value] of Object.entries(more)) assert.deepEqual(error[name], value);
    return true;
  };
}

test('a guard that does not hold says what it has found', async (t) => {
  const {client, daemon} = await clientOf(t);
  const {revision} = await client.load(chain);
  const {change_number} = await client.graph({content: 'GRAPH_CONTENT_MESSAGE'});
  const guard = {expected_revision: revision, expected_change: change_number, expected_instance: client.hello.instance_id};
  await client.set({'vol.gain_db': -6}, {guard});
  const found = (error) => refusal('ABORTED', /is later than the expected change/)(error) &&
    [error.conflict.revision, error.conflict.client_name] + '' === [revision, 'calls'] + '';
  const refused = [
    client.set({'vol.gain_db': -9}, {guard}), client.transaction((t) => t.remove('vol'), {guard}), client.load(chain, {guard}),
    client.check('{}', {guard})];
  await Promise.all(refused.map((call) => assert.rejects(call, found)));
  assert.equal((await client.transaction((t) => t.remove('vol'), {guard: {expected_revision: revision}})).revision, revision + 1);
  await assert.rejects(client.transaction((t) => t.remove('ghost')), (error) => error.conflict === undefined);

  const {diff} = await client.check((t) => t.rename('osc', 'tone').set({'tone.frequency_hz': 220}), {with_diff: true});
  assert.deepEqual(diff.map((edit) => Object.keys(edit)[0]), ['rename_node', 'set_parameter']);

  const other = await connect(daemon.socket, {name: 'other'});
  t.after(() => other.close());
  const count = async (counter) => {
    for (let done = 0; done < 40;) {
      const {graph, change_number} = await counter.graph({nodes: ['osc']});
      const frequency_hz = graph.nodes[0].parameters.frequency_hz + 1;
      try {
        await counter.set({'osc.frequency_hz': frequency_hz}, {guard: {expected_change: change_number}});
        ++done;
      } catch (error) {
        if (error.code !== 'ABORTED') throw error;
      }
    }
  };
  await Promise.all([count(client), count(other)]);
  assert.equal((await client.graph({nodes: ['osc']})).graph.nodes[0].parameters.frequency_hz, 440 + 80, 'no update is lost');
});

test('each call has its result', async (t) => {
  const {client, daemon} = await clientOf(t);
  assert.equal(client.peer, daemon.socket);
  assert.equal(client.fingerprint, null);

  const status = await client.status();
  assert.equal(status.instance_id, client.hello.instance_id);
  assert.equal(status.device.kind, 'null');
  assert.equal(status.engine.revision, 0, 'a field with its default value');
  assert.deepEqual(status.clients.map(({name}) => name), ['calls']);
  assert.ok(Array.isArray(await client.devices()));
  assert.ok((await client.nodeTypes()).length > 10);
  const [gain] = await client.nodeTypes('gain');
  assert.equal(gain.settings.find(({name}) => name === 'channels').default, 1);

  const played = await client.load(chain, {wait_for_start: true});
  assert.equal(played.revision, 1);
  assert.equal(typeof played.frame, 'number');

  const edited = await client.transaction((t) => t
    .add('biquad_filter', 'tone', {frequency_hz: 1000, bypass: true}, {kind: 'highpass', channels: 2})
    .changeSettings('vol', {channels: 2}).connect('vol', 'tone').disconnect('vol', 'out').connect('tone', 'out', -6)
    .set({'vol.mute': true, 'osc.frequency_hz': {value: 660, ramp_ms: 100}}, {ramp_ms: 50}).rename('osc', 'source')
    .describe('tone', {title: 'Tone'}).describe('', {description: 'The graph'}).setLatencyCompensation()
    .edit({add_node: {name: 'spare', type: 'gain'}}).remove('spare'));
  assert.equal(edited.revision, 2);
  const {graph, document, revision} = await client.graph();
  assert.equal(revision, 2);
  const tone = graph.nodes.find(({name}) => name === 'tone');
  assert.deepEqual(tone.settings, {kind: 'highpass', channels: 2});
  assert.deepEqual([tone.parameters.frequency_hz, tone.parameters.bypass, tone.title], [1000, 1, 'Tone']);
  assert.deepEqual([graph.latency_compensation, graph.description], [true, 'The graph']);
  assert.deepEqual(graph.connections.map(({from, to, gain_db}) => `${from} ${to} ${gain_db}`).sort(),
    ['source vol undefined', 'tone out -6', 'vol tone undefined']);
  assert.equal((await client.graph({content: 'GRAPH_CONTENT_MESSAGE'})).document, '');
  assert.deepEqual((await client.graph({nodes: ['tone']})).graph.nodes, [tone]);

  const {relative_changes} = await client.set({'source.frequency_hz': {add: 10}, 'vol.mute': {toggle: true}, 'vol.gain_db': -20});
  assert.deepEqual(relative_changes.map(({node, value}) => [node, value]), [['source', 670], ['vol', 0]]);

  const checked = await client.check((t) => t.remove('tone'), {with_graph: true});
  assert.deepEqual([checked.node_count, checked.graph.nodes.length], [3, 3]);
  assert.equal((await client.check(document)).node_count, 4);
  assert.equal((await client.load(document)).revision, 3);

  const [latest, before] = await client.history({steps: 2, with_edits: true});
  assert.deepEqual([latest.undone, before.edits.length, latest.number - before.number], [false, 3, 1]);
  const undone = await client.undo({wait_for_start: true});
  assert.deepEqual(undone.steps.map(({number, undone}) => [number, undone]), [[latest.number, true]]);
  assert.equal((await client.redo()).steps[0].number, latest.number);
  await assert.rejects(client.redo(), refusal('NOT_FOUND', /no step/));

  const {outputs, notes} = await client.response('tone', {frequencies_hz: [1000, 2000]});
  assert.equal(outputs[0].magnitude_db.length, 2);
  assert.deepEqual(notes, []);
  const path = await client.response({from: 'source', to: 'out', to_channel: 2}, {frequencies_hz: [500]});
  assert.equal(path.outputs[0].group_delay_ms.length, 1);

  assert.equal(typeof (await client.mute()).frame, 'number');
  assert.equal((await client.status()).engine.output_muted, true);
  await client.unmute();
  assert.equal((await client.status()).engine.output_muted, false);
  await client.panic();
  await client.mute(false);
  assert.deepEqual(await client.volume(), {volume_db: 0});
  assert.equal((await client.volume(-6)).volume_db, -6);
  assert.equal((await client.volume({add_db: 2})).volume_db, -4);
  assert.equal((await client.resetMeters()).frame > 0, true);
  assert.equal((await client.setDevice('null')).device.kind, 'null');

  assert.deepEqual((await client.call({get_graph: {nodes: ['tone']}, timeout_ms: 100})).graph.nodes.length, 1);
});

test('changes can ask for a confirmation', async (t) => {
  const {client} = await clientOf(t);
  await client.load(chain);
  const {confirmation} = await client.transaction((edits) => edits.remove('vol'), {confirm_within_s: 60});
  assert.equal(confirmation.summary, 'remove vol');
  assert.equal((await client.status()).confirmation.id, confirmation.id);
  await assert.rejects(client.confirm({id: confirmation.id + 1}), refusal('NOT_FOUND', /no edit/));
  const {steps} = await client.revert({id: confirmation.id, wait_for_start: true});
  assert.deepEqual(steps.map(({summary, undone}) => [summary, undone]), [['remove vol', true]]);
  await client.redo({confirm_within_s: 60});
  assert.equal((await client.confirm()).summary, 'remove vol');
  await assert.rejects(client.confirm(), refusal('FAILED_PRECONDITION', /no edit waits/));
});

test('changes can be made later', async (t) => {
  const {client} = await clientOf(t);
  await client.load(chain);
  const time = await client.time();
  assert.equal(time.sample_rate_hz, 48000);
  const later = await client.set({'vol.gain_db': -6}, {at: {in_s: 3600}});
  assert.equal(later.pending.summary, 'set vol.gain_db = -6');
  const date = new Date(Date.now() + 7_200_000);
  const removed = await client.transaction((t) => t.remove('vol'), {at: date});
  assert.equal(BigInt(removed.pending.utc_us), BigInt(date.getTime()) * 1000n);
  assert.deepEqual((await client.pending()).map(({summary}) => summary), ['set vol.gain_db = -6', 'remove vol']);
  assert.equal((await client.cancel(removed.pending.id)).summary, 'remove vol');
  await assert.rejects(client.cancel(removed.pending.id), refusal('NOT_FOUND', /no edit with the id 2 waits/));
  await assert.rejects(client.set({'vol.gain_db': -6}, {at: {frame: 0}}), refusal('INVALID_ARGUMENT', /has passed: it is/));
  await client.cancel(later.pending.id);
});

test('scenes are saved, recalled, renamed and removed', async (t) => {
  const {client} = await clientOf(t);
  await client.load(chain);
  assert.equal((await client.saveScene('day')).partial, false);
  const quiet = await client.saveScene('quiet', {nodes: ['vol']});
  assert.equal(quiet.partial, true);
  assert.equal(quiet.node_count, 1);
  const level = async () => (await client.graph()).graph.nodes.find(({name}) => name === 'vol').parameters.gain_db;
  const before = await level();
  await client.set({'vol.gain_db': -42});
  assert.deepEqual((await client.scene('quiet')).diff.map((edit) => edit.set_parameter.parameter), ['gain_db']);
  const recalled = await client.recallScene('quiet', {fade_ms: 50, wait_for_start: true});
  assert.ok(recalled.transaction.frame !== undefined);
  assert.equal(await level(), before);
  assert.deepEqual((await client.history({steps: 1})).map(({summary}) => summary), ['recall quiet']);
  assert.equal((await client.recallScene('day', {at: {in_s: 3600}})).transaction.pending.summary, 'recall day');
  const tentative = await client.recallScene('quiet', {confirm_within_s: 60});
  assert.equal(tentative.transaction.confirmation.summary, 'recall quiet');
  await client.revert();
  await assert.rejects(client.recallScene('day', {force: true, at: {in_s: 1}}), refusal('INVALID_ARGUMENT', /force/));
  assert.ok((await client.recallScene('day', {force: true})).transaction.revision > 0);
  assert.equal((await client.renameScene('quiet', 'low')).name, 'low');
  assert.deepEqual((await client.scenes()).map(({name}) => name), ['day', 'low']);
  await client.removeScene('low');
  await assert.rejects(client.recallScene('low'), refusal('NOT_FOUND', /unknown scene "low"/));
});

test('an error of the daemon is a rejected promise', async (t) => {
  const {client} = await clientOf(t);
  await client.load(chain);
  await assert.rejects(client.transaction((t) => t.add('gain', 'a').remove('ghost')),
    refusal('NOT_FOUND', /unknown node "ghost"/, {editIndex: 1, result: undefined}));
  await assert.rejects(client.set({'vol.gain_db': -3, 'osc.gain_db': 99}), 
    refusal('INVALID_ARGUMENT', /out of range: -120 to 24 dB/, {editIndex: 1}));
  await assert.rejects(client.transaction((t) => t.add('gain', 'vol')), refusal('ALREADY_EXISTS', /already exists/, {editIndex: 0}));
  await assert.rejects(client.transaction((t) => t.connect('vol', 'vol')), refusal('FAILED_PRECONDITION', /cycle/));
  await assert.rejects(client.load('{"nodes": ['), refusal('INVALID_ARGUMENT', /line 1/, {editIndex: undefined}));
  await assert.rejects(client.setDevice('jack:no-such-server'), refusal('UNAVAILABLE', /no-such-server/));
  await assert.rejects(client.graph({nodes: ['ghost']}), refusal('NOT_FOUND', /ghost/));
  assert.equal((await client.graph()).revision, 1, 'nothing has changed');
});

test('an argument that cannot be sent is refused, and the client can be used further', async (t) => {
  const {client} = await clientOf(t);
  const refused = [
    [() => client.call({get_grph: {}}), /invalid request with get_grph: expected one of hello, get_status/],
    [() => client.call({get_status: {}, panic: {}}), /get_status and panic: expected one of/],
    [() => client.call({}), /invalid request with nothing/],
    [() => client.call(null), /invalid request with nothing/],
    [() => client.call({id: 7, get_status: {}}), /expected none/],
    [() => client.call({get_graph: {nodez: []}}), /GetGraph: unknown field: "nodez": expected content, nodes/],
    [() => client.call({get_graph: {nodes: 'osc'}}), /GetGraph.nodes: expected array/],
    [() => client.call({timeout_ms: -1, get_status: {}}), /timeout_ms/],
    [() => client.call({mute_output: {muted: 1}}), /MuteOutput.muted: expected boolean/],
    [() => client.call({list_node_types: {type: '\ud800'}}), /surrogate/],
    [() => client.call({set_volume: {volume_db: 1, add_db: 1}}), /multiple values for oneof change/],
    [() => client.call({set_volume: {volume_db: NaN}}), /volume_db/],
    [() => client.set({osc: 1}), /expected NODE.PARAMETER/],
    [() => client.set({'osc.gain_db': '-6 dB'}), /invalid value "-6 dB" of osc.gain_db/],
    [() => client.load(7), /expected a function, a graph, or the text/],
    [() => client.load(() => {}), /expected a graph/],
    [() => client.load('x'.repeat(5 << 20)), /a request of 5242\d\d\d bytes: expected at most 4194304/],
    [() => client.call({get_status: {}}, {deadline: 1}), /unknown option "deadline" of call\(\): expected deadlineMs, signal/],
    [() => client.call({get_status: {}}, {deadlineMs: 0}), /invalid deadline/],
    [() => client.mirror({name: 'x'}), /unknown option/],
    [async () => client.events({topics: ['TOPIC_LEVEL']}), /unknown topic "TOPIC_LEVEL": expected a list of TOPIC_CHANGES/],
    [async () => client.events({topics: 'TOPIC_LEVELS'}), /unknown topic "TOPIC_LEVELS"/],
  ];
  for (const [call, message] of refused) await assert.rejects(call(), refusal('INVALID_ARGUMENT', message));
  await assert.rejects(client.events({telemetry_rate_hz: 1000}).next(), refusal('INVALID_ARGUMENT', /telemetry_rate_hz/));
  const failure = new Error('of the caller');
  await assert.rejects(client.transaction((t) => { t.add('gain', 'a'); throw failure; }), failure);
  await assert.rejects(client.transaction(async (t) => { t.add('gain', 'a'); throw failure; }), failure);
  assert.equal((await client.status()).engine.revision, 0);
});

test('calls are pipelined, and answered in order', async (t) => {
  const {client} = await clientOf(t);
  const order = [];
  await Promise.all(Array.from({length: 3000}, async (_, i) => {
    const {revision} = await client.transaction((t) => i % 2 ? t.remove('a') : t.add('gain', 'a'));
    order.push(revision);
  }));
  assert.deepEqual(order, Array.from({length: 3000}, (_, i) => i + 1));
});

test('a call ends at its deadline, or when it is aborted', async (t) => {
  const {client, daemon} = await clientOf(t);
  daemon.process.kill('SIGSTOP');
  const abort = new AbortController();
  const aborted = client.status({signal: abort.signal});
  await assert.rejects(client.status({deadlineMs: 50}), 
    refusal('DEADLINE_EXCEEDED', /no response of rtad at .* to get_status within 50 ms/));
  abort.abort(new Error('enough'));
  await assert.rejects(aborted, /^Error: enough$/);
  await assert.rejects(client.status({signal: abort.signal}), /^Error: enough$/);
  daemon.process.kill('SIGCONT');
  // The late responses belong to the calls that were given up.
  assert.equal((await client.volume(-3)).volume_db, -3);
});

test('after a lost connection, the next call connects again', async (t) => {
  const daemon = await Daemon.start(t);
  const proxy = await CuttingProxy.start(t, daemon.address);
  const client = await connect(proxy.address);
  t.after(() => client.close());
  const pending = assert.rejects(client.events().next(), refusal('UNAVAILABLE', /lost the connection to rtad at/));
  await client.status();
  await daemon.stop();
  await pending;
  await assert.rejects(client.status(), refusal('UNAVAILABLE', /disconnected before it answered hello.*; expected an rtad/));
  assert.equal(client.connected, false);
  const {instance_id: before} = client.hello;
  proxy.target = (await Daemon.start(t)).address;
  const both = await Promise.all([client.status(), client.status()]);
  assert.equal(both[0].client_count, 1, 'both calls share one connection');
  assert.notEqual(client.hello.instance_id, before);
  client.close();
  await assert.rejects(client.status(), refusal('UNAVAILABLE', /the client is closed/));
});

test('a code lets a client in, which connects again with the token of its session', async (t) => {
  const {client, daemon} = await clientOf(t);
  const proxy = await CuttingProxy.start(t, daemon.address);
  const {code, role, lifetime_s, session_lifetime_s} = await client.createCode('control');
  assert.deepEqual([role, lifetime_s, session_lifetime_s], ['control', 120, 43200]);
  const phone = await connect(proxy.address, {name: 'phone', token: `code:${code}`});
  t.after(() => phone.close());
  const {role: given, author, session_token: token} = phone.hello;
  assert.equal(given, 'control');
  assert.match(author, /^code of uid \d+$/);
  const lost = assert.rejects(phone.events().next(), refusal('UNAVAILABLE', /lost the connection/));
  proxy.cut();
  await lost;
  assert.equal((await phone.status()).clients.find(({name}) => name === 'phone').session, 'session/1');
  assert.equal(phone.hello.author, author);
  await assert.rejects(connect(proxy.address, {token: `code:${code}`}), refusal('UNAUTHENTICATED', /unknown one-time code/));
  const tab = await connect(proxy.address, {token});
  t.after(() => tab.close());
  assert.equal(tab.hello.role, 'control');
  await assert.rejects(phone.createCode('admin'), refusal('PERMISSION_DENIED', /a code for the role admin needs that role/));
  await client.call({revoke_token: {name: 'session/1'}});
  await assert.rejects(phone.status().then(() => phone.status()), refusal('UNAUTHENTICATED', /session/));
});

test('connecting fails with the reason', async (t) => {
  const {daemon} = await clientOf(t);
  await assert.rejects(connect(daemon.address, {name: 'bad\nname'}), refusal('INVALID_ARGUMENT', /name/));
  await assert.rejects(connect(daemon.address, {tokn: ''}), refusal('INVALID_ARGUMENT', /unknown option "tokn" of connect\(\)/));
  await assert.rejects(connect('/nowhere/control.sock'),
    refusal('UNAVAILABLE', /cannot connect to rtad at \/nowhere\/control.sock: .*ENOENT/));
  await assert.rejects(connect('127.0.0.1:1'), refusal('UNAVAILABLE', /cannot connect to rtad at 127.0.0.1:1: .*ECONNREFUSED/));
  await assert.rejects(connect('127.0.0.1:0'), refusal('INVALID_ARGUMENT', /the port must be a number from 1 to 65535/));
  await assert.rejects(connect('[::1'), refusal('INVALID_ARGUMENT', /invalid address/));
  await assert.rejects(connect(''), refusal('INVALID_ARGUMENT', /invalid address/));
  await assert.rejects(connect(7340), refusal('INVALID_ARGUMENT', /invalid address 7340/));
  await assert.rejects(connect('studio', {tls: false}), refusal('INVALID_ARGUMENT', /studio:7340 needs TLS/));
  const signal = AbortSignal.abort(new Error('enough'));
  await assert.rejects(connect(daemon.address, {signal}), /^Error: enough$/);
});
