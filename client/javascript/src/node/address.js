// SPDX-License-Identifier: MIT
// The forms of addresses, as rtactl has them.
import net from 'node:net';
import path from 'node:path';
import {invalid} from '../errors.js';

const DEFAULT_PORT = 7340;
const LOOPBACK = '127.0.0.1';
const EXPECTED = 'expected HOST, HOST:PORT, [IPV6]:PORT, or the path of a Unix socket: /..., ./... or ../...';
const HOST_AND_PORT = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s;

/** Returns the address in RTACTL_HOST, or else localAddresses(). */
export function defaultAddresses(environment = process.env) {
  const {RTACTL_HOST: host = ''} = environment;
  return host === '' ? localAddresses(environment) : [parseAddress(host)];
}

/** Returns the addresses at which a daemon on this machine may listen, in order of preference. */
export function localAddresses({RUNTIME_DIRECTORY: own = '', XDG_RUNTIME_DIR: user = ''} = process.env) {
  const [first] = own.split(':');
  return [first && path.join(first, 'control.sock'), user && path.join(user, 'rtad', 'control.sock'), '/run/rtad/control.sock']
    .filter((socket) => socket !== '').map((socket) => ({path: socket, name: socket}))
    .concat({host: LOOPBACK, port: DEFAULT_PORT, secure: false, name: `${LOOPBACK}:${DEFAULT_PORT}`});
}

/**
 * Parses HOST, HOST:PORT, [IPV6]:PORT, each with or without tls:// before it, or the path of a Unix socket: /..., ./... or ../...
 * Returns {path, name} or {host, port, secure, name}. Addresses other than loopback are secure: they need TLS. So does a
 * name, whatever it stands for, except localhost: otherwise a name server could have a token sent in plain text.
 */
export function parseAddress(text) {
  if (typeof text !== 'string') throw invalid(`invalid address ${text}: ${EXPECTED}`);
  if (/^\.{0,2}\//.test(text)) return {path: text, name: text};
  const [, tls, address] = /^(tls:\/\/)?(.*)$/s.exec(text);
  const refuse = (what) => invalid(`invalid address "${text}": ${what}; ${EXPECTED}`);
  const [, bracketed, plain, portText] = net.isIPv6(address) ? [address, address] : HOST_AND_PORT.exec(address) ?? [];
  const host = (bracketed ?? plain ?? '').toLowerCase();
  if (bracketed !== undefined ? !net.isIPv6(host) : !/^[\w.-]{1,255}$/.test(host)) throw refuse('no valid host');
  const port = portText === undefined ? DEFAULT_PORT : Number(portText);
  if (portText !== undefined && (!/^\d{1,5}$/.test(portText) || port < 1 || port > 65535)) {
    throw refuse('the port must be a number from 1 to 65535');
  }
  return {host, port, secure: tls !== undefined || !isLoopback(host), name: `${net.isIPv6(host) ? `[${host}]` : host}:${port}`};
}

function isLoopback(host) { return host === 'localhost' || host === '::1' || (net.isIPv4(host) && host.startsWith('127.')); }
