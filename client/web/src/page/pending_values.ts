// SPDX-License-Identifier: MIT
// Values that were set and are not known to be in the graph yet.

/** Requests of one gesture that may be unanswered at a time. */
const MOST_IN_FLIGHT = 3;
/** How long a value that was acknowledged is shown if no change of the graph confirms it. */
const SETTLE_MS = 400;

/** `sent`: no answer yet. `acknowledged`: the event follows. `lost`: the connection was lost before the answer. */
type State = 'waiting' | 'sent' | 'acknowledged' | 'lost';

interface Entry {
  value: number;
  state: State;
  /** Of the request that carries the value. */
  request: number;
}

interface Batch {
  values: Map<string, number>;
  rampMs: number | undefined;
}

export interface PendingOptions {
  /** Sends the values of one request. Rejects if they were refused. */
  send(values: Readonly<Record<string, number>>, rampMs: number | undefined): Promise<unknown>;
  /** Calls back in the next animation frame. */
  frame(callback: () => void): void;
  /** The values, or their states, have changed. */
  changed(): void;
  /** A request was refused: `lost` is true if the connection was lost before the answer. */
  failed(names: readonly string[], error: unknown, lost: boolean): void;
  /** Whether an error means that it is not known if the request took effect. */
  isLoss(error: unknown): boolean;
}

/**
 * Collects values until the next animation frame, and sends one request for each gesture. A gesture is a set of names that
 * is set together: the daemon makes one step of the history of requests that set the same names, so the values of two
 * controls that are moved at the same time are not mixed in one request.
 */
export class PendingValues {
  readonly #options: PendingOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #batches = new Map<string, Batch>();
  readonly #inFlight = new Map<string, number>();
  #requests = 0;
  #scheduled = false;

  constructor(options: PendingOptions) { this.#options = options; }

  /** Number of values without an answer. */
  get unacknowledged(): number { return [...this.#entries.values()].filter(({state}) => state !== 'acknowledged').length; }

  /** Returns the value that was set last, or undefined if the graph has it. */
  get(name: string): number | undefined { return this.#entries.get(name)?.value; }

  /** Whether the connection was lost before the value was acknowledged. */
  isLost(name: string): boolean { return this.#entries.get(name)?.state === 'lost'; }

  set(values: Readonly<Record<string, number>>, rampMs?: number): void {
    const key = Object.keys(values).join(' ');
    const batch = this.#batches.get(key) ?? {values: new Map<string, number>(), rampMs};
    batch.rampMs = rampMs;
    for (const [name, value] of Object.entries(values)) {
      batch.values.set(name, value);
      this.#entries.set(name, {value, state: 'waiting', request: 0});
    }
    this.#batches.set(key, batch);
    this.#schedule();
    this.#options.changed();
  }

  /** Drops the values that `current` has. To be called when the graph has changed. */
  reconcile(current: (name: string) => number | undefined): void {
    for (const [name, {value, state}] of this.#entries) {
      if (state === 'acknowledged' && Math.fround(value) === current(name)) this.#entries.delete(name);
    }
  }

  /** Drops the values that were lost with the connection, and returns the names of those that the graph does not have. */
  settle(current: (name: string) => number | undefined): string[] {
    const lost = [...this.#entries].filter(([, {state}]) => state === 'lost');
    for (const [name] of lost) this.#entries.delete(name);
    if (lost.length > 0) this.#options.changed();
    return lost.filter(([name, {value}]) => Math.fround(value) !== current(name)).map(([name]) => name);
  }

  /** Gives up everything, for example because the engine was replaced. */
  clear(): void {
    this.#entries.clear();
    this.#batches.clear();
    this.#inFlight.clear();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.frame(() => {
      this.#scheduled = false;
      for (const [key, batch] of [...this.#batches]) {
        if ((this.#inFlight.get(key) ?? 0) < MOST_IN_FLIGHT) this.#send(key, batch);
      }
    });
  }

  #send(key: string, {values, rampMs}: Batch): void {
    this.#batches.delete(key);
    this.#inFlight.set(key, (this.#inFlight.get(key) ?? 0) + 1);
    const request = ++this.#requests;
    const names = [...values.keys()];
    for (const name of names) {
      const entry = this.#entries.get(name);
      if (entry?.state === 'waiting') Object.assign(entry, {state: 'sent', request});
    }
    this.#options.send(Object.fromEntries(values), rampMs).then(() => this.#acknowledged(names, request), (error: unknown) => {
      const lost = this.#options.isLoss(error);
      for (const name of this.#of(request, names)) {
        if (lost) this.#entries.get(name)!.state = 'lost'; else this.#entries.delete(name);
      }
      this.#options.failed(names, error, lost);
    }).finally(() => {
      const others = (this.#inFlight.get(key) ?? 1) - 1;
      if (others > 0) this.#inFlight.set(key, others); else this.#inFlight.delete(key);
      if (this.#batches.has(key)) this.#schedule();
      this.#options.changed();
    });
  }

  /** Names whose latest value is in this request. */
  #of(request: number, names: readonly string[]): string[] {
    return names.filter((name) => this.#entries.get(name)?.request === request);
  }

  #acknowledged(names: readonly string[], request: number): void {
    const own = this.#of(request, names);
    for (const name of own) this.#entries.get(name)!.state = 'acknowledged';
    // The event that confirms a value may come before or after the answer, or another client may have set another value.
    const timer = setTimeout(() => {
      for (const name of this.#of(request, own)) this.#entries.delete(name);
      this.#options.changed();
    }, SETTLE_MS);
    (timer as {unref?: () => void}).unref?.();
  }
}
