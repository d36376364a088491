// SPDX-License-Identifier: MIT
// The graph as cards and cables.
import {type PropertyValues, css, html, nothing, svg} from 'lit';
import {customElement, query, state} from 'lit/decorators.js';
import {repeat} from 'lit/directives/repeat.js';
import {icon} from '../icons.js';
import type {Connection, ModelEvents} from '../model.js';
import {ModelElement, common} from '../model_element.js';
import {NOTHING, PatchActions, type PatchView, type Selection} from './actions.js';
import './card.js';
import type {Card} from './card.js';
import './chooser.js';
import type {Chooser} from './chooser.js';
import {type Box, CARD, type CardShape, type Point, boundsOf, cablePath, nearest, overlap, portPlace, shapeOf} from './geometry.js';
import {type GestureTarget, Gestures, type Pressed} from './gestures.js';
import './help_dialog.js';
import type {HelpDialog} from './help_dialog.js';
import './inspector.js';
import type {Inspector} from './inspector.js';
import {commandOf} from './keys.js';
import {type LayoutGraph, layoutAll, placeMissing} from './layout.js';
import './node_list.js';
import {type Port, findPort, nodeOf, reachable, targetsOf} from './ports.js';
import {Positions} from './positions.js';
import {PatchSignals} from './signals.js';
import {Viewport} from './viewport.js';

/** How near the end of a cable must come to a port, and a card to a cable, in pixels. */
const NEAR = {port: 28, cable: 36};
/** What is this far outside the window is drawn, too. */
const MARGIN = 240;
const STEP = 16;
/** Between a card that is inserted and its neighbours. */
const ROOM = 56;
/** The inspector covers the lower part of the canvas. */
const NARROW = matchMedia('(max-width: 700px)');
const ZOOM_STEP = 1.25;
/** A patch that is opened is readable, also if it is not visible as a whole. */
const LEAST_FIRST_SCALE = 0.7;

interface Drawn { port: Port; to: Point; target: Port | null }

@customElement('rta-patch')
export class Patch extends ModelElement implements PatchView, GestureTarget {
  static override readonly watched: readonly (keyof ModelEvents)[] = ['graph', 'connection'];

  static override readonly styles = [common, css`
    :host { display: grid; grid-template: 100% / 1fr auto; position: absolute; inset: 0; }
    .canvas { position: relative; overflow: hidden; touch-action: none; outline: none; min-width: 0;
      background: radial-gradient(circle, var(--rta-line) 1px, transparent 1px) 0 0 / 24px 24px; }
    .world { position: absolute; left: 0; top: 0; width: 0; height: 0; transform-origin: 0 0; }
    svg.cables { position: absolute; overflow: visible; width: 1px; height: 1px; pointer-events: none; }
    .cable { outline: none; }
    .cable .hit { fill: none; stroke: transparent; stroke-width: 16; pointer-events: stroke; cursor: pointer; }
    .cable .line { fill: none; stroke: var(--rta-edge); stroke-width: 2; }
    .cable .signal { fill: none; stroke: var(--rta-accent); stroke-width: 2; stroke-opacity: var(--level, 0); }
    .cable.wide .line, .cable.wide .signal { stroke-width: 3.5; }
    .cable:hover .line { stroke: var(--rta-text); }
    .cable.selected .line, .cable.drop .line { stroke: var(--rta-accent); stroke-width: 4; }
    .cable.selected .signal { stroke-opacity: 0; }
    .cable:focus-visible .hit { stroke: var(--rta-accent); stroke-opacity: 0.35; }
    .cable text { font: 11px var(--rta-font); fill: var(--rta-text); paint-order: stroke; stroke: var(--rta-bg); stroke-width: 4px; text-anchor: middle; }
    .drawn { fill: none; stroke: var(--rta-accent); stroke-width: 2.5; stroke-dasharray: 5 4; }
    .drawn.fits { stroke-dasharray: none; }
    .frame { fill: var(--rta-accent); fill-opacity: 0.1; stroke: var(--rta-accent); }
    .tools { position: absolute; z-index: 3; left: 12px; bottom: 12px; display: flex; gap: 4px; padding: 4px; background: var(--rta-raised);
      border: 1px solid var(--rta-line); border-radius: 8px; box-shadow: var(--rta-shadow); align-items: center; }
    .tools button { min-width: 34px; min-height: 34px; padding: 0 6px; display: inline-flex; align-items: center; justify-content: center; gap: 6px; }
    .tools output { min-width: 3.4em; text-align: center; color: var(--rta-dim); font-size: 12px; }
    .empty { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 12px; text-align: center; color: var(--rta-dim); pointer-events: none; padding: 16px; }
    .empty button { pointer-events: auto; display: inline-flex; align-items: center; gap: 8px; }
    rta-inspector { grid-column: 2; }
    rta-node-list { position: absolute; inset: 0; }
    @media (max-width: 700px) {
      :host { grid-template: 100% / 100%; }
      rta-inspector { grid-column: auto; position: absolute; z-index: 5; inset: auto 0 0 0; max-height: 62%; }
      .tools { left: 8px; bottom: 8px; }
      .tools output, .tools .wide { display: none; }
      .tools button { min-width: var(--rta-touch); min-height: var(--rta-touch); }
    }
  `];

