// SPDX-License-Identifier: MIT
// createPageEngine(): the engine in an AudioWorklet of this page, with the client of rta-client.
import {type Client, connectOver, RtaError} from 'rta-client/core';
import {WorkletChannel} from './channel.js';
import {Inputs} from './inputs.js';
import type {QuantumLoads} from './load_meter.js';
import {LoadWindow, type ThreadLoad} from './load_window.js';
import {PageServer} from './page_server.js';
import {PageSession} from './page_session.js';
import {checkPlatform, engineModule, messageOf} from './platform.js';
import type {ProcessorOptions} from './processor.js';
import {ringMemory} from './ring.js';
import type {SceneStorage} from './scenes.js';
import type {Rings} from './worklet_link.js';

/** Size of the ring in each direction. Larger messages pass in pieces. */
const RING_BYTES = 1 << 18;
/** The quantum of contexts that do not report theirs. */
const USUAL_QUANTUM_FRAMES = 128;
const BLOCK_FRAMES = {smallest: 16, largest: 128, unsuitable: 64};
const MOST_CHANNELS = 32;
/** Fades at start and suspend. */
const FADE_S = 0.02;
/** How often a device that should run and does not is tried again. */
const RETRY_MS = 1000;

export interface PageEngineOptions {
  /** The context to use, such as an OfflineAudioContext. Default: a new AudioContext, which close() closes. */
  context?: BaseAudioContext;
  /** Of a new context, in Hz. Default: that of the device. */
  sample_rate_hz?: number;
  /** Of a new context, in seconds, or 'interactive', 'balanced' or 'playback'. Default: 'interactive'. */
  latency?: AudioContextLatencyCategory | number;
  /** Default: 2. */
  channels_in?: number;
  /** Default: the channels of the device, at most 32. */
  channels_out?: number;
  /** Whether the output is connected with the device. Default: true. Otherwise, connect `output` yourself. */
  connect?: boolean;
  /** client_name of the client. */
  name?: string;
  /** Keeps the scenes when the page is left, such as localStorage. Default: nothing. */
  storage?: SceneStorage;
  /** Where the processor and the engine are. Default: next to this module. */
  processor_url?: string | URL;
  module_url?: string | URL;
}

/** An output of the machine. */
export interface OutputDevice {
  /** For setOutput(); '' is the default output. */
  id: string;
  name: string;
}

/** Dropouts since the context was created, as far as the browser shows them. */
export interface Dropouts {
  /** Interruptions of the output that the browser has counted. */
  underflows: number;
  /** Quanta that took longer than they last, of those that are measured: one in four. */
  overruns: number;
}

/**
 * Opens an engine in this page. It is silent until start(), which must be called for a click or a key. Rejects with RtaError if the
 * browser lacks something, or the engine cannot be loaded.
 */
export async function createPageEngine(options: PageEngineOptions = {}): Promise<PageEngine> {
  checkPlatform();
  const moduleUrl = new URL(options.module_url ?? new URL('./rta_engine.wasm', import.meta.url), document.baseURI);
  const processorUrl = new URL(options.processor_url ?? new URL('./processor.js', import.meta.url), document.baseURI);
  const context = options.context ?? newContext(options);
  try {
    const loading = context.audioWorklet.addModule(processorUrl).catch((error: unknown) => {
      throw new RtaError('UNAVAILABLE', `cannot load the processor from ${processorUrl.href}: ${messageOf(error)}`, {cause: error});
    });
    const [module] = await Promise.all([engineModule(moduleUrl), loading]);
    const engine = new PageEngine(context, module, options);
    await engine.connect(options.name);
    return engine;
  } catch (error) {
    if (context instanceof AudioContext && context !== options.context) void context.close();
    throw error;
  }
}

function newContext({sample_rate_hz: sampleRate, latency: latencyHint = 'interactive'}: PageEngineOptions): AudioContext {
  try {
    return new AudioContext(sampleRate === undefined ? {latencyHint} : {latencyHint, sampleRate});
  } catch (error) {
    throw new RtaError('UNAVAILABLE', `cannot open an audio output: ${messageOf(error)}`, {cause: error});
  }
}

/** Returns a block size that fits into the quantum of the context, so that blocks add no latency. */
export function blockSizeFor(quantum: number): number {
  for (let size = BLOCK_FRAMES.largest; size >= BLOCK_FRAMES.smallest; size /= 2) if (quantum % size === 0) return size;
  return BLOCK_FRAMES.unsuitable;
}

