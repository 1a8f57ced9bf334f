import { runClosedLoop, runOpenLoop } from "../support/load.ts";
import { added, measureInTurn, refuseFailures } from "../support/measure.ts";
import { writeFigure, writeTable } from "../support/table.ts";
import { type Part, stopAll } from "./part.ts";

const ROUNDS = 5;
const CALLS = 8000;
const CONNECTIONS = 64;
/** The first calls of a process are slow: its code is not compiled yet. */
const CAPACITY_SLICES = 3;

/** What a call waits for at half of what the gateway can do, on loopback. */
export const latency: Part = async (lab, { write }) => {
  const [bare, gateway] = [await lab.startBareRelay(), await lab.startGateway()];
  let capacity = 0;
  for (let slices = 0; slices < CAPACITY_SLICES; slices++) {
    for (const contender of [bare, gateway]) {
      const { url, next } = contender;
      const slice = await runClosedLoop({ url, next, connections: CONNECTIONS, calls: CALLS });
      refuseFailures(contender, slice);
      capacity = slice.calls / slice.seconds;
    }
  }
  const perSecond = Math.round(capacity / 2);
  write(
    `latency: ${ROUNDS} rounds of ${CALLS} sends at ${perSecond} a second, half of what the gateway can do\n`,
  );
  const figures = await measureInTurn([bare, gateway], {
    rounds: ROUNDS,
    load: ({ url, next }) =>
      runOpenLoop({ url, next, connections: 2 * CONNECTIONS, calls: CALLS, perSecond }),
  });
  writeTable(write, figures);
  write("");
  for (const [what, figure, atMost] of [
    ["p50", "p50Ms", 1],
    ["p99", "p99Ms", 5],
  ] as const) {
    const value = added(figures[1], figures[0], figure);
    writeFigure(write, `${what} added to a bare relay`, { value, atMost, unit: " ms" });
  }
  await stopAll([bare, gateway]);
};
