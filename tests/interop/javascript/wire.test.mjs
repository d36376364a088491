// SPDX-License-Identifier: MIT
// What is on the wire, compared with protoc, which shares no code with the library.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import test from 'node:test';
import {FrameDecoder, MAXIMUM_MESSAGE_BYTES} from '../node_modules/rta-client/src/frames.js';
import {decodeServerMessage, encodeRequest} from '../node_modules/rta-client/src/protocol.js';
import {protoDirectory, randomOf} from './support.mjs';

function protoc(action, type, input) {
  return execFileSync('protoc', ['-I', protoDirectory, `--${action}=rta.v1.${type}`, 'rta/v1/control.proto'], {input});
}

function payloadOf(bytes) {
  const decoder = new FrameDecoder();
  decoder.feed(bytes);
  const payload = decoder.next();
  assert.equal(decoder.next(), null);
  return payload;
}

test('the bytes of the example in docs/protocol.md', () => {
  const bytes = encodeRequest({hello: {protocol_version: 1, client_name: 'example'}}, 1);
  assert.equal(Buffer.from(bytes).toString('hex'), '0f08011a0b080112076578616d706c65');
});

test('protoc reads requests as they were meant', () => {
  const request = {
    timeout_ms: 0,
    apply_transaction: {
      wait_for_start: true,
      edits: {edits: [
        {add_node: {name: 'n', type: 't', parameters: {gain_db: -6},
          settings: {a: 2.5, b: 'text', c: true, d: null, e: [1, {f: false}]}}},
        {connect: {from: 'a', to: 'b', gain_db: 0}},
        {connect: {from: 'a', to: 'b', gain_db: undefined}},
        {set_parameter: {node: 'n', parameter: 'p', value: 0.25, add: 0}},
        {describe: {node: 'n', title: '', description: 'ä€𝄞'}},
      ]},
    },
  };
  const text = protoc('decode', 'Request', payloadOf(encodeRequest(request, 18446744073709551615n))).toString();
  // Fields that may be absent are present with the value 0; map entries in any order.
  for (const part of ['id: 18446744073709551615', 'timeout_ms: 0', 'wait_for_start: true', 'number_value: 2.5', 'string_value: "text"',
    'bool_value: true', 'null_value: NULL_VALUE', 'list_value', 'value: -6', 'value: 0.25', 'add: 0', 'title: ""',
    'description: "\\303\\244\\342\\202\\254\\360\\235\\204\\236"']) {
    assert.ok(text.includes(part), `${part} in\n${text}`);
  }
  assert.equal(text.match(/gain_db: 0/g).length, 1);
  const subscribe = encodeRequest({subscribe: {topics: ['TOPIC_LOAD', 1], telemetry_rate_hz: 2.5}}, 7);
  assert.match(protoc('decode', 'Request', payloadOf(subscribe)).toString(),
    /^id: 7\nsubscribe \{\n {2}topics: TOPIC_LOAD\n {2}topics: TOPIC_CHANGES\n {2}telemetry_rate_hz: 2.5\n\}\n$/);
});

test('messages of protoc are read as they were meant', () => {
  const bytes = protoc('encode', 'ServerMessage', `response { id: 9007199254740991
    status { code: NOT_FOUND message: "no" edit_index: 0 } get_graph {
    revision: 9007199254740992 change_number: 18446744073709551615
    graph { nodes { name: "n" settings { fields { key: "a" value { number_value: 2 } } 
        fields { key: "b" value { list_value { values { null_value: NULL_VALUE } } } } }
      parameters { key: "gain_db" value: -6.5 } } connections { from: "a" to: "b" gain_db: 0 } connections { from: "c" } } } }`);
  const node = {name: 'n', type: '', settings: {a: 2, b: [null]}, parameters: {gain_db: -6.5}, title: '', description: ''};
  assert.deepEqual(decodeServerMessage(bytes), {response: {
    id: 9007199254740991,
    status: {code: 'NOT_FOUND', message: 'no', edit_index: 0},
    get_graph: {revision: 9007199254740992n, change_number: 18446744073709551615n, document: '', graph: {
      nodes: [node], connections: [{from: 'a', to: 'b', gain_db: 0}, {from: 'c', to: ''}], latency_compensation: false,
      title: '', description: '', instance: ''}},
  }});
  const event = protoc('encode', 'ServerMessage', 'event { number: 9007199254740993 transaction_heard { frame: 5 } }');
  assert.deepEqual(decodeServerMessage(event), {event: {number: 9007199254740993n, telemetry_number: 0, telemetry_dropped: 0,
    transaction_heard: {revision: 0, frame: 5}}});
});

