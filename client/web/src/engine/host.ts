// SPDX-License-Identifier: MIT
// One engine in an instance of rta_engine.wasm. Needs neither a page nor Node.js: it runs in an AudioWorklet, whose scope has
// no TextDecoder, so commands, replies and events are the bytes of JSON.

/** How an engine is created. */
export interface HostOptions {
  /** 8000 to 384000. */
  sample_rate_hz: number;
  /** Frames; a power of two from 16 to 1024. Best a divisor of the host's quantum: otherwise, inputs are up to one block late. */
  block_size: number;
  /** 0 to 64. */
  channels_in: number;
  channels_out: number;
}

/** The functions that EngineHost uses; daemon/wasm/engine_exports.cpp describes them. */
interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  rta_text(bytes: number): number;
  rta_last_error(): number;
  rta_last_error_length(): number;
  rta_create(sampleRateHz: number, blockSize: number, channelsIn: number, channelsOut: number): number;
  rta_host_buffer(engine: number, frames: number): number;
  rta_process(engine: number, frames: number): number;
  rta_execute(engine: number): number;
  rta_next_event(engine: number): number;
  rta_reply(): number;
}

/** Frames for which there is room at first: a quantum of Web Audio. */
const QUANTUM = 128;

/**
 * An engine, its device, and its commands. After an exception of the module (memory ran out, or the engine has a fault), the state
 * is undefined: the host cannot be used again.
 */
export class EngineHost {
  readonly options: HostOptions;
  #wasm: Exports;
  #engine: number;
  #frames = 0;
  #buffer: ArrayBufferLike | null = null;
  #inputs: Float32Array[] = [];
  #outputs: Float32Array[] = [];

  /** Throws an Error if the engine cannot be created. */
  constructor(module: WebAssembly.Module, options: HostOptions) {
    this.options = options;
    this.#wasm = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
    this.#wasm._initialize();
    this.#engine = this.#wasm.rta_create(options.sample_rate_hz, options.block_size, options.channels_in, options.channels_out);
    if (this.#engine === 0) throw new Error(textOf(this.#bytes(this.#wasm.rta_last_error(), this.#wasm.rta_last_error_length())));
    this.#resize(QUANTUM);
  }

  /** Bytes of memory of the module. */
  get memory_bytes(): number { return this.#wasm.memory.buffer.byteLength; }

  /** Executes a command: JSON in UTF-8. Returns the reply in the same form. */
  execute(command: Uint8Array): Uint8Array {
    const address = this.#wasm.rta_text(command.length);
    // Without memory for the text, the reply is an error.
    if (address !== 0) new Uint8Array(this.#wasm.memory.buffer, address, command.length).set(command);
    return this.#reply(this.#wasm.rta_execute(this.#engine));
  }

  /** Returns the next event, as JSON in UTF-8, or null. Call it between blocks, until then. */
  nextEvent(): Uint8Array | null {
    const length = this.#wasm.rta_next_event(this.#engine);
    if (length > 0) return this.#reply(length);
    if (this.#wasm.memory.buffer !== this.#buffer) this.#view();
    return null;
  }

  /**
   * Renders as many frames as the arrays have, of each channel one. Missing inputs are silent, and outputs beyond the engine's are
   * set to silence. Allocates nothing, unless the number of frames has changed.
   */
  process(inputs: readonly Float32Array[], outputs: readonly Float32Array[]): void {
    const frames = (outputs[0] ?? inputs[0])?.length ?? 0;
    if (frames === 0) return;
    if (frames !== this.#frames) this.#resize(frames);
    this.#render(inputs);
    for (let channel = 0; channel < outputs.length; ++channel) {
      const rendered = this.#outputs[channel];
      if (rendered !== undefined) outputs[channel]!.set(rendered);
      else outputs[channel]!.fill(0);
    }
  }

  #render(inputs: readonly Float32Array[]): void {
    for (let channel = 0; channel < this.#inputs.length; ++channel) {
      const captured = inputs[channel];
      if (captured === undefined) this.#inputs[channel]!.fill(0);
      else this.#inputs[channel]!.set(captured);
    }
    this.#wasm.rta_process(this.#engine, this.#frames);
  }

  /** Creates the views of the channels again: the memory may have grown, which detaches them. */
  #view(): void {
    const {channels_in, channels_out} = this.options;
    const {buffer} = this.#wasm.memory;
    const address = this.#wasm.rta_host_buffer(this.#engine, this.#frames);  // the same for the same number
    const view = (index: number) => new Float32Array(buffer, address + index * this.#frames * 4, this.#frames);
    this.#inputs = Array.from({length: channels_in}, (_, channel) => view(channel));
    this.#outputs = Array.from({length: channels_out}, (_, channel) => view(channels_in + channel));
    this.#buffer = buffer;
  }

  #resize(frames: number): void {
    if (this.#wasm.rta_host_buffer(this.#engine, frames) === 0) throw new Error(`${frames} frames in a quantum: expected at most 16384`);
    this.#frames = frames;
    this.#view();
  }

  /** Returns a copy of the reply, and adapts the views if the memory has grown. */
  #reply(length: number): Uint8Array {
    if (this.#wasm.memory.buffer !== this.#buffer) this.#view();
    return this.#bytes(this.#wasm.rta_reply(), length);
  }

  #bytes(address: number, length: number): Uint8Array { return new Uint8Array(this.#wasm.memory.buffer, address, length).slice(); }
}

/** Returns the ASCII text of bytes. */
function textOf(bytes: Uint8Array): string { return String.fromCharCode(...bytes); }
