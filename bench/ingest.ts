import { parseArgs } from "node:util";
import { beyondCapacity } from "./ingest/beyond-capacity.ts";
import { offered } from "./ingest/offered.ts";
import type { Benchmark } from "./main.ts";
import type { TenantPlan } from "./support/hooked.ts";
import { openInboundLab } from "./support/inbound-lab.ts";
import { readSelfTimes } from "./support/cpu-profile.ts";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

const NARROW: TenantPlan = tenantWith(5);
const WIDE: TenantPlan = tenantWith(100);
const TENANTS = 8;
const PROFILE_LINES = 25;

/**
 * Time to the 200 with the generator, PostgreSQL (fsync on) and one gateway on this machine, and no
 * worker: what a notification costs before anybody is told of it.
 */
export const benchmark: Benchmark = {
  summary: "how soon a notification is durable; --seconds N; --only 5,100,beyond; --profile",
  async run(write, args) {
    const { values } = parseArgs({
      args,
      options: {
        seconds: { type: "string", default: "60" },
        only: { type: "string", default: "5,100,beyond" },
        profile: { type: "boolean", default: false },
      },
    });
    const seconds = Number(values.seconds);
    const wanted = new Set(values.only.split(","));
    const lab = await openInboundLab();
    try {
      const stage = await lab.openStage();
      const narrow = await stage.populate(Array.from({ length: TENANTS }, () => NARROW));
      const wide = await stage.populate(Array.from({ length: TENANTS }, () => WIDE));
      const gateway = await stage.startGateway({
        role: "api",
        nodeArgs: values.profile ? ["--cpu-prof", `--cpu-prof-dir=${lab.directory}/prof`] : [],
      });
      const setting = { lab, gateway, write };
      const numbersOf = (tenants: typeof narrow) => tenants.flatMap(({ numbers }) => numbers);
      if (wanted.has("5")) {
        await offered(setting, {
          name: "3,300 notifications/s × 5 endpoints",
          numbers: numbersOf(narrow),
          perSecond: 3300,
          seconds,
          bars: { p50Ms: 25, p99Ms: 150 },
        });
      }
      if (wanted.has("100")) {
        await offered(setting, {
          name: "300 notifications/s × 100 endpoints",
          numbers: numbersOf(wide),
          perSecond: 300,
          seconds,
          bars: { p99Ms: 60 },
        });
      }
      if (wanted.has("beyond")) {
        await beyondCapacity(setting, {
          numbers: numbersOf(narrow),
          seconds: Math.min(seconds, 15),
        });
      }
      if (values.profile) {
        await gateway.stop();
        const directory = join(lab.directory, "prof");
        const [file = ""] = await readdir(directory);
        const times = await readSelfTimes(join(directory, file));
        for (const { name, place, share } of times.slice(0, PROFILE_LINES)) {
          write(`  ${(share * 100).toFixed(1).padStart(5)} %  ${name}  ${place}`);
        }
      }
    } finally {
      await lab.close();
    }
  },
};

function tenantWith(endpoints: number): TenantPlan {
  return {
    numbers: 5,
    endpoints: Array.from({ length: endpoints }, (_, index) => ({
      url: `https://receiver.example/${index}`,
    })),
  };
}
