// SPDX-License-Identifier: MIT
import {EventStream} from './event_stream.js';
import {checkOptions, invalid} from './errors.js';
import {TOPICS, topicOf} from './protocol.js';

const DEFAULT_TOPICS = TOPICS.filter((topic) => topic !== 'TOPIC_NODE_LOADS');
const DEFAULT_RATE_HZ = 10;

/** Returns the ports of the option `watches`, each with whether its spectrum is measured. */
function watchesOf(watches) {
  const ports = Array.isArray(watches) ? watches.map((watch) => (typeof watch === 'string' ? {port: watch} : watch)) : [{}];
  if (!ports.every((watch) => typeof watch?.port === 'string'))
    throw invalid(`watches is ${JSON.stringify(watches)}: expected a list of ports, or of {port, spectrum}`);
  return new Map(ports.map(({port, spectrum = false}) => [port, spectrum]));
}

/** Returns the levels of the ports that a stream watches. */
function watchedPart(event, watches) {
  const {ports = [], ...others} = event.port_levels;
  return {...event, port_levels: {...others, ports: ports.filter(({port}) => watches.has(port))}};
}

/**
 * The event streams of one client. A daemon sends each event once to a connection, so the client subscribes to all
 * topics that its streams need, at the highest rate.
 */
export class Subscriptions {
  #streams = new Set();
  #client;

  /** `client` has call(), and resume(), which is called when a stream has more room. */
  constructor(client) { this.#client = client; }

  /**
   * Subscribes, and returns the stream. Events are those after every earlier call of this client. `resume`, for Mirror, has
   * the change after which they shall continue; they do not if another stream has changes, which would get them twice.
   */
  open({topics: wantedTopics, telemetry_rate_hz: rateHz, watches = [], signal, resume, ...others} = {}) {
    checkOptions(others, ['topics', 'telemetry_rate_hz', 'watches', 'signal'], 'events()');
    const ports = watchesOf(watches);
    const defaults = ports.size > 0 ? [] : DEFAULT_TOPICS;
    const topics = wantedTopics ?? defaults;
    const unknown = Array.isArray(topics) ? topics.find((topic) => !TOPICS.includes(topic)) : topics;
    if (unknown !== undefined) throw invalid(`unknown topic ${JSON.stringify(unknown)}: expected a list of ${TOPICS.join(', ')}`);
    signal?.throwIfAborted();
    const abort = () => stream.fail(signal.reason);
    const stream = new EventStream(topics.length > 0 ? topics : defaults, rateHz, ports, {
      changed: () => this.#client.resume(),
      ended: () => {
        signal?.removeEventListener('abort', abort);
        this.#remove(stream);
      }});
    signal?.addEventListener('abort', abort);
    const alone = ![...this.#streams].some((other) => other.topics.includes('TOPIC_CHANGES'));
    this.#streams.add(stream);
    stream.ready = this.#subscribe(alone ? resume : undefined);
    stream.ready.catch((error) => stream.fail(error));
    return stream;
  }

  /** Whether no stream is read fast enough. One that is not read does not hold up the others. */
  get full() { return this.#streams.size > 0 && [...this.#streams].every((stream) => stream.full); }

  deliver(event, bytes) {
    const topic = topicOf(event);
    for (const stream of this.#streams) {
      if (event.port_levels === undefined) {
        if (stream.topics.includes(topic)) stream.deliver(event, bytes);
      } else if (stream.watches.size > 0) {
        stream.deliver(watchedPart(event, stream.watches), bytes);
      }
    }
  }

  /** Ends all streams. */
  end(error) {
    const streams = [...this.#streams];
    this.#streams.clear();
    for (const stream of streams) stream.fail(error);
  }

  #remove(stream) {
    // The streams that stay keep what they have if this fails: a lost connection ends them anyway.
    if (this.#streams.delete(stream) && this.#client.connected) this.#subscribe().catch(() => {});
  }

  #subscribe(resume) {
    const streams = [...this.#streams];
    const topics = TOPICS.filter((topic) => streams.some((stream) => stream.topics.includes(topic)));
    const watches = new Map();
    for (const stream of streams) {
      for (const [port, spectrum] of stream.watches) watches.set(port, spectrum || (watches.get(port) ?? false));
    }
    // A client cannot subscribe to nothing. Dropouts are the rarest events.
    if (topics.length === 0) topics.push('TOPIC_XRUNS');
    const hasRate = ({topics: own, rateHz, watches: ports}) =>
      rateHz !== undefined || ports.size > 0 || own.some((topic) => topic !== 'TOPIC_CHANGES');
    const rates = streams.filter(hasRate).map(({rateHz}) => rateHz ?? DEFAULT_RATE_HZ);
    return this.#client.call({subscribe: {
      topics,
      telemetry_rate_hz: rates.length > 0 ? Math.max(...rates) : undefined,
      watches: [...watches].map(([port, spectrum]) => ({port, spectrum})),
      ...resume,
    }});
  }
}
