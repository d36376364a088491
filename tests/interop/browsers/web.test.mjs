// SPDX-License-Identifier: MIT
// Pages in real browsers and `rtad --web`: a page of rtad reaches it, every other one does not, also not if its name leads to
// rtad (DNS rebinding).
//
// Environment: that of support.mjs; RTA_CHROMIUM and RTA_FIREFOX, the programs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import {connect} from 'rta-client';
import {Daemon, temporaryDirectory} from '../tests/support.mjs';
import {Door} from './door.mjs';
import {launchChromium, launchFirefox} from './launch.mjs';

/** A loopback address that only this process uses. */
const ADDRESS = `127.${128 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
const PORT = 7341;

// All names lead to ADDRESS.
const browsers = {
  async chromium(env) {
    const browser = await launchChromium({env, args: [`--host-resolver-rules=MAP * ${ADDRESS}`]});
    return {browser, page: await browser.newPage()};
  },
  async firefox(env) {
    const browser = await launchFirefox({env,
      extraPrefsFirefox: {'network.dns.forceResolve': ADDRESS, 'network.http.request.max-attempts': 1}});
    return {browser, page: await browser.newPage()};
  },
};

/** Runs in the page. Opens a WebSocket, sends `bytes` as messages, and returns 'closed' or what happened first. */
async function openSocket({url, messages}) {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve) => {
    socket.onopen = () => messages.forEach((bytes) => socket.send(new Uint8Array(bytes)));
    socket.onmessage = ({data}) => { resolve(`answer of ${new Uint8Array(data).length > 0}`); socket.close(); };
    socket.onclose = ({code}) => resolve(`closed ${code}`);
  });
}

/** Runs in the page. Returns what it may do. */
async function inspect() {
  await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
  const elsewhere = await fetch('http://other.test/').then(() => 'fetched', () => 'refused');
  return {elsewhere, isolated: crossOriginIsolated, script: document.title};
}

const hello = [0x1a, 2, 8, 1];

for (const [name, launch] of Object.entries(browsers)) {
  test(`only a page of rtad reaches rtad --web in ${name}`, async (t) => {
    const root = temporaryDirectory(t);
    fs.writeFileSync(path.join(root, 'index.html'), '<!doctype html><link rel="icon" href="data:,"><title>page</title>' +
      '<script>document.title = "inline"</script><script type="module" src="main.js"></script>');
    fs.writeFileSync(path.join(root, 'main.js'), 'let text = "its script"; try { eval("text = 1"); } catch { text += ", no eval"; } document.title += ` with ${text}`;');
    const daemon = await Daemon.start(t, {arguments: ['--web', `${ADDRESS}:0`, '--web-root', root]});
    const client = await connect(daemon.socket);
    t.after(() => client.close());
    const [, own] = /serving http:\/\/127\.\d+\.\d+\.\d+:(\d+)\//.exec(daemon.log);
    const door = await Door.open(t, {host: ADDRESS, port: PORT, target: `${ADDRESS}:${own}`});
    const {browser, page} = await launch({...process.env, HOME: temporaryDirectory(t)});
    t.after(() => browser.close());

    // The page of rtad.
    await page.goto(`http://${ADDRESS}:${own}/`);
    await page.waitForFunction('document.title.includes("script")');
    assert.deepEqual(await page.evaluate(inspect),
      {elsewhere: 'refused', isolated: true, script: 'page with its script, no eval'});
    assert.equal(await page.evaluate(openSocket, {url: `ws://${ADDRESS}:${own}/socket`, messages: [hello]}), 'answer of true');

    // A page of another host, across origins, and then with a name that leads to rtad.
    await page.goto(`http://evil.test:${PORT}/`);
    assert.equal(await page.evaluate(openSocket, {url: `ws://${ADDRESS}:${own}/socket`, messages: [hello]}), 'closed 1006');
    assert.equal(await page.evaluate(openSocket, {url: `ws://evil.test:${own}/socket`, messages: [hello]}), 'closed 1006');
    const fetched = await page.evaluate((url) => fetch(url).then(() => 'fetched', () => 'refused'), `http://${ADDRESS}:${own}/`);
    assert.equal(fetched, 'refused');
    await door.whileItLeadsToRtad(async () => {
      const answer = await page.evaluate(() => fetch('/', {cache: 'no-store'}).then(async (got) => `${got.status} ${await got.text()}`));
      assert.match(answer, /^403 Host "evil\.test:7341" is not a name of this daemon/);
      assert.equal(await page.evaluate(openSocket, {url: `ws://evil.test:${PORT}/socket`, messages: [hello]}), 'closed 1006');
    });
    assert.match(daemon.log, /refused an HTTP request from 127\S+: (Host "evil\.test|Origin "http:\/\/evil\.test)/);
    assert.equal((await client.graph()).revision, 0);
    t.diagnostic(await browser.version());
    await client.close();
    await daemon.stop();
  });
}
