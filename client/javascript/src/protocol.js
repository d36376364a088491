// SPDX-License-Identifier: MIT
// Converts between the objects that programs use and the messages of the protocol. Objects have the form of proto3 JSON
// with the field names of the .proto files, as in docs/protocol.md, with two differences for the convenience of programs:
// objects that are returned contain fields with default values, and 64-bit numbers are numbers.
import {invalid} from './errors.js';
import {MAXIMUM_MESSAGE_BYTES} from './frames.js';
import {decodeMessage, encodeMessage, membersOf, valuesOf} from './messages.js';
import {Writer} from './wire.js';

const requestKinds = membersOf('Request', 'request');

/** Names of the topics of events, without TOPIC_UNSPECIFIED. */
export const TOPICS = valuesOf('Topic').slice(1);

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
  const payload = encoded({...request, id});
  if (payload.length > MAXIMUM_MESSAGE_BYTES) {
    throw invalid(`a request of ${payload.length} bytes: expected at most ${MAXIMUM_MESSAGE_BYTES}`);
  }
  const prefix = new Writer();
  prefix.varint(payload.length);
  const length = prefix.finish();
  const bytes = new Uint8Array(length.length + payload.length);
  bytes.set(length);
  bytes.set(payload, length.length);
  return bytes;
}

function encoded(request) {
  try {
    return encodeMessage('Request', request);
  } catch (error) {
    throw invalid(error.message);
  }
}

/** Returns {response} or {event}; neither for a message of a kind that this version does not know. Throws for other bytes. */
export function decodeServerMessage(bytes) { return decodeMessage('ServerMessage', bytes); }

/** Returns {kind, request}: a request as a daemon receives it, with all fields. Throws RtaError if it is not a request. */
export function requestAsReceived(request) {
  return {kind: kindOf(request), request: decodeMessage('Request', encoded(request))};
}

/** Returns {response, bytes} or {event, bytes}: a message as a client receives it, with all fields, and its size in bytes. */
export function messageAsReceived(message) {
  const bytes = encodeMessage('ServerMessage', message);
  return {...decodeServerMessage(bytes), bytes: bytes.length};
}
