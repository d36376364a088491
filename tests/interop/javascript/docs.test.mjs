// SPDX-License-Identifier: MIT
// Runs the program of the README as a new user would, until it has printed what it says. tests/interop runs those of
// docs/integration.md.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import {fileURLToPath} from 'node:url';
import {Daemon} from './support.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));

test('the program of the README', async (t) => {
  const daemon = await Daemon.start(t);
  const text = fs.readFileSync(path.join(process.env.RTA_SOURCE, 'client/javascript/README.md'), 'utf8');
  const [, program] = /^```js\n(.*?)^```\n/ms.exec(text);
  const directory = fs.mkdtempSync(path.join(here, 'program-'));  // below node_modules
  t.after(() => fs.rmSync(directory, {recursive: true}));
  fs.writeFileSync(path.join(directory, 'program.mjs'), program.replace('127.0.0.1:7340', daemon.address));
  const child = spawn(process.execPath, ['program.mjs'], {cwd: directory, stdio: ['ignore', 'pipe', 'inherit']});
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  const end = await new Promise((resolve) => {
    child.stdout.on('data', (data) => {
      output += data;
      if (/^-30/m.test(output)) child.kill('SIGTERM');
    });
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  assert.equal(end, 'SIGTERM', output);
});
