// SPDX-License-Identifier: MIT
// The shell of the page: the engine, its output, and the views of it.
import {LitElement, type PropertyValues, css, html, nothing} from 'lit';
import {customElement, query, state} from 'lit/decorators.js';
import './connect_dialog.js';
import type {ConnectDialog} from './connect_dialog.js';
import {icon} from './icons.js';
import {pins} from './mixer/pins.js';
import {EngineModel, type ModelEvents} from './model.js';
import {common} from './model_element.js';
import './notice_list.js';
import type {NoticeList} from './notice_list.js';
import {PageSource} from './page_source.js';
import {daemonSource, isServedByDaemon, stored, takeCode, tokens} from './sources.js';
import {chooseTheme, themeChoice} from './theme.js';
import './transport_bar.js';

const VIEWS = [
  {name: 'patch', title: 'Patch'},
  {name: 'mixer', title: 'Mixer'},
  {name: 'stage', title: 'Stage'},
] as const;
type ViewName = (typeof VIEWS)[number]['name'];

const VIEW_KEY = 'rta.view';
/** A page that cannot know the address of a daemon offers that of rtad --web on this machine. */
const USUAL_ADDRESS = '127.0.0.1:7380';

@customElement('rta-app')
export class App extends LitElement {
  static override readonly styles = [common, css`
    :host { display: flex; flex-direction: column; height: 100dvh; overflow: hidden; }
    rta-notices { --rta-bottom: 0px; }
    .strip {
      display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; padding: 8px 16px; border-bottom: 1px solid var(--rta-line);
      background: var(--rta-tint);
    }
    .strip.bad { box-shadow: inset 3px 0 0 var(--rta-bad); }
    .strip p { margin: 0; flex: 1 1 290px; overflow-wrap: anywhere; }
    nav {
      display: flex; gap: 4px; align-items: center; min-height: 44px; padding: 0 12px; border-bottom: 1px solid var(--rta-line);
      background: var(--rta-surface);
    }
    [role="tablist"] { display: flex; gap: 4px; align-self: stretch; }
    [role="tab"] {
      border: 0; border-radius: 0; background: none; padding: 0 14px; font-weight: 500; color: var(--rta-dim);
      border-bottom: 2px solid transparent; border-top: 2px solid transparent;
    }
    [role="tab"]:hover:not(:disabled) { border-color: transparent; color: var(--rta-text); }
    [role="tab"][aria-selected="true"], [role="tab"][aria-selected="true"]:hover { color: var(--rta-text); border-bottom-color: var(--rta-accent); }
    [role="tab"]:focus-visible { outline-offset: -3px; }
    .space { flex: 1; }
    .theme { padding: 0 8px; display: inline-grid; place-items: center; }
    main { position: relative; flex: 1 1 0; min-height: 0; overflow: hidden; }
    main > *, #view > * { position: absolute; inset: 0; }
    @media (max-width: 700px) {
      nav { order: 1; padding: 0 4px env(safe-area-inset-bottom); border-bottom: 0; border-top: 1px solid var(--rta-line); }
      [role="tablist"] { flex: 1; }
      [role="tab"] { flex: 1; min-height: 52px; border-bottom-color: transparent !important; }
      [role="tab"][aria-selected="true"], [role="tab"][aria-selected="true"]:hover { border-top-color: var(--rta-accent); }
      .space, .theme { display: none; }
      rta-notices { --rta-bottom: 60px; }
    }
  `];

  readonly model = new EngineModel();

  @state() private view: ViewName = firstView();
  @query('rta-connect-dialog') private readonly dialog!: ConnectDialog;
  /** It is in a dialog while that is modal. */
  #notices!: NoticeList;

