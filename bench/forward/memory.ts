import { runClosedLoop } from "../support/load.ts";
import { refuseFailures } from "../support/measure.ts";
import { writeFigure } from "../support/table.ts";
import { type Part, stopAll } from "./part.ts";

const STEPS = 10;
const CONNECTIONS = 64;

/** Whether anything stays behind of a call. */
export const memory: Part = async (lab, { write, calls }) => {
  write(`memory: ${calls} sends over ${CONNECTIONS} connections, resident MiB\n`);
  const gateway = await lab.startGateway();
  const { url, next } = gateway;
  const residentMiB: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    const slice = await runClosedLoop({
      url,
      next,
      connections: CONNECTIONS,
      calls: Math.ceil(calls / STEPS),
    });
    refuseFailures(gateway, slice);
    const mib = gateway.residentMiB();
    residentMiB.push(mib);
    write(
      `  ${String(Math.ceil((calls * step) / STEPS)).padStart(9)}${mib.toFixed(0).padStart(8)}`,
    );
  }
  // The first half fills caches and finds the heap's size.
  const settled = residentMiB.slice(STEPS / 2);
  const value = (settled.at(-1) ?? 0) / (settled[0] ?? 0);
  writeFigure(write, "the end to the middle", { value, atMost: 1.1 });
  await stopAll([gateway]);
};
