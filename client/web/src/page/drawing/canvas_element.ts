// SPDX-License-Identifier: MIT
// The base of the elements that draw on a canvas: sharp at every pixel density, drawn once in an animation frame and only
// if something has changed and the element can be seen.
import {type Palette, currentPalette, onThemeChange} from './theme.js';

/** Elements to be drawn in the next animation frame. */
const waiting = new Set<CanvasElement>();
let requested = false;

function drawAll(time: number): void {
  requested = false;
  const elements = [...waiting];
  waiting.clear();
  for (const element of elements) element.render(time);
}

/** Observers are shared, so that a page with hundreds of elements has one of each. */
let sizes: ResizeObserver | undefined;
let views: IntersectionObserver | undefined;

function observe(element: CanvasElement): void {
  sizes ??= new ResizeObserver((entries) => {
    for (const {target, contentRect} of entries) (target as CanvasElement).resized(contentRect.width, contentRect.height);
  });
  views ??= new IntersectionObserver((entries) => {
    for (const {target, isIntersecting} of entries) (target as CanvasElement).shown(isIntersecting);
  }, {rootMargin: '64px'});
  sizes.observe(element);
  views.observe(element);
}

/** Returns a style sheet. */
export function sheetOf(text: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

const BASE = sheetOf(`
  :host { display: block; position: relative; min-width: 0; min-height: 0; contain: strict; }
  :host([hidden]) { display: none; }
  canvas { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }`);

/** An element that draws itself on a canvas as large as itself. */
export abstract class CanvasElement extends HTMLElement {
  protected readonly canvas = document.createElement('canvas');
  protected readonly root = this.attachShadow({mode: 'open'});
  readonly #context = contextOf(this.canvas);
  /** Below the canvas, for what does not move; created for elements with drawBackground(). */
  #background: CanvasRenderingContext2D | null = null;
  #backgroundDirty = true;
  #width = 0;
  #height = 0;
  #visible = false;
  #dirty = true;
  #stopTheme = (): void => {};
  #later: ReturnType<typeof setTimeout> | undefined;

  /** `styles`: style sheets of the element. The Content-Security-Policy refuses <style> elements. */
  constructor(...styles: CSSStyleSheet[]) {
    super();
    this.root.adoptedStyleSheets = [BASE, ...styles];
    this.canvas.setAttribute('aria-hidden', 'true');
    this.root.append(this.canvas);
  }

  connectedCallback(): void {
    observe(this);
    this.#stopTheme = onThemeChange(() => this.invalidateBackground());
    this.invalidateBackground();
  }

  disconnectedCallback(): void {
    sizes?.unobserve(this);
    views?.unobserve(this);
    waiting.delete(this);
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#visible = false;
    this.#stopTheme();
  }

  /** Draws the element in the next animation frame, as soon as it can be seen. */
  invalidate(): void {
    this.#dirty = true;
    if (!this.#visible || this.#width === 0) return;
    waiting.add(this);
    if (requested) return;
    requested = true;
    requestAnimationFrame(drawAll);
  }

  /** Draws the background again, too. */
  invalidateBackground(): void {
    this.#backgroundDirty = true;
    this.invalidate();
  }

  /** Draws the element again after a time, unless it is already going to. */
  protected drawLater(ms: number): void {
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.invalidate();
    }, ms);
  }

  /** Width and height in CSS pixels. */
  protected get size(): {width: number; height: number} { return {width: this.#width, height: this.#height}; }

  /** Draws everything. Returns whether the picture moves, and is to be drawn again in the next animation frame. */
  protected abstract draw(context: CanvasRenderingContext2D, palette: Palette, time: number): boolean | void;

  /** Draws what is below the rest and seldom changes, such as a grid. */
  protected drawBackground?(context: CanvasRenderingContext2D, palette: Palette): void;

  /** Is called before a drawing when the size has changed. */
  protected layout(): void {}

  /** For the shared observers. */
  resized(width: number, height: number): void {
    if (width === this.#width && height === this.#height) return;
    this.#width = width;
    this.#height = height;
    if (width > 0 && height > 0) this.layout();
    this.invalidateBackground();
  }

  /** For the shared observers. */
  shown(visible: boolean): void {
    this.#visible = visible;
    if (visible && this.#dirty) this.invalidate();
  }

  /** For the shared animation frame. */
  render(time: number): void {
    const context = this.#context;
    if (!context || !this.#dirty || this.#width === 0 || this.#height === 0) return;
    this.#dirty = false;
    if (this.drawBackground && this.#backgroundDirty) {
      this.#background ??= this.#newBackground();
      if (this.#background && this.#prepare(this.#background)) this.drawBackground(this.#background, currentPalette());
      this.#backgroundDirty = false;
    }
    this.#prepare(context);
    if (this.draw(context, currentPalette(), time) === true) this.invalidate();
  }

  /** Clears a canvas, in the size of the element. */
  #prepare(context: CanvasRenderingContext2D): boolean {
    const {canvas} = context;
    const density = globalThis.devicePixelRatio || 1;
    const [width, height] = [Math.round(this.#width * density), Math.round(this.#height * density)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.setTransform(width / this.#width, 0, 0, height / this.#height, 0, 0);
    context.clearRect(0, 0, this.#width, this.#height);
    return true;
  }

  #newBackground(): CanvasRenderingContext2D | null {
    const canvas = document.createElement('canvas');
    canvas.setAttribute('aria-hidden', 'true');
    this.canvas.before(canvas);
    return contextOf(canvas);
  }
}

/**
 * Returns the context of a canvas in the memory of the CPU: for many small canvases that change all the time, a page with
 * 16 meters takes half the time.
 */
function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  return canvas.getContext('2d', {willReadFrequently: true});
}

/** Defines a custom element, unless the page has it already. */
export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}
