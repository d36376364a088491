// SPDX-License-Identifier: MIT
// HTTP requests whose bytes are also messages of the protocol of rtad, from the first byte on. A daemon that skips messages which
// it does not expect finds Hello and a transaction in them, and obeys: this is how a web page once replaced the graph.
import {Request} from '../tests/support.mjs';

const varint = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
const bytesOf = (text) => [...Buffer.from(text, 'latin1')];
const range = (first, last) => Array.from({length: last - first + 1}, (_, i) => first + i);

/** Hello, and a transaction that replaces the graph. Without the bytes that are not allowed in a header: 0, 10 and 13. */
export const attack = [{hello: {protocol_version: 1}},
  {apply_transaction: {document: '{"nodes":[{"name":"evil","type":"noise"}]}'}}]
  .map((request) => Buffer.from(Request.encodeDelimited(Request.create(request)).finish()));

/** Length of a body. It is constant, because the header Content-Length is in front of the body. */
const BODY_BYTES = 512;
/** Number of bytes in front of the attack in the body, at most. */
const MOST_PADDING = 64;

// The bytes that a page may choose: those that browsers neither encode nor refuse. The first of each is the filler.
const HOST = bytesOf('zyxwvutsrqponmlkjihgfedcba9876543210');
const PATH = bytesOf('~zyxwvutsrqponmlkjihgfedcba_ZYXWVUTSRQPONMLKJIHGFEDCBA@=;:9876543210-,+*)($!');
const VALUE = [...range(0x21, 0x7e), ...range(0x80, 0xff), ...range(0x01, 0x08), 0x1a];

/**
 * The parts of a request that a page chooses. In a probe, each consists of one character, by which it is found in the bytes
 * that the browser sends. Firefox sends the User-Agent that a page chooses; Chromium sends its own.
 */
const ZONES = {host: {mark: 'h', length: 60, bytes: HOST}, path: {mark: 'P', length: 200, bytes: PATH},
  agent: {mark: 'U', length: 250, bytes: VALUE}, value: {mark: 'V', length: 250, bytes: VALUE}};
const probeText = ({mark, length}) => mark.repeat(length);

export const hasBody = (method) => !['GET', 'HEAD'].includes(method);

/** Returns a request of a page to its own host: what fetch() needs to send it. */
const requestOf = (method, {host, path, agent, value}, body) => ({method, host: `${host}.test`, path: `/${path}`,
  headers: {'User-Agent': agent, 'X-V': value}, body: hasBody(method) ? body : undefined});

/** Returns a request without an attack. The bytes that the browser sends for it show where the zones are. */
export function probe(method) {
  const zones = Object.fromEntries(Object.entries(ZONES).map(([name, zone]) => [name, probeText(zone)]));
  return requestOf(method, zones, Array(BODY_BYTES).fill(0x2e));
}

const startOf = (zone, head) => head.indexOf(probeText(zone), 0, 'latin1');

/** Returns the bytes that are possible at each place of the head of a request. */
function cellsOf(head) {
  const cells = [...head].map((byte) => [byte]);
  for (const zone of Object.values(ZONES)) {
    const start = startOf(zone, head);
    if (start >= 0) cells.fill(zone.bytes, start, start + zone.length);
  }
  return cells;
}

/** Tags of two nested fields that contain any bytes: the request `panic`, and a field that it does not have. */
const SKIP = bytesOf('jz');

/**
 * Chooses bytes so that the head is a row of messages, each with fields that protobuf accepts, up to a place where
 * `plant(place)` returns bytes that are possible there. Returns the chosen bytes by place, or undefined if this is impossible.
 */
