// SPDX-License-Identifier: MIT
// Faust: a program, compiled by its compiler to WebAssembly, in its AudioWorklet.
import {FaustCompiler, FaustMonoDspGenerator, LibFaust, instantiateFaustModuleFromFile} from '@grame/faustwasm';
import {coefficientsOf, factorOf} from '../graphs.mjs';

export const name = 'Faust';

let compiler;

function programOf(graph) {
  const filters = graph.biquads.map((biquad) => {
    const {b0, b1, b2, a1, a2} = coefficientsOf(biquad);
    return `fi.tf2(${b0}, ${b1}, ${b2}, ${a1}, ${a2})`;
  });
  const others = [...graph.gains_db.map((gain_db) => `*(${factorOf(gain_db)})`), ...graph.delays_frames.map((frames) => `@(${frames})`)];
  return graph.series ? `import("stdfaust.lib"); process = ${filters.join(' : ')} <: ${others.join(', ')} :> _;`
    : `import("stdfaust.lib"); process = _ <: ${[...filters, ...others].join(', ')} :> _;`;
}

export async function connect(context, source, graph) {
  compiler ??= new FaustCompiler(new LibFaust(await instantiateFaustModuleFromFile('/faust/libfaust-wasm.js')));
  const generator = new FaustMonoDspGenerator();
  if (!await generator.compile(compiler, 'bench', programOf(graph), '-ftz 2')) throw new Error(compiler.getErrorMessage());
  const node = await generator.createNode(context);
  source.connect(node).connect(context.destination);
}
