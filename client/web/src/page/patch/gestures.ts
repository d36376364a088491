// SPDX-License-Identifier: MIT
// What pointers do on the canvas: pan, pinch, move cards, draw a cable, draw a frame around cards.
import type {Box, Point} from './geometry.js';
import type {Port} from './ports.js';
import type {Viewport} from './viewport.js';

/** A pointer that moves less is a click. */
const SLOP = 4;

/** What a press starts: on a card, on a port, or on the canvas. */
export type Pressed = {kind: 'card'; name: string} | {kind: 'port'; port: Port} | {kind: 'canvas'};

export interface GestureTarget {
  readonly viewport: Viewport;
  /** Places of the cards that move together with this one. */
  grab(name: string): ReadonlyMap<string, Point>;
  move(places: ReadonlyMap<string, Point>): void;
  drop(names: readonly string[]): void;
  /** A cable is drawn from a port to a point of the patch. */
  draw(port: Port, to: Point): void;
  connect(port: Port, to: Point): void;
  /** A frame around cards; null: it is complete. */
  frame(box: Box | null): void;
  clicked(pressed: Pressed, event: PointerEvent): void;
  cancel(): void;
  /** The visible part has changed. */
  changed(): void;
}

interface Gesture {
  readonly pressed: Pressed;
  readonly start: Point;
  readonly extend: boolean;
  moved: boolean;
  places: ReadonlyMap<string, Point>;
}

export class Gestures {
  readonly #target: GestureTarget;
  readonly #element: HTMLElement;
  readonly #pointers = new Map<number, Point>();
  #gesture: Gesture | null = null;
  #pinched = false;

  constructor(element: HTMLElement, target: GestureTarget) {
    this.#element = element;
    this.#target = target;
    element.addEventListener('pointermove', (event) => this.#move(event));
    element.addEventListener('pointerup', (event) => this.#up(event));
    element.addEventListener('pointercancel', (event) => this.#cancel(event));
    element.addEventListener('wheel', (event) => this.#wheel(event), {passive: false});
  }

  /** Starts a gesture. */
  press(event: PointerEvent, pressed: Pressed): void {
    if (event.button > 1) return;
    // No mouse events follow a touch: the inspector may open below the finger.
    if (event.pointerType !== 'mouse') event.preventDefault();
    this.#pointers.set(event.pointerId, this.#placeOf(event));
    this.#element.setPointerCapture(event.pointerId);
    if (this.#pointers.size > 1) {
      if (this.#gesture?.moved) this.#target.cancel();
      this.#gesture = null;
      this.#pinched = true;
      return;
    }
    this.#pinched = false;
    const places = pressed.kind === 'card' ? this.#target.grab(pressed.name) : new Map<string, Point>();
    const extend = event.shiftKey && event.button === 0;
    this.#gesture = {pressed: event.button === 1 ? {kind: 'canvas'} : pressed, start: this.#placeOf(event), extend, moved: false, places};
  }

  /** Ends a gesture without an effect, for example by Escape. Returns whether there was one. */
  abort(): boolean {
    const had = this.#gesture?.moved ?? false;
    this.#gesture = null;
    if (had) this.#target.cancel();
    return had;
  }

  #move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#placeOf(event);
    if (this.#pointers.size === 2) return this.#pinch(event.pointerId, before, now);
    const gesture = this.#gesture;
    this.#pointers.set(event.pointerId, now);
    if (!gesture) return;
    if (!gesture.moved && Math.hypot(now.x - gesture.start.x, now.y - gesture.start.y) < SLOP) return;
    gesture.moved = true;
    this.#drag(gesture, before, now);
  }

  #drag({pressed, start, extend, places}: Gesture, before: Point, now: Point): void {
    const {viewport} = this.#target;
    if (pressed.kind === 'port') {
      this.#target.draw(pressed.port, viewport.toPatch(now));
    } else if (pressed.kind === 'card') {
      const [dx, dy] = [(now.x - start.x) / viewport.scale, (now.y - start.y) / viewport.scale];
      this.#target.move(new Map([...places].map(([name, {x, y}]) => [name, {x: x + dx, y: y + dy}])));
    } else if (extend) {
      const [a, b] = [viewport.toPatch(start), viewport.toPatch(now)];
      this.#target.frame({x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y)});
    } else {
      viewport.pan(now.x - before.x, now.y - before.y);
      this.#target.changed();
    }
  }

  #pinch(id: number, before: Point, now: Point): void {
    const [other] = [...this.#pointers].filter(([pointer]) => pointer !== id).map(([, place]) => place);
    this.#pointers.set(id, now);
    if (!other) return;
    const [distance, earlier] = [Math.hypot(now.x - other.x, now.y - other.y), Math.hypot(before.x - other.x, before.y - other.y)];
    const {viewport} = this.#target;
    viewport.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    viewport.zoom(distance / Math.max(earlier, 1), {x: (now.x + other.x) / 2, y: (now.y + other.y) / 2});
    this.#target.changed();
  }

  #up(event: PointerEvent): void {
    if (!this.#pointers.delete(event.pointerId)) return;
    const gesture = this.#gesture;
    this.#gesture = null;
    if (this.#pinched || !gesture) return;
    const {pressed, moved, places} = gesture;
    if (!moved) return this.#target.clicked(pressed, event);
    if (pressed.kind === 'port') this.#target.connect(pressed.port, this.#target.viewport.toPatch(this.#placeOf(event)));
    else if (pressed.kind === 'card') this.#target.drop([...places.keys()]);
    else if (gesture.extend) this.#target.frame(null);
  }

  #cancel(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    this.abort();
  }

  /** A wheel pans; with Ctrl, and for a pinch on a touchpad, it zooms. */
  #wheel(event: WheelEvent): void {
    if (event.composedPath().some((element) => element instanceof HTMLElement && element.matches('.panel, dialog'))) return;
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const {viewport} = this.#target;
    if (event.ctrlKey || event.metaKey) {
      viewport.zoom(Math.exp(-event.deltaY * unit * 0.004), this.#placeOf(event));
    } else if (event.shiftKey && event.deltaX === 0) {
      viewport.pan(-event.deltaY * unit, 0);
    } else {
      viewport.pan(-event.deltaX * unit, -event.deltaY * unit);
    }
    this.#target.changed();
  }

  #placeOf({clientX, clientY}: MouseEvent): Point {
    const {left, top} = this.#element.getBoundingClientRect();
    return {x: clientX - left, y: clientY - top};
  }
}
