// SPDX-License-Identifier: MIT
// A client of rtad in one small file: framing, calls and events. It needs protobufjs and the two .proto files.
import net from 'node:net';
import path from 'node:path';
import protobuf from 'protobufjs';

const {Reader} = protobuf;

/** The messages of rta.v1, from the folder that holds rta/v1/control.proto. */
export function loadProtocol(directory) {
  const root = new protobuf.Root();
  const resolve = root.resolvePath;
  // google/protobuf/struct.proto comes with protobufjs.
  root.resolvePath = (origin, target) => target.startsWith('google/') ? resolve(origin, target) : path.join(directory, target);
  root.loadSync('rta/v1/control.proto', {keepCase: true});
  return root.lookup('rta.v1');
}

/** The daemon's answer was not OK. */
export class Refused extends Error {
  constructor(status) {
    super(`${status.code}: ${status.message}`);
    this.status = status;
  }
}

/** One conversation. Requests may be pipelined: call() does not wait for the answers before it. */
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
    this.answers = [];  // of the calls that are open, in their order
    this.events = [];
    this.waiting = null;  // whoever waits for an event
    socket.on('data', (data) => this.take(data));
    socket.on('error', (error) => this.end(error));
    socket.on('close', () => this.end(new Error('rtad closed the connection')));
  }

  /** Resolves to the response; rejects with Refused. */
  call(request) {
    const fault = this.Request.verify(request);
    if (fault) throw new TypeError(fault);
    const message = this.Request.create({id: ++this.lastId, ...request});
    return new Promise((resolve, reject) => {
      this.answers.push({resolve, reject});
      this.socket.write(this.Request.encodeDelimited(message).finish());
    });
  }

  /** The next event, after subscribing. */
  async event() {
    while (this.events.length === 0) {
      if (this.ended) throw this.ended;
      await new Promise((resolve) => { this.waiting = resolve; });
    }
    return this.events.shift();
  }

  close() { this.socket.destroy(); }

  /** Cuts the bytes into messages: a length as a varint, then as many bytes. */
  take(data) {
    this.buffer = Buffer.concat([this.buffer, data]);
    for (;;) {
      const reader = Reader.create(this.buffer);
      let end;
      try {
        end = reader.uint32();
        end += reader.pos;
      } catch (error) {
        if (error instanceof RangeError) return;  // not all of the length is there
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