  readonly viewport = new Viewport();
  @state() selection: Selection = NOTHING;
  @state() private asList = false;
  @state() private focused = '';
  @state() private hovered = '';
  @state() private drawn: Drawn | null = null;
  @state() private dropCable = '';
  @state() private frameBox: Box | null = null;
  @query('.canvas') private readonly canvas!: HTMLElement;
  @query('rta-chooser') readonly chooser!: Chooser;
  @query('rta-help') private readonly help!: HelpDialog;
  @query('rta-inspector') private readonly inspector!: Inspector;

  actions!: PatchActions;
  readonly #positions = new Positions();
  #gestures: Gestures | null = null;
  #signals: PatchSignals | null = null;
  #shapes = new Map<string, {state: string; shape: CardShape}>();
  #size = {width: 0, height: 0};
  #fitted = false;
  #connection: Connection = 'connecting';
  readonly #resize = new ResizeObserver(() => this.#resized());

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#signals?.stop();
    this.#resize.disconnect();
    this.model?.removeEventListener('renamed', this.#onRenamed);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#attach();
  }

  protected override firstUpdated(): void {
    this.#gestures = new Gestures(this.canvas, this);
    this.#attach();
  }

  #attach(): void {
    this.#signals = new PatchSignals(this.model, (name) => this.#card(name), (port) => this.#cablesOf(port));
    this.#resize.observe(this.canvas);
    this.model.addEventListener('renamed', this.#onRenamed);
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has('model')) this.actions = new PatchActions(this.model, this);
    this.#arrange();
  }

  override render() {
    const {nodes, connections} = this.model.graph;
    if (this.asList) return this.#list();
    const visible = this.#visibleNodes();
    const connected = new Set([...connections.values()].flatMap(({from, to}) => [from, to]));
    const targets = this.drawn ? this.#targets(this.drawn.port) : null;
    return html`
      <div class="canvas" role="group" aria-label="Patch: ${nodes.size} nodes. Press question mark for the keys." @pointerdown=${this.#onPress}
        @keydown=${this.#onKey} @dblclick=${this.#onDoubleClick} @port-press=${this.#onPortPress} @port-choose=${this.#onPortChoose}
        @focusin=${this.#onFocus} @scroll=${this.#onScroll} @pointerover=${this.#onHover} @pointerleave=${() => { this.hovered = ''; }}>
        <div class="world">
          <svg class="cables">${[...connections].map(([key, cable]) => this.#cable(key, cable))}${this.#overlay()}</svg>
          ${repeat(visible, (name) => name, (name) => this.#cardOf(name, connected, targets))}
        </div>
        ${nodes.size === 0 ? this.#empty() : nothing}
        ${this.#tools()}
      </div>
      <rta-inspector class="panel" .model=${this.model} .actions=${this.actions} .selection=${this.selection}
        @select=${({detail}: CustomEvent<Selection>) => this.#select(detail)} @leave=${() => this.#leaveInspector()}></rta-inspector>
      <rta-chooser></rta-chooser><rta-help></rta-help>`;
  }

  protected override updated(): void {
    if (this.asList || !this.canvas) return;
    const world = this.canvas.querySelector<HTMLElement>('.world')!;
    world.style.transform = `translate(${this.viewport.x}px, ${this.viewport.y}px) scale(${this.viewport.scale})`;
    this.canvas.style.backgroundPosition = `${this.viewport.x}px ${this.viewport.y}px`;
    const grid = 24 * this.viewport.scale * (this.viewport.scale < 0.5 ? 4 : 1);
    this.canvas.style.backgroundSize = `${grid}px ${grid}px`;
    for (const card of this.#cards()) {
      const place = this.#positions.places.get(card.node.name);
      if (place) card.style.transform = `translate(${place.x}px, ${place.y}px)`;
    }
    this.#signals?.watch(this.#portsToWatch());
    if (this.#connection !== this.model.connection) {
      this.#connection = this.model.connection;
      if (this.#connection === 'lost' || this.#connection === 'refused' || this.#connection === 'failed') this.#signals?.clear();
    }
  }

  // --- For the actions and the gestures ------------------------------------------------------------------------------

  place(name: string, at: Point | null): void { if (at) this.#positions.set(name, at); }
  get chosen(): readonly string[] { return this.#chosenNames(); }
  placeOf(name: string): Point | undefined { return this.#positions.places.get(name); }

  makeRoom(key: string): Point | null {
    const cable = this.model.graph.connections.get(key);
    const [source, target] = cable ? [nodeOf(cable.from), nodeOf(cable.to)].map((name) => this.#boxes().get(name)) : [];
    if (!cable || !source || !target) return null;
    const x = source.x + source.width + ROOM;
    const missing = x + CARD.width + ROOM - target.x;
    // What follows moves, too. The source does not: it is before the target.
    if (missing > 0 && target.x > source.x) {
      for (const name of reachable(this.model.graph, nodeOf(cable.to))) {
        const place = this.#positions.places.get(name);
        if (place) this.#positions.set(name, {x: place.x + missing, y: place.y});
      }
    }
    return {x: target.x > source.x ? x : (source.x + target.x) / 2, y: Math.round((source.y + target.y) / 2)};
  }

  focusNode(name: string): void {
    // The node may not be in the graph yet: its event follows the answer.
    this.focused = name;
    this.selection = {kind: 'nodes', names: new Set([name])};
    const box = this.#boxes().get(name);
    if (box) this.viewport.reveal(box, this.#room());
    this.requestUpdate();
    void this.updateComplete.then(() => this.#card(name)?.focus({preventScroll: true}));
  }

  grab(name: string): ReadonlyMap<string, Point> {
    const names = this.selection.kind === 'nodes' && this.selection.names.has(name) ? this.selection.names : [name];
    return new Map([...names].flatMap((other) => {
      const place = this.#positions.places.get(other);
      return place ? [[other, place] as const] : [];
    }));
  }

  move(places: ReadonlyMap<string, Point>): void {
    for (const [name, place] of places) this.#positions.set(name, place);
    const [name] = places.keys();
    this.dropCable = places.size === 1 && name !== undefined ? this.#cableUnder(name) : '';
    this.requestUpdate();
  }

  drop(names: readonly string[]): void {
    const [name] = names;
    if (name !== undefined && this.dropCable !== '') void this.actions.insert(name, this.dropCable);
    this.dropCable = '';
  }

  draw(port: Port, to: Point): void { this.drawn = {port, to, target: this.#portNear(port, to)}; }

  connect(port: Port, to: Point): void {
    const target = this.#portNear(port, to);
    this.drawn = null;
    if (!this.model.canEdit) return;
    if (target) void this.actions.connect(port, target);
    else if (![...this.#boxes().values()].some((box) => overlap(box, {...to, width: 0, height: 0}))) {
      const x = port.direction === 'outputs' ? to.x : to.x - CARD.width;
      void this.actions.add({at: {x, y: to.y - CARD.header / 2}, port});
    }
  }

  frame(box: Box | null): void {
    if (box) {
      const inside = [...this.#boxes()].filter(([, other]) => overlap(box, other)).map(([name]) => name);
      this.selection = {kind: 'nodes', names: new Set(inside)};
    }
    this.frameBox = box;
  }

  clicked(pressed: Pressed, event: PointerEvent): void {
    if (pressed.kind === 'port') return this.#select({kind: 'port', port: pressed.port});
    if (pressed.kind === 'canvas') {
      const key = this.#keyAt(event);
      return this.#select(key === undefined ? NOTHING : {kind: 'cable', key});
    }
    const names = event.shiftKey || event.ctrlKey || event.metaKey ? this.#toggled(pressed.name) : new Set([pressed.name]);
    this.#select({kind: 'nodes', names});
    this.focused = pressed.name;
    const box = this.#boxes().get(pressed.name);
    if (box && NARROW.matches) this.viewport.reveal(box, this.#room());
    this.#card(pressed.name)?.focus({preventScroll: true});
  }

  cancel(): void {
    this.drawn = null;
    this.frameBox = null;
    this.dropCable = '';
  }

  changed(): void { this.requestUpdate(); }

  // --- Parts of the page ---------------------------------------------------------------------------------------------

  #cardOf(name: string, connected: ReadonlySet<string>, targets: ReadonlySet<string> | null) {
    const node = this.model.graph.nodes.get(name)!;
    const {state: values, shape} = this.#shapes.get(name)!;
    const selected = this.selection.kind === 'nodes' && this.selection.names.has(name);
    const chosen = this.selection.kind === 'port' && this.selection.port.node === name ? this.selection.port.id : '';
    const pending = shape.controls.map((spec) => this.model.value(name, spec.name)).join() + this.model.value(name, 'bypass');
    return html`<rta-card data-name=${name} tabindex=${this.#isStop(name) ? 0 : -1} .model=${this.model} .node=${node} .shape=${shape}
      .state=${values + pending + String(this.model.canEdit)} .connected=${connected} .targets=${targets} .chosen=${chosen} .selected=${selected}
      .active=${selected || this.focused === name || this.hovered === name}></rta-card>`;
  }

  #cable(key: string, {from, to, gain_db}: {from: string; to: string; gain_db: number}) {
    const [start, end] = [this.#portPoint(from, 'outputs'), this.#portPoint(to, 'inputs')];
    if (!start || !end || !this.#isVisible(start, end)) return nothing;
    const path = cablePath(start, end);
    const wide = (this.#shapes.get(nodeOf(from))?.shape.outputs.find(({id}) => id === from)?.width ?? 1) > 1;
    const classes = ['cable', wide ? 'wide' : '', this.selection.kind === 'cable' && this.selection.key === key ? 'selected' : '',
      this.dropCable === key ? 'drop' : ''].join(' ');
    const label = `Connection from ${from} to ${to}${gain_db === 0 ? '' : `, ${gain_db} dB`}`;
    return svg`<g class=${classes} data-key=${key} data-from=${from} role="button" tabindex="-1" aria-label=${label}>
      <path class="line" d=${path}/><path class="signal" d=${path}/><path class="hit" d=${path}/>
      ${gain_db === 0 ? nothing : svg`<text x=${(start.x + end.x) / 2} y=${(start.y + end.y) / 2 - 6}>${gain_db <= -120 ? '−∞' : String(Math.round(gain_db * 10) / 10).replace('-', '−')} dB</text>`}
    </g>`;
  }

  #overlay() {
    const {drawn, frameBox} = this;
    if (frameBox) return svg`<rect class="frame" x=${frameBox.x} y=${frameBox.y} width=${frameBox.width} height=${frameBox.height}/>`;
    if (!drawn) return nothing;
    const start = this.#portPoint(drawn.port.id, drawn.port.direction);
    const end = drawn.target ? this.#portPoint(drawn.target.id, drawn.target.direction) : drawn.to;
    if (!start || !end) return nothing;
    const path = drawn.port.direction === 'outputs' ? cablePath(start, end) : cablePath(end, start);
    return svg`<path class="drawn ${drawn.target ? 'fits' : ''}" d=${path}/>`;
  }

  #empty() {
    const {connection, canEdit} = this.model;
    const text = connection === 'connecting' ? 'Opening the engine…' : 'The graph is empty.';
    return html`<div class="empty"><p>${text}</p>${canEdit ? html`
      <button class="primary" @click=${() => this.actions.add()}>${icon('add')}Add a node</button>` : nothing}</div>`;
  }

  #tools() {
    const tool = (name: Parameters<typeof icon>[0], label: string, key: string, act: () => void, kind = '') => html`
      <button class="quiet ${kind}" aria-label=${label} aria-keyshortcuts=${key} title="${label} (${key})" @click=${act}>${icon(name)}</button>`;
    return html`<div class="tools panel" role="toolbar" aria-label="Patch">
      <button class="primary" ?disabled=${!this.model.canEdit} aria-keyshortcuts="a" title="Add a node (a)" @click=${() => this.#add()}>${icon('add')}<span>Add</span></button>
      ${tool('fit', 'Show the whole patch', 'f', () => this.#fit())}
      ${tool('layout', 'Lay out all nodes', 'l', () => this.#layOut())}
      ${tool('list', 'Show the patch as a list', 'v', () => { this.asList = true; })}
      ${tool('help', 'Keys', '?', () => this.help.show(), 'wide')}
      <output aria-label="Zoom">${Math.round(this.viewport.scale * 100)} %</output>
    </div>`;
  }

  #list() {
    return html`<rta-node-list .model=${this.model} .actions=${this.actions} .selection=${this.selection}
        @select=${({detail}: CustomEvent<Selection>) => this.#select(detail)} @canvas=${() => { this.asList = false; }}></rta-node-list>
      <rta-inspector class="panel" .model=${this.model} .actions=${this.actions} .selection=${this.selection}
        @select=${({detail}: CustomEvent<Selection>) => this.#select(detail)} @leave=${() => this.#select(NOTHING)}></rta-inspector>
      <rta-chooser></rta-chooser><rta-help></rta-help>`;
  }

  // --- Places --------------------------------------------------------------------------------------------------------

  /** Brings shapes, places and the selection up to date with the graph. */
  #arrange(): void {
    const {graph, source, types} = this.model;
    if (types.size === 0) return this.#shapes.clear();
    const document = `${source?.kind === 'daemon' ? source.name : ''} ${graph.title}`;
    if (this.#positions.open(document)) this.#fitted = false;
    for (const [name, node] of graph.nodes) {
      const values = JSON.stringify([node.type, node.settings, node.parameters, node.title]);
      if (this.#shapes.get(name)?.state !== values) this.#shapes.set(name, {state: values, shape: shapeOf(node, types)});
    }
    for (const name of this.#shapes.keys()) if (!graph.nodes.has(name)) this.#shapes.delete(name);
    if ([...graph.nodes.keys()].some((name) => !this.#positions.places.has(name))) {
      for (const [name, place] of placeMissing(this.#layoutGraph(), this.#positions.places)) this.#positions.set(name, place);
    }
    if (!this.#fitted && graph.nodes.size > 0 && this.#size.width > 0) {
      this.#fitted = true;
      this.#fit(LEAST_FIRST_SCALE);
    }
    this.#keepSelection();
  }

  #keepSelection(): void {
    const {nodes, connections} = this.model.graph;
    const {selection} = this;
    if (selection.kind === 'cable' && !connections.has(selection.key)) this.selection = NOTHING;
    else if (selection.kind === 'port' && !findPort(this.model.graph, this.model.types, selection.port.id, selection.port.direction)) this.selection = NOTHING;
    else if (selection.kind === 'nodes' && this.hasUpdated && [...selection.names].some((name) => !nodes.has(name) && name !== this.focused)) {
      this.selection = {kind: 'nodes', names: new Set([...selection.names].filter((name) => nodes.has(name)))};
    }
  }

  #layoutGraph(): LayoutGraph {
    const edges = [...this.model.graph.connections.values()].map(({from, to}) => [nodeOf(from), nodeOf(to)] as const);
    return {sizes: new Map([...this.#shapes].map(([name, {shape}]) => [name, shape])), edges};
  }

  #layOut(): void {
    this.#positions.replace(layoutAll(this.#layoutGraph()));
    this.#fit();
  }

  #fit(least?: number): void {
    const bounds = boundsOf(this.#boxes().values());
    if (bounds) this.viewport.fit(bounds, this.#room(), least);
    this.requestUpdate();
  }

  /** The part of the canvas that the tools and, on a phone, the inspector do not cover. */
  #room(): {width: number; height: number} {
    const {width, height} = this.#size;
    const isOpen = this.selection.kind !== 'nodes' || this.selection.names.size > 0;
    return {width, height: Math.max(NARROW.matches && isOpen ? height * 0.38 : height - 56, 60)};
  }

  #resized(): void {
    this.#size = {width: this.canvas?.clientWidth ?? 0, height: this.canvas?.clientHeight ?? 0};
    this.requestUpdate();
  }

  #boxes(): Map<string, Box> {
    const boxes = new Map<string, Box>();
    for (const [name, {shape: {width, height}}] of this.#shapes) {
      const place = this.#positions.places.get(name);
      if (place) boxes.set(name, {...place, width, height});
    }
    return boxes;
  }

  #visibleNodes(): string[] {
    const visible = this.viewport.visible(this.#size);
    return [...this.#boxes()].filter(([name, box]) => overlap(box, visible, MARGIN) || name === this.focused).map(([name]) => name);
  }

  #isVisible(a: Point, b: Point): boolean {
    const box = {x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y)};
    return overlap(box, this.viewport.visible(this.#size), MARGIN);
  }

  #portPoint(id: string, direction: Port['direction']): Point | undefined {
    const shape = this.#shapes.get(nodeOf(id))?.shape;
    const place = this.#positions.places.get(nodeOf(id));
    const port = shape?.[direction].find((other) => other.id === id);
    if (!shape || !place || !port) return undefined;
    const {x, y} = portPlace(shape, port);
    return {x: place.x + x, y: place.y + y};
  }

  #targets(port: Port): ReadonlySet<string> {
    return new Set(targetsOf(this.model.graph, this.model.types, port).map(({id}) => id));
  }

  #portNear(port: Port, to: Point): Port | null {
    let found: Port | null = null;
    let least = NEAR.port / this.viewport.scale;
    for (const target of targetsOf(this.model.graph, this.model.types, port)) {
      const point = this.#portPoint(target.id, target.direction);
      const distance = point ? Math.hypot(point.x - to.x, point.y - to.y) : Infinity;
      if (distance < least) [found, least] = [target, distance];
    }
    return found;
  }

  /** Returns the connection that a card lies on, if the node can be inserted there: it has no connections yet. */
  #cableUnder(name: string): string {
    const {connections} = this.model.graph;
    const box = this.#boxes().get(name);
    const shape = this.#shapes.get(name)?.shape;
    if (!box || !shape || shape.inputs.length === 0 || shape.outputs.length === 0) return '';
    if (reachable(this.model.graph, name).size > 1 || reachable(this.model.graph, name, true).size > 1) return '';
    const centre = {x: box.x + box.width / 2, y: box.y + box.height / 2};
    for (const element of this.canvas.querySelectorAll<SVGPathElement>('.cable .line')) {
      const key = element.parentElement?.dataset['key'] ?? '';
      const length = element.getTotalLength();
      for (let at = 0; at <= 1 && connections.has(key); at += 0.05) {
        const point = element.getPointAtLength(length * at);
        if (Math.hypot(point.x - centre.x, point.y - centre.y) < NEAR.cable) return key;
      }
    }
    return '';
  }

  // --- Signals -------------------------------------------------------------------------------------------------------

  #portsToWatch(): string[] {
    const sources = new Set([...this.model.graph.connections.values()].map(({from}) => from));
    return this.#visibleNodes().flatMap((name) => {
      const outputs = this.#shapes.get(name)?.shape.outputs ?? [];
      return outputs.filter(({id}, i) => i === 0 || sources.has(id)).map(({id}) => id);
    });
  }

  #cards(): NodeListOf<Card> { return this.canvas.querySelectorAll('rta-card'); }
  #card(name: string): Card | null { return this.canvas?.querySelector<Card>(`rta-card[data-name="${name}"]`) ?? null; }
  #cablesOf(port: string): Iterable<SVGElement> { return this.canvas?.querySelectorAll<SVGElement>(`.cable[data-from="${port}"] .signal`) ?? []; }

  // --- Pointer and keyboard ------------------------------------------------------------------------------------------

  readonly #onPress = (event: PointerEvent): void => {
    const path = event.composedPath();
    if (path.some((element) => element instanceof HTMLElement && element.matches('.panel, .empty button, rta-value, input'))) return;
    const card = path.find((element): element is Card => element instanceof HTMLElement && element.localName === 'rta-card');
    if (card && path.some((element) => element instanceof HTMLButtonElement)) return;  // ports report their presses themselves
    this.#gestures?.press(event, card ? {kind: 'card', name: card.node.name} : {kind: 'canvas'});
  };

  readonly #onPortPress = ({detail: {port, event}}: CustomEvent<{port: Port; event: PointerEvent}>): void => {
    this.#gestures?.press(event, {kind: 'port', port});
  };

  readonly #onPortChoose = ({detail: {port}}: CustomEvent<{port: Port}>): void => this.#select({kind: 'port', port});

  readonly #onDoubleClick = (event: MouseEvent): void => {
    if (event.target !== this.canvas || !this.model.canEdit) return;
    const {left, top} = this.canvas.getBoundingClientRect();
    void this.actions.add({at: this.viewport.toPatch({x: event.clientX - left, y: event.clientY - top})});
  };

  readonly #onFocus = (event: FocusEvent): void => {
    const card = event.composedPath().find((element): element is Card => element instanceof HTMLElement && element.localName === 'rta-card');
    if (card) this.focused = card.node.name;
  };

  /** The canvas does not scroll: a browser does that to show what has the focus. */
  readonly #onScroll = (): void => { this.canvas.scrollTo(0, 0); };

  readonly #onHover = (event: PointerEvent): void => {
    if (event.pointerType === 'touch') return;
    const card = event.composedPath().find((element): element is Card => element instanceof HTMLElement && element.localName === 'rta-card');
    this.hovered = card?.node?.name ?? '';
  };

  readonly #onRenamed = (event: Event): void => {
    const {from, to} = (event as ModelEvents['renamed']).detail;
    this.#positions.rename(from, to);
    if (this.focused === from) this.focused = to;
    if (this.selection.kind === 'nodes' && this.selection.names.has(from)) {
      this.selection = {kind: 'nodes', names: new Set([...this.selection.names].map((name) => name === from ? to : name))};
    }
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    const [inner] = event.composedPath();
    const command = commandOf(event, inner);
    if (command === undefined) return;
    event.preventDefault();
    this.#run(command);
  };

  #run(command: NonNullable<ReturnType<typeof commandOf>>): void {
    const {actions} = this;
    const names = this.#chosenNames();
    const [name] = names;
    switch (command.name) {
      case 'focus': return this.#moveFocus(command.x, command.y);
      case 'move': return this.#moveNodes(command.x * STEP, command.y * STEP);
      case 'pan': this.viewport.pan(-command.x * 64, -command.y * 64); return this.requestUpdate();
      case 'add': return this.#add();
      case 'remove': return this.#remove(command.bridge);
      case 'bypass': return actions.bypass(names);
      case 'duplicate': void actions.duplicate(names); return;
      case 'rename': if (name !== undefined) this.#inspect(name, 'name'); return;
      case 'inspect': return this.#inspect(name, 'first');
      case 'connect': return this.#connectChosen(name);
      case 'next cable': return this.#nextCable(name);
      case 'toggle': if (name !== undefined) this.#select({kind: 'nodes', names: this.#toggled(this.focused || name)}); return;
      case 'select all': return this.#select({kind: 'nodes', names: new Set(this.model.graph.nodes.keys())});
      case 'zoom': return this.#zoom(command.factor);
      case 'fit': return this.#fit();
      case 'lay out': return this.#layOut();
      case 'list': this.asList = true; return;
      case 'help': return this.help.show();
      case 'escape': if (!this.#gestures?.abort()) this.#escape(); return;
    }
  }

  #chosenNames(): string[] {
    if (this.selection.kind === 'nodes' && this.selection.names.size > 0) return [...this.selection.names];
    return this.selection.kind === 'nodes' && this.model.graph.nodes.has(this.focused) ? [this.focused] : [];
  }

  #select(selection: Selection): void { this.selection = selection; }

  #toggled(name: string): Set<string> {
    const names = new Set(this.selection.kind === 'nodes' ? this.selection.names : []);
    if (!names.delete(name)) names.add(name);
    return names;
  }

  /** Tab leads to the card that had the focus last, or else to the first one. */
  #isStop(name: string): boolean {
    const {nodes} = this.model.graph;
    return name === (nodes.has(this.focused) ? this.focused : nodes.keys().next().value);
  }

  #moveFocus(x: number, y: number): void {
    const next = nearest(this.#boxes(), this.focused, x, y);
    if (next !== undefined) this.focusNode(next);
  }

  #moveNodes(dx: number, dy: number): void {
    for (const name of this.#chosenNames()) {
      const place = this.#positions.places.get(name);
      if (place) this.#positions.set(name, {x: place.x + dx, y: place.y + dy});
    }
    this.requestUpdate();
  }

  #zoom(factor: number): void {
    const {viewport} = this;
    const centre = {x: this.#size.width / 2, y: this.#size.height / 2};
    viewport.zoom(factor === 0 ? 1 / viewport.scale : ZOOM_STEP ** factor, centre);
    this.requestUpdate();
  }

  #add(): void {
    const {selection} = this;
    if (selection.kind === 'cable') void this.actions.add({cable: selection.key});
    else if (selection.kind === 'port') void this.actions.add({port: selection.port});
    else void this.actions.add({at: this.model.graph.nodes.size === 0 ? this.viewport.toPatch({x: 80, y: 80}) : null});
  }

  #remove(bridge: boolean): void {
    if (this.selection.kind === 'cable') void this.actions.disconnect(this.selection.key);
    else void this.actions.remove(this.#chosenNames(), bridge);
  }

  #connectChosen(name: string | undefined): void {
    if (this.selection.kind === 'port') void this.actions.connectPort(this.selection.port);
    else if (name !== undefined) void this.actions.connectNode(name);
  }

  #inspect(name: string | undefined, field: 'first' | 'name'): void {
    if (this.selection.kind === 'nodes' && name !== undefined && !this.selection.names.has(name)) this.#select({kind: 'nodes', names: new Set([name])});
    if (this.selection.kind === 'nodes' && this.selection.names.size === 0 && name !== undefined) this.#select({kind: 'nodes', names: new Set([name])});
    void this.updateComplete.then(() => this.inspector.focusField(field));
  }

  #escape(): void {
    this.#select(NOTHING);
    this.#card(this.focused)?.focus({preventScroll: true});
  }

  #leaveInspector(): void {
    const name = this.#chosenNames()[0] ?? (this.selection.kind === 'port' ? this.selection.port.node : this.focused);
    if (NARROW.matches) this.#select(NOTHING);
    this.#card(name)?.focus({preventScroll: true});
  }

  /** Selects the next connection of a node, or of the selected connection's source. */
  #nextCable(name: string | undefined): void {
    const current = this.selection.kind === 'cable' ? this.selection.key : '';
    const node = name ?? this.focused;
    const keys = [...this.model.graph.connections].filter(([, {from, to}]) => nodeOf(from) === node || nodeOf(to) === node).map(([key]) => key);
    const key = keys[(keys.indexOf(current) + 1) % Math.max(keys.length, 1)];
    if (key === undefined) return;
    this.#select({kind: 'cable', key});
    void this.updateComplete.then(() => this.canvas.querySelector<SVGElement>(`.cable[data-key="${key}"]`)?.focus({preventScroll: true}));
  }

  #keyAt(event: PointerEvent): string | undefined {
    const found = (this.renderRoot as ShadowRoot).elementsFromPoint(event.clientX, event.clientY).find((element) => element.matches('.cable .hit'));
    return found?.parentElement?.dataset['key'];
  }
}

