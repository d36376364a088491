// SPDX-License-Identifier: MIT
import {RtaError, checkOptions} from './errors.js';
import {Gap, GraphModel} from './graph_model.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** Another attempt with the same token and certificate is refused, too. */
const FINAL = ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'INVALID_ARGUMENT', 'FAILED_PRECONDITION'];

/** Returns how long to wait before attempt number `attempt`, from 0. At random, so that clients do not come back together. */
export function pauseMs(attempt, random = Math.random) {
  return Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS) * (0.5 + random() / 2);
}

/**
 * A live copy of the daemon's graph. After a lost connection, it connects again until it succeeds. If the daemon is the
 * same instance, it sends the changes that were missed, as far as it keeps them; otherwise the graph is read again.
 */
export class Mirror {
  #client;
  #number = 0n;
  #types = {instance_id: '', rows: null};
  #consistent = false;
  #version = 0;
  #watchers = new Set();
  #events = null;
  #closed = false;
  #endPause = () => {};
  #ignoreSignals = [];
  #first = {};

  static async start(client, {signal, ...others} = {}) {
    checkOptions(others, ['signal'], 'mirror()');
    const mirror = new Mirror(client, [client.closing, signal].filter(Boolean));
    await mirror.#started;
    return mirror;
  }

  #started = new Promise((resolve, reject) => { this.#first = {resolve, reject}; });

  /** The mirror ends with the reason of the first of `signals` that is aborted. */
  constructor(client, signals) {
    this.#client = client;
    /** The graph. Replaced, not changed, when it is read again. */
    this.graph = null;
    this.revision = 0;
    this.instance_id = '';
    this.connected = false;
    /** Why the mirror has ended, or null. */
    this.error = null;
    /** How often the graph was read, and how often a connection was resumed without reading it. */
    this.reads = 0;
    this.resumes = 0;
    for (const signal of signals) {
      const abort = () => this.#fail(signal.reason);
      signal.addEventListener('abort', abort);
      this.#ignoreSignals.push(() => signal.removeEventListener('abort', abort));
      if (signal.aborted) abort();
    }
    this.#follow();
  }

  /** Number of the latest change in the graph. */
  get change_number() { return this.#number <= Number.MAX_SAFE_INTEGER ? Number(this.#number) : this.#number; }

  /**
   * Yields this mirror now, and whenever it has changed since it was last asked for, or was connected or disconnected.
   * Changes in quick succession are yielded once.
   */
  async *changes() {
    const watcher = {wake: () => {}};
    this.#watchers.add(watcher);
    try {
      for (let seen = -1; !this.#closed;) {
        if (seen === this.#version) {
          await new Promise((resolve) => { watcher.wake = resolve; });
        } else {
          seen = this.#version;
          yield this;
        }
      }
    } finally {
      this.#watchers.delete(watcher);
    }
    if (this.error) throw this.error;
  }

  /** Stops following the daemon. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.connected = false;
    for (const ignore of this.#ignoreSignals) ignore();
    this.#events?.return();
    this.#endPause();
    this.#first.reject(new RtaError('UNAVAILABLE', 'the mirror is closed'));
    this.#notify();
  }

  async #follow() {
    let attempt = 0;
    while (!this.#closed) {
      let following = false;
      try {
        await this.#catchUp();
        following = true;
        attempt = 0;
        for await (const event of this.#events) this.#take(event);
      } catch (error) {
        // An event that does not fit: the graph is read again. A graph that is not understood is read again after a pause.
        if (following && error instanceof Gap) continue;
        await this.#lost(error, attempt);
        attempt += 1;
      } finally {
        this.#events?.return();
      }
    }
  }

  /** Subscribes, and reads the graph if it is not known to be current. */
  async #catchUp() {
    const resume = this.#consistent ? {resume_after: this.#number, resume_instance: this.instance_id} : undefined;
    this.#events = this.#client.events({topics: ['TOPIC_CHANGES'], resume});
    const {instance_id, change_number} = await this.#events.ready;
    if (this.#consistent && instance_id === this.instance_id && BigInt(change_number) === this.#number) {
      this.resumes += 1;
    } else {
      await this.#readGraph(instance_id);
    }
    if (this.#closed) throw new RtaError('UNAVAILABLE', 'the mirror is closed');
    this.connected = true;
    this.#first.resolve();
    this.#notify();
  }

  async #readGraph(instance_id) {
    if (this.#types.instance_id !== instance_id || this.#types.rows === null) {
      this.#types = {instance_id, rows: await this.#client.nodeTypes()};
    }
    const result = await this.#client.graph({content: 'GRAPH_CONTENT_MESSAGE'});
    const graph = new GraphModel(this.#types.rows);
    graph.replace(result.graph ?? {});
    Object.assign(this, {graph, revision: result.revision, instance_id});
    this.#number = BigInt(result.change_number);
    this.#consistent = true;
    this.reads += 1;
  }

  #take(event) {
    const number = BigInt(event.number);
    if (number <= this.#number) return;  // already in the graph
    this.#consistent = false;  // until the event has been applied
    if (number !== this.#number + 1n) throw new Gap(`change ${number} follows ${this.#number}`);
    this.#number = number;
    if (event.graph_changed) {
      event.graph_changed.edits.forEach((edit) => this.graph.apply(edit));
      this.revision = event.graph_changed.revision;
    } else if (event.parameters_changed) {
      event.parameters_changed.changes.forEach((change) => this.graph.set(change));
    }
    this.#consistent = true;
    this.#notify();
  }

  async #lost(error, attempt) {
    if (this.#closed) return;
    if (this.reads === 0 || FINAL.includes(error.code)) return this.#fail(error);
    this.connected = false;
    this.#notify();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pauseMs(attempt));
      this.#endPause = () => { clearTimeout(timer); resolve(); };
    });
  }

  /** Ends the mirror with an error. */
  #fail(error) {
    if (this.#closed) return;
    this.error = error;
    this.#first.reject(error);
    this.close();
  }

  #notify() {
    this.#version += 1;
    for (const watcher of this.#watchers) watcher.wake();
  }
}
