// SPDX-License-Identifier: MIT

/** How long a value that the user has set is shown before the owner's value is shown again. */
const PATIENCE_MS = 600;

/**
 * The value of a control that its owner sets and its user changes. While the user moves the control, and until the owner's
 * value has followed, the user's value is shown: echoes of earlier changes do not move the control back.
 */
export class HeldValue<T> {
  #owner: T;
  #user: {value: T} | undefined;
  #moving = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #changed: () => void;

  /** `changed` is called when another value is shown without a call of the control. */
  constructor(value: T, changed: () => void) {
    this.#owner = value;
    this.#changed = changed;
  }

  /** The value to show. */
  get shown(): T { return this.#user ? this.#user.value : this.#owner; }

  /** The owner has set a value. */
  set owner(value: T) {
    this.#owner = value;
    if (!this.#moving && this.#user?.value === value) this.#release();
  }
  get owner(): T { return this.#owner; }

  /** The user has changed the value; `moving`: and may go on without a pause. */
  change(value: T, moving: boolean): void {
    this.#user = {value};
    this.#moving = moving;
    clearTimeout(this.#timer);
    if (!moving) this.#timer = setTimeout(() => this.#release(), PATIENCE_MS);
  }

  /** The user has stopped without a further change. */
  settle(): void {
    if (this.#user) this.change(this.#user.value, false);
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#moving = false;
    this.#user = undefined;
    this.#changed();
  }
}
