// SPDX-License-Identifier: MIT
// The file of an access token, as rtactl reads it.
import fs from 'node:fs/promises';
import process from 'node:process';
import {invalid} from '../errors.js';

const TOKEN = /^rtad_[\w-]{43}$/;
const OTHERS = 0o077;
const MOST_BYTES = 4096;

/** Resolves to the token in the file RTACTL_TOKEN_FILE; to undefined if the variable is not set. */
export async function defaultToken({RTACTL_TOKEN_FILE: file = ''} = process.env) {
  return file === '' ? undefined : readToken(file);
}

/**
 * Resolves to the token in a file of one line. Refuses a file of this user that other users may access, as ssh does with its
 * keys. No error contains what the file contains.
 */
export async function readToken(file) {
  const text = await read(file).catch((error) => {
    throw error.code === 'INVALID_ARGUMENT' ? error : invalid(`cannot read the token file "${file}": ${error.message}`);
  });
  const token = text.trim();
  if (TOKEN.test(token)) return token;
  throw invalid(`no access token in "${file}": expected one line as \`rtactl token new\` prints it, rtad_ and 43 characters`);
}

async function read(file) {
  const handle = await fs.open(file);
  try {
    // The open file, not the path: another file could take its place in between.
    const status = await handle.stat();
    if (status.isFile() && status.uid === process.getuid() && (status.mode & OTHERS) !== 0) {
      throw invalid(`other users may access the token file "${file}": expected mode 0600; see chmod(1)`);
    }
    const {buffer, bytesRead} = await handle.read({buffer: Buffer.alloc(MOST_BYTES), position: null});
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
