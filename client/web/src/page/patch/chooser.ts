// SPDX-License-Identifier: MIT
// A searchable list in a dialog: the palette of node types, and the choice of a port.
import {LitElement, css, html} from 'lit';
import {customElement, query, state} from 'lit/decorators.js';
import {showModal} from '../controls/modal.js';
import {common} from '../model_element.js';

export interface Choice {
  readonly id: string;
  readonly title: string;
  readonly detail: string;
}

export interface Chosen {
  readonly id: string;
  /** Whether Shift was held. */
  readonly shift: boolean;
}

/** Returns the choices that contain every word, those first whose title starts with the text. */
export function matching(choices: readonly Choice[], text: string): Choice[] {
  const words = text.toLowerCase().split(/[\s_]+/).filter((word) => word !== '');
  const scored = choices.map((choice) => ({choice, score: scoreOf(choice, words)})).filter(({score}) => score < Infinity);
  return scored.sort((a, b) => a.score - b.score).map(({choice}) => choice);
}

function scoreOf({title, detail}: Choice, words: readonly string[]): number {
  const name = title.toLowerCase();
  const whole = `${name} ${detail.toLowerCase()}`;
  if (!words.every((word) => whole.includes(word))) return Infinity;
  if (words.length === 0) return 0;
  const [first = ''] = words;
  return name.startsWith(first) ? 0 : words.every((word) => name.includes(word)) ? 1 : 2;
}

@customElement('rta-chooser')
export class Chooser extends LitElement {
  static override readonly styles = [common, css`
    dialog {
      width: min(520px, 100vw - 24px); max-height: min(560px, 100dvh - 48px); margin: min(12vh, 96px) auto auto; padding: 0;
      border: 1px solid var(--rta-line); border-radius: 10px; background: var(--rta-surface); color: var(--rta-text);
      box-shadow: var(--rta-shadow); overflow: hidden;
    }
    dialog[open] { display: flex; flex-direction: column; }
    dialog::backdrop { background: var(--rta-shade); }
    h2 { margin: 0; padding: 14px 16px 8px; font-size: 15px; font-weight: 600; }
    input { margin: 0 16px 10px; min-height: 40px; font-size: 16px; }
    ul { list-style: none; margin: 0; padding: 0 8px 8px; overflow-y: auto; flex: 1; min-height: 0; border-top: 1px solid var(--rta-line); }
    li { display: grid; grid-template-columns: minmax(120px, 12em) 1fr; gap: 12px; padding: 8px; border-radius: var(--rta-radius); cursor: pointer; }
    li[aria-selected="true"] { background: var(--rta-tint); box-shadow: inset 2px 0 0 var(--rta-accent); }
    li strong { font-weight: 600; overflow-wrap: anywhere; }
    li span { color: var(--rta-dim); display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
    p { margin: 0; padding: 10px 16px; color: var(--rta-dim); border-top: 1px solid var(--rta-line); font-size: 12px; }
    @media (pointer: coarse) { p.keys { display: none; } li { min-height: var(--rta-touch); align-items: center; } }
    @media (max-width: 480px) { li { grid-template-columns: 1fr; gap: 0; } }
  `];

  @state() private title_ = '';
  @state() private hint = '';
  @state() private text = '';
  @state() private place = 0;
  @query('dialog') private readonly dialog!: HTMLDialogElement;
  @query('input') private readonly input!: HTMLInputElement;
  #choices: readonly Choice[] = [];
  #resolve: (chosen: Chosen | null) => void = () => {};

  /** Opens the list. Resolves to null if it was closed without a choice. */
  async choose(title: string, choices: readonly Choice[], hint = ''): Promise<Chosen | null> {
    this.#resolve(null);
    this.#choices = choices;
    Object.assign(this, {title_: title, hint, text: '', place: 0});
    await this.updateComplete;
    this.input.value = '';
    showModal(this.dialog);
    return new Promise((resolve) => { this.#resolve = resolve; });
  }

  override render() {
    const found = matching(this.#choices, this.text);
    const active = found[this.place];
    return html`
      <dialog aria-labelledby="title" @close=${this.#onClose} @click=${this.#onBackdrop} @keydown=${this.#onKey}>
        <h2 id="title">${this.title_}</h2>
        <input type="search" role="combobox" aria-expanded="true" aria-controls="list" aria-autocomplete="list" aria-labelledby="title"
          aria-activedescendant=${active ? `choice-${this.place}` : ''} placeholder="Search" autocomplete="off" spellcheck="false"
          @input=${() => { this.text = this.input.value; this.place = 0; }}>
        <ul id="list" role="listbox" aria-labelledby="title">
          ${found.map((choice, i) => html`
            <li id="choice-${i}" role="option" aria-selected=${i === this.place}
              @click=${(event: MouseEvent) => this.#take(choice, event.shiftKey)} @pointermove=${() => { this.place = i; }}>
              <strong>${choice.title}</strong><span>${choice.detail}</span>
            </li>`)}
        </ul>
        <p role="status" class=${found.length === 0 ? '' : 'keys'}>${found.length === 0 ? 'Nothing matches.' : this.hint || `${found.length} to choose from. Arrow keys and Enter.`}</p>
      </dialog>`;
  }

  protected override updated(): void {
    this.renderRoot.querySelector('[aria-selected="true"]')?.scrollIntoView({block: 'nearest'});
  }

  #take({id}: Choice, shift: boolean): void {
    const resolve = this.#resolve;
    this.#resolve = () => {};
    this.dialog.close();
    resolve({id, shift});
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const found = matching(this.#choices, this.text);
    const step = {ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8}[event.key];
    if (step !== undefined) {
      this.place = Math.min(Math.max(this.place + step, 0), found.length - 1);
      event.preventDefault();
    } else if (event.key === 'Enter') {
      const choice = found[this.place];
      if (choice) this.#take(choice, event.shiftKey);
      event.preventDefault();
    }
    event.stopPropagation();
  };

  /** The event may come after the list was opened again. */
  readonly #onClose = (): void => { if (!this.dialog.open) this.#resolve(null); };

  readonly #onBackdrop = (event: MouseEvent): void => { if (event.target === this.dialog) this.dialog.close(); };
}

declare global {
  interface HTMLElementTagNameMap { 'rta-chooser': Chooser }
}
