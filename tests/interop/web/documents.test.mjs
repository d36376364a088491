// SPDX-License-Identifier: MIT
// Documents as links, files and examples, without a browser.
//
// Environment: RTA_WEB_MODULES, the modules of client/web; RTA_SOURCE, the sources; that of support.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {Duplex} from 'node:stream';
import test from 'node:test';
import zlib from 'node:zlib';
import {connect} from 'rta-client';
import {Daemon, randomOf} from '../../tests/support.mjs';
import {pageModule} from './modules.mjs';

const {LONGEST_DOCUMENT_BYTES, LinkError, PREFIX, documentOf, fragmentOf, isDocumentFragment} = await pageModule('documents/link');
const {FileError, fileNameOf, isSound, readDocument} = await pageModule('documents/received');
const {keepRecent, recentDocuments} = await pageModule('documents/recent');
const {linesOf, summaryOf} = await pageModule('documents/edit_lines');
const {EXAMPLES} = await pageModule('generated/cookbook');
const {Pins} = await pageModule('mixer/pins');

useRawDeflate();

/** Node.js 18 has compression streams, but not this format, which all browsers have. */
function useRawDeflate() {
  try {
    void new CompressionStream('deflate-raw');
  } catch {
    const streamOf = (create) => class { constructor() { return Duplex.toWeb(create()); } };
    Object.assign(globalThis, {CompressionStream: streamOf(zlib.createDeflateRaw), DecompressionStream: streamOf(zlib.createInflateRaw)});
  }
}

