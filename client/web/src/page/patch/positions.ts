// SPDX-License-Identifier: MIT
// Where the nodes of each document are, in the storage of the browser: the protocol has no place for it.
import {stored} from '../sources.js';
import type {Point} from './geometry.js';

const KEY = 'rta.positions';
/** Documents whose places are kept. */
const MOST_DOCUMENTS = 40;
const SAVE_AFTER_MS = 400;

type Saved = [document: string, places: Record<string, [number, number]>][];

/** The places of the nodes of one document. */
export class Positions {
  #document = '';
  #places = new Map<string, Point>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  get places(): ReadonlyMap<string, Point> { return this.#places; }

  /** Reads the places of another document. Returns whether it is another one. */
  open(document: string): boolean {
    if (document === this.#document) return false;
    this.#write();
    this.#document = document;
    const found = read().find(([name]) => name === document)?.[1] ?? {};
    this.#places = new Map(Object.entries(found).map(([name, [x, y]]) => [name, {x, y}]));
    return true;
  }

  set(name: string, place: Point): void {
    this.#places.set(name, {x: Math.round(place.x), y: Math.round(place.y)});
    this.#save();
  }

  replace(places: ReadonlyMap<string, Point>): void {
    this.#places = new Map(places);
    this.#save();
  }

  rename(from: string, to: string): void {
    const place = this.#places.get(from);
    if (!place) return;
    this.#places.delete(from);
    this.set(to, place);
  }

  #save(): void {
    this.#timer ??= setTimeout(() => this.#write(), SAVE_AFTER_MS);
  }

  #write(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const own = Object.fromEntries([...this.#places].map(([name, {x, y}]): [string, [number, number]] => [name, [x, y]]));
    const others = read().filter(([document]) => document !== this.#document);
    stored(() => localStorage.setItem(KEY, JSON.stringify([[this.#document, own], ...others].slice(0, MOST_DOCUMENTS))));
  }
}

/** Returns the documents, the latest first; none if what is stored is of another form. */
function read(): Saved {
  const saved = stored((): unknown => JSON.parse(localStorage.getItem(KEY) ?? '[]'));
  const isPlace = (place: unknown): boolean => Array.isArray(place) && place.length === 2 && place.every(Number.isFinite);
  return Array.isArray(saved) ? saved.filter((entry: unknown): entry is Saved[number] =>
    Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'object' && entry[1] !== null &&
    Object.values(entry[1] as object).every(isPlace)) : [];
}
