// SPDX-License-Identifier: MIT
import {css, html} from 'lit';
import {customElement} from 'lit/decorators.js';
import {repeat} from 'lit/directives/repeat.js';
import {ModelElement, common} from './model_element.js';
import type {Notice} from './notices.js';

/** The notices of the model, which screen readers read out as they are added. */
@customElement('rta-notices')
export class NoticeList extends ModelElement {
  static override readonly watched = ['notices'] as const;

  static override readonly styles = [common, css`
    :host {
      position: fixed; z-index: 30; inset: auto 16px calc(16px + var(--rta-bottom, 0px)) auto; width: min(420px, 100vw - 32px);
      pointer-events: none;
    }
    /* Not above the mute and panic of the stage. */
    @media (max-width: 899px) { :host([high]) { inset: 76px 16px auto auto; } }
    [role="log"] { display: grid; gap: var(--rta-gap); }
    .notice {
      display: grid; grid-template-columns: auto 1fr auto; gap: 10px; align-items: start; padding: 10px 6px 10px 12px;
      background: var(--rta-raised); border: 1px solid var(--rta-line); border-left: 3px solid var(--kind);
      border-radius: var(--rta-radius); box-shadow: var(--rta-shadow); pointer-events: auto;
      --kind: var(--rta-accent);
    }
    .error { --kind: var(--rta-bad); }
    .warning { --kind: var(--rta-warn); }
    .mark { color: var(--kind); font-weight: 600; line-height: 1.4; }
    p { margin: 0; overflow-wrap: anywhere; }
    .count { color: var(--rta-dim); }
    button { padding: 0 8px; margin: -6px 0; }
    @media (pointer: coarse) { button { margin: -10px 0; } }
  `];

  override render() {
    const notices = this.model.notices.list;
    return html`
      <div aria-live="polite" aria-relevant="additions" role="log" aria-label="Notices">
        ${repeat(notices, ({id}) => id, (notice) => this.#notice(notice))}
      </div>`;
  }

  #notice({id, kind, text, count}: Notice) {
    const name = {error: 'Error', warning: 'Warning', info: 'Note'}[kind];
    return html`
      <div class="notice ${kind}">
        <span class="mark" aria-hidden="true">${{error: '!', warning: '!', info: 'i'}[kind]}</span>
        <p><span class="visually-hidden">${name}: </span>${text}
          ${count > 1 ? html`<span class="count">(${count} times)</span>` : null}</p>
        <button class="quiet" aria-label="Dismiss this notice" @click=${() => this.model.notices.dismiss(id)}>✕</button>
      </div>`;
  }
}
