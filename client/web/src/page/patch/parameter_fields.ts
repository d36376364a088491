// SPDX-License-Identifier: MIT
// All parameters and settings of a node, generated from the table of its type.
import type {JsonValue, SettingInfo} from 'rta-client/core';
import {css, html, nothing} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import '../controls/fader.js';
import {type ParameterSpec, type SettingSpec, type ValueSpec, labelOf, parametersOf, settingsOf} from '../controls/specs.js';
import '../controls/switch.js';
import {formatExact, unitOfName} from '../controls/units.js';
import '../controls/value.js';
import {ModelElement, common} from '../model_element.js';
import type {NodeView} from './ports.js';

/** Times in which a changed parameter reaches its value, in ms. 20 is that of the protocol. */
const RAMPS_MS = [20, 100, 500, 2000, 10_000];

/** Returns the range and the ramp of a parameter for its help. */
function rangeOf(spec: ParameterSpec): string {
  const law = {linear: 'linear', logarithmic: 'logarithmic', amplitude: 'linear in gain', on_off: 'crossfade', own: 'smoothed by the node'}[spec.ramp_law] ?? spec.ramp_law;
  if (spec.unit === 'on/off') return `On or off, with a ${law}.`;
  const [minimum, maximum, value] = [spec.minimum, spec.maximum, spec.default].map((number) => formatExact(number, spec.unit));
  return `${minimum} to ${maximum}, default ${value}. Ramp: ${law}.`;
}

@customElement('rta-parameter-fields')
export class ParameterFields extends ModelElement {
  static override readonly watched = ['graph', 'connection'] as const;

  static override readonly styles = [common, css`
    :host { display: grid; gap: 16px; }
    section { display: grid; gap: 4px; min-width: 0; }
    h3 { margin: 0 0 2px; font-size: 12px; font-weight: 600; color: var(--rta-dim); display: flex; align-items: center; justify-content: space-between; gap: 8px; }
    h3 select { min-height: 26px; font-weight: 400; padding: 0 4px; }
    .row { display: grid; grid-template-columns: 84px minmax(0, 1fr) 92px; gap: 8px; align-items: center; min-height: 34px; }
    .row rta-value, .cell rta-value, td rta-value { display: block; --rta-value-width: 100%; }
    .row > span, .setting > label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .row > span { cursor: help; }
    .uncertain { color: var(--rta-warn); }
    .setting { display: grid; grid-template-columns: 112px minmax(0, 1fr); gap: 8px; align-items: center; min-height: 36px; }
    .setting select, .setting input { width: 100%; min-width: 0; }
    fieldset { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 4px 8px; margin: 0; padding: 4px 0 8px; border: 0; border-top: 1px solid var(--rta-line); min-width: 0; }
    legend { float: left; grid-column: 1; padding: 0; font-weight: 600; align-self: center; }
    fieldset select { grid-column: 2 / -1; min-height: 28px; padding: 0 6px; min-width: 0; }
    fieldset .cell { display: grid; gap: 1px; min-width: 0; }
    fieldset .cell span { font-size: 11px; color: var(--rta-dim); }
    fieldset rta-switch { min-height: 30px; }
    .matrix { overflow-x: auto; }
    table { border-collapse: collapse; }
    th { font-weight: 500; color: var(--rta-dim); font-size: 12px; padding: 2px 6px; text-align: left; white-space: nowrap; }
    td { padding: 2px; min-width: 78px; }
    @media (pointer: coarse) { .row { min-height: 48px; } h3 select, fieldset select { min-height: var(--rta-touch); } }
  `];

  @property({attribute: false}) node!: NodeView;
  @state() private rampMs = RAMPS_MS[0]!;

