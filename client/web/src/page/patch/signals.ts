// SPDX-License-Identifier: MIT
// The levels of the visible part of the patch: on the cards and on the cables.
import type {ChannelLevel, Levels} from 'rta-client/core';
import {placeOfLevel} from '../controls/meter.js';
import {prefersReducedMotion} from '../drawing/theme.js';
import type {EngineModel} from '../model.js';
import type {Card} from './card.js';

/** The inspector watches ports, too; a daemon has a limit for each client. */
const MOST_PORTS = 48;

export class PatchSignals {
  readonly #model: EngineModel;
  readonly #card: (name: string) => Card | null;
  readonly #cables: (port: string) => Iterable<SVGElement>;
  readonly #watched = new Map<string, () => void>();
  #stopLevels: (() => void) | null = null;

  /** `cables` returns the visible cables that start at a port. */
  constructor(model: EngineModel, card: (name: string) => Card | null, cables: (port: string) => Iterable<SVGElement>) {
    this.#model = model;
    this.#card = card;
    this.#cables = cables;
  }

  /** Measures these output ports, and no others. */
  watch(ports: readonly string[]): void {
    const wanted = new Set(ports.slice(0, MOST_PORTS));
    for (const [port, stop] of this.#watched) {
      if (wanted.has(port)) continue;
      stop();
      this.#watched.delete(port);
    }
    for (const port of wanted) {
      if (!this.#watched.has(port)) this.#watched.set(port, this.#model.watchPort(port, false, ({channels}) => this.#show(port, channels)));
    }
    this.#stopLevels ??= this.#model.watchLevels((levels) => this.#showLevels(levels));
  }

  /** Shows no levels, for example because the connection is lost. */
  clear(): void {
    for (const port of this.#watched.keys()) this.#show(port, []);
    for (const name of this.#model.graph.nodes.keys()) {
      this.#card(name)?.showLevels([]);
      this.#card(name)?.showReduction(undefined);
    }
  }

  stop(): void {
    this.watch([]);
    this.#stopLevels?.();
    this.#stopLevels = null;
  }

  #show(port: string, channels: readonly ChannelLevel[]): void {
    const [node = ''] = port.split(':');
    const card = this.#card(node);
    if (card?.shape.outputs[0]?.id === port) card.showLevels(channels);
    if (prefersReducedMotion()) return;
    const level = Math.max(-150, ...channels.map(({rms_db}) => rms_db));
    const shown = placeOfLevel(level).toFixed(2);
    for (const cable of this.#cables(port)) cable.style.setProperty('--level', shown);
  }

  /** The device outputs have no port to be measured: their cards show the channels of the device. */
  #showLevels({outputs, meters}: Levels): void {
    for (const {name, type, settings} of this.#model.graph.nodes.values()) {
      if (type !== 'output') continue;
      const first = Number(settings['first_channel'] ?? 1) - 1;
      this.#card(name)?.showLevels(outputs.slice(first, first + Number(settings['channels'] ?? 1)));
    }
    for (const {node, gain_reduction} of meters) if (gain_reduction) this.#card(node)?.showReduction(gain_reduction);
  }
}
