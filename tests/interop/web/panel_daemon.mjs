// SPDX-License-Identifier: MIT
// A daemon that serves the page, for tests of the page as its panel.
import {connect} from 'rta-client';
import {Daemon} from '../../tests/support.mjs';

/** A sine of 440 Hz at -20 dB through `vol` to both channels. */
export const CHAIN = {nodes: [
  {name: 'osc', type: 'sine', parameters: {frequency_hz: 440, gain_db: -20}},
  {name: 'vol', type: 'gain', parameters: {gain_db: 0}},
  {name: 'out', type: 'output', settings: {channels: 2}}],
connections: [{from: 'osc', to: 'vol'}, {from: 'vol', to: 'out'}]};

/** Starts `rtad --web`. Returns {daemon, client, url}; with `graph`, it plays that. */
export async function startPanel(t, {graph = CHAIN, web = '127.0.0.1:0', directory, arguments: more = []} = {}) {
  const daemon = await Daemon.start(t, {...directory ? {directory} : {}, arguments: ['--web', web, '--web-root', process.env.RTA_SITE, ...more]});
  const [, url] = /serving (https?:\/\/\S+)/.exec(daemon.log) ?? [];
  if (!url) throw new Error(`rtad --web does not say where:\n${daemon.log}`);
  const client = await connect(daemon.socket);
  t.after(() => client.close());
  if (graph) await client.load(JSON.stringify(graph));
  return {daemon, client, url};
}
