// SPDX-License-Identifier: MIT
// Writes the documents of docs/cookbook.md as a module of the page:
//
//   node cookbook.mjs COOKBOOK OUTPUT
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

/** Returns {file, title, description, document} for each section of the page with a document. */
export function examplesOf(markdown) {
  return markdown.split(/^## /m).slice(1).flatMap((section) => {
    const [title] = section.split('\n', 1);
    const found = /^```json (\S+)\n(.*?)^```$/ms.exec(section);
    if (!found) return [];
    const [, file, document] = found;
    JSON.parse(document);
    return [{file, title, description: firstSentence(section.slice(title.length)), document}];
  });
}

/** Returns the first sentence, without marks and links. */
function firstSentence(text) {
  const plain = text.trim().split(/\n\s*\n/, 1)[0].replace(/\s+/g, ' ').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
  return (/^.*?[.;](?= |$)/.exec(plain)?.[0] ?? plain).replace(/;$/, '.');
}

function moduleOf(examples) {
  return '// SPDX-License-Identifier: MIT\n// Generated from docs/cookbook.md by tools/cookbook.mjs.\n' +
    '/** A document to start from. */\nexport interface Example { file: string; title: string; description: string; document: string }\n' +
    `export const EXAMPLES: readonly Example[] = ${JSON.stringify(examples, null, 1)};\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [source, output] = process.argv.slice(2);
  const examples = examplesOf(fs.readFileSync(source, 'utf8'));
  if (examples.length === 0) throw new Error(`${source} contains no documents: expected fences of the form \`\`\`json FILE`);
  fs.mkdirSync(path.dirname(output), {recursive: true});
  fs.writeFileSync(output, moduleOf(examples));
}
