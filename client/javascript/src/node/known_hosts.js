// SPDX-License-Identifier: MIT
// The certificates of daemons, pinned on first use as ssh does. rtactl uses the same file. Lines are
// `HOST:PORT SHA256:...`; those that begin with # are comments.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {RtaError} from '../errors.js';

export const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;

export function defaultKnownHosts({XDG_CONFIG_HOME: config = ''} = process.env) {
  return path.join(path.isAbsolute(config) ? config : path.join(os.homedir(), '.config'), 'rtactl', 'known_hosts');
}

/** Returns the text of the file, or nothing if it does not exist. */
function read(file) {
  return fs.readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw new RtaError('FAILED_PRECONDITION', `cannot read the known hosts: ${error.message}`, {cause: error});
  });
}

/** Returns the fingerprints of a host. Throws RtaError for an invalid line, which may be that of the host. */
function fingerprintsOf(host, text, file) {
  return text.split('\n').flatMap((line, index) => {
    const [name, fingerprint, comment = '#'] = line.trim().split(/\s+/);
    if (name === '' || name.startsWith('#')) return [];
    if (!FINGERPRINT.test(fingerprint) || !comment.startsWith('#')) {
      throw new RtaError('FAILED_PRECONDITION', `${file}, line ${index + 1} is invalid: expected HOST:PORT SHA256:...`);
    }
    return name.toLowerCase() === host ? [fingerprint] : [];
  });
}

/**
 * Resolves if the certificate with this fingerprint is known, or, with `accept`, if the host has none yet: then it is
 * added to the file. Otherwise rejects with UNAUTHENTICATED.
 */
export async function checkKnownHost(host, fingerprint, {file, accept}) {
  const text = await read(file);
  const known = fingerprintsOf(host, text, file);
  if (known.includes(fingerprint)) return;
  if (known.length > 0) {
    throw new RtaError('UNAUTHENTICATED', `the certificate of ${host} has changed: it has the fingerprint ${fingerprint}, ` +
      `but ${file} has ${known.join(', ')}. The connection may be intercepted. If the certificate was replaced, ` +
      `remove the line of ${host} from the file`);
  }
  if (!accept) {
    throw new RtaError('UNAUTHENTICATED', `the certificate of ${host} is unknown: it has the fingerprint ${fingerprint}; ` +
      `if rtad has printed the same, add the line "${host} ${fingerprint}" to ${file}`);
  }
  try {
    await fs.mkdir(path.dirname(file), {recursive: true, mode: 0o700});
    const begin = text === '' || text.endsWith('\n') ? '' : '\n';
    await fs.appendFile(file, `${begin}${host} ${fingerprint}\n`, {mode: 0o600});
    process.emitWarning(`the certificate of ${host} was unknown, and is accepted from now on: ${fingerprint}`, 'RtaWarning');
  } catch (error) {
    throw new RtaError('FAILED_PRECONDITION', `cannot write the known hosts: ${error.message}`, {cause: error});
  }
}
