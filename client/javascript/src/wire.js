// SPDX-License-Identifier: MIT
// The encoding of protobuf: numbers, text and lengths, in bytes.

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

/** Maximum size of the length of a message, as a varint. */
const LENGTH_BYTES = 5;
const HIGH = 2 ** 32;

export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
export const FIXED32 = 5;

/** Writes into memory that grows. */
export class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  /** Returns what was written, as a copy. */
  finish() { return this.#bytes.slice(0, this.#end); }

  tag(id, wireType) { this.varint(id * 8 + wireType); }

  /** Writes a whole number of at most 2^53 - 1. */
  varint(value) {
    this.#reserve(10);
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) this.#bytes[this.#end++] = (left % 0x80) | 0x80;
    this.#bytes[this.#end++] = left;
  }

  /** Writes any 64-bit number, of two's complement if it is negative. */
  varint64(value) {
    this.#reserve(10);
    let left = BigInt.asUintN(64, value);
    for (; left >= 0x80n; left >>= 7n) this.#bytes[this.#end++] = Number(left & 0x7fn) | 0x80;
    this.#bytes[this.#end++] = Number(left);
  }

  float(value) {
    this.#reserve(4);
    this.#view.setFloat32(this.#end, value, true);
    this.#end += 4;
  }

  double(value) {
    this.#reserve(8);
    this.#view.setFloat64(this.#end, value, true);
    this.#end += 8;
  }

  text(value) {
    this.delimited(() => {
      this.#reserve(3 * value.length);
      this.#end += encoder.encodeInto(value, this.#bytes.subarray(this.#end)).written;
    });
  }

  /** Writes the length of what `write` writes, and that. */
  delimited(write) {
    this.#reserve(LENGTH_BYTES);
    const start = this.#end;
    this.#end += LENGTH_BYTES;
    write();
    const end = this.#end;
    this.#end = start;
    this.varint(end - start - LENGTH_BYTES);
    this.#bytes.copyWithin(this.#end, start + LENGTH_BYTES, end);
    this.#end += end - start - LENGTH_BYTES;
  }

  #reserve(count) {
    if (this.#end + count <= this.#bytes.length) return;
    const bytes = new Uint8Array(2 * (this.#end + count));
    bytes.set(this.#bytes);  // also what delimited() has written behind #end
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** Reads bytes of an unknown origin. Throws for what is not an encoding. */
export class Reader {
  #bytes;
  #view;
  #at = 0;
  #end;

  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
  }

  /** Whether something is left, of what delimited() reads. */
  get more() { return this.#at < this.#end; }

  /** Returns [id, wire type]. */
  tag() {
    const tag = Number(this.varint(false));
    if (tag < 8 || tag >= HIGH) throw new RangeError(`a field with number ${Math.floor(tag / 8)}`);
    return [Math.floor(tag / 8), tag % 8];
  }

  /** Reads a 64-bit number: a number if it is exact, otherwise a bigint. */
  varint(signed) {
    let low = 0, high = 0;
    for (let i = 0; i < 10; i += 1) {
      const byte = this.#bytes[this.#take(1)];
      if (i < 4) low += (byte & 0x7f) * 2 ** (7 * i);
      else high += (byte & 0x7f) * 2 ** (7 * (i - 4));
      if (byte < 0x80) return numberOf(low, high, signed);
    }
    throw new RangeError('a number of more than 10 bytes');
  }

  float() { return this.#view.getFloat32(this.#take(4), true); }
  double() { return this.#view.getFloat64(this.#take(8), true); }

  text() {
    const length = this.#length();
    const start = this.#take(length);
    return decoder.decode(this.#bytes.subarray(start, start + length));
  }

  /** Reads a part whose length precedes it. `read` must read all of it. */
  delimited(read) {
    const length = this.#length();
    const end = this.#end;
    if (length > end - this.#at) throw new RangeError('a part that is longer than its message');
    this.#end = this.#at + length;
    const value = read();
    if (this.more) throw new RangeError('a part that is longer than its contents');
    this.#end = end;
    return value;
  }

  skip(wireType) {
    if (wireType === VARINT) this.varint(false);
    else if (wireType === FIXED64) this.#take(8);
    else if (wireType === FIXED32) this.#take(4);
    else if (wireType === DELIMITED) this.#take(this.#length());
    else throw new RangeError(`a field of type ${wireType}`);
  }

  #length() { return Number(this.varint(false)); }

  #take(count) {
    if (count > this.#end - this.#at) throw new RangeError('a message that is longer than its bytes');
    this.#at += count;
    return this.#at - count;
  }
}

/** `low` has 28 bits; `high` has the bits above. */
function numberOf(low, high, signed) {
  const exact = low + high * 2 ** 28;
  if (exact <= Number.MAX_SAFE_INTEGER) return exact;
  const value = (BigInt(high) << 28n) + BigInt(low);
  const wrapped = signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  const number = Number(wrapped);
  return Number.isSafeInteger(number) ? number : wrapped;
}
