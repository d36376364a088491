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

/** Returns the fingerprints of a host. Throws RtaError for a file that cannot be read, or with an invalid line. */
async function fingerprintsOf(host, file) {
  const text = await fs.readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw new RtaError('FAILED_PRECONDITION', `cannot read the known hosts: ${error.message}`, {cause: error});
  });
  return text.split('\n').flatMap((line, index) => {
    const [name, fingerprint, ...rest] = line.trim().split(/\s+/);
    if (name === '' || name.startsWith('#')) return [];
    if (!FINGERPRINT.test(fingerprint) || rest.length > 0) {
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
  const known = await fingerprintsOf(host, file);
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
    await fs.appendFile(file, `${host} ${fingerprint}\n`, {mode: 0o600});
    process.emitWarning(`the certificate of ${host} was unknown, and is accepted from now on: ${fingerprint}`, 'RtaWarning');
  } catch (error) {
    throw new RtaError('FAILED_PRECONDITION', `cannot write the known hosts: ${error.message}`, {cause: error});
  }
}
