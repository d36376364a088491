// SPDX-License-Identifier: MIT
import type {Client, ConnectOptions} from './core.js';

export * from './core.js';

export interface TlsOptions {
  /** Certificates that sign the daemon's, as PEM. The name or address of the daemon must be in its certificate. */
  ca?: string | Uint8Array;
  /** The daemon's certificate, as rtad prints it: SHA256:... */
  fingerprint?: string;
  /** File of known certificates, if neither `ca` nor `fingerprint` is given. Default: that of rtactl. */
  knownHosts?: string;
  /** Adds the certificate of an unknown host to the file; false refuses it. Default: true. */
  acceptNew?: boolean;
  /** Certificate and key of this client, as PEM. */
  cert?: string | Uint8Array;
  key?: string | Uint8Array;
  /** Name in the daemon's certificate, if it is not that of the address. */
  servername?: string;
}

/**
 * Connects to the daemon at `address`: HOST, HOST:PORT, [IPV6]:PORT, each also with tls:// before it, or the path of a
 * Unix socket. Without an address, the environment decides, as for rtactl: RTACTL_HOST, or else the addresses of a daemon on
 * this machine; without a token, too, that in the file RTACTL_TOKEN_FILE. Addresses other than loopback use TLS 1.3;
 * the option `tls` forces it on loopback. The token is sent only after the certificate was found valid.
 */
export function connect(address?: string, options?: ConnectOptions & {tls?: boolean | TlsOptions}): Promise<Client>;
