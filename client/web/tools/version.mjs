// SPDX-License-Identifier: MIT
// Writes the version of the package as a module:
//
//   node version.mjs PACKAGE_JSON OUTPUT
import fs from 'node:fs';
import path from 'node:path';

const [source, output] = process.argv.slice(2);
const {version} = JSON.parse(fs.readFileSync(source, 'utf8'));
fs.mkdirSync(path.dirname(output), {recursive: true});
fs.writeFileSync(output, `// SPDX-License-Identifier: MIT\n// Generated from package.json by tools/version.mjs.\nexport const VERSION = '${version}';\n`);
