// SPDX-License-Identifier: MIT
// Frequency responses that follow the graph.
import type {Client, FrequencyResponseResult, MirrorGraph, StatusResult} from 'rta-client/core';

/** A node, or a path between two ports. */
export type ResponseOf = {readonly node: string} | {readonly from: string; readonly to: string};

/** What the responses are read from: the model. Dispatches 'graph'. */
interface Engine extends EventTarget {
  readonly graph: MirrorGraph;
  readonly status: StatusResult | null;
  read<T>(call: (client: Client) => Promise<T>): Promise<T | null>;
}

/** Frequencies of a curve on the page: it has no more pixels. */
const POINTS = 240;

interface Watch {
  readonly of: ResponseOf;
  readonly callback: (response: FrequencyResponseResult | null) => void;
  /** What the latest response was computed from. */
  state: string;
  busy: boolean;
  failed: boolean;
}

/** Computes each response again when what it depends on has changed, with one request at a time for each. */
export class FrequencyResponses {
  readonly #engine: Engine;
  readonly #watches = new Set<Watch>();

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.addEventListener('graph', () => this.#updateAll());
    // What could not be read is read again when the engine is open.
    engine.addEventListener('connection', () => {
      for (const watch of this.#watches) if (watch.failed) watch.state = '';
      this.#updateAll();
    });
  }

  watch(of: ResponseOf, callback: Watch['callback']): () => void {
    const watch = {of, callback, state: '', busy: false, failed: false};
    this.#watches.add(watch);
    void this.#update(watch);
    return () => { this.#watches.delete(watch); };
  }

  #updateAll(): void { for (const watch of this.#watches) void this.#update(watch); }

  async #update(watch: Watch): Promise<void> {
    if (watch.busy) return;  // looks again when the answer is there
    const state = this.#stateOf(watch.of);
    if (state === watch.state) return;
    watch.state = state;
    watch.busy = true;
    const response = await this.#engine.read((client) => client.response(watch.of, {frequencies_hz: this.#frequencies()}));
    watch.busy = false;
    watch.failed = response === null;
    if (!this.#watches.has(watch)) return;
    watch.callback(response);
    void this.#update(watch);
  }

  #frequencies(): readonly number[] {
    const highest = (this.#engine.status?.device?.sample_rate_hz ?? 48_000) * 0.45;
    return FREQUENCIES_HZ.filter((frequency) => frequency < highest);
  }

  /** Returns text that differs if the response may differ. */
  #stateOf(of: ResponseOf): string {
    const {nodes, connections} = this.#engine.graph;
    if ('node' in of) {
      const node = nodes.get(of.node);
      return node ? JSON.stringify([node.type, node.settings, node.parameters]) : 'none';
    }
    const all = [...nodes.values()].map(({name, settings, parameters}) => [name, settings, parameters]);
    return JSON.stringify([all, [...connections.values()]]);
  }
}

/** From 20 Hz to 20 kHz, spaced logarithmically. */
export const FREQUENCIES_HZ: readonly number[] = Array.from({length: POINTS}, (_, i) => 20 * 1000 ** (i / (POINTS - 1)));
