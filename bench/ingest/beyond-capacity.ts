import type { HookedNumber } from "../support/hooked.ts";
import { runOpenLoop, type Slice } from "../support/load.ts";
import { notificationsTo } from "../support/notifications.ts";
import { percentile } from "../support/statistics.ts";
import { writeFigure } from "../support/table.ts";
import type { Setting } from "./offered.ts";

const PER_SECOND = 12_000;
/** 360dialog does not wait for one answer before it posts the next. */
const CONNECTIONS = 6000;
const WARM_UP_CONNECTIONS = 512;
const ANSWER_WITHIN_MS = 4000;
const WARM_UP_SECONDS = 3;

/**
 * Far more than can be written: what is taken is answered 200 in time, the rest is told 503 early,
 * and the memory of the gateway does not grow with what is offered.
 */
export async function beyondCapacity(
  { gateway, write }: Setting,
  { numbers, seconds }: { numbers: HookedNumber[]; seconds: number },
): Promise<void> {
  const memoryBefore = gateway.residentMiB();
  let memoryMost = memoryBefore;
  const watch = setInterval(() => {
    memoryMost = Math.max(memoryMost, gateway.residentMiB());
  }, 250);
  const load = (forSeconds: number, connections: number): Promise<Slice> =>
    runOpenLoop({
      url: gateway.url,
      next: notificationsTo(new URL(gateway.url).host, numbers),
      connections,
      calls: Math.round(PER_SECOND * forSeconds),
      perSecond: PER_SECOND,
      dropWhenBusy: true,
    });
  await load(Math.min(WARM_UP_SECONDS, seconds), WARM_UP_CONNECTIONS);
  const slice = await load(seconds, CONNECTIONS);
  clearInterval(watch);
  const took = (status: number): number[] => slice.latenciesOf.get(status) ?? [];
  const others = slice.calls - slice.dropped - took(200).length - took(503).length;
  write(`beyond capacity: ${PER_SECOND} notifications/s × 5 endpoints, ${seconds} s`);
  const figure = (what: string, value: number, bar?: { atMost?: number; unit?: string }): void =>
    writeFigure(write, what, { value, ...bar });
  figure("committed a second", took(200).length / slice.seconds);
  figure("time to the 200, p99", percentile(took(200), 0.99), {
    unit: " ms",
    atMost: ANSWER_WITHIN_MS,
  });
  figure("told 503 a second", took(503).length / slice.seconds);
  figure("time to the 503, p50", percentile(took(503), 0.5), { unit: " ms" });
  figure("time to the 503, p99", percentile(took(503), 0.99), {
    unit: " ms",
    atMost: ANSWER_WITHIN_MS,
  });
  figure("answered otherwise", others, { atMost: 0 });
  figure("never sent: every connection waited for its answer", slice.dropped);
  figure("gateway, memory more than before", memoryMost - memoryBefore, {
    unit: " MiB",
    atMost: 700,
  });
  write("");
}
