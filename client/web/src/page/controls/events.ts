// SPDX-License-Identifier: MIT

/** Dispatches the 'input' (while a value moves) or 'change' (when it rests) of a control. `detail` is the value. */
export function report<T>(element: EventTarget, kind: 'input' | 'change', detail: T): void {
  element.dispatchEvent(new CustomEvent<T>(kind, {detail, bubbles: true, composed: true}));
}

/** Keeps the event of an inner element inside: it has no detail. */
export function keep(event: Event): void { event.stopPropagation(); }

/** Detects two taps or clicks in quick succession at one place. */
export class DoubleTap {
  #last = {time: -Infinity, x: 0, y: 0};

  /** Returns whether this press and the one before are a double tap. */
  press({timeStamp, clientX, clientY}: PointerEvent): boolean {
    const {time, x, y} = this.#last;
    const isDouble = timeStamp - time < 400 && Math.hypot(clientX - x, clientY - y) < 24;
    this.#last = {time: isDouble ? -Infinity : timeStamp, x: clientX, y: clientY};
    return isDouble;
  }

  /** The press has become a movement. */
  forget(): void { this.#last.time = -Infinity; }
}
