// SPDX-License-Identifier: MIT
// A page in a real browser attacks rtad, with every kind of request that a page can send. Once the page is loaded, the name of
// its server leads to rtad. WebTransport is left out: it uses UDP, on which rtad does not listen.
//
// Environment: that of support.mjs and of launch.mjs.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import {connect} from 'rta-client';
import {Daemon, binaries, temporaryDirectory} from '../tests/support.mjs';
import {aim, attack, carriesAttack, hasBody, probe} from './aim.mjs';
import {Door} from './door.mjs';
import {launchChromium, launchFirefox} from './launch.mjs';

/** The default port of rtad. Browsers block some ports; this one must be reachable, or the test proves nothing. */
const PORT = 7340;
/** A loopback address that only this process uses. Other tests may use the port at other addresses. */
const ADDRESS = `127.${64 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
const PATIENCE_MS = 20_000;

/** fetch() allows every method but CONNECT, TRACE and TRACK. Its first letter is the length of the first message. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'REPLACE'];
const UNUSUAL_METHODS = ['patch', 'PROPFIND', 'M-SEARCH', 'x', 'zx0', '!#$%&\'*+-.^_`|~', 'A-METHOD-LONGER-THAN-ALL-OTHERS'];
/** Methods whose letters cannot be the beginning of a message: they are not tags of fields. */
const NOT_MESSAGES = ['POST', 'QUERY'];
const OFFSETS = 8;

// All names lead to ADDRESS. Certificates are not checked, as if the user had accepted them.
const browsers = {
  async chromium(env) {
    const browser = await launchChromium({env, args: [`--host-resolver-rules=MAP * ${ADDRESS}`]});
    return {browser, page: await browser.newPage({ignoreHTTPSErrors: true})};
  },
  async firefox(env) {
    const browser = await launchFirefox({env, acceptInsecureCerts: true,
      // By default, Firefox sends a request up to 10 times if it is not answered, which takes long.
      extraPrefsFirefox: {'network.dns.forceResolve': ADDRESS, 'network.http.request.max-attempts': 1}});
    return {browser, page: await browser.newPage()};
  },
};

const origin = (host, scheme = 'http') => `${scheme}://${host}:${PORT}`;
const text = (bytes) => bytes.toString('latin1');

