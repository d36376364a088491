// SPDX-License-Identifier: MIT
import {RtaError} from './errors.js';

/** If all streams have as much, the client stops reading, unless a call is pending. */
const FULL = {events: 256, bytes: 1 << 20};
/** The most that a stream holds. */
const LIMIT = {events: 4096, bytes: 8 << 20};

/**
 * The events of some topics, for one reader. Beyond the limit, the oldest telemetry is dropped and counted in `dropped`;
 * changes are not dropped: the stream then ends with RESOURCE_EXHAUSTED.
 */
export class EventStream {
  #events = [];
  #bytes = 0;
  #waiting = [];
  #error = null;
  #ended = false;
  #changed;
  #onEnd;

  /** `changed` is called when the stream has more room, `ended` when it needs no more events. */
  constructor(topics, rateHz, watches, {changed, ended}) {
    this.topics = topics;
    this.rateHz = rateHz;
    this.watches = watches;
    /** Number of telemetry events that were dropped because this stream was not read. */
    this.dropped = 0;
    /** Resolves to the result of subscribe. */
    this.ready = null;
    this.#changed = changed;
    this.#onEnd = ended;
  }

  get full() { return this.#events.length >= FULL.events || this.#bytes >= FULL.bytes; }

  deliver(event, bytes) {
    if (this.#ended) return;
    if (this.#waiting.length > 0) {
      this.#waiting.shift().resolve({value: event, done: false});
      return;
    }
    this.#events.push({event, bytes});
    this.#bytes += bytes;
    while (this.#events.length > LIMIT.events || (this.#bytes > LIMIT.bytes && this.#events.length > 1)) {
      if (!this.#dropTelemetry()) return this.fail(new RtaError('RESOURCE_EXHAUSTED',
        `${this.#events.length} events (${this.#bytes} bytes) were not read: read them faster, or subscribe to fewer topics`));
    }
  }

  #dropTelemetry() {
    const index = this.#events.findIndex(({event}) => event.number === 0);
    if (index < 0) return false;
    this.#bytes -= this.#events.splice(index, 1)[0].bytes;
    this.dropped += 1;
    return true;
  }

  /** Ends the stream with an error, which the reader gets after the events that were received before it. */
  fail(error) {
    if (this.#ended) return;
    this.#error = error;
    this.#end();
  }

  next() {
    if (this.#events.length > 0) {
      const {event, bytes} = this.#events.shift();
      this.#bytes -= bytes;
      this.#changed();
      return Promise.resolve({value: event, done: false});
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({resolve, reject});
      if (this.#ended) this.#answer();
    });
  }

  return(value) {
    this.#events = [];
    this.#bytes = 0;
    this.#error = null;
    this.#end();
    return Promise.resolve({value, done: true});
  }

  [Symbol.asyncIterator]() { return this; }

  #end() {
    if (this.#ended) return;
    this.#ended = true;
    this.#answer();
    this.#onEnd();
    this.#changed();
  }

  /** Answers the readers that wait for a stream that has ended: the first gets the error. */
  #answer() {
    for (const {resolve, reject} of this.#waiting.splice(0)) {
      if (this.#error) reject(this.#error); else resolve({value: undefined, done: true});
      this.#error = null;
    }
  }
}
