// SPDX-License-Identifier: MIT
import type {SceneInfo} from 'rta-client/core';
import {type PropertyValues, type TemplateResult, css, html, nothing} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {storeText, storedText} from '../browser_storage.js';
import {limited} from '../controls/scale.js';
import type {ValueSpec} from '../controls/specs.js';
import {formatPercent} from '../controls/units.js';
import '../controls/value.js';
import {define} from '../drawing/canvas_element.js';
import {DEVICE_STRIP, stripsOf} from '../mixer/layout.js';
import {pins} from '../mixer/pins.js';
import '../mixer/strip.js';
import {ModelElement, common} from '../model_element.js';
import './hold_button.js';
import './scene_button.js';
import './scene_dialog.js';
import type {SceneDialog} from './scene_dialog.js';
import {SceneState} from './scene_state.js';
import {WakeLock} from './wake_lock.js';

/** RecallScene.fade_ms, in seconds. */
const FADE: ValueSpec = {unit: 's', minimum: 0.02, maximum: 600, default: 0.02, ramp_law: 'logarithmic'};
const FADE_KEY = 'rta.fade';
/** A load at which dropouts are likely. */
const HIGH_LOAD = 0.8;

/** The stage: `<rta-stage .model=${model}>`. For a phone at arm's length: scenes, the output, pinned strips, load and dropouts. */
export class Stage extends ModelElement {
  static override properties = {fade_s: {state: true}, recalling: {state: true}};
  protected static override readonly watched = ['graph', 'status', 'scenes', 'connection'] as const;

  static override styles = [common, css`
    :host { display: grid; grid-template: auto minmax(0, 1fr) auto / 100%; height: 100%; }
    .state { display: grid; grid-template-columns: 1fr 1fr; border-bottom: 1px solid var(--rta-line); }
    .state > div { padding: 8px 16px; }
    .state > div + div { border-left: 1px solid var(--rta-line); }
    .state b { display: block; font-size: 26px; font-weight: 500; line-height: 1.2; }
    .state span { font-size: 12px; color: var(--rta-dim); }
    .state .warn { color: var(--rta-warn); }
    .state .bad { color: var(--rta-bad); }
    .main { overflow: hidden auto; overscroll-behavior-y: contain; padding: 12px; display: grid; gap: 16px; align-content: start; }
    .head { display: flex; align-items: center; gap: 8px; margin-bottom: 8px; }
    h2 { margin: 0; flex: 1; font-size: 14px; font-weight: 600; color: var(--rta-dim); }
    .head label { display: inline-flex; align-items: center; gap: 6px; font-size: 13px; color: var(--rta-dim); }
    .scenes { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px; }
    .pinned { display: grid; gap: 8px; }
    .hint { margin: 0; color: var(--rta-dim); font-size: 14px; }
    .output { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 8px; padding: 10px 12px; background: var(--rta-bg);
      border-top: 1px solid var(--rta-line); }
    .output rta-strip { grid-column: 1 / -1; }
    .mute { min-height: 64px; font-size: 17px; font-weight: 600; border-width: 2px; border-color: var(--rta-edge); }
    .mute[aria-pressed='true'] { background: var(--rta-bad); border-color: var(--rta-bad); }
    rta-hold-button { min-width: 130px; }
    @media (min-width: 900px) {
      :host { grid-template: auto minmax(0, 1fr) / minmax(0, 1fr) 420px; }
      .state { grid-area: 1 / 2; border-left: 1px solid var(--rta-line); }
      .main { grid-area: 1 / 1 / 3 / 2; padding: 20px; }
      .output { grid-area: 2 / 2; align-content: start; border-left: 1px solid var(--rta-line); border-top: 0; padding: 16px; }
      .scenes { grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); }
    }
  `];

  declare protected fade_s: number;
  /** The scene of a recall that is not answered. */
  declare protected recalling: string;
  readonly #wake = new WakeLock();
  #state: SceneState | undefined;
  readonly #changed = (): void => this.requestUpdate();

