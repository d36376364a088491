// SPDX-License-Identifier: MIT
// The state that all views of the page share: one engine, in the page or a daemon, and what the page has asked of it.
import type {
  Change, Client, Event as EngineEvent, FrequencyResponseResult, Graph, HistoryStep, Input, Load, Mirror, MirrorGraph, NodeType,
  RtaError, SceneInfo, StatusResult, TransactionResult,
} from 'rta-client/core';
import {Notices} from './notices.js';
import {PendingValues} from './pending_values.js';
import {FrequencyResponses, type ResponseOf} from './responses.js';
import {type LevelsCallback, type PortCallback, Telemetry, type Visibility} from './telemetry.js';

export type EngineKind = 'page' | 'daemon';

/**
 * `connecting`: not connected yet. `running`. `suspended`: the engine in the page does not render. `lost`: disconnected, and
 * connecting again. `refused`: the daemon does not accept this page; another attempt needs another token or another daemon.
 * `failed`: the engine in the page has a fault; see restart().
 */
export type Connection = 'connecting' | 'running' | 'suspended' | 'lost' | 'refused' | 'failed';

/** The part of the engine in the page that is not the protocol: the AudioContext. */
export interface PageAudio extends EventTarget {
  /** Dispatches 'statechange' when it changes. */
  readonly state: 'running' | 'suspended';
  /** Why it does not run although it was started: a sentence, or ''. */
  readonly reason: string;
  /** Whether it has a fault and cannot continue. */
  readonly failed: boolean;
  /** Of the audio thread. Dispatches 'load' when it changes. */
  readonly load: Pick<Load, 'mean' | 'p99' | 'worst'>;
  readonly dropouts: {readonly underflows: number; readonly overruns: number};
  start(): Promise<void>;
  suspend(): Promise<void>;
}

/** Where a model gets its client. */
export interface EngineSource {
  readonly kind: EngineKind;
  /** Shown on the page: "this page", or the address of a daemon. */
  readonly name: string;
  /** Opens the engine. Is called again after a failure. */
  connect(signal: AbortSignal): Promise<Client>;
  /** Of an engine in the page, after connect(). */
  readonly audio?: PageAudio;
}

/** A parameter is NODE.PARAMETER, such as "osc.gain_db". */
export type Values = Readonly<Record<string, number>>;

/** Dropouts since the device was opened, as the daemon counts them. */
export interface Dropouts { late: number; xruns: number }

export interface ModelEvents {
  /** The graph or values of parameters have changed, or whether they are acknowledged. At most once in an animation frame. */
  graph: Event;
  /** Mute, volume, device, load, dropouts. */
  status: Event;
  connection: Event;
  scenes: Event;
  /** The steps that undo() and redo() would take. */
  history: Event;
  notices: Event;
  /** A node was renamed: {from, to}. Precedes 'graph'. */
  renamed: CustomEvent<{from: string; to: string}>;
}

/** Another attempt with the same token is refused, too. */
const FINAL: readonly unknown[] = ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'INVALID_ARGUMENT', 'FAILED_PRECONDITION'];
const PAUSE_MS = {first: 250, longest: 5000};
const STATUS_EVERY_MS = 5000;
const LOAD_RATE_HZ = 2;
const HISTORY_AFTER_MS = 250;
const EMPTY_GRAPH: MirrorGraph =
  {nodes: new Map(), connections: new Map(), latency_compensation: false, title: '', description: ''};
const VOLUME = 'volume_db';

/** What a fresh engine gets from one that has failed. */
interface Restored {
  readonly graph: MirrorGraph;
  readonly volumeDb: number;
  readonly muted: boolean;
}

export interface ModelOptions {
  /** Calls back in the next animation frame. Default: that of the browser. */
  frame?: (callback: () => void) => void;
  visibility?: Visibility;
}