  override render() {
    const type = this.model.types.get(this.node.type);
    if (!type) return html`<p>This page does not know the type ${this.node.type}.</p>`;
    const specs = parametersOf(type, this.node.settings).filter(({name}) => name !== 'bypass');
    const settings = settingsOf(type, this.node.settings);
    const single = specs.filter(({numbers}) => numbers.length === 0);
    const repeated = specs.filter(({numbers}) => numbers.length === 1);
    const matrix = specs.filter(({numbers}) => numbers.length === 2);
    const repeatedSettings = settings.filter(({numbers}) => numbers.length === 1);
    return html`
      ${specs.length > 0 ? html`<section aria-label="Parameters">
        <h3>Parameters ${this.#ramp()}</h3>
        ${single.map((spec) => this.#row(spec))}
        ${this.#groups(repeated, repeatedSettings)}
        ${matrix.length > 0 ? this.#matrix(matrix) : nothing}
      </section>` : nothing}
      ${this.#settings(settings.filter(({numbers}) => numbers.length === 0))}`;
  }

  #ramp() {
    return html`<select aria-label="Ramp time of changes" title="Time in which a changed parameter reaches its value"
      @change=${(event: Event) => { this.rampMs = Number((event.target as HTMLSelectElement).value); }}>
      ${RAMPS_MS.map((time) => html`<option value=${time} ?selected=${time === this.rampMs}>ramp ${time < 1000 ? `${time} ms` : `${time / 1000} s`}</option>`)}
    </select>`;
  }

  #row(spec: ParameterSpec) {
    const label = labelOf(spec.name);
    const uncertain = this.model.isUncertain(this.node.name, spec.name);
    return html`<div class="row"><span class=${uncertain ? 'uncertain' : ''} title="${spec.help}\n${rangeOf(spec)}">${label}</span>
      ${spec.unit === 'on/off' ? this.#switch(spec) : html`
        <rta-fader orientation="horizontal" label=${label} .spec=${spec} .value=${this.#value(spec)} ?disabled=${!this.model.canEdit} ?pending=${uncertain}
          @input=${this.#setter(spec)} @change=${this.#setter(spec)}></rta-fader>
        ${this.#number(spec, `${label}, as a number`)}`}</div>`;
  }

  #switch(spec: ParameterSpec) {
    const set = (event: CustomEvent<boolean>): void => this.#set(spec, event.detail ? 1 : 0);
    return html`<rta-switch label=${labelOf(spec.name)} .checked=${this.#value(spec) > 0} ?disabled=${!this.model.canEdit} @change=${set}></rta-switch>`;
  }

  #number(spec: ParameterSpec, label: string) {
    return html`<rta-value label=${label} .spec=${spec} .value=${this.#value(spec)} ?disabled=${!this.model.canEdit}
      ?pending=${this.model.isUncertain(this.node.name, spec.name)} @input=${this.#setter(spec)} @change=${this.#setter(spec)}></rta-value>`;
  }

  /** Bands, inputs or ways, each with its parameters and settings. */
  #groups(specs: readonly ParameterSpec[], settings: readonly SettingSpec[]) {
    const numbers = [...new Set(specs.map(({numbers: [number]}) => number!))];
    const of = <T extends {numbers: readonly number[]}>(list: readonly T[], number: number): T[] => list.filter(({numbers: [own]}) => own === number);
    if (numbers.every((number) => of(specs, number).length === 1)) return specs.map((spec) => this.#row(spec));
    const noun = nounOf(this.model.types.get(this.node.type)?.parameters.find(({name}) => name === specs[0]?.row)?.repeated_by[0]?.setting ?? '');
    return numbers.map((number) => html`<fieldset>
      <legend>${noun} ${number}</legend>
      ${of(settings, number).map((setting) => this.#choice(setting, `${labelOf(setting.name)}`))}
      ${of(specs, number).map((spec) => html`
        <div class="cell"><span title="${spec.help}\n${rangeOf(spec)}">${shortLabel(spec)}</span>${spec.unit === 'on/off' ? this.#switch(spec) : this.#number(spec, labelOf(spec.name))}</div>`)}
    </fieldset>`);
  }

  #matrix(specs: readonly ParameterSpec[]) {
    const columns = [...new Set(specs.map(({numbers}) => numbers[1]!))];
    const rows = [...new Set(specs.map(({numbers}) => numbers[0]!))];
    return html`<div class="matrix" tabindex="0" role="group" aria-label="Gains from inputs to outputs"><table>
      <tr><th scope="col">in \\ out</th>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr>
      ${rows.map((row) => html`<tr><th scope="row">${row}</th>${specs.filter(({numbers}) => numbers[0] === row).map((spec) => html`
        <td>${this.#number(spec, `gain from input ${row} to output ${spec.numbers[1]}`)}</td>`)}</tr>`)}
    </table></div>`;
  }

  #settings(settings: readonly SettingSpec[]) {
    if (settings.length === 0) return nothing;
    return html`<section aria-label="Settings"><h3 title="A change rebuilds the node, with a crossfade.">Settings</h3>
      ${settings.map((setting) => html`<div class="setting"><label for=${setting.name} title=${setting.help}>${labelOf(setting.name)}</label>${this.#setting(setting)}</div>`)}
    </section>`;
  }

  #setting(setting: SettingSpec) {
    const {name, info} = setting;
    const value = this.node.settings[name] ?? null;
    const disabled = !this.model.canEdit;
    if (info.choices.length > 0) return this.#choice(setting, labelOf(name));
    switch (info.kind) {
      case 'on_off': return html`<rta-switch id=${name} label=${labelOf(name)} .checked=${value === true} ?disabled=${disabled}
        @change=${({detail}: CustomEvent<boolean>) => this.#change(name, detail)}></rta-switch>`;
      case 'text': return html`<input id=${name} type="text" .value=${String(value ?? '')} ?disabled=${disabled}
        @change=${(event: Event) => this.#change(name, (event.target as HTMLInputElement).value)}>`;
      default: return html`<rta-value id=${name} label=${labelOf(name)} .spec=${specOf(info)} .value=${Number(value ?? 0)} ?disabled=${disabled}
        @change=${({detail}: CustomEvent<number>) => this.#change(name, detail)}></rta-value>`;
    }
  }

  #choice({name, info}: SettingSpec, label: string) {
    const value = String(this.node.settings[name] ?? '');
    const take = (event: Event): void => {
      const chosen = (event.target as HTMLSelectElement).value;
      this.#change(name, info.kind === 'integer' ? Number(chosen) : chosen);
    };
    return html`<select id=${name} aria-label=${label} title=${info.help} ?disabled=${!this.model.canEdit} @change=${take}>
      ${info.choices.map((choice) => html`<option value=${choice} .selected=${choice === value}>${choice.replaceAll('_', ' ')}</option>`)}
    </select>`;
  }

  #value(spec: ParameterSpec): number { return this.model.value(this.node.name, spec.name) ?? spec.default; }

  #setter(spec: ParameterSpec) { return ({detail}: CustomEvent<number>): void => this.#set(spec, detail); }

  #set({name}: ParameterSpec, value: number): void {
    this.model.set({[`${this.node.name}.${name}`]: value}, this.rampMs === RAMPS_MS[0] ? {} : {ramp_ms: this.rampMs});
  }

  #change(setting: string, value: JsonValue): void {
    const {name} = this.node;
    void this.model.edit((transaction) => transaction.changeSettings(name, {[setting]: value}), `change ${labelOf(setting)} of ${name}`);
  }
}

function specOf(info: SettingInfo): ValueSpec {
  return {unit: unitOfName(info.name), minimum: info.minimum ?? 0, maximum: info.maximum ?? Number.MAX_SAFE_INTEGER,
          default: Number(info.default ?? info.minimum ?? 0), ramp_law: 'linear', whole: info.kind === 'integer'};
}

/** Returns "Band" for the setting `bands`. */
function nounOf(setting: string): string {
  const noun = setting.replace(/s$/, '');
  return noun.charAt(0).toUpperCase() + noun.slice(1);
}

function shortLabel({name}: ParameterSpec): string { return labelOf(name).replace(/ ?\d+$/, ''); }

declare global {
  interface HTMLElementTagNameMap { 'rta-parameter-fields': ParameterFields }
}
