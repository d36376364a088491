// SPDX-License-Identifier: MIT
// Tests the engine as WebAssembly, used as in a web page or a server: without WASI and npm packages.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';

const SAMPLE_RATE_HZ = 48000;
const BLOCK_SIZE = 64;
const TOLERANCE = 1e-5;  // relative to full scale; allowed difference between targets

const module = new WebAssembly.Module(readFileSync(process.env.RTA_WASM));

/** One engine in one instance of the module. */
class Engine {
    constructor({sampleRateHz = SAMPLE_RATE_HZ, blockSize = BLOCK_SIZE, channelsIn = 0, channelsOut = 1} = {}) {
        this.wasm = new WebAssembly.Instance(module, {}).exports;
        this.wasm._initialize();
        this.blockSize = blockSize;
        this.handle = this.wasm.rta_create(sampleRateHz, blockSize, channelsIn, channelsOut);
        if (this.handle === 0) throw new Error(this.lastError());
    }

    // Every call may grow the memory, which detaches existing views, so views are created for each access.
    writeText(text) {
        const bytes = new TextEncoder().encode(text);
        const address = this.wasm.rta_text(bytes.length);
        new Uint8Array(this.wasm.memory.buffer, address, bytes.length).set(bytes);
    }

    lastError() {
        const address = this.wasm.rta_last_error();
        return new TextDecoder().decode(new Uint8Array(this.wasm.memory.buffer, address, this.wasm.rta_last_error_length()));
    }

    load(document) {
        this.writeText(typeof document === 'string' ? document : JSON.stringify(document));
        return this.wasm.rta_load_document(this.handle);
    }

    /** What load() has loaded differently from what the document says. */
    warnings() {
        const address = this.wasm.rta_warnings();
        return new TextDecoder().decode(new Uint8Array(this.wasm.memory.buffer, address, this.wasm.rta_warnings_length()));
    }

    /** The current graph as document text. */
    document() {
        const length = this.wasm.rta_write_document(this.handle);
        return new TextDecoder().decode(new Uint8Array(this.wasm.memory.buffer, this.wasm.rta_document(), length));
    }

    set(name, value, rampMs = -1) {
        this.writeText(name);
        return this.wasm.rta_set_parameter(this.handle, value, rampMs);
    }

    /** Renders at least `frames` frames and returns exactly so many of every channel. */
    render(frames, channels = 1) {
        const out = Array.from({length: channels}, () => new Float32Array(frames + this.blockSize));
        for (let frame = 0; frame < frames; frame += this.blockSize) {
            assert.equal(this.wasm.rta_render(this.handle), 0);
            out.forEach((samples, channel) => {
                const address = this.wasm.rta_output(this.handle, channel);
                samples.set(new Float32Array(this.wasm.memory.buffer, address, this.blockSize), frame);
            });
            assert.equal(this.wasm.rta_poll(this.handle), 0);
        }
        return out.map((samples) => samples.subarray(0, frames));
    }
}

const CHAIN = {
    nodes: [
        {name: 'osc', type: 'sine', parameters: {frequency_hz: 440, gain_db: 0}},
        {name: 'vol', type: 'gain', parameters: {gain_db: -12}},
        {name: 'out', type: 'output'},
    ],
    connections: [{from: 'osc', to: 'vol'}, {from: 'vol', to: 'out'}],
};

const factor = (gainDb) => 10 ** (gainDb / 20);

function largestDifference(samples, expected) {
    let largest = 0;
    samples.forEach((sample, index) => {
        const difference = Math.abs(sample - expected(index));
        // NaN compares false with everything, and must not count as a small difference.
        if (!(difference <= largest)) largest = difference;
    });
    return largest;
}

/** The samples of a WAV file of 32-bit floats, by channel. */
function readWav(path) {
    const bytes = readFileSync(path);
    assert.equal(bytes.toString('latin1', 0, 4) + bytes.toString('latin1', 8, 12), 'RIFFWAVE');
    const chunks = new Map();
    for (let at = 12; at + 8 <= bytes.length;) {
        const size = bytes.readUInt32LE(at + 4);
        chunks.set(bytes.toString('latin1', at, at + 4), bytes.subarray(at + 8, at + 8 + size));
        at += 8 + size + (size & 1);
    }
    const format = chunks.get('fmt ');
    assert.equal(format.readUInt16LE(14), 32, 'bits per sample');
    const channels = format.readUInt16LE(2);
    const data = chunks.get('data');
    const frames = data.length / 4 / channels;
    return Array.from({length: channels}, (_, channel) =>
        Float32Array.from({length: frames}, (__, frame) => data.readFloatLE((frame * channels + channel) * 4)));
}

test('the module imports nothing', () => {
    assert.deepEqual(WebAssembly.Module.imports(module), []);
});

test('a chain sounds like Math.sin', () => {
    const engine = new Engine();
    assert.equal(engine.load(CHAIN), 0, engine.lastError());
    const [samples] = engine.render(SAMPLE_RATE_HZ);
    const step = 2 * Math.PI * 440 / SAMPLE_RATE_HZ;
    const difference = largestDifference(samples, (frame) => factor(-12) * Math.sin(step * frame));
    assert.ok(difference < TOLERANCE, `differs by ${difference}`);
});

