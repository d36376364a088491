// SPDX-License-Identifier: MIT
// Compresses the files of the page, and reports their sizes.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`.padStart(10);

/** Writes a compressed copy NAME.gz of each file, and prints the sizes of those that a browser loads. */
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
  console.log(`${'page and engine'.padEnd(50)}${kilobytes(total)} compressed`);
}
