// SPDX-License-Identifier: MIT
// A client of a daemon that runs `rtad --web`.
import {type Client, type ConnectOptions, connectOver} from 'rta-client/core';
import {openWebSocket} from './web_socket_transport.js';

/** Path of the WebSocket on the server of `rtad --web`. */
const SOCKET = '/socket';

/**
 * Connects to the daemon at `address`: HOST:PORT, or an address that begins with http://, https://, ws:// or wss://. Without
 * a scheme, TLS is used unless the host is this machine. The token is sent in Hello only, never in the address.
 */
export function connectDaemon(address: string, options: ConnectOptions = {}): Promise<Client> {
  const url = socketUrl(address);
  return connectOver((signal) => openWebSocket(url, signal), options);
}

/** Returns the address of the WebSocket of a daemon. Throws a TypeError that says what is accepted. */
export function socketUrl(address: string): URL {
  const text = address.trim();
  const given = /^[a-z]+:\/\//i.test(text) ? text : `${isLoopback(text) ? 'ws' : 'wss'}://${text}`;
  let url;
  try {
    url = new URL(given.replace(/^http/i, 'ws'));
  } catch {
    url = null;
  }
  if (!url || text === '' || !['ws:', 'wss:'].includes(url.protocol)) {
    throw new TypeError(`invalid address "${address}": expected HOST:PORT, or the https:// address that rtad prints`);
  }
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  url.pathname = SOCKET;
  return url;
}

function isLoopback(host: string): boolean { return /^(localhost|127(\.\d+){3}|\[::1\])(:|\/|$)/i.test(host); }
