// SPDX-License-Identifier: MIT

/**
 * Shows a dialog as a modal one. Dispatches 'rta-modal', so that the page shows its notices in the dialog: what is outside is
 * dimmed and cannot be operated.
 */
export function showModal(dialog: HTMLDialogElement): void {
  if (dialog.open) return;
  dialog.showModal();
  dialog.dispatchEvent(new Event('rta-modal', {bubbles: true, composed: true}));
}
