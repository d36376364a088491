// SPDX-License-Identifier: MIT
// The engine of this page as a source of the model.
import {type Client, RtaError} from 'rta-client/core';
import {type PageEngine, createPageEngine} from '../engine/page_engine.js';
import {checkPlatform, messageOf} from '../engine/platform.js';
import type {EngineSource} from './model.js';

/** An engine in this page. It is silent until its start(). */
export class PageSource implements EngineSource {
  readonly kind = 'page';
  readonly name = 'this page';
  #engine: PageEngine | undefined;

  get audio(): PageEngine | undefined { return this.#engine; }

  async connect(signal: AbortSignal): Promise<Client> {
    try {
      checkPlatform();
    } catch (error) {
      // Another attempt fails, too.
      throw new RtaError('FAILED_PRECONDITION', messageOf(error), {cause: error});
    }
    await this.#engine?.close();
    const engine = await createPageEngine({name: 'this page'});
    this.#engine = engine;
    signal.addEventListener('abort', () => void engine.close(), {once: true});
    if (signal.aborted) await engine.close();
    return engine.client;
  }
}