export class EngineModel extends EventTarget {
  /** null until the engine is open. Views use the methods of the model, which report refusals. */
  client: Client | null = null;
  source: EngineSource | null = null;
  connection: Connection = 'connecting';
  /** Why the connection is lost or refused: a sentence, or ''. */
  reason = '';
  types: ReadonlyMap<string, NodeType> = new Map();
  graph: MirrorGraph = EMPTY_GRAPH;
  status: StatusResult | null = null;
  load: Pick<Load, 'mean' | 'p99' | 'worst'> | null = null;
  dropouts: Dropouts = {late: 0, xruns: 0};
  scenes: readonly SceneInfo[] = [];
  /** The steps of this author that undo() and redo() take next. */
  undoStep: HistoryStep | null = null;
  redoStep: HistoryStep | null = null;
  /** Whether the engine was opened by restart(): its graph is what it is meant to be, also if it is empty. */
  restarted = false;
  readonly notices = new Notices();

  readonly #frame: (callback: () => void) => void;
  readonly #telemetry: Telemetry;
  readonly #values: PendingValues;
  readonly #volume: PendingValues;
  readonly #responses: FrequencyResponses;
  /** What was asked for and is not answered. */
  readonly #open = new Set<string>();
  #unanswered: string[] = [];
  #mirror: Mirror | null = null;
  #opened: AbortController | null = null;
  /** Of the engine that has failed. */
  #kept: Restored | null = null;
  #graphEvent = false;
  #historyTimer: ReturnType<typeof setTimeout> | undefined;

