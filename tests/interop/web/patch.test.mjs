// SPDX-License-Identifier: MIT
// The layout, the edits and the searches of the patch view, without a browser.
//
// Environment: RTA_WEB_MODULES, the modules of client/web.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import {pathToFileURL} from 'node:url';

const load = (name) => import(pathToFileURL(path.join(process.env.RTA_WEB_MODULES, 'page/patch', name)).href);
const {addEdits, connectEdits, duplicateEdits, freeName, insertEdits, removeEdits} = await load('edits.js');
const {boundsOf, nearest, overlap, portPlace, shapeOf} = await load('geometry.js');
const {layoutAll, placeMissing} = await load('layout.js');
const {findPort, portsOfNode, reachable, targetsOf} = await load('ports.js');
const {pointsOf, valuesOf} = await load('curve_handles.js');
const {Viewport} = await load('viewport.js');
const {commandOf} = await load('keys.js');

const channels = {name: 'channels', kind: 'integer', minimum: 1, maximum: 64, default: 1, choices: []};
const through = {inputs: [{name: 'in', width: 0}], outputs: [{name: 'out', width: 0}], parameters: [], settings: [channels]};
const TYPES = new Map(Object.entries({
  gain: through,
  sine: {...through, inputs: []},
  output: {...through, outputs: []},
  mixer: {...through, inputs: [{name: 'in_#', width: 0, repeated_by: {setting: 'inputs', less: 0}}],
    settings: [{name: 'inputs', kind: 'integer', minimum: 1, maximum: 64, default: 2, choices: []}, channels]},
  pan: {...through, outputs: [{name: 'out', width: 2}], settings: [{...channels, maximum: 2}]},
}).map(([name, type]) => [name, {...type, name, help: ''}]));

/** Returns a graph as the mirror has it: {name: [type, channels]} and [from, to, gain]. */
function graphOf(nodes, cables) {
  return {
    nodes: new Map(Object.entries(nodes).map(([name, [type, width = 1, others = {}]]) => (
      [name, {name, type, settings: {...(type === 'mixer' ? {inputs: 2} : {}), channels: width, ...others}, parameters: {}, title: '', description: ''}]))),
    connections: new Map(cables.map(([from, to, gain_db = 0]) => [`${from} ${to}`, {from, to, gain_db}])),
  };
}

const CHAIN = graphOf({osc: ['sine'], amp: ['gain'], out: ['output']}, [['osc:out', 'amp:in'], ['amp:out', 'out:in', -6]]);

test('names that are free', () => {
  assert.equal(freeName('gain', new Set()), 'gain');
  assert.equal(freeName('gain', new Set(['gain', 'gain_2'])), 'gain_3');
  assert.equal(freeName('gain_2', new Set(['gain', 'gain_2'])), 'gain_3');
  const long = 'a'.repeat(64);
  assert.equal(freeName(long, new Set([long])).length, 64);
});

test('a node is inserted with the channels and the gain of the connection', () => {
  const edits = addEdits(CHAIN, TYPES, TYPES.get('gain'), 'new', {from: 'amp:out', to: 'out:in'});
  assert.deepEqual(edits, [{add_node: {name: 'new', type: 'gain', settings: {}}}, {disconnect: {from: 'amp:out', to: 'out:in'}},
    {connect: {from: 'amp:out', to: 'new:in'}}, {connect: {from: 'new:out', to: 'out:in', gain_db: -6}}]);
  const wide = graphOf({a: ['sine', 6], b: ['output', 6]}, [['a:out', 'b:in']]);
  assert.deepEqual(addEdits(wide, TYPES, TYPES.get('gain'), 'new', {from: 'a:out', to: 'b:in'})[0].add_node.settings, {channels: 6});
  assert.deepEqual(insertEdits({...CHAIN, nodes: new Map([...CHAIN.nodes, ...graphOf({free: ['gain']}, []).nodes])}, TYPES, 'free', 'osc:out amp:in').slice(1),
    [{connect: {from: 'osc:out', to: 'free:in'}}, {connect: {from: 'free:out', to: 'amp:in', gain_db: 0}}]);
  assert.deepEqual(insertEdits(CHAIN, TYPES, 'osc', 'amp:out out:in'), [], 'a source cannot be inserted');
});

