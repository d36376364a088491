// SPDX-License-Identifier: MIT
// Encodes objects as messages, and decodes messages as objects, by the descriptor. It generates no code: the
// Content-Security-Policy of a web page refuses that.
import {enums, messages} from '../generated/descriptor.js';
import {DELIMITED, FIXED32, FIXED64, Reader, VARINT, Writer} from './wire.js';

/** Messages may be nested as deeply, and so may JSON values in settings. */
const DEEPEST = 100;
const LARGEST_FLOAT = 3.4028234663852886e38;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Errors begin with the name of the field. */
function refused(name, value, what) {
  const shown = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part));
  return new Error(`${name}: ${what}: ${shown ?? typeof value}`);
}

/** Returns the number of a field: also text, as proto3 JSON writes large numbers. */
function wholeNumber(value, name, lowest, highest, type) {
  const text = typeof value === 'string' && NUMBER.test(value);
  if (typeof value !== 'number' && typeof value !== 'bigint' && !text) throw refused(name, value, 'expected integer (number or string)');
  const number = typeof value !== 'string' ? value : /^[+-]?\d+$/.test(value) ? BigInt(value.replace('+', '')) : Number(value);
  if (typeof number === 'number' && !Number.isInteger(number)) throw refused(name, value, 'not an integer');
  if (number < lowest || number > highest) throw refused(name, value, `out of range for ${type}`);
  return number;
}

function realNumber(value, name, largest, type) {
  const words = {NaN, Infinity, '-Infinity': -Infinity};
  if (typeof value === 'string' && Object.hasOwn(words, value)) return words[value];
  const text = typeof value === 'string' && NUMBER.test(value);
  if (typeof value !== 'number' && !text) throw refused(name, value, 'expected number');
  const number = Number(value);
  if (!Number.isFinite(number)) throw refused(name, value, 'number out of range');
  if (Math.abs(number) > largest) throw refused(name, value, `out of range for ${type}`);
  return number;
}

/** What text, numbers and switches have: wire type, default, `parse` of a value of a program, `write` and `read`. */
const SCALARS = {
  string: {wireType: DELIMITED, initial: '', write: (writer, value) => writer.text(value), read: (reader) => reader.text(),
    parse: (value, name) => {
      if (typeof value !== 'string') throw refused(name, value, 'expected string');
      if (/\p{Surrogate}/u.test(value)) throw refused(name, value, 'unpaired surrogate');
      return value;
    }},
  bool: {wireType: VARINT, initial: false, write: (writer, value) => writer.varint(value ? 1 : 0), read: (reader) => Number(reader.varint(false)) !== 0,
    parse: (value, name) => {
      if (typeof value !== 'boolean') throw refused(name, value, 'expected boolean');
      return value;
    }},
  uint32: {wireType: VARINT, initial: 0, write: (writer, value) => writer.varint(value), read: (reader) => Number(reader.varint(false)) % 2 ** 32,
    parse: (value, name) => Number(wholeNumber(value, name, 0, 2 ** 32 - 1, 'uint32'))},
  uint64: {wireType: VARINT, initial: 0, write: (writer, value) => writer.varint64(BigInt(value)), read: (reader) => reader.varint(false),
    parse: (value, name) => wholeNumber(value, name, 0n, 2n ** 64n - 1n, 'uint64')},
  int64: {wireType: VARINT, initial: 0, write: (writer, value) => writer.varint64(BigInt(value)), read: (reader) => reader.varint(true),
    parse: (value, name) => wholeNumber(value, name, -(2n ** 63n), 2n ** 63n - 1n, 'int64')},
  float: {wireType: FIXED32, initial: 0, write: (writer, value) => writer.float(value), read: (reader) => reader.float(),
    parse: (value, name) => realNumber(value, name, LARGEST_FLOAT, 'float')},
  double: {wireType: FIXED64, initial: 0, write: (writer, value) => writer.double(value), read: (reader) => reader.double(),
    parse: (value, name) => realNumber(value, name, Infinity, 'double')},
};

/** An enum is its name; a value that a later version has added is a number. */
function enumOf(values) {
  const names = new Map(Object.entries(values).map(([name, number]) => [number, name]));
  const nameOf = (number) => names.get(number) ?? number;
  return {wireType: VARINT, initial: nameOf(0), write: (writer, value) => writer.varint64(BigInt(values[value] ?? value)),
    read: (reader) => nameOf(Number(BigInt.asIntN(32, BigInt(reader.varint(true))))),
    parse: (value, name) => {
      if (typeof value === 'string' && !Object.hasOwn(values, value)) throw refused(name, value, 'unknown enum value');
      if (typeof value !== 'string' && (value | 0) !== value) throw refused(name, value, 'expected enum string or number');
      return nameOf(values[value] ?? value);
    }};
}

function checkDepth(depth) {
  if (depth > DEEPEST) throw new Error(`messages that are nested more than ${DEEPEST} times`);
}

// google.protobuf.Struct and Value are JSON.
const VALUE = {null: 1, number: 2, string: 3, boolean: 4, struct: 5, list: 6};