function choose(cells, plant) {
  const possible = cells.map((bytes) => new Set(bytes));
  const short = cells.map((bytes) => bytes.filter((byte) => byte < 128));
  /** A tag of each wire type that makes an unknown field: fields 1 and 2 are numbers, all others are messages. */
  const tags = cells.map((bytes) => [0, 1, 2, 5].map((type) => bytes.find((tag) => (
    tag >= 8 && tag < 128 && (tag & 7) === type && (type === 1 || type === 5 || (type === 2) === (tag >> 3 <= 2)))))
    .filter((tag) => tag !== undefined));
  const impossible = new Set();
  const chosen = new Map();
  const fits = (place, bytes) => bytes !== undefined && bytes.every((byte, i) => possible[place + i]?.has(byte));
  const take = (place, bytes) => bytes.forEach((byte, i) => chosen.set(place + i, byte));

  /** Continues at `place`, in a message that ends in front of `end`. */
  const continueAt = (place, end) => {
    const state = place * 65536 + end;
    if (place > end || place >= cells.length || impossible.has(state)) return false;
    if (place === end ? startMessage(place) : addField(place, end)) return true;
    impossible.add(state);
    return false;
  };
  const takeAndContinue = (place, bytes, next, end) => {
    if (!fits(place, bytes) || !continueAt(next, end)) return false;
    take(place, bytes);
    return true;
  };
  const startMessage = (place) => {
    const planted = plant(place);
    if (!fits(place, planted)) {
      return short[place].some((length) => takeAndContinue(place, [length], place + 1, place + 1 + length));
    }
    take(place, planted);
    return true;
  };
  const addField = (place, end) => {
    for (let length = Math.min(127, end - place - 2); length >= 2; length -= 1) {
      if (takeAndContinue(place, [SKIP[0], length, SKIP[1], length - 2], place + 2 + length, end)) return true;
    }
    return tags[place].some((tag) => {
      const type = tag & 7;
      if (type === 1 || type === 5) return takeAndContinue(place, [tag], place + (type === 1 ? 9 : 5), end);
      return (short[place + 1] ?? []).slice(0, type === 0 ? 1 : undefined).some((byte) => (
        takeAndContinue(place, [tag, byte], place + 2 + (type === 0 ? 0 : byte), end)));
    });
  };
  return continueAt(0, 0) ? chosen : undefined;
}

/**
 * Returns the request with the attack in its `header` or in its `body`. `sent` are the bytes that the browser has sent for the
 * probe. Returns undefined for a method whose letters cannot be the beginning of a message.
 */
export function aim(method, sent, where) {
  const head = sent.subarray(0, sent.indexOf('\r\n\r\n') + 4);
  const cells = cellsOf(head);
  const planted = Buffer.concat(attack);
  let padding = 0;
  /** Returns the beginning of a message that reaches into the body. */
  const reachIntoBody = (place) => {
    for (padding = 0; padding < MOST_PADDING; padding += 1) {
      const length = head.length + padding - place - 2;
      const bytes = [...varint(length), SKIP[0], ...varint(length - 3), SKIP[1], ...varint(length - 6)];
      if (length >= 128 + 6 && bytes.every((byte) => VALUE.includes(byte))) return bytes;
    }
    return undefined;
  };
  const chosen = choose(cells, where === 'header' ? () => [...planted] : reachIntoBody);
  if (chosen === undefined) return undefined;
  const bytes = Buffer.from(cells.map(([filler], place) => chosen.get(place) ?? filler));
  const zones = Object.fromEntries(Object.entries(ZONES).map(([name, zone]) => {
    const start = startOf(zone, head);
    return [name, start < 0 ? 'x' : bytes.toString('latin1', start, start + zone.length)];
  }));
  return requestOf(method, zones, [...Buffer.concat([Buffer.alloc(padding, 0x2e), planted], BODY_BYTES)]);
}

/** Returns whether the bytes are fields of a message of this type. */
function isMessage(bytes, type) {
  let place = 0;
  const number = () => {
    let value = 0;
    for (let shift = 0; place < bytes.length && shift < 35; shift += 7) {
      const byte = bytes[place++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    return NaN;
  };
  while (place < bytes.length) {
    const tag = number();
    const wireType = tag & 7;
    if (!(tag >= 8) || ![0, 1, 2, 5].includes(wireType)) return false;
    const value = wireType === 0 || wireType === 2 ? number() : 0;
    if (Number.isNaN(value)) return false;
    const size = [0, 8, value, 0, 0, 4][wireType];
    const inner = type.fieldsById[tag >>> 3]?.resolve().resolvedType;
    if (wireType === 2 && inner?.fieldsById && !isMessage(bytes.subarray(place, place + size), inner)) return false;
    place += size;
  }
  return place === bytes.length;
}

/** Returns whether the bytes are messages up to and including the attack. */
export function carriesAttack(bytes) {
  let previous;
  for (let place = 0; place < bytes.length;) {
    const start = place;
    let length = bytes[place++];
    if (length > 127) length = (length & 127) + 128 * bytes[place++];
    const message = bytes.subarray(place, place + length);
    if (message.length !== length || !isMessage(message, Request)) return false;
    place += length;
    const frame = bytes.subarray(start, place);
    if (previous?.equals(attack[0]) && frame.equals(attack[1])) return true;
    previous = frame;
  }
  return false;
}