  constructor({frame = nextFrame, visibility}: ModelOptions = {}) {
    super();
    this.#frame = frame;
    this.#telemetry = new Telemetry((error) => this.#report('Levels are not shown', error), visibility);
    this.#responses = new FrequencyResponses(this);
    this.notices.addEventListener('change', () => this.#dispatch('notices'));
    const common = {frame, changed: () => this.#graphChanged(), isLoss: (error: unknown) => this.#isLoss(error)};
    this.#values = new PendingValues({...common,
      send: (values, ramp_ms) => committed(this.#connected().set(values, ramp_ms === undefined ? {} : {ramp_ms})),
      failed: (names, error, lost) => { if (!lost) this.#report(`${listed(names)} not changed`, error); }});
    this.#volume = new PendingValues({...common,
      changed: () => this.#dispatch('status'),
      send: (values) => committed(this.#connected().volume(values[VOLUME]!)),
      failed: (_, error, lost) => { if (!lost) this.#report('Volume not changed', error); }});
  }

  get kind(): EngineKind { return this.source?.kind ?? 'page'; }
  /** read, control or admin; '' until the engine is open. */
  get role(): string { return this.client?.hello?.role ?? ''; }
  get canEdit(): boolean { return this.whyReadOnly === ''; }
  /** Why the controls are disabled: a sentence, or '' if they are not. */
  get whyReadOnly(): string {
    if (this.connection === 'connecting') return 'The engine is not open yet.';
    if (this.connection === 'lost') return 'The connection is lost. Changes are possible again when it is back.';
    if (this.connection === 'failed') return 'The engine of this page has failed. Restart it.';
    if (this.connection === 'refused') return this.kind === 'page' ? 'The engine of this page cannot run.' : 'The daemon does not accept this page.';
    if (this.role === 'read') return 'The token of this page has the role read: it shows the engine and changes nothing.';
    return '';
  }
  get muted(): boolean { return this.status?.engine?.output_muted ?? false; }
  /** Volume of the device output in dB: what was set last, also before it is acknowledged. */
  get volumeDb(): number { return this.#volume.get(VOLUME) ?? this.status?.engine?.output_volume_db ?? 0; }
  /** Number of edits without an answer. */
  get unacknowledged(): number { return this.#open.size + this.#values.unacknowledged + this.#volume.unacknowledged; }

  /** Opens an engine in place of the current one, which is closed. */
  open(source: EngineSource, restored: Restored | null = null): void {
    this.close();
    const opened = new AbortController();
    this.#opened = opened;
    this.source = source;
    this.restarted = restored !== null;
    this.#connect('connecting', '');
    void this.#run(source, opened.signal, restored);
  }

  /**
   * Opens a fresh engine in place of the failed one of the page, with the graph of that one or an empty one, and starts the sound.
   * To be called for a click or a key.
   */
  restart({empty = false}: {empty?: boolean} = {}): void {
    const {source, connection} = this;
    if (source === null || connection !== 'failed' || this.#kept === null) return;
    this.open(source, empty ? {...this.#kept, graph: EMPTY_GRAPH} : this.#kept);
  }

  /** Disconnects. A daemon keeps playing. */
  close(): void {
    this.#opened?.abort(new Error('closed'));
    this.#opened = null;
    this.#telemetry.attach(null);
    this.#values.clear();
    this.#volume.clear();
    this.client?.close();
    this.#mirror = null;
    clearTimeout(this.#historyTimer);
    Object.assign(this, {client: null, types: new Map(), graph: EMPTY_GRAPH, status: null, load: null, scenes: [],
      dropouts: {late: 0, xruns: 0}, undoStep: null, redoStep: null});
    for (const name of ['graph', 'status', 'scenes', 'history'] as const) this.#dispatch(name);
  }

  /** Starts the engine in the page. To be called for a click or a key. */
  start(): Promise<void> { return this.#audio('Could not start the sound', (audio) => audio.start()); }
  /** Suspends the engine in the page, which keeps its state. */
  suspend(): Promise<void> { return this.#audio('Could not stop the sound', (audio) => audio.suspend()); }

  // --- Edits ---------------------------------------------------------------------------------------------------------

  /**
   * Applies a transaction. `what` says in the imperative what it does: "connect osc to out". Resolves to null if it was
   * refused, which is reported.
   */
  edit(change: Change, what: string, options: {confirm_within_s?: number} = {}): Promise<TransactionResult | null> {
    return this.ask(what, (client) => client.transaction(change, options));
  }

  /**
   * Sets parameters in the next animation frame. Values that are set together are one gesture, which is one step of the
   * history; value() has them immediately.
   */
  set(values: Values, {ramp_ms}: {ramp_ms?: number} = {}): void {
    if (!this.#mayEdit('change parameters')) return;
    this.#values.set(values, ramp_ms);
  }

  /** Returns a parameter: what was set last, also before it is acknowledged; undefined if it does not exist. */
  value(node: string, parameter: string): number | undefined {
    const value = this.#values.get(`${node}.${parameter}`);
    return value ?? this.graph.nodes.get(node)?.parameters[parameter];
  }

  /** Whether the connection was lost before a value was acknowledged: it may or may not be in effect. */
  isUncertain(node: string, parameter: string): boolean { return this.#values.isLost(`${node}.${parameter}`); }

  undo(): Promise<unknown> {
    return this.ask('undo', (client) => client.undo());
  }
  redo(): Promise<unknown> {
    return this.ask('redo', (client) => client.redo());
  }
  mute(muted: boolean): Promise<unknown> {
    return this.ask(muted ? 'mute the output' : 'unmute the output', (client) => client.mute(muted));
  }
  panic(): Promise<unknown> {
    return this.ask('panic', (client) => client.panic());
  }
  /** Sets the volume of the device output in the next animation frame. */
  setVolume(volume_db: number): void {
    if (this.#mayEdit('change the volume')) this.#volume.set({[VOLUME]: volume_db});
  }
  saveScene(name: string): Promise<SceneInfo | null> {
    return this.ask(`save the scene ${name}`, (client) => client.saveScene(name));
  }
  recallScene(name: string, fade_ms?: number): Promise<unknown> {
    const options = fade_ms === undefined ? {} : {fade_ms};
    return this.ask(`recall the scene ${name}`, (client) => client.recallScene(name, options));
  }
  renameScene(name: string, new_name: string): Promise<SceneInfo | null> {
    return this.ask(`rename the scene ${name}`, (client) => client.renameScene(name, new_name));
  }
  removeScene(name: string): Promise<SceneInfo | null> {
    return this.ask(`remove the scene ${name}`, (client) => client.removeScene(name));
  }

  /**
   * Sends any request that changes something. While it is not answered, it counts as unacknowledged. Resolves to null if it
   * was refused, which is reported with the sentence of the engine.
   */
  async ask<T>(what: string, call: (client: Client) => Promise<T>): Promise<T | null> {
    if (!this.#mayEdit(what)) return null;
    const client = this.#connected();
    const entry = `${what} (${++asked})`;
    this.#open.add(entry);
    this.#dispatch('status');
    try {
      return await committed(call(client));
    } catch (error) {
      if (this.#isLoss(error)) this.#unanswered.push(what); else this.#report(`Could not ${what}`, error);
      return null;
    } finally {
      this.#open.delete(entry);
      this.#dispatch('status');
    }
  }

  /** Sends a request that only reads. Resolves to null if it fails, which is not reported. */
  async read<T>(call: (client: Client) => Promise<T>): Promise<T | null> {
    try {
      return this.client && this.#isOpen() ? await call(this.client) : null;
    } catch {
      return null;
    }
  }

  // --- Measurements --------------------------------------------------------------------------------------------------

  /** Measures an output port, with its spectrum if wanted, until the returned function is called. */
  watchPort(port: string, spectrum: boolean, callback: PortCallback): () => void {
    return this.#telemetry.watchPort(port, spectrum, callback);
  }

  /** Delivers the levels of the device output, of meters and of gain reductions until the returned function is called. */
  watchLevels(callback: LevelsCallback): () => void { return this.#telemetry.watchLevels(callback); }

  /**
   * Delivers the frequency response of a node, or of a path, now and after each change of the graph, until the returned
   * function is called. null: it has none.
   */
  watchResponse(of: ResponseOf, callback: (response: FrequencyResponseResult | null) => void): () => void {
    return this.#responses.watch(of, callback);
  }

  // --- Following the engine ------------------------------------------------------------------------------------------

  async #run(source: EngineSource, signal: AbortSignal, restored: Restored | null): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      let client: Client | null = null;
      try {
        client = await source.connect(signal);
        if (signal.aborted) return client.close();
        this.client = client;
        if (restored) await this.#restore(client, restored);
        await this.#follow(source, client, signal);
        return;
      } catch (error) {
        client?.close();
        if (signal.aborted) return;
        if (source.audio?.failed) return this.#fail(source.audio, restored);
        if (FINAL.includes(codeOf(error))) return this.#connect('refused', sentence(error));
        this.#connect(attempt === 0 && !this.#mirror ? 'connecting' : 'lost', sentence(error));
        await pause(attempt, signal);
      }
    }
  }

  /** Gives a fresh engine what the failed one had, and starts it. */
  async #restore(client: Client, {graph, volumeDb, muted}: Restored): Promise<void> {
    await client.volume(volumeDb);
    if (muted) await client.mute();
    try {
      await client.load(messageOf(graph));
    } catch (error) {
      if (this.source?.audio?.failed) throw error;
      this.#report('The graph was not restored', error);
    }
    await this.start();
  }

  /** Keeps what the page shows, for restart(). */
  #fail(audio: PageAudio, restored: Restored | null): void {
    this.#telemetry.attach(null);
    // An engine that has failed while it was opened has nothing of its own.
    this.#kept = restored && this.#mirror === null ? restored : {graph: this.graph, volumeDb: this.volumeDb, muted: this.muted};
    this.graph = this.#kept.graph;
    this.#connect('failed', audio.reason);
  }

  /** Shows the engine until it is closed. Rejects when the daemon refuses this page, or cannot be read. */
  async #follow(source: EngineSource, client: Client, signal: AbortSignal): Promise<void> {
    const mirror = await client.mirror({signal});
    this.#mirror = mirror;
    const {audio} = source;
    const suspended = (): void => { if (this.#isOpen() && !audio?.failed) this.#connect(this.#openState(source)); };
    const loaded = (): void => { if (audio) this.#takeLoad(audio); };
    audio?.addEventListener('statechange', suspended);
    audio?.addEventListener('load', loaded);
    let instance = '';
    let connected = false;
    try {
      for await (const {graph} of mirror.changes()) {
        if (mirror.connected && !connected) {
          await this.#begin(client, instance !== '' && instance !== mirror.instance_id, instance !== '');
          instance = mirror.instance_id;
          this.graph = graph;
          this.#connect(this.#openState(source));
          this.#settle();
        } else if (!mirror.connected && connected) {
          this.#telemetry.attach(null);
          this.#connect('lost');
        }
        connected = mirror.connected;
        this.graph = graph;
        this.#values.reconcile((name) => this.#inGraph(name));
        this.#graphChanged();
      }
    } finally {
      audio?.removeEventListener('statechange', suspended);
      audio?.removeEventListener('load', loaded);
    }
  }

  #openState(source: EngineSource): Connection { return source.audio?.state === 'suspended' ? 'suspended' : 'running'; }
  #isOpen(): boolean { return this.connection === 'running' || this.connection === 'suspended'; }

  /** Reads what the mirror does not have, and subscribes. */
  async #begin(client: Client, restarted: boolean, again: boolean): Promise<void> {
    if (restarted || this.types.size === 0) {
      this.types = new Map((await client.nodeTypes()).map((type) => [type.name, type]));
    }
    this.#take(await client.status());
    this.reason = '';
    if (restarted) this.notices.add('info', `${this.source?.name ?? 'The daemon'} was started again. The graph was read again.`);
    else if (again) this.notices.add('info', `The connection to ${this.source?.name ?? 'the daemon'} is back.`);
    void this.#followEvents(client);
    this.#telemetry.attach(client);
    this.#historyChanged();
    await this.#readScenes();
  }

  async #followEvents(client: Client): Promise<void> {
    const poll = setInterval(() => void this.#readStatus(client), STATUS_EVERY_MS);
    (poll as {unref?: () => void}).unref?.();
    try {
      // A connection has the highest rate of its streams: that of the levels while they are wanted, otherwise this one.
      const topics = ['TOPIC_CHANGES', 'TOPIC_LOAD', 'TOPIC_XRUNS'] as const;
      for await (const event of client.events({topics, telemetry_rate_hz: LOAD_RATE_HZ})) this.#takeEvent(event);
    } catch (error) {
      // The mirror reports that the connection is lost, but not why.
      if (this.client === client) this.reason = sentence(error);
    } finally {
      clearInterval(poll);
    }
  }

  #takeEvent(event: EngineEvent): void {
    const engine = this.status?.engine;
    if (event.load) this.load = this.source?.audio?.load ?? event.load;
    else if (event.xruns?.counts) this.#count(event.xruns.counts);
    else if (event.output_muted && engine) engine.output_muted = event.output_muted.muted;
    else if (event.output_volume_changed && engine) {
      engine.output_volume_db = event.output_volume_changed.volume_db;
      this.#volume.reconcile(() => engine.output_volume_db);
    } else if (event.device_changed && this.client) void this.#readStatus(this.client);
    else if (event.scene_changed) void this.#readScenes();
    else if (event.node_faulted) {
      this.notices.add('error', `${event.node_faulted.node} produced an invalid number. It is silent until it has been rebuilt.`);
    } else if (event.graph_changed) {
      for (const {rename_node: renamed} of event.graph_changed.edits) {
        if (renamed) this.#dispatch('renamed', {from: renamed.name, to: renamed.new_name});
      }
      return this.#historyChanged();
    } else if (event.parameters_changed) {
      return this.#historyChanged();
    }
    this.#dispatch('status');
  }

  #take(status: StatusResult): void {
    this.status = status;
    if (this.source?.audio) return this.#takeLoad(this.source.audio);
    this.load = status.load ?? this.load;
    this.dropouts = {late: Number(status.device?.late_blocks ?? 0), xruns: Number(status.device?.xruns ?? 0)};
    this.#dispatch('status');
  }

  #takeLoad(audio: PageAudio): void {
    this.load = audio.load;
    this.dropouts = {late: audio.dropouts.overruns, xruns: audio.dropouts.underflows};
    this.#dispatch('status');
  }

  async #audio(what: string, act: (audio: PageAudio) => Promise<void>): Promise<void> {
    const audio = this.source?.audio;
    if (audio) await act(audio).catch((error: unknown) => this.#report(what, error));
  }

  #count(counts: NonNullable<NonNullable<EngineEvent['xruns']>['counts']>): void {
    const sum = (...numbers: (number | bigint)[]): number => numbers.reduce<number>((all, number) => all + Number(number), 0);
    this.dropouts = {
      late: this.dropouts.late + sum(counts.late_callbacks, counts.overruns),
      xruns: this.dropouts.xruns +
        sum(counts.input_underflows, counts.input_overflows, counts.output_underflows, counts.output_overflows),
    };
  }

  async #readStatus(client: Client): Promise<void> {
    const status = await this.read((open) => open.status());
    if (status && this.client === client) this.#take(status);
  }

  async #readScenes(): Promise<void> {
    const scenes = await this.client?.scenes().catch(() => []);
    this.scenes = scenes ?? [];
    this.#dispatch('scenes');
  }

  #historyChanged(): void {
    if (this.#historyTimer !== undefined) return;
    this.#historyTimer = setTimeout(() => {
      this.#historyTimer = undefined;
      void this.#readHistory();
    }, HISTORY_AFTER_MS);
    (this.#historyTimer as {unref?: () => void}).unref?.();
  }

  async #readHistory(): Promise<void> {
    const author = this.client?.hello?.author;
    const steps = (await this.read((client) => client.history({steps: 50}))) ?? [];
    const own = steps.filter((step) => step.author === author);
    this.undoStep = own.find((step) => !step.undone) ?? null;
    // A new change of the author ends redo.
    const newest = own.findIndex((step) => !step.undone);
    this.redoStep = own.slice(0, newest < 0 ? own.length : newest).at(-1) ?? null;
    this.#dispatch('history');
  }

  /** After a connection is back: reports what was not acknowledged and is not in the graph. */
  #settle(): void {
    const values = this.#values.settle((name) => this.#inGraph(name));
    this.#volume.settle(() => this.status?.engine?.output_volume_db);
    if (values.length > 0) {
      this.notices.add('warning', `${listed(values)} not changed: the connection was lost before the engine had answered.`);
    }
    for (const what of this.#unanswered.splice(0)) {
      this.notices.add('warning', `The connection was lost before the engine had answered "${what}". Check whether it is done.`);
    }
  }

  // --- Helpers -------------------------------------------------------------------------------------------------------

  #inGraph(name: string): number | undefined {
    const [node = '', parameter = ''] = name.split('.');
    return this.graph.nodes.get(node)?.parameters[parameter];
  }

  #connected(): Client {
    if (!this.client) throw new Error('The engine is not open.');
    return this.client;
  }

  /** Whether the connection was lost before the answer, so that it is not known if the request took effect. */
  #isLoss(error: unknown): boolean { return codeOf(error) === 'UNAVAILABLE' && !this.client?.connected; }

  #mayEdit(what: string): boolean {
    if (this.canEdit) return true;
    this.notices.add('warning', `Could not ${what}. ${this.whyReadOnly}`);
    return false;
  }

  #report(what: string, error: unknown): void { this.notices.add('error', `${what}: ${sentence(error)}`); }

  #connect(connection: Connection, reason = this.reason): void {
    this.connection = connection;
    this.reason = connection === 'running' || connection === 'suspended' ? '' : reason;
    this.#dispatch('connection');
    this.#graphChanged();
  }

  #graphChanged(): void {
    if (this.#graphEvent) return;
    this.#graphEvent = true;
    this.#frame(() => {
      this.#graphEvent = false;
      this.#dispatch('graph');
    });
  }

  #dispatch(name: keyof ModelEvents, detail?: object): void {
    this.dispatchEvent(detail ? new CustomEvent(name, {detail}) : new Event(name));
  }
}

let asked = 0;

/** Returns a graph as a message, such as load() takes. */
function messageOf({nodes, connections, latency_compensation, title, description}: MirrorGraph): Input<Graph> {
  return {nodes: [...nodes.values()], connections: [...connections.values()], latency_compensation, title, description};
}

/** Calls back in the next animation frame; soon, if the page is hidden and has none. */
function nextFrame(callback: () => void): void {
  if (globalThis.document?.hidden === false) requestAnimationFrame(callback); else setTimeout(callback, 16);
}

function codeOf(error: unknown): unknown { return (error as Partial<RtaError> | null)?.code; }

/** Resolves also if a change is committed and does not begin to be heard in time, for example while no block is rendered. */
async function committed<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const {result} = error as Partial<RtaError>;
    if (codeOf(error) === 'DEADLINE_EXCEEDED' && result !== undefined) return result as T;
    throw error;
  }
}

function sentence(error: unknown): string { return error instanceof Error ? error.message : String(error); }

/** Returns "a, b and 3 others". */
function listed(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} others`;
}

/** Waits before the next attempt, at random, so that clients do not come back together. */
function pause(attempt: number, signal: AbortSignal): Promise<void> {
  const limit = Math.min(PAUSE_MS.first * 2 ** attempt, PAUSE_MS.longest);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limit * (0.5 + Math.random() / 2));
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, {once: true});
  });
}