test('what is not a message is refused', () => {
  const refused = (...bytes) => assert.throws(() => decodeServerMessage(Uint8Array.from(bytes)));
  refused(0x0a, 0x02, 0x08);  // a response of 2 bytes, of which one is there
  refused(0x0a, 0x02, 0x12, 0x01, 0x0a, 0x00);  // a status that is longer than its response
  refused(0x0a, 0x05, 0x12, 0x03, 0x12, 0x01, 0xff);  // a sentence that is not UTF-8
  refused(0x07);  // a field with number 0
  assert.deepEqual(decodeServerMessage(Uint8Array.of()), {});
  // Fields that this version does not know are skipped: 200, of each wire type.
  const unknown = [0xc0, 0x0c, 1, 0xc1, 0x0c, 1, 2, 3, 4, 5, 6, 7, 8, 0xc2, 0x0c, 1, 9, 0xc5, 0x0c, 1, 2, 3, 4];
  assert.deepEqual(decodeServerMessage(Uint8Array.from([...unknown, 0x12, 0x02, 0x08, 0x05])).event.number, 5);
});

test('of the members of a oneof, the last one on the wire counts', () => {
  const bytes = protoc('encode', 'ServerMessage', 'event { output_muted { muted: true } }');
  const other = protoc('encode', 'ServerMessage', 'event { levels { frame: 3 } }');
  const event = Buffer.concat([bytes.subarray(2), other.subarray(2)]);
  const {output_muted, levels} = decodeServerMessage(Buffer.concat([Buffer.from([0x12, event.length]), event])).event;
  assert.equal(output_muted, undefined);
  assert.equal(levels.frame, 3);
});

test('no code is generated, which the Content-Security-Policy of a page would refuse', () => {
  const script = `import {decodeServerMessage, encodeRequest} from ${JSON.stringify(new URL('../node_modules/rta-client/src/protocol.js', import.meta.url))};
    encodeRequest({set_parameters: {changes: [{node: 'n', parameter: 'p', value: 1}]}}, 1);
    decodeServerMessage(Uint8Array.of(0x12, 0x02, 0x08, 0x05));
    try { Function('return 1'); } catch { process.exit(42); }`;
  const args = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', script];
  assert.throws(() => execFileSync(process.execPath, args, {stdio: 'pipe'}), {status: 42});
});

test('a stream of messages, in pieces of any size', () => {
  const random = randomOf(3);
  const decoder = new FrameDecoder();
  const lengths = Array.from({length: 400}, () => Math.floor(2 ** (18 * random())) - 1);
  const stream = Buffer.concat(lengths.flatMap((length, i) => {
    const prefix = [];
    for (let left = length; ; left >>>= 7) {
      prefix.push(left > 0x7f ? left & 0x7f | 0x80 : left);
      if (left <= 0x7f) break;
    }
    return [Buffer.from(prefix), Buffer.alloc(length, i)];
  }));
  const found = [];
  for (let begin = 0; begin < stream.length;) {
    const size = Math.ceil(100_000 * random() ** 4);
    decoder.feed(stream.subarray(begin, begin + size));
    begin += size;
    for (let bytes = decoder.next(); bytes !== null; bytes = decoder.next()) {
      assert.ok(bytes.every((byte) => byte === found.length % 256));
      found.push(bytes.length);
    }
  }
  assert.deepEqual(found, lengths);
});

test('lengths that are too long are refused before the message arrives', () => {
  const lengthOf = (...bytes) => {
    const decoder = new FrameDecoder();
    decoder.feed(Uint8Array.from(bytes));
    return decoder.next();
  };
  assert.equal(lengthOf(0x80, 0x80, 0x80, 0x02), null, `${MAXIMUM_MESSAGE_BYTES} bytes`);
  assert.throws(() => lengthOf(0x81, 0x80, 0x80, 0x02), RangeError);
  assert.throws(() => lengthOf(0xff, 0xff, 0xff, 0xff, 0x7f), RangeError);
  assert.throws(() => lengthOf(...Array(10).fill(0x80)), RangeError);
  assert.equal(lengthOf(...Array(9).fill(0x80)), null);
});
