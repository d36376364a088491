// SPDX-License-Identifier: MIT
// The page's end of the connection between page and worklet: an EngineChannel over rings, or over the port of the node.
import {RtaError} from 'rta-client/core';
import type {EngineChannel} from './channel_types.js';
import {loadsOf, type QuantumLoads} from './load_meter.js';
import {MAXIMUM_MESSAGE_BYTES, MessageKind, RingReader, RingWriter} from './ring.js';
import type {FromProcessor, Rings, ToProcessor} from './worklet_link.js';

/** Commands that may wait for their replies. */
const MAXIMUM_PENDING = 4096;
/** Bytes of commands that may wait to be sent. */
const MAXIMUM_WAITING_BYTES = 16 << 20;
/** Bytes that are read before other tasks of the page have their turn. */
const MAXIMUM_READ_BYTES = 1 << 20;
/**
 * Time between two looks into the ring, where the page cannot wait for what arrives: while replies are expected, and while only events
 * are. Browsers may make it longer.
 */
const REPLY_POLL_MS = 4;
const EVENT_POLL_MS = 16;
/** A context that runs and does not answer for so long is helped by a turn: it may have lost its device. */
const PATIENCE_MS = 250;

/** What a WorkletChannel needs of an AudioWorkletNode. */
export interface ProcessorNode {
  readonly port: MessagePort;
}

interface Call {
  resolve(reply: object): void;
  reject(error: Error): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** How messages pass between page and worklet. */
interface Way {
  /** Sends commands while there is room. */
  send(commands: Uint8Array[]): void;
  /** Takes what has arrived, at most `limit` bytes. Returns whether there is more. */
  receive(limit: number, deliver: (kind: MessageKind, bytes: Uint8Array) => void): boolean;
  /** Calls back, soon, when something has arrived. Returns false if it cannot, so that the caller must look again and again. */
  whenArrived(callback: () => void): boolean;
  /** Ends whenArrived(). */
  close(): void;
}

class RingWay implements Way {
  #commands: RingWriter;
  #replies: RingReader;
  #arrival: Promise<unknown> | null = null;

  constructor({commands, replies}: Rings) {
    this.#commands = new RingWriter(commands);
    this.#replies = new RingReader(replies);
  }

