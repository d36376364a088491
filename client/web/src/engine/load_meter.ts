// SPDX-License-Identifier: MIT
// The load of the audio thread: the time in process() against the duration of a quantum.

/** Loads of a number of quanta, as the processor sends them to the page. */
export interface QuantumLoads {
  /** Sample clock of the context. */
  frame: number;
  quanta: number;
  /** Fractions of the duration of a quantum. `worst` is as accurate as the clock. */
  mean: number;
  worst: number;
  /** Of the measured quanta, one in four, those that have certainly taken longer than they last. */
  overruns: number;
  /** Memory of the engine's module. */
  memory_bytes: number;
}

const FIELDS = 6;
const WINDOW_S = 0.1;
/** One of so many quanta is measured: the clock allocates a number each time. A power of two. */
const MEASURED = 4;
// In ms: when the quantum started, the time of all, and that of the longest.
const START = 0;
const BUSY = 1;
const WORST = 2;

/** Scopes of worklets have no performance.now() in most browsers. A clock of whole milliseconds is right in the mean. */
const clock: {now(): number} = globalThis.performance ?? Date;
const RESOLUTION_MS = globalThis.performance ? 0 : 1;

/** Adds up times in the worklet. */
export class LoadMeter {
  /** The loads that full() has completed. */
  readonly bytes = new Uint8Array(FIELDS * 8);
  #fields = new Float64Array(this.bytes.buffer);
  /** Not members of their own: numbers that are not small integers would be allocated again with each change. */
  #times = new Float64Array(3);
  #quanta = 0;
  #overruns = 0;

  start(): void { if (this.#quanta % MEASURED === 0) this.#times[START] = clock.now(); }

  /** Ends a quantum of `frames`. */
  stop(frames: number, sampleRateHz: number): void {
    if (this.#quanta++ % MEASURED !== 0) return;
    const times = this.#times;
    const ms = clock.now() - times[START]!;
    times[BUSY]! += ms;
    if (ms > times[WORST]!) times[WORST] = ms;
    if (ms - RESOLUTION_MS > 1000 * frames / sampleRateHz) this.#overruns += 1;
  }

  /** Returns whether enough quanta were measured, and starts with the next. */
  full(frame: number, frames: number, sampleRateHz: number, memoryBytes: number): boolean {
    if (this.#quanta * frames < WINDOW_S * sampleRateHz) return false;
    const quantumMs = 1000 * frames / sampleRateHz;
    this.#fields[0] = frame;
    this.#fields[1] = this.#quanta;
    this.#fields[2] = this.#times[BUSY]! / (Math.ceil(this.#quanta / MEASURED) * quantumMs);
    this.#fields[3] = this.#times[WORST]! / quantumMs;
    this.#fields[4] = this.#overruns;
    this.#fields[5] = memoryBytes;
    this.#quanta = this.#overruns = 0;
    this.#times.fill(0);
    return true;
  }
}

/** Returns the loads in a message of a LoadMeter. */
export function loadsOf(bytes: Uint8Array): QuantumLoads {
  const [frame, quanta, mean, worst, overruns, memory_bytes] = new Float64Array(bytes.slice().buffer) as unknown as
    [number, number, number, number, number, number];
  return {frame, quanta, mean, worst, overruns, memory_bytes};
}
