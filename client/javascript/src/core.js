// SPDX-License-Identifier: MIT
// The library without connections of its own: it needs neither Node.js nor a browser.
import {Client} from './client.js';

export {RtaError} from './errors.js';
export {TOPICS, messageAsReceived, requestAsReceived} from './protocol.js';

/**
 * Connects over the transport that `open` opens. `open(signal)` resolves to {transport, peer, fingerprint}, or to
 * {session, peer} for an engine that answers requests without a connection. core.d.ts describes both.
 */
export function connectOver(open, options) { return Client.connect(open, options); }
