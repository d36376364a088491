// SPDX-License-Identifier: MIT
// Compares engines in Chromium by the wall time of rendering 60 s of the graphs of graphs.mjs into an OfflineAudioContext:
//
//   node web_bench.mjs RTA_WEB [--runs N] [--seconds S] [ENGINE...]
//
// RTA_WEB is the folder of the package rta-web. Each engine's output is compared with the expected one first, from the second second
// on: some engines fade in. The runs of the engines alternate; the median counts. Environment: RTA_CHROMIUM, the browser.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import esbuild from 'esbuild';
import {chromium} from 'playwright-core';

const GRAPHS = ['series', 'parallel'];
/** Engines round their coefficients differently, and some are less accurate at low frequencies. */
const MAXIMUM_DIFFERENCE_DB = -60;
const TYPES = {'.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html'};

const {values, positionals: [rtaWeb, ...selected]} = parseArgs({allowPositionals: true,
  options: {runs: {type: 'string', default: '5'}, seconds: {type: 'string', default: '60'}}});
const here = path.dirname(fileURLToPath(import.meta.url));
const modules = path.join(here, 'node_modules');

const rtaWebPlugin = {name: 'rta-web', setup: (build) => (
  build.onResolve({filter: /^rta-web\/engine$/}, () => ({path: path.resolve(rtaWeb, 'dist/engine.js')})))};
const {outputFiles: [bundle]} = await esbuild.build({entryPoints: [path.join(here, 'page.mjs')], bundle: true, format: 'esm', write: false,
  target: 'es2022', external: ['fs', 'url'], plugins: [rtaWebPlugin], logLevel: 'error'});

const FILES = {'/': '<!doctype html><script type="module" src="/page.js"></script>', '/page.js': bundle.text};
const FOLDERS = {'/rta-web/': path.resolve(rtaWeb, 'dist'), '/faust/': path.join(modules, '@grame/faustwasm/libfaust-wasm'),
  '/supersonic/': path.join(modules, 'supersonic-scsynth/dist'), '/supersonic-core/': path.join(modules, 'supersonic-scsynth-core')};

function contentOf(url) {
  if (url in FILES) return FILES[url];
  const folder = Object.keys(FOLDERS).find((prefix) => url.startsWith(prefix));
  return folder && fs.readFileSync(path.join(FOLDERS[folder], url.slice(folder.length)));
}

const server = http.createServer(({url}, response) => {
  const {pathname} = new URL(url, 'http://localhost');
  let content;
  try { content = contentOf(pathname); } catch { content = undefined; }
  response.writeHead(content === undefined ? 404 : 200, {'Content-Type': TYPES[path.extname(pathname) || '.html'] ?? 'application/octet-stream',
    'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp'});
  response.end(content);
});
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });

const browser = await chromium.launch({executablePath: process.env.RTA_CHROMIUM ?? '/usr/bin/chromium', timeout: 120_000});
const page = await browser.newPage();
page.on('pageerror', (error) => console.error(`page: ${error.message}`));
await page.goto(`http://127.0.0.1:${server.address().port}/`);
await page.waitForFunction(() => globalThis.engines !== undefined, undefined, {timeout: 60_000});

const all = await page.evaluate(() => globalThis.engines);
const engines = selected.length > 0 ? selected : all;
const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1];
let wrong = false;
const results = {};
for (const engine of engines) {
  for (const graph of GRAPHS) {
    const difference_db = await page.evaluate(([name, which]) => globalThis.check(name, which), [engine, graph]);
    if (!(difference_db < MAXIMUM_DIFFERENCE_DB)) {
      wrong = true;
      console.error(`${engine}, ${graph}: the output differs from the expected one by ${difference_db.toFixed(1)} dB`);
    }
    results[`${engine} ${graph}`] = {difference_db, times: []};
  }
}
for (let run = 0; run < Number(values.runs); ++run) {
  for (const engine of engines) {
    for (const graph of GRAPHS) {
      const time = await page.evaluate(([name, which, seconds]) => globalThis.measure(name, which, seconds), [engine, graph, Number(values.seconds)]);
      results[`${engine} ${graph}`].times.push(time);
    }
  }
}

console.log(`Chromium ${browser.version()}, ${values.seconds} s of audio, median of ${values.runs} runs`);
console.log('engine        graph       wall time      min      max   of the browser   difference from the expected output');
for (const engine of engines) {
  for (const graph of GRAPHS) {
    const {times, difference_db} = results[`${engine} ${graph}`];
    const own = results[`browser ${graph}`];
    const ratio = own ? `${(100 * median(times) / median(own.times)).toFixed(0)} %` : '';
    const columns = [median(times), Math.min(...times), Math.max(...times)].map((time) => `${time.toFixed(2)} s`.padStart(8));
    console.log(`${engine.padEnd(14)}${graph.padEnd(12)}${columns.join(' ').padStart(26)}${ratio.padStart(17)}${`${difference_db.toFixed(0)} dB`.padStart(14)}`);
  }
}
await browser.close();
server.close();
process.exitCode = wrong ? 1 : 0;
