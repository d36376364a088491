// SPDX-License-Identifier: MIT
// Connections of Node.js: TCP, TLS and Unix sockets.
import crypto from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import {RtaError, checkOptions, invalid} from '../errors.js';
import {FINGERPRINT, checkKnownHost, defaultKnownHosts} from './known_hosts.js';

/** After this time without data, the kernel probes whether the peer still exists; it gives up after 10 further seconds. */
const KEEP_ALIVE_MS = 10_000;

/** A Transport over a socket of Node.js. */
class SocketTransport {
  #socket;
  #chunks;

  constructor(socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
    socket.on('error', () => {});  // read() and write() report it
  }

  async read() {
    const {value, done} = await this.#chunks.next();
    return done ? null : value;
  }

  write(bytes) {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => { if (error) reject(error); else resolve(); });
    });
  }

  close() { this.#socket.destroy(); }
}

/**
 * Checks the option `tls`: true, false, or an object. Returns the options of TLS; null: none. A Unix socket has none, which is
 * an error if the program has `chosen` it.
 */
export function checkTls(options, {secure, path, name}, {chosen = true} = {}) {
  if (options === undefined || options === false) {
    if (secure && options === false) throw invalid(`${name} needs TLS: expected a loopback address with tls: false`);
    return secure ? {} : null;
  }
  if (path !== undefined && chosen) throw invalid(`a Unix socket has no TLS: ${path}`);
  if (options === true) return path === undefined ? {} : null;
  if (typeof options !== 'object' || options === null) throw invalid('invalid option tls: expected true, false or an object');
  checkOptions(options, ['ca', 'fingerprint', 'knownHosts', 'acceptNew', 'cert', 'key', 'servername'], 'tls');
  const {fingerprint} = options;
  if (fingerprint !== undefined && !FINGERPRINT.test(fingerprint)) {
    throw invalid(`invalid fingerprint "${fingerprint}": expected SHA256: and 43 characters of base64, as rtad prints it`);
  }
  return path === undefined ? options : null;
}

/** Connects to {path} or {host, port}. Resolves to {transport, peer, fingerprint}; rejects with RtaError. */
export async function openSocket({path, host, port, name}, tlsOptions, signal) {
  // All addresses of a name, which is the default only since version 20: localhost is often ::1 and 127.0.0.1.
  const tcp = {host, port, autoSelectFamily: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS};
  const socket = net.connect(path === undefined ? tcp : {path});
  await eventOf(socket, 'connect', signal, name);
  socket.on('error', () => {});  // the user of the socket reports it
  if (!tlsOptions) return {transport: new SocketTransport(socket), peer: name};
  const secured = secure(socket, {host, name}, tlsOptions);
  secured.on('error', () => {});  // also while the certificate is being checked
  await eventOf(secured, 'secureConnect', signal, name);
  try {
    const fingerprint = await checkCertificate(secured.getPeerX509Certificate(), name, tlsOptions);
    return {transport: new SocketTransport(secured), peer: name, fingerprint};
  } catch (error) {
    secured.destroy();
    throw error;
  }
}

function secure(socket, {host, name}, {ca, cert, key, servername = net.isIP(host) ? '' : host}) {
  try {
    // Without a CA, the fingerprint decides, after the handshake and before anything is sent.
    return tls.connect({socket, host, servername, minVersion: 'TLSv1.3', ca, cert, key, rejectUnauthorized: ca !== undefined});
  } catch (error) {
    socket.destroy();
    throw invalid(`invalid certificate or key for ${name}: ${error.message}`);
  }
}

/** Resolves to the fingerprint of the certificate if it is the expected one. */
async function checkCertificate(certificate, name, {ca, fingerprint: expected, knownHosts, acceptNew: accept = true}) {
  const fingerprint = `SHA256:${crypto.createHash('sha256').update(certificate.raw).digest('base64').replace(/=+$/, '')}`;
  if (new Date(certificate.validTo) < new Date()) {
    throw new RtaError('UNAUTHENTICATED', `the certificate of ${name} has expired: it was valid to ${certificate.validTo}`);
  }
  if (expected !== undefined && fingerprint !== expected) {
    throw new RtaError('UNAUTHENTICATED', `the certificate of ${name} has the fingerprint ${fingerprint}: expected ${expected}`);
  }
  if (ca === undefined && expected === undefined) {
    await checkKnownHost(name, fingerprint, {file: knownHosts ?? defaultKnownHosts(), accept});
  }
  return fingerprint;
}

/** Waits for an event of a socket. If the connection fails or the signal is aborted, destroys it and rejects. */
function eventOf(socket, event, signal, name) {
  return new Promise((resolve, reject) => {
    const end = (error) => {
      socket.off(event, done).off('error', fail).off('close', closed);
      signal.removeEventListener('abort', abort);
      if (!error) return resolve();
      socket.on('error', () => {}).destroy();
      return reject(error);
    };
    const done = () => end();
    const fail = (error) => end(connectError(error, name, Boolean(socket.authorizationError)));
    const closed = () => end(new RtaError('UNAVAILABLE', `${name} disconnected during the TLS handshake`));
    const abort = () => end(signal.reason);
    socket.on(event, done).on('error', fail).on('close', closed);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  });
}

function connectError(error, name, ofCertificate) {
  const {code = ''} = error;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return new RtaError('UNAVAILABLE', `${name} does not use TLS: expected an rtad that listens with TLS`, {cause: error});
  }
  const [failed, what] = ofCertificate ? ['UNAUTHENTICATED', `the certificate of ${name} is not valid`]
    : ['UNAVAILABLE', `cannot connect to rtad at ${name}`];
  return new RtaError(failed, `${what}: ${reasonOf(error)}`, {cause: error});
}

/** With several addresses of a name, Node.js reports a list of errors. */
function reasonOf(error) { return error.errors ? error.errors.map(({message}) => message).join('; ') : error.message; }
