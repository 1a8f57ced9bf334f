import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DeliverPart } from "../deliver.ts";
import { loadBacklog } from "../support/backlog.ts";
import { notificationBody } from "../support/notifications.ts";
import { takeStamps, waitUntilDelivered, withClient } from "../support/stamps.ts";
import { median } from "../support/statistics.ts";
import { writeAtLeast, writeFigure } from "../support/table.ts";

const ROUNDS = 3;
const TENANTS = 4;
const ENDPOINTS = 5;
const AT_ONCE = 128;
const run = promisify(execFile);

type Drained = { perSecond: number; workerUs: number; postgresUs: number };

/** A backlog drained by one worker process, beside a bare loop against the same receiver, in turns. */
export const backlog: DeliverPart = async (lab, { write, deliveries }) => {
  const stage = await lab.openStage();
  const { databaseUrl } = stage;
  const receiver = await lab.startOwn("stamping-receiver.ts");
  const tenants = await stage.populate(
    Array.from({ length: TENANTS }, () => ({
      numbers: 1,
      endpoints: Array.from({ length: ENDPOINTS }, (_, index) => ({
        url: `${receiver.url}/ok/${index}`,
        max_in_flight: 50,
      })),
    })),
  );
  const tenantIds = tenants.map(({ tenantId }) => tenantId);
  const worker = await stage.startGateway({ role: "worker" });
  const setState = (state: string): Promise<unknown> =>
    withClient(databaseUrl, (client) =>
      client.query("update webhook_endpoint set state = $1", [state]),
    );

  const postgresMs = (): number => lab.postgres.cpuMs?.() ?? Number.NaN;

  async function drain(): Promise<Drained> {
    await setState("paused");
    for (const tenant of tenants) {
      const events = Math.round(deliveries / TENANTS / ENDPOINTS);
      await loadBacklog(databaseUrl, { tenant, events, due: true });
    }
    await takeStamps(receiver.url);
    const before = { worker: worker.cpuMs(), postgres: postgresMs() };
    await setState("active");
    await waitUntilDelivered(databaseUrl, tenantIds);
    const cpuMs = {
      worker: worker.cpuMs() - before.worker,
      postgres: postgresMs() - before.postgres,
    };
    const stamps = [...(await takeStamps(receiver.url)).values()];
    const span = stamps.reduce(
      ({ from, to }, at) => ({ from: Math.min(from, at), to: Math.max(to, at) }),
      { from: Number.POSITIVE_INFINITY, to: 0 },
    );
    return {
      perSecond: (stamps.length * 1000) / (span.to - span.from),
      workerUs: (cpuMs.worker * 1000) / stamps.length,
      postgresUs: (cpuMs.postgres * 1000) / stamps.length,
    };
  }

  const [number] = tenants.flatMap(({ numbers }) => numbers);
  const body = number === undefined ? "{}" : notificationBody(number, "wamid.bare");
  async function bare(): Promise<number> {
    const file = join(import.meta.dirname, "../support/bare-deliverer.ts");
    const args = [file, receiver.url, `${ENDPOINTS}`, `${deliveries}`, `${AT_ONCE}`, body];
    return Number((await run(process.execPath, args)).stdout);
  }

  // The first of each only lets the code be compiled.
  await bare();
  await drain();
  const rates: number[] = [];
  const drains: Drained[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rates.push(await bare());
    drains.push(await drain());
  }
  write(`a backlog of ${deliveries} deliveries, ${ROUNDS} times in turns`);
  writeFigure(write, "bare undici.request + HMAC, a second", { value: median(rates) });
  writeFigure(write, "one worker process, a second", {
    value: median(drains.map(({ perSecond }) => perSecond)),
  });
  writeFigure(write, "worker, CPU a delivery", {
    value: median(drains.map(({ workerUs }) => workerUs)),
    unit: " µs",
  });
  writeFigure(write, "PostgreSQL, CPU a delivery", {
    value: median(drains.map(({ postgresUs }) => postgresUs)),
    unit: " µs",
  });
  writeAtLeast(write, "ratio", {
    value: median(drains.map(({ perSecond }, round) => perSecond / (rates[round] ?? Number.NaN))),
    atLeast: 0.5,
  });
  await worker.stop();
  await receiver.stop();
};
