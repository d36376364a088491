// SPDX-License-Identifier: MIT
// The AudioWorkletProcessor over an EngineHost. The page compiles the module once and hands it over.
import {EngineHost} from './host.js';
import {LoadMeter} from './load_meter.js';
import {MessageKind} from './ring.js';
import {type FromProcessor, PortLink, RingLink, type Rings, type ToProcessor, type WorkletLink} from './worklet_link.js';

// The scope of worklets, of which TypeScript's libraries know nothing.
declare const sampleRate: number;
declare const currentFrame: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new (options: {processorOptions: ProcessorOptions}) => unknown): void;

/** What the page hands over. */
export interface ProcessorOptions {
  module: WebAssembly.Module;
  /** Absent where the page is not cross-origin isolated. */
  rings?: Rings;
  block_size: number;
  channels_in: number;
  channels_out: number;
  /** Whether turns also render, to nowhere, so that edits take effect while the context does not run. */
  render_in_turns: boolean;
}

/** Commands of one quantum, so that audio is not late because many are waiting. */
const COMMANDS_IN_A_QUANTUM = 1;
/** Events of one quantum. */
const EVENTS_IN_A_QUANTUM = 4;
/** Commands of one turn. The page asks for the next one. */
const COMMANDS_IN_A_TURN = 64;
/** Audio that a turn renders after its commands: long enough for a crossfade. */
const SECONDS_IN_A_TURN = 0.05;

class EngineProcessor extends AudioWorkletProcessor {
  #host: EngineHost;
  #link: WorkletLink;
  #load = new LoadMeter();
  #running = true;
  #ownQuanta = 0;  // quanta of the context since the last turn
  #turns: {frames: number; inputs: Float32Array[]; outputs: Float32Array[]} | null = null;

  constructor({processorOptions: options}: {processorOptions: ProcessorOptions}) {
    super();
    const {module, rings, block_size, channels_in, channels_out, render_in_turns} = options;
    this.#host = new EngineHost(module, {sample_rate_hz: sampleRate, block_size, channels_in, channels_out});
    this.#link = rings ? new RingLink(rings) : new PortLink(this.port);
    if (render_in_turns) {
      const silence = (count: number) => Array.from({length: count}, () => new Float32Array(block_size));
      this.#turns = {frames: block_size, inputs: silence(channels_in), outputs: silence(channels_out)};
    }
    this.port.onmessage = ({data}: MessageEvent<ToProcessor>) => this.#take(data);
  }

  /** Is called by the context for each quantum. Without a command, it allocates no more than the clock of every fourth quantum. */
  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    if (!this.#running) return false;
    try {
      this.#quantum(inputs, outputs);
    } catch (error) {
      for (const channel of outputs[0]!) channel.fill(0);
      this.#fail(error);
    }
    return this.#running;
  }

  #quantum(inputs: Float32Array[][], outputs: Float32Array[][]): void {
    this.#load.start();
    this.#ownQuanta += 1;
    this.#host.process(inputs[0]!, outputs[0]!);
    this.#serve(COMMANDS_IN_A_QUANTUM);
    this.#sendEvents();
    const frames = outputs[0]![0]!.length;
    this.#load.stop(frames, sampleRate);
    if (this.#link.idle && this.#load.full(currentFrame, frames, sampleRate, this.#host.memory_bytes)) {
      this.#link.send(MessageKind.load, this.#load.bytes, this.#load.bytes.length);
    }
    this.#link.flush();
  }

  #take(message: ToProcessor): void {
    if ('command' in message) (this.#link as PortLink).add(message.command);
    else if ('turn' in message) this.#turn();
    else this.#running = false;
  }

  /** The module has trapped. Its state is undefined, so nothing of it is called again. */
  #fail(error: unknown): void {
    this.#running = false;
    const message: FromProcessor = {failed: String(error)};
    this.port.postMessage(message);
  }

  /** Serves commands although the context may not run. If it does, process() serves them. */
  #turn(): void {
    if (!this.#running) return;
    try {
      this.#serveTurn();
    } catch (error) {
      this.#fail(error);  // An exception of a listener is not reported to the page.
    }
  }

  #serveTurn(): void {
    if (this.#ownQuanta === 0) {
      this.#serve(COMMANDS_IN_A_TURN);
      this.#renderToNowhere();
      this.#sendEvents();
      this.#link.flush();
    }
    this.#ownQuanta = 0;
    this.port.postMessage({turned: true});
  }

  #serve(most: number): void {
    for (let i = 0; i < most && this.#link.take(); ++i) {
      const {bytes, length} = this.#link;
      const reply = this.#host.execute(bytes.subarray(0, length));
      this.#link.send(MessageKind.reply, reply, reply.length);
    }
  }

  #sendEvents(): void {
    for (let i = 0; i < EVENTS_IN_A_QUANTUM && this.#link.idle; ++i) {
      const event = this.#host.nextEvent();
      if (event === null) return;
      this.#link.send(MessageKind.event, event, event.length);
    }
  }

  #renderToNowhere(): void {
    if (this.#turns === null) return;
    const {frames, inputs, outputs} = this.#turns;
    for (let done = 0; done < SECONDS_IN_A_TURN * sampleRate; done += frames) this.#host.process(inputs, outputs);
  }
}

registerProcessor('rta-engine', EngineProcessor);