/** Members of contexts that not all browsers have. */
interface ModernContext {
  readonly renderQuantumSize?: number;
  readonly playbackStats?: {readonly underrunEvents: number};
  readonly sinkId?: string;
  setSinkId?(id: string): Promise<void>;
}

/**
 * An engine in this page. Dispatches 'statechange' when `state`, `reason` or an input changes, and 'load' ten times per second
 * while it runs.
 */
export class PageEngine extends EventTarget {
  readonly context: BaseAudioContext;
  /** Input of the graph's input nodes. */
  readonly input: AudioNode;
  /** Output of the graph's output nodes. */
  readonly output: AudioNode;
  readonly #fade: GainNode;
  readonly #channel: WorkletChannel;
  readonly #node: AudioWorkletNode;
  readonly #inputs: Inputs | null;
  readonly #server: PageServer;
  readonly #loads = new LoadWindow();
  readonly #channels: {in: number; out: number};
  #reported: Dropouts = {underflows: 0, overruns: 0};
  readonly #ownsContext: boolean;
  #client: Client | null = null;
  #wanted = false;
  #failed = false;
  #reason = '';
  #closed = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #starts = 0;

  /** See createPageEngine(). */
  constructor(context: BaseAudioContext, module: WebAssembly.Module, options: PageEngineOptions) {
    super();
    this.context = context;
    this.#ownsContext = options.context === undefined;
    const live = context instanceof AudioContext;
    const channels_in = options.channels_in ?? 2;
    const channels_out = options.channels_out ?? (live ? Math.min(context.destination.maxChannelCount, MOST_CHANNELS)
      : context.destination.channelCount);
    const rings: Rings | undefined = globalThis.crossOriginIsolated
      ? {commands: ringMemory(RING_BYTES), replies: ringMemory(RING_BYTES)} : undefined;
    const processorOptions: ProcessorOptions = {module, channels_in, channels_out, render_in_turns: live,
      block_size: blockSizeFor((context as ModernContext).renderQuantumSize ?? USUAL_QUANTUM_FRAMES), ...(rings && {rings})};
    this.#node = new AudioWorkletNode(context, 'rta-engine', {numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [channels_out],
      channelCount: Math.max(channels_in, 1), channelCountMode: 'explicit', channelInterpretation: 'speakers', processorOptions});
    this.#node.onprocessorerror = () => this.#fail('the processor could not be created');
    this.#fade = new GainNode(context, {gain: live ? 0 : 1, channelCount: channels_out, channelCountMode: 'explicit',
      channelInterpretation: 'discrete'});
    this.#node.connect(this.#fade);
    this.input = this.#node;
    this.output = this.#fade;
    this.#channel = new WorkletChannel(this.#node, rings, () => live && context.state === 'running');
    this.#channel.onLoad = (loads) => this.#takeLoad(loads);
    this.#channel.onFailure = (cause) => this.#fail(cause);
    this.#channels = {in: channels_in, out: channels_out};
    this.#server = PageServer.of(this.#channel);
    this.#server.host = {device: () => this.#device(), load: () => this.load, ...(options.storage && {storage: options.storage})};
    this.#inputs = live ? new Inputs(context, this.#node, () => this.#changed()) : null;
    if (options.connect !== false) this.#connectDestination(channels_out);
    context.addEventListener('statechange', this.#contextChanged);
    context.addEventListener('error', this.#contextFailed);
    if (live) navigator.mediaDevices?.addEventListener('devicechange', this.#devicesChanged);
  }

  /** The engine's client: everything that a client of a daemon can do, as far as the engine in a page can. */
  get client(): Client { return this.#client!; }
  /** Whether the engine renders to the device. */
  get state(): 'running' | 'suspended' { return this.#wanted && !this.#closed && this.context.state === 'running' ? 'running' : 'suspended'; }
  /** Why the engine does not run although it was started, or why the microphone is silent: a sentence, or ''. */
  get reason(): string { return this.#reason || (this.#inputs?.microphoneProblem ?? ''); }
  /** Whether the engine has a fault and remains silent. Close it, and open another one. */
  get failed(): boolean { return this.#failed; }
  /** Load of the audio thread over the last second. `worst` and `p99` are as accurate as the clock of worklets: usually 1 ms. */
  get load(): ThreadLoad { return this.#loads.load; }
  get dropouts(): Dropouts {
    return {underflows: (this.context as ModernContext).playbackStats?.underrunEvents ?? 0, overruns: this.#loads.overruns};
  }
  /** Memory of the engine in bytes; 0 until it has run. */
  get memory_bytes(): number { return this.#loads.memory_bytes; }
  /** Whether commands pass through shared memory: the page is cross-origin isolated. */
  get isolated(): boolean { return globalThis.crossOriginIsolated === true; }

  /** Starts the sound, with a short fade. Browsers allow it for a click or a key. */
  async start(): Promise<void> {
    const context = this.#live('start()');
    this.#wanted = true;
    this.#starts += 1;
    await this.#resume(context);
    this.#fadeTo(1);
    this.#changed();
  }

  /** Suspends the engine, with a short fade. The graph keeps its state, and edits remain possible. */
  async suspend(): Promise<void> {
    const context = this.#live('suspend()');
    const starts = this.#starts;
    this.#wanted = false;
    this.#reason = '';
    clearTimeout(this.#retry);
    if (context.state === 'running') {
      this.#fadeTo(0);
      // The graph renders the fade, and the device plays it, before the context stops.
      await new Promise((resolve) => { setTimeout(resolve, 1000 * (2 * FADE_S + (context.outputLatency || 0))); });
      if (this.#starts !== starts) return;  // started again in the meantime
      await context.suspend();
    }
    this.#changed();
  }

  /** Switches the microphone on or off as the input of the graph. The browser asks the user. */
  async microphone(on: boolean): Promise<void> {
    await this.#liveInputs('microphone()').microphone(on);
    this.#changed();
  }
  get microphoneOn(): boolean { return this.#inputs?.microphoneOn ?? false; }

  /** Plays a sound file as the input of the graph, in place of the previous one; null stops it. */
  async playFile(file: Blob | ArrayBuffer | AudioBuffer | null, options?: {loop?: boolean}): Promise<void> {
    await this.#liveInputs('playFile()').playFile(file, options);
    this.#changed();
  }
  get filePlays(): boolean { return this.#inputs?.filePlays ?? false; }

  /** Returns the outputs of the machine, as far as the browser shows them to this page; the default output first. */
  async outputs(): Promise<OutputDevice[]> {
    const standard: OutputDevice = {id: '', name: 'Default output'};
    if ((this.context as ModernContext).setSinkId === undefined || navigator.mediaDevices === undefined) return [standard];
    const devices = await navigator.mediaDevices.enumerateDevices();
    const others = devices.filter(({kind, deviceId}) => kind === 'audiooutput' && deviceId !== '' && deviceId !== 'default');
    return [standard, ...others.map(({deviceId, label}, i) => ({id: deviceId, name: label || `Output ${i + 1}`}))];
  }
  get outputId(): string { return (this.context as ModernContext).sinkId ?? ''; }

  /** Plays through another output of the machine. */
  async setOutput(id: string): Promise<void> {
    const context = this.#live('setOutput()') as ModernContext;
    if (context.setSinkId === undefined) {
      if (id === '') return;
      throw new RtaError('UNIMPLEMENTED', 'this browser does not let a page select the output: select it in the system');
    }
    await context.setSinkId(id).catch((error: unknown) => {
      throw new RtaError('NOT_FOUND', `cannot play through the output "${id}": ${messageOf(error)}`, {cause: error});
    });
    this.#changed();
  }

  /** Ends the engine and its client. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.context.removeEventListener('statechange', this.#contextChanged);
    this.context.removeEventListener('error', this.#contextFailed);
    navigator.mediaDevices?.removeEventListener('devicechange', this.#devicesChanged);
    this.#client?.close();
    this.#inputs?.close();
    this.#channel.close();
    this.#node.disconnect();
    this.#fade.disconnect();
    if (this.#ownsContext && this.context.state !== 'closed') await (this.context as AudioContext).close();
    this.#changed();
  }

  /** For createPageEngine(). */
  async connect(name?: string): Promise<void> {
    this.#client = await connectOver(async () => {
      if (this.#closed || this.#channel.closed) throw this.#channel.closed ?? new RtaError('UNAVAILABLE', 'the engine of this page was closed');
      return {session: (listener) => new PageSession(this.#channel, listener), peer: 'this page'};
    }, name === undefined ? {} : {name});
  }

  #connectDestination(channels: number): void {
    const {destination} = this.context;
    if (this.context instanceof AudioContext && channels <= destination.maxChannelCount) destination.channelCount = channels;
    if (channels > 2) destination.channelInterpretation = 'discrete';
    this.#fade.connect(destination);
  }

  #live(what: string): AudioContext {
    if (this.#closed) throw new RtaError('UNAVAILABLE', 'the engine of this page was closed');
    if (this.#failed) throw this.#channel.closed!;
    if (this.context instanceof AudioContext) return this.context;
    throw new RtaError('FAILED_PRECONDITION', `${what} needs an AudioContext: this engine renders into an OfflineAudioContext`);
  }

  #liveInputs(what: string): Inputs {
    this.#live(what);
    return this.#inputs!;
  }

  #fadeTo(gain: number): void {
    const now = this.context.currentTime;
    this.#fade.gain.cancelScheduledValues(now);
    this.#fade.gain.setValueAtTime(this.#fade.gain.value, now);
    this.#fade.gain.linearRampToValueAtTime(gain, now + FADE_S);
  }

  /** Resumes the context. Browsers leave the promise open if they do not allow it. */
  async #resume(context: AudioContext): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(navigator.userActivation?.hasBeenActive
        ? new RtaError('UNAVAILABLE', `the browser did not start the sound within ${RETRY_MS} ms: expected an audio output that is connected`)
        : new RtaError('FAILED_PRECONDITION', 'the browser did not start the sound: expected a click or a key before start()')), RETRY_MS);
    });
    try {
      await Promise.race([context.resume(), late]);
    } catch (error) {
      this.#wanted = false;
      if (error instanceof RtaError) throw error;
      throw new RtaError('UNAVAILABLE', `cannot start the sound: ${messageOf(error)}`, {cause: error});
    } finally {
      clearTimeout(timer);
    }
  }

  #contextChanged = (): void => {
    this.#channel.contextChanged();
    if (this.context.state === 'running') {
      if (this.#wanted) {
        this.#reason = '';
        this.#fadeTo(1);
      }
    } else {
      this.#loads.clear();
      // A device that has failed is the better reason, in whatever order the events come.
      if (this.#wanted && !this.#closed && this.#reason === '') this.#interrupted('The browser or the system has stopped the sound.');
    }
    this.#changed();
  };

  #contextFailed = (): void => {
    if (this.#wanted) this.#interrupted('The audio device failed or was disconnected.');
    this.#changed();
  };

  /** A device that was connected may be the one that is missing. */
  #devicesChanged = (): void => {
    if (this.#wanted && !this.#closed && this.context.state !== 'running') (this.context as AudioContext).resume().catch(() => {});
  };

  /** Keeps trying to continue, while the engine is meant to run. */
  #interrupted(why: string): void {
    this.#reason = `${why} It continues when the device is back, or when you start it.`;
    // What continues in the middle of a wave begins with a fade.
    this.#fade.gain.cancelScheduledValues(0);
    this.#fade.gain.value = 0;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (!this.#wanted || this.#closed || this.context.state === 'running') return;
      (this.context as AudioContext).resume().catch(() => {});
      this.#interrupted(why);
    }, RETRY_MS);
  }

  /** The engine has trapped, which is a fault of the engine, or memory ran out: it cannot continue. */
  #fail(cause: string): void {
    if (this.#failed || this.#closed) return;
    this.#failed = true;
    this.#reason = `The engine has failed and is silent (${cause}). Restart it. Please report this, with the document that was playing.`;
    this.#wanted = false;
    clearTimeout(this.#retry);
    this.#channel.close(new RtaError('INTERNAL', `the engine of this page has failed: ${cause}`));
    // After the mirrors of the graph have taken the changes that have arrived.
    setTimeout(() => this.#client?.close(), 0);
    this.#changed();
  }

  #takeLoad(loads: QuantumLoads): void {
    this.#loads.add(loads);
    this.#server.publish({load: this.load});
    const {underflows, overruns} = this.dropouts;
    const counts = {output_underflows: underflows - this.#reported.underflows, overruns: overruns - this.#reported.overruns};
    if (counts.output_underflows > 0 || counts.overruns > 0) this.#server.publish({xruns: {frame: loads.frame, counts}});
    this.#reported = {underflows, overruns};
    this.dispatchEvent(new Event('load'));
  }

  /** Returns the context in the form of the protocol's DeviceState. */
  #device(): object {
    const {context} = this;
    const live = context instanceof AudioContext;
    const {underflows, overruns} = this.dropouts;
    return {
      ...(!live && {kind: 'offline'}), ...(this.outputId && {name: this.outputId}), running: this.state === 'running', fallback_reason: this.#reason,
      sample_rate_hz: context.sampleRate, channels_in: this.#channels.in, channels_out: this.#channels.out,
      callback_frames: (context as ModernContext).renderQuantumSize ?? USUAL_QUANTUM_FRAMES,
      output_latency_s: live ? context.baseLatency + (context.outputLatency || 0) : 0,
      late_blocks: overruns, xruns: underflows, xrun_counts: {output_underflows: underflows, overruns},
    };
  }

  #changed(): void { this.dispatchEvent(new Event('statechange')); }
}
