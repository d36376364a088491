// SPDX-License-Identifier: MIT
import {contentOf, parameterChanges} from './changes.js';
import {RtaError, checkOptions, invalid} from './errors.js';
import {Mirror} from './mirror.js';
import {Session} from './session.js';
import {Subscriptions} from './subscriptions.js';

const DEFAULT_DEADLINE_MS = 10_000;
const LONGEST_DEADLINE_MS = 2 ** 31 - 1;  // of setTimeout

/**
 * A client of one daemon. After the connection was lost, the next call connects again; requests are never sent twice.
 * Errors are rejected promises with an RtaError. core.d.ts describes every member.
 */
export class Client {
  #open;
  #greeting;
  #deadlineMs;
  #session = null;
  #opening = null;
  #closing = new AbortController();
  #subscriptions = new Subscriptions(this);

  /**
   * Connects. `open(signal)` resolves to {transport, peer, fingerprint}, or to {session, peer} with a function that takes the
   * listener and returns a session; `peer` names the daemon in errors, also before.
   */
  static async connect(open, {name = 'rta-client', token = '', deadlineMs = DEFAULT_DEADLINE_MS, signal, ...others} = {},
                       peer = 'rtad') {
    checkOptions(others, ['name', 'token', 'deadlineMs', 'signal'], 'connect()');
    const client = new Client(open, {name, token: checkedToken(token)}, checkedDeadline(deadlineMs), peer);
    await client.#connect(signal);
    return client;
  }

  constructor(open, greeting, deadlineMs, peer) {
    this.#open = open;
    this.#greeting = greeting;
    this.#deadlineMs = deadlineMs;
    /** What the daemon said in response to hello: its version, its instance, and what this client may do. */
    this.hello = null;
    /** Address of the daemon. */
    this.peer = peer;
    /** Fingerprint of the daemon's certificate, SHA256:...; null without TLS. */
    this.fingerprint = null;
  }

