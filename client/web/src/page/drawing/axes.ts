// SPDX-License-Identifier: MIT
// The axes of plots: a logarithmic one for frequencies, and one for levels.
import type {Palette} from './theme.js';

/** The part of a canvas in which curves are drawn, in CSS pixels, and what its edges stand for. */
export interface Frame {
  left: number;
  top: number;
  right: number;
  bottom: number;
  lowHz: number;
  highHz: number;
  lowDb: number;
  highDb: number;
}

const DECADES = [10, 100, 1000, 10_000];
const LABELLED_HZ: Readonly<Record<number, string>> = {
  20: '20', 50: '50', 100: '100', 200: '200', 500: '500', 1000: '1k', 2000: '2k', 5000: '5k', 10_000: '10k', 20_000: '20k'};
/** Those that remain in a narrow plot. */
const NARROW_HZ = [100, 1000, 10_000];

export function xOfHz(frame: Frame, hz: number): number {
  return frame.left + (frame.right - frame.left) * Math.log(hz / frame.lowHz) / Math.log(frame.highHz / frame.lowHz);
}

export function hzOfX(frame: Frame, x: number): number {
  return frame.lowHz * (frame.highHz / frame.lowHz) ** ((x - frame.left) / (frame.right - frame.left));
}

export function yOfDb(frame: Frame, db: number): number {
  return frame.top + (frame.bottom - frame.top) * (frame.highDb - db) / (frame.highDb - frame.lowDb);
}

export function dbOfY(frame: Frame, y: number): number {
  return frame.highDb - (frame.highDb - frame.lowDb) * (y - frame.top) / (frame.bottom - frame.top);
}

/** Returns the distance of the lines of levels, so that they are at least `leastPixels` apart. */
export function stepOfDb(frame: Frame, leastPixels: number): number {
  const perDb = (frame.bottom - frame.top) / (frame.highDb - frame.lowDb);
  return [1, 3, 6, 12, 20, 30, 60].find((step) => step * perDb >= leastPixels) ?? 60;
}

/** Returns the lines of levels in a frame, from the lowest. */
export function linesOfDb(frame: Frame, step: number): number[] {
  const lines = [];
  for (let db = Math.ceil(frame.lowDb / step) * step; db <= frame.highDb + 1e-6; db += step) lines.push(db);
  return lines;
}

/** Draws the grid of a frame, with labels below and on the left if the frame leaves room for them. */
export function drawGrid(context: CanvasRenderingContext2D, frame: Frame, palette: Palette): void {
  const labelled = frame.left >= 16;
  context.lineWidth = 1;
  context.strokeStyle = palette.line;
  context.fillStyle = palette.dim;
  context.font = `11px ${palette.font}`;
  drawFrequencies(context, frame, labelled);
  drawLevels(context, frame, palette, labelled);
}

function drawFrequencies(context: CanvasRenderingContext2D, frame: Frame, labelled: boolean): void {
  const narrow = frame.right - frame.left < 360;
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  for (const decade of DECADES) {
    for (let digit = 1; digit < 10; digit += 1) {
      const hz = digit * decade;
      if (hz < frame.lowHz * 0.999 || hz > frame.highHz * 1.001) continue;
      context.globalAlpha = digit === 1 ? 0.9 : 0.35;
      const x = Math.round(xOfHz(frame, hz)) + 0.5;
      line(context, x, frame.top, x, frame.bottom);
      const label = LABELLED_HZ[hz];
      if (!labelled || label === undefined || (narrow && !NARROW_HZ.includes(hz))) continue;
      context.globalAlpha = 1;
      const half = context.measureText(label).width / 2;
      context.fillText(label, Math.min(Math.max(x, frame.left + half), frame.right - half), frame.bottom + 14);
    }
  }
  context.globalAlpha = 1;
}

function drawLevels(context: CanvasRenderingContext2D, frame: Frame, palette: Palette, labelled: boolean): void {
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const db of linesOfDb(frame, stepOfDb(frame, 24))) {
    const y = Math.round(yOfDb(frame, db)) + 0.5;
    context.globalAlpha = db === 0 ? 1 : 0.5;
    context.strokeStyle = db === 0 ? palette.dim : palette.line;
    line(context, frame.left, y, frame.right, y);
    context.globalAlpha = 1;
    if (labelled) context.fillText(signed(db), frame.left - 6, Math.min(Math.max(y, frame.top + 5), frame.bottom - 4));
  }
}

function signed(db: number): string { return db > 0 ? `+${db}` : db < 0 ? `\u2212${-db}` : '0'; }

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
