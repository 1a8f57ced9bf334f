type Lane = { running: number; waiting: (() => void)[] };

/** Lets only so many tasks of one name run at once; names do not wait for each other. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #width: number;

  constructor(width: number) {
    this.#width = width;
  }

  async run<Result>(name: string, task: () => Promise<Result>): Promise<Result> {
    const lane = this.#lanes.get(name) ?? { running: 0, waiting: [] };
    this.#lanes.set(name, lane);
    if (lane.running >= this.#width) {
      await new Promise<void>((resolve) => {
        lane.waiting.push(resolve);
      });
    } else {
      lane.running += 1;
    }
    try {
      return await task();
    } finally {
      // The place goes straight to the next in line, so nobody can slip in between.
      const next = lane.waiting.shift();
      if (next === undefined) {
        lane.running -= 1;
      } else {
        next();
      }
    }
  }
}
