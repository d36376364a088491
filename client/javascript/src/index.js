// SPDX-License-Identifier: MIT
// The library for Node.js.
import {Client} from './client.js';
import {RtaError} from './errors.js';
import {defaultAddresses, parseAddress} from './node/address.js';
import {checkTls, openSocket} from './node/sockets.js';
import {defaultToken} from './node/token_file.js';

export * from './core.js';

/**
 * Connects to the daemon at `address`: HOST, HOST:PORT, [IPV6]:PORT or the path of a Unix socket. Without an address, the
 * environment decides, as for rtactl. index.d.ts describes the options.
 */
export async function connect(address, {tls, ...others} = {}) {
  const options = address === undefined && !others.token ? {...others, token: await defaultToken()} : others;
  const endpoints = (address === undefined ? defaultAddresses() : [parseAddress(address)])
    .map((endpoint) => ({endpoint, secured: checkTls(tls, endpoint, {chosen: address !== undefined})}));
  return Client.connect(async (signal) => {
    const reasons = [];
    for (const {endpoint, secured} of endpoints) {
      try {
        return await openSocket(endpoint, secured, signal);
      } catch (error) {
        if (signal.aborted || endpoints.length === 1) throw error;
        reasons.push(error.message);
      }
    }
    throw new RtaError('UNAVAILABLE', reasons.join('; '));
  }, options, endpoints.map(({endpoint}) => endpoint.name).join(', '));
}
