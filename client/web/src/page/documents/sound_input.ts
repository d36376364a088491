// SPDX-License-Identifier: MIT
import {type TemplateResult, css, html, nothing} from 'lit';
import {messageOf} from '../../engine/platform.js';
import '../controls/switch.js';
import {define} from '../drawing/canvas_element.js';
import {ModelElement, common} from '../model_element.js';

/** What the engine in the page can take as its input; PageEngine is one. */
export interface SoundInput extends EventTarget {
  microphone(on: boolean): Promise<void>;
  readonly microphoneOn: boolean;
  playFile(file: Blob | null): Promise<void>;
  readonly filePlays: boolean;
  /** Why it is silent: a sentence, or ''. */
  readonly reason: string;
}

/** Returns the inputs of an engine, if it has such. */
export function soundInputOf(audio: unknown): SoundInput | undefined {
  return audio instanceof EventTarget && 'microphone' in audio && 'playFile' in audio ? audio as SoundInput : undefined;
}

/** Selects what the input nodes of the graph receive, in the engine of the page: the microphone, a sound file, or both. */
export class SoundInputs extends ModelElement {
  static override properties = {file: {state: true}, busy: {state: true}};
  protected static override readonly watched = ['graph', 'connection'] as const;

  static override styles = [common, css`
    :host { display: grid; gap: 8px; }
    .row { display: flex; align-items: center; gap: 12px; min-height: 36px; }
    .row > span { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    p { margin: 0; font-size: 13px; color: var(--rta-dim); }
  `];

  /** Name of the file that plays. */
  declare protected file: string;
  declare protected busy: boolean;
  #audio: SoundInput | undefined;
  readonly #changed = (): void => this.requestUpdate();

  constructor() {
    super();
    this.file = '';
    this.busy = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#audio?.removeEventListener('statechange', this.#changed);
    this.#audio = undefined;
  }

  /** Plays a sound file as the input. */
  async play(file: File | null): Promise<void> {
    const input = this.#input();
    if (!input) return;
    await this.#ask(`play ${file?.name ?? 'nothing'}`, () => input.playFile(file));
    this.file = input.filePlays ? file?.name ?? '' : '';
  }

  protected override render(): TemplateResult {
    const input = this.#input();
    if (!input) return html`<p>The engine of this page is not open.</p>`;
    const hasInput = [...this.model.graph.nodes.values()].some(({type}) => type === 'input');
    return html`
      <div class="row"><rta-switch label="Microphone" .checked=${input.microphoneOn} .disabled=${this.busy} @change=${this.#microphone}>Microphone</rta-switch></div>
      <div class="row"><span title=${this.file}>${input.filePlays ? this.file || 'A sound file plays' : 'Sound file'}</span>
        ${input.filePlays ? html`<button @click=${() => this.play(null)}>Stop</button>` : nothing}
        <button ?disabled=${this.busy} @click=${this.#select}>${input.filePlays ? 'Another…' : 'Play…'}</button></div>
      ${input.reason ? html`<p role="status">${input.reason}</p>` : nothing}
      ${hasInput ? nothing : html`<p>The graph has no input node: what comes in is not heard until you add one.</p>`}
      <input type="file" accept="audio/*" hidden aria-label="Sound file" @change=${this.#selected}>`;
  }

  #input(): SoundInput | undefined {
    const audio = soundInputOf(this.model.source?.audio);
    if (audio !== this.#audio) {
      this.#audio?.removeEventListener('statechange', this.#changed);
      audio?.addEventListener('statechange', this.#changed);
      this.#audio = audio;
    }
    return audio;
  }

  #microphone({detail}: CustomEvent<boolean>): void {
    const input = this.#input();
    if (input) void this.#ask('use the microphone', () => input.microphone(detail));
  }

  #select(): void { this.renderRoot.querySelector('input')!.click(); }

  #selected(event: Event): void {
    const field = event.target as HTMLInputElement;
    const file = field.files?.[0];
    field.value = '';
    if (file) void this.play(file);
  }

  async #ask(what: string, call: () => Promise<void>): Promise<void> {
    this.busy = true;
    try {
      await call();
    } catch (error) {
      this.model.notices.add('error', `Could not ${what}: ${messageOf(error)}`);
    } finally {
      this.busy = false;
    }
  }
}

define('rta-sound-inputs', SoundInputs);
declare global { interface HTMLElementTagNameMap { 'rta-sound-inputs': SoundInputs } }
