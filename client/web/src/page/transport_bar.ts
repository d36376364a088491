// SPDX-License-Identifier: MIT
// The top of the page: start, volume and level of the output, and the state of the engine.
import type {Levels} from 'rta-client/core';
import {css, html} from 'lit';
import {customElement, query} from 'lit/decorators.js';
import './controls/meter.js';
import type {RtaMeter} from './controls/meter.js';
import {icon} from './icons.js';
import {ModelElement, common} from './model_element.js';
import type {HistoryStep} from 'rta-client/core';

/** The slider of the volume: below, the output is silent. */
const LOWEST_DB = -60;
const HIGHEST_DB = 12;
const SILENCE_DB = -120;

/** Dispatches 'connect' when another engine is wanted. With the attribute `compact`, a narrow bar has only start and engine. */
@customElement('rta-transport')
export class TransportBar extends ModelElement {
  static override readonly watched = ['status', 'connection', 'history', 'graph'] as const;

  static override readonly styles = [common, css`
    :host { display: flex; align-items: center; gap: 16px; padding: 10px 16px; background: var(--rta-surface); border-bottom: 1px solid var(--rta-line); }
    .main { display: inline-flex; align-items: center; justify-content: center; gap: 8px; min-width: 128px; min-height: 48px; font-size: 17px; font-weight: 600; }
    .volume { display: grid; grid-template-columns: auto 1fr 106px; align-items: center; gap: 10px; flex: 1 1 320px; max-width: 560px; }
    .volume label { color: var(--rta-dim); }
    .volume input { width: 100%; height: 26px; }
    @media (pointer: coarse) { .volume input { height: var(--rta-touch); margin-block: -6px; } }
    .volume .level { display: grid; gap: 2px; min-width: 0; }
    .volume rta-meter { width: 100%; height: 6px; }
    .volume output { font-size: 20px; font-weight: 500; text-align: right; white-space: nowrap; }
    dl { display: flex; gap: 18px; margin: 0; }
    dt { color: var(--rta-dim); font-size: 12px; line-height: 1.2; }
    dd { margin: 0; font-size: 15px; line-height: 1.3; min-width: 3.2em; white-space: nowrap; }
    dd.bad { color: var(--rta-bad); font-weight: 600; }
    .buttons { display: flex; gap: 6px; }
    .buttons button { display: inline-flex; align-items: center; gap: 6px; }
    .space { flex: 1; }
    /* Of one width, so that nothing moves when the state changes. */
    .engine { display: inline-flex; align-items: center; gap: 8px; width: 200px; justify-content: flex-end; }
    .engine .name { overflow: hidden; text-overflow: ellipsis; }
    .dot { flex: none; width: 9px; height: 9px; border-radius: 50%; background: var(--rta-dim); }
    .dot.running { background: var(--rta-good); }
    .dot.suspended, .dot.connecting, .dot.lost { background: none; border: 2px solid var(--rta-warn); }
    .dot.refused, .dot.failed { background: var(--rta-bad); border-radius: 1px; }
    @media (max-width: 1100px) { .buttons .word { display: none; } :host { gap: 12px; } dl { gap: 12px; } .engine { width: 150px; padding: 0; } .space { display: none; } .volume { flex: 1 1 0; max-width: none; } }
    @media (max-width: 900px) { .volume label, .latency, .engine .name { display: none; } .volume { grid-template-columns: 1fr 92px; } .engine { width: var(--rta-touch); justify-content: center; } }
    @media (max-width: 700px) {
      :host { flex-wrap: wrap; gap: 8px; padding: 8px; }
      .main { min-width: 108px; }
      dl { gap: 6px; }
      .buttons { gap: 4px; }
      .buttons .danger { padding: 0 8px; }
      .volume { flex: 1 1 180px; }
      dl { order: 2; flex: 1; }
      .buttons { order: 3; }
      .engine { order: 4; }
      /* What the stage has of its own, and larger. */
      :host([compact]) .volume, :host([compact]) dl, :host([compact]) .output { display: none; }
      :host([compact]) .engine { flex: 1; order: 2; justify-content: start; padding: 0 8px; min-width: 0; }
      :host([compact]) .engine .name { display: inline; }
    }
  `];

