// SPDX-License-Identifier: MIT
// Light or dark: as the system prefers, or as chosen on the page.
import {stored} from './sources.js';

export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'rta.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

export function themeChoice(): ThemeChoice {
  const choice = stored(() => localStorage.getItem(KEY));
  return choice === 'light' || choice === 'dark' ? choice : 'system';
}

export function chooseTheme(choice: ThemeChoice): void {
  stored(() => choice === 'system' ? localStorage.removeItem(KEY) : localStorage.setItem(KEY, choice));
  applyTheme();
}

/** Sets data-theme of the document now, and whenever the system changes. */
export function followTheme(): void {
  applyTheme();
  dark.addEventListener('change', applyTheme);
}

function applyTheme(): void {
  const choice = themeChoice();
  document.documentElement.dataset['theme'] = choice === 'system' ? (dark.matches ? 'dark' : 'light') : choice;
}
