import type { Write } from "../main.ts";
import type { HookedNumber } from "../support/hooked.ts";
import type { InboundLab, RunningGateway } from "../support/inbound-lab.ts";
import { runOpenLoop, type Slice } from "../support/load.ts";
import { notificationsTo } from "../support/notifications.ts";
import { percentile } from "../support/statistics.ts";
import { writeFigure } from "../support/table.ts";

export type Setting = { lab: InboundLab; gateway: RunningGateway; write: Write };

const CONNECTIONS = 512;
/** Compiles the code and fills the caches; a process that has just started is not what is asked for. */
const WARM_UP_SECONDS = 5;

/** Notifications at a rate, whether earlier ones are answered or not. */
export async function offered(
  { lab, gateway, write }: Setting,
  options: {
    name: string;
    numbers: HookedNumber[];
    perSecond: number;
    seconds: number;
    bars: { p50Ms?: number; p99Ms: number };
  },
): Promise<void> {
  const { name, numbers, perSecond, seconds, bars } = options;
  const load = (forSeconds: number): Promise<Slice> =>
    runOpenLoop({
      url: gateway.url,
      next: notificationsTo(new URL(gateway.url).host, numbers),
      connections: CONNECTIONS,
      calls: Math.round(perSecond * forSeconds),
      perSecond,
    });
  await load(Math.min(WARM_UP_SECONDS, seconds));
  const before = { gateway: gateway.cpuMs(), postgres: lab.postgres.cpuMs?.() ?? Number.NaN };
  const slice = await load(seconds);
  const usPerCall = (ms: number): number => (ms * 1000) / slice.calls;
  const ms = (share: number): number => percentile(slice.latenciesMs, share);
  const refused = slice.calls - (slice.statuses.get(200) ?? 0);

  write(`${name}, ${seconds} s`);
  const figure = (what: string, value: number, bar?: { atMost?: number; unit?: string }): void =>
    writeFigure(write, what, { value, ...bar });
  figure("time to the 200, p50", ms(0.5), {
    unit: " ms",
    ...(bars.p50Ms !== undefined && { atMost: bars.p50Ms }),
  });
  figure("time to the 200, p99", ms(0.99), { unit: " ms", atMost: bars.p99Ms });
  figure("time to the 200, longest", ms(1), { unit: " ms" });
  figure("refused", refused, { atMost: 0 });
  figure("notifications a second", slice.calls / slice.seconds);
  figure("gateway, CPU a notification", usPerCall(gateway.cpuMs() - before.gateway), {
    unit: " µs",
  });
  figure(
    "PostgreSQL, CPU a notification",
    usPerCall((lab.postgres.cpuMs?.() ?? Number.NaN) - before.postgres),
    { unit: " µs" },
  );
  figure("gateway, memory", gateway.residentMiB(), { unit: " MiB" });
  write("");
}
