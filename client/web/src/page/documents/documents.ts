// SPDX-License-Identifier: MIT
import {type PropertyValues, type TemplateResult, css, html, nothing} from 'lit';
import {messageOf} from '../../engine/platform.js';
import {browserStorage, storeText, storedText} from '../browser_storage.js';
import {showModal} from '../controls/modal.js';
import {OutsideClick} from '../controls/outside_click.js';
import {define} from '../drawing/canvas_element.js';
import {EXAMPLES} from '../generated/cookbook.js';
import {icon} from '../icons.js';
import type {EngineModel} from '../model.js';
import {ModelElement, common} from '../model_element.js';
import './apply_dialog.js';
import type {ApplyDialog} from './apply_dialog.js';
import {LinkError, documentOf, fragmentOf, isDocumentFragment} from './link.js';
import {type Received, FileError, fileNameOf, isSound, readDocument} from './received.js';
import {keepRecent, recentDocuments} from './recent.js';
import './share_dialog.js';
import type {ShareDialog} from './share_dialog.js';
import './sound_input.js';
import type {SoundInputs} from './sound_input.js';

const EMPTY = '{"nodes": [], "connections": []}';
/** The graph is kept after this time without further changes. */
const QUIET_MS = 1200;
/** Volume of the engine of the page at the first visit. Later, it is the last one. */
const FIRST_VOLUME_DB = -20;
const VOLUME_KEY = 'rta.volume';

/**
 * Opens, saves and shares documents: `<rta-documents .model=${model} .hasPageEngine=${true}>`. A document that comes as a link,
 * or is dropped onto the page, is opened in the engine of the page, muted until a click; a daemon gets a document only after its
 * user has seen what would change. Dispatches 'page-engine' when the engine of the page is to be opened.
 */
export class Documents extends ModelElement {
  static override properties = {hasPageEngine: {attribute: false}, name: {state: true}, dragging: {state: true}, muted: {state: true}};
  protected static override readonly watched = ['graph', 'connection', 'status'] as const;

  static override styles = [common, css`
    :host { display: contents; }
    .open { display: inline-flex; align-items: center; gap: 6px; }
    dialog { width: min(760px, calc(100vw - 24px)); max-height: min(86dvh, 760px); padding: 20px; border: 1px solid var(--rta-line);
      border-radius: calc(var(--rta-radius) * 2); background: var(--rta-raised); color: var(--rta-text); box-shadow: var(--rta-shadow);
      overflow: auto; overscroll-behavior: contain; }
    dialog::backdrop { background: var(--rta-shade); }
    .panel { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 20px 24px; }
    .head { grid-column: 1 / -1; display: flex; align-items: center; gap: 8px; }
    h2 { margin: 0; flex: 1; font-size: 18px; font-weight: 600; }
    h3 { margin: 0 0 8px; font-size: 13px; font-weight: 600; color: var(--rta-dim); }
    .list { display: grid; gap: 6px; }
    .list button { text-align: left; white-space: normal; padding: 8px 12px; min-height: 40px; }
    .list button small { display: block; color: var(--rta-dim); font-size: 12px; line-height: 1.35; }
    @media (pointer: coarse) { .list button { min-height: var(--rta-touch); } }
    section + section { margin-top: 18px; }
    .drop { position: fixed; inset: 0; z-index: 100; display: grid; place-items: center; padding: 24px; pointer-events: none;
      background: var(--rta-shade); }
    .drop p { margin: 0; padding: 20px 32px; font-size: 20px; color: var(--rta-text); background: var(--rta-raised);
      border: 2px dashed var(--rta-accent); border-radius: calc(var(--rta-radius) * 2); text-align: center; }
    .banner { position: fixed; z-index: 50; left: 50%; translate: -50%; bottom: 72px; width: max-content; max-width: calc(100vw - 24px);
      display: flex; align-items: center; gap: 16px; padding: 12px 16px; background: var(--rta-raised); border: 1px solid var(--rta-accent);
      border-radius: calc(var(--rta-radius) * 2); box-shadow: var(--rta-shadow); }
    .banner p { margin: 0; }
    @media (max-width: 700px) {
      .panel { grid-template-columns: minmax(0, 1fr); }
      dialog { width: 100vw; max-width: 100vw; margin: auto 0 0; border-width: 1px 0 0; border-radius: 16px 16px 0 0; max-height: 88dvh; }
      .open { flex-direction: column; gap: 0; font-size: 11px; border: 0; background: none; min-width: 64px; }
    }
  `];

