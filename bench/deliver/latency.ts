import type { DeliverPart } from "../deliver.ts";
import { runOpenLoop } from "../support/load.ts";
import { notificationsTo } from "../support/notifications.ts";
import { firstAttemptLatencies, takeStamps, waitUntilDelivered } from "../support/stamps.ts";
import { percentile } from "../support/statistics.ts";
import { writeFigure } from "../support/table.ts";

const PER_SECOND = 200;
const TENANTS = 8;
const ENDPOINTS = 5;
const WARM_UP_SECONDS = 5;

/** From commit to the endpoint, over an api and a worker process; without Redis one process is both. */
export const latency: DeliverPart = async (lab, { write, seconds }) => {
  const stage = await lab.openStage();
  const receiver = await lab.startOwn("stamping-receiver.ts");
  const tenants = await stage.populate(
    Array.from({ length: TENANTS }, () => ({
      numbers: 2,
      endpoints: Array.from({ length: ENDPOINTS }, (_, index) => ({
        url: `${receiver.url}/ok/${index}`,
      })),
    })),
  );
  const { redis } = lab;
  const env = redis === undefined ? {} : { REDIS_URL: redis.url };
  const api = await stage.startGateway({ role: redis === undefined ? "all" : "api", env });
  const worker = redis === undefined ? api : await stage.startGateway({ role: "worker", env });
  const load = (forSeconds: number) =>
    runOpenLoop({
      url: api.url,
      next: notificationsTo(
        new URL(api.url).host,
        tenants.flatMap(({ numbers }) => numbers),
      ),
      connections: 64,
      calls: Math.round(PER_SECOND * forSeconds),
      perSecond: PER_SECOND,
    });
  const tenantIds = tenants.map(({ tenantId }) => tenantId);
  await load(Math.min(seconds, WARM_UP_SECONDS));
  await waitUntilDelivered(stage.databaseUrl, tenantIds);
  await takeStamps(receiver.url);

  const before = { worker: worker.cpuMs(), postgres: lab.postgres.cpuMs?.() ?? Number.NaN };
  const { calls } = await load(seconds);
  const latencies = await firstAttemptLatencies({
    databaseUrl: stage.databaseUrl,
    receiverUrl: receiver.url,
    tenantIds,
  });
  const usEach = (ms: number): number => (ms * 1000) / latencies.length;
  write(`first attempt, ${PER_SECOND} events/s × ${ENDPOINTS} endpoints, ${seconds} s`);
  const figure = (what: string, value: number, bar?: { atMost?: number; unit?: string }): void =>
    writeFigure(write, what, { value, ...bar });
  figure("after its event was written, p50", percentile(latencies, 0.5), {
    unit: " ms",
    atMost: 50,
  });
  figure("after its event was written, p99", percentile(latencies, 0.99), {
    unit: " ms",
    atMost: 500,
  });
  figure("longest", percentile(latencies, 1), { unit: " ms" });
  figure("missing", calls * ENDPOINTS - latencies.length, { atMost: 0 });
  figure("worker, CPU a delivery", usEach(worker.cpuMs() - before.worker), { unit: " µs" });
  figure(
    "PostgreSQL, CPU a delivery, its event included",
    usEach((lab.postgres.cpuMs?.() ?? Number.NaN) - before.postgres),
    { unit: " µs" },
  );
  await worker.stop();
  await api.stop();
  await receiver.stop();
};