async function until(condition, complaint) {
  for (const deadline = Date.now() + PATIENCE_MS; !await condition();) {
    assert.ok(Date.now() < deadline, complaint);
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
}

/** Starts an rtad that plays a graph. `expectUnharmed()` checks that nothing has changed, and that no other client is left. */
async function playing(t, options) {
  const daemon = await Daemon.start(t, options);
  const client = await connect(daemon.socket);
  t.after(() => client.close());
  await client.transaction((change) => change.add('sine', 'osc').add('output', 'out', {}, {channels: 2}).connect('osc', 'out'));
  const state = async () => {
    const {document, revision} = await client.graph();
    const {output_muted, output_volume_db} = (await client.status()).engine;
    return `revision ${revision}, muted: ${output_muted}, ${output_volume_db} dB\n${document}`;
  };
  const before = await state();
  const expectUnharmed = async (attacked) => {
    const compare = async () => assert.equal(await state(), before, attacked);
    await compare();
    await until(async () => (await client.status()).client_count === 1, `${attacked}: a request still counts as a client`);
    await compare();
  };
  return {daemon, expectUnharmed};
}

// ---- functions that run in the page

/** Sends requests with fetch(). Returns a line for each that does not fail with a network error. */
async function fetchAll(requests) {
  const results = await Promise.all(requests.map(async ({url, body, ...init}) => {
    try {
      const answer = await fetch(url, {...init, body: body && new Uint8Array(body)});
      return `${init.method} ${url}: status ${answer.status}, ${(await answer.text()).length} characters`;
    } catch (error) {
      return error.name === 'TypeError' ? '' : `${init.method} ${url}: ${error}`;
    }
  }));
  return results.filter((result) => result !== '');
}

/** Sends requests without fetch(), each to the path of its name. Returns the names of those that were answered. */
async function sendWithoutFetch({server, content}) {
  const answered = [];
  const element = (name, properties) => document.body.appendChild(Object.assign(document.createElement(name), properties));
  const outcome = (name, target, failure, success) => new Promise((resolve) => {
    target.addEventListener(failure, resolve);
    target.addEventListener(success, () => {
      answered.push(name);
      resolve();
    });
  });

  const socket = new WebSocket(`${server.replace('http', 'ws')}/websocket`, ['rtad']);
  const events = new EventSource(`${server}/events`);
  const request = new XMLHttpRequest();
  request.open('PUT', `${server}/xhr`);
  const outcomes = [
    outcome('websocket', socket, 'error', 'open'),
    outcome('events', events, 'error', 'open').then(() => events.close()),
    // Firefox reports `load` for a request that failed.
    new Promise((resolve) => { request.addEventListener('loadend', resolve); })
      .then(() => { if (request.status !== 0 || request.responseText !== '') answered.push('xhr'); }),
    outcome('image', element('img', {src: `${server}/image`}), 'error', 'load'),
    outcome('script', element('script', {src: `${server}/script`}), 'error', 'load'),
  ];
  request.send(content);
  const form = element('form', {method: 'post', enctype: 'text/plain', action: `${server}/form`, target: 'frame'});
  form.append(Object.assign(document.createElement('textarea'), {name: 'x', value: content}));
  form.submit();
  element('iframe', {src: `${server}/frame`});
  const parts = new FormData();
  parts.append('x', new Blob([content]));
  outcomes.push(fetch(`${server}/multipart`, {method: 'POST', body: parts}).then(() => answered.push('multipart'), () => {}));
  navigator.sendBeacon(`${server}/beacon`, new Blob([content]));
  await Promise.all(outcomes);
  return answered;
}

// ---- attacks

/** Checks that rtad has closed each connection without a single byte, also where browsers hide answers from pages. */
async function expectSilence(requests) {
  await until(() => requests.every(({closed}) => closed), 'rtad did not close the connection');
  for (const {bytes, answered} of requests) assert.equal(answered, 0, text(bytes).slice(0, 300));
}

/** Sends requests whose bytes are messages. An rtad that does not check the first bytes lets each of them replace the graph. */
async function attackWithAim({page, door, rtad}) {
  let shown;
  const send = async ({host, path: target, ...init}) => {
    if (shown !== host) await visit(page, origin(host));
    shown = host;
    return () => page.evaluate(fetchAll, [{url: origin(host) + target, ...init}]);
  };
  const probes = {};
  for (const method of METHODS) {
    const empty = probe(method);
    await (await send(empty))();
    probes[method] = door.served.find((bytes) => text(bytes).startsWith(`${method} ${empty.path}`));
    assert.ok(probes[method], `${method}: the probe did not arrive`);
  }
  const impossible = new Set();
  for (const method of METHODS) {
    for (const where of hasBody(method) ? ['header', 'body'] : ['header']) {
      const request = aim(method, probes[method], where);
      if (request === undefined) {
        impossible.add(method);
        continue;
      }
      const attackOnce = await send(request);
      let answered;
      const requests = await door.whileItLeadsToRtad(async () => { answered = await attackOnce(); });
      const name = `${method} with the attack in its ${where}`;
      assert.ok(requests.some(({bytes}) => carriesAttack(bytes)), `${name} did not arrive as messages`);
      await rtad.expectUnharmed(name);
      assert.deepEqual(answered, []);
      await expectSilence(requests);
    }
  }
  assert.deepEqual([...impossible], NOT_MESSAGES);
}

/** Opens a page of this test. A navigation of a frame that was cut just before can end this one, so it is tried again. */
async function visit(page, url) {
  for (let attempts = 1; ; ++attempts) {
    try {
      return await page.goto(url);
    } catch (error) {
      if (attempts === 5) throw error;
    }
  }
}

/** Sends every method with the attack at many offsets, to the host of the page and to another. */
async function attackWithEveryMethod({page, door}) {
  const paths = Array.from({length: OFFSETS}, (_, offset) => '/'.padEnd(offset + 1, 'a'));
  const body = [...Buffer.concat(Array(8).fill(attack).flat())];
  const sent = [];
  /** `arriving` is the method of the requests that must arrive. */
  const sweep = async (method, host, init, arriving = method) => {
    const more = {...init, method, body: hasBody(method) ? body : undefined};
    const requests = await door.whileItLeadsToRtad(async () => (
      assert.deepEqual(await page.evaluate(fetchAll, paths.map((target) => ({url: origin(host) + target, ...more}))), [])));
    for (const target of paths) {
      const request = requests.find(({bytes}) => text(bytes).startsWith(`${arriving} ${target} HTTP/1.1\r\n`));
      assert.ok(request, `${arriving} ${target} did not arrive`);
      assert.ok(!more.body || method !== arriving || request.bytes.includes(Buffer.from(body)), `the body of ${method} ${target}`);
    }
    sent.push(...requests);
  };
  await visit(page, origin('evil.test'));
  for (const method of [...METHODS, ...UNUSUAL_METHODS]) await sweep(method, 'evil.test', {mode: 'same-origin'});
  for (const method of ['GET', 'HEAD', 'POST']) await sweep(method, 'other.test', {mode: 'no-cors'});
  // The browser asks first whether the other host allows this method.
  await sweep('PUT', 'other.test', {mode: 'cors'}, 'OPTIONS');
  await expectSilence(sent);
}

async function attackWithoutFetch({page, door}) {
  await visit(page, origin('evil.test'));
  const requests = await door.whileItLeadsToRtad(async () => {
    const before = door.requests.length;
    const content = text(Buffer.concat(attack));
    assert.deepEqual(await page.evaluate(sendWithoutFetch, {server: origin('evil.test'), content}), []);
    const arrived = (name) => door.requests.slice(before).some(({bytes}) => text(bytes).includes(` /${name} HTTP/1.1`));
    for (const name of ['websocket', 'events', 'xhr', 'form', 'multipart', 'image', 'script', 'frame', 'beacon']) {
      await until(() => arrived(name), `${name} did not arrive`);
    }
  });
  await expectSilence(requests);
}

/** Attacks an rtad that requires TLS, over TLS, and without. */
async function attackTls(t, {page, door}) {
  const state = path.join(temporaryDirectory(t), 'state');
  execFileSync(path.join(binaries, 'rtad'), ['token', 'new', '--role', 'control', '--state-dir', state, 'test']);
  const rtad = await playing(t, {listen: 'tls://127.0.0.1:0', arguments: ['--state-dir', state]});
  await visit(page, origin('evil.test'));
  door.target = rtad.daemon.address.replace('tls://', '');
  const url = origin('evil.test', 'https');
  const body = [...Buffer.concat(attack)];
  await door.whileItLeadsToRtad(async () => assert.deepEqual(await page.evaluate(fetchAll, [
    {url, method: 'GET', mode: 'no-cors'}, {url, method: 'POST', mode: 'no-cors', body}, {url, method: 'PUT', body},
    {url: origin('evil.test'), method: 'PUT', body}]), []));
  for (const line of [/closed the connection of 127\S+ on 127\S+: it sent an HTTP request/,
    /TLS handshake with 127\S+ on 127\S+ failed: http request/]) {
    await until(() => line.test(rtad.daemon.log), `the log has no line ${line}`);
  }
  await rtad.expectUnharmed('TLS');
}

for (const [name, launch] of Object.entries(browsers)) {
  test(`a page in ${name} gets no answer from rtad, and changes nothing`, async (t) => {
    const rtad = await playing(t);
    const door = await Door.open(t, {host: ADDRESS, port: PORT, target: rtad.daemon.address});
    const {browser, page} = await launch({...process.env, HOME: temporaryDirectory(t)});
    t.after(() => browser.close());
    await attackWithAim({page, door, rtad});
    await attackWithEveryMethod({page, door});
    await attackWithoutFetch({page, door});
    await rtad.expectUnharmed('all requests');
    const reasons = [...rtad.daemon.log.matchAll(/closed the connection of 127\S+ on 127\S+: (.*)/g)].map(([, reason]) => reason);
    assert.ok(reasons.some((reason) => reason.startsWith('it sent an HTTP request')), rtad.daemon.log);
    for (const reason of reasons) assert.match(reason, /^it sent an HTTP request|^its first message is not a Hello/);
    t.diagnostic(`${door.requests.length} requests, ${await browser.version()}`);
    await attackTls(t, {page, door});
  });
}
