/** A list that forgets its oldest entries, so that a simulator may run for days. */
export class BoundedLog<Entry> {
  readonly #entries: Entry[] = [];
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #bytesOf: (entry: Entry) => number;
  #bytes = 0;

  constructor(input: { entriesMax: number; bytesMax: number; bytesOf: (entry: Entry) => number }) {
    this.#entriesMax = input.entriesMax;
    this.#bytesMax = input.bytesMax;
    this.#bytesOf = input.bytesOf;
  }

  /** The list, oldest first; always the same array, which grows and shrinks. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += this.#bytesOf(entry);
    // Cut in slices: removing the first of many for each entry would move them all each time.
    if (this.#entries.length > this.#entriesMax * 1.1 || this.#bytes > this.#bytesMax) {
      this.#cut();
    }
  }

  clear(): void {
    this.#entries.length = 0;
    this.#bytes = 0;
  }

  /** The newest stays, however large it is. */
  #cut(): void {
    const tooMany = this.#entries.length - this.#entriesMax;
    // A tenth more than needed, so that not every entry from here on has to cut.
    const bytesGoal = this.#bytes > this.#bytesMax ? this.#bytesMax * 0.9 : this.#bytesMax;
    let count = 0;
    for (const entry of this.#entries.slice(0, -1)) {
      if (count >= tooMany && this.#bytes <= bytesGoal) {
        break;
      }
      this.#bytes -= this.#bytesOf(entry);
      count += 1;
    }
    this.#entries.splice(0, count);
  }
}
