import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readSelfTimes } from "../support/cpu-profile.ts";
import { runClosedLoop } from "../support/load.ts";
import { refuseFailures } from "../support/measure.ts";
import type { Part } from "./part.ts";

const CALLS = 60_000;
const CONNECTIONS = 64;
const TOP = 10;

/** Where the gateway's time goes at full load: the functions with most of it to themselves. */
export const profile: Part = async (lab, { write }) => {
  const gateway = await lab.startGateway({
    nodeArgs: ["--cpu-prof", `--cpu-prof-dir=${lab.directory}`],
  });
  const { url, next } = gateway;
  refuseFailures(
    gateway,
    await runClosedLoop({ url, next, connections: CONNECTIONS, calls: CALLS }),
  );
  // The profile is written at the end.
  await gateway.stop();
  const files = (await readdir(lab.directory)).filter((name) => name.endsWith(".cpuprofile"));
  for (const file of files) {
    const functions = await readSelfTimes(join(lab.directory, file));
    write(`profile: ${CALLS} sends, share of the busy time\n`);
    for (const { share, name, place } of functions.slice(0, TOP)) {
      write(`${(share * 100).toFixed(1).padStart(6)} %  ${name.padEnd(34)}${place}`);
    }
  }
};
