// SPDX-License-Identifier: MIT
// Unix sockets, TLS, known hosts, and the forms of addresses.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import dns from 'node:dns';
import {once} from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import {connect} from 'rta-client';
import {CuttingProxy, Daemon, binaries, certificate, temporaryDirectory, tlsProxy} from './support.mjs';

/** Connects, asks for the status, and disconnects. Returns the client. */
async function visit(address, options) {
  const client = await connect(address, options);
  try {
    await client.status();
  } finally {
    client.close();
  }
  return client;
}

test('a Unix socket, by its path and as the daemon of this machine', async (t) => {
  const directory = temporaryDirectory(t);
  fs.mkdirSync(path.join(directory, 'rtad'));
  const daemon = await Daemon.start(t, {directory: path.join(directory, 'rtad')});
  assert.equal((await visit(daemon.socket)).peer, daemon.socket);
  const {RUNTIME_DIRECTORY: own, XDG_RUNTIME_DIR: user} = process.env;
  t.after(() => Object.assign(process.env, {RUNTIME_DIRECTORY: own ?? '', XDG_RUNTIME_DIR: user ?? ''}));
  Object.assign(process.env, {RUNTIME_DIRECTORY: '/nowhere:/else', XDG_RUNTIME_DIR: directory});
  assert.equal((await visit()).peer, daemon.socket);
  await assert.rejects(visit(daemon.socket, {tls: true}),
    {code: 'INVALID_ARGUMENT', message: /a Unix socket has no TLS/});
  // Without an address, the options are for the daemon that is found, which may be on a Unix socket.
  for (const tls of [true, {fingerprint: `SHA256:${'A'.repeat(43)}`}]) assert.equal((await visit(undefined, {tls})).peer, daemon.socket);
  await assert.rejects(visit(undefined, {tls: {fingerprint: 'x'}}), {code: 'INVALID_ARGUMENT', message: /invalid fingerprint/});
});

test('without an address, the environment names the daemon and the token', async (t) => {
  const directory = temporaryDirectory(t);
  const state = path.join(directory, 'state');
  const token = execFileSync(path.join(binaries, 'rtad'), ['token', 'new', '--role', 'read', '--state-dir', state, 'visitor'])
    .toString().trim();
  const daemon = await Daemon.start(t, {directory, arguments: ['--state-dir', state]});
  const file = path.join(directory, 'visitor.token');
  fs.writeFileSync(file, `${token}\n`, {mode: 0o600});
  t.after(() => {
    delete process.env.RTACTL_HOST;
    delete process.env.RTACTL_TOKEN_FILE;
  });
  Object.assign(process.env, {RTACTL_HOST: daemon.address, RTACTL_TOKEN_FILE: file});
  assert.equal((await visit()).hello.author, 'visitor');
  // It is not sent to an address that the program has chosen.
  await assert.rejects(visit(daemon.address), {code: 'UNAUTHENTICATED'});
  fs.chmodSync(file, 0o640);
  await assert.rejects(visit(), {code: 'INVALID_ARGUMENT', message: /expected mode 0600/});
  fs.writeFileSync(file, 'rtad_secret');
  fs.chmodSync(file, 0o600);
  await assert.rejects(visit(), ({code, message}) => code === 'INVALID_ARGUMENT' && !message.includes('rtad_secret'));
  fs.rmSync(file);
  await assert.rejects(visit(), {code: 'INVALID_ARGUMENT', message: /cannot read the token file/});
});

test('a connection that is lost while the certificate is being checked', async (t) => {
  const directory = temporaryDirectory(t);
  const own = certificate(directory, 'studio');
  const server = tls.createServer(own);
  const sockets = [];
  server.on('connection', (socket) => sockets.push(socket.on('error', () => {}))).on('tlsClientError', () => {});
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => server.close());
  // A pipe, so that the check lasts until the connection is lost.
  const knownHosts = path.join(directory, 'known_hosts');
  execFileSync('mkfifo', [knownHosts]);
  const shaken = once(server, 'secureConnection');
  const host = `127.0.0.1:${server.address().port}`;
  const visited = assert.rejects(visit(`tls://${host}`, {tls: {knownHosts}}), {code: 'UNAVAILABLE'});
  const [secured] = await shaken;
  secured.on('error', () => {});
  const gate = await fs.promises.open(knownHosts, 'r+');  // the client reads
  sockets[0].resetAndDestroy();
  await new Promise((resolve) => { setTimeout(resolve, 100); });  // nothing shows that the client has noticed
  await gate.write(`${host} ${own.fingerprint}\n`);
  await gate.close();
  await visited;
});

test('localhost is a loopback address', async (t) => {
  const daemon = await Daemon.start(t);
  const [, port] = daemon.address.split(':');
  assert.equal((await visit(`localhost:${port}`)).peer, `localhost:${port}`);
});

