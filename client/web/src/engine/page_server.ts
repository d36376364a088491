// SPDX-License-Identifier: MIT
// What the sessions over one engine share: the order of their requests, subscriptions, changes, and scenes.
import {RtaError, TOPICS, messageAsReceived, type ErrorCode, type Event, type Requests} from 'rta-client/core';
import type {EngineChannel, EngineError, EngineEvent, EnginePortLevels, EngineReply} from './channel_types.js';
import {VERSION} from './generated/version.js';
import {Scenes, type SceneStorage} from './scenes.js';

/** Changes that are kept for clients that connect again. */
const MOST_KEPT = {events: 10_000, bytes: 16 << 20};
/** Without a block for so long, a change is answered although it has not begun. */
const STILL_MS = 500;
/** More than the engine's bound for the start of a transaction. */
const START_GRACE_MS = 1000;
/** Time between two attempts when the engine has no room, or between two questions whether something has happened. */
const PAUSE_MS = 10;
const DEFAULT_TIMEOUT_MS = 1000;
const LONGEST_TIMEOUT_MS = 60_000;
const RATE_HZ = {least: 1, most: 100, default: 10};
const MOST_WATCHES = 64;
/** Requests whose first step, and only one before the answer, is a command. */
const PIPELINED: ReadonlySet<string> = new Set(['apply_transaction', 'set_parameters', 'undo', 'redo', 'mute_output', 'set_volume',
  'reset_meters', 'check_graph', 'get_graph', 'get_history', 'get_frequency_response', 'list_node_types']);

/** What a client has asked for. */
export interface Subscription {
  topics: Set<string>;
  rate_hz: number;
  watches: Map<string, boolean>;
}

/** A client of a server. */
export interface PageClient {
  readonly name: string;
  readonly connected_ms: number;
  readonly telemetry: {number: number; dropped: number};
  subscription: Subscription | null;
  deliver(event: Event, bytes: number): void;
}

/** What the host of the engine knows. */
export interface HostState {
  /** Fields of DeviceState. */
  device?(): object;
  /** Fields of Load. */
  load?(): object;
  /** Where scenes stay when the page is left, such as localStorage. */
  storage?: SceneStorage;
}

/** The result of a request, which is executed; the answer may follow later. */
interface Executed {
  answer: Promise<object> | object;
}
type Content = {[name: string]: any};  // eslint-disable-line -- fields of a message, as requestAsReceived() returns them
type Handler = (client: PageClient, content: Content, timeoutMs: number | undefined) => Promise<Executed>;

interface Kept {
  event: Event;
  bytes: number;
}

const servers = new WeakMap<EngineChannel, PageServer>();
const sleep = (ms: number) => new Promise<void>((resolve) => { setTimeout(resolve, ms); });

/** Executes the requests of all sessions over one channel, one after the other. */
export class PageServer {
  /** Version of the engine: that of the package, which contains it. */
  readonly version = VERSION;
  readonly instance_id = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');

  #channel: EngineChannel;
  #host: HostState = {};
  #clients: PageClient[] = [];
  #scenes: Scenes;
  /** Ends with the latest request that has more than one command, or depends on what arrives. */
  #line: Promise<unknown> = Promise.resolve();
  /** Requests of one command that are not answered by the engine, the oldest first. */
  #flight = new Set<object>();
  #landed: Promise<unknown> = Promise.resolve();
  #start_ms = performance.now();

  #kept: Kept[] = [];
  #keptBytes = 0;
  #latest = 0;         // number of the latest change that has arrived
  #appliedSerial = 0;  // of the engine
  #appliedFrame = 0;
  #heard = new Map<number, number>();  // frames by revision
  #panic: {frame: number} | {error: EngineError} | null = null;
  #progress_ms = 0;    // time of the latest event
  #wakers = new Set<() => void>();

  /** Returns the server of a channel. */
  static of(channel: EngineChannel): PageServer {
    let server = servers.get(channel);
    if (server === undefined) {
      server = new PageServer(channel);
      servers.set(channel, server);
    }
    return server;
  }

  private constructor(channel: EngineChannel) {
    this.#channel = channel;
    this.#scenes = new Scenes((command) => this.#command(command));
    channel.onEvent = (event) => this.#take(event as EngineEvent);
  }

  /** Sets what the host knows. */
  set host(host: HostState) {
    this.#host = host;
    if (host.storage) this.#scenes.load(host.storage);
  }

