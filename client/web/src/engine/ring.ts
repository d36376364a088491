// SPDX-License-Identifier: MIT
// Messages between two threads through shared memory. Neither side ever waits for the other: a writer writes what fits, and
// continues when it is called again.

/** Kinds of messages. A command is answered by exactly one reply; replies come in the order of the commands. */
export const MessageKind = {command: 1, reply: 2, event: 3, load: 4} as const;
export type MessageKind = (typeof MessageKind)[keyof typeof MessageKind];

/** Largest message in bytes: that of the protocol. */
export const MAXIMUM_MESSAGE_BYTES = 4 << 20;

// Layout in bytes. Writer and reader write to different cache lines.
const WRITTEN = 0;  // in 32-bit words: number of bytes written so far, modulo 2^32
const READ = 16;    // number of bytes read so far
const DATA = 128;
const HEADER_BYTES = 4;  // of a message: its length in the lower 28 bits, its kind above
const LENGTH_BITS = 28;

/** Returns shared memory for a ring of `capacity` bytes, a power of two. */
export function ringMemory(capacity: number): SharedArrayBuffer {
  if (capacity < 64 || (capacity & (capacity - 1)) !== 0 || capacity > 1 << 30) {
    throw new RangeError(`invalid capacity of a ring, ${capacity} bytes: expected a power of two from 64 to 2^30`);
  }
  return new SharedArrayBuffer(DATA + capacity);
}

/** What not all browsers have. */
interface ModernAtomics {
  waitAsync?(array: Int32Array, index: number, value: number): {async: boolean; value: Promise<string> | string};
}

/** What writer and reader have in common. */
class RingEnd {
  protected readonly counts: Int32Array;
  protected readonly data: Uint8Array;
  protected readonly mask: number;

  constructor(memory: SharedArrayBuffer) {
    this.counts = new Int32Array(memory, 0, DATA / 4);
    this.data = new Uint8Array(memory, DATA);
    this.mask = this.data.length - 1;
  }

  /** Ends arrival() of the reader: the writer calls it after send() and resume(), the reader when it is no longer interested. */
  wake(): void { Atomics.notify(this.counts, WRITTEN); }
}

/** The writing end. One thread only. */
export class RingWriter extends RingEnd {
  #written = 0;
  #rest = new Uint8Array(0);  // of the message that does not fit, with its header
  #restStart = 0;
  #restEnd = 0;