  constructor() {
    super();
    this.model.addEventListener('renamed', (event) => {
      const {from, to} = (event as ModelEvents['renamed']).detail;
      pins.of(this.model.source?.name ?? '').renamed(from, to);
    });
    this.model.addEventListener('connection', () => this.requestUpdate());
    addEventListener('hashchange', () => this.#showFragment());
    addEventListener('keydown', this.#onKey);
  }

  protected override firstUpdated(changed: PropertyValues): void {
    super.firstUpdated(changed);
    this.#notices = this.renderRoot.querySelector('rta-notices')!;
    this.renderRoot.addEventListener('rta-modal', (event) => this.#showNoticesIn(event.composedPath()[0] as HTMLDialogElement));
    void this.#openFirst();
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (!this.#notices.isConnected) this.#takeNoticesBack();  // The view of the dialog was left.
  }

  /** What is outside of a modal dialog is dimmed, and cannot be operated. */
  #showNoticesIn(dialog: HTMLDialogElement): void {
    dialog.prepend(this.#notices);
    dialog.addEventListener('close', () => this.#takeNoticesBack(), {once: true});
  }

  #takeNoticesBack(): void { this.dialog.before(this.#notices); }

  override render() {
    return html`
      <header><h1 class="visually-hidden">rtad</h1><rta-transport .model=${this.model} ?compact=${this.view === 'stage'} @connect=${() => this.#showDialog()}></rta-transport></header>
      ${this.#strip()}
      <nav aria-label="Views">
        <div role="tablist" aria-label="Views" @keydown=${this.#onTabKey}>
          ${VIEWS.map(({name, title}) => html`
            <button role="tab" id="tab-${name}" aria-controls="view" aria-selected=${this.view === name}
              tabindex=${this.view === name ? 0 : -1} @click=${() => this.show(name)}>${title}</button>`)}
        </div>
        <span class="space"></span>
        ${this.#themeButton()}
        <rta-documents .model=${this.model} .hasPageEngine=${true}
          @page-engine=${() => this.#openPageEngine()}></rta-documents>
      </nav>
      <main><div id="view" role="tabpanel" aria-labelledby="tab-${this.view}">${this.#view()}</div></main>
      <rta-notices .model=${this.model} ?high=${this.view === 'stage'}></rta-notices>
      <rta-connect-dialog .model=${this.model} @page-engine=${() => this.#openPageEngine()}></rta-connect-dialog>`;
  }

  /** Shows a view. */
  show(view: ViewName): void {
    this.view = view;
    stored(() => localStorage.setItem(VIEW_KEY, view));
  }

  #view() {
    switch (this.view) {
      case 'patch': return html`<rta-patch .model=${this.model}></rta-patch>`;
      case 'mixer': return html`<rta-mixer .model=${this.model}></rta-mixer>`;
      case 'stage': return html`<rta-stage .model=${this.model}></rta-stage>`;
    }
  }

  #themeButton() {
    const choices = ['system', 'light', 'dark'] as const;
    const choice = themeChoice();
    const next = choices[(choices.indexOf(choice) + 1) % choices.length]!;
    const label = `Colours: ${choice}. Press for ${next}.`;
    return html`<button class="quiet theme" aria-label=${label} title=${label} @click=${() => { chooseTheme(next); this.requestUpdate(); }}>
      ${icon(document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light')}</button>`;
  }

  /** Returns a line about an engine that does not work. */
  #strip() {
    const {connection, reason, source, kind} = this.model;
    const other = (text: string) => html`<button @click=${() => this.#showDialog()}>${text}</button>`;
    if (connection === 'refused') {
      const what = kind === 'page' ? 'The engine of this page cannot run' : `${source?.name} does not accept this page`;
      return html`<div class="strip bad" role="alert"><p>${what}: ${reason}</p>${other(kind === 'page' ? 'Connect to a daemon…' : 'Enter a token…')}</div>`;
    }
    if (connection === 'lost') {
      const what = kind === 'page' ? 'The engine of this page does not answer.'
        : `No connection to ${source?.name}; what plays there does not depend on this page. Connecting again…`;
      return html`<div class="strip" role="alert"><p>${what} ${reason === '' ? '' : `(${reason})`}</p>${other('Another daemon…')}</div>`;
    }
    if (connection === 'failed') {
      return html`<div class="strip bad" role="alert"><p>${reason}</p>
        <button class="primary" title="Open a fresh engine with this graph" @click=${() => this.model.restart()}>Restart</button>
        <button title="Open a fresh engine without a graph" @click=${() => this.model.restart({empty: true})}>Restart empty</button></div>`;
    }
    const problem = source?.audio?.reason ?? '';
    return problem === '' ? nothing : html`<div class="strip" role="alert"><p>${problem}</p>
      ${connection === 'suspended' ? html`<button @click=${() => this.model.start()}>Resume</button>` : nothing}</div>`;
  }

  /** Opens the daemon that the page comes from; otherwise the engine of the page. */
  async #openFirst(): Promise<void> {
    const code = takeCode();
    if (code !== '' || await isServedByDaemon()) {
      this.model.open(daemonSource(location.origin, code || tokens.get(location.host)));
    } else {
      this.#openPageEngine();
    }
  }

  #openPageEngine(): void {
    if (this.model.kind !== 'page' || this.model.source === null) this.model.open(new PageSource());
  }

  #showDialog(): Promise<void> {
    const {source} = this.model;
    const own = /^https?:$/.test(location.protocol) ? location.host : USUAL_ADDRESS;
    return this.dialog.show(source?.kind === 'daemon' ? source.name : own);
  }

  #showFragment(): void {
    const name = location.hash.slice(1);
    const view = VIEWS.find((other) => other.name === name);
    if (view) this.show(view.name);
  }

  /** Undo and redo, everywhere except in text. */
  readonly #onKey = (event: KeyboardEvent): void => {
    const [inner] = event.composedPath();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented) return;
    if (inner instanceof Element && inner.matches('textarea, input:not([type="range"], [type="checkbox"], [role="spinbutton"])')) return;
    const key = event.key.toLowerCase();
    const redo = key === 'y' || (key === 'z' && event.shiftKey);
    if (!redo && key !== 'z') return;
    event.preventDefault();
    if (redo ? this.model.redoStep : this.model.undoStep) void (redo ? this.model.redo() : this.model.undo());
  };

  readonly #onTabKey = (event: KeyboardEvent): void => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (step === undefined) return;
    const place = VIEWS.findIndex(({name}) => name === this.view) + step;
    const next = VIEWS[(place + VIEWS.length) % VIEWS.length]!;
    this.show(next.name);
    this.renderRoot.querySelector<HTMLElement>(`#tab-${next.name}`)?.focus();
    event.preventDefault();
  };
}

/** Returns the view of the fragment, such as #stage, or else the one that was shown last. */
function firstView(): ViewName {
  const names = [location.hash.slice(1), stored(() => localStorage.getItem(VIEW_KEY))];
  return VIEWS.find(({name}) => names.includes(name))?.name ?? 'patch';
}

declare global {
  interface HTMLElementTagNameMap { 'rta-app': App }
}