test('a node without connections takes the channels of the other end', () => {
  const graph = graphOf({wide: ['sine', 2], amp: ['gain'], busy: ['gain'], out: ['output']}, [['busy:out', 'out:in']]);
  const [from, to] = [findPort(graph, TYPES, 'wide:out', 'outputs'), findPort(graph, TYPES, 'amp:in', 'inputs')];
  assert.deepEqual(connectEdits(graph, from, to), [{change_settings: {node: 'amp', settings: {channels: 2}}}, {connect: {from: 'wide:out', to: 'amp:in'}}]);
  // The source is not connected either; it may become mono.
  const busy = findPort(graph, TYPES, 'busy:in', 'inputs');
  assert.deepEqual(connectEdits(graph, from, busy)[0], {change_settings: {node: 'wide', settings: {channels: 1}}});
  assert.deepEqual(connectEdits(CHAIN, findPort(CHAIN, TYPES, 'osc:out', 'outputs'), findPort(CHAIN, TYPES, 'out:in', 'inputs')),
    [{connect: {from: 'osc:out', to: 'out:in'}}], 'mono fits everywhere');
});

test('targets are those without a cycle and without a second cable', () => {
  const names = (graph, id, direction) => targetsOf(graph, TYPES, findPort(graph, TYPES, id, direction)).map((port) => port.id);
  assert.deepEqual(names(CHAIN, 'osc:out', 'outputs'), ['out:in']);
  assert.deepEqual(names(CHAIN, 'amp:out', 'outputs'), [], 'neither itself, nor twice');
  assert.deepEqual(names(CHAIN, 'out:in', 'inputs'), ['osc:out']);
  assert.deepEqual([...reachable(CHAIN, 'amp')].sort(), ['amp', 'out']);
  assert.deepEqual([...reachable(CHAIN, 'amp', true)].sort(), ['amp', 'osc']);
});

test('a removed node is bridged, and nodes are copied with the cables between them', () => {
  assert.deepEqual(removeEdits(CHAIN, TYPES, ['amp'], true), [{remove_node: {name: 'amp'}}, {connect: {from: 'osc:out', to: 'out:in', gain_db: -6}}]);
  assert.deepEqual(removeEdits(CHAIN, TYPES, ['amp', 'osc'], true), [{remove_node: {name: 'amp'}}, {remove_node: {name: 'osc'}}]);
  const {edits, copies} = duplicateEdits(CHAIN, ['osc', 'amp']);
  assert.deepEqual([...copies], [['osc', 'osc_2'], ['amp', 'amp_2']]);
  assert.deepEqual(edits.at(-1), {connect: {from: 'osc_2:out', to: 'amp_2:in', gain_db: 0}});
  assert.equal(edits.length, 3);
});

test('the layout flows from left to right without overlaps, also of large graphs', () => {
  for (const count of [12, 900]) {
    const names = Array.from({length: count}, (_, i) => `n${i}`);
    const sizes = new Map(names.map((name, i) => [name, {width: 208, height: 60 + (i % 5) * 30}]));
    const edges = names.slice(1).map((name, i) => [names[Math.floor(i / 3)], name]);
    const places = layoutAll({sizes, edges});
    const boxes = names.map((name) => ({...places.get(name), ...sizes.get(name)}));
    for (const [from, to] of edges) assert.ok(places.get(from).x + 208 <= places.get(to).x, `${from} is left of ${to}`);
    for (let i = 0; i < count; i += 1) for (let j = 0; j < i; j += 1) assert.ok(!overlap(boxes[i], boxes[j]), `${i} covers ${j}`);
  }
});

test('nodes without a place are put next to their neighbours, and the others stay', () => {
  const size = {width: 208, height: 100};
  const sizes = new Map(['a', 'b', 'c', 'd', 'lone'].map((name) => [name, size]));
  const known = new Map([['a', {x: 0, y: 0}], ['b', {x: 600, y: 0}]]);
  const places = placeMissing({sizes, edges: [['a', 'c'], ['a', 'd'], ['d', 'b']]}, known);
  assert.deepEqual(places.get('a'), {x: 0, y: 0});
  assert.ok(places.get('c').x > 208 && places.get('d').x > 208);
  const boxes = [...places].map(([, place]) => ({...place, ...size}));
  boxes.forEach((box, i) => boxes.slice(0, i).forEach((other) => assert.ok(!overlap(box, other))));
  assert.deepEqual([...placeMissing({sizes: new Map([['a', size]]), edges: []}, known).keys()], ['a'], 'without nodes that are gone');
});

