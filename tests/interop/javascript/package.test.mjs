// SPDX-License-Identifier: MIT
// The package as programs install it.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import {fileURLToPath} from 'node:url';
import {defaultAddresses, localAddresses, parseAddress} from '../node_modules/rta-client/src/node/address.js';
import {defaultKnownHosts} from '../node_modules/rta-client/src/node/known_hosts.js';
import {pauseMs} from '../node_modules/rta-client/src/mirror.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const installed = path.join(here, '..', 'node_modules', 'rta-client');
const stage = path.join(here, '..', 'stage');
const read = (...names) => fs.readFileSync(path.join(...names), 'utf8');

test('a program in TypeScript compiles, and its errors are found', () => {
  execFileSync(process.execPath, [path.join(stage, 'node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '--strict',
    '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom', path.join(here, 'usage.mts')],
  {stdio: ['ignore', 'inherit', 'inherit']});
});

test('the types declare what the library exports', async () => {
  for (const entry of ['index', 'core']) {
    const declared = ['index', 'core'].slice(entry === 'index' ? 0 : 1).flatMap((file) => (
      [...read(installed, 'src', `${file}.d.ts`).matchAll(/^export (?:class|const|function) (\w+)/gm)].map(([, name]) => name)));
    const exported = Object.keys(await import(entry === 'index' ? 'rta-client' : 'rta-client/core'));
    // Client and Mirror are types: programs do not construct them.
    assert.deepEqual(declared.filter((name) => !['Client', 'Mirror'].includes(name)).sort(), exported.sort(), entry);
  }
});

test('the types declare every method, and only those', async () => {
  const declarations = read(installed, 'src', 'core.d.ts');
  for (const [name, file] of [['Client', 'client.js'], ['Mirror', 'mirror.js'], ['Transaction', 'changes.js']]) {
    const [, body] = new RegExp(`^export (?:class|interface) ${name} \\{\\n(.*?)^\\}`, 'ms').exec(declarations);
    const declared = [...body.matchAll(/^ {2}(\w+)(?:<.*?>)?\(/gm)].map(([, method]) => method);
    const {prototype} = (await import(`../node_modules/rta-client/src/${file}`))[name];
    const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([, {value}]) => typeof value === 'function').map(([method]) => method);
    const internal = ['constructor', 'resume'];
    assert.deepEqual(methods.filter((method) => !internal.includes(method)).sort(), declared.sort(), name);
  }
});

test('the core needs no module of Node.js', () => {
  const seen = new Set();
  const follow = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, target] of read(file).matchAll(/^(?:import|export) .*?from '([^']+)'/gm)) {
      assert.match(target, /^\./, file);
      follow(path.resolve(path.dirname(file), target));
    }
  };
  follow(path.join(installed, 'src', 'core.js'));
  assert.ok(seen.size >= 10, `${seen.size} modules`);
  for (const file of seen) assert.doesNotMatch(read(file).replace(/^.*generated.*$/gm, ''), /\b(?:Buffer|process|require)\b[.(]/, file);
});

test('the package runs no scripts, and pins what it needs without naming a registry', () => {
  const manifest = JSON.parse(read(installed, 'package.json'));
  assert.equal(manifest.scripts, undefined);
  assert.equal(manifest.dependencies, undefined);
  for (const version of Object.values(manifest.devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/);
  const lock = read(stage, 'package-lock.json');
  assert.doesNotMatch(lock, /resolved|https?:/);
  for (const [name, entry] of Object.entries(JSON.parse(lock).packages)) {
    if (name !== '') assert.match(entry.integrity, /^sha512-/, name);
    assert.equal(entry.hasInstallScript, undefined, name);
  }
  const [, version] = /^project\(rtad VERSION (\S+)/m.exec(read(process.env.RTA_SOURCE, 'CMakeLists.txt'));
  assert.equal(manifest.version, version);
});

test('the package has its files, and no others', () => {
  const files = fs.readdirSync(installed, {recursive: true}).map(String).filter((name) => /\.\w+$/.test(name));
  const sources = fs.readdirSync(path.join(stage, 'src'), {recursive: true}).map(String).filter((name) => /\.\w+$/.test(name));
  assert.deepEqual(files.sort(), ['README.md', 'package.json', 'generated/descriptor.js', 'generated/messages.d.ts',
    ...sources.map((name) => `src/${name}`)].sort());
});

test('addresses', () => {
  const tcp = (host, port, secure, name) => ({host, port, secure, name});
  assert.deepEqual(parseAddress('127.0.0.1'), tcp('127.0.0.1', 7340, false, '127.0.0.1:7340'));
  assert.deepEqual(parseAddress('127.1.2.3:1'), tcp('127.1.2.3', 1, false, '127.1.2.3:1'));
  assert.deepEqual(parseAddress('tls://127.0.0.1:7340'), tcp('127.0.0.1', 7340, true, '127.0.0.1:7340'));
  assert.deepEqual(parseAddress('Studio.local:65535'), tcp('studio.local', 65535, true, 'studio.local:65535'));
  assert.deepEqual(parseAddress('127.evil.example'), tcp('127.evil.example', 7340, true, '127.evil.example:7340'));
  assert.deepEqual(parseAddress('::1'), tcp('::1', 7340, false, '[::1]:7340'));
  assert.deepEqual(parseAddress('[fe80::1]:80'), tcp('fe80::1', 80, true, '[fe80::1]:80'));
  assert.deepEqual(parseAddress('/run/rtad/control.sock'), {path: '/run/rtad/control.sock', name: '/run/rtad/control.sock'});
  for (const path of ['./s', '../s']) assert.deepEqual(parseAddress(path), {path, name: path});
  for (const bad of ['', ':7340', 'a:', 'a:0', 'a:65536', 'a:1x', '[::1', '[::1]7340', '[studio]:1', 'a b', 'a/b', 'tls://', 'http://a',
    'a\n', '1:2:3']) {
    assert.throws(() => parseAddress(bad), {code: 'INVALID_ARGUMENT', message: /invalid address/}, bad);
  }
  assert.deepEqual(localAddresses({RUNTIME_DIRECTORY: '/a:/b', XDG_RUNTIME_DIR: '/c'}).map(({name}) => name),
    ['/a/control.sock', '/c/rtad/control.sock', '/run/rtad/control.sock', '127.0.0.1:7340']);
  assert.deepEqual(localAddresses({}).map(({name}) => name), ['/run/rtad/control.sock', '127.0.0.1:7340']);
  assert.deepEqual(defaultAddresses({RTACTL_HOST: 'studio:80', XDG_RUNTIME_DIR: '/c'}).map(({name}) => name), ['studio:80']);
  assert.deepEqual(defaultAddresses({RTACTL_HOST: ''}), localAddresses({}));
  assert.equal(defaultKnownHosts({XDG_CONFIG_HOME: '/c'}), '/c/rtactl/known_hosts');
  assert.match(defaultKnownHosts({XDG_CONFIG_HOME: 'relative'}), /\/\.config\/rtactl\/known_hosts$/);
});

test('pauses between attempts grow, end at 5 s, and differ', () => {
  assert.deepEqual([0, 1, 2, 6, 7, 50, 2000].map((attempt) => pauseMs(attempt, () => 1)), [100, 200, 400, 5000, 5000, 5000, 5000]);
  assert.deepEqual([0, 50].map((attempt) => pauseMs(attempt, () => 0)), [50, 2500]);
  assert.notEqual(pauseMs(10), pauseMs(10));
});
