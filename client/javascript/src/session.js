// SPDX-License-Identifier: MIT
import {RtaError, invalid} from './errors.js';
import {FrameDecoder} from './frames.js';
import {decodeServerMessage, encodeRequest, kindOf} from './protocol.js';

/** The daemon stops reading at as many pending requests. */
const MOST_SENT = 1024;
/** Bytes that wait in the transport. Further requests wait until there are fewer. */
const MOST_UNSENT_BYTES = 8 << 20;
/** After as many messages that arrived together, the program has its turn. */
const MESSAGES_IN_A_TURN = 256;

/**
 * One connection to a daemon: calls and their responses, in order. Requests are sent without waiting for earlier
 * responses. `transport` is a Transport as in core.d.ts. `listener` has
 *   deliver(event, bytes)   takes an event and its size in bytes
 *   full()                  returns whether no reader of events is fast enough
 *   end(error)              is called once, when the connection ends
 * While full() returns true and no call is pending, the session does not read, so that the daemon drops telemetry.
 */
export class Session {
  #transport;
  #peer;
  #listener;
  #lastId = 0;
  #line = [];  // calls whose requests are not sent yet
  #sent = [];  // calls that have no response yet, including those that were given up
  #unsentBytes = 0;
  #wake = () => {};

  constructor(transport, peer, listener) {
    this.#transport = transport;
    this.#peer = peer;
    this.#listener = listener;
    this.ended = null;
    this.greeted = false;
    this.#read();
  }

  /** Sends hello, and returns its result. */
  async greet({name, token, deadlineMs, signal}) {
    const hello = {protocol_version: 1, client_name: name, token};
    const result = await this.call({hello}, {deadlineMs, signal});
    this.greeted = true;
    return result;
  }

  /** Sends a request. Resolves to its result; rejects with RtaError, or with the reason of the signal. */
  call(request, {deadlineMs, signal}) {
    return new Promise((resolve, reject) => {
      if (this.ended) throw this.ended;
      signal?.throwIfAborted();
      if (request?.id !== undefined) throw invalid('a request with an id: expected none, the client numbers its requests');
      const call = {kind: kindOf(request), bytes: encodeRequest(request, ++this.#lastId), id: this.#lastId};
      const end = this.#watch(call, deadlineMs, signal, reject);
      call.resolve = (result) => { end(); resolve(result); };
      call.reject = (error) => { end(); reject(error); };
      this.#line.push(call);
      this.#send();
      this.#wake();
    });
  }

  /** Tells the session that full() may have changed. */
  resume() { this.#wake(); }

  close(error) { this.#end(error); }

  /** Rejects a call at its deadline, or when its signal is aborted. The request may take effect nevertheless. */
  #watch(call, deadlineMs, signal, reject) {
    const giveUp = (error) => {
      end();
      this.#line = this.#line.filter((other) => other !== call);
      reject(error);
    };
    const timer = setTimeout(() => giveUp(new RtaError('DEADLINE_EXCEEDED',
      `no response of rtad at ${this.#peer} to ${call.kind} within ${deadlineMs} ms`)), deadlineMs);
    const abort = () => giveUp(signal.reason);
    signal?.addEventListener('abort', abort);
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    return end;
  }

  #send() {
    while (this.#line.length > 0 && this.#sent.length < MOST_SENT && this.#unsentBytes < MOST_UNSENT_BYTES) {
      const call = this.#line.shift();
      const {length} = call.bytes;
      this.#sent.push(call);
      this.#unsentBytes += length;
      this.#transport.write(call.bytes).then(() => {
        this.#unsentBytes -= length;
        this.#send();
      }, (error) => this.#lose(error));
      call.bytes = null;
    }
  }

  async #read() {
    const decoder = new FrameDecoder();
    try {
      while (!this.ended) {
        await this.#readingIsWanted();
        const bytes = await this.#transport.read();
        if (bytes === null) return this.#lose();
        decoder.feed(bytes);
        await this.#takeAll(decoder);
      }
    } catch (error) {
      this.#lose(error);
    }
  }

  async #readingIsWanted() {
    while (!this.ended && this.#sent.length === 0 && this.#listener.full()) {
      await new Promise((resolve) => { this.#wake = resolve; });
    }
  }

  /** Takes the messages that have arrived. In between, readers of events have their turn. */
  async #takeAll(decoder) {
    try {
      let taken = 0;
      for (let bytes = decoder.next(); bytes !== null && !this.ended; bytes = decoder.next()) {
        const {response, event} = decodeServerMessage(bytes);
        if (response) this.#answer(response);
        else if (event) this.#listener.deliver(event, bytes.length);
        taken += 1;
        if (taken % MESSAGES_IN_A_TURN === 0) await new Promise((resolve) => { setTimeout(resolve, 0); });
        if (this.#listener.full()) await this.#readingIsWanted();
      }
    } catch (error) {
      this.#end(new RtaError('INTERNAL', `${this.#peer} is not an rtad: unexpected reply (${error.message})`, {cause: error}));
    }
  }

  #answer(response) {
    const {code = 'OK', message = '', edit_index: editIndex, conflict} = response.status ?? {};
    // Not the response to a request: why the daemon disconnects this client.
    if (response.id === 0 && code !== 'OK') return this.#end(new RtaError(code, message));
    const call = this.#sent.shift();
    if (call?.id !== response.id) throw new Error(`a response to request ${response.id}, expected ${call?.id ?? 'none'}`);
    const result = response[call.kind];
    if (code !== 'OK') {
      call.reject(new RtaError(code, message, {editIndex, result, conflict}));
    } else if (result === undefined) {
      call.reject(new RtaError('INTERNAL', `${this.#peer} answered OK to ${call.kind} without a result`));
    } else {
      call.resolve(result);
    }
    return this.#send();
  }

  #lose(cause) {
    const reason = cause ? `: ${cause.message}` : '';
    this.#end(new RtaError('UNAVAILABLE', this.greeted ? `lost the connection to rtad at ${this.#peer}${reason}`
      : `${this.#peer} disconnected before it answered hello${reason}; expected an rtad`, {cause}));
  }

  #end(error) {
    if (this.ended) return;
    this.ended = error;
    this.#transport.close();
    for (const call of [...this.#sent.splice(0), ...this.#line.splice(0)]) call.reject(error);
    this.#listener.end(error);
    this.#wake();
  }
}
