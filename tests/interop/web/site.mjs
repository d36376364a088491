// SPDX-License-Identifier: MIT
// A static server for the page. It sends the headers of `rtad --web`, so that the page runs under the same policy.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const TYPES = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml', '.json': 'application/json', '.png': 'image/png', '.txt': 'text/plain',
  '.webmanifest': 'application/manifest+json', '.wav': 'audio/wav'};
const ISOLATION = {'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp'};
/** The page may also connect to a daemon elsewhere. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; " +
  "media-src 'self' blob:; font-src 'self'; manifest-src 'self'; worker-src 'self'; connect-src 'self' ws: wss:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Serves a folder. `isolated`: whether pages may use a SharedArrayBuffer. `extra`: more files, {'/name': content}. `policy`: the
 * Content-Security-Policy.
 */
export class Site {
  static async start(folder, {isolated = true, extra = {}, policy = POLICY} = {}) {
    const site = new Site();
    site.requests = [];
    const root = path.resolve(folder);
    site.server = http.createServer((request, response) => {
      const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname).replace(/\/$/, '/index.html');
      const file = path.join(root, name);
      site.requests.push(name);
      if (!(name in extra) && (!file.startsWith(root + path.sep) || !fs.existsSync(file))) {
        response.writeHead(404).end();
        return;
      }
      const body = extra[name] ?? fs.readFileSync(file);
      response.writeHead(200, {'Content-Type': TYPES[path.extname(name)] ?? 'application/octet-stream', 'Cache-Control': 'no-cache',
        'Content-Security-Policy': policy, ...isolated ? ISOLATION : {}});
      response.end(request.method === 'HEAD' ? undefined : body);
    });
    await new Promise((resolve) => { site.server.listen(0, '127.0.0.1', resolve); });
    site.url = `http://127.0.0.1:${site.server.address().port}/`;
    return site;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
