import { parseArgs } from "node:util";
import { type Sample, takeSample, writeSamples } from "./growth/sizes.ts";
import { holdReaders } from "./growth/long-reader.ts";
import type { Benchmark } from "./main.ts";
import { openInboundLab } from "./support/inbound-lab.ts";
import { runOpenLoop } from "./support/load.ts";
import { notificationsTo } from "./support/notifications.ts";
import { takeStamps, waitUntilDelivered } from "./support/stamps.ts";
import { writeFigure } from "./support/table.ts";

const TENANTS = 8;
const ENDPOINTS = 5;
const SLICES = 10;
const COST_RATIO_MAX = 1.25;
const LIVE_RATIO_MAX = 1.5;

/** A soak: what tables, indexes and each delivery cost when a million have gone through. */
export const benchmark: Benchmark = {
  summary: "what grows under a soak; --deliveries N; --per-second N (notifications)",
  async run(write, args) {
    const { values } = parseArgs({
      args,
      options: {
        deliveries: { type: "string", default: "1000000" },
        "per-second": { type: "string", default: "400" },
      },
    });
    const perSecond = Number(values["per-second"]);
    const callsASlice = Math.ceil(Number(values.deliveries) / ENDPOINTS / SLICES);
    const lab = await openInboundLab();
    try {
      const stage = await lab.openStage();
      const receiver = await lab.startOwn("stamping-receiver.ts");
      const tenants = await stage.populate(
        Array.from({ length: TENANTS }, () => ({
          numbers: 2,
          endpoints: Array.from({ length: ENDPOINTS }, (_, index) => ({
            url: `${receiver.url}/ok/${index}`,
            max_in_flight: 50,
          })),
        })),
      );
      const tenantIds = tenants.map(({ tenantId }) => tenantId);
      const gateway = await stage.startGateway({ role: "all" });
      const next = notificationsTo(
        new URL(gateway.url).host,
        tenants.flatMap(({ numbers }) => numbers),
      );
      const cpuMs = (): number => gateway.cpuMs() + (lab.postgres.cpuMs?.() ?? 0);

      // Somebody always reads in one long transaction, so that vacuum may not remove the newest dead.
      const readers = await holdReaders(stage.databaseUrl);
      const samples: Sample[] = [await takeSample(stage.databaseUrl, { delivered: 0 })];
      for (let slice = 1; slice <= SLICES; slice++) {
        const [beforeMs, startMs] = [cpuMs(), performance.now()];
        const { statuses } = await runOpenLoop({
          url: gateway.url,
          next,
          connections: 256,
          calls: callsASlice,
          perSecond,
        });
        await waitUntilDelivered(stage.databaseUrl, tenantIds);
        const delivered = (statuses.get(200) ?? 0) * ENDPOINTS;
        samples.push(
          await takeSample(stage.databaseUrl, {
            delivered: (samples.at(-1)?.delivered ?? 0) + delivered,
            usEach: ((cpuMs() - beforeMs) * 1000) / delivered,
            perSecond: (delivered * 1000) / (performance.now() - startMs),
          }),
        );
        await takeStamps(receiver.url);
      }
      await readers.stop();

      writeSamples(write, samples);
      const [third, last] = [samples[3], samples.at(-1)];
      // The first slice compiles the code.
      const second = samples[2];
      writeFigure(write, "CPU a delivery, the last to the second tenth", {
        value: (last?.usEach ?? Number.NaN) / (second?.usEach ?? Number.NaN),
        atMost: COST_RATIO_MAX,
      });
      writeFigure(write, "live deliveries' table and indexes, the end to the third tenth", {
        value: (last?.liveBytes ?? Number.NaN) / (third?.liveBytes ?? Number.NaN),
        atMost: LIVE_RATIO_MAX,
      });
    } finally {
      await lab.close();
    }
  },
};
