// SPDX-License-Identifier: MIT
// <rta-player src="document.json">: plays a document on any page.
//
//   src         address of the document. Its errors are shown with line and column.
//   volume-db   initial volume, -60 to 12; default 0
//   label       name of the player; default: the title of the document
//   channels    output channels; default: those of the device
//   microphone  lets the input nodes of the document receive the microphone, after the browser has asked the user
//
// Properties: `engine` (PageEngine) and `client` (Client), null before the first start. Methods: start(), stop(). Events, which bubble:
// 'rta-start', 'rta-stop', and 'rta-error' with the RtaError in `detail`. Colours: --rta-bg, --rta-text, --rta-dim, --rta-accent,
// --rta-line, --rta-bad.
import {type Client, RtaError} from 'rta-client/core';
import {createPageEngine, type PageEngine} from './page_engine.js';
import {checkPlatform, messageOf} from './platform.js';

const SILENT_DB = -60;
const LOUDEST_DB = 12;

const STYLE = `
  :host { display: block; max-width: 32rem; font: 1rem/1.4 system-ui, sans-serif; font-variant-numeric: tabular-nums;
    color: var(--rta-text, CanvasText); background: var(--rta-bg, Canvas); border: 1px solid var(--rta-line, #8886);
    border-radius: var(--rta-radius, 8px); padding: 1rem; box-sizing: border-box; }
  :host([hidden]) { display: none; }
  .row { display: flex; align-items: center; gap: 1rem; flex-wrap: wrap; }
  button { font: inherit; font-size: 1.25rem; min-height: 56px; min-width: 7.5rem; padding: 0 1.25rem; cursor: pointer;
    border: 0; border-radius: var(--rta-radius, 8px); background: var(--rta-accent, #0b66c3); color: var(--rta-on-accent, #fff); }
  button:disabled { opacity: .5; cursor: default; }
  button.again { min-height: 44px; margin-top: .5rem; font-size: 1rem; background: none; color: inherit; border: 1px solid currentColor; }
  button[hidden] { display: none; }
  label { flex: 1 1 12rem; display: grid; grid-template-columns: 1fr auto; gap: .25rem .5rem; align-items: center; }
  input { grid-column: 1 / -1; width: 100%; min-height: 44px; margin: 0; accent-color: var(--rta-accent, #0b66c3); }
  output { min-width: 5.5em; text-align: right; }
  p { margin: .5rem 0 0; color: var(--rta-dim, GrayText); }
  p:empty { display: none; }
  .error { color: var(--rta-bad, #b3261e); white-space: pre-wrap; overflow-wrap: anywhere; }
  h2 { font-size: 1rem; font-weight: 600; margin: 0 0 .5rem; }
  h2:empty { display: none; }
  :focus-visible { outline: 3px solid var(--rta-accent, #0b66c3); outline-offset: 2px; }
`;

const CONTENT = `
  <section role="group" aria-labelledby="name">
    <h2 id="name"></h2>
    <div class="row">
      <button type="button" aria-pressed="false">Start</button>
      <label><span>Volume</span><output></output>
        <input type="range" min="${SILENT_DB}" max="${LOUDEST_DB}" step="0.5"></label>
    </div>
    <p class="status" role="status"></p>
    <p class="error" role="alert"></p>
    <button type="button" class="again" hidden></button>
  </section>
`;

// The module can also be imported where there is no page, for example by a server that renders pages.
const Base = globalThis.HTMLElement ?? (class {} as unknown as typeof HTMLElement);

export class RtaPlayer extends Base {
  static readonly observedAttributes = ['src', 'volume-db', 'label'];
  /** The engine; null before the first start. */
  engine: PageEngine | null = null;

  #button!: HTMLButtonElement;
  #slider!: HTMLInputElement;
  #again!: HTMLButtonElement;
  #document: Promise<string> | null = null;
  #abort = new AbortController();
  #title = '';
  #starting: Promise<void> | null = null;
  /** The sound was started and not stopped. */
  #wanted = false;
  #sent = 0;  // volume that was sent last
  #sending = false;