  send(commands: Uint8Array[]): void {
    while (this.#commands.resume() && commands.length > 0) this.#commands.send(MessageKind.command, commands.shift()!);
  }

  receive(limit: number, deliver: (kind: MessageKind, bytes: Uint8Array) => void): boolean {
    for (let left = limit; left > 0;) {
      if (!this.#replies.receive(left)) return false;
      const {kind, bytes, length} = this.#replies;
      left -= length + 1;
      deliver(kind, bytes.slice(0, length));
    }
    return true;
  }
  whenArrived(callback: () => void): boolean {
    if (this.#arrival !== null) return true;
    this.#arrival = this.#replies.arrival();
    if (this.#arrival === null) return false;
    void this.#arrival.then(() => {
      this.#arrival = null;
      callback();
    });
    return true;
  }

  close(): void { this.#replies.wake(); }
}

class PortWay implements Way {
  /** The port calls back. */
  whenArrived(): boolean { return true; }
  close(): void {}

  #port: MessagePort;
  #received: {kind: MessageKind; bytes: Uint8Array}[] = [];

  constructor(port: MessagePort) { this.#port = port; }

  add(message: {kind: MessageKind; bytes: Uint8Array}): void { this.#received.push(message); }

  send(commands: Uint8Array[]): void {
    for (const command of commands.splice(0)) {
      const message: ToProcessor = {command};
      this.#port.postMessage(message, [command.buffer]);
    }
  }

  receive(limit: number, deliver: (kind: MessageKind, bytes: Uint8Array) => void): boolean {
    for (let left = limit; left > 0;) {
      const message = this.#received.shift();
      if (message === undefined) return false;
      left -= message.bytes.length + 1;
      deliver(message.kind, message.bytes);
    }
    return true;
  }
}

/** Commands to the engine in a worklet, and what it sends. */
export class WorkletChannel implements EngineChannel {
  /** Take events of the engine, and loads of its thread. */
  onEvent: (event: object) => void = () => {};
  onLoad: (loads: QuantumLoads) => void = () => {};
  /** Is called when the engine cannot continue. */
  onFailure: (cause: string) => void = () => {};

  #node: ProcessorNode;
  #way: Way;
  #runs: () => boolean;
  #calls: Call[] = [];
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #closed: Error | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turning = false;
  #progress = 0;  // time of the last reply, or of the first command after it

  /** `runs` returns whether the context processes audio, so that the worklet serves commands without turns. */
  constructor(node: ProcessorNode, rings: Rings | undefined, runs: () => boolean) {
    this.#node = node;
    this.#runs = runs;
    const portWay = new PortWay(node.port);
    this.#way = rings ? new RingWay(rings) : portWay;
    node.port.onmessage = ({data}: MessageEvent<FromProcessor>) => {
      if ('failed' in data) {
        this.#serve();  // what the engine has sent before
        return this.onFailure(data.failed);
      }
      if ('turned' in data) this.#turning = false;
      else portWay.add(data);
      this.#serve();
    };
    this.#serve();
  }

  /** Sends a command. Resolves to its reply, in order. */
  send(command: object): Promise<object> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#closed;
      const bytes = encoder.encode(JSON.stringify(command));
      this.#checkRoom(bytes.length);
      if (this.#calls.length === 0) this.#progress = performance.now();
      this.#calls.push({resolve, reject});
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
      this.#serve();
    });
  }

  /** Ends the engine. Commands without a reply fail with `error`. */
  close(error: Error = new RtaError('UNAVAILABLE', 'the engine of this page was closed')): void {
    if (this.#closed) return;
    this.#closed = error;
    clearTimeout(this.#timer);
    this.#way.close();
    this.#post({end: true});
    for (const call of this.#calls.splice(0)) call.reject(error);
    this.#waiting = [];
  }

  /** Why the channel is closed, or null. */
  get closed(): Error | null { return this.#closed; }

  /** Must be called when the context starts or stops to run. */
  contextChanged(): void { this.#serve(); }

  #checkRoom(length: number): void {
    if (length > MAXIMUM_MESSAGE_BYTES) {
      throw new RtaError('RESOURCE_EXHAUSTED', `a request of ${length} bytes is too large: expected at most ${MAXIMUM_MESSAGE_BYTES}`);
    }
    if (this.#calls.length >= MAXIMUM_PENDING || this.#waitingBytes + length > MAXIMUM_WAITING_BYTES) {
      throw new RtaError('RESOURCE_EXHAUSTED', `too many requests are waiting for the engine: expected at most ${MAXIMUM_PENDING}, ` +
        `of at most ${MAXIMUM_WAITING_BYTES} bytes in all`);
    }
  }

  /** Sends and receives what is possible now, and arranges for the next time. */
  #serve(): void {
    if (this.#closed) return;
    this.#way.send(this.#waiting);
    const more = this.#way.receive(MAXIMUM_READ_BYTES, (kind, bytes) => this.#deliver(kind, bytes));
    if (this.#closed) return;
    this.#waitingBytes = this.#waiting.reduce((sum, {length}) => sum + length, 0);
    const idle = this.#calls.length === 0;
    if (!idle && (!this.#runs() || performance.now() - this.#progress > PATIENCE_MS)) this.#turn();
    clearTimeout(this.#timer);
    const pause = more ? 0 : this.#pause(idle, this.#way.whenArrived(this.#arrived));
    if (pause < Infinity) this.#timer = setTimeout(() => this.#serve(), pause);
  }

  readonly #arrived = (): void => this.#serve();

  /** Returns when to look again, in ms. */
  #pause(idle: boolean, isCalled: boolean): number {
    if (this.#waiting.length > 0) return REPLY_POLL_MS;  // until the ring has room
    if (isCalled) return idle ? Infinity : PATIENCE_MS;
    if (!idle) return REPLY_POLL_MS;
    return this.#runs() ? EVENT_POLL_MS : Infinity;
  }

  #deliver(kind: MessageKind, bytes: Uint8Array): void {
    if (kind === MessageKind.load) return this.onLoad(loadsOf(bytes));
    const message = JSON.parse(decoder.decode(bytes)) as object;
    if (kind === MessageKind.event) return this.onEvent(message);
    this.#progress = performance.now();
    return this.#calls.shift()?.resolve(message);
  }

  /** Lets the processor serve commands while the context does not run. One turn at a time. */
  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    this.#post({turn: true});
  }

  #post(message: ToProcessor): void { this.#node.port.postMessage(message); }
}
