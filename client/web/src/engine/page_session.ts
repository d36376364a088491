// SPDX-License-Identifier: MIT
// Answers the requests of a client by an engine in the same program, in place of a connection to a daemon.
import {
  RtaError, messageAsReceived, requestAsReceived,
  type AnyRequest, type Conflict, type ErrorCode, type Event, type HelloResult, type Session, type SessionListener,
} from 'rta-client/core';
import type {EngineChannel} from './channel_types.js';
import {PageServer, type PageClient} from './page_server.js';

/** Why a page has no part of the protocol. */
const ADMISSION: HelloFields = {protocol_version: 1, role: 'admin', author: 'page'};

interface HelloFields {
  protocol_version: number;
  role: string;
  author: string;
}

/**
 * A session over an engine. Sessions over the same channel share its state: scenes, history and changes. What an engine in a page
 * cannot do is refused with UNIMPLEMENTED.
 */
export class PageSession implements Session, PageClient {
  #server: PageServer;
  #listener: SessionListener;
  #ended: Error | null = null;
  #pending = new Set<(error: Error) => void>();

  name = '';
  subscription: PageClient['subscription'] = null;
  telemetry = {number: 0, dropped: 0};
  readonly connected_ms = performance.now();

  constructor(channel: EngineChannel, listener: SessionListener) {
    this.#server = PageServer.of(channel);
    this.#listener = listener;
  }

  async greet({name}: {name: string; token: string; deadlineMs: number; signal?: AbortSignal}): Promise<HelloResult> {
    if (new TextEncoder().encode(name).length > 128 || /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(name)) {
      throw new RtaError('INVALID_ARGUMENT', `invalid client_name ${JSON.stringify(name)}: expected at most 128 bytes without control ` +
        'characters, line separators and bidirectional formatting characters');
    }
    this.name = name;
    this.#server.enter(this);
    const hello = {...ADMISSION, server_version: this.#server.version, instance_id: this.#server.instance_id};
    return messageAsReceived({response: {hello}}).response!.hello as HelloResult;
  }

  call(request: AnyRequest, {deadlineMs, signal}: {deadlineMs: number; signal?: AbortSignal}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended) throw this.#ended;
      signal?.throwIfAborted();
      const {kind, request: message} = requestAsReceived(request);
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#pending.delete(fail);
      };
      const fail = (error: unknown) => { finish(); reject(error); };
      const abort = () => fail(signal!.reason);
      const timer = setTimeout(() => fail(new RtaError('DEADLINE_EXCEEDED',
        `no response of the engine of this page to ${kind} within ${deadlineMs} ms`)), deadlineMs);
      signal?.addEventListener('abort', abort);
      this.#pending.add(fail);
      this.#server.answer(this, kind, message).then((result) => { finish(); resolve(resultOf(kind, result)); },
        (error: unknown) => fail(errorOf(kind, error)));
    });
  }

  resume(): void {}

  close(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#server.leave(this);
    for (const fail of [...this.#pending]) fail(error);
    this.#listener.end(error);
  }

  /** Takes an event of the server, unless it is telemetry that is not read in time. */
  deliver(event: Event, bytes: number): void {
    if (this.#ended) return;
    if (event.number !== 0) return this.#listener.deliver(event, bytes);
    this.telemetry.number += 1;
    if (this.#listener.full()) {
      this.telemetry.dropped += 1;
      return;
    }
    this.#listener.deliver({...event, telemetry_number: this.telemetry.number, telemetry_dropped: this.telemetry.dropped}, bytes);
  }
}

/** Returns a result in the form in which a client receives it. */
function resultOf(kind: string, result: object): unknown {
  return messageAsReceived({response: {[kind]: result}}).response![kind];
}

/** Returns the error, with what it has besides in the form of the protocol. */
function errorOf(kind: string, error: unknown): unknown {
  if (!(error instanceof RtaError) || (error.result === undefined && error.conflict === undefined)) return error;
  const {response} = messageAsReceived({response: {
    status: {code: error.code as string, conflict: error.conflict},
    ...(error.result === undefined ? {} : {[kind]: error.result}),
  }});
  const {conflict} = response!.status as {conflict?: Conflict};
  return new RtaError(error.code as ErrorCode, error.message,
    {editIndex: error.editIndex, result: response![kind], conflict} as ConstructorParameters<typeof RtaError>[2]);
}
