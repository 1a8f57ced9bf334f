import { runClosedLoop } from "../support/load.ts";
import { added, measureInTurn, ratio } from "../support/measure.ts";
import { writeFigure, writeTable } from "../support/table.ts";
import { type Part, stopAll } from "./part.ts";

const ROUNDS = 5;
const CALLS = 8000;
const CONNECTIONS = 256;
const DELAY_MS = 50;

/** What is added to an upstream that takes its time, when many calls wait for it at once. */
export const slowUpstream: Part = async (lab, { write }) => {
  write(
    `slow upstream: ${DELAY_MS} ms, ${ROUNDS} rounds of ${CALLS} sends over ${CONNECTIONS} connections\n`,
  );
  await lab.setUpstreamDelay(DELAY_MS);
  const contenders = [await lab.startBareRelay(), await lab.startGateway()];
  const figures = await measureInTurn(contenders, {
    rounds: ROUNDS,
    load: ({ url, next }) => runClosedLoop({ url, next, connections: CONNECTIONS, calls: CALLS }),
  });
  writeTable(write, figures);
  const [bare, gateway] = figures;
  write("");
  const value = added(gateway, bare, "p50Ms");
  writeFigure(write, "p50 added to a bare relay", { value, atMost: 5, unit: " ms" });
  writeFigure(write, "CPU, gateway to bare relay", { value: ratio(gateway, bare, "cpuUs") });
  await lab.setUpstreamDelay(0);
  await stopAll(contenders);
};