  @query('rta-meter') private readonly meter!: RtaMeter;
  #stop: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = this.model?.watchLevels(this.#show) ?? null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    this.#stop = null;
  }

  protected override firstUpdated(): void { this.#stop ??= this.model.watchLevels(this.#show); }

  readonly #show = ({outputs}: Levels): void => { this.meter.levels = outputs; };

  override render() {
    const {model} = this;
    return html`
      ${this.#mainButton()}
      <div class="volume">
        <label for="volume">Volume</label>
        <div class="level"><input id="volume" type="range" aria-label="Volume" min=${LOWEST_DB} max=${HIGHEST_DB} step="0.5" .value=${String(model.volumeDb)}
          aria-valuetext=${decibels(model.volumeDb)} ?disabled=${!model.canEdit} @input=${this.#onVolume}
          @dblclick=${() => model.setVolume(0)}>
          <rta-meter label="Level of the output" orientation="horizontal"></rta-meter></div>
        <output for="volume">${decibels(model.volumeDb)}</output>
      </div>
      <dl>${this.#readouts()}</dl>
      <span class="space"></span>
      <div class="buttons" role="group" aria-label="History and output">
        ${this.#historyButton('undo', model.undoStep, () => model.undo())}
        ${this.#historyButton('redo', model.redoStep, () => model.redo())}
        ${model.kind === 'page' ? this.#muteButton('output') : null}
        <button class="danger output" ?disabled=${!model.canEdit} title="Mute the output, and reset every node"
          @click=${() => model.panic()}>Panic</button>
      </div>
      <button class="engine quiet" title="${this.#engineName()}. Press to use another engine." aria-label="Engine: ${this.#engineName()}" @click=${() => this.dispatchEvent(new Event('connect'))}>
        <span class="dot ${model.connection}"></span><span class="name">${this.#engineName()}</span>
      </button>`;
  }

  #engineName(): string {
    const {source, connection, unacknowledged} = this.model;
    const name = source === null ? 'No engine' : source.kind === 'page' ? 'This page' : source.name;
    if (connection === 'running' && unacknowledged > 0) return `${name}: ${unacknowledged} sent`;
    const state = {running: '', suspended: ' (stopped)', connecting: ' (connecting)', lost: ' (lost)', refused: ' (refused)', failed: ' (failed)'}[connection];
    return name + state;
  }

  /** Start and stop of the engine in the page; of a daemon, mute. */
  #mainButton() {
    const {model} = this;
    if (model.kind === 'daemon') return this.#muteButton('main output');
    if (model.connection === 'failed') {
      return html`<button class="main primary" @click=${() => model.restart()}>${icon('start')}Restart</button>`;
    }
    const running = model.connection === 'running';
    return html`
      <button class="main ${running ? '' : 'primary'}" ?disabled=${!['running', 'suspended'].includes(model.connection)}
        @click=${() => running ? model.suspend() : model.start()}>
        ${icon(running ? 'stop' : 'start')}${running ? 'Stop' : 'Start'}
      </button>`;
  }

  #muteButton(kind: 'main output' | 'output') {
    const {muted, canEdit} = this.model;
    return html`
      <button class=${kind} aria-label=${muted ? 'Muted' : 'Mute'} aria-pressed=${muted} ?disabled=${!canEdit} @click=${() => this.model.mute(!muted)}>
        ${icon(muted ? 'muted' : 'sound')}<span class=${kind === 'output' ? 'word' : ''}>${muted ? 'Muted' : 'Mute'}</span>
      </button>`;
  }

  #historyButton(name: 'undo' | 'redo', step: HistoryStep | null, act: () => void) {
    const title = step ? `${name === 'undo' ? 'Undo' : 'Redo'}: ${step.summary || 'the latest change'}` : `Nothing to ${name}`;
    return html`
      <button aria-label=${title} title=${title} ?disabled=${!this.model.canEdit || !step} @click=${act}>${icon(name)}</button>`;
  }

  #readouts() {
    const {load, dropouts, status} = this.model;
    const lost = dropouts.late + dropouts.xruns;
    const latency = Number(status?.engine?.latency_frames ?? 0) / (status?.device?.sample_rate_hz || 48_000) * 1000;
    return html`
      <div><dt>Load</dt><dd>${load ? `${(load.mean * 100).toFixed(1)} %` : '–'}</dd></div>
      <div><dt>Dropouts</dt><dd class=${lost > 0 ? 'bad' : ''}>${status ? lost : '–'}</dd></div>
      <div class="latency"><dt>Latency</dt><dd>${status ? `${latency.toFixed(1)} ms` : '–'}</dd></div>`;
  }

  readonly #onVolume = (event: InputEvent): void => {
    const level = Number((event.target as HTMLInputElement).value);
    this.model.setVolume(level <= LOWEST_DB ? SILENCE_DB : level);
  };
}

function decibels(level: number): string {
  return level <= SILENCE_DB ? '−∞ dB' : `${level < 0 ? '−' : ''}${Math.abs(level).toFixed(1)} dB`;
}
