// SPDX-License-Identifier: MIT
// A WebSocket as the transport of rta-client. Each binary message carries one message of the protocol without the length
// that precedes it on TCP.
import {RtaError, type Transport} from 'rta-client/core';

/** Messages that were received and not read; a browser cannot be kept from receiving. */
const MOST_UNREAD_BYTES = 16 << 20;
/** Bytes that wait in the browser. Further messages wait until there are fewer. */
const MOST_UNSENT_BYTES = 1 << 20;
const LOOK_AGAIN_MS = 5;

/** Opens a WebSocket. Rejects with an RtaError that says what may be the reason: a browser does not tell a page. */
export function openWebSocket(url: URL, signal: AbortSignal): Promise<{transport: Transport; peer: string}> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    const abort = (): void => {
      socket.close();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort);
    const refused = (): void => {
      signal.removeEventListener('abort', abort);
      reject(new RtaError('UNAVAILABLE', `cannot connect to ${url.host}: no rtad --web answers there, its certificate is not ` +
        'trusted, or it does not accept pages of this address'));
    };
    socket.addEventListener('close', refused);
    socket.addEventListener('open', () => {
      socket.removeEventListener('close', refused);
      signal.removeEventListener('abort', abort);
      resolve({transport: new WebSocketTransport(socket), peer: url.host});
    });
  });
}

class WebSocketTransport implements Transport {
  readonly #socket: WebSocket;
  #received: Uint8Array[] = [];
  #unread = 0;
  #ended: Error | null | undefined;
  #wake = (): void => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({data}) => this.#take(data));
    socket.addEventListener('close', ({reason}) => this.#end(reason ? new Error(reason) : null));
  }

  async read(): Promise<Uint8Array | null> {
    while (this.#received.length === 0) {
      if (this.#ended) throw this.#ended;
      if (this.#ended === null) return null;
      await new Promise<void>((resolve) => { this.#wake = resolve; });
    }
    const bytes = joined(this.#received);
    this.#received = [];
    this.#unread = 0;
    return bytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) throw new Error('the WebSocket is closed');
    this.#socket.send(bytes.slice(lengthOfPrefix(bytes)));
    while (this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount > MOST_UNSENT_BYTES) {
      await new Promise((resolve) => { setTimeout(resolve, LOOK_AGAIN_MS); });
    }
  }

  close(): void {
    this.#socket.close();
    this.#end(null);
  }

  #take(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.#fail(new Error('a message of text: expected binary messages'));
    const message = new Uint8Array(data);
    this.#received.push(prefixOf(message.length), message);
    this.#unread += message.length;
    if (this.#unread > MOST_UNREAD_BYTES) return this.#fail(new Error('more messages than this page can read'));
    this.#wake();
  }

  #fail(error: Error): void {
    this.#end(error);
    this.#socket.close();
  }

  #end(error: Error | null): void {
    this.#ended ??= error;
    this.#wake();
  }
}

/** Returns the varint that precedes a message on TCP. */
export function prefixOf(length: number): Uint8Array {
  const bytes = [];
  let rest = length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

export function lengthOfPrefix(bytes: Uint8Array): number { return bytes.findIndex((byte) => byte < 0x80) + 1; }

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, {length}) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
