// SPDX-License-Identifier: MIT
// The engine of the page in Node.js: an EngineHost that renders whenever the program waits, and clients of it.
//
// Environment: RTA_WEB, the folder that client/web/package.sh has built; RTA_WASM, the module.
import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

const stage = path.join(process.env.RTA_WEB, 'stage');
const load = (...file) => import(pathToFileURL(path.join(stage, ...file)));
const {connectOver} = await load('node_modules', 'rta-client', 'src', 'core.js');
export const {EngineHost} = await load('modules', 'engine', 'host.js');
export const {PageSession} = await load('modules', 'engine', 'page_session.js');
export const {PageServer} = await load('modules', 'engine', 'page_server.js');

export const moduleBytes = fs.readFileSync(process.env.RTA_WASM);
export const module = new WebAssembly.Module(moduleBytes);
export const QUANTUM = 128;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** An EngineChannel to an engine in this program. `onSamples` takes what each quantum has rendered. */
export class LocalChannel {
  onEvent = () => {};
  onSamples = () => {};

  constructor({sample_rate_hz = 48000, block_size = 64, channels_in = 0, channels_out = 2} = {}) {
    this.host = new EngineHost(module, {sample_rate_hz, block_size, channels_in, channels_out});
    this.outputs = Array.from({length: channels_out}, () => new Float32Array(QUANTUM));
    this.running = true;
    this.timer = setInterval(() => this.turn(), 2);
  }

  /** Executes a command immediately. */
  execute(command) { return JSON.parse(decoder.decode(this.host.execute(encoder.encode(JSON.stringify(command))))); }

  async send(command) {
    const reply = this.execute(command);
    setImmediate(() => this.turn());
    return reply;
  }

  /** Renders two quanta, if the device runs, and delivers the events. */
  turn() {
    for (let i = 0; i < 2 && this.running; i += 1) this.render();
    this.deliver();
  }

  render() {
    this.host.process([], this.outputs);
    this.onSamples(this.outputs);
  }

  deliver() {
    for (let event = this.host.nextEvent(); event !== null; event = this.host.nextEvent()) this.onEvent(JSON.parse(decoder.decode(event)));
  }

  close() { clearInterval(this.timer); }
}

/** Returns a channel, and a client of the engine behind it, which are closed after the test. */
export async function localClient(t, options) {
  const channel = new LocalChannel(options);
  const client = await connectOver(async () => ({session: (listener) => new PageSession(channel, listener), peer: 'this page'}),
    {name: options?.name ?? 'test'});
  t.after(() => {
    client.close();
    channel.close();
  });
  return {channel, client};
}

/** Connects another client to the engine. */
export function another(channel, name) {
  return connectOver(async () => ({session: (listener) => new PageSession(channel, listener), peer: 'this page'}), {name});
}
