// SPDX-License-Identifier: MIT
// What the page reports to its user: refused edits, lost connections, what has happened elsewhere.

export type NoticeKind = 'error' | 'warning' | 'info';

export interface Notice {
  readonly id: number;
  readonly kind: NoticeKind;
  readonly text: string;
  /** How often the same was reported in succession. */
  readonly count: number;
}

/** Older notices are dropped. */
const MOST_NOTICES = 5;
/** Errors stay until they are dismissed, or until newer ones displace them. */
const LIFETIME_MS: Readonly<Record<NoticeKind, number>> = {error: Infinity, warning: 20_000, info: 6_000};

/** A bounded list of notices, the latest last. Dispatches 'change'. */
export class Notices extends EventTarget {
  #list: readonly Notice[] = [];
  #lastId = 0;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  get list(): readonly Notice[] { return this.#list; }

  /** Adds a notice. One with the text of an existing notice counts up instead. Returns its id. */
  add(kind: NoticeKind, text: string): number {
    const same = this.#list.find((notice) => notice.text === text && notice.kind === kind);
    if (same) this.#forget(same.id);
    const notice = {id: ++this.#lastId, kind, text, count: (same?.count ?? 0) + 1};
    const kept = this.#list.filter((other) => other !== same);
    for (const dropped of kept.slice(0, Math.max(kept.length + 1 - MOST_NOTICES, 0))) this.#forget(dropped.id);
    this.#list = [...kept, notice].slice(-MOST_NOTICES);
    if (LIFETIME_MS[kind] < Infinity) {
      this.#timers.set(notice.id, setTimeout(() => this.dismiss(notice.id), LIFETIME_MS[kind]));
    }
    this.dispatchEvent(new Event('change'));
    return notice.id;
  }

  dismiss(id: number): void {
    if (!this.#list.some((notice) => notice.id === id)) return;
    this.#forget(id);
    this.#list = this.#list.filter((notice) => notice.id !== id);
    this.dispatchEvent(new Event('change'));
  }

  clear(): void {
    for (const {id} of this.#list) this.dismiss(id);
  }

  #forget(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }
}