/** A store of a browser that has room for some characters. */
class Store {
  #items = new Map();
  constructor(room = Infinity) { this.room = room; }
  getItem(key) { return this.#items.get(key) ?? null; }
  setItem(key, value) {
    if (value.length > this.room) throw new DOMException('full', 'QuotaExceededError');
    this.#items.set(key, value);
  }
  removeItem(key) { this.#items.delete(key); }
}

const linkOf = (bytes) => PREFIX + zlib.deflateRawSync(bytes).toString('base64url');

test('a document comes out of its link as it was, without blanks', async () => {
  for (const {document} of EXAMPLES) {
    const fragment = await fragmentOf(document);
    assert.ok(isDocumentFragment(fragment));
    assert.match(fragment, /^#doc=[A-Za-z0-9_-]+$/);
    assert.deepEqual(JSON.parse(await documentOf(fragment)), JSON.parse(document));
    assert.ok(fragment.length < 2000, `${fragment.length} characters`);
  }
  const commented = '// a comment\n{"nodes": []}  ';
  assert.equal(await documentOf(await fragmentOf(commented)), commented);
  const unusual = '{"title": "\u00e4\u{1f3b9}", "nodes": []}';
  assert.deepEqual(JSON.parse(await documentOf(await fragmentOf(unusual))), JSON.parse(unusual));
});

test('a link that is cut anywhere is refused with a sentence', async () => {
  const fragment = await fragmentOf(EXAMPLES[1].document);
  for (let length = PREFIX.length; length < fragment.length; length += 1) {
    await assert.rejects(documentOf(fragment.slice(0, length)), (error) => error instanceof LinkError && /^The link .*\.$/.test(error.message),
      `cut after ${length} of ${fragment.length} characters`);
  }
  assert.deepEqual(JSON.parse(await documentOf(`${fragment}.`)), JSON.parse(EXAMPLES[1].document));
});

test('a link that is damaged is refused, or has another text; it does not fail otherwise', async () => {
  const random = randomOf(5);
  const fragment = await fragmentOf(EXAMPLES[2].document);
  for (let i = 0; i < 300; i += 1) {
    const place = PREFIX.length + Math.floor(random() * (fragment.length - PREFIX.length));
    const damaged = fragment.slice(0, place) + String.fromCharCode(33 + Math.floor(random() * 90)) + fragment.slice(place + 1);
    await documentOf(damaged).catch((error) => assert.ok(error instanceof LinkError, `${error.stack}`));
  }
  await assert.rejects(documentOf(linkOf(Buffer.from([0xff, 0xfe]))), /its content is not text/);
});

test('a link that unpacks to more than the limit is refused before it is unpacked', async () => {
  const most = '"'.padEnd(LONGEST_DOCUMENT_BYTES - 1, ' ') + '"';
  assert.equal((await documentOf(linkOf(most))).length, LONGEST_DOCUMENT_BYTES);
  await assert.rejects(documentOf(linkOf(`${most} `)), /too long: it has more than 4 MiB/);
  // 1 GiB in 1 MiB: unpacking it would take seconds and a gigabyte.
  const bomb = PREFIX + Buffer.concat([zlib.deflateRawSync(Buffer.alloc(1 << 20), {finishFlush: zlib.constants.Z_FULL_FLUSH})])
    .toString('base64url');
  const repeated = PREFIX + Buffer.from(Buffer.concat(Array(1024).fill(Buffer.from(bomb.slice(PREFIX.length), 'base64url')))).toString('base64url');
  const before = process.memoryUsage().arrayBuffers;
  await assert.rejects(documentOf(repeated), /too long/);
  assert.ok(process.memoryUsage().arrayBuffers - before < 256 << 20);
});

test('files are documents, sounds, or refused with a sentence', async () => {
  const file = (name, content, type = '') => ({name, type, size: content.length, arrayBuffer: async () => Uint8Array.from(Buffer.from(content)).buffer});
  assert.deepEqual(await readDocument(file('foyer.json', '{}'), 'drop'), {name: 'foyer', document: '{}', origin: 'drop'});
  await assert.rejects(readDocument(file('x.bin', Buffer.from([0xff, 0])), 'file'), (error) => error instanceof FileError && /^x\.bin was not opened: it is not text/.test(error.message));
  await assert.rejects(readDocument({name: 'big.json', size: LONGEST_DOCUMENT_BYTES + 1}, 'file'), /longer than 4 MiB/);
  await assert.rejects(readDocument({name: 'gone.json', size: 1, arrayBuffer: () => Promise.reject(new Error('gone'))}, 'file'), /cannot read it/);
  assert.ok(isSound({name: 'a.WAV', type: ''}) && isSound({name: 'a', type: 'audio/flac'}) && !isSound({name: 'a.json', type: 'application/json'}));
  assert.equal(fileNameOf('Foyer: left/right'), 'Foyer-left-right.json');
  assert.equal(fileNameOf('../..'), 'graph.json');
});

test('the page offers the documents of the cookbook, which a daemon accepts', async (t) => {
  const page = fs.readFileSync(path.join(process.env.RTA_SOURCE, 'docs', 'cookbook.md'), 'utf8');
  assert.deepEqual(EXAMPLES.map(({document}) => document), [...page.matchAll(/^```json \S+\n(.*?)^```$/gms)].map(([, text]) => text));
  const daemon = await Daemon.start(t, {arguments: ['--channels-out', '6']});
  const client = await connect(daemon.socket);
  t.after(() => client.close());
  for (const {document, title, description} of EXAMPLES) {
    await client.check(document);
    assert.match(title, /^[A-Z][^`[\]]+$/);
    assert.match(description, /^[A-Z][^`[\]]*\.$/);
  }
});

test('what a document would change is shown in lines', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon.socket);
  t.after(() => client.close());
  const types = new Map((await client.nodeTypes()).map((type) => [type.name, type]));
  await client.transaction((change) => change.add('sine', 'osc', {gain_db: -12}).add('gain', 'vol').add('output', 'out').connect('osc', 'vol').connect('vol', 'out'));
  const mirror = await client.mirror();
  const linesFor = async (document) => linesOf((await client.check(document, {with_diff: true})).diff, types, (name) => mirror.graph.nodes.get(name));
  const lines = await linesFor(JSON.stringify({nodes: [{name: 'osc', type: 'sine', parameters: {gain_db: -12.5}},
    {name: 'echo', type: 'delay_line', settings: {max_time_ms: 500}, parameters: {time_ms: 250}}, {name: 'out', type: 'output'}],
  connections: [{from: 'osc', to: 'echo'}, {from: 'echo', to: 'out', gain_db: -3}], latency_compensation: true}));
  const sorted = lines.map(({kind, text}) => `${kind} ${text}`).sort();
  assert.deepEqual(sorted, ['added echo (delay_line): max_time_ms 500 ms, time_ms 250 ms', 'added echo → out, -3 dB', 'added osc → echo',
    'changed latency compensation on', 'changed osc.gain_db = -12.5 dB', 'removed vol']);
  assert.equal(summaryOf(lines), '3 added, 1 removed, 2 changed');
  assert.equal(summaryOf([]), 'nothing changes');
});

test('recent documents are kept as far as the browser has room, and survive anything in the store', () => {
  const store = new Store();
  for (let i = 0; i < 10; i += 1) keepRecent(store, {name: `document ${i % 8}`, document: `{"${i}": 0}`, at: i});
  assert.deepEqual(recentDocuments(store).map(({name}) => name), ['document 1', 'document 0', 'document 7', 'document 6', 'document 5', 'document 4']);
  const small = new Store(300);
  for (let i = 0; i < 4; i += 1) keepRecent(small, {name: `${i}`, document: 'x'.repeat(100), at: i});
  assert.deepEqual(recentDocuments(small).map(({name}) => name), ['3', '2']);
  for (const junk of ['', '{', 'null', '[1, null, {"name": 3}]', '{"name": "a"}']) {
    const odd = new Store();
    odd.setItem('rta.recent', junk);
    assert.deepEqual(recentDocuments(odd), []);
  }
  assert.deepEqual(recentDocuments(undefined), []);
});

test('pins follow their nodes, for each engine, and survive anything in the store', () => {
  const store = new Store();
  const pins = new Pins(() => store).of('studio');
  pins.toggle('vol');
  pins.toggle('mix:2');
  pins.toggle('mix:3');
  pins.toggle('vol');
  pins.renamed('mix', 'bus');
  assert.deepEqual(pins.ids, ['bus:2', 'bus:3']);
  assert.deepEqual(pins.of('foyer').ids, []);
  assert.deepEqual(new Pins(() => store).of('studio').ids, ['bus:2', 'bus:3']);
  for (const junk of ['', 'x', '{}', '[1, "<b>", "a b"]']) {
    store.setItem('rta.pins.x', junk);
    assert.deepEqual(new Pins(() => store).of('x').ids, []);
  }
  const refusing = new Pins(() => { throw new DOMException('no', 'SecurityError'); }).of('y');
  refusing.toggle('vol');
  assert.deepEqual(refusing.ids, ['vol']);
});
