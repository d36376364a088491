// SPDX-License-Identifier: MIT
import type {CheckResult} from 'rta-client/core';
import {type TemplateResult, css, html, nothing} from 'lit';
import {messageOf} from '../../engine/platform.js';
import {formatPercent} from '../controls/units.js';
import {showModal} from '../controls/modal.js';
import {OutsideClick} from '../controls/outside_click.js';
import {define} from '../drawing/canvas_element.js';
import {ModelElement, common} from '../model_element.js';
import {type EditLine, linesOf, summaryOf} from './edit_lines.js';
import type {Received} from './received.js';

/** More lines are counted only. */
const MOST_LINES = 200;
const SIGNS = {added: '+', removed: '−', changed: '~'} as const;

type State = {at: 'closed' | 'checking'} | {at: 'refused'; why: string} | {at: 'checked'; check: CheckResult; lines: EditLine[]};

/**
 * Asks whether a document may replace the graph of a daemon, and shows what would change. Dispatches 'page-engine' if it is
 * to be opened in the engine of this page instead, and 'applied'.
 */
export class ApplyDialog extends ModelElement {
  static override properties = {received: {state: true}, state: {state: true}, hasPageEngine: {attribute: false}, stale: {state: true}};
  protected static override readonly watched = ['connection'] as const;

  static override styles = [common, css`
    dialog { width: min(640px, calc(100vw - 24px)); max-height: min(80dvh, 720px); padding: 20px; border: 1px solid var(--rta-line);
      border-radius: calc(var(--rta-radius) * 2); background: var(--rta-raised); color: var(--rta-text); box-shadow: var(--rta-shadow); }
    dialog[open] { display: grid; grid-template-rows: auto minmax(0, 1fr) auto; gap: 12px; }
    dialog::backdrop { background: var(--rta-shade); }
    h2 { margin: 0; font-size: 18px; overflow-wrap: anywhere; }
    .content { overflow: auto; min-height: 3em; }
    p { margin: 0 0 8px; color: var(--rta-dim); }
    .error { color: var(--rta-bad); overflow-wrap: anywhere; }
    ul { list-style: none; margin: 0; padding: 8px 0; border-block: 1px solid var(--rta-line); font-size: 13px; }
    li { display: grid; grid-template-columns: 1.4em 1fr; padding: 2px 0; overflow-wrap: anywhere; }
    .added b { color: var(--rta-good); }
    .removed b { color: var(--rta-bad); }
    .changed b { color: var(--rta-warn); }
    footer { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 8px; }
    button { min-height: 40px; }
  `];

  declare hasPageEngine: boolean;
  declare protected received: Received | undefined;
  declare protected state: State;
  /** The graph has changed since it was shown. */
  declare protected stale: boolean;

  readonly #outside = new OutsideClick();

  constructor() {
    super();
    this.hasPageEngine = false;
    this.received = undefined;
    this.state = {at: 'closed'};
    this.stale = false;
  }

  /** Shows what a document would change. */
  async show(received: Received): Promise<void> {
    Object.assign(this, {received, stale: false});
    await this.updateComplete;
    showModal(this.#dialog);
    await this.#check(received);
  }

  protected override render(): TemplateResult {
    const {received, state} = this;
    const daemon = this.model.source?.name ?? '';
    return html`<dialog aria-labelledby="title" @pointerdown=${this.#outside} @click=${this.#outside} @close=${() => { this.state = {at: 'closed'}; }}>
      <h2 id="title">Apply “${received?.name}” to ${daemon}?</h2>
      <div class="content" tabindex="0" role="group" aria-label="What changes">${this.#content()}</div>
      <footer><button autofocus @click=${() => this.#dialog.close()}>Cancel</button>
        ${this.hasPageEngine ? html`<button ?disabled=${state.at === 'refused'} @click=${this.#openHere}>Open in this page</button>` : nothing}
        <button class="primary" ?disabled=${state.at !== 'checked' || !this.model.canEdit} @click=${this.#apply}>Apply</button></footer></dialog>`;
  }

  #content(): TemplateResult {
    const {state} = this;
    if (state.at === 'refused') return html`<p class="error" role="alert">${state.why}</p><p>The graph has not changed.</p>`;
    if (state.at !== 'checked') return html`<p role="status">Checking…</p>`;
    const {check, lines} = state;
    return html`${this.stale ? html`<p class="error" role="alert">The graph has changed in the meantime. This is what would change now:</p>` : nothing}
      <p>${summaryOf(lines)}${check.predicted_load === undefined ? '' : `; expected load ${formatPercent(check.predicted_load)}`}</p>
      ${check.warnings.map((warning) => html`<p>${warning}</p>`)}
      <ul>${lines.slice(0, MOST_LINES).map(({kind, text}) => html`<li class=${kind}><b aria-label=${kind}>${SIGNS[kind]}</b><span>${text}</span></li>`)}</ul>
      ${lines.length > MOST_LINES ? html`<p>and ${lines.length - MOST_LINES} more</p>` : nothing}`;
  }

  async #check(received: Received): Promise<void> {
    this.state = {at: 'checking'};
    try {
      const {client, types, graph} = this.model;
      if (!client) throw new Error('The engine is not open.');
      const check = await client.check(received.document, {with_diff: true});
      if (received !== this.received) return;
      this.state = {at: 'checked', check, lines: linesOf(check.diff, types, (name) => graph.nodes.get(name))};
    } catch (error) {
      if (received === this.received) this.state = {at: 'refused', why: `${received.name}: ${messageOf(error)}`};
    }
  }

  /** Applies what was shown, unless the graph has changed since. */
  async #apply(): Promise<void> {
    const {received, state} = this;
    const {client} = this.model;
    if (!received || state.at !== 'checked' || !client) return;
    try {
      this.state = {at: 'checking'};
      const {change_number} = state.check;
      const result = await client.load(received.document, {guard: {expected_change: change_number, expected_instance: client.hello.instance_id}});
      for (const warning of result.warnings) this.model.notices.add('warning', warning);
      this.#dialog.close();
      this.dispatchEvent(new CustomEvent('applied', {detail: received}));
    } catch (error) {
      if ((error as {code?: unknown}).code !== 'ABORTED') {
        this.state = {at: 'refused', why: messageOf(error)};
        return;
      }
      this.stale = true;
      await this.#check(received);
    }
  }

  #openHere(): void {
    this.#dialog.close();
    this.dispatchEvent(new CustomEvent('page-engine', {detail: this.received}));
  }

  get #dialog(): HTMLDialogElement { return this.renderRoot.querySelector('dialog')!; }
}

define('rta-apply-dialog', ApplyDialog);
declare global { interface HTMLElementTagNameMap { 'rta-apply-dialog': ApplyDialog } }
