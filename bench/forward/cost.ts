import { randomBytes } from "node:crypto";
import { runClosedLoop } from "../support/load.ts";
import { measureInTurn, ratio } from "../support/measure.ts";
import { writeFigure, writeTable } from "../support/table.ts";
import { type Part, stopAll } from "./part.ts";

const ROUNDS = 7;
const CALLS = 8000;
// So many that the contender never waits for the core of load, upstream and PostgreSQL.
const CONNECTIONS = 256;

/** CPU and throughput at full load, against a bare relay and against the ready-made way. */
export const cost: Part = async (lab, { write }) => {
  write(`cost: ${ROUNDS} rounds of ${CALLS} sends over ${CONNECTIONS} connections\n`);
  const { redis } = lab;
  const contenders = [
    await lab.startBareRelay(),
    await lab.startFastify(),
    await lab.startGateway(),
    ...(redis === undefined
      ? []
      : [await lab.startGateway({ name: "gateway with Redis", env: redisSettings(redis.url) })]),
  ];
  const figures = await measureInTurn(contenders, {
    rounds: ROUNDS,
    load: ({ url, next }) => runClosedLoop({ url, next, connections: CONNECTIONS, calls: CALLS }),
  });
  writeTable(write, figures);
  const [bare, fastify, gateway, withRedis] = figures;
  write("\nCPU");
  writeFigure(write, "gateway to bare relay", {
    value: ratio(gateway, bare, "cpuUs"),
    atMost: 1.6,
  });
  if (withRedis !== undefined) {
    const value = ratio(withRedis, bare, "cpuUs");
    writeFigure(write, "gateway with Redis to bare relay", { value, atMost: 1.8 });
  }
  const value = ratio(gateway, fastify, "cpuUs");
  writeFigure(write, "gateway to fastify + http-proxy + jwt", { value, atMost: 0.65 });
  await stopAll(contenders);
};

function redisSettings(url: string): Record<string, string> {
  return { REDIS_URL: url, REDIS_PREFIX: `wg-bench-${randomBytes(6).toString("hex")}` };
}
