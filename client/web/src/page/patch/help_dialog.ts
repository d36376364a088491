// SPDX-License-Identifier: MIT
import {LitElement, css, html} from 'lit';
import {customElement, query} from 'lit/decorators.js';
import {showModal} from '../controls/modal.js';
import {common} from '../model_element.js';
import {HELP} from './keys.js';

/** Lists the keys of the patch. */
@customElement('rta-help')
export class HelpDialog extends LitElement {
  static override readonly styles = [common, css`
    dialog {
      width: min(620px, 100vw - 24px); max-height: calc(100dvh - 32px); padding: 20px; border: 1px solid var(--rta-line); border-radius: 10px;
      background: var(--rta-surface); color: var(--rta-text); box-shadow: var(--rta-shadow);
    }
    dialog::backdrop { background: var(--rta-shade); }
    .head { display: flex; align-items: center; justify-content: space-between; margin-bottom: 12px; }
    h2 { margin: 0; font-size: 18px; font-weight: 600; }
    dl { display: grid; grid-template-columns: minmax(8em, auto) 1fr; gap: 6px 20px; margin: 0 0 12px; }
    dt { font-weight: 600; }
    dd { margin: 0; color: var(--rta-dim); }
    p { margin: 0; color: var(--rta-dim); }
    @media (max-width: 480px) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 8px; } }
  `];

  @query('dialog') private readonly dialog!: HTMLDialogElement;

  show(): void { showModal(this.dialog); }

  override render() {
    return html`
      <dialog aria-labelledby="title" @keydown=${(event: KeyboardEvent) => event.stopPropagation()}>
        <div class="head"><h2 id="title">Keys of the patch</h2><button autofocus @click=${() => this.dialog.close()}>Close</button></div>
        <dl>${HELP.map(([keys, does]) => html`<dt>${keys}</dt><dd>${does}</dd>`)}</dl>
        <p>Pointer: drag from a port to a port to connect them, to the canvas to add a node there. Drop a card without connections on a
          cable to insert it. Drag the canvas to move the view, with Shift to select. Ctrl and the wheel, or two fingers, zoom.</p>
      </dialog>`;
  }
}

declare global {
  interface HTMLElementTagNameMap { 'rta-help': HelpDialog }
}
