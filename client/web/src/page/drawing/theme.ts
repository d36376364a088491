// SPDX-License-Identifier: MIT
// The colours of the page for drawings on a canvas: read from the custom properties of the document once, and again when
// the theme changes.

/** The colours, as CSS text, and the family of the font. */
export interface Palette {
  bg: string;
  surface: string;
  line: string;
  edge: string;
  text: string;
  dim: string;
  accent: string;
  warn: string;
  bad: string;
  good: string;
  font: string;
}

/** Of a page without theme.css. */
const DEFAULTS: Palette = {
  bg: '#fff', surface: '#f5f6f8', line: '#cdd2da', edge: '#858e95', text: '#14181f', dim: '#5b6472', accent: '#0a66c2', warn: '#b36b00',
  bad: '#c4281c', good: '#1d7f4e', font: 'system-ui, sans-serif',
};

let palette: Palette | undefined;
const listeners = new Set<() => void>();

/** Returns the colours of the current theme. */
export function currentPalette(): Palette {
  if (palette) return palette;
  watchTheme();
  const style = getComputedStyle(document.documentElement);
  const colour = (name: keyof Palette): string => style.getPropertyValue(`--rta-${name}`).trim() || DEFAULTS[name];
  const names = Object.keys(DEFAULTS) as (keyof Palette)[];
  palette = Object.fromEntries(names.map((name) => [name, colour(name)])) as unknown as Palette;
  palette.font = getComputedStyle(document.body ?? document.documentElement).fontFamily || DEFAULTS.font;
  return palette;
}

/** Calls `listener` when the colours have changed. Returns a function that stops that. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => { listeners.delete(listener); };
}

/** Whether the user prefers few movements. */
export function prefersReducedMotion(): boolean { return matchMedia('(prefers-reduced-motion: reduce)').matches; }

let watching = false;

function watchTheme(): void {
  if (watching) return;
  watching = true;
  const changed = (): void => {
    palette = undefined;
    for (const listener of listeners) listener();
  };
  for (const query of ['(prefers-color-scheme: dark)', '(prefers-contrast: more)'])
    matchMedia(query).addEventListener('change', changed);
  new MutationObserver(changed)
    .observe(document.documentElement, {attributes: true, attributeFilter: ['class', 'style', 'data-theme']});
  addEventListener('load', changed, {once: true});  // style sheets that were still loading
}
