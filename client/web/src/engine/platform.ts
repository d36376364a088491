// SPDX-License-Identifier: MIT
// What the engine needs of the browser, and the engine's module.
import {RtaError} from 'rta-client/core';

/** The smallest module with a SIMD instruction. */
const SIMD_MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11]);

function unavailable(message: string, cause?: unknown): RtaError { return new RtaError('UNAVAILABLE', message, {cause}); }

/** Throws RtaError with what the browser lacks. */
export function checkPlatform(scope: typeof globalThis = globalThis): void {
  if (typeof scope.AudioContext !== 'function') {
    throw unavailable('this browser has no Web Audio: expected Chromium 91, Firefox 89 or Safari 16.4, or a later version');
  }
  if (typeof scope.AudioWorkletNode !== 'function') {
    throw unavailable(scope.isSecureContext === false
      ? `this page was not loaded securely, so the browser has no AudioWorklet for it: expected https:// or http://localhost, not ${scope.location.origin}`
      : 'this browser has no AudioWorklet: expected Chromium 91, Firefox 89 or Safari 16.4, or a later version');
  }
  if (typeof scope.WebAssembly !== 'object') {
    throw unavailable('WebAssembly is not available in this browser, or switched off: expected a browser with WebAssembly');
  }
  if (!scope.WebAssembly.validate(SIMD_MODULE)) {
    throw unavailable('this browser has no WebAssembly SIMD: expected Chromium 91, Firefox 89 or Safari 16.4, or a later version');
  }
}

const modules = new Map<string, Promise<WebAssembly.Module>>();

/** Returns the engine's module, which is fetched and compiled once for each page. */
export function engineModule(url: URL): Promise<WebAssembly.Module> {
  const known = modules.get(url.href);
  if (known !== undefined) return known;
  const module = compile(url);
  modules.set(url.href, module);
  module.catch(() => modules.delete(url.href));  // The next caller tries again.
  return module;
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url).catch((error: unknown) => {
    throw unavailable(`cannot load the engine from ${url.href}: ${messageOf(error)}`, error);
  });
  if (!response.ok) throw unavailable(`cannot load the engine from ${url.href}: status ${response.status}, expected 200`);
  try {
    // Servers that do not know .wasm send another type, which compileStreaming() refuses.
    if (response.headers.get('content-type') === 'application/wasm') return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw unavailable(`cannot compile the engine from ${url.href}: ${messageOf(error)}. A Content-Security-Policy must allow ` +
      '\'wasm-unsafe-eval\'', error);
  }
}

/** Returns the message of anything that was thrown. */
export function messageOf(error: unknown): string { return error instanceof Error ? error.message : String(error); }