test('ports are at the header, or in rows with their names', () => {
  const mixer = {name: 'm', type: 'mixer', settings: {inputs: 3, channels: 2}, parameters: {}, title: '', description: ''};
  const shape = shapeOf(mixer, TYPES);
  assert.deepEqual(portsOfNode(mixer, TYPES, 'inputs').map(({id, width}) => [id, width]), [['m:in_1', 2], ['m:in_2', 2], ['m:in_3', 2]]);
  assert.equal(shape.rows, 3);
  const places = shape.inputs.map((port) => portPlace(shape, port).y);
  assert.deepEqual(places, [...places].sort((a, b) => a - b));
  assert.ok(places.at(-1) < shape.height);
  assert.equal(shapeOf(CHAIN.nodes.get('amp'), TYPES).rows, 0);
  assert.deepEqual(shapeOf({...mixer, type: 'unknown'}, TYPES).inputs, [], 'a type that the page does not know');
});

test('arrow keys lead to the nearest card', () => {
  const boxes = new Map(Object.entries({a: [0, 0], b: [300, 10], c: [300, 300], d: [0, 300]}).map(([name, [x, y]]) => [name, {x, y, width: 200, height: 100}]));
  assert.equal(nearest(boxes, 'a', 1, 0), 'b');
  assert.equal(nearest(boxes, 'a', 0, 1), 'd');
  assert.equal(nearest(boxes, 'a', -1, 0), undefined);
  assert.equal(nearest(boxes, '', 1, 0), 'a');
  assert.deepEqual(boundsOf(boxes.values()), {x: 0, y: 0, width: 500, height: 400});
  assert.equal(boundsOf([]), null);
});

test('zooming keeps what is under the pointer', () => {
  const viewport = new Viewport();
  viewport.pan(13, -7);
  const centre = {x: 200, y: 100};
  const before = viewport.toPatch(centre);
  for (const factor of [1.3, 0.2, 4, 100, 1e-6]) {
    viewport.zoom(factor, centre);
    const after = viewport.toPatch(centre);
    assert.ok(Math.hypot(after.x - before.x, after.y - before.y) < 1e-6);
  }
  viewport.fit({x: -500, y: 0, width: 2000, height: 300}, {width: 800, height: 600});
  const visible = viewport.visible({width: 800, height: 600});
  assert.ok(visible.x <= -500 && visible.x + visible.width >= 1500);
});

test('a handle moves all values of its band, so that a movement is one gesture', () => {
  const spec = (row, name, unit, minimum, maximum) => ({row, name, unit, minimum, maximum, default: 1, ramp_law: unit === 'Hz' ? 'logarithmic' : 'linear', numbers: [2], help: ''});
  const specs = [spec('frequency_#_hz', 'frequency_2_hz', 'Hz', 5, 20_000), spec('gain_#_db', 'gain_2_db', 'dB', -60, 40), spec('q_#', 'q_2', '', 0.05, 100)];
  const point = (kind) => pointsOf(specs, {settings: {kind_2: kind}}).get('frequency_2_hz');
  const current = ({name}) => ({frequency_2_hz: 400, gain_2_db: 3, q_2: 0.7})[name];
  assert.deepEqual([...valuesOf(point('peaking'), {id: '', frequency_hz: 1234.567}, current)].map(([name]) => name), ['frequency_2_hz', 'gain_2_db', 'q_2']);
  assert.equal(valuesOf(point('peaking'), {id: '', gain_db: 99}, current).get('gain_2_db'), 40);
  assert.equal(point('highpass').gain, undefined);
  assert.equal(point('low_shelf_1').q, undefined);
});

test('keys', () => {
  const key = (name, others = {}) => commandOf({key: name, ...others}, undefined);
  assert.deepEqual(key('a'), {name: 'add'});
  assert.deepEqual(key('a', {ctrlKey: true}), {name: 'select all'});
  assert.equal(key('z', {ctrlKey: true}), undefined);
  assert.deepEqual(key('ArrowLeft', {shiftKey: true}), {name: 'move', x: -1, y: 0});
  assert.deepEqual(key('Delete', {shiftKey: true}), {name: 'remove', bridge: true});
  assert.equal(key('Tab'), undefined);
});
