// SPDX-License-Identifier: MIT
// Builds the package and the page from `modules`, which `tsc` has made of the sources in the current folder:
//
//   node build.mjs WASM SITE_DIR LICENSE...
//
//   dist/          what the package contains: a module for each of its exports, the processor, the engine, the types
//   SITE_DIR       the page, for any static server. Names of files contain a hash of their contents, except index.html.
//                  NAME.gz is a compressed copy of NAME, for servers that can send it.
//
// WASM is rta_engine.wasm. The LICENSE files are those of the libraries in it. Prints the sizes.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import esbuild from 'esbuild';
import {licensesOf} from './licenses.mjs';
import {writeCompressed} from './sizes.mjs';
import {shortened} from './templates.mjs';

const PAGE = 'src/page/index.html';
const LICENSES = 'licenses.txt';
/** The files that modules find beside themselves, by new URL('./NAME', import.meta.url). */
const PROCESSOR = 'processor.js';
const ENGINE = 'rta_engine.wasm';
const PROCESSOR_MODULE = 'modules/engine/processor.js';

const common = {bundle: true, format: 'esm', target: 'es2022', minify: true, metafile: true, write: false,
  legalComments: 'none', logLevel: 'warning', loader: {'.svg': 'copy', '.png': 'copy', '.webmanifest': 'copy'}};

/** Returns the module of a source. esbuild compiles decorators and private methods of sources to more code than tsc. */
const moduleOf = (source) => source.replace(/^src(.*)\.ts$/, 'modules$1.js');

/** Shortens the templates of modules, and replaces the names of files that modules find beside themselves. */
function besides(names) {
  const replaced = (text, file) => text.replaceAll(/new URL\('\.\/([^']+)', import\.meta\.url\)/g, (_, name) => {
    if (!names.has(name)) throw new Error(`${file}: unknown file ./${name}: expected ${[...names.keys()].join(' or ')}`);
    return `new URL('./${names.get(name)}', import.meta.url)`;
  });
  return {name: 'besides', setup: (build) => build.onLoad({filter: /[\\/]modules[\\/].*\.js$/}, async ({path: file}) => (
    {contents: shortened(replaced(await fs.promises.readFile(file, 'utf8'), file), file), loader: 'js'}))};
}

function hashed(name, bytes) {
  const hash = crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase();
  return name.replace(/(?=\.[^.]+$)/, `-${hash}`);
}

/** The files of one folder. They are written after all have been built. */
class Folder {
  #files = new Map();
  #inputs = new Set();

  constructor(directory) { this.directory = directory; }

  add(name, bytes) { this.#files.set(name, Buffer.from(bytes)); }

  /** Bundles entries: {NAME: SOURCE}. Returns the names of their files, by source. */
  async bundle(entryPoints, options) {
    const {outputFiles, metafile} = await esbuild.build({...common, ...options, entryPoints, outdir: this.directory});
    for (const {path: file, contents} of outputFiles) this.add(path.relative(this.directory, file), contents);
    for (const input of Object.keys(metafile.inputs)) this.#inputs.add(input);
    return new Map(Object.entries(metafile.outputs).filter(([, {entryPoint}]) => entryPoint)
      .map(([file, {entryPoint}]) => [entryPoint, path.relative(this.directory, path.resolve(file))]));
  }

  /** Writes the files in place of all that were there. */
  write(licenses) {
    this.add(LICENSES, licensesOf(this.#inputs, licenses));
    fs.rmSync(this.directory, {recursive: true, force: true});
    for (const [name, bytes] of this.#files) {
      const file = path.join(this.directory, name);
      fs.mkdirSync(path.dirname(file), {recursive: true});
      fs.writeFileSync(file, bytes);
    }
  }
}

/** Adds the declarations of the package. Those of rta-client, which the package contains, become a part of them. */
function addTypes(folder) {
  const client = path.join('node_modules', 'rta-client');
  const declarations = (directory) => fs.readdirSync(directory, {recursive: true}).filter((name) => name.endsWith('.d.ts'));
  const add = (name, text) => {
    const own = path.relative(path.dirname(name), 'rta-client/src/core.js').replace(/^(?!\.)/, './');
    folder.add(path.join('types', name), text.replaceAll(/(['"])rta-client\/core\1/g, `'${own}'`));
  };
  for (const name of declarations('modules').filter((file) => !file.startsWith('page'))) {
    add(name, fs.readFileSync(path.join('modules', name), 'utf8'));
  }
  for (const name of ['src/core.d.ts', 'generated/messages.d.ts']) {
    add(path.join('rta-client', name), fs.readFileSync(path.join(client, name), 'utf8'));
  }
}

async function buildPackage(engine, licenses) {
  const {exports} = JSON.parse(fs.readFileSync('package.json', 'utf8'));
  const modules = Object.values(exports).filter(({types}) => types);
  const folder = new Folder(path.resolve('dist'));
  const entries = Object.fromEntries(modules.map((module) => (
    [path.basename(module.default, '.js'), module.types.replace('./dist/types/', 'modules/').replace(/\.d\.ts$/, '.js')])));
  await folder.bundle(entries, {splitting: true});
  await folder.bundle({processor: PROCESSOR_MODULE});
  folder.add(ENGINE, engine);
  addTypes(folder);
  folder.write(licenses);
}

/** A file to which the page refers. */
const REFERENCE = /\b(src|href)="(?:\.\/)?([\w/-]+\.[a-z]+)"/g;
const sourceOf = (name) => moduleOf(path.join(path.dirname(PAGE), name.replace(/\.js$/, '.ts')));

async function buildSite(engine, directory, licenses) {
  const html = fs.readFileSync(PAGE, 'utf8');
  const folder = new Folder(path.resolve(directory));
  const named = {entryNames: '[name]-[hash]', chunkNames: '[name]-[hash]', assetNames: '[name]-[hash]'};

  const processors = await folder.bundle({processor: PROCESSOR_MODULE}, named);
  const names = new Map([[PROCESSOR, processors.get(PROCESSOR_MODULE)], [ENGINE, hashed(ENGINE, engine)]]);
  folder.add(names.get(ENGINE), engine);

  const sources = new Set([...html.matchAll(REFERENCE)].map(([, , name]) => sourceOf(name)));
  const built = await folder.bundle([...sources], {...named, splitting: true, plugins: [besides(names)]});
  folder.add('index.html', html.replaceAll(REFERENCE, (_, attribute, name) => `${attribute}="./${built.get(sourceOf(name))}"`));
  folder.write(licenses);
  return folder.directory;
}

const [wasm, site, ...licenses] = process.argv.slice(2);
const engine = fs.readFileSync(wasm);
await buildPackage(engine, licenses);
writeCompressed(await buildSite(engine, site, licenses), LICENSES);
