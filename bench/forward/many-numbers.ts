import { runOpenLoop } from "../support/load.ts";
import { measureInTurn, ratio } from "../support/measure.ts";
import { writeFigure, writeTable } from "../support/table.ts";
import { type Part, stopAll } from "./part.ts";

const ROUNDS = 7;
const CALLS = 10_000;
const CONNECTIONS = 64;
/** Ten numbers may send no more than a thousand a second each. */
const PER_SECOND = 5000;

/** Whether the cost of a call grows with those who might have called. */
export const manyNumbers: Part = async (lab, { write }) => {
  write(`many numbers: ${ROUNDS} rounds of ${CALLS} sends at ${PER_SECOND} a second\n`);
  const contenders = [
    await lab.startGateway({ name: "10 in 1 tenant", tenants: 1, numbers: 10 }),
    await lab.startGateway({ name: "10,000 in 1,000", tenants: 1000, numbers: 10_000 }),
  ];
  const figures = await measureInTurn(contenders, {
    rounds: ROUNDS,
    load: ({ url, next }) =>
      runOpenLoop({ url, next, connections: CONNECTIONS, calls: CALLS, perSecond: PER_SECOND }),
  });
  writeTable(write, figures);
  const [few, many] = figures;
  write("");
  const value = ratio(many, few, "cpuUs");
  writeFigure(write, "CPU, 10,000 numbers to 10", { value, atMost: 1.2 });
  await stopAll(contenders);
};