test('a parameter changes on a ramp and arrives', () => {
    const engine = new Engine();
    assert.equal(engine.load(CHAIN), 0, engine.lastError());
    engine.render(BLOCK_SIZE * 10);
    assert.equal(engine.set('vol.gain_db', -6), 0, engine.lastError());
    const [samples] = engine.render(SAMPLE_RATE_HZ);
    const ramp = 0.02 * SAMPLE_RATE_HZ;
    const step = 2 * Math.PI * 440 / SAMPLE_RATE_HZ;
    const gainAt = (frame) => factor(-12) + (factor(-6) - factor(-12)) * Math.min(1, frame / ramp);
    const difference = largestDifference(samples, (frame) => gainAt(frame) * Math.sin(step * (frame + BLOCK_SIZE * 10)));
    assert.ok(difference < TOLERANCE, `differs by ${difference}`);
});

test('what the device captures comes out again', () => {
    const engine = new Engine({channelsIn: 1});
    assert.equal(engine.load({
        nodes: [{name: 'in', type: 'input'}, {name: 'out', type: 'output'}],
        connections: [{from: 'in', to: 'out'}],
    }), 0, engine.lastError());
    const captured = Float32Array.from({length: BLOCK_SIZE}, (_, frame) => Math.sin(frame * frame));
    new Float32Array(engine.wasm.memory.buffer, engine.wasm.rta_input(engine.handle, 0), BLOCK_SIZE).set(captured);
    assert.deepEqual(engine.render(BLOCK_SIZE)[0], captured);
});

test('a bad document is refused with line and column, and changes nothing', () => {
    const engine = new Engine();
    assert.equal(engine.load(CHAIN), 0, engine.lastError());
    const before = engine.render(SAMPLE_RATE_HZ / 10);
    assert.equal(engine.load('{"nodes": [\n  {"name": "osc", "typo": "sine"}\n]}'), 3);
    assert.match(engine.lastError(), /line 2, column 19/);
    assert.match(engine.lastError(), /typo/);
    assert.equal(engine.set('osc.frequency', 880), 5);
    assert.match(engine.lastError(), /frequency/);
    assert.equal(engine.set('osc', 880), 3);
    assert.match(engine.lastError(), /NODE\.PARAMETER/);
    assert.equal(engine.set('osc.frequency_hz', NaN), 3);
    assert.match(engine.lastError(), /frequency_hz/);

    const undisturbed = new Engine();
    assert.equal(undisturbed.load(CHAIN), 0);
    assert.deepEqual(undisturbed.render(SAMPLE_RATE_HZ / 10), before);
    assert.deepEqual(engine.render(SAMPLE_RATE_HZ / 10), undisturbed.render(SAMPLE_RATE_HZ / 10));
});

test('a cycle is refused, and the error names the whole of it', () => {
    const engine = new Engine();
    assert.equal(engine.load({
        nodes: [{name: 'a', type: 'gain'}, {name: 'b', type: 'gain'}],
        connections: [{from: 'a', to: 'b'}, {from: 'b', to: 'a'}],
    }), 9);
    assert.match(engine.lastError(), /\ba\b.*\bb\b/);
});

test('an engine that cannot be is refused', () => {
    assert.throws(() => new Engine({blockSize: 100}), /invalid block size 100: expected a power of two/);
    assert.throws(() => new Engine({sampleRateHz: NaN}), /sample rate/);
    assert.throws(() => new Engine({channelsOut: 65}), /too many channels: expected at most 64/);
});

test('sizes and addresses beyond the memory are refused', () => {
    const engine = new Engine({channelsIn: 1, channelsOut: 2});
    const {wasm, handle} = engine;
    assert.equal(engine.load(CHAIN), 0, engine.lastError());
    for (const bytes of [(4 << 20) + 1, 2 ** 31, -1]) {
        assert.equal(wasm.rta_text(bytes), 0);
        assert.equal(wasm.rta_load_document(handle), 3);
        assert.match(engine.lastError(), /the text is too long: expected at most 4194304 bytes/);
        const length = wasm.rta_execute(handle);
        assert.match(new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, wasm.rta_reply(), length)), /"the text is too long/);
    }
    assert.notEqual(wasm.rta_host_buffer(handle, 128), 0);
    assert.equal(wasm.rta_process(handle, 128), 0);
    for (const frames of [129, 16384, 16385, -1]) {
        assert.equal(wasm.rta_process(handle, frames), 3);
        assert.match(engine.lastError(), /rta_host_buffer\(\) was not called for as many frames/);
    }
    assert.equal(wasm.rta_host_buffer(handle, 16385), 0);
    assert.equal(wasm.rta_input(handle, 1), 0);
    assert.equal(wasm.rta_output(handle, 2), 0);
    const memory = () => new Uint8Array(wasm.memory.buffer);
    const before = memory().slice();
    const end = wasm.memory.buffer.byteLength;
    for (const [output, frames] of [[0, 64], [end - 4, 64], [end - 2 * 64 * 4 + 4, 64], [end - 3, 1], [-4, 1], [64, 16385], [64, -1]])
        wasm.process_block(output, frames);
    assert.deepEqual(memory(), before);
    const silent = new Engine({channelsOut: 0});
    assert.notEqual(silent.wasm.rta_host_buffer(silent.handle, 128), 0);
    assert.equal(silent.wasm.rta_process(silent.handle, 128), 0);
});