function isObject(value) { return typeof value === 'object' && value !== null && !Array.isArray(value); }

function writeStruct(writer, object, name, depth) {
  checkDepth(depth);
  if (!isObject(object)) throw refused(name, object, 'expected object');
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    writer.tag(1, DELIMITED);
    writer.delimited(() => {
      writer.tag(1, DELIMITED);
      writer.text(SCALARS.string.parse(key, name));
      writer.tag(2, DELIMITED);
      writer.delimited(() => writeValue(writer, value, `${name}.${key}`, depth + 1));
    });
  }
}

function writeValue(writer, value, name, depth) {
  checkDepth(depth);
  if (value === null) {
    writer.tag(VALUE.null, VARINT);
    writer.varint(0);
  } else if (typeof value === 'number') {
    writer.tag(VALUE.number, FIXED64);
    writer.double(realNumber(value, name, Infinity, 'double'));
  } else if (typeof value === 'string') {
    writer.tag(VALUE.string, DELIMITED);
    writer.text(SCALARS.string.parse(value, name));
  } else if (typeof value === 'boolean') {
    writer.tag(VALUE.boolean, VARINT);
    writer.varint(value ? 1 : 0);
  } else if (typeof value !== 'object') {
    throw refused(name, value, `expected a value, not a ${typeof value}`);
  } else if (Array.isArray(value)) {
    writer.tag(VALUE.list, DELIMITED);
    writer.delimited(() => Array.from(value, (element) => {
      writer.tag(1, DELIMITED);
      writer.delimited(() => writeValue(writer, element ?? null, name, depth + 1));
    }));
  } else {
    writer.tag(VALUE.struct, DELIMITED);
    writer.delimited(() => writeStruct(writer, value, name, depth + 1));
  }
}

/** Calls `take(id)` for each field with its wire type expected by `types`, and skips all others. */
function readFields(reader, types, take) {
  while (reader.more) {
    const [id, wireType] = reader.tag();
    if (types[id] === wireType) take(id);
    else reader.skip(wireType);
  }
}

function readStruct(reader, depth) {
  checkDepth(depth);
  const entries = [];
  readFields(reader, {1: DELIMITED}, () => reader.delimited(() => entries.push(readEntry(reader, '', null, DELIMITED,
    () => reader.delimited(() => readValue(reader, depth + 1))))));
  return Object.fromEntries(entries);
}

function readValue(reader, depth) {
  checkDepth(depth);
  let value = null;
  const types = {1: VARINT, 2: FIXED64, 3: DELIMITED, 4: VARINT, 5: DELIMITED, 6: DELIMITED};
  readFields(reader, types, (id) => {
    if (id === VALUE.number) value = reader.double();
    else if (id === VALUE.string) value = reader.text();
    else if (id === VALUE.struct) value = reader.delimited(() => readStruct(reader, depth + 1));
    else if (id === VALUE.list) value = reader.delimited(() => readList(reader, depth + 1));
    else value = id === VALUE.boolean ? SCALARS.bool.read(reader) : (reader.varint(false), null);
  });
  return value;
}

function readList(reader, depth) {
  const list = [];
  readFields(reader, {1: DELIMITED}, () => list.push(reader.delimited(() => readValue(reader, depth + 1))));
  return list;
}

/** Reads an entry of a map: [key, value]. */
function readEntry(reader, key, initial, wireType, read) {
  let entry = [key, initial];
  readFields(reader, {1: DELIMITED, 2: wireType}, (id) => {
    entry = id === 1 ? [reader.text(), entry[1]] : [entry[0], read()];
  });
  return entry;
}

/** The kinds of fields: how the value of a program is written, after checks, and how it is read. */
function codecOf(type) {
  const scalar = SCALARS[type] ?? (Object.hasOwn(enums, type) ? enumOf(enums[type]) : undefined);
  if (scalar) {
    return {...scalar, write: (writer, value, name) => scalar.write(writer, scalar.parse(value, name)), scalar,
      isInitial: (value, name) => Object.is(scalar.parse(value, name), scalar.initial) || scalar.parse(value, name) === 0n};
  }
  const inner = {
    'google.protobuf.Struct': {write: writeStruct, read: readStruct},
    'google.protobuf.Value': {write: writeValue, read: readValue},
  }[type] ?? {
    write: (writer, value, name, depth) => writeMessage(writer, types.get(type), value, name, depth),
    read: (reader, depth) => readMessage(reader, types.get(type), depth),
  };
  return {wireType: DELIMITED, initial: undefined, isJson: type === 'google.protobuf.Value',
    write: (writer, value, name, depth) => writer.delimited(() => inner.write(writer, value, name, depth + 1)),
    read: (reader, depth) => reader.delimited(() => inner.read(reader, depth + 1))};
}

