// SPDX-License-Identifier: MIT
import {LitElement, type TemplateResult, css, html, nothing} from 'lit';
import {showModal} from '../controls/modal.js';
import {OutsideClick} from '../controls/outside_click.js';
import {define} from '../drawing/canvas_element.js';
import {common} from '../model_element.js';
import {LONG_LINK} from './link.js';

/** Shows the link of a document, to be copied or shared. */
export class ShareDialog extends LitElement {
  static override properties = {link: {state: true}, done: {state: true}};

  static override styles = [common, css`
    dialog { width: min(520px, calc(100vw - 24px)); padding: 20px; border: 1px solid var(--rta-line); color: var(--rta-text);
      border-radius: calc(var(--rta-radius) * 2); background: var(--rta-raised); box-shadow: var(--rta-shadow); }
    dialog::backdrop { background: var(--rta-shade); }
    h2 { margin: 0 0 8px; font-size: 18px; }
    p { margin: 0 0 12px; color: var(--rta-dim); }
    textarea { width: 100%; height: 7em; resize: vertical; word-break: break-all; font-size: 13px; line-height: 1.4; }
    footer { display: flex; flex-wrap: wrap; align-items: center; justify-content: flex-end; gap: 8px; margin-top: 12px; }
    footer span { flex: 1; color: var(--rta-dim); font-size: 13px; }
    .warn { color: var(--rta-warn); margin: 8px 0 0; }
    button { min-height: 40px; }
  `];

  declare protected link: string;
  declare protected done: string;

  readonly #outside = new OutsideClick();

  constructor() {
    super();
    this.link = '';
    this.done = '';
  }

  async show(link: string): Promise<void> {
    Object.assign(this, {link, done: ''});
    await this.updateComplete;
    showModal(this.renderRoot.querySelector('dialog')!);
    this.renderRoot.querySelector('textarea')!.select();
  }

  protected override render(): TemplateResult {
    return html`<dialog aria-labelledby="title" @pointerdown=${this.#outside} @click=${this.#outside}>
      <h2 id="title">Share the graph as a link</h2>
      <p>The whole document is in the link. No server stores it.</p>
      <textarea readonly aria-label="Link" .value=${this.link}></textarea>
      ${this.link.length > LONG_LINK ? html`<p class="warn">Some programs cut links of more than ${LONG_LINK} characters. Save a file instead if this one does not arrive.</p>` : nothing}
      <footer><span role="status">${this.done || `${this.link.length} characters`}</span>
        <button @click=${() => this.renderRoot.querySelector('dialog')!.close()}>Close</button>
        ${'share' in navigator ? html`<button @click=${this.#share}>Share…</button>` : nothing}
        <button class="primary" @click=${this.#copy}>Copy</button></footer></dialog>`;
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.link);
      this.done = 'Copied.';
    } catch {
      this.renderRoot.querySelector('textarea')!.select();
      this.done = 'Copy the selected text: the browser does not let the page do it.';
    }
  }

  #share(): void { navigator.share({url: this.link}).catch(() => {}); }
}

define('rta-share-dialog', ShareDialog);
declare global { interface HTMLElementTagNameMap { 'rta-share-dialog': ShareDialog } }