  declare hasPageEngine: boolean;
  /** Name of what was opened last. */
  declare protected name: string;
  declare protected dragging: boolean;
  /** The name of a document that is muted until a click, or ''. */
  declare protected muted: string;

  /** Waits for an engine that is open. */
  #waiting: Received | undefined;
  /** The client of the engine of the page that has its volume. */
  #begun: unknown = null;
  /** A link is being unpacked: nothing else is opened. */
  #unpacking = false;
  #volume = FIRST_VOLUME_DB;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drags = 0;

  readonly #outside = new OutsideClick();

  constructor() {
    super();
    this.hasPageEngine = false;
    this.name = '';
    this.dragging = false;
    this.muted = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    for (const [name, listener] of this.#listeners) addEventListener(name, listener);
    void this.#takeFragment();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const [name, listener] of this.#listeners) removeEventListener(name, listener);
    clearTimeout(this.#timer);
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!changed.has('model')) return;
    (changed.get('model') as EngineModel | undefined)?.removeEventListener('graph', this.#keepLater);
    this.model.addEventListener('graph', this.#keepLater);
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (!this.#isOpen) return;
    const isNew = this.model.kind === 'page' && this.#begun !== this.model.client;
    if (isNew) this.#begin();
    else if (this.model.kind === 'page') this.#keepVolume();
    if (this.#waiting) {
      const received = this.#waiting;
      this.#waiting = undefined;
      void this.open(received);
    } else if (isNew && !this.#unpacking) {
      void this.#restore();
    }
    if (this.muted !== '' && !this.model.muted) this.muted = '';
  }

  /** Opens a document. The graph and its sound stay as they are if it is not valid. */
  async open(received: Received): Promise<void> {
    if (!this.#isOpen) {
      this.#waiting = received;
      return;
    }
    this.#panel.close();
    if (this.model.kind === 'daemon') return this.#apply.show(received);
    const {client} = this.model;
    if (!client) return;
    try {
      await client.check(received.document);
    } catch (error) {
      this.model.notices.add('error', `${received.name} was not opened: ${messageOf(error)}`);
      return;
    }
    const unexpected = received.origin === 'link' || received.origin === 'drop';
    const mute = unexpected && this.model.connection === 'running' && !this.model.muted;
    if (mute && await this.model.mute(true) === null) return;
    const result = await this.model.ask(`open ${received.name}`, (open) => open.load(received.document));
    if (!result) return;
    for (const warning of result.warnings) this.model.notices.add('warning', warning);
    this.name = received.name;
    if (mute) this.muted = received.name;
  }

  protected override render(): TemplateResult {
    return html`<button class="open quiet" aria-haspopup="dialog" @click=${this.#show}>${icon('list')}Documents</button>
      <dialog aria-labelledby="title" @pointerdown=${this.#outside} @click=${this.#outside}>${this.#renderPanel()}</dialog>
      <input type="file" hidden accept=".json,application/json,text/plain" aria-label="Document" @change=${this.#selected}>
      <rta-apply-dialog .model=${this.model} .hasPageEngine=${this.hasPageEngine} @page-engine=${this.#openHere}></rta-apply-dialog>
      <rta-share-dialog></rta-share-dialog>
      ${this.dragging ? html`<div class="drop"><p>Drop a document${this.model.kind === 'page' ? ' or a sound file' : ''} to open it</p></div>` : nothing}
      ${this.muted ? html`<div class="banner" role="status"><p>${this.muted} is open and muted.</p>
        <button class="primary" @click=${this.#listen}>Listen</button></div>` : nothing}`;
  }

  #renderPanel(): TemplateResult {
    const isPage = this.model.kind === 'page';
    const recent = recentDocuments(browserStorage());
    return html`<div class="panel"><div class="head"><h2 id="title">Documents</h2>
        <button class="quiet" aria-label="Close" @click=${() => this.#panel.close()}>${icon('close')}</button></div>
      <div><section><h3>This graph</h3><div class="list">
          <button ?disabled=${!this.#isOpen} @click=${this.#save}>Save as a file</button>
          <button ?disabled=${!this.#isOpen} @click=${this.#share}>Share as a link…</button></div></section>
        <section><h3>Open</h3><div class="list">
          <button @click=${() => this.#file.click()}>A file…<small>or drop one onto the page</small></button>
          <button @click=${() => this.open({name: 'an empty graph', document: EMPTY, origin: 'new'})}>Empty graph</button></div></section>
        ${isPage ? html`<section><h3>Input</h3><rta-sound-inputs .model=${this.model}></rta-sound-inputs></section>` : nothing}</div>
      <div>${recent.length === 0 ? nothing : html`<section><h3>Recent</h3><div class="list">${recent.map(({name, document, at}) =>
          html`<button @click=${() => this.open({name, document, origin: 'recent'})}>${name}<small>${agoOf(at)}</small></button>`)}</div></section>`}
        <section><h3>Examples</h3><div class="list">${EXAMPLES.map(({title, description, document}) =>
          html`<button @click=${() => this.open({name: title, document, origin: 'example'})}>${title}<small>${description}</small></button>`)}</div></section>
      </div></div>`;
  }

  readonly #listeners: readonly (readonly [string, (event: Event) => void])[] = [
    ['hashchange', () => void this.#takeFragment()],
    ['keydown', (event) => this.#key(event as KeyboardEvent)],
    ['dragenter', (event) => this.#drag(event as DragEvent, 1)],
    ['dragleave', (event) => this.#drag(event as DragEvent, -1)],
    ['dragover', (event) => { if (hasFiles(event as DragEvent)) event.preventDefault(); }],
    ['drop', (event) => this.#drop(event as DragEvent)],
  ];

  get #isOpen(): boolean { return this.model.connection === 'running' || this.model.connection === 'suspended'; }
  get #panel(): HTMLDialogElement { return this.renderRoot.querySelector('dialog')!; }
  get #file(): HTMLInputElement { return this.renderRoot.querySelector('input')!; }
  get #apply(): ApplyDialog { return this.renderRoot.querySelector('rta-apply-dialog')!; }

  #show(): void {
    this.requestUpdate();
    showModal(this.#panel);
  }

  /** Takes the document of the address, and removes it from there: a reload continues with the graph as it is then. */
  async #takeFragment(): Promise<void> {
    const {hash} = location;
    if (!isDocumentFragment(hash)) return;
    history.replaceState(null, '', location.pathname + location.search);
    this.#unpacking = true;
    try {
      const document = await documentOf(hash);
      await this.updateComplete;
      this.#unpacking = false;
      await this.open({name: titleOf(document) || 'the shared document', document, origin: 'link'});
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.model.notices.add('error', error.message);
      // A page that was opened with a damaged link has at least what it had before.
      if (this.#isOpen && this.model.kind === 'page') await this.#restore();
    } finally {
      this.#unpacking = false;
    }
  }

  /** An engine of the page starts with the volume of the last one. */
  #begin(): void {
    this.#begun = this.model.client;
    const stored = Number(storedText(VOLUME_KEY) ?? FIRST_VOLUME_DB);
    this.#volume = stored >= -120 && stored <= 12 ? stored : FIRST_VOLUME_DB;
    this.model.setVolume(this.#volume);
  }

  #keepVolume(): void {
    if (this.model.volumeDb === this.#volume) return;
    this.#volume = this.model.volumeDb;
    storeText(VOLUME_KEY, String(this.#volume));
  }

  /** Opens what was open when the page was closed; at the first visit, the first example. */
  async #restore(): Promise<void> {
    if (this.model.graph.nodes.size > 0 || this.model.restarted) return;
    const [recent] = recentDocuments(browserStorage());
    const [example] = EXAMPLES;
    if (recent) await this.open({...recent, origin: 'recent'});
    else if (example) await this.open({name: example.title, document: example.document, origin: 'example'});
  }

  readonly #keepLater = (): void => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#keep(), QUIET_MS);
  };

  async #keep(): Promise<void> {
    if (this.model.kind !== 'page' || this.model.graph.nodes.size === 0) return;
    const document = await this.#document();
    const name = this.model.graph.title || this.name || 'Untitled';
    const [latest] = recentDocuments(browserStorage());
    if (document && (latest?.document !== document || latest.name !== name)) keepRecent(browserStorage(), {name, document, at: Date.now()});
  }

  async #document(): Promise<string | null> {
    const with_origin = this.model.kind === 'daemon';
    const result = await this.model.read((client) => client.call({get_graph: {content: 'GRAPH_CONTENT_DOCUMENT', with_origin}}));
    return result?.document ?? null;
  }

  async #save(): Promise<void> {
    const document = await this.#document();
    if (document === null) return void this.model.notices.add('error', 'The graph was not saved: the engine does not answer.');
    const url = URL.createObjectURL(new Blob([document], {type: 'application/json'}));
    const link = Object.assign(window.document.createElement('a'), {href: url, download: fileNameOf(this.model.graph.title || this.name)});
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    this.#panel.close();
  }

  async #share(): Promise<void> {
    const document = await this.model.read((client) => client.graph({content: 'GRAPH_CONTENT_DOCUMENT'}));
    if (!document) return void this.model.notices.add('error', 'The link was not created: the engine does not answer.');
    this.#panel.close();
    const dialog: ShareDialog = this.renderRoot.querySelector('rta-share-dialog')!;
    await dialog.show(location.origin + location.pathname + await fragmentOf(document.document));
  }

  #selected(): void {
    const [file] = this.#file.files ?? [];
    this.#file.value = '';
    if (file) void this.#read(file, 'file');
  }

  async #read(file: File, origin: 'file' | 'drop'): Promise<void> {
    if (isSound(file)) return this.#play(file);
    try {
      await this.open(await readDocument(file, origin));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.model.notices.add('error', error.message);
    }
  }

  #play(file: File): Promise<void> | undefined {
    const inputs: SoundInputs | null = this.renderRoot.querySelector('rta-sound-inputs');
    if (inputs) return inputs.play(file);
    this.model.notices.add('error', `${file.name} was not opened: a sound file plays in the engine of this page only. Expected a graph document (JSON).`);
    return undefined;
  }

  /** The document is opened in the engine of this page instead of the daemon. */
  #openHere({detail}: CustomEvent<Received>): void {
    this.#waiting = {...detail, origin: 'link'};
    this.dispatchEvent(new CustomEvent('page-engine'));
  }

