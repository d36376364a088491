// SPDX-License-Identifier: MIT
// Removes what browsers do not need from the templates of lit in a module: line breaks and indentation, and comments of styles.
import ts from 'typescript';

const SHORTEN = {
  css: (text) => text.replace(/\/\*.*?\*\//gs, '').replace(/\s+/g, ' ').replace(/ ?([{};,]) ?/g, '$1').replace(/: /g, ':').replace(/;}/g, '}'),
  // A space may separate words.
  html: (text) => text.replace(/\s+/g, ' '),
  svg: (text) => text.replace(/\s+/g, ' '),
};

/** Returns the text of a module with shorter templates. */
export function shortened(source, file) {
  const edits = [];
  const take = (node, open, close, shorten) => {
    const [start, end] = [node.getStart() + open, node.getEnd() - close];
    edits.push({start, end, text: shorten(source.slice(start, end))});
  };
  const visit = (node) => {
    const shorten = ts.isTaggedTemplateExpression(node) && ts.isIdentifier(node.tag) ? SHORTEN[node.tag.text] : undefined;
    if (shorten) {
      if (ts.isNoSubstitutionTemplateLiteral(node.template)) {
        take(node.template, 1, 1, shorten);
      } else {
        take(node.template.head, 1, 2, shorten);  // `text${
        for (const {literal} of node.template.templateSpans) take(literal, 1, ts.isTemplateTail(literal) ? 1 : 2, shorten);  // }text${ or }text`
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true));
  let done = 0;
  let result = '';
  for (const {start, end, text} of edits.sort((a, b) => a.start - b.start)) {
    result += source.slice(done, start) + text;
    done = end;
  }
  return result + source.slice(done);
}
