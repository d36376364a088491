// SPDX-License-Identifier: MIT
// Documents as they come into the page, before an engine has seen them.
import {LONGEST_DOCUMENT_BYTES} from './link.js';

/** How a document came. One that the user did not select, a link or a drop, is opened muted. */
export type Origin = 'link' | 'drop' | 'file' | 'example' | 'recent' | 'new';

export interface Received {
  /** For people: the name of a file, without its ending, or the title of an example. */
  name: string;
  document: string;
  origin: Origin;
}

/** A file that cannot be a document. The message is a sentence for people. */
export class FileError extends Error {
  override name = 'FileError';
}

/** Whether a file is a sound, by its type or its name. */
export function isSound({type, name}: Pick<File, 'type' | 'name'>): boolean {
  return type.startsWith('audio/') || /\.(wav|wave|flac|mp3|ogg|oga|opus|m4a|aac|aiff?)$/i.test(name);
}

/** Reads a file as a document. Rejects with a FileError. */
export async function readDocument(file: File, origin: Origin): Promise<Received> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new FileError(`${file.name} was not opened: ${why}`, {cause});
  };
  if (file.size > LONGEST_DOCUMENT_BYTES)
    refuse(`it is longer than ${LONGEST_DOCUMENT_BYTES >> 20} MiB, the most that this page can send to an engine.`);
  const bytes = await file.arrayBuffer().catch((error: unknown) => refuse('the browser cannot read it.', error));
  try {
    const document = new TextDecoder('utf-8', {fatal: true}).decode(bytes);
    return {name: file.name.replace(/\.json$/i, ''), document, origin};
  } catch (error) {
    return refuse('it is not text in UTF-8. Expected a graph document (JSON), or a sound file.', error);
  }
}

/** Returns a file name for a document. */
export function fileNameOf(title: string): string {
  const plain = title.normalize('NFKD').replace(/[^\w.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '').slice(0, 64);
  return `${plain || 'graph'}.json`;
}
