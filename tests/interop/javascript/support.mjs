// SPDX-License-Identifier: MIT
// Daemons, fake daemons and proxies for the tests of the JavaScript client.
//
// Environment: RTA_BIN, the directory of rtad and rtactl; RTA_PROTO, the directory that contains rta/v1/control.proto.
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import protobuf from 'protobufjs';

export const binaries = process.env.RTA_BIN;
export const protoDirectory = process.env.RTA_PROTO;

/** Returns a new directory that is removed after the test. */
export function temporaryDirectory(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rta-js-'));
  t.after(() => fs.rmSync(directory, {recursive: true, force: true, maxRetries: 10}));  // a daemon may still write
  return directory;
}

/** A running rtad. It is killed after the test, if it still runs. */
export class Daemon {
  static async start(t, {listen = '127.0.0.1:0', device = 'null', directory = temporaryDirectory(t), arguments: more = []} = {}) {
    const daemon = new Daemon();
    daemon.socket = path.join(directory, 'control.sock');
    daemon.process = spawn(path.join(binaries, 'rtad'),
      ['--device', device, '--listen', listen, '--socket', daemon.socket, ...more], {stdio: ['ignore', 'pipe', 'pipe']});
    t.after(() => daemon.process.kill('SIGKILL'));
    daemon.log = '';
    daemon.address = await new Promise((resolve, reject) => {
      for (const stream of [daemon.process.stdout, daemon.process.stderr]) {
        stream.on('data', (data) => {
          daemon.log += data;
          const [, address] = /listening on ((?:tls:\/\/)?127\.0\.0\.1:\d+)/.exec(daemon.log) ?? [];
          if (address && daemon.log.includes('device: ')) resolve(address);
        });
      }
      daemon.process.on('exit', (status) => reject(new Error(`rtad exited with status ${status}\n${daemon.log}`)));
    });
    return daemon;
  }

  async stop() {
    const exited = once(this.process, 'exit');
    this.process.kill();
    const [status] = await exited;
    if (status !== 0) throw new Error(`rtad exited with status ${status}\n${this.log}`);
  }
}

function listen(t, server) {
  const sockets = new Set();
  const track = (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  };
  server.on('connection', track);
  server.on('secureConnection', track);
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({sockets, address: `127.0.0.1:${server.address().port}`}));
  });
}

function connectTo(address) {
  const [host, port] = address.split(':');
  return net.connect({host, port: Number(port)}).on('error', () => {});
}

/**
 * Passes bytes on to `target`, which may be changed. `budget(number)` returns after how many bytes to the client the
 * connection of this number is cut, in the middle of whatever they are.
 */
export class CuttingProxy {
  static async start(t, target, budget = () => Infinity) {
    const proxy = new CuttingProxy();
    Object.assign(proxy, {target, cuts: 0, connections: 0});
    const server = net.createServer((client) => {
      proxy.connections += 1;
      let left = budget(proxy.connections);
      const daemon = connectTo(proxy.target);
      const cut = () => { client.destroy(); daemon.destroy(); };
      client.pipe(daemon);
      daemon.on('data', (data) => {
        if (data.length < left) {
          left -= data.length;
          client.write(data);
        } else if (left > 0) {
          client.write(data.subarray(0, left), cut);
          left = 0;
          proxy.cuts += 1;
        }
      });
      client.on('close', cut).on('error', cut);
      daemon.on('close', cut);
    });
    Object.assign(proxy, await listen(t, server));
    return proxy;
  }

  cut() {
    for (const socket of this.sockets) socket.destroy();
  }
}

/** Terminates TLS in front of a daemon. `options` are those of tls.createServer. `onData` is called with what clients send. */
export async function tlsProxy(t, target, options, onData = () => {}) {
  const server = tls.createServer(options, (client) => {
    const daemon = connectTo(target);
    client.on('data', onData).pipe(daemon).pipe(client);
    client.on('close', () => daemon.destroy()).on('error', () => daemon.destroy());
  });
  server.on('tlsClientError', () => {});
  return (await listen(t, server)).address;
}

/**
 * Creates a key and a certificate with openssl. `issuer` is another certificate; without it, the certificate is signed by
 * itself. Returns {key, cert, fingerprint}, and the files.
 */
export function certificate(directory, name, {issuer, subject = name, days = 3650} = {}) {
  const file = (ending) => path.join(directory, `${name}.${ending}`);
  const openssl = (...words) => execFileSync('openssl', words, {stdio: ['ignore', 'pipe', 'pipe']});
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key'), '-out', file('csr'),
    '-subj', `/CN=${subject}`);
  fs.writeFileSync(file('ext'), `subjectAltName=DNS:${subject},IP:127.0.0.1\nbasicConstraints=CA:${issuer ? 'FALSE' : 'TRUE'}\n`);
  const signer = issuer ? ['-CA', issuer.certFile, '-CAkey', issuer.keyFile, '-CAcreateserial'] : ['-signkey', file('key')];
  openssl('x509', '-req', '-in', file('csr'), ...signer, '-days', String(days), '-extfile', file('ext'), '-out', file('pem'));
  const hex = openssl('x509', '-in', file('pem'), '-noout', '-fingerprint', '-sha256').toString().split('=')[1].trim();
  const fingerprint = `SHA256:${Buffer.from(hex.replaceAll(':', ''), 'hex').toString('base64').replaceAll('=', '')}`;
  const [key, cert] = [file('key'), file('pem')].map((name) => fs.readFileSync(name));
  return {key, cert, fingerprint, keyFile: file('key'), certFile: file('pem')};
}

/** The messages, read from the .proto files, not from what the library was built with. */
function messages() {
  const root = new protobuf.Root();
  const resolve = root.resolvePath;
  root.resolvePath = (origin, target) => target.startsWith('google/') ? resolve(origin, target) : path.join(protoDirectory, target);
  root.loadSync('rta/v1/control.proto', {keepCase: true});
  return root.lookup('rta.v1');
}

export const {ServerMessage, Request} = messages().nested;

/** Returns the bytes of a ServerMessage, with its length. Takes numbers in place of the names of codes. */
export function frame(message) { return Buffer.from(ServerMessage.encodeDelimited(ServerMessage.create(message)).finish()); }

/** Returns the request in bytes with its length. */
export function requestOf(bytes) { return Request.decodeDelimited(bytes); }

/** Lets everything happen that needs no waiting. */
export async function turns(count) {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => { setImmediate(resolve); });
}

export function okFrame(id, result) { return frame({response: {id, status: {code: 0}, ...result}}); }

/**
 * A fake daemon that answers hello. `answer(request, socket)` may write anything for every further request. Requests are
 * objects of protobufjs.
 */
export async function fakeDaemon(t, answer, {greet = true} = {}) {
  const server = net.createServer((socket) => {
    let held = Buffer.alloc(0);
    socket.on('data', (data) => {
      held = Buffer.concat([held, data]);
      for (;;) {
        const reader = protobuf.Reader.create(held);
        let request;
        try {
          request = Request.decodeDelimited(reader);
        } catch {
          return;  // incomplete
        }
        held = held.subarray(reader.pos);
        if (request.hello && greet) socket.write(okFrame(request.id, {hello: {server_version: 'fake', instance_id: 'fake'}}));
        else answer(request, socket);
      }
    });
  });
  return listen(t, server);
}

/** Random numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
