// SPDX-License-Identifier: MIT
// The worklet's end of the connection between page and worklet: commands in, replies, events and loads out.
import {MessageKind, RingReader, RingWriter} from './ring.js';

/** Shared memory between page and worklet: see ringMemory(). */
export interface Rings {
  commands: SharedArrayBuffer;
  replies: SharedArrayBuffer;
}

/**
 * What the page posts to the processor: a command, where memory cannot be shared; or a turn, which lets the processor serve
 * commands while the context does not run; or the end.
 */
export type ToProcessor = {command: Uint8Array} | {turn: true} | {end: true};
/**
 * What the processor posts to the page. `turned`: a turn is over. `failed`: why the engine cannot continue. Messages, where memory
 * cannot be shared.
 */
export type FromProcessor = {turned: true} | {failed: string} | {kind: MessageKind; bytes: Uint8Array};

/** Bytes of commands that are taken in one quantum. */
const MAXIMUM_TAKEN_BYTES = 16 << 10;

/** Commands from the page, and messages to it. No call waits. */
export interface WorkletLink {
  /** The command that take() has returned: `length` bytes at the start of `bytes`. Valid until the next take(). */
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Returns whether the next command is here. There is none while the page has no room for its reply. */
  take(): boolean;
  /** Whether send() can be called. */
  readonly idle: boolean;
  send(kind: MessageKind, bytes: Uint8Array, length: number): void;
  /** Lets the page read what was sent since the last call. */
  flush(): void;
}

/** Through rings in shared memory. Without messages, it allocates nothing. */
export class RingLink implements WorkletLink {
  #commands: RingReader;
  #replies: RingWriter;
  #sent = false;

  constructor({commands, replies}: Rings) {
    this.#commands = new RingReader(commands);
    this.#replies = new RingWriter(replies);
  }

  get bytes(): Uint8Array { return this.#commands.bytes; }
  get length(): number { return this.#commands.length; }
  get idle(): boolean {
    this.#sent ||= !this.#replies.idle;  // The rest of a message follows.
    return this.#replies.resume();
  }
  take(): boolean { return this.idle && this.#commands.receive(MAXIMUM_TAKEN_BYTES); }
  send(kind: MessageKind, bytes: Uint8Array, length: number): void {
    this.#replies.send(kind, bytes, length);
    this.#sent = true;
  }
  flush(): void {
    if (this.#sent) this.#replies.wake();
    this.#sent = false;
  }
}

/** Through the port of the processor. */
export class PortLink implements WorkletLink {
  bytes: Uint8Array = new Uint8Array(0);
  #queue: Uint8Array[] = [];
  #port: MessagePort;

  constructor(port: MessagePort) { this.#port = port; }

  get length(): number { return this.bytes.length; }
  get idle(): boolean { return true; }

  /** Takes what the page has posted. */
  add(command: Uint8Array): void { this.#queue.push(command); }

  take(): boolean {
    const next = this.#queue.shift();
    if (next !== undefined) this.bytes = next;
    return next !== undefined;
  }

  send(kind: MessageKind, bytes: Uint8Array, length: number): void {
    const message: FromProcessor = {kind, bytes: bytes.slice(0, length)};
    this.#port.postMessage(message, [message.bytes.buffer]);
  }

  flush(): void {}
}
