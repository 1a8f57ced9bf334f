/** Saves once for many changes in a row: on the next turn, or when told to. */
export class Saver {
  readonly #save: () => void;
  #scheduled: NodeJS.Immediate | undefined;

  constructor(save: () => void) {
    this.#save = save;
  }

  /** Notes a change. */
  readonly changed = (): void => {
    this.#scheduled ??= setImmediate(() => this.flush());
  };

  /** Saves now if there is something to save. */
  flush(): void {
    if (this.#scheduled !== undefined) {
      clearImmediate(this.#scheduled);
      this.#scheduled = undefined;
      this.#save();
    }
  }
}