  enter(client: PageClient): void { this.#clients.push(client); }

  leave(client: PageClient): void {
    this.#clients = this.#clients.filter((other) => other !== client);
    if (client.subscription) this.#run(() => this.#watch()).catch(() => {});
  }

  /** Sends telemetry that the host has measured, such as {load} or {xruns}. */
  publish(telemetry: {load?: object; xruns?: object}): void {
    const topic = telemetry.load ? 'TOPIC_LOAD' : 'TOPIC_XRUNS';
    this.#deliverTelemetry({number: 0, ...telemetry}, (subscription) => subscription.topics.has(topic));
  }

  /** Executes a request after all earlier ones, and resolves to its result. */
  async answer(client: PageClient, kind: keyof Requests, message: {[field: string]: unknown}): Promise<object> {
    const timeoutMs = message.timeout_ms as number | undefined;
    const limit = timeoutMs ?? DEFAULT_TIMEOUT_MS;
    if (limit < 1 || limit > LONGEST_TIMEOUT_MS) {
      throw new RtaError('INVALID_ARGUMENT', `timeout_ms is ${limit}; it must be from 1 to ${LONGEST_TIMEOUT_MS}`);
    }
    const handler = this.#handlers[kind];
    if (handler === undefined) throw new RtaError('UNIMPLEMENTED', `${kind} is not supported by an engine in a page: ${unsupported(kind)}`);
    const work = () => handler(client, message[kind] as Content, timeoutMs);
    const executed = await (PIPELINED.has(kind) ? this.#pipeline(work) : this.#run(work));
    return executed.answer;
  }

  /** Runs after everything that has been asked for before. */
  #run<T>(work: () => Promise<T>): Promise<T> {
    const result = Promise.all([this.#line, this.#landed]).then(work);
    this.#line = result.catch(() => {});
    return result;
  }

  /** Runs without waiting for the replies to commands before, whose order is kept: see #change(). */
  #pipeline<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#line.then(work);
    const settled = result.catch(() => {});
    this.#landed = Promise.all([this.#landed, settled]);
    return result;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The engine

  /** Sends a command, and returns its reply. Throws the error of the engine. */
  async #command(command: object): Promise<EngineReply> {
    const reply = await this.#send(command);
    if (reply.error) throw errorOf(reply.error);
    return reply;
  }

  async #send(command: object): Promise<EngineReply> { return await this.#channel.send(withText(command) as object) as EngineReply; }

  /**
   * Sends a change of a client, again while the engine has no room. Changes that are sent before the replies to earlier ones are
   * pipelined: the engine refuses them as long as an earlier one has to be sent again.
   */
  async #change(client: PageClient, command: object, timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<EngineReply> {
    this.#flight.add(command);
    try {
      return await this.#repeat(client, command, timeoutMs);
    } finally {
      this.#flight.delete(command);
    }
  }

  async #repeat(client: PageClient, command: object, timeoutMs: number): Promise<EngineReply> {
    const start = performance.now();
    for (;;) {
      const [oldest] = this.#flight;
      const reply = await this.#send({...command, client_name: client.name, utc_us: Date.now() * 1000, now_ms: performance.now(),
        instance_id: this.instance_id, pipelined: command !== oldest});
      if (!reply.error) return reply;
      if (!reply.retry) throw errorOf(reply.error);
      if (performance.now() - start >= timeoutMs) {
        throw errorOf({...reply.error, message: `${reply.error.message}; timed out after ${timeoutMs} ms (timeout_ms)`});
      }
      await sleep(PAUSE_MS);
    }
  }

  #take(event: EngineEvent): void {
    if (event.applied) {
      this.#appliedSerial = event.applied.serial;
      this.#appliedFrame = event.applied.frame;
      this.#progress_ms = performance.now();
    } else if (event.panic_failed) {
      this.#panic = {error: event.panic_failed};
    } else if (event.levels) {
      this.#deliverTelemetry({number: 0, levels: event.levels}, (subscription) => subscription.topics.has('TOPIC_LEVELS'));
    } else if (event.port_levels) {
      this.#deliverPorts(event.port_levels);
    } else if (event.number !== undefined) {
      this.#takeChange(event);
    }
    for (const wake of [...this.#wakers]) wake();
  }

  #takeChange(change: EngineEvent): void {
    const {event, bytes} = messageAsReceived({event: change}) as {event: Event; bytes: number};
    this.#latest = change.number!;
    if (change.transaction_heard) this.#noteHeard(change.transaction_heard);
    if (change.panicked) this.#panic = change.panicked;
    this.#kept.push({event, bytes});
    this.#keptBytes += bytes;
    while (this.#kept.length > MOST_KEPT.events || (this.#keptBytes > MOST_KEPT.bytes && this.#kept.length > 1)) {
      this.#keptBytes -= this.#kept.shift()!.bytes;
    }
    for (const client of this.#clients) {
      if (client.subscription?.topics.has('TOPIC_CHANGES')) client.deliver(event, bytes);
    }
  }

  #noteHeard({revision, frame}: {revision: number; frame: number}): void {
    this.#heard.set(revision, frame);
    if (this.#heard.size > MOST_KEPT.events) this.#heard.delete(this.#heard.keys().next().value!);
  }

  #deliverTelemetry(content: object, wanted: (subscription: Subscription) => boolean): void {
    const clients = this.#clients.filter(({subscription}) => subscription !== null && wanted(subscription));
    if (clients.length === 0) return;
    const {event, bytes} = messageAsReceived({event: content}) as {event: Event; bytes: number};
    for (const client of clients) client.deliver(event, bytes);
  }

  /** Spectra are too long for messageAsReceived(). */
  #deliverPorts(levels: EnginePortLevels): void {
    for (const client of this.#clients) {
      const watches = client.subscription?.watches;
      if (!watches || watches.size === 0) continue;
      const ports = levels.ports.filter(({port}) => watches.has(port)).map(({port, channels, spectra = []}) => ({
        port,
        channels: channels.map(({peak_db, rms_db}) => ({peak_db: Math.fround(peak_db), rms_db: Math.fround(rms_db)})),
        spectra: watches.get(port) ? spectra.map(spectrumOf) : [],
      }));
      const bytes = ports.reduce((sum, {channels, spectra}) => sum + 40 + 10 * channels.length + 4100 * spectra.length, 20);
      const {frame, frame_count} = levels;
      client.deliver({number: 0, telemetry_number: 0, telemetry_dropped: 0, port_levels: {frame, frame_count, ports}}, bytes);
    }
  }

  /**
   * Resolves when the condition holds, to true, or to false when no block was rendered for 500 ms, or at the deadline. Meanwhile it
   * asks the engine, which has its turn then, although the context of the page may not run.
   */
  async #until(condition: () => boolean, deadline_ms: number = Infinity): Promise<boolean> {
    let progress = performance.now();
    let frame = -1;
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const done = () => { clearTimeout(timer); this.#wakers.delete(done); resolve(); };
        const timer = setTimeout(done, PAUSE_MS);
        this.#wakers.add(done);
      });
      if (condition()) return true;
      const {engine} = (await this.#command({get_state: {}})).result as {engine: {frame: number}};
      const now = performance.now();
      if (engine.frame !== frame) progress = now;
      frame = engine.frame;
      if (now - Math.max(progress, this.#progress_ms) >= STILL_MS || now >= deadline_ms) return condition();
    }
    return true;
  }

  /** Resolves to the result with the frame at which the command of the engine was applied. */
  async #whenApplied(result: object, serial: number, message: string): Promise<object> {
    if (await this.#until(() => this.#appliedSerial >= serial)) return {...result, frame: this.#appliedFrame};
    throw new RtaError('DEADLINE_EXCEEDED', message, {result});
  }

  /** Resolves to the result with the frame at which the transaction begins to be heard. */
  async #whenHeard(result: Content, timeoutMs: number | undefined, wrap: (result: object) => object): Promise<object> {
    const {revision, starts_within_ms = 0} = result as {revision: number; starts_within_ms?: number};
    const limit = timeoutMs ?? starts_within_ms + START_GRACE_MS;
    const start = performance.now();
    if (await this.#until(() => this.#heard.has(revision), start + limit)) return wrap({...result, frame: this.#heard.get(revision)});
    const late = performance.now() - start >= limit
      ? `it did not start within ${limit} ms${timeoutMs === undefined ? '' : ' (timeout_ms)'}` +
        (starts_within_ms >= limit ? `; it starts at most ${starts_within_ms} ms after the commit` : '')
      : `no block of audio was rendered for ${STILL_MS} ms`;
    throw new RtaError('DEADLINE_EXCEEDED', `committed as revision ${revision}, but not heard yet: ${late}`, {result: wrap(result)});
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Requests

  /** Answers with the result of a command. */
  #ask(kind: string): Handler {
    return async (client, content) => {
      const {result} = await this.#change(client, {[kind]: content});
      return {answer: result!};
    };
  }

  /** Commits a transaction by a command. `wrap` makes the result of a transaction that of the request. */
  async #transact(client: PageClient, command: object, content: Content, timeoutMs: number | undefined,
                  wrap: (result: object) => object = (result) => result): Promise<Executed> {
    const reply = await this.#change(client, command, timeoutMs);
    const result = reply.result!;
    return {answer: content.wait_for_start ? awaitedLater(this.#whenHeard(result, timeoutMs, wrap)) : wrap(result)};
  }

  /** Answers when the engine has applied a command. */
  #apply(kind: string, message: string): Handler {
    return async (client, content, timeoutMs) => {
      refuse(content, ['at']);
      const reply = await this.#change(client, {[kind]: content}, timeoutMs);
      return {answer: awaitedLater(this.#whenApplied(reply.result!, reply.serial!, message))};
    };
  }

  readonly #handlers: {[kind: string]: Handler | undefined} = {
    get_status: async () => ({answer: await this.#status()}),
    list_node_types: this.#ask('list_node_types'),
    get_graph: async (client, content) => {
      const kinds = ['GRAPH_CONTENT_UNSPECIFIED', 'GRAPH_CONTENT_MESSAGE', 'GRAPH_CONTENT_DOCUMENT'];
      const {content: wanted} = content;
      return this.#ask('get_graph')(client, {...content, content: typeof wanted === 'number' ? wanted : kinds.indexOf(wanted)}, undefined);
    },
    apply_transaction: async (client, content, timeoutMs) => {
      refuse(content, ['at', 'max_load', 'confirm_within_s']);
      return this.#transact(client, {apply_transaction: content}, content, timeoutMs);
    },
    check_graph: this.#ask('check_graph'),
    set_parameters: this.#apply('set_parameters', 'committed, but not heard yet: no block of audio was rendered for 500 ms'),
    undo: (client, content, timeoutMs) => this.#undo('undo', client, content, timeoutMs),
    redo: (client, content, timeoutMs) => this.#undo('redo', client, content, timeoutMs),
    get_history: this.#ask('get_history'),
    mute_output: this.#apply('mute_output', 'started, but not finished: no block of audio was rendered for 500 ms'),
    set_volume: this.#apply('set_volume', 'started, but not finished: no block of audio was rendered for 500 ms'),
    panic: (client, content, timeoutMs) => this.#panicked(client, content, timeoutMs),
    reset_meters: this.#ask('reset_meters'),
    get_frequency_response: this.#ask('get_frequency_response'),
    get_time: async () => ({answer: await this.#time()}),
    subscribe: (client, content) => this.#subscribe(client, content),
    list_scenes: async () => ({answer: {scenes: this.#scenes.list()}}),
    save_scene: async (client, {name, nodes}) => {
      const scene = await this.#scenes.save(name, nodes);
      await this.#announceScene(client, {what: 'SAVED', scene});
      return {answer: {scene}};
    },
    rename_scene: async (client, {name, new_name}) => {
      const scene = await this.#scenes.rename(name, new_name);
      await this.#announceScene(client, {what: 'RENAMED', scene, old_name: name});
      return {answer: {scene}};
    },
    remove_scene: async (client, {name}) => {
      const scene = await this.#scenes.remove(name);
      await this.#announceScene(client, {what: 'REMOVED', scene});
      return {answer: {scene}};
    },
    get_scene: async (client, {name, with_graph, with_diff}) => {
      const {info, document} = await this.#scenes.find(name);
      const {result} = await this.#change(client, {read_scene: {document, partial: info.partial, with_graph, with_diff}});
      return {answer: {scene: info, ...result}};
    },
    recall_scene: (client, content, timeoutMs) => this.#recall(client, content, timeoutMs),
    list_pending: async () => ({answer: {edits: []}}),
  };

  async #undo(kind: 'undo' | 'redo', client: PageClient, content: Content, timeoutMs: number | undefined): Promise<Executed> {
    refuse(content, ['confirm_within_s']);
    return this.#transact(client, {[kind]: content}, content, timeoutMs);
  }

  async #panicked(client: PageClient, content: Content, timeoutMs: number | undefined): Promise<Executed> {
    this.#panic = null;
    await this.#change(client, {panic: content}, timeoutMs);
    // Later requests wait, as in the daemon mutes and panics do.
    if (!await this.#until(() => this.#panic !== null)) {
      throw new RtaError('DEADLINE_EXCEEDED', 'started, but not finished: no block of audio was rendered for 500 ms', {result: {}});
    }
    const outcome = this.#panic!;
    if ('error' in outcome) throw errorOf(outcome.error);
    return {answer: {frame: outcome.frame}};
  }

  async #recall(client: PageClient, content: Content, timeoutMs: number | undefined): Promise<Executed> {
    refuse(content, ['at', 'max_load', 'confirm_within_s']);
    const {name, fade_ms, guard} = content;
    const {info, document} = await this.#scenes.find(name, fade_ms);
    const start = performance.now();
    const wrap = (transaction: object) => ({transaction, was_prepared: false, prepare_ms: performance.now() - start});
    const executed = await this.#transact(client, {recall_scene: {name, document, partial: info.partial, fade_ms, guard}}, content,
      timeoutMs, wrap);
    const {engine} = (await this.#command({get_state: {}})).result as {engine: {revision: number}};
    await this.#announceScene(client, {what: 'RECALLED', scene: info, revision: engine.revision});
    return executed;
  }

  async #announceScene(client: PageClient, change: object): Promise<void> {
    const scene_changed = {...change, client_name: client.name, author: 'page'};
    await this.#command({publish: {event: JSON.stringify({scene_changed})}});
  }

  async #status(): Promise<object> {
    const {engine, device} = (await this.#command({get_state: {}})).result as {engine: object; device: object};
    const now = performance.now();
    return {
      server_version: this.version,
      instance_id: this.instance_id,
      uptime_s: (now - this.#start_ms) / 1000,
      device: {kind: 'web', name: 'this page', running: true, state: 'running', ...device, ...this.#host.device?.()},
      realtime: {scheduling: 'AudioWorklet'},
      engine,
      client_count: this.#clients.length,
      clients: this.#clients.map(({name, connected_ms, telemetry}) => ({
        name, address: 'this page', connected_s: (now - connected_ms) / 1000, telemetry_dropped: telemetry.dropped, role: 'admin', author: 'page'})),
      store: {},
      load: this.#host.load?.() ?? {},
    };
  }

  async #time(): Promise<object> {
    const {engine, device} = (await this.#command({get_state: {}})).result as
      {engine: {frame: number}; device: {sample_rate_hz: number}};
    return {frame: engine.frame, monotonic_ns: Math.round(performance.now() * 1e6), utc_us: Date.now() * 1000,
      sample_rate_hz: device.sample_rate_hz};
  }

  async #subscribe(client: PageClient, content: Content): Promise<Executed> {
    const subscription = subscriptionOf(content);
    const earlier = client.subscription;
    client.subscription = subscription;
    let change_number: number;
    try {
      ({change_number} = await this.#watch());
    } catch (error) {
      client.subscription = earlier;
      throw error;
    }
    client.subscription = earlier;
    // Changes that are on their way belong to the time before.
    await this.#until(() => this.#latest >= change_number);
    const after = this.#resumedAfter(content);
    client.subscription = subscription;
    const number = after ?? this.#latest;
    for (const {event, bytes} of this.#kept) {
      if (after !== undefined && Number(event.number) > after) client.deliver(event, bytes);
    }
    return {answer: {instance_id: this.instance_id, change_number: number, resumed: after !== undefined}};
  }

  /** Returns the number after which the changes continue, unless some are not kept. */
  #resumedAfter({resume_after, resume_instance}: Content): number | undefined {
    if (resume_after === undefined || resume_instance !== this.instance_id) return undefined;
    const first = this.#kept.length > 0 ? Number(this.#kept[0]!.event.number) : this.#latest + 1;
    return resume_after >= first - 1 && resume_after <= this.#latest ? resume_after : undefined;
  }

  /** Lets the engine measure what the clients have asked for. */
  #watch(): Promise<EngineReply> {
    const wanted = this.#clients.map(({subscription}) => subscription).filter((subscription) => subscription !== null);
    const rate = (subscriptions: Subscription[]) => subscriptions.length === 0 ? undefined : Math.max(...subscriptions.map(({rate_hz}) => rate_hz));
    const watches = new Map<string, boolean>();
    for (const {watches: ports} of wanted) {
      for (const [port, spectrum] of ports) watches.set(port, spectrum || (watches.get(port) ?? false));
    }
    return this.#command({watch: {
      levels_hz: rate(wanted.filter(({topics}) => topics.has('TOPIC_LEVELS'))),
      ports_hz: rate(wanted.filter(({watches: ports}) => ports.size > 0)),
      watches: [...watches].map(([port, spectrum]) => ({port, spectrum})),
    }});
  }
}

