// SPDX-License-Identifier: MIT

/**
 * Closes a modal dialog when a click begins and ends outside of it: html`<dialog @pointerdown=${outside} @click=${outside}>`.
 * The attribute closedby would also close a dialog that a long press has opened, at the end of that press.
 */
export class OutsideClick {
  #pressed = false;

  handleEvent(event: MouseEvent): void {
    const dialog = event.currentTarget as HTMLDialogElement;
    const isOutside = event.target === dialog && !contains(dialog.getBoundingClientRect(), event);
    if (event.type === 'pointerdown') this.#pressed = isOutside;
    else if (this.#pressed && isOutside) dialog.close();
  }
}

function contains({left, right, top, bottom}: DOMRect, {clientX, clientY}: MouseEvent): boolean {
  return clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
}
