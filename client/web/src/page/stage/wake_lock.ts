// SPDX-License-Identifier: MIT

/** Keeps the screen of a phone on while the stage is shown, where the browser can. */
export class WakeLock {
  #wanted = false;
  #lock: WakeLockSentinel | null = null;
  readonly #visible = (): void => void this.#request();

  start(): void {
    this.#wanted = true;
    document.addEventListener('visibilitychange', this.#visible);
    void this.#request();
  }

  stop(): void {
    this.#wanted = false;
    document.removeEventListener('visibilitychange', this.#visible);
    void this.#lock?.release().catch(() => {});
    this.#lock = null;
  }

  /** The browser takes the lock away when the page is hidden. */
  async #request(): Promise<void> {
    if (document.visibilityState !== 'visible' || (this.#lock && !this.#lock.released)) return;
    try {
      const lock = await navigator.wakeLock?.request('screen');
      if (!lock) return;
      if (this.#wanted) this.#lock = lock;
      else await lock.release();
    } catch {
      // The battery is low, or the page is not served securely: the screen dims as usual.
    }
  }
}
