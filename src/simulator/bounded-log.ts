/** A list that forgets its oldest entries, so that a simulator may run for days. */
export class BoundedLog<Entry> {
  readonly #entries: Entry[] = [];
  readonly #entriesMax: number;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** The list, oldest first; always the same array, which grows and shrinks. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    // Cut in slices: removing the first of many for each entry would move them all each time.
    if (this.#entries.length > this.#entriesMax * 1.1) {
      this.#entries.splice(0, this.#entries.length - this.#entriesMax);
    }
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
