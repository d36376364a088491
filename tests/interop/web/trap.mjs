// SPDX-License-Identifier: MIT
// A processor whose engine traps: a command with the text trap_now traps itself, one with trap_later in the next quantum.

/** Exports `t`, a function of one instruction: unreachable. */
const TRAP = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 116, 0, 0, 10, 5, 1, 3, 0, 0, 11];

/** The code before that of the processor. */
const BEFORE = `
const {Instance} = WebAssembly;
const {t: trap} = new Instance(new WebAssembly.Module(new Uint8Array(${JSON.stringify(TRAP)}))).exports;
WebAssembly.Instance = class {
  constructor(module, imports) {
    const {exports} = new Instance(module, imports);
    let [address, length, poisoned] = [0, 0, false];
    this.exports = {...exports,
      rta_text(bytes) {
        [address, length] = [exports.rta_text(bytes), bytes];
        return address;
      },
      rta_execute(engine) {
        const text = String.fromCharCode(...new Uint8Array(exports.memory.buffer, address, length));
        if (text.includes('trap_now')) trap();
        if (text.includes('trap_later')) poisoned = true;
        return exports.rta_execute(engine);
      },
      rta_process(engine, frames) {
        if (poisoned) trap();
        return exports.rta_process(engine, frames);
      }};
  }
};
`;

/** Returns the code of a processor that traps. */
export const trapping = (processor) => BEFORE + processor;
