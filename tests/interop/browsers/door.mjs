// SPDX-License-Identifier: MIT
// The address under which a page in a browser sees its own server. At first, the attacker's web server answers there; later, the
// address leads to rtad. DNS rebinding has this effect: name, port and therefore origin stay the same.
import net from 'node:net';

const PAGE = '<!doctype html><title>evil</title><link rel="icon" href="data:,"><body><iframe name="frame"></iframe></body>';
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`;
/** How long the door waits for the rest of a request after rtad has closed the connection. */
const REST_MS = 300;

/** Returns whether the bytes are a complete HTTP request. */
function isComplete(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const [, length = '0'] = /^Content-Length: (\d+)\r$/im.exec(bytes.toString('latin1', 0, end + 2)) ?? [];
  return bytes.length >= end + 4 + Number(length);
}

/** Records the requests to rtad: their `bytes`, the number of bytes `answered`, and whether rtad has `closed` the connection. */
export class Door {
  /** `target` is the address of an rtad, and may be changed. */
  static async open(t, {host, port, target}) {
    const door = new Door();
    Object.assign(door, {target, leadsToRtad: false, requests: [], served: []});
    const sockets = new Set();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      // Browsers also open connections in advance, which carry no request yet.
      socket.once('data', (first) => (door.leadsToRtad ? door.#lead(socket, first) : door.#serve(socket, first)));
    });
    t.after(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    await new Promise((resolve, reject) => { server.on('error', reject).listen(port, host, resolve); });
    return door;
  }

  #serve(socket, first) {
    let bytes = Buffer.alloc(0);
    const receive = (data) => {
      bytes = Buffer.concat([bytes, data]);
      if (!isComplete(bytes)) return;
      this.served.push(bytes);
      socket.end(ANSWER);
    };
    receive(first);
    socket.on('data', receive);
  }

  #lead(socket, first) {
    const request = {bytes: Buffer.alloc(0), answered: 0, closed: false};
    this.requests.push(request);
    const [host, port] = this.target.split(':');
    const rtad = net.connect({host, port: Number(port)}).on('error', () => {});
    const receive = (data) => {
      request.bytes = Buffer.concat([request.bytes, data]);
      if (!rtad.destroyed) rtad.write(data);
      if (request.closed && isComplete(request.bytes)) socket.destroy();
    };
    receive(first);
    socket.on('data', receive).on('close', () => rtad.destroy());
    rtad.on('data', (data) => {
      request.answered += data.length;
      socket.write(data);
    });
    rtad.on('close', () => {
      request.closed ||= !socket.destroyed;
      if (isComplete(request.bytes)) socket.end(() => socket.destroy());  // after what rtad has answered
      else setTimeout(() => socket.destroy(), REST_MS);
    });
  }

  /** Leads to rtad while `use` runs. Returns the requests of that time. */
  async whileItLeadsToRtad(use) {
    const before = this.requests.length;
    this.leadsToRtad = true;
    try {
      await use();
    } finally {
      this.leadsToRtad = false;
    }
    return this.requests.slice(before);
  }
}
