// SPDX-License-Identifier: MIT
// The part of the patch that is visible: where it is, and how large.
import type {Box, Point, Size} from './geometry.js';

export const ZOOM = {least: 0.2, most: 2} as const;
const MARGIN = 32;

/** A point p of the patch is at p * scale + (x, y) on the screen. */
export class Viewport {
  x = MARGIN;
  y = MARGIN;
  scale = 1;

  toPatch({x, y}: Point): Point { return {x: (x - this.x) / this.scale, y: (y - this.y) / this.scale}; }

  pan(dx: number, dy: number): void {
    this.x += dx;
    this.y += dy;
  }

  /** Zooms so that what is at `centre` on the screen stays there. */
  zoom(factor: number, centre: Point): void {
    const scale = Math.min(Math.max(this.scale * factor, ZOOM.least), ZOOM.most);
    const ratio = scale / this.scale;
    this.x = centre.x - (centre.x - this.x) * ratio;
    this.y = centre.y - (centre.y - this.y) * ratio;
    this.scale = scale;
  }

  /** Shows the box as a whole, not larger than 100 %. If that is smaller than `least`, shows its left part. */
  fit(box: Box, size: Size, least: number = ZOOM.least): void {
    const room = {width: Math.max(size.width - 2 * MARGIN, 50), height: Math.max(size.height - 2 * MARGIN, 50)};
    this.scale = Math.min(Math.max(Math.min(room.width / box.width, room.height / box.height, 1), least), ZOOM.most);
    const [width, height] = [box.width * this.scale, box.height * this.scale];
    this.x = Math.max((size.width - width) / 2, MARGIN) - box.x * this.scale;
    this.y = Math.max((size.height - height) / 2, MARGIN) - box.y * this.scale;
  }

  /** Moves as little as possible so that a box is visible. */
  reveal(box: Box, size: Size): void {
    this.x = this.#shifted(this.x, box.x, box.width, size.width);
    this.y = this.#shifted(this.y, box.y, box.height, size.height);
  }

  /** Returns the visible part of the patch. */
  visible(size: Size): Box {
    return {...this.toPatch({x: 0, y: 0}), width: size.width / this.scale, height: size.height / this.scale};
  }

  #shifted(offset: number, start: number, length: number, room: number): number {
    const begin = start * this.scale + offset;
    const end = begin + length * this.scale;
    if (begin < 16 || end - begin > room - 32) return offset + 16 - begin;
    return end > room - 16 ? offset - (end - (room - 16)) : offset;
  }
}
