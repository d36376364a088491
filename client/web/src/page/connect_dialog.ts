// SPDX-License-Identifier: MIT
import {css, html} from 'lit';
import {customElement, query, state} from 'lit/decorators.js';
import {socketUrl} from '../remote/index.js';
import {showModal} from './controls/modal.js';
import {ModelElement, common} from './model_element.js';
import {daemonSource, tokens} from './sources.js';

/** Asks for a daemon and its token. Dispatches 'page-engine' if the engine of the page is wanted instead. */
@customElement('rta-connect-dialog')
export class ConnectDialog extends ModelElement {
  static override readonly watched = ['connection'] as const;

  static override readonly styles = [common, css`
    dialog {
      width: min(460px, 100vw - 32px); max-height: calc(100dvh - 32px); padding: 20px; border: 1px solid var(--rta-line);
      border-radius: 10px; background: var(--rta-surface); color: var(--rta-text); box-shadow: var(--rta-shadow);
    }
    dialog::backdrop { background: var(--rta-shade); }
    h2 { margin: 0 0 12px; font-size: 18px; font-weight: 600; }
    p { margin: 0 0 12px; color: var(--rta-dim); }
    label { display: grid; gap: 4px; margin-bottom: 12px; font-weight: 500; }
    input { width: 100%; }
    small { color: var(--rta-dim); font-weight: 400; font-size: 13px; }
    .error { color: var(--rta-bad); }
    .foot { display: flex; flex-wrap: wrap; gap: var(--rta-gap); justify-content: flex-end; margin-top: 16px; }
    .foot .left { margin-right: auto; }
  `];

  @state() private address = '';
  @state() private error = '';
  @query('dialog') private readonly dialog!: HTMLDialogElement;
  @query('#token') private readonly token!: HTMLInputElement;

  /** Opens the dialog with the address of a daemon. */
  async show(address: string): Promise<void> {
    Object.assign(this, {address, error: ''});
    await this.updateComplete;
    this.token.value = '';
    showModal(this.dialog);
    if (this.model.connection === 'refused') this.token.focus();
  }

  override render() {
    const refused = this.model.connection === 'refused' ? this.model.reason : '';
    return html`
      <dialog aria-labelledby="title" @close=${() => { this.token.value = ''; }}>
        <form method="dialog" @submit=${this.#submit}>
          <h2 id="title">Connect to a daemon</h2>
          <p>The page becomes the panel of a running rtad, which was started with --web.</p>
          <label>Address
            <input id="address" type="text" required autocomplete="off" spellcheck="false" autocapitalize="off"
              .value=${this.address} @input=${(event: InputEvent) => { this.address = (event.target as HTMLInputElement).value; }}>
            <small>HOST:PORT, or the https:// address that rtad prints</small>
          </label>
          <label>Token
            <input id="token" type="password" autocomplete="off" spellcheck="false">
            <small>Empty: none, or the one that was entered before. It is kept until this tab is closed.</small>
          </label>
          <p class="error" role="alert">${this.error || refused}</p>
          <div class="foot">
            ${this.model.kind === 'page' && this.model.source ? null : html`
              <button type="button" class="quiet left" @click=${this.#usePageEngine}>Use the engine of this page</button>`}
            <button type="button" @click=${() => this.dialog.close()}>Cancel</button>
            <button class="primary">Connect</button>
          </div>
        </form>
      </dialog>`;
  }

  readonly #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    try {
      const {host} = socketUrl(this.address);
      const entered = this.token.value.trim();
      if (!/^[!-~]*$/.test(entered)) throw new TypeError('invalid token: expected text, as rtactl prints it');
      if (entered !== '') tokens.set(host, entered);
      this.model.open(daemonSource(this.address, entered || tokens.get(host)));
      this.dialog.close();
    } catch (error) {
      this.error = (error as Error).message;
    }
  };

  readonly #usePageEngine = (): void => {
    this.dialog.close();
    this.dispatchEvent(new Event('page-engine'));
  };
}
