// SPDX-License-Identifier: MIT

/** A store of the browser; localStorage is one. */
export type BrowserStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Returns the store of the browser; undefined if it does not give the page any. */
export function browserStorage(): BrowserStorage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

/** Returns a text of the store, or null. */
export function storedText(key: string): string | null { return browserStorage()?.getItem(key) ?? null; }

/** Stores a text, if the browser has room. */
export function storeText(key: string, text: string): void {
  try {
    browserStorage()?.setItem(key, text);
  } catch {
    // Full: the text lasts as long as the page.
  }
}
