// SPDX-License-Identifier: MIT
// The keys of the patch.

export type Command =
  {name: 'focus' | 'move' | 'pan'; x: number; y: number} | {name: 'remove'; bridge: boolean} | {name: 'zoom'; factor: number} |
  {name: 'add' | 'bypass' | 'duplicate' | 'rename' | 'inspect' | 'connect' | 'next cable' | 'toggle' | 'select all' | 'fit' | 'lay out' |
         'list' | 'help' | 'escape'};

const ARROWS: Readonly<Record<string, readonly [number, number]>> =
  {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

const PLAIN: Readonly<Record<string, Command>> = {
  'a': {name: 'add'}, '/': {name: 'add'}, 'b': {name: 'bypass'}, 'c': {name: 'connect'}, 'd': {name: 'duplicate'}, 'e': {name: 'next cable'},
  'r': {name: 'rename'}, 'F2': {name: 'rename'}, 'Delete': {name: 'remove', bridge: false}, 'Backspace': {name: 'remove', bridge: false},
  'f': {name: 'fit'}, 'l': {name: 'lay out'}, 'v': {name: 'list'}, '?': {name: 'help'}, 'Escape': {name: 'escape'},
  '+': {name: 'zoom', factor: 1}, '=': {name: 'zoom', factor: 1}, '-': {name: 'zoom', factor: -1}, '0': {name: 'zoom', factor: 0},
};

/** What the help shows: keys, and what they do. */
export const HELP: readonly (readonly [keys: string, does: string])[] = [
  ['Tab', 'to the patch, to the controls of the card, to the inspector'],
  ['Arrow keys', 'to the next card in that direction'],
  ['Shift + arrow keys', 'move the selected cards'],
  ['Alt + arrow keys', 'move the view'],
  ['Enter', 'to the inspector of the card; Escape leads back'],
  ['Space', 'add the card to the selection, or remove it from there'],
  ['a or /', 'add a node; with a connection selected: insert one; with a port selected: connect one'],
  ['c', 'connect: choose a port, then its target'],
  ['e', 'to the next connection of the card'],
  ['b', 'bypass the selected nodes'],
  ['r or F2', 'rename the node'],
  ['d', 'duplicate the selected nodes with the connections between them'],
  ['Delete', 'remove the selected nodes, or the connection'],
  ['Shift + Delete', 'remove the node, and connect what was before and after it'],
  ['+  −  0', 'zoom in, out, to 100 %'],
  ['f', 'show the whole patch'],
  ['l', 'lay out all nodes'],
  ['v', 'show the patch as a list, which suits screen readers'],
  ['Ctrl + A', 'select all nodes'],
  ['Ctrl + Z, Ctrl + Shift + Z', 'undo, redo'],
  ['Shift in a control', 'fine steps; a double click sets the default'],
];

/** Returns what a key does; `inner` is the element that has it. */
export function commandOf(event: KeyboardEvent, inner: EventTarget | undefined): Command | undefined {
  const matches = (selector: string): boolean => (inner as Partial<Element> | undefined)?.matches?.(selector) ?? false;
  if (matches('input, textarea, select, [contenteditable]')) return undefined;
  const isButton = matches('button');
  const arrow = ARROWS[event.key];
  if (event.ctrlKey || event.metaKey) return event.key === 'a' ? {name: 'select all'} : undefined;
  if (arrow) {
    const [x, y] = arrow;
    return {name: event.altKey ? 'pan' : event.shiftKey ? 'move' : 'focus', x, y};
  }
  if (event.altKey) return undefined;
  if (event.key === 'Enter' || event.key === ' ') return isButton ? undefined : {name: event.key === 'Enter' ? 'inspect' : 'toggle'};
  if ((event.key === 'Delete' || event.key === 'Backspace') && event.shiftKey) return {name: 'remove', bridge: true};
  return PLAIN[event.key];
}
