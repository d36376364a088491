// SPDX-License-Identifier: MIT
// Messages are preceded by their length in bytes, as a varint.

/** Maximum size of a message in bytes, in both directions. */
export const MAXIMUM_MESSAGE_BYTES = 4 << 20;
const INITIAL_BYTES = 1 << 12;
const KEPT_BYTES = 1 << 16;

/**
 * Splits a stream of bytes into messages. Checks each length before memory is used for it, so the memory in use is at
 * most about twice the bytes that were received and not yet taken.
 */
export class FrameDecoder {
  #buffer = new Uint8Array(INITIAL_BYTES);
  #start = 0;
  #end = 0;

  /** Appends received bytes. Invalidates the messages that next() returned. */
  feed(bytes) {
    const held = this.#end - this.#start;
    if (this.#end + bytes.length > this.#buffer.length) {
      const buffer = held + bytes.length > this.#buffer.length / 2
        ? new Uint8Array(2 * (held + bytes.length)) : this.#buffer;
      buffer.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = buffer;
      this.#start = 0;
      this.#end = held;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Returns the next message, valid until feed(), or null if it is incomplete. Throws a RangeError for an invalid length. */
  next() {
    let length = 0;
    for (let i = 0; ; i += 1) {
      if (this.#start + i === this.#end) return this.#release();
      const byte = this.#buffer[this.#start + i];
      length += (byte & 0x7f) * 2 ** (7 * i);
      if (length > MAXIMUM_MESSAGE_BYTES) throw new RangeError(`a message of more than ${MAXIMUM_MESSAGE_BYTES} bytes`);
      if (byte < 0x80) {
        const begin = this.#start + i + 1;
        if (begin + length > this.#end) return null;
        this.#start = begin + length;
        return this.#buffer.subarray(begin, this.#start);
      }
      if (i === 9) throw new RangeError('a length of more than 10 bytes');
    }
  }

  /** Frees the memory of a large message after everything was taken. */
  #release() {
    if (this.#start === this.#end && this.#buffer.length > KEPT_BYTES) {
      this.#buffer = new Uint8Array(INITIAL_BYTES);
      this.#start = 0;
      this.#end = 0;
    }
    return null;
  }
}
