import { parseArgs } from "node:util";
import { backlog } from "./deliver/backlog.ts";
import { idle } from "./deliver/idle.ts";
import { latency } from "./deliver/latency.ts";
import type { Benchmark, Write } from "./main.ts";
import { type InboundLab, openInboundLab } from "./support/inbound-lab.ts";

export type DeliverPart = (
  lab: InboundLab,
  options: { write: Write; seconds: number; deliveries: number },
) => Promise<void>;

const PARTS: Record<string, DeliverPart> = { latency, backlog, idle };

/** A worker and the endpoints that it delivers to, which are another process. */
export const benchmark: Benchmark = {
  summary: `how soon and how fast a worker delivers; --only ${Object.keys(PARTS).join(",")}; --seconds N; --deliveries N`,
  async run(write, args) {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: "string", default: Object.keys(PARTS).join(",") },
        seconds: { type: "string", default: "30" },
        deliveries: { type: "string", default: "40000" },
      },
    });
    const parts = values.only.split(",").map((name) => {
      const part = PARTS[name];
      if (part === undefined) {
        throw new Error(`--only: there is no ${name}; there is ${Object.keys(PARTS).join(", ")}`);
      }
      return part;
    });
    const lab = await openInboundLab();
    try {
      for (const part of parts) {
        await part(lab, {
          write,
          seconds: Number(values.seconds),
          deliveries: Number(values.deliveries),
        });
        write("");
      }
    } finally {
      await lab.close();
    }
  },
};
