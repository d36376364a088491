// SPDX-License-Identifier: MIT

/**
 * Why a call failed. `code` is a code of the protocol, such as NOT_FOUND. Errors of the library itself have one of
 *   INVALID_ARGUMENT    an argument that the library refuses; nothing was sent
 *   UNAVAILABLE         the daemon cannot be reached, or the connection was lost
 *   DEADLINE_EXCEEDED   no response within the deadline
 *   UNAUTHENTICATED     the daemon's certificate is not the expected one
 *   RESOURCE_EXHAUSTED  events were not read in time
 *   INTERNAL            the peer does not follow the protocol
 */
export class RtaError extends Error {
  constructor(code, message, {editIndex, result, conflict, cause} = {}) {
    super(message, cause === undefined ? undefined : {cause});
    this.name = 'RtaError';
    this.code = code;
    /** Index, from 0, of the edit or the change that was refused. */
    this.editIndex = editIndex;
    /** What the daemon returned together with the error: the change is committed, but was not confirmed in time. */
    this.result = result;
    /** What the guard of the request has found, if it does not hold (ABORTED). */
    this.conflict = conflict;
  }
}

export function invalid(message) { return new RtaError('INVALID_ARGUMENT', message); }

/** Refuses options that do not exist, which are usually spelling errors. */
export function checkOptions(options, names, what) {
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw invalid(`unknown option "${name}" of ${what}: expected ${names.join(', ')}`);
  }
}
