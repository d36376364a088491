// SPDX-License-Identifier: MIT
// Converts between the objects that programs use and the messages of the protocol. Objects have the form of proto3 JSON
// with the field names of the .proto files, as in docs/protocol.md, with two differences for the convenience of programs:
// objects that are returned contain fields with default values, and 64-bit numbers are numbers.
import protobuf from 'protobufjs/light.js';
import protojson from 'protobufjs/ext/protojson.js';
import descriptor from '../generated/descriptor.js';
import {invalid} from './errors.js';
import {MAXIMUM_MESSAGE_BYTES} from './frames.js';
import {interpretTypes} from './messages.js';

const root = protobuf.Root.fromJSON(descriptor).resolveAll();
interpretTypes(root);
const Request = root.lookupType('rta.v1.Request');
const ServerMessage = root.lookupType('rta.v1.ServerMessage');
const requestKinds = Request.oneofs.request.oneof;

/** Names of the topics of events, without TOPIC_UNSPECIFIED. */
export const TOPICS = Object.keys(root.lookupEnum('rta.v1.Topic').values).slice(1);

const TELEMETRY = new Map([['levels', 'TOPIC_LEVELS'], ['load', 'TOPIC_LOAD'], ['xruns', 'TOPIC_XRUNS'],
  ['node_loads', 'TOPIC_NODE_LOADS']]);

/** Returns the topic of an event, or undefined for an unknown kind of telemetry. An unknown change is a change, too. */
export function topicOf(event) {
  for (const [kind, topic] of TELEMETRY) {
    if (kind in event) return topic;
  }
  return event.number > 0 ? 'TOPIC_CHANGES' : undefined;
}

/** Returns the name of the request in an object such as {get_status: {}}. */
export function kindOf(request) {
  const kinds = requestKinds.filter((kind) => request?.[kind] !== undefined && request[kind] !== null);
  if (kinds.length === 1) return kinds[0];
  const found = kinds.length > 1 ? kinds.join(' and ') : Object.keys(Object(request)).join(' and ') || 'nothing';
  throw invalid(`invalid request with ${found}: expected one of ${requestKinds.join(', ')}`);
}

/** Returns the bytes of a request with its length. Throws RtaError if it is not a request. */
export function encodeRequest(request, id) {
  const payload = Request.encode(parse({...request, id})).finish();
  if (payload.length > MAXIMUM_MESSAGE_BYTES) {
    throw invalid(`a request of ${payload.length} bytes: expected at most ${MAXIMUM_MESSAGE_BYTES}`);
  }
  return protobuf.Writer.create().bytes(payload).finish();  // a length and the bytes
}

function parse(request) {
  try {
    return protojson.fromJson(Request, jsonOf(request));
  } catch (error) {
    throw invalid(explained(error.message));
  }
}

/** Returns the value without undefined members, and with text in place of bigints, which JSON does not have. */
function jsonOf(value) {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') throw new Error(`expected a value, not a ${typeof value}`);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return Array.from(value, (element) => jsonOf(element ?? null));
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)
    .map(([name, member]) => [name, jsonOf(member)]));
}

/** Adds the names of the existing fields to an error about an unknown one. */
function explained(message) {
  const [, name] = /^\.([\w.]+): unknown field: /.exec(message) ?? [];
  const text = message.replace(/^\.rta\.v1\./, '').replace(/^\.google\.protobuf\./, '');
  return name ? `${text}: expected ${Object.keys(root.lookupType(name).fields).join(', ')}` : text;
}

/** Returns {response} or {event}; neither for a message of a kind that this version does not know. Throws for other bytes. */
export function decodeServerMessage(bytes) {
  return objectOf(ServerMessage, ServerMessage.decode(bytes));
}

/** Returns {kind, request}: a request as a daemon receives it, with all fields. Throws RtaError if it is not a request. */
export function requestAsReceived(request) {
  return {kind: kindOf(request), request: objectOf(Request, Request.decode(Request.encode(parse(request)).finish()))};
}

/** Returns {response, bytes} or {event, bytes}: a message as a client receives it, with all fields, and its size in bytes. */
export function messageAsReceived(message) {
  const bytes = ServerMessage.encode(protojson.fromJson(ServerMessage, jsonOf(message))).finish();
  return {...decodeServerMessage(bytes), bytes: bytes.length};
}

const JSON_VALUES = ['.google.protobuf.Struct', '.google.protobuf.Value'];

function objectOf(type, message) {
  const object = {};
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (field.map) {
      object[field.name] = Object.fromEntries(Object.entries(value).map(([key, element]) => [key, plain(field, element)]));
    } else if (field.repeated) {
      object[field.name] = value.map((element) => plain(field, element));
    } else if (!mayBeAbsent(field) || (Object.hasOwn(message, field.name) && value !== null)) {
      object[field.name] = plain(field, value);
    }
  }
  return object;
}

function mayBeAbsent({hasPresence, resolvedType}) { return hasPresence || resolvedType instanceof protobuf.Type; }

function plain({resolvedType}, value) {
  if (resolvedType instanceof protobuf.Type) {
    return JSON_VALUES.includes(resolvedType.fullName) ? protojson.toJson(resolvedType, value) : objectOf(resolvedType, value);
  }
  if (resolvedType instanceof protobuf.Enum) return resolvedType.valuesById[value] ?? value;
  return protobuf.util.Long.isLong(value) ? numberOf(value) : value;
}

/** Returns a number if it is exact, otherwise a bigint. */
function numberOf(long) {
  const number = long.toNumber();
  return Number.isSafeInteger(number) ? number : BigInt(long.toString());
}