  /** Whether the previous message is completely in the ring. */
  get idle(): boolean { return this.#restStart === this.#restEnd; }

  /**
   * Writes a message: as much as fits immediately, the rest by resume(). The caller may change `bytes` afterwards. Must be idle.
   * Allocates memory only if the message does not fit and is longer than all that did not fit before it.
   */
  send(kind: MessageKind, bytes: Uint8Array, length = bytes.length): void {
    if (!this.idle) throw new Error('the previous message is not sent completely: expected calls of resume() until idle');
    if (length > MAXIMUM_MESSAGE_BYTES) {
      throw new RangeError(`a message of ${length} bytes is too large: expected at most ${MAXIMUM_MESSAGE_BYTES}`);
    }
    const header = (kind << LENGTH_BITS) | length;
    if (HEADER_BYTES + length <= this.#room()) {
      this.#put(header, bytes, length);
    } else {
      this.#keep(header, bytes, length);
      this.resume();
    }
  }

  /** Writes what fits of the rest of the message. Returns whether the writer is idle. */
  resume(): boolean {
    if (this.idle) return true;
    const count = Math.min(this.#room(), this.#restEnd - this.#restStart);
    for (let i = 0; i < count; ++i) this.data[(this.#written + i) & this.mask] = this.#rest[this.#restStart + i]!;
    this.#restStart += count;
    this.#publish(count);
    return this.idle;
  }

  #room(): number { return this.data.length - ((this.#written - Atomics.load(this.counts, READ)) | 0); }

  #put(header: number, bytes: Uint8Array, length: number): void {
    for (let i = 0; i < HEADER_BYTES; ++i) this.data[(this.#written + i) & this.mask] = header >>> (8 * i);
    const start = this.#written + HEADER_BYTES;
    for (let i = 0; i < length; ++i) this.data[(start + i) & this.mask] = bytes[i]!;
    this.#publish(HEADER_BYTES + length);
  }

  #keep(header: number, bytes: Uint8Array, length: number): void {
    if (this.#rest.length < HEADER_BYTES + length) this.#rest = new Uint8Array(roomFor(HEADER_BYTES + length));
    for (let i = 0; i < HEADER_BYTES; ++i) this.#rest[i] = header >>> (8 * i);
    for (let i = 0; i < length; ++i) this.#rest[HEADER_BYTES + i] = bytes[i]!;
    this.#restStart = 0;
    this.#restEnd = HEADER_BYTES + length;
  }

  /** The store comes after the data: a reader that sees the new count also sees the bytes. */
  #publish(count: number): void {
    this.#written = (this.#written + count) | 0;
    Atomics.store(this.counts, WRITTEN, this.#written);
  }
}

/** The reading end. One thread only. */
export class RingReader extends RingEnd {
  /** The message that receive() has completed: `length` bytes at the start of `bytes`. Valid until the next receive(). */
  bytes = new Uint8Array(4096);
  length = 0;
  kind: MessageKind = MessageKind.command;
  #read = 0;
  #header = 0;
  #headerBytes = 0;  // that have been read
  #bodyBytes = 0;

  /**
   * Reads at most `limit` bytes. Returns whether a message is complete. Allocates memory only for a message that is longer than all
   * before it.
   */
  receive(limit: number): boolean {
    if (this.#headerBytes === HEADER_BYTES && this.#bodyBytes === this.length) this.#startMessage();
    let left = Math.min((Atomics.load(this.counts, WRITTEN) - this.#read) | 0, limit);
    const before = left;
    for (; left > 0 && this.#headerBytes < HEADER_BYTES; --left) this.#takeHeaderByte(this.data[this.#read++ & this.mask]!);
    if (this.#headerBytes < HEADER_BYTES) return this.#release(before - left, false);
    const count = Math.min(left, this.length - this.#bodyBytes);
    for (let i = 0; i < count; ++i) this.bytes[this.#bodyBytes + i] = this.data[(this.#read + i) & this.mask]!;
    this.#read = (this.#read + count) | 0;
    this.#bodyBytes += count;
    return this.#release(before - left + count, this.#bodyBytes === this.length);
  }

  /**
   * Resolves when there is more to read than was read; null where the browser has no Atomics.waitAsync(). One at a time: it cannot be
   * cancelled. The writer must call wake().
   */
  arrival(): Promise<unknown> | null {
    const result = (Atomics as ModernAtomics).waitAsync?.(this.counts, WRITTEN, this.#read);
    return result === undefined ? null : Promise.resolve(result.value);
  }

  #startMessage(): void {
    this.#header = 0;
    this.#headerBytes = 0;
    this.#bodyBytes = 0;
  }

  #takeHeaderByte(byte: number): void {
    this.#header |= byte << (8 * this.#headerBytes);
    if (++this.#headerBytes < HEADER_BYTES) return;
    this.length = this.#header & ((1 << LENGTH_BITS) - 1);
    this.kind = (this.#header >>> LENGTH_BITS) as MessageKind;
    if (this.bytes.length < this.length) this.bytes = new Uint8Array(roomFor(this.length));
  }

  /** Gives the bytes that were read back to the writer. */
  #release(count: number, complete: boolean): boolean {
    this.#read |= 0;
    if (count > 0) Atomics.store(this.counts, READ, this.#read);
    return complete;
  }
}

/** Returns the size of a buffer for `length` bytes. Powers of two, so that it is rarely replaced. */
function roomFor(length: number): number { return 2 ** Math.ceil(Math.log2(Math.max(length, 1))); }
