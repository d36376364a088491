// SPDX-License-Identifier: MIT
import type {QuantumLoads} from './load_meter.js';

/** Load of the audio thread over the last second, in the form of the protocol's Load. */
export interface ThreadLoad {
  frame: number;
  callback_count: number;
  mean: number;
  p99: number;
  worst: number;
}

/** Messages of the worklet in one second. */
const WINDOW = 10;

/** The loads of the last second. */
export class LoadWindow {
  /** Measured quanta so far that have certainly taken longer than they last. */
  overruns = 0;
  /** Memory of the engine's module; 0 until it has run. */
  memory_bytes = 0;
  #loads: QuantumLoads[] = [];

  add(loads: QuantumLoads): void {
    this.overruns += loads.overruns;
    this.memory_bytes = loads.memory_bytes;
    this.#loads.push(loads);
    if (this.#loads.length > WINDOW) this.#loads.shift();
  }

  /** The context does not run: there is no load. */
  clear(): void { this.#loads = []; }

  get load(): ThreadLoad {
    const callback_count = this.#loads.reduce((sum, {quanta}) => sum + quanta, 0);
    const mean = this.#loads.reduce((sum, loads) => sum + loads.mean * loads.quanta, 0) / Math.max(callback_count, 1);
    const worsts = this.#loads.map(({worst}) => worst).sort((a, b) => a - b);
    const worst = Math.max(worsts.at(-1) ?? 0, mean);
    // Without the worst tenth of a second: the worst of the others bounds the percentile, if the worst is rare.
    const p99 = Math.max(worsts.at(-2) ?? worst, mean);
    return {frame: this.#loads.at(-1)?.frame ?? 0, callback_count, mean, p99, worst};
  }
}
