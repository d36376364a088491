// SPDX-License-Identifier: MIT
// The scenes of an engine in a page: documents in memory, and in a storage of the page if it gives one.
import {RtaError} from 'rta-client/core';
import type {EngineReply} from './channel_types.js';

const MOST_SCENES = 256;
const MOST_BYTES = 4 << 20;
const KEY = 'rta-scenes';

/** Where scenes stay when the page is left, such as localStorage. */
export interface SceneStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** The fields of SceneInfo that a page has. */
export interface SceneFields {
  name: string;
  node_count: number;
  partial: boolean;
  author: string;
  utc_us: number;
}

interface Scene {
  info: SceneFields;
  document: string;
}

/** Named documents. Names, and nodes, are checked by the engine. */
export class Scenes {
  #command: (command: object) => Promise<EngineReply>;
  #scenes = new Map<string, Scene>();
  #storage: SceneStorage | null = null;

  constructor(command: (command: object) => Promise<EngineReply>) { this.#command = command; }

  /** Reads the scenes of a storage, which keeps them from now on. What is not a scene is left out. */
  load(storage: SceneStorage): void {
    this.#storage = storage;
    let saved: unknown;
    try {
      saved = JSON.parse(storage.getItem(KEY) ?? '[]');
    } catch {
      return;
    }
    if (!Array.isArray(saved)) return;
    for (const scene of saved as (Scene | null)[]) {
      if (typeof scene?.document !== 'string' || typeof scene.info?.name !== 'string') continue;
      const {name, node_count, partial, author, utc_us} = scene.info;
      this.#scenes.set(name, {document: scene.document, info: {name, node_count: Number(node_count) || 0, partial: partial === true,
        author: String(author), utc_us: Number(utc_us) || 0}});
    }
  }

  /** Returns all scenes, sorted by name. */
  list(): SceneFields[] {
    return [...this.#scenes.keys()].sort().map((name) => this.#scenes.get(name)!.info);
  }

  /** `fade_ms`: of a recall. */
  async find(name: string, fade_ms?: number): Promise<Scene> {
    await this.#check({name, exists: true, fade_ms});
    return this.#scenes.get(name)!;
  }

  /** Saves the graph of the engine, or these nodes of it. */
  async save(name: string, nodes: string[]): Promise<SceneFields> {
    await this.#check({name});
    if (!this.#scenes.has(name) && this.#scenes.size >= MOST_SCENES) {
      throw new RtaError('RESOURCE_EXHAUSTED', `there are ${MOST_SCENES} scenes already; remove one first`);
    }
    const {document, node_count} = (await this.#command({scene_document: {nodes}})).result as {document: string; node_count: number};
    const others = [...this.#scenes.values()].reduce((sum, scene) => sum + (scene.info.name === name ? 0 : scene.document.length), 0);
    if (others + document.length > MOST_BYTES) {
      throw new RtaError('RESOURCE_EXHAUSTED', `the scene takes ${kibibytes(document.length)}, and the other scenes ${kibibytes(others)}: ` +
        `the limit of all scenes is ${kibibytes(MOST_BYTES)}; remove one first`);
    }
    const info = {name, node_count, partial: nodes.length > 0, author: 'page', utc_us: Date.now() * 1000};
    this.#replace((scenes) => scenes.set(name, {info, document}));
    return info;
  }

  async rename(name: string, new_name: string): Promise<SceneFields> {
    const {info, document} = await this.find(name);
    await this.#check({name: new_name, new: true});
    const renamed = {...info, name: new_name};
    this.#replace((scenes) => {
      scenes.delete(name);
      scenes.set(new_name, {info: renamed, document});
    });
    return renamed;
  }

  async remove(name: string): Promise<SceneFields> {
    const {info} = await this.find(name);
    this.#replace((scenes) => scenes.delete(name));
    return info;
  }

  #check(scene: {name: string; exists?: boolean; new?: boolean; fade_ms?: number | undefined}): Promise<EngineReply> {
    return this.#command({check_scene: {...scene, names: [...this.#scenes.keys()].sort()}});
  }

  /** Changes the scenes, unless the storage refuses that. */
  #replace(change: (scenes: Map<string, Scene>) => void): void {
    const scenes = new Map(this.#scenes);
    change(scenes);
    try {
      this.#storage?.setItem(KEY, JSON.stringify([...scenes.values()]));
    } catch (error) {
      throw new RtaError('UNAVAILABLE', `the browser does not save the scene: ${error instanceof Error ? error.message : error}`);
    }
    this.#scenes = scenes;
  }
}

function kibibytes(bytes: number): string { return `${Math.ceil(bytes / 1024)} KiB`; }
