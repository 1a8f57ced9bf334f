import type { Contender } from "./contender.ts";
import type { Slice } from "./load.ts";
import { median, percentile } from "./statistics.ts";

/** One contender's slices, in the order of the rounds. */
export type Figures = {
  name: string;
  cpuUs: number[];
  perSecond: number[];
  p50Ms: number[];
  p99Ms: number[];
};

/**
 * Slices in turn, because machines drift, and every other round in reverse. Each slice is run twice
 * and the second counts, because a process that has rested while others ran is not what it is under
 * load: caches are cold, and V8 has given memory back. The bare relay's own code inside a gateway cost
 * 1.06 of the bare relay in one long run, and half as much again in short slices between rests. The
 * first round only lets the code be compiled.
 */
export async function measureInTurn(
  contenders: readonly Contender[],
  options: { rounds: number; load: (contender: Contender) => Promise<Slice> },
): Promise<Figures[]> {
  const figures = contenders.map(({ name }): Figures => ({
    name,
    cpuUs: [],
    perSecond: [],
    p50Ms: [],
    p99Ms: [],
  }));
  for (let round = 0; round <= options.rounds; round++) {
    const turns = contenders.map((contender, index) => ({ contender, figures: figures[index] }));
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
      refuseFailures(turn.contender, await options.load(turn.contender));
      const before = turn.contender.cpuMs();
      const slice = await options.load(turn.contender);
      refuseFailures(turn.contender, slice);
      if (round > 0) {
        turn.figures?.cpuUs.push(((turn.contender.cpuMs() - before) * 1000) / slice.calls);
        turn.figures?.perSecond.push(slice.calls / slice.seconds);
        turn.figures?.p50Ms.push(percentile(slice.latenciesMs, 0.5));
        turn.figures?.p99Ms.push(percentile(slice.latenciesMs, 0.99));
      }
    }
  }
  return figures;
}

/** A call that is refused costs less than one that is forwarded. */
export function refuseFailures({ name }: Contender, { calls, statuses }: Slice): void {
  if (statuses.get(200) !== calls) {
    const counts = [...statuses].map(([status, count]) => `${status} ${count} times`);
    throw new Error(`${name} answered ${counts.join(", ")}`);
  }
}

/** The median over the rounds of what one costs for each unit that another costs. */
export function ratio(
  above: Figures | undefined,
  below: Figures | undefined,
  figure: "cpuUs" | "perSecond",
): number {
  return median(
    (above?.[figure] ?? []).map((value, round) => value / (below?.[figure][round] ?? 0)),
  );
}

/** The median over the rounds of how much more one has than another. */
export function added(
  above: Figures | undefined,
  below: Figures | undefined,
  figure: "p50Ms" | "p99Ms",
): number {
  return median(
    (above?.[figure] ?? []).map((value, round) => value - (below?.[figure][round] ?? 0)),
  );
}
