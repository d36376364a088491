// SPDX-License-Identifier: MIT
// The licences of the libraries that a bundle contains. Their authors require that copies come with them.
import fs from 'node:fs';
import path from 'node:path';

/** Returns the folder of the package to which an input of a bundle belongs, or undefined for a source of this project. */
function packageOf(input) {
  const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
  return folder;
}

/** Returns the name and the version of a package, with its licence. */
function textOfPackage(folder) {
  const {name, version, license} = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = fs.readdirSync(folder).find((candidate) => /^licen[cs]e(\.\w+)?$/i.test(candidate));
  if (!file) throw new Error(`package ${name} is in a bundle and has no file LICENSE: expected the text of its licence (${license})`);
  return `${name} ${version} (${license})\n\n${fs.readFileSync(path.join(folder, file), 'utf8').trim()}\n`;
}

/** Debian has licences in files /usr/share/doc/PACKAGE/copyright, which refer to files with the text of common licences. */
function textOfFile(file) {
  const text = fs.readFileSync(file, 'utf8').trim();
  const common = new Set([...text.matchAll(/\/usr\/share\/common-licenses\/[\w.+-]*\w/g)].map(([name]) => name));
  return [`${path.basename(path.dirname(file))}\n`, `${text}\n`, ...[...common].map((name) => fs.readFileSync(name, 'utf8'))].join('\n');
}

/** Returns the licences of the packages to which the inputs of bundles belong, and those in `files`. */
export function licensesOf(inputs, files) {
  const own = path.join('node_modules', 'rta-client');
  const folders = [...new Set([...inputs].map(packageOf))].filter((folder) => folder && folder !== own).sort();
  const rule = `\n${'-'.repeat(80)}\n\n`;
  const heading = 'rtad is under the MIT licence. What is in these files contains parts of the libraries below.\n';
  return [heading, ...folders.map(textOfPackage), ...files.map(textOfFile)].join(rule);
}