  get connected() { return this.#session !== null; }
  get closed() { return this.closing.aborted; }

  /** Sends any request, such as {get_status: {}}, and resolves to its result. */
  async call(request, {deadlineMs, signal, ...others} = {}) {
    checkOptions(others, ['deadlineMs', 'signal'], 'call()');
    const limit = checkedDeadline(deadlineMs ?? this.#deadlineMs + (Number(request?.timeout_ms) || 0));
    if (this.#session) return this.#session.call(request, {deadlineMs: limit, signal});
    const start = Date.now();
    await within(this.#connect(), limit, signal, `cannot connect to ${this.peer} within ${limit} ms`);
    return this.#connectedSession().call(request, {deadlineMs: Math.max(limit - (Date.now() - start), 1), signal});
  }

  status(options) { return this.call({get_status: {}}, options); }
  async devices(options) { return (await this.call({list_devices: {}}, options)).devices; }
  async nodeTypes(type = '', options = {}) { return (await this.call({list_node_types: {type}}, options)).types; }
  graph({content, nodes, ...options} = {}) { return this.call({get_graph: {content, nodes}}, options); }

  /** Changes the graph as a whole, or not at all. */
  async transaction(change, {wait_for_start, timeout_ms, guard, at, confirm_within_s, ...options} = {}) {
    const content = {...await contentOf(change), wait_for_start, guard, at: whenOf(at), confirm_within_s};
    return this.call({timeout_ms, apply_transaction: content}, options);
  }

  /** Replaces the graph by that of a document. */
  async load(document, options) {
    if (typeof document === 'function') throw invalid('invalid document: expected a graph, or the text of a document');
    return this.transaction(document, options);
  }

  /** Validates a change of the graph without committing it. */
  async check(change, {with_graph, with_diff, guard, ...options} = {}) {
    return this.call({check_graph: {...await contentOf(change), with_graph, with_diff, guard}}, options);
  }

  /** Changes parameters, all in one block. */
  async set(values, {ramp_ms, timeout_ms, guard, at, ...options} = {}) {
    const changes = parameterChanges(values, ramp_ms);
    return this.call({timeout_ms, set_parameters: {changes, guard, at: whenOf(at)}}, options);
  }

  /** Undoes the latest changes of this author. */
  undo({steps, force, of_all, wait_for_start, guard, confirm_within_s, timeout_ms, ...options} = {}) {
    return this.call({timeout_ms, undo: {steps, force, of_all, wait_for_start, guard, confirm_within_s}}, options);
  }

  /** Applies again what this author has undone. */
  redo({steps, force, of_all, wait_for_start, guard, confirm_within_s, timeout_ms, ...options} = {}) {
    return this.call({timeout_ms, redo: {steps, force, of_all, wait_for_start, guard, confirm_within_s}}, options);
  }

  /** Keeps the edit that waits for its confirmation. */
  async confirm({id, ...options} = {}) { return (await this.call({confirm: {id}}, options)).confirmation; }
  /** Reverts the edit that waits for its confirmation now. */
  revert({id, wait_for_start, timeout_ms, ...options} = {}) {
    return this.call({timeout_ms, revert: {id, wait_for_start}}, options);
  }

  /** Returns the changes of all authors, the latest first. */
  async history({steps, before, with_edits, ...options} = {}) {
    return (await this.call({get_history: {steps, before, with_edits}}, options)).steps;
  }

  mute(muted = true, options = {}) { return this.call({mute_output: {muted}}, options); }
  unmute(options) { return this.mute(false, options); }
  panic(options) { return this.call({panic: {}}, options); }

  /** Sets the volume of the device output: dB, or {add_db}. Without a change, returns it. */
  async volume(change, options) {
    if (change === undefined) return {volume_db: (await this.status(options)).engine.output_volume_db};
    return this.call({set_volume: typeof change === 'number' ? {volume_db: change} : change}, options);
  }

  /** Relates the engine's sample clock to CLOCK_MONOTONIC and UTC. */
  time(options) { return this.call({get_time: {}}, options); }
  /** Resolves to the edits that wait for their time, the earliest first. */
  async pending(options) { return (await this.call({list_pending: {}}, options)).edits; }
  /** Cancels an edit that waits for its time. */
  async cancel(id, options) { return (await this.call({cancel_pending: {id}}, options)).edit; }

  /** Saves the graph as a scene, or only these nodes. */
  async saveScene(name, {nodes, ...options} = {}) {
    return (await this.call({save_scene: {name, nodes}}, options)).scene;
  }

  /** Makes the graph that of a scene, as one transaction. */
  async recallScene(name, {fade_ms, wait_for_start, guard, at, confirm_within_s, force, timeout_ms, ...options} = {}) {
    const recall_scene = {name, fade_ms, wait_for_start, guard, at: whenOf(at), confirm_within_s, force};
    return this.call({timeout_ms, recall_scene}, options);
  }

  /** Resolves to all scenes, sorted by name. */
  async scenes(options) { return (await this.call({list_scenes: {}}, options)).scenes; }
  async renameScene(name, new_name, options) {
    return (await this.call({rename_scene: {name, new_name}}, options)).scene;
  }
  async removeScene(name, options) { return (await this.call({remove_scene: {name}}, options)).scene; }
  /** Returns the graph of a scene, and what a recall would change. */
  scene(name, {with_graph = true, with_diff = true, ...options} = {}) {
    return this.call({get_scene: {name, with_graph, with_diff}}, options);
  }

  /** Computes the frequency response of a node, or of a path {from, to}. */
  response(of, {frequencies_hz, ...options} = {}) {
    return this.call({get_frequency_response: {...(typeof of === 'string' ? {node: of} : of), frequencies_hz}}, options);
  }

  /** Changes the device; without `device`, opens the requested one again. */
  setDevice(device, options) { return this.call({set_device: {device}}, options); }
  /** Creates a one-time code, with which another client may enter, with this role or that of this client. */
  createCode(role = '', options = {}) { return this.call({create_code: {role}}, options); }
  resetMeters(nodes = [], options = {}) { return this.call({reset_meters: {nodes}}, options); }

  /** Subscribes to events, and returns them as an async iterable. It ends with an error when the connection is lost. */
  events(options) { return this.#subscriptions.open(options); }

  /** Subscribes to levels, and returns them as an async iterable. */
  async *meters({telemetry_rate_hz, signal} = {}) {
    for await (const event of this.events({topics: ['TOPIC_LEVELS'], telemetry_rate_hz, signal})) yield event.levels;
  }

  /** Subscribes to the levels of output ports, and returns them as an async iterable. */
  async *portLevels(watches, {telemetry_rate_hz, signal} = {}) {
    for await (const event of this.events({watches, telemetry_rate_hz, signal})) yield event.port_levels;
  }

  /** Resolves to a live copy of the graph, which survives lost connections. */
  mirror(options) { return Mirror.start(this, options); }

  /** Disconnects. Pending calls and events end with an error. */
  close() {
    if (this.closed) return;
    const error = closedError();
    this.#closing.abort(error);
    this.#session?.close(error);
    this.#subscriptions.end(error);
  }

  /** For Mirror: is aborted when the client is closed. */
  get closing() { return this.#closing.signal; }

  /** For Subscriptions: a stream has more room. */
  resume() { this.#session?.resume(); }

  #connectedSession() {
    return this.#session ?? (() => { throw new RtaError('UNAVAILABLE', `lost the connection to rtad at ${this.peer}`); })();
  }

  /** Connects. Callers that need a connection at the same time share it. */
  #connect(signal) {
    if (this.closed) return Promise.reject(closedError());
    this.#opening ??= this.#greet(signal).finally(() => { this.#opening = null; });
    return this.#opening;
  }

  /** Connects, unless `signal` is aborted or the client is closed. */
  async #greet(signal) {
    const abort = new AbortController();
    const causes = [this.closing, signal].filter(Boolean);
    const stop = () => abort.abort(causes.find(({aborted}) => aborted).reason);
    for (const cause of causes) cause.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    try {
      await this.#begin(abort);
    } finally {
      for (const cause of causes) cause.removeEventListener('abort', stop);
    }
  }

  /** Opens a transport, and greets the daemon. */
  async #begin(abort) {
    const start = Date.now();
    const {signal} = abort;
    const opened = this.#open(signal);
    const way = await within(opened, this.#deadlineMs, signal,
      `cannot connect to ${this.peer} within ${this.#deadlineMs} ms`).catch((error) => {
      abort.abort(error);
      opened.then((late) => discard(late, error), () => {});
      throw error;
    });
    const {peer, fingerprint = null} = way;
    let ended = false;
    const session = sessionOver(way, {
      deliver: (event, bytes) => this.#subscriptions.deliver(event, bytes),
      full: () => this.#subscriptions.full,
      end: (error) => {
        ended = true;
        if (this.#session !== session) return;
        this.#session = null;
        this.#subscriptions.end(error);
      }});
    this.peer = peer;
    this.fingerprint = fingerprint;
    try {
      const left = Math.max(this.#deadlineMs - (Date.now() - start), 1);
      this.hello = await session.greet({...this.#greeting, deadlineMs: left, signal});
      // A one-time code is used up: the token of its session takes its place.
      if (this.hello.session_token) this.#greeting = {...this.#greeting, token: this.hello.session_token};
      signal.throwIfAborted();
    } catch (error) {
      session.close(error);
      throw error;
    }
    if (!ended) this.#session = session;
  }
}

/** Returns the session of what was opened: the session that it provides, or one over its transport. */
function sessionOver({transport, session, peer}, listener) {
  return session ? session(listener) : new Session(transport, peer, listener);
}

/** Closes what was opened too late. */
function discard({transport, session}, error) {
  if (session) session({deliver() {}, full: () => false, end() {}}).close(error);
  else transport.close();
}

/** Returns the When of a time: {in_s}, {frame}, {utc_us} or a Date. */
function whenOf(at) {
  return at instanceof Date ? {utc_us: Math.round(at.getTime() * 1000)} : at;
}

function closedError() { return new RtaError('UNAVAILABLE', 'the client is closed'); }

/** Returns the token without the line end of its file. The error does not contain it. */
function checkedToken(token) {
  const text = typeof token === 'string' ? token.trim() : null;
  if (text !== null && /^[!-~]*$/.test(text)) return text;
  throw invalid('invalid token: expected text, as rtactl prints it');
}

function checkedDeadline(deadlineMs) {
  if (typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs <= LONGEST_DEADLINE_MS) return deadlineMs;
  throw invalid(`invalid deadline of ${deadlineMs} ms: expected a number above 0, at most ${LONGEST_DEADLINE_MS}`);
}

/** Rejects when the deadline has passed, or the signal is aborted, before the promise is settled. */
function within(promise, deadlineMs, signal, message) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) reject(signal.reason);
    const timer = setTimeout(() => reject(new RtaError('DEADLINE_EXCEEDED', message)), deadlineMs);
    const abort = () => reject(signal.reason);
    signal?.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    });
  });
}
