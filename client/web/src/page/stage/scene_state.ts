// SPDX-License-Identifier: MIT
// Which scene the graph is: the one that was recalled or saved last, and whether the graph has changed since.
import type {Client, Event as EngineEvent, SceneInfo} from 'rta-client/core';

/** What the state is found from: the model. Dispatches 'graph', 'scenes' and 'connection'. */
interface Engine extends EventTarget {
  readonly client: Client | null;
  readonly connection: string;
  readonly scenes: readonly SceneInfo[];
  read<T>(call: (client: Client) => Promise<T>): Promise<T | null>;
}

/** A change of the graph is compared with the scene after this time without further changes. */
const QUIET_MS = 300;
/** The most scenes that are compared with the graph when the page does not know which of them it is. */
const MOST_COMPARED = 16;

/**
 * Follows the scenes of an engine. `current` is the scene that was recalled or saved last, by any client, while the page
 * was connected; before that, the scene that equals the graph. `changed` is whether a recall of it would change the graph.
 * Dispatches 'change'.
 */
export class SceneState extends EventTarget {
  current = '';
  changed = false;

  readonly #engine: Engine;
  readonly #graphChanged = (): void => this.#compareLater();
  readonly #scenesChanged = (): void => void this.#search();
  readonly #connectionChanged = (): void => this.#follow();
  #client: Client | null = null;
  #stop: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #comparing = false;
  #again = false;
  #searched = false;

  constructor(engine: Engine) {
    super();
    this.#engine = engine;
  }

  start(): void {
    this.#engine.addEventListener('graph', this.#graphChanged);
    this.#engine.addEventListener('connection', this.#connectionChanged);
    this.#engine.addEventListener('scenes', this.#scenesChanged);
    this.#follow();
  }

  stop(): void {
    this.#engine.removeEventListener('graph', this.#graphChanged);
    this.#engine.removeEventListener('connection', this.#connectionChanged);
    this.#engine.removeEventListener('scenes', this.#scenesChanged);
    clearTimeout(this.#timer);
    this.#stop?.abort();
    this.#stop = null;
    this.#client = null;
  }

  /** Another client of the engine, or the same one connected again: events that were missed are not known. */
  #follow(): void {
    const {client, connection} = this.#engine;
    const open = connection === 'running' || connection === 'suspended';
    if (!open || !client || (client === this.#client && this.#stop)) {
      if (!open) this.#stop = null;
      return;
    }
    if (client !== this.#client) {
      this.#searched = false;
      this.#set('', false);
    }
    this.#client = client;
    this.#stop?.abort();
    this.#stop = new AbortController();
    void this.#events(client, this.#stop);
    void this.#search();
  }

  async #events(client: Client, stop: AbortController): Promise<void> {
    try {
      for await (const event of client.events({topics: ['TOPIC_CHANGES'], signal: stop.signal})) this.#take(event);
    } catch {
      // The connection is lost, which the model shows, or the stage is closed.
    }
    if (this.#stop === stop) this.#stop = null;
  }

  #take({scene_changed: event}: EngineEvent): void {
    const name = event?.scene?.name;
    if (!event || name === undefined) return;
    const {what} = event;
    if (what === 'SAVED' || what === 'RECALLED') this.#set(name, false);
    else if (what === 'RENAMED' && event.old_name === this.current) this.#set(name, this.changed);
    else if (what === 'REMOVED' && name === this.current) this.#set('', false);
    if (what === 'SAVED' || what === 'RECALLED') this.#compareLater();
  }

  /** Finds the scene that equals the graph, once. */
  async #search(): Promise<void> {
    if (this.#searched || this.#engine.scenes.length === 0 || !this.#stop) return;
    this.#searched = true;
    for (const {name} of this.#engine.scenes.slice(0, MOST_COMPARED)) {
      const scene = await this.#diffOf(name);
      if (this.current !== '') return;
      if (scene?.diff.length === 0) return this.#set(name, false);
    }
  }

  #diffOf(name: string): Promise<{diff: readonly unknown[]} | null> {
    return this.#engine.read((client) => client.scene(name, {with_graph: false, with_diff: true}));
  }

  #set(current: string, changed: boolean): void {
    if (current === this.current && changed === this.changed) return;
    Object.assign(this, {current, changed});
    this.dispatchEvent(new Event('change'));
  }

  #compareLater(): void {
    if (this.current === '') return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#compare(), QUIET_MS);
  }

  async #compare(): Promise<void> {
    if (this.#comparing) {
      this.#again = true;
      return;
    }
    this.#comparing = true;
    const name = this.current;
    const scene = await this.#diffOf(name);
    this.#comparing = false;
    if (scene && name === this.current) this.#set(name, scene.diff.length > 0);
    if (this.#again) {
      this.#again = false;
      this.#compareLater();
    }
  }
}