test('every address of a name is tried, also by Node.js 18', async (t) => {
  const daemon = await Daemon.start(t);
  const {lookup} = dns;
  const select = net.getDefaultAutoSelectFamily();
  t.after(() => { dns.lookup = lookup; net.setDefaultAutoSelectFamily(select); });
  net.setDefaultAutoSelectFamily(false);
  dns.lookup = (host, {all}, callback) => {
    const found = [{address: '::1', family: 6}, {address: '127.0.0.1', family: 4}];
    if (all) callback(null, found); else callback(null, found[0].address, found[0].family);
  };
  await visit(daemon.address.replace('127.0.0.1', 'localhost'));
});

test('TLS with a CA', async (t) => {
  const directory = temporaryDirectory(t);
  const daemon = await Daemon.start(t);
  const ca = certificate(directory, 'ca');
  const good = certificate(directory, 'good', {issuer: ca, subject: 'localhost'});
  const address = await tlsProxy(t, daemon.address, good);
  const [, port] = address.split(':');
  const client = await visit(address, {tls: {ca: ca.cert}});
  assert.equal(client.fingerprint, good.fingerprint);
  await visit(`tls://localhost:${port}`, {tls: {ca: ca.cert.toString()}});

  const other = certificate(directory, 'other');
  await assert.rejects(visit(address, {tls: {ca: other.cert}}),
    {code: 'UNAUTHENTICATED', message: /the certificate of 127.0.0.1:\d+ is not valid/});
  await assert.rejects(visit(address, {tls: {ca: ca.cert, servername: 'studio'}}),
    {code: 'UNAUTHENTICATED', message: /studio/});
  await assert.rejects(visit(address, {tls: {ca: ca.cert, fingerprint: other.fingerprint}}),
    {code: 'UNAUTHENTICATED', message: /expected SHA256:/});
  await assert.rejects(visit(address, {tls: {cert: 'x', key: 'y'}}),
    {code: 'INVALID_ARGUMENT', message: /invalid certificate or key/});
});

test('TLS with a fingerprint', async (t) => {
  const directory = temporaryDirectory(t);
  const daemon = await Daemon.start(t);
  const own = certificate(directory, 'own', {subject: 'anything'});
  const address = await tlsProxy(t, daemon.address, own);
  assert.equal((await visit(address, {tls: {fingerprint: own.fingerprint}})).fingerprint, own.fingerprint);
  const {fingerprint} = certificate(directory, 'other');
  await assert.rejects(visit(address, {tls: {fingerprint}}),
    {code: 'UNAUTHENTICATED', message: `the certificate of ${address} has the fingerprint ${own.fingerprint}: expected ${fingerprint}`});
  await assert.rejects(visit(address, {tls: {fingerprint: 'sha256:00'}}),
    {code: 'INVALID_ARGUMENT', message: /invalid fingerprint/});
});

test('a certificate is pinned on first use, and a changed one is refused before the token is sent', async (t) => {
  const directory = temporaryDirectory(t);
  const daemon = await Daemon.start(t);
  const [first, second] = [certificate(directory, 'first'), certificate(directory, 'second')];
  const front = await CuttingProxy.start(t, await tlsProxy(t, daemon.address, first));
  const {address} = front;
  const knownHosts = path.join(directory, 'config', 'rtactl', 'known_hosts');
  await assert.rejects(visit(address, {tls: {knownHosts, acceptNew: false}}),
    {code: 'UNAUTHENTICATED', message: /is unknown: it has the fingerprint SHA256:/});
  assert.equal(fs.existsSync(knownHosts), false);

  await visit(address, {tls: {knownHosts}});
  assert.equal(fs.readFileSync(knownHosts, 'utf8'), `${address} ${first.fingerprint}\n`);
  assert.equal(fs.statSync(knownHosts).mode & 0o777, 0o600);
  await visit(address, {tls: {knownHosts, acceptNew: false}});
  const mirror = await (await connect(address, {tls: {knownHosts}})).mirror();

  let received = 0;
  front.target = await tlsProxy(t, daemon.address, second, (data) => { received += data.length; });
  await assert.rejects(visit(address, {tls: {knownHosts}, token: 'rtad_secret'}),
    {code: 'UNAUTHENTICATED', message: new RegExp(`the certificate of ${address} has changed.*remove the line`, 's')});
  assert.equal(fs.readFileSync(knownHosts, 'utf8'), `${address} ${first.fingerprint}\n`);
  assert.equal(received, 0, 'bytes that were sent to an unknown peer');
  front.cut();
  await assert.rejects(async () => { for await (const {connected} of mirror.changes()) void connected; }, {code: 'UNAUTHENTICATED'});

  const others = `# comment\n\n127.0.0.1:1 ${first.fingerprint}`;
  fs.writeFileSync(knownHosts, `${others}\n  ${address}   ${second.fingerprint}  # the studio\n`);
  await visit(address, {tls: {knownHosts}});
  fs.writeFileSync(knownHosts, others);  // without a line break at its end
  await visit(address, {tls: {knownHosts}});
  assert.equal(fs.readFileSync(knownHosts, 'utf8'), `${others}\n${address} ${second.fingerprint}\n`);
  fs.writeFileSync(knownHosts, `${address} ${second.fingerprint.slice(0, -1)}\n`);
  await assert.rejects(visit(address, {tls: {knownHosts}}),
    {code: 'FAILED_PRECONDITION', message: /known_hosts, line 1 is invalid: expected HOST:PORT SHA256:/});
  await assert.rejects(visit(address, {tls: {knownHosts: directory}}),
    {code: 'FAILED_PRECONDITION', message: /cannot read the known hosts/});
  const nowhere = path.join(directory, 'link');
  fs.symlinkSync(path.join(directory, 'missing', 'known_hosts'), nowhere);
  await assert.rejects(visit(address, {tls: {knownHosts: nowhere}}),
    {code: 'FAILED_PRECONDITION', message: /cannot write the known hosts/});

  const {XDG_CONFIG_HOME: config} = process.env;
  t.after(() => { process.env.XDG_CONFIG_HOME = config ?? ''; });
  process.env.XDG_CONFIG_HOME = path.join(directory, 'other');
  await visit(address, {tls: true});
  assert.equal(fs.readFileSync(path.join(directory, 'other', 'rtactl', 'known_hosts'), 'utf8'), `${address} ${second.fingerprint}\n`);
});

