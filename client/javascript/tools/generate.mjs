// SPDX-License-Identifier: MIT
// Generates what the library and its users know of the protocol, from the .proto files:
//
//   node generate.mjs PROTO_DIR OUTPUT_DIR
//
//   OUTPUT_DIR/descriptor.js   all messages and enums, so that the package needs no .proto files and no file system:
//                              {MESSAGE: {FIELD: [ID, TYPE, '' | 'optional' | 'repeated' | 'map' | 'oneof NAME']}}
//   OUTPUT_DIR/messages.d.ts   the TypeScript types of the objects that the library accepts and returns
import fs from 'node:fs';
import path from 'node:path';
import protobuf from 'protobufjs';

const WIDE = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);
const NUMBERS = new Set(['double', 'float', 'int32', 'uint32', 'sint32', 'fixed32', 'sfixed32']);
const JSON_TYPES = {
  '.google.protobuf.Struct': '{[name: string]: JsonValue}',
  '.google.protobuf.Value': 'JsonValue',
};

function load(directory) {
  const root = new protobuf.Root();
  const resolve = root.resolvePath;
  // google/protobuf/struct.proto is part of protobufjs.
  root.resolvePath = (origin, target) => target.startsWith('google/') ? resolve(origin, target) : path.join(directory, target);
  root.loadSync('rta/v1/control.proto', {keepCase: true, alternateCommentMode: true});
  root.resolveAll();
  return root;
}

function comment(text, indent) {
  if (!text) return '';
  const lines = text.replaceAll('*/', '* /').split('\n').map((line) => `${indent} * ${line}`.trimEnd());
  return `${indent}/**\n${lines.join('\n')}\n${indent} */\n`;
}

/** TypeScript has no types inside interfaces. */
function nameOf({name, parent}) { return parent instanceof protobuf.Type ? `${parent.name}${name}` : name; }

function typeOf({type, resolvedType}) {
  if (resolvedType) return JSON_TYPES[resolvedType.fullName] ?? nameOf(resolvedType);
  if (WIDE.has(type)) return 'Uint64';
  if (NUMBERS.has(type)) return 'number';
  return {bool: 'boolean', string: 'string'}[type] ?? failed(`no TypeScript type for ${type}`);
}

function failed(text) { throw new Error(text); }

function fieldOf(field) {
  const type = field.map ? `{[name: string]: ${typeOf(field)}}` : field.repeated ? `${typeOf(field)}[]` : typeOf(field);
  const mayBeAbsent = field.hasPresence || (field.resolvedType instanceof protobuf.Type && !field.repeated && !field.map);
  return `${comment(field.comment, '  ')}  ${field.name}${mayBeAbsent ? '?' : ''}: ${type};\n`;
}

function messageOf(type) {
  return `${comment(type.comment, '')}export interface ${type.name} {\n${type.fieldsArray.map(fieldOf).join('')}}\n`;
}

/** A value that a later version adds is a number. */
function enumOf(type) {
  const names = Object.keys(type.values).map((value) => `'${value}'`).join(' | ');
  return `${comment(type.comment, '')}export type ${nameOf(type)} = ${names} | number;\n`;
}

/** The kinds of request, with the type of each. */
function kindsOf(name, help, oneof) {
  return `${comment(help, '')}export interface ${name} {\n` +
    oneof.fieldsArray.map((field) => `  ${field.name}: ${typeOf(field)};\n`).join('') + '}\n';
}

function declarations(root) {
  const {Request, Response} = root.lookup('rta.v1').nested;
  const types = root.lookup('rta.v1').nestedArray.flatMap((type) => [type, ...type.nestedArray ?? []]);
  return ['// Generated from proto/rta/v1.\n',
    '/** A 64-bit number: a number up to 2^53 - 1, a bigint above. */\nexport type Uint64 = number | bigint;\n',
    'export type JsonValue = null | boolean | number | string | JsonValue[] | {[name: string]: JsonValue};\n',
    ...types.map((type) => type instanceof protobuf.Enum ? enumOf(type) : messageOf(type)),
    kindsOf('Requests', 'The requests, by name.', Request.oneofs.request),
    kindsOf('Results', 'The results, by the name of the request.', Response.oneofs.result)].join('\n');
}

/** Types of fields that the library encodes. */
const SCALARS = new Set(['string', 'bool', 'uint32', 'uint64', 'int64', 'float', 'double']);

/** Returns the name of a type as in the descriptor. */
const shortName = ({fullName}) => fullName.replace(/^\.(rta\.v1\.)?/, '');

function describeField(field) {
  if (field.map && field.keyType !== 'string') failed(`${field.fullName}: a map from ${field.keyType}`);
  if (!field.resolvedType && !SCALARS.has(field.type)) failed(`${field.fullName}: the library does not encode ${field.type}`);
  const type = field.resolvedType ? shortName(field.resolvedType) : field.type;
  const oneof = field.partOf && !field.partOf.isProto3Optional ? `oneof ${field.partOf.name}` : '';
  const presence = field.hasPresence && !(field.resolvedType instanceof protobuf.Type) ? 'optional' : '';
  const rule = field.map ? 'map' : field.repeated ? 'repeated' : oneof || presence;
  return rule === '' ? [field.id, type] : [field.id, type, rule];
}

function descriptor(root) {
  const all = root.lookup('rta.v1').nestedArray.flatMap((type) => [type, ...type.nestedArray ?? []]);
  const entries = (kind, describe) => Object.fromEntries(all.filter((type) => type instanceof kind).map((type) => [shortName(type), describe(type)]));
  const enums = entries(protobuf.Enum, ({values}) => values);
  const messages = entries(protobuf.Type, ({fieldsArray}) => Object.fromEntries(fieldsArray.map((field) => [field.name, describeField(field)])));
  return `// Generated from proto/rta/v1.\nexport const enums = ${JSON.stringify(enums)};\nexport const messages = ${JSON.stringify(messages)};\n`;
}

const [protoDirectory, outputDirectory] = process.argv.slice(2);
const root = load(protoDirectory);
fs.mkdirSync(outputDirectory, {recursive: true});
fs.writeFileSync(path.join(outputDirectory, 'descriptor.js'), descriptor(root));
fs.writeFileSync(path.join(outputDirectory, 'messages.d.ts'), declarations(root));