function typeOf(name, fields) {
  const list = Object.entries(fields).map(([field, [id, type, rule = '']]) => {
    const codec = codecOf(type);
    const oneof = rule.startsWith('oneof ') ? rule.slice(6) : '';
    return {name: field, id, codec, oneof, fullName: `${name}.${field}`, repeated: rule === 'repeated', map: rule === 'map',
      mayBeAbsent: rule === 'optional' || oneof !== '' || !codec.scalar};
  });
  const byId = new Map(list.map((field) => [field.id, field]));
  return {name, fields: list, byId, inOrder: [...list].sort((a, b) => a.id - b.id), names: new Set(list.map((field) => field.name))};
}

const types = new Map(Object.entries(messages).map(([name, fields]) => [name, typeOf(name, fields)]));

// ---- from objects to bytes

function writeMessage(writer, type, object, name, depth) {
  checkDepth(depth);
  if (!isObject(object)) throw refused(name, object, 'expected object');
  for (const [key, value] of Object.entries(object)) {
    if (value !== undefined && !type.names.has(key)) {
      throw new Error(`${type.name}: unknown field: ${JSON.stringify(key)}: expected ${[...type.names].join(', ')}`);
    }
  }
  const chosen = new Set();
  for (const field of type.inOrder) {
    const value = Object.hasOwn(object, field.name) ? object[field.name] : undefined;
    if (value === undefined || (value === null && !field.codec.isJson)) continue;
    if (field.oneof !== '' && chosen.has(field.oneof)) throw new Error(`${type.name}: multiple values for oneof ${field.oneof}`);
    chosen.add(field.oneof);
    writeField(writer, field, value, depth);
  }
}

function writeField(writer, field, value, depth) {
  const {codec, id, fullName} = field;
  const one = (element) => {
    writer.tag(id, codec.wireType);
    codec.write(writer, element, fullName, depth);
  };
  if (field.map) {
    if (!isObject(value)) throw refused(fullName, value, 'expected object for map');
    for (const entry of Object.entries(value)) if (entry[1] !== undefined) writeEntry(writer, field, entry, depth);
  } else if (field.repeated) {
    if (!Array.isArray(value)) throw refused(fullName, value, 'expected array');
    Array.from(value, (element) => {
      if (element === undefined || element === null) throw refused(fullName, null, 'null element');
      one(element);
    });
  } else if (field.mayBeAbsent || !codec.isInitial(value, fullName)) {
    one(value);
  }
}

function writeEntry(writer, {codec, id, fullName}, [key, value], depth) {
  writer.tag(id, DELIMITED);
  writer.delimited(() => {
    writer.tag(1, DELIMITED);
    writer.text(SCALARS.string.parse(key, fullName));
    writer.tag(2, codec.wireType);
    codec.write(writer, value, fullName, depth);
  });
}

// ---- from bytes to objects

/** Returns a message without contents: fields that may be absent are. */
function emptyOf(type) {
  return Object.fromEntries(type.fields.filter(({map, repeated, mayBeAbsent}) => map || repeated || !mayBeAbsent)
    .map(({name, map, repeated, codec}) => [name, map ? {} : repeated ? [] : codec.initial]));
}

function readMessage(reader, type, depth) {
  checkDepth(depth);
  const message = emptyOf(type);
  while (reader.more) {
    const [id, wireType] = reader.tag();
    const field = type.byId.get(id);
    if (!field || !readField(reader, message, type, field, wireType, depth)) reader.skip(wireType);
  }
  return message;
}

/** Reads a field into the message. Returns false if it has another wire type than expected. */
function readField(reader, message, type, field, wireType, depth) {
  const {codec, name} = field;
  if (field.map) {
    if (wireType !== DELIMITED) return false;
    const [key, value] = reader.delimited(() => readEntry(reader, '', codec.initial, codec.wireType, () => codec.read(reader, depth)));
    // Also a key such as __proto__ becomes a member.
    Object.defineProperty(message[name], key, {value: value ?? {}, enumerable: true, configurable: true, writable: true});
  } else if (field.repeated && wireType === DELIMITED && codec.wireType !== DELIMITED) {
    reader.delimited(() => { while (reader.more) message[name].push(codec.read(reader)); });
  } else if (wireType !== codec.wireType) {
    return false;
  } else if (field.repeated) {
    message[name].push(codec.read(reader, depth));
  } else {
    // Of a oneof, the last member counts.
    if (field.oneof !== '') for (const other of type.fields) if (other.oneof === field.oneof) delete message[other.name];
    message[name] = codec.read(reader, depth);
  }
  return true;
}

// ---- all messages

/** Returns the bytes of an object as a message of a type. Throws for an object that it cannot be. */
export function encodeMessage(name, object) {
  const writer = new Writer();
  writeMessage(writer, types.get(name), object, name, 0);
  return writer.finish();
}

/** Returns the object of a message, with all fields that cannot be absent. Throws for bytes that are not a message. */
export function decodeMessage(name, bytes) { return readMessage(new Reader(bytes), types.get(name), 0); }

/** Returns the names of the members of a oneof. */
export function membersOf(name, oneof) {
  return types.get(name).fields.filter((field) => field.oneof === oneof).map((field) => field.name);
}

/** Returns the names of the values of an enum. */
export function valuesOf(name) { return Object.keys(enums[name]); }