  /** The client of the engine; null before the first start. */
  get client(): Client | null { return this.engine?.client ?? null; }

  constructor() {
    super();
    const root = this.attachShadow({mode: 'open', delegatesFocus: true});
    // Not an element <style>, which a Content-Security-Policy may forbid.
    const styles = new CSSStyleSheet();
    styles.replaceSync(STYLE);
    root.adoptedStyleSheets = [styles];
    root.innerHTML = CONTENT;
    this.#button = root.querySelector('button')!;
    this.#slider = root.querySelector('input')!;
    this.#again = root.querySelector('.again')!;
    this.#again.addEventListener('click', () => {
      this.#showError(null);
      if (this.engine) void this.#openMicrophone(this.engine);
    });
    this.#button.addEventListener('click', () => { void (this.#runs ? this.stop() : this.start()).catch(() => {}); });
    this.#slider.addEventListener('input', () => this.#showVolume());
    this.#slider.addEventListener('input', () => { void this.#sendVolume(); });
    this.#showVolume(this.#initialVolume());
  }

  connectedCallback(): void {
    this.#showName();
    try {
      checkPlatform();
    } catch (error) {
      this.#button.disabled = true;
      this.#showError(error);
      return;
    }
    this.#load();
  }

  disconnectedCallback(): void {
    this.#abort.abort();
    const engine = this.engine;
    this.engine = null;
    this.#wanted = false;
    void engine?.close();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.isConnected) return;
    if (name === 'label') this.#showName();
    else if (name === 'volume-db') this.#setVolume(this.#initialVolume());
    else this.#load();
  }

  /** Starts the sound: for a click or a key. Rejects with RtaError. */
  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
      this.#show();
    });
    this.#show();
    return this.#starting;
  }

  /** Stops the sound. The graph keeps its state. */
  async stop(): Promise<void> {
    await this.#starting?.catch(() => {});
    this.#wanted = false;
    await this.engine?.suspend();
    this.#dispatch('rta-stop');
  }

  get #runs(): boolean { return this.engine?.state === 'running'; }

  async #start(): Promise<void> {
    try {
      this.#showError(null);
      if (this.engine?.failed) {
        void this.engine.close();
        this.engine = null;
      }
      const engine = this.engine ?? await this.#open();
      await engine.start();
      this.#wanted = true;
      if (this.hasAttribute('microphone') && !engine.microphoneOn) await this.#openMicrophone(engine);
      this.#dispatch('rta-start');
    } catch (error) {
      this.#showError(error);
      throw error;
    }
  }

  /** Without the microphone, the document plays nevertheless. */
  async #openMicrophone(engine: PageEngine): Promise<void> {
    try {
      await engine.microphone(true);
    } catch (error) {
      this.#showError(error, 'Try the microphone again');
    }
  }

  /** Opens an engine with the document of `src`, also if that changes in the meantime. */
  async #open(): Promise<PageEngine> {
    const channels = this.getAttribute('channels');
    await this.#text();  // before the engine, which nothing would close if there is no document
    const engine = await createPageEngine({name: 'rta-player', ...(channels !== null && {channels_out: Number(channels)})});
    try {
      this.#sent = Number(this.#slider.value);
      await engine.client.volume(volumeOf(this.#sent));
      for (let loaded: unknown; loaded !== this.#document;) {
        const text = await this.#text();
        loaded = this.#document;
        await engine.client.load(text);
      }
      if (!this.isConnected) throw new RtaError('UNAVAILABLE', 'the player was removed from the page before the sound started');
    } catch (error) {
      void engine.close();
      throw error;
    }
    engine.addEventListener('statechange', () => this.#show());
    this.engine = engine;
    return engine;
  }

  /** Resolves to the document of `src`, also if that changes in the meantime. */
  async #text(): Promise<string> {
    for (;;) {
      const document = this.#document;
      if (document === null) throw new RtaError('INVALID_ARGUMENT', 'the player has no document: expected the attribute src');
      try {
        const text = await document;
        if (document === this.#document) return text;
      } catch (error) {
        if (document === this.#document) throw error;
      }
    }
  }

  /** Fetches the document. If the engine runs, it changes to it, with a crossfade. */
  #load(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    const {signal} = this.#abort;
    const src = this.getAttribute('src');
    this.#document = src === null ? null : this.#fetch(src, signal);
    this.#document?.then(async (text) => {
      if (signal.aborted) return;
      this.#title = titleOf(text);
      this.#showName();
      this.#showError(null);
      await this.engine?.client.load(text);
    }).catch((error: unknown) => { if (!signal.aborted) this.#showError(error); });
  }

  async #fetch(src: string, signal: AbortSignal): Promise<string> {
    const response = await fetch(src, {signal}).catch((error: unknown) => {
      throw new RtaError('UNAVAILABLE', `cannot load the document ${src}: ${messageOf(error)}`, {cause: error});
    });
    if (!response.ok) throw new RtaError('NOT_FOUND', `cannot load the document ${src}: status ${response.status}, expected 200`);
    return response.text();
  }

  #initialVolume(): number {
    const volume = Number(this.getAttribute('volume-db') ?? 0);
    return Number.isFinite(volume) ? Math.min(Math.max(volume, SILENT_DB), LOUDEST_DB) : 0;
  }

  #setVolume(volume: number): void {
    this.#showVolume(volume);
    void this.#sendVolume();
  }

  /** Sends the volume of the slider. While one is on its way, the others wait, and only the latest is sent. */
  async #sendVolume(): Promise<void> {
    if (this.#sending || this.engine === null) return;
    this.#sending = true;
    try {
      for (let volume = Number(this.#slider.value); volume !== this.#sent && this.engine; volume = Number(this.#slider.value)) {
        this.#sent = volume;
        await this.engine.client.volume(volumeOf(volume));
      }
    } catch (error) {
      this.#showError(error);
    } finally {
      this.#sending = false;
    }
  }

  #showVolume(volume = Number(this.#slider.value)): void {
    const text = volume <= SILENT_DB ? 'silent' : `${volume > 0 ? '+' : ''}${volume.toFixed(1).replace('-', '\u2212')} dB`;
    this.#slider.value = String(volume);
    this.#slider.setAttribute('aria-valuetext', text);
    this.#element('output').textContent = text;
  }

  #showName(): void { this.#element('h2').textContent = this.getAttribute('label') ?? (this.#title || 'Audio player'); }

  #show(): void {
    this.#button.textContent = this.#runs ? 'Stop' : this.engine?.failed ? 'Restart' : this.#wanted ? 'Resume' : 'Start';
    this.#button.setAttribute('aria-pressed', String(this.#runs));
    this.#button.disabled = this.#starting !== null;
    this.#element('.status').textContent = this.#starting ? 'Starting\u2026' : this.engine?.reason ?? '';
  }

  /** `again`: text of the button that tries the microphone again. */
  #showError(error: unknown, again = ''): void {
    this.#element('.error').textContent = error === null ? '' : messageOf(error);
    this.#again.textContent = again;
    this.#again.hidden = again === '';
    if (error !== null) this.#dispatch('rta-error', error);
  }

  #element(selector: string): Element { return this.shadowRoot!.querySelector(selector)!; }

  #dispatch(name: string, detail?: unknown): void { this.dispatchEvent(new CustomEvent(name, {bubbles: true, composed: true, detail})); }
}

/** The lowest position of the slider is silence. */
function volumeOf(slider: number): number { return slider <= SILENT_DB ? -120 : slider; }

/** Returns the title of a document, or '' if it has none. Its errors are shown when it is loaded. */
function titleOf(text: string): string {
  try {
    const {title} = JSON.parse(text) as {title?: unknown};
    return typeof title === 'string' ? title : '';
  } catch {
    return '';
  }
}

globalThis.customElements?.define('rta-player', RtaPlayer);