/** Returns what a Subscribe asks for. */
function subscriptionOf(content: Content): Subscription {
  const {topics, nodes, watches, telemetry_rate_hz: rate_hz = RATE_HZ.default} = content;
  const unknown = (topics as (string | number)[]).find((topic) => !TOPICS.includes(topic as never));
  if (unknown !== undefined) {
    const number = unknown === 'TOPIC_UNSPECIFIED' ? 0 : unknown;
    throw new RtaError('INVALID_ARGUMENT', `unknown topic ${number}: expected ` + TOPICS.slice(0, -1).map((name, i) => `${name} (${i + 1})`).join(', ') +
      ` or ${TOPICS.at(-1)} (${TOPICS.length})`);
  }
  if (!(rate_hz >= RATE_HZ.least && rate_hz <= RATE_HZ.most)) {
    throw new RtaError('INVALID_ARGUMENT', `telemetry_rate_hz is ${rate_hz}; it must be from ${RATE_HZ.least} to ${RATE_HZ.most}`);
  }
  if (nodes.length > 0) throw new RtaError('UNIMPLEMENTED', 'an engine in a page does not filter events by nodes: expected no nodes');
  const all = topics.length === 0 && watches.length === 0;
  const names = new Set<string>(all ? TOPICS.filter((topic) => topic !== 'TOPIC_NODE_LOADS') : topics);
  if (content.resume_after !== undefined && !names.has('TOPIC_CHANGES')) {
    throw new RtaError('INVALID_ARGUMENT', 'resume_after without TOPIC_CHANGES, whose events it counts');
  }
  if (content.resume_after !== undefined && content.resume_instance === '') {
    throw new RtaError('INVALID_ARGUMENT', 'resume_after without resume_instance: expected the instance_id that the number is of');
  }
  if (watches.length > MOST_WATCHES) {
    throw new RtaError('INVALID_ARGUMENT', `watches has ${watches.length} elements: expected at most ${MOST_WATCHES}`);
  }
  const ports = new Map<string, boolean>();
  for (const {port, spectrum} of watches) ports.set(port, spectrum || (ports.get(port) ?? false));
  return {topics: names, rate_hz, watches: ports};
}

