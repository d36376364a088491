// SPDX-License-Identifier: MIT
// The documents that were open in this page last. The browser keeps them.
import type {BrowserStorage} from '../browser_storage.js';

/** A document that was open. */
export interface Recent {
  name: string;
  document: string;
  /** In ms since 1970. */
  at: number;
}

const KEY = 'rta.recent';
const MOST = 6;
/** Longer documents are not kept: browsers give a page a few MiB. */
const LONGEST = 512 << 10;

/** Returns the documents, the latest first. */
export function recentDocuments(storage: BrowserStorage | undefined): Recent[] {
  try {
    const list: unknown = JSON.parse(storage?.getItem(KEY) ?? '[]');
    return Array.isArray(list) ? list.filter(isRecent).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Keeps a document in place of the one of the same name. */
export function keepRecent(storage: BrowserStorage | undefined, recent: Recent): void {
  if (recent.document.length > LONGEST) return;
  let list = [recent, ...recentDocuments(storage).filter(({name}) => name !== recent.name)].slice(0, MOST);
  // The oldest are dropped until the browser has room.
  for (; list.length > 0; list = list.slice(0, -1)) {
    try {
      storage?.setItem(KEY, JSON.stringify(list));
      return;
    } catch {
      continue;
    }
  }
}

function isRecent(value: unknown): value is Recent {
  const {name, document, at} = (value ?? {}) as Partial<Record<keyof Recent, unknown>>;
  return typeof name === 'string' && typeof document === 'string' && typeof at === 'number';
}
