import { parseArgs } from "node:util";
import { deadEndpoint } from "./isolation/dead-endpoint.ts";
import { greedyTenant } from "./isolation/greedy-tenant.ts";
import { hangingEndpoints } from "./isolation/hanging-endpoints.ts";
import type { Disturbance } from "./isolation/in-turn.ts";
import { measureDisturbance } from "./isolation/in-turn.ts";
import type { Benchmark } from "./main.ts";
import { openInboundLab } from "./support/inbound-lab.ts";

const DISTURBANCES: Record<string, Disturbance> = {
  dead: deadEndpoint,
  hanging: hangingEndpoints,
  greedy: greedyTenant,
};

/** How much longer healthy endpoints wait for their first attempt because of others. */
export const benchmark: Benchmark = {
  summary: `what others cost a healthy endpoint; --only ${Object.keys(DISTURBANCES).join(",")}; --seconds N; --rounds N; --share N (of the dead endpoint's 1,500,000)`,
  async run(write, args) {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: "string", default: Object.keys(DISTURBANCES).join(",") },
        seconds: { type: "string", default: "15" },
        rounds: { type: "string", default: "5" },
        share: { type: "string", default: "1" },
      },
    });
    const lab = await openInboundLab();
    try {
      for (const name of values.only.split(",")) {
        const disturbance = DISTURBANCES[name];
        if (disturbance === undefined) {
          throw new Error(
            `--only: there is no ${name}; there is ${Object.keys(DISTURBANCES).join(", ")}`,
          );
        }
        await measureDisturbance(lab, disturbance, {
          write,
          seconds: Number(values.seconds),
          rounds: Number(values.rounds),
          share: Number(values.share),
        });
      }
    } finally {
      await lab.close();
    }
  },
};