/** Returns an answer that may be rejected before it is awaited, or that is not awaited because a later step fails. */
function awaitedLater(answer: Promise<object>): Promise<object> {
  answer.catch(() => {});
  return answer;
}

/** Refuses what only a daemon has. */
function refuse(content: Content, fields: string[]): void {
  const field = fields.find((name) => content[name] !== undefined);
  if (field !== undefined) throw new RtaError('UNIMPLEMENTED', `${field} is not supported by an engine in a page: expected a request without it`);
}

function unsupported(kind: string): string {
  if (kind.includes('token')) return 'it has no access tokens';
  if (kind.includes('device')) return 'select the device in the page or in the system';
  if (kind === 'confirm' || kind === 'revert') return 'it has no edits that wait for a confirmation; use undo';
  return 'it has no edits that wait for their time';
}

function errorOf({code, message, edit_index, conflict}: EngineError): RtaError {
  return new RtaError(code as ErrorCode, message, {editIndex: edit_index, conflict} as ConstructorParameters<typeof RtaError>[2]);
}

/** Returns the value with text in place of the numbers that JSON does not have. */
function withText(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(withText);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withText(member)]));
}

/** Returns a Spectrum, whose magnitudes the engine sends as bytes. */
function spectrumOf({band_hz, magnitudes_db}: {band_hz: number; magnitudes_db: string}): {magnitudes_db: number[]; band_hz: number} {
  const bytes = Uint8Array.from(atob(magnitudes_db), (character) => character.charCodeAt(0));
  return {magnitudes_db: [...new Float32Array(bytes.buffer)], band_hz: Math.fround(band_hz)};
}
