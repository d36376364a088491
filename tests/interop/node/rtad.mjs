// SPDX-License-Identifier: MIT
// A minimal client of rtad: framing, calls and events. Requires protobufjs and the two .proto files.
import net from 'node:net';
import path from 'node:path';
import protobuf from 'protobufjs';

const {Reader} = protobuf;

/** Loads the messages of rta.v1 from the directory that contains rta/v1/control.proto. */
export function loadProtocol(directory) {
  const root = new protobuf.Root();
  const resolve = root.resolvePath;
  // google/protobuf/struct.proto is part of protobufjs.
  root.resolvePath = (origin, target) => target.startsWith('google/') ? resolve(origin, target) : path.join(directory, target);
  root.loadSync('rta/v1/control.proto', {keepCase: true});
  return root.lookup('rta.v1');
}

/** Thrown if the status of a response is not OK. */
export class Refused extends Error {
  constructor(status) {
    super(`${status.code}: ${status.message}`);
    this.status = status;
  }
}

/** A client of one daemon. Requests may be pipelined: call() does not wait for earlier responses. */
export class Client {
  static async connect(protocol, {host = '127.0.0.1', port = 7340, name = 'node'} = {}) {
    const client = new Client(protocol, net.connect({host, port, noDelay: true}));
    client.daemon = (await client.call({hello: {protocol_version: 1, client_name: name}})).hello;
    return client;
  }

  constructor(protocol, socket) {
    this.Request = protocol.lookupType('Request');
    this.ServerMessage = protocol.lookupType('ServerMessage');
    this.socket = socket;
    this.buffer = Buffer.alloc(0);
    this.lastId = 0;
    this.answers = [];  // of the pending calls, in order
    this.events = [];
    this.waiting = null;  // resolves the pending event()
    socket.on('data', (data) => this.take(data));
    socket.on('error', (error) => this.end(error));
    socket.on('close', () => this.end(new Error('rtad disconnected')));
  }

  /** Sends a request. Resolves to the response; rejects with Refused. */
  call(request) {
    const fault = this.Request.verify(request);
    if (fault) throw new TypeError(fault);
    const message = this.Request.create({id: ++this.lastId, ...request});
    return new Promise((resolve, reject) => {
      this.answers.push({resolve, reject});
      this.socket.write(this.Request.encodeDelimited(message).finish());
    });
  }

  /** Waits for the next event and returns it. Subscribe first. */
  async event() {
    while (this.events.length === 0) {
      if (this.ended) throw this.ended;
      await new Promise((resolve) => { this.waiting = resolve; });
    }
    return this.events.shift();
  }

  close() { this.socket.destroy(); }

  /** Splits the bytes into messages: the length as a varint, then the message. */
  take(data) {
    this.buffer = Buffer.concat([this.buffer, data]);
    for (;;) {
      const reader = Reader.create(this.buffer);
      let end;
      try {
        end = reader.uint32();
        end += reader.pos;
      } catch (error) {
        if (error instanceof RangeError) return;  // the length is incomplete
        throw error;
      }
      if (this.buffer.length < end) return;
      const message = this.ServerMessage.decode(this.buffer.subarray(reader.pos, end));
      this.buffer = this.buffer.subarray(end);
      this.deliver(this.ServerMessage.toObject(message, {longs: Number, enums: String, defaults: false}));
    }
  }

  deliver({response, event}) {
    if (event) {
      this.events.push(event);
      this.waiting?.();
    } else if (response) {
      const {resolve, reject} = this.answers.shift();
      const code = response.status?.code ?? 'OK';
      if (code === 'OK') resolve(response); else reject(new Refused(response.status));
    }
  }

  end(error) {
    this.ended ??= error;
    for (const {reject} of this.answers.splice(0)) reject(this.ended);
    this.waiting?.();
  }
}