  constructor() {
    super();
    this.fade_s = storedFade();
    this.recalling = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#wake.start();
    pins.addEventListener('change', this.#changed);
    this.#state?.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#wake.stop();
    pins.removeEventListener('change', this.#changed);
    this.#state?.stop();
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has('model')) {
      this.#state?.stop();
      this.#state = new SceneState(this.model);
      this.#state.addEventListener('change', this.#changed);
      this.#state.start();
    }
    pins.of(this.model.source?.name ?? '');
  }

  protected override render(): TemplateResult {
    return html`${this.#renderState()}<div class="main">${this.#renderScenes()}${this.#renderPinned()}</div>${this.#renderOutput()}
      <rta-scene-dialog .model=${this.model}></rta-scene-dialog>`;
  }

  #renderState(): TemplateResult {
    const {load, dropouts} = this.model;
    const count = dropouts.late + dropouts.xruns;
    return html`<div class="state">
      <div><b class=${load && load.p99 > 1 ? 'bad' : load && load.p99 > HIGH_LOAD ? 'warn' : ''}>${load ? formatPercent(load.mean) : '–'}</b>
        <span>load${load ? html`, p99 ${formatPercent(load.p99)}` : nothing}</span></div>
      <div><b class=${count > 0 ? 'warn' : ''}>${count}</b><span title="Since the device was opened">dropouts</span></div></div>`;
  }

  #renderScenes(): TemplateResult {
    const {scenes, canEdit} = this.model;
    return html`<section aria-labelledby="scenes"><div class="head"><h2 id="scenes">Scenes</h2>
        <label>Fade<rta-value label="Fade time of a recall" .spec=${FADE} .value=${this.fade_s} @change=${this.#setFade}></rta-value></label>
        <button ?disabled=${!canEdit} @click=${() => this.#dialog.showNew()}>Save as…</button></div>
      ${scenes.length === 0 ? html`<p class="hint">No scenes yet. A scene is the whole graph under a name.</p>`
        : html`<div class="scenes">${repeat(scenes, ({name}) => name, (scene) => this.#renderScene(scene))}</div>`}</section>`;
  }

  #renderScene(scene: SceneInfo): TemplateResult {
    const isCurrent = this.#state?.current === scene.name;
    return html`<rta-scene-button .name=${scene.name} .detail=${scene.partial ? `${scene.node_count} nodes, others stay` : `${scene.node_count} nodes`}
      .current=${isCurrent} .changed=${isCurrent && this.#state?.changed === true} .busy=${this.recalling === scene.name}
      .disabled=${!this.model.canEdit} @recall=${() => this.#recall(scene.name)} @menu=${() => this.#dialog.showMenu(scene.name)}></rta-scene-button>`;
  }

  #renderPinned(): TemplateResult {
    const strips = stripsOf(this.model.graph, this.model.types);
    const pinned = pins.ids.flatMap((id) => strips.filter((strip) => strip.id === id));
    return html`<section aria-labelledby="pinned"><div class="head"><h2 id="pinned">Pinned</h2></div>
      ${pinned.length === 0 ? html`<p class="hint">Pin strips of the mixer to have their faders here.</p>`
        : html`<div class="pinned">${repeat(pinned, ({id}) => id, (strip) =>
          html`<rta-strip look="stage" .model=${this.model} .strip=${strip}></rta-strip>`)}</div>`}</section>`;
  }

  #renderOutput(): TemplateResult {
    const {muted, canEdit} = this.model;
    return html`<section class="output" aria-label="Output">
      <rta-strip look="stage" .model=${this.model} .strip=${OUTPUT_STRIP}></rta-strip>
      <button class="mute" aria-pressed=${muted} ?disabled=${!canEdit} @click=${() => this.model.mute(!muted)}>${muted ? 'Muted' : 'Mute'}</button>
      <rta-hold-button label="Panic" hold-text="hold to stop all" .disabled=${!canEdit} @confirm=${() => this.model.panic()}></rta-hold-button>
    </section>`;
  }

  get #dialog(): SceneDialog { return this.renderRoot.querySelector('rta-scene-dialog')!; }

  #setFade({detail}: CustomEvent<number>): void {
    this.fade_s = detail;
    storeText(FADE_KEY, String(detail));
  }

  async #recall(name: string): Promise<void> {
    this.recalling = name;
    await this.model.recallScene(name, Math.round(this.fade_s * 1000));
    if (this.recalling === name) this.recalling = '';
  }
}

/** The stage has a mute key of its own. */
const OUTPUT_STRIP = {...DEVICE_STRIP, title: 'Volume', subtitle: 'device output'};

function storedFade(): number {
  const fade = Number(storedText(FADE_KEY) ?? FADE.default);
  return Number.isFinite(fade) && fade > 0 ? limited(fade, FADE) : FADE.default;
}

define('rta-stage', Stage);
declare global { interface HTMLElementTagNameMap { 'rta-stage': Stage } }
