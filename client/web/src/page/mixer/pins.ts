// SPDX-License-Identifier: MIT
// The strips that are pinned to the stage view. The browser keeps them, for each engine.

import {type BrowserStorage, browserStorage} from '../browser_storage.js';

/** More would not fit, and what is stored may come from anything. */
const MOST_PINS = 32;
const KEY = 'rta.pins.';
const STRIP_ID = /^[A-Za-z][\w-]{0,63}(:\d{1,4})?$/;

/** The ids of pinned strips, in the order in which they were pinned. Dispatches 'change'. */
export class Pins extends EventTarget {
  #engine = '';
  #ids: readonly string[] = [];
  readonly #storage: () => BrowserStorage | undefined;

  constructor(storage: () => BrowserStorage | undefined = browserStorage) {
    super();
    this.#storage = storage;
  }

  get ids(): readonly string[] { return this.#ids; }

  has(id: string): boolean { return this.#ids.includes(id); }

  /** Loads the pins of an engine: its address, or the name of the engine in the page. */
  of(engine: string): this {
    if (engine !== this.#engine) {
      this.#engine = engine;
      this.#set(this.#stored(), false);
    }
    return this;
  }

  toggle(id: string): void {
    this.#set(this.has(id) ? this.#ids.filter((other) => other !== id) : [...this.#ids, id].slice(-MOST_PINS), true);
  }

  /** A node has another name. */
  renamed(from: string, to: string): void {
    const renamed = (id: string): string => id === from || id.startsWith(`${from}:`) ? to + id.slice(from.length) : id;
    const ids = this.#ids.map(renamed);
    if (ids.some((id, i) => id !== this.#ids[i])) this.#set(ids, true);
  }

  #set(ids: readonly string[], store: boolean): void {
    this.#ids = ids;
    try {
      if (store && ids.length > 0) this.#storage()?.setItem(KEY + this.#engine, JSON.stringify(ids));
      else if (store) this.#storage()?.removeItem(KEY + this.#engine);
    } catch {
      // A browser that stores nothing, or is full: the pins last as long as the page.
    }
    this.dispatchEvent(new Event('change'));
  }

  #stored(): string[] {
    try {
      const ids: unknown = JSON.parse(this.#storage()?.getItem(KEY + this.#engine) ?? '[]');
      if (!Array.isArray(ids)) return [];
      return ids.filter((id): id is string => typeof id === 'string' && STRIP_ID.test(id)).slice(0, MOST_PINS);
    } catch {
      return [];
    }
  }
}

/** The pins of the page, which the mixer and the stage share. */
export const pins = new Pins();
