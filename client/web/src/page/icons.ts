// SPDX-License-Identifier: MIT
// Line icons of 20 x 20, drawn in the colour of the text. They are decoration: the button has the name.
import {html, svg} from 'lit';

const PATHS = {
  start: 'M6 4l10 6-10 6z',
  stop: 'M6 6h8v8H6z',
  undo: 'M7 5L3.5 8.5 7 12M4 8.5h8a4 4 0 0 1 0 8H8',
  redo: 'M13 5l3.5 3.5L13 12M16 8.5H8a4 4 0 0 0 0 8h4',
  sound: 'M3 8v4h3l4 3.5v-11L6 8zM13 7.5a3.5 3.5 0 0 1 0 5M15 5a7 7 0 0 1 0 10',
  muted: 'M3 8v4h3l4 3.5v-11L6 8zM13 8l4 4M17 8l-4 4',
  add: 'M10 4v12M4 10h12',
  remove: 'M5 6h10M8 6V4h4v2M6.5 6l.7 10h5.6l.7-10',
  power: 'M10 3v6M6.2 5.5a6 6 0 1 0 7.6 0',
  close: 'M5 5l10 10M15 5L5 15',
  list: 'M7 5h9M7 10h9M7 15h9M4 5h.01M4 10h.01M4 15h.01',
  graph: 'M3 4h5v4H3zM12 12h5v4h-5zM8 6h2a2 2 0 0 1 2 2v4a2 2 0 0 0 0 2',
  fit: 'M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4',
  help: 'M7.5 7.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M10 14.5h.01',
  layout: 'M3 8h4v4H3zM13 4h4v4h-4zM13 12h4v4h-4zM7 10h3M13 6h-1.5a1.5 1.5 0 0 0-1.5 1.5v5a1.5 1.5 0 0 0 1.5 1.5H13',
  light: 'M10 6.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  dark: 'M16 11.5A6.5 6.5 0 0 1 8.5 4a6.5 6.5 0 1 0 7.5 7.5z',
  duplicate: 'M7 7h9v9H7zM4 13V4h9',
  cable: 'M3 6h3c5 0 3 8 8 8h3',
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName) {
  const path = svg`<path d=${PATHS[name]}/>`;
  const solid = name === 'start' || name === 'stop';
  return html`<svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" fill=${solid ? 'currentColor' : 'none'}
    stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">${path}</svg>`;
}
