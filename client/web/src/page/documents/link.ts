// SPDX-License-Identifier: MIT
// A document as a link: compressed in the fragment of an address, which browsers do not send to the server.

/** What precedes the document in the fragment. */
export const PREFIX = '#doc=';
/** The longest document that is unpacked, in bytes: a message of the protocol is not longer. */
export const LONGEST_DOCUMENT_BYTES = 4 << 20;
/** Some programs cut longer links. */
export const LONG_LINK = 8000;

/** A link that cannot be read. The message is a sentence for people. */
export class LinkError extends Error {
  override name = 'LinkError';
}

/** Returns the fragment of a document, with its #. */
export async function fragmentOf(document: string): Promise<string> {
  const packed = await readAll(streamOf(new TextEncoder().encode(shortened(document))).pipeThrough(new CompressionStream('deflate-raw')));
  return PREFIX + base64urlOf(packed);
}

/** Whether a fragment is that of a document. */
export function isDocumentFragment(fragment: string): boolean { return fragment.startsWith(PREFIX); }

/** Returns the document of a fragment. Rejects with a LinkError. */
export async function documentOf(fragment: string): Promise<string> {
  const packed = bytesOf(fragment.slice(PREFIX.length));
  const bytes = await inflate(packed);
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch (cause) {
    throw new LinkError('The link does not contain a document: its content is not text.', {cause});
  }
}

/** Returns a document without what a program does not need to read it: blanks, but not comments. */
function shortened(document: string): string {
  try {
    return JSON.stringify(JSON.parse(document));
  } catch {
    return document;
  }
}

async function inflate(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  try {
    return await readAll(streamOf(packed).pipeThrough(new DecompressionStream('deflate-raw')), LONGEST_DOCUMENT_BYTES);
  } catch (cause) {
    if (cause instanceof LinkError) throw cause;
    throw new LinkError('The link is incomplete or damaged. Copy all of it, up to its last character.', {cause});
  }
}

/** Reads a stream to its end, or until it has more than `most` bytes. */
async function readAll(stream: ReadableStream<Uint8Array>, most = Infinity): Promise<Uint8Array> {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const {done, value} = await reader.read();
    if (done) break;
    length += value.length;
    if (length > most) {
      void reader.cancel().catch(() => {});
      throw new LinkError(`The document in the link is too long: it has more than ${most >> 20} MiB.`);
    }
    parts.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({start(controller) {
    controller.enqueue(bytes);
    controller.close();
  }});
}

function base64urlOf(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  // Programs that send links may append a full stop, or encode characters.
  const plain = text.replace(/[.,;)\]]+$/, '');
  if (plain === '') throw new LinkError('The link contains no document: it ends after "doc=".');
  if (!/^[A-Za-z0-9_-]+$/.test(plain) || plain.length % 4 === 1)
    throw new LinkError('The link is incomplete or damaged. Copy all of it, up to its last character.');
  return Uint8Array.from(atob(plain.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}