  #listen(): void {
    this.muted = '';
    void this.model.mute(false);
  }

  #key(event: KeyboardEvent): void {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    if (event.key === 'o') this.#file.click();
    else if (event.key === 's') void this.#save();
    else return;
    event.preventDefault();
  }

  #drag(event: DragEvent, step: 1 | -1): void {
    if (!hasFiles(event)) return;
    this.#drags = Math.max(this.#drags + step, 0);
    this.dragging = this.#drags > 0;
  }

  #drop(event: DragEvent): void {
    this.#drags = 0;
    this.dragging = false;
    if (!hasFiles(event)) return;
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file) void this.#read(file, 'drop');
  }
}

function hasFiles({dataTransfer}: DragEvent): boolean { return dataTransfer?.types.includes('Files') ?? false; }

/** Returns the title of a document, as far as it can be read without an engine. */
function titleOf(document: string): string {
  try {
    const {title} = JSON.parse(document) as {title?: unknown};
    return typeof title === 'string' ? title.slice(0, 256) : '';
  } catch {
    return '';
  }
}

function agoOf(at: number): string {
  const minutes = Math.round((Date.now() - at) / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 60 * 48 ? `${Math.round(minutes / 60)} h ago` : new Date(at).toLocaleDateString();
}

define('rta-documents', Documents);
declare global { interface HTMLElementTagNameMap { 'rta-documents': Documents } }
