// SPDX-License-Identifier: MIT
import {type TemplateResult, css, html, nothing} from 'lit';
import {showModal} from '../controls/modal.js';
import {OutsideClick} from '../controls/outside_click.js';
import {define} from '../drawing/canvas_element.js';
import {ModelElement, common} from '../model_element.js';

/** Names of scenes; see SaveScene.name in the protocol. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** Returns why a name is refused; '' if it is accepted. */
export function whyNotAName(name: string, others: readonly string[]): string {
  if (name === '') return 'Enter a name.';
  if (!NAME.test(name)) return 'Expected a letter, then up to 63 letters, digits, - and _.';
  return others.includes(name) ? `The scene ${name} exists already.` : '';
}

/** The dialog that saves a new scene, and that of one scene: save over it, rename it, remove it. */
export class SceneDialog extends ModelElement {
  static override properties = {scene: {state: true}, asked: {state: true}, error: {state: true}};
  protected static override readonly watched = ['scenes', 'connection'] as const;

  static override styles = [common, css`
    dialog { width: min(400px, calc(100vw - 32px)); padding: 20px; border: 1px solid var(--rta-line); border-radius: calc(var(--rta-radius) * 2);
      background: var(--rta-raised); color: var(--rta-text); box-shadow: var(--rta-shadow); }
    dialog::backdrop { background: var(--rta-shade); }
    h2 { margin: 0 0 12px; font-size: 18px; overflow-wrap: anywhere; }
    .actions, form { display: grid; gap: 8px; }
    button { min-height: var(--rta-touch); font-size: 16px; }
    label { display: grid; gap: 4px; font-size: 13px; color: var(--rta-dim); }
    input { min-height: var(--rta-touch) !important; font-size: 16px !important; color: var(--rta-text); }
    p { margin: 0; }
    .error { color: var(--rta-bad); font-size: 13px; }
    .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; margin-top: 4px; }
  `];

  /** The scene of the menu; '' for a new one. */
  declare protected scene: string;
  declare protected asked: 'new' | 'menu' | 'rename' | 'remove' | 'save';
  declare protected error: string;

  readonly #outside = new OutsideClick();

  constructor() {
    super();
    this.scene = '';
    this.asked = 'new';
    this.error = '';
  }

  /** Asks for the name of a new scene. */
  showNew(): void { this.#show('', 'new'); }
  /** Shows what can be done with a scene. */
  showMenu(scene: string): void { this.#show(scene, 'menu'); }

  protected override render(): TemplateResult {
    return html`<dialog aria-labelledby="title" @pointerdown=${this.#outside} @click=${this.#outside} @close=${() => { this.error = ''; }}>
      <h2 id="title">${this.#title()}</h2>${this.#content()}</dialog>`;
  }

  #title(): string {
    switch (this.asked) {
      case 'new': return 'Save the graph as a scene';
      case 'rename': return `Rename ${this.scene}`;
      case 'remove': return `Remove ${this.scene}?`;
      case 'save': return `Save over ${this.scene}?`;
      case 'menu': return this.scene;
    }
  }

  #content(): TemplateResult {
    switch (this.asked) {
      case 'new': case 'rename': return this.#nameForm();
      case 'remove': return this.#confirm('Remove', 'The graph does not change.', (name) => this.model.removeScene(name));
      case 'save': return this.#confirm('Save', 'The present graph replaces the scene.', (name) => this.model.saveScene(name));
      case 'menu': return html`<div class="actions">
        <button @click=${() => this.#ask('save')}>Save over</button>
        <button @click=${() => this.#ask('rename')}>Rename…</button>
        <button class="danger" @click=${() => this.#ask('remove')}>Remove…</button>
        <button class="quiet" @click=${() => this.#close()}>Cancel</button></div>`;
    }
  }

  #nameForm(): TemplateResult {
    const isNew = this.asked === 'new';
    return html`<form method="dialog" @submit=${this.#named}>
      <label>Name<input name="name" type="text" maxlength="64" autocomplete="off" autocapitalize="off" spellcheck="false" required
        .value=${this.scene} aria-invalid=${this.error !== ''} aria-describedby="error" @input=${() => { this.error = ''; }}></label>
      <p class="error" id="error" role="alert">${this.error || nothing}</p>
      <div class="pair"><button type="button" @click=${() => this.#close()}>Cancel</button>
        <button class="primary" type="submit">${isNew ? 'Save' : 'Rename'}</button></div></form>`;
  }

  #confirm(verb: string, consequence: string, action: (name: string) => Promise<unknown>): TemplateResult {
    return html`<div class="actions"><p>${consequence}</p><div class="pair">
      <button @click=${() => this.#close()}>Cancel</button>
      <button class=${verb === 'Remove' ? 'danger' : 'primary'} @click=${() => { void action(this.scene); this.#close(); }}>${verb}</button></div></div>`;
  }

  #named(event: SubmitEvent): void {
    event.preventDefault();
    const name = this.renderRoot.querySelector('input')!.value.trim();
    if (name === this.scene) return this.#close();
    this.error = whyNotAName(name, this.model.scenes.map((scene) => scene.name));
    if (this.error !== '') return;
    void (this.asked === 'new' ? this.model.saveScene(name) : this.model.renameScene(this.scene, name));
    this.#close();
  }

  #show(scene: string, asked: 'new' | 'menu'): void {
    this.scene = scene;
    this.#ask(asked);
    void this.updateComplete.then(() => showModal(this.#dialog));
  }

  #ask(asked: typeof this.asked): void {
    this.asked = asked;
    this.error = '';
    void this.updateComplete.then(() => {
      const first = this.renderRoot.querySelector<HTMLElement>('input, button');
      first?.focus();
      if (first instanceof HTMLInputElement) first.select();
    });
  }

  #close(): void { this.#dialog.close(); }
  get #dialog(): HTMLDialogElement { return this.renderRoot.querySelector('dialog')!; }
}

define('rta-scene-dialog', SceneDialog);
declare global { interface HTMLElementTagNameMap { 'rta-scene-dialog': SceneDialog } }