test('an expired certificate is refused, pinned or not', async (t) => {
  const directory = temporaryDirectory(t);
  const daemon = await Daemon.start(t);
  const ca = certificate(directory, 'ca');
  const old = certificate(directory, 'old', {issuer: ca, subject: 'localhost', days: -1});
  const address = await tlsProxy(t, daemon.address, old);
  await assert.rejects(visit(address, {tls: {ca: ca.cert}}), {code: 'UNAUTHENTICATED', message: /expired/});
  await assert.rejects(visit(address, {tls: {fingerprint: old.fingerprint}}),
    {code: 'UNAUTHENTICATED', message: /has expired: it was valid to/});
});

test('a certificate of the client', async (t) => {
  const directory = temporaryDirectory(t);
  const daemon = await Daemon.start(t);
  const [own, ca] = [certificate(directory, 'own'), certificate(directory, 'ca')];
  const client = certificate(directory, 'client', {issuer: ca});
  const address = await tlsProxy(t, daemon.address, {...own, ca: ca.cert, requestCert: true, rejectUnauthorized: true});
  const {fingerprint} = own;
  await visit(address, {tls: {fingerprint, cert: client.cert, key: client.key}});
  await assert.rejects(visit(address, {tls: {fingerprint}}), {code: 'UNAVAILABLE'});
});

test('TLS 1.2, and a peer without TLS, are refused', async (t) => {
  const directory = temporaryDirectory(t);
  const daemon = await Daemon.start(t);
  const own = certificate(directory, 'own');
  const old = await tlsProxy(t, daemon.address, {...own, maxVersion: 'TLSv1.2'});
  await assert.rejects(visit(old, {tls: {fingerprint: own.fingerprint}}),
    {code: 'UNAVAILABLE', message: /cannot connect/});
  // rtad reads the first byte of the handshake as a length and waits for more, or disconnects.
  await assert.rejects(visit(daemon.address, {tls: {fingerprint: own.fingerprint}, deadlineMs: 2000}),
    (error) => ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code));
  await assert.rejects(visit(await tlsProxy(t, daemon.address, own)),
    {code: 'UNAVAILABLE', message: /expected an rtad/});
});

test('TLS and tokens of rtad itself', async (t) => {
  const directory = temporaryDirectory(t);
  const state = path.join(directory, 'state');
  const token = execFileSync(path.join(binaries, 'rtad'),
    ['token', 'new', '--role', 'control', '--state-dir', state, 'test']).toString().trim();
  const daemon = await Daemon.start(t, {listen: 'tls://127.0.0.1:0', arguments: ['--state-dir', state]});
  const address = `tls://${daemon.address.replace('tls://', '')}`;
  const knownHosts = path.join(directory, 'known_hosts');
  const {fingerprint} = await visit(address, {token, tls: {knownHosts}});
  assert.ok(daemon.log.includes(fingerprint), `the log has the fingerprint ${fingerprint}`);
  await visit(address, {token, tls: {fingerprint}});
  const ca = fs.readFileSync(path.join(state, 'tls', 'certificate.pem'));
  await visit(address, {token, tls: {ca}});
  await assert.rejects(visit(address, {token, tls: {ca, servername: 'studio.example'}}), {code: 'UNAUTHENTICATED'});
  await assert.rejects(visit(address, {tls: {ca}}), {code: 'UNAUTHENTICATED', message: /an access token is required/});
  await assert.rejects(visit(address, {token: token.replace(/.$/, '-'), tls: {ca}}), {code: 'UNAUTHENTICATED'});
  await visit(address, {token: `${token}\n`, tls: {ca}});
  for (const wrong of [Buffer.from(token), [token], {token}, `${token}\ud800`]) {
    await assert.rejects(visit(address, {token: wrong, tls: {ca}}),
      {code: 'INVALID_ARGUMENT', message: 'invalid token: expected text, as rtactl prints it'}, 'and not what it is');
  }
});
