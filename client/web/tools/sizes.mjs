// SPDX-License-Identifier: MIT
// Compresses the files of the page, and reports their sizes.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

/** Maximum size of page and engine in all, compressed. */
export const MAXIMUM_BYTES = 250_000;

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`.padStart(10);

/** Writes a compressed copy NAME.gz of each file. Prints the sizes, and throws if the sum without `uncounted` is too large. */
export function writeCompressed(directory, uncounted) {
  let total = 0;
  for (const name of fs.readdirSync(directory).sort()) {
    const bytes = fs.readFileSync(path.join(directory, name));
    const compressed = zlib.gzipSync(bytes, {level: 9});
    fs.writeFileSync(path.join(directory, `${name}.gz`), compressed);
    if (name === uncounted) continue;
    console.log(`${name.padEnd(40)}${kilobytes(bytes.length)}${kilobytes(compressed.length)} compressed`);
    total += compressed.length;
  }
  console.log(`${'page and engine'.padEnd(50)}${kilobytes(total)} compressed, at most ${kilobytes(MAXIMUM_BYTES).trim()}`);
  if (total > MAXIMUM_BYTES) {
    throw new Error(`page and engine have ${total} bytes in all, compressed: expected at most ${MAXIMUM_BYTES}`);
  }
}
