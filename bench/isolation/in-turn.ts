import { request } from "undici";
import type { Write } from "../main.ts";
import type { HookedTenant, TenantPlan } from "../support/hooked.ts";
import type { InboundLab, RunningGateway, Stage } from "../support/inbound-lab.ts";
import { runOpenLoop } from "../support/load.ts";
import { notificationsTo } from "../support/notifications.ts";
import { firstAttemptLatencies, takeStamps, waitUntilDelivered } from "../support/stamps.ts";
import { median, percentile } from "../support/statistics.ts";
import { writeFigure } from "../support/table.ts";

/** Where endpoints are: each port is a host of its own to whoever delivers. */
export type Receivers = { url: string; ports: number[] };

export type Disturbance = {
  name: string;
  /** Tenants beside the healthy ones. */
  others: (receivers: Receivers) => TenantPlan[];
  /** Before anything runs. */
  prepare?: (stage: Stage, others: HookedTenant[], options: { share: number }) => Promise<void>;
  /** What comes for the others, notifications a second. */
  othersPerSecond: number;
};

const HEALTHY_TENANTS = 5;
const HEALTHY_ENDPOINTS = 5;
const HEALTHY_PER_SECOND = 50;
const PORTS = 101;
const RATIO_MAX = 1.5;
// While the other side had its turn all connections were closed: to open them again is no isolation.
const WARM_UP_SECONDS = 1;

type Side = {
  stage: Stage;
  gateway: RunningGateway;
  healthy: HookedTenant[];
  others: HookedTenant[];
};

/**
 * Two gateways over two databases, with the same healthy traffic in turns: one has the others beside
 * it. Medians over the rounds, because machines drift.
 */
export async function measureDisturbance(
  lab: InboundLab,
  disturbance: Disturbance,
  options: { write: Write; seconds: number; rounds: number; share: number },
): Promise<void> {
  const { write, seconds, rounds, share } = options;
  const receiver = await lab.startOwn("stamping-receiver.ts", [String(PORTS)]);
  const { body } = await request(`${receiver.url}/ports`);
  const receivers: Receivers = { url: receiver.url, ports: (await body.json()) as number[] };
  const quiet = await openSide(lab, receivers, []);
  const disturbed = await openSide(lab, receivers, disturbance.others(receivers));
  await disturbance.prepare?.(disturbed.stage, disturbed.others, { share });
  const sides = [
    { side: await start(quiet), othersPerSecond: 0, p50Ms: [] as number[], p99Ms: [] as number[] },
    {
      side: await start(disturbed),
      othersPerSecond: disturbance.othersPerSecond,
      p50Ms: [] as number[],
      p99Ms: [] as number[],
    },
  ];
  for (let round = 0; round <= rounds; round++) {
    for (const each of round % 2 === 0 ? sides : sides.toReversed()) {
      const latencies = await slice(each.side, {
        receiverUrl: receiver.url,
        seconds,
        othersPerSecond: each.othersPerSecond,
      });
      // The first round only lets the code be compiled.
      if (round > 0) {
        each.p50Ms.push(percentile(latencies, 0.5));
        each.p99Ms.push(percentile(latencies, 0.99));
      }
    }
  }
  const [alone, beside] = sides;
  const ratios = (beside?.p99Ms ?? []).map(
    (value, round) => value / (alone?.p99Ms[round] ?? Number.NaN),
  );
  write(disturbance.name);
  for (const [what, side] of [
    ["undisturbed", alone],
    ["beside it", beside],
  ] as const) {
    writeFigure(write, `healthy first attempts ${what}, p50`, {
      value: median(side?.p50Ms ?? []),
      unit: " ms",
    });
    writeFigure(write, `healthy first attempts ${what}, p99`, {
      value: median(side?.p99Ms ?? []),
      unit: " ms",
    });
  }
  writeFigure(write, "p99 beside it to undisturbed", { value: median(ratios), atMost: RATIO_MAX });
  write("");
  for (const { side } of sides) {
    await side.gateway.stop();
  }
  await receiver.stop();
}

async function openSide(
  lab: InboundLab,
  { url }: Receivers,
  others: readonly TenantPlan[],
): Promise<Omit<Side, "gateway">> {
  const stage = await lab.openStage();
  const healthy = await stage.populate(
    Array.from({ length: HEALTHY_TENANTS }, () => ({
      numbers: 2,
      endpoints: Array.from({ length: HEALTHY_ENDPOINTS }, (_, index) => ({
        url: `${url}/ok/${index}`,
      })),
    })),
  );
  return { stage, healthy, others: await stage.populate(others) };
}

async function start(side: Omit<Side, "gateway">): Promise<Side> {
  return { ...side, gateway: await side.stage.startGateway({ role: "all" }) };
}

async function slice(
  { stage, gateway, healthy, others }: Side,
  options: { receiverUrl: string; seconds: number; othersPerSecond: number },
): Promise<number[]> {
  const { receiverUrl, seconds, othersPerSecond } = options;
  const { databaseUrl } = stage;
  const tenantIds = healthy.map(({ tenantId }) => tenantId);
  const load = (tenants: readonly HookedTenant[], perSecond: number): Promise<unknown> =>
    runOpenLoop({
      url: gateway.url,
      next: notificationsTo(
        new URL(gateway.url).host,
        tenants.flatMap(({ numbers }) => numbers),
      ),
      connections: 128,
      calls: Math.round(perSecond * (WARM_UP_SECONDS + seconds)),
      perSecond,
    });
  await waitUntilDelivered(databaseUrl, tenantIds);
  await takeStamps(receiverUrl);
  const sinceMs = performance.timeOrigin + performance.now() + WARM_UP_SECONDS * 1000;
  const disturbing = othersPerSecond > 0 ? load(others, othersPerSecond) : undefined;
  await load(healthy, HEALTHY_PER_SECOND);
  await disturbing;
  return firstAttemptLatencies({ databaseUrl, receiverUrl, tenantIds, sinceMs });
}