test('a thousand plans and as many engines take no more memory than five hundred', () => {
    const engine = new Engine();
    const edit = (index) => {
        const gainDb = -12 - (index % 7);
        assert.equal(engine.load({...CHAIN, nodes: CHAIN.nodes.map((node) =>
            node.name === 'vol' ? {...node, parameters: {gain_db: gainDb}} : node)}), 0, engine.lastError());
        engine.render(BLOCK_SIZE * 20);
        const other = engine.wasm.rta_create(SAMPLE_RATE_HZ, BLOCK_SIZE, 0, 1);
        engine.wasm.rta_destroy(other);
    };
    for (let index = 0; index < 500; ++index) edit(index);  // until the heap size is stable
    const size = engine.wasm.memory.buffer.byteLength;
    for (let index = 0; index < 1000; ++index) edit(index);
    assert.equal(engine.wasm.memory.buffer.byteLength, size);
});

/** Filters of every node type that has them, one behind the other, on something that excites them all. */
const FILTERS = {
    nodes: [
        {name: 'click', type: 'impulse', parameters: {gain_db: -6}},
        {name: 'osc', type: 'sine', parameters: {frequency_hz: 333, gain_db: -12}},
        {name: 'bass', type: 'biquad_filter', settings: {kind: 'low_shelf'}, parameters: {frequency_hz: 80, gain_db: 6}},
        {name: 'hum', type: 'biquad_filter', settings: {kind: 'notch'}, parameters: {frequency_hz: 50, q: 20}},
        {name: 'eq', type: 'equalizer', settings: {bands: 5, kind_1: 'highpass', kind_5: 'high_shelf'},
         parameters: {gain_2_db: -6, gain_3_db: 4, gain_5_db: 3}},
        {name: 'ways', type: 'crossover', settings: {ways: 3, order: 8}},
        {name: 'out', type: 'output'},
    ],
    connections: [
        {from: 'click', to: 'bass'}, {from: 'osc', to: 'bass'}, {from: 'bass', to: 'hum'}, {from: 'hum', to: 'eq'},
        {from: 'eq', to: 'ways'}, {from: 'ways:out_1', to: 'out', gain_db: -3}, {from: 'ways:out_3', to: 'out'},
    ],
};

for (const [what, document] of [['a chain', CHAIN], ['filters', FILTERS]]) {
    test(`rtad render gives the same samples: ${what}`, () => {
        const folder = mkdtempSync(join(tmpdir(), 'rta-wasm-'));
        try {
            const graph = join(folder, 'graph.json');
            const wav = join(folder, 'out.wav');
            writeFileSync(graph, JSON.stringify(document));
            execFileSync(process.env.RTA_NATIVE_RTAD, ['render', '--graph', graph, '--duration', '0.5', '--output', wav]);
            const [native] = readWav(wav);
            assert.equal(native.length, SAMPLE_RATE_HZ / 2);
            const engine = new Engine();
            assert.equal(engine.load(document), 0, engine.lastError());
            const [portable] = engine.render(native.length);
            assert.ok(largestDifference(portable, () => 0) > 0.1, 'silent');
            const difference = largestDifference(portable, (frame) => native[frame]);
            assert.ok(difference < TOLERANCE, `differs by ${difference}`);
        } finally {
            rmSync(folder, {recursive: true});
        }
    });
}

test('documents may have units, switches, comments and titles', () => {
    const engine = new Engine();
    assert.equal(engine.load(`// The foyer.
{"title": "Foyer", "nodes": [
  {"name": "lp", "type": "biquad_filter", "description": "Treble", "settings": {"channels": "1"},
   "parameters": {"frequency_hz": "30 kHz", "gain_db": "-6 dB", "bypass": true}}]}`), 0, engine.lastError());
    assert.equal(engine.warnings(), 'line 4, column 35: node "lp": frequency_hz = 30000 Hz is above the maximum, ' +
        '23520 Hz at a sample rate of 48000 Hz; loaded as 23520 Hz\n');
    const saved = JSON.parse(engine.document());
    assert.equal(saved.title, 'Foyer');
    assert.equal(saved.nodes[0].description, 'Treble');
    assert.equal(saved.nodes[0].parameters.frequency_hz, 23520);
    assert.equal(saved.nodes[0].parameters.bypass, 1);
    assert.equal(engine.load(engine.document()), 0, engine.lastError());
    assert.equal(engine.warnings(), '');
    assert.notEqual(engine.load('{"nodes": [{"name": "g", "type": "gain", "parameters": {"gain_db": "2 s"}}]}'), 0);
    assert.match(engine.lastError(), /line 1, column 68: .*"2 s" is a time; write a level \(dB\)/);
});
