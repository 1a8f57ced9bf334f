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

  async function drain(): Promise<number> {
    await setState("paused");
    for (const tenant of tenants) {
      const events = Math.round(deliveries / TENANTS / ENDPOINTS);
      await loadBacklog(databaseUrl, { tenant, events, due: true });
    }
    await takeStamps(receiver.url);
    await setState("active");
    await waitUntilDelivered(databaseUrl, tenantIds);
    const stamps = [...(await takeStamps(receiver.url)).values()];
    const span = stamps.reduce(
      ({ from, to }, at) => ({ from: Math.min(from, at), to: Math.max(to, at) }),
      { from: Number.POSITIVE_INFINITY, to: 0 },
    );
    return (stamps.length * 1000) / (span.to - span.from);
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
  const rates = { bare: [] as number[], worker: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    rates.bare.push(await bare());
    rates.worker.push(await drain());
  }
  write(`a backlog of ${deliveries} deliveries, ${ROUNDS} times in turns`);
  writeFigure(write, "bare undici.request + HMAC, a second", { value: median(rates.bare) });
  writeFigure(write, "one worker process, a second", { value: median(rates.worker) });
  writeAtLeast(write, "ratio", {
    value: median(rates.worker.map((rate, round) => rate / (rates.bare[round] ?? Number.NaN))),
    atLeast: 0.5,
  });
  await worker.stop();
  await receiver.stop();
};
