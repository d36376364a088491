// SPDX-License-Identifier: MIT
// A sound server without hardware, with a null sink whose monitor is recorded.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import {stretches} from './analysis.mjs';

export const RATE = 48000;
const CHANNELS = 2;
const PATIENCE_MS = 30_000;
/** On a busy machine, browsers and sound servers are late now and then, and the recording has gaps. */
const LONGEST_S = 15;

function stop(process) {
  if (process.exitCode !== null || process.signalCode !== null) return undefined;
  process.kill('SIGKILL');
  return once(process, 'exit');
}

/** PulseAudio, which paces the null sink in real time. Programs with `env` use it. */
export class SoundServer {
  static async start(directory) {
    const server = new SoundServer();
    const socket = path.join(directory, 'pulse.sock');
    const config = path.join(directory, 'daemon.conf');
    // Browsers open the device with the server's rate.
    fs.writeFileSync(config, `default-sample-rate = ${RATE}\ndefault-sample-format = float32le\ndefault-fragment-size-msec = 10\n`);
    const own = {...process.env, HOME: directory, XDG_RUNTIME_DIR: directory, PULSE_CONFIG: config};
    server.env = {...own, PULSE_SERVER: `unix:${socket}`, PULSE_LATENCY_MSEC: '30'};
    server.process = spawn('pulseaudio', ['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--disable-shm',
      '-L', `module-native-protocol-unix socket=${socket} auth-anonymous=1`,
      '-L', `module-null-sink sink_name=nullsink rate=${RATE} format=float32le channels=${CHANNELS}`],
    {env: own, stdio: ['ignore', 'ignore', 'pipe']});
    server.log = '';
    server.process.stderr.on('data', (data) => { server.log += data; });
    server.process.on('error', (error) => { server.log += error; });
    for (const deadline = Date.now() + PATIENCE_MS; !fs.existsSync(socket);) {
      assert.ok(server.process.exitCode === null && Date.now() < deadline, `pulseaudio has not started: ${server.log}`);
      await new Promise((resolve) => { setTimeout(resolve, 10); });
    }
    return server;
  }

  /** Starts to record, and resolves when samples arrive. */
  async record() {
    const recording = new Recording(spawn('parec', ['--latency-msec=10', '-d', 'nullsink.monitor', `--rate=${RATE}`,
      '--format=float32le', `--channels=${CHANNELS}`, '--raw'], {env: this.env, stdio: ['ignore', 'pipe', 'pipe']}));
    await recording.next(0.01);
    return recording;
  }

  async stop() { await stop(this.process); }
}

/** The left channel of the null sink. */
export class Recording {
  #process;
  #rest = Buffer.alloc(0);
  #pieces = [];
  #wake = () => {};
  #failed = '';
  /** Number of samples so far. */
  length = 0;

  constructor(process) {
    this.#process = process;
    process.stdout.on('data', (data) => this.#take(data));
    process.stderr.on('data', (data) => { this.#failed += data; });
    process.on('exit', () => { this.#failed ||= 'parec has exited'; this.#wake(); });
    process.on('error', (error) => { this.#failed += error; this.#wake(); });
  }

  #take(data) {
    const bytes = Buffer.concat([this.#rest, data]);
    const frames = Math.floor(bytes.length / (4 * CHANNELS));
    this.#rest = bytes.subarray(frames * 4 * CHANNELS);
    this.#pieces.push(Float32Array.from({length: frames}, (_, i) => bytes.readFloatLE(i * 4 * CHANNELS)));
    this.length += frames;
    this.#wake();
  }

  /** Returns the samples from a place on. */
  since(start) {
    const all = new Float32Array(this.length);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [all];
    return all.subarray(start);
  }

  /** Resolves to the samples of the next seconds. */
  async next(seconds) {
    const start = this.length;
    await this.until(() => this.length >= start + seconds * RATE, `${seconds} s of sound`);
    return this.since(start).subarray(0, Math.round(seconds * RATE));
  }

  /** Waits until a condition is met, which is checked after each piece of sound. */
  async until(condition, what) {
    for (const deadline = Date.now() + PATIENCE_MS; !condition();) {
      assert.ok(Date.now() < deadline && !this.#failed, `waiting for ${what}: ${this.#failed}`);
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 500);
      });
    }
  }

  /** Waits until the sound is louder or quieter than a level in dB (peak of 10 ms). Resolves to the place. */
  async untilLevel(compare, what) {
    let place = this.length;
    await this.until(() => {
      for (; place + RATE / 100 <= this.length; place += RATE / 100) {
        const peak = this.since(place).subarray(0, RATE / 100).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
        if (compare(20 * Math.log10(Math.max(peak, 1e-9)))) return true;
      }
      return false;
    }, what);
    return place;
  }

  untilSound() { return this.untilLevel((level) => level > -60, 'sound'); }
  untilSilence() { return this.untilLevel((level) => level < -100, 'silence'); }

  /** Resolves to the next `seconds` of sound during which neither browser nor sound server was late. */
  async steady(seconds = 0.2) {
    const start = this.length;
    const found = () => stretches(this.since(start)).find(({length}) => length >= seconds * RATE);
    await this.until(() => found() !== undefined || this.length > start + LONGEST_S * RATE, 'sound');
    return found()?.subarray(0, seconds * RATE)
      ?? assert.fail(`the sound has gaps, ${LONGEST_S} s long: it has stopped, or this machine is too busy`);
  }

  async stop() { await stop(this.#process); }
}
