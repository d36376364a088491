// SPDX-License-Identifier: MIT
// Encodes and decodes messages without generating code. protobufjs compiles a function for each type of message from text,
// which the Content-Security-Policy of a web page forbids unless it has 'unsafe-eval'.
import protobuf from 'protobufjs/light.js';

const {Enum, Message, Reader, Type, Writer, types} = protobuf;
/** Messages may be nested as deeply; JSON values in settings are messages. */
const DEEPEST = 100;
const LENGTH_DELIMITED = 2;

/** Gives each type of a namespace its encode() and decode(). */
export function interpretTypes(namespace) {
  for (const nested of namespace.nestedArray ?? []) {
    if (nested instanceof Type) interpret(nested);
    interpretTypes(nested);
  }
}

function interpret(type) {
  type.ctor = class extends Message {};
  const fields = [...type.fieldsArray].sort((a, b) => a.id - b.id).map((field) => field.resolve());
  const byId = new Map(fields.map((field) => [field.id, field]));
  type.encode = (message, writer = Writer.create(), depth = 0) => encode(fields, message, writer, depth);
  type.decode = (bytes) => {
    const reader = bytes instanceof Reader ? bytes : Reader.create(bytes);
    return type.decodePart(reader, reader.len - reader.pos, 0);
  };
  type.decodePart = (reader, length, depth) => decode(new type.ctor(), byId, reader, length, depth);
}

/** Returns the name of a scalar type in Reader and Writer; undefined for a message. */
function scalarOf(field) { return field.resolvedType instanceof Enum ? 'int32' : field.resolvedType ? undefined : field.type; }

function checkDepth(depth) {
  if (depth > DEEPEST) throw new Error(`messages that are nested more than ${DEEPEST} times`);
}

function encode(fields, message, writer, depth) {
  checkDepth(depth);
  for (const field of fields) {
    if (!Object.hasOwn(message, field.name)) continue;
    const value = message[field.name];
    if (value === null || value === undefined) continue;
    if (field.map) encodeMap(field, value, writer, depth);
    else if (field.repeated) encodeList(field, value, writer, depth);
    else if (field.hasPresence || field.resolvedType instanceof Type || !isDefault(value)) encodeField(field, value, writer, depth);
  }
  return writer;
}

function encodeField(field, value, writer, depth) {
  const scalar = scalarOf(field);
  if (scalar) writer.uint32(field.id << 3 | types.basic[scalar])[scalar](value);
  else field.resolvedType.encode(value, writer.uint32(field.id << 3 | LENGTH_DELIMITED).fork(), depth + 1).ldelim();
}

function encodeList(field, values, writer, depth) {
  const scalar = scalarOf(field);
  if (!field.packed || types.packed[scalar] === undefined) {
    for (const value of values) encodeField(field, value, writer, depth);
  } else if (values.length > 0) {
    writer.uint32(field.id << 3 | LENGTH_DELIMITED).fork();
    for (const value of values) writer[scalar](value);
    writer.ldelim();
  }
}

/** The protocol has maps from text only. */
function encodeMap(field, map, writer, depth) {
  for (const [key, value] of Object.entries(map)) {
    writer.uint32(field.id << 3 | LENGTH_DELIMITED).fork().uint32(1 << 3 | LENGTH_DELIMITED).string(key);
    encodeField({id: 2, type: field.type, resolvedType: field.resolvedType}, value, writer, depth);
    writer.ldelim();
  }
}

/** Whether a field without presence is omitted. */
function isDefault(value) {
  if (typeof value === 'object') return value.length === 0 || (value.low === 0 && value.high === 0);
  return value === '' || value === false || Object.is(value, 0);
}

function decode(message, fields, reader, length, depth) {
  checkDepth(depth);
  const end = endOf(reader, length);
  while (reader.pos < end) {
    const tag = reader.tag();
    const wireType = tag & 7;
    const field = fields.get(tag >>> 3);
    if (!field || !decodeField(message, field, wireType, reader, depth)) reader.skipType(wireType);
  }
  if (reader.pos !== end) throw new RangeError('a field that is longer than its message');
  return message;
}

/** Reads a field into the message. Returns false if it has another wire type than expected. */
function decodeField(message, field, wireType, reader, depth) {
  const scalar = scalarOf(field);
  const expected = scalar && !field.map ? types.basic[scalar] : LENGTH_DELIMITED;
  const packed = field.repeated && wireType === LENGTH_DELIMITED && types.packed[scalar] !== undefined;
  if (wireType !== expected && !packed) return false;
  if (field.map) {
    decodeEntry(own(message, field, {}), field, scalar, reader, depth);
  } else if (packed) {
    const list = own(message, field, []);
    const end = endOf(reader, reader.uint32());
    while (reader.pos < end) list.push(reader[scalar]());
    if (reader.pos !== end) throw new RangeError('a number that is longer than its list');
  } else if (field.repeated) {
    own(message, field, []).push(decodeValue(field, scalar, reader, depth));
  } else {
    // Of a oneof, the last member counts.
    for (const other of field.partOf?.oneof ?? []) if (other !== field.name) delete message[other];
    message[field.name] = decodeValue(field, scalar, reader, depth);
  }
  return true;
}

function decodeValue(field, scalar, reader, depth) {
  // Text that is not UTF-8 is not a message.
  if (scalar === 'string') return reader.stringVerify();
  return scalar ? reader[scalar]() : field.resolvedType.decodePart(reader, reader.uint32(), depth + 1);
}

function decodeEntry(map, field, scalar, reader, depth) {
  const end = endOf(reader, reader.uint32());
  let key = '';
  let value = scalar ? types.defaults[scalar] : new field.resolvedType.ctor();
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === (1 << 3 | LENGTH_DELIMITED)) key = reader.stringVerify();
    else if (tag >>> 3 === 2) value = decodeValue(field, scalar, reader, depth);
    else reader.skipType(tag & 7);
  }
  // Also a key such as __proto__ becomes a member.
  Object.defineProperty(map, key, {value, enumerable: true, configurable: true, writable: true});
}

/** Returns the list or the map of a message; the prototype has an empty one, which is shared. */
function own(message, field, empty) {
  if (!Object.hasOwn(message, field.name)) message[field.name] = empty;
  return message[field.name];
}

function endOf(reader, length) {
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError('a message that is longer than its bytes');
  return end;
}
