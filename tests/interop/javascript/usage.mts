// SPDX-License-Identifier: MIT
// Compiled, not run: what the types accept and refuse. Each @ts-expect-error line must be an error.
import {RtaError, connect, type Event, type Graph, type HelloResult, type Input, type Levels, type Uint64} from 'rta-client';
import {connectOver, messageAsReceived, requestAsReceived, type Session, type Transport} from 'rta-client/core';

const client = await connect('127.0.0.1:7340', {name: 'usage', token: 'rtad_', tls: {fingerprint: 'SHA256:'}, deadlineMs: 500});
await connect();
await connect('studio', {tls: {ca: new Uint8Array(), acceptNew: false, knownHosts: '/tmp/known_hosts'}});
// @ts-expect-error there is no such option
await connect('studio', {tokn: ''});

const status = await client.status();
const rate: number = status.device!.sample_rate_hz;
// @ts-expect-error the device may be absent
status.device.sample_rate_hz;
// @ts-expect-error there is no such field
status.uptime;

const {revision, frame} = await client.transaction(
  (t) => t.add('sine', 'osc', {frequency_hz: 440}).connect('osc', 'out'), {wait_for_start: true});
const wide: Uint64 = revision;
const maybe: Uint64 | undefined = frame;
// @ts-expect-error a 64-bit number may be a bigint
const narrow: number = revision;
// @ts-expect-error a level is not text
await client.transaction((t) => t.connect('osc', 'out', '-6 dB'));

const graph: Input<Graph> = {nodes: [{name: 'osc', type: 'sine', settings: {channels: 2}, parameters: {gain_db: -6}}]};
await client.load(graph);
await client.check('{}', {with_graph: true, with_diff: true, guard: {expected_revision: revision}});
await client.set({'osc.gain_db': -6}, {guard: {expected_change: 7}});
// @ts-expect-error there is no such condition
await client.load(graph, {guard: {expectedRevision: 7}});
// @ts-expect-error a node has no such field
await client.load({nodes: [{nam: 'osc'}]});

await client.set({'osc.gain_db': -6, 'amp.mute': true, 'osc.frequency_hz': {add: 10}}, {ramp_ms: 100});
const types = (await client.call({list_node_types: {type: 'gain'}})).types;
const law: string = types[0]!.parameters[0]!.ramp_law;
const checked = await client.call({check_graph: {edits: {edits: [{remove_node: {name: 'osc'}}]}}, timeout_ms: 10});
const count: number = checked.node_count;
// @ts-expect-error there is no such request
await client.call({get_grph: {}});
// @ts-expect-error the result of another request
(await client.call({get_status: {}})).types;

for await (const event of client.events({topics: ['TOPIC_CHANGES']})) {
  const one: Event = event;
  if (one.graph_changed) for (const edit of one.graph_changed.edits) console.log(edit.add_node?.name);
  const number: Uint64 = event.number;
  void number;
}
for await (const levels of client.meters({telemetry_rate_hz: 25})) {
  const all: Levels = levels;
  console.log(all.outputs.map(({peak_db}) => peak_db.toFixed(1)), all.meters[0]?.loudness?.integrated_lufs);
}
for await (const {ports} of client.portLevels(['osc', {port: 'vol:out', spectrum: true}], {telemetry_rate_hz: 5}))
  console.log(ports[0]!.channels[0]!.rms_db.toFixed(1), ports[1]?.spectra[0]?.magnitudes_db.length);
// @ts-expect-error a port has a name
client.events({watches: [{spectrum: true}]});
const mirror = await client.mirror({signal: new AbortController().signal});
for await (const {graph: {nodes}} of mirror.changes()) console.log(nodes.get('osc')?.parameters.frequency_hz);
// @ts-expect-error the graph of a mirror is read only
mirror.graph.nodes.clear();

try {
  await client.panic();
} catch (error) {
  if (error instanceof RtaError && error.code === 'NOT_FOUND') console.log(error.editIndex);
}

const transport: Transport = {read: async () => null, write: async () => {}, close() {}};
await connectOver(async () => ({transport, peer: 'a test'}));
const session: Session = {
  greet: async () => messageAsReceived({response: {hello: {}}}).response!.hello as HelloResult,
  call: async (request) => requestAsReceived(request).kind,
  resume() {},
  close() {},
};
await connectOver(async () => ({session: (listener) => (listener.full() ? session : session), peer: 'a test'}));
// @ts-expect-error a session or a transport
await connectOver(async () => ({peer: 'a test'}));
export {rate, wide, maybe, narrow, law, count};
