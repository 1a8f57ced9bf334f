import { runClosedLoop } from "../support/load.ts";
import { measureInTurn, ratio } from "../support/measure.ts";
import { CORES, LOAD_CORE, pinLoad } from "../support/pin.ts";
import { writeFigure, writeTable } from "../support/table.ts";
import { type Part, stopAll } from "./part.ts";

const ROUNDS = 7;
const CALLS = 8000;
const CONNECTIONS = 64;

/** What it costs to share a port. Nothing is pinned: the second process is to have its core. */
export const processes: Part = async (lab, { write }) => {
  write(
    `processes: ${ROUNDS} rounds of ${CALLS} sends over ${CONNECTIONS} connections, ` +
      `${CORES} cores shared with load and upstream\n`,
  );
  pinLoad(undefined);
  const contenders = [
    await lab.startGateway({ name: "one process", unpinned: true }),
    await lab.startGateway({
      name: "two processes",
      unpinned: true,
      env: { HTTP_PROCESSES: "2" },
    }),
  ];
  const figures = await measureInTurn(contenders, {
    rounds: ROUNDS,
    load: ({ url, next }) => runClosedLoop({ url, next, connections: CONNECTIONS, calls: CALLS }),
  });
  writeTable(write, figures);
  const [one, two] = figures;
  write("");
  const value = ratio(two, one, "cpuUs");
  writeFigure(write, "CPU, two processes to one", { value, atMost: 1.15 });
  pinLoad(LOAD_CORE);
  await stopAll(contenders);
};
