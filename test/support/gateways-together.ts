import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "../../src/simulator/simulator.ts";
import { type Answer, call, fetchToken } from "./call.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { freePort } from "./free-port.ts";
import { BOOTSTRAP, environmentOf, testEnvironment } from "./gateway.ts";
import { type SpawnedGateway, spawnGateway } from "./spawned-gateway.ts";

export type GatewaysTogether = {
  /** Where the first one listens; for the world it is the address of all. */
  url: string;
  gateways: SpawnedGateway[];
  database: TestDatabase;
  simulator: Simulator;
  /** Calls the first one with the partner's token. */
  partner(method: string, path: string, body?: object): Promise<Answer>;
  /** Ends those that still run. */
  stop(): Promise<void>;
};

/** So many gateways, each a process of its own, over one database and one simulator. */
export async function startGatewaysTogether(
  count: number,
  options: { env?: Record<string, string>; simulator?: SimulatorOptions } = {},
): Promise<GatewaysTogether> {
  const database = await createTestDatabase();
  const simulator = await startSimulator({ statuses: [], ...options.simulator });
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const url = urls[0] ?? "";
  const env = {
    ...testEnvironment(),
    DATABASE_URL: database.url,
    ...environmentOf(simulator),
    // As behind a load balancer: a token of one is a token of all.
    PUBLIC_URL: url,
    ...options.env,
  };
  const gateways: SpawnedGateway[] = [];
  for (const [index, port] of ports.entries()) {
    const gateway = await spawnGateway({ ...env, PORT: `${port}` });
    // What it says is the address of all.
    gateways.push({ ...gateway, url: urls[index] ?? "" });
  }
  const token = await fetchToken(url, BOOTSTRAP);
  return {
    url,
    gateways,
    database,
    simulator,
    partner: (method, path, body) =>
      call(url, method, path, { token, ...(body !== undefined && { body }) }),
    async stop() {
      const running = gateways.filter(
        ({ process: { exitCode, signalCode } }) => exitCode === null && signalCode === null,
      );
      await Promise.all(running.map((gateway) => gateway.kill("SIGTERM")));
      await simulator.close();
      await database.drop();
    },
  };
}
