import { parseArgs } from "node:util";
import { cost } from "./forward/cost.ts";
import { latency } from "./forward/latency.ts";
import { manyNumbers } from "./forward/many-numbers.ts";
import { memory } from "./forward/memory.ts";
import type { Part } from "./forward/part.ts";
import { processes } from "./forward/processes.ts";
import { profile } from "./forward/profile.ts";
import { slowUpstream } from "./forward/slow-upstream.ts";
import type { Benchmark } from "./main.ts";
import { openLab } from "./support/lab.ts";
import { CONTENDERS_CORE } from "./support/pin.ts";

const PARTS: Record<string, Part> = {
  cost,
  "slow-upstream": slowUpstream,
  latency,
  "many-numbers": manyNumbers,
  processes,
  memory,
};

/**
 * What a forwarded send costs, each part beside its baseline in the same run. The gateway does all
 * it does in production: token, number, key, limits, metrics, a log line (to /dev/null); guards
 * are off. CPU is that of the whole process tree, without PostgreSQL and Redis.
 */
export const benchmark: Benchmark = {
  summary: `what a forwarded send costs; --only ${Object.keys(PARTS).join(",")}; --calls N; --profile`,
  async run(write, args) {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: "string", default: Object.keys(PARTS).join(",") },
        calls: { type: "string", default: "1000000" },
        profile: { type: "boolean", default: false },
      },
    });
    const wanted = values.profile ? ["profile"] : values.only.split(",");
    const parts = wanted.map((name) => {
      const part = name === "profile" ? profile : PARTS[name];
      if (part === undefined) {
        throw new Error(`--only: there is no ${name}; there is ${Object.keys(PARTS).join(", ")}`);
      }
      return part;
    });
    const lab = await openLab();
    try {
      if (CONTENDERS_CORE === undefined) {
        write("not pinned: contender and load share the cores");
      }
      if (lab.redis === undefined) {
        write("without Redis: there is no redis-server, and none answers at REDIS_URL");
      }
      for (const part of parts) {
        const postgresBeforeMs = lab.postgres.cpuMs?.() ?? 0;
        await part(lab, { write, calls: Number(values.calls) });
        if (lab.postgres.cpuMs !== undefined) {
          const ms = lab.postgres.cpuMs() - postgresBeforeMs;
          write(`  (PostgreSQL, set-up included: ${(ms / 1000).toFixed(1)} s of CPU)\n`);
        }
      }
    } finally {
      await lab.close();
    }
  },
};
