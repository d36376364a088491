// SPDX-License-Identifier: MIT
// One subscription to levels for all views of the page.
import type {Client, EventStream, Levels, PortLevel, PortLevels} from 'rta-client/core';

/** While the page is visible, and while it is hidden. */
const RATE_HZ = {visible: 30, hidden: 2};
/** The most ports that a daemon measures for one client. Further ones have no levels until others are stopped. */
export const MOST_WATCHES = 64;
/** Ports that are watched or no longer watched in quick succession are one change of the subscription. */
const GATHER_MS = 60;

export type PortCallback = (level: PortLevel, frame: PortLevels) => void;
export type LevelsCallback = (levels: Levels) => void;

interface Watch {
  readonly port: string;
  readonly spectrum: boolean;
  readonly callback: PortCallback;
}

/** Where the page is visible or not; `document` is one. */
export interface Visibility extends EventTarget { readonly hidden: boolean }

export class Telemetry {
  readonly #refused: (error: unknown) => void;
  readonly #visibility: Visibility | undefined;
  readonly #watches = new Set<Watch>();
  readonly #levels = new Set<LevelsCallback>();
  #client: Client | null = null;
  #stream: EventStream | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #subscribed = '';

  /** `refused` is called when the engine refuses the subscription. */
  constructor(refused: (error: unknown) => void, visibility: Visibility | undefined = globalThis.document) {
    this.#refused = refused;
    this.#visibility = visibility;
    visibility?.addEventListener('visibilitychange', () => this.#change());
  }

  /** Measures an output port until the returned function is called. Ports need not exist. */
  watchPort(port: string, spectrum: boolean, callback: PortCallback): () => void {
    return this.#add(this.#watches, {port, spectrum, callback});
  }

  /** Delivers the levels of the device output and of `meter`, `compressor`, `limiter` and `gate` nodes. */
  watchLevels(callback: LevelsCallback): () => void { return this.#add(this.#levels, callback); }

  /** Subscribes at this client. To be called again after each lost connection; null ends the subscription. */
  attach(client: Client | null): void {
    this.#client = client;
    this.#end();
    this.#change();
  }

  #add<T>(set: Set<T>, element: T): () => void {
    set.add(element);
    this.#change();
    return () => {
      if (set.delete(element)) this.#change();
    };
  }

  #change(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#subscribe();
    }, GATHER_MS);
  }

  #end(): void {
    void this.#stream?.return();
    this.#stream = null;
    this.#subscribed = '';
  }

  /** Opens a stream for what is wanted now, and then closes the previous one, so that levels do not pause. */
  async #subscribe(): Promise<void> {
    const client = this.#client;
    if (!client?.connected) return;
    const hidden = this.#visibility?.hidden ?? false;
    const watches = hidden ? [] : this.#ports();
    const levels = this.#levels.size > 0;
    const wanted = JSON.stringify([levels, watches, hidden]);
    if (wanted === this.#subscribed) return;
    const previous = this.#stream;
    if (!levels && watches.length === 0) return this.#end();
    const stream = client.events({topics: levels ? ['TOPIC_LEVELS'] : [], watches,
      telemetry_rate_hz: hidden ? RATE_HZ.hidden : RATE_HZ.visible});
    this.#stream = stream;
    this.#subscribed = wanted;
    try {
      await stream.ready;
      void previous?.return();
      for await (const event of stream) {
        if (event.port_levels) this.#deliverPorts(event.port_levels);
        else if (event.levels) this.#deliver([...this.#levels], (callback) => callback(event.levels!));
      }
    } catch (error) {
      // The stream of a lost connection is opened again by attach(). After a refusal, the previous one continues.
      if (this.#stream !== stream) return;
      this.#stream = previous;
      if (client.connected) this.#refused(error);
    }
  }

  /** Returns the ports to be measured, those that were added last first. */
  #ports(): {port: string; spectrum: boolean}[] {
    const ports = new Map<string, boolean>();
    for (const {port, spectrum} of [...this.#watches].reverse()) {
      if (ports.has(port) || ports.size < MOST_WATCHES) ports.set(port, (ports.get(port) ?? false) || spectrum);
    }
    return [...ports].map(([port, spectrum]) => ({port, spectrum}));
  }

  #deliverPorts(levels: PortLevels): void {
    const byPort = new Map(levels.ports.map((level) => [level.port, level]));
    this.#deliver([...this.#watches].filter(({port}) => byPort.has(port)), ({port, callback}) => callback(byPort.get(port)!, levels));
  }

  /** Calls each receiver. The fault of one does not end the subscription of the others. */
  #deliver<T>(receivers: readonly T[], call: (receiver: T) => void): void {
    for (const receiver of receivers) {
      try {
        call(receiver);
      } catch (error) {
        queueMicrotask(() => { throw error; });
      }
    }
  }
}
