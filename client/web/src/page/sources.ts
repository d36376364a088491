// SPDX-License-Identifier: MIT
// The engines that the page can open.
import {connectDaemon, socketUrl} from '../remote/index.js';
import type {EngineSource} from './model.js';

const CLIENT_NAME = 'rtad page';
const TOKEN = 'rta.token';
/** Before a one-time code, which `rtactl web` prints, in Hello.token. */
const CODE_PREFIX = 'code:';

/** A daemon that runs `rtad --web` at `address`. `token`: an access token, a one-time code after "code:", or ''. */
export function daemonSource(address: string, token: string): EngineSource {
  const name = socketUrl(address).host;
  let current = token;
  return {
    kind: 'daemon',
    name,
    async connect(signal) {
      const client = await connectDaemon(address, {name: CLIENT_NAME, token: current, signal});
      // A one-time code is used up. The token of its session admits this tab again.
      const {session_token: session} = client.hello;
      if (session) {
        current = session;
        tokens.set(name, session);
      }
      return client;
    },
  };
}

/** Whether the page was loaded from `rtad --web`: the policy of its server names the WebSocket of this page. */
export async function isServedByDaemon(): Promise<boolean> {
  if (!/^https?:$/.test(location.protocol)) return false;
  try {
    const {headers} = await fetch(location.pathname, {method: 'HEAD', cache: 'no-store'});
    const {origin} = socketUrl(location.origin);
    return (headers.get('content-security-policy') ?? '').split(/[ ;]+/).includes(origin);
  } catch {
    return false;
  }
}

/** Returns the one-time code of the fragment #code=XXXX as a token, and removes it from the address; '' without one. */
export function takeCode(): string {
  const [, code = ''] = /^#code=([\w-]+)$/.exec(location.hash) ?? [];
  if (code === '') return '';
  history.replaceState(null, '', location.pathname + location.search);
  return CODE_PREFIX + code;
}

/** The tokens of daemons, which are kept until the tab is closed: not in an address, not in a cookie. Never a one-time code. */
export const tokens = {
  get(name: string): string { return stored(() => sessionStorage.getItem(`${TOKEN}.${name}`)) ?? ''; },
  set(name: string, token: string): void {
    stored(() => {
      if (token === '' || token.startsWith(CODE_PREFIX)) sessionStorage.removeItem(`${TOKEN}.${name}`);
      else sessionStorage.setItem(`${TOKEN}.${name}`, token);
    });
  },
};

/** Returns null if the browser does not let the page store anything. */
export function stored<T>(access: () => T): T | null {
  try {
    return access();
  } catch {
    return null;
  }
}
