// SPDX-License-Identifier: MIT
// Runs the programs of docs/integration-javascript.md and of the README, in order, each as a new user would. The block of
// text after a program is its output, in which `...` matches anything; a program without one must end by itself. A
// program that does not end is stopped when it has printed its output.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import {fileURLToPath} from 'node:url';
import {Daemon, certificate, temporaryDirectory, tlsProxy} from './support.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const source = process.env.RTA_SOURCE;

function programsOf(file) {
  const text = fs.readFileSync(path.join(source, file), 'utf8');
  return [...text.matchAll(/^```js\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/gms)].map(([, program, output]) => ({program, output}));
}

function patternOf(output) {
  const escaped = output.split('...').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(escaped.join('[^\\n]*'), 'm');
}

/** Runs a program until it ends, or until its output matches. */
async function run(t, program, pattern, environment) {
  const directory = fs.mkdtempSync(path.join(here, 'program-'));  // below node_modules
  t.after(() => fs.rmSync(directory, {recursive: true}));
  fs.writeFileSync(path.join(directory, 'program.mjs'), program);
  const child = spawn(process.execPath, ['program.mjs'],
    {cwd: directory, env: {...process.env, ...environment}, stdio: ['ignore', 'pipe', 'inherit']});
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  let matched = false;
  const status = await new Promise((resolve) => {
    child.stdout.on('data', (data) => {
      output += data;
      matched ||= pattern.test(output);
      if (matched && /\bfor await\b/.test(program)) child.kill('SIGTERM');
    });
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  assert.match(output, pattern);
  assert.equal(status, /\bfor await\b/.test(program) ? 'SIGTERM' : 0, output);
}

test('the programs of docs/integration-javascript.md', async (t) => {
  const directory = temporaryDirectory(t);
  const daemon = await Daemon.start(t);
  const remote = await tlsProxy(t, daemon.address, certificate(directory, 'studio'));
  const programs = programsOf('docs/integration-javascript.md');
  assert.equal(programs.length, 6);
  for (const {program, output} of programs) {
    const adapted = program.replace('127.0.0.1:7340', daemon.address).replace('studio.local:7340', `tls://${remote}`);
    assert.notEqual(adapted, program);
    await run(t, adapted, patternOf(output), {XDG_CONFIG_HOME: directory});
  }
});

test('the program of the README', async (t) => {
  const daemon = await Daemon.start(t);
  const [{program}] = programsOf('client/javascript/README.md');
  await run(t, program.replace('127.0.0.1:7340', daemon.address), /^-30/m, {});
});
