import { parseArgs } from "node:util";
import type { Benchmark } from "./main.ts";
import { measureRotations } from "./rotation/measure.ts";

/** What changing a number's key costs the calls that go on meanwhile. */
export const benchmark: Benchmark = {
  summary:
    "what a hundred key rotations in a row cost the sends that go on; --rotations N; --per-second N; --answer-ms N (of the Partner API)",
  async run(write, args) {
    const { values } = parseArgs({
      args,
      options: {
        rotations: { type: "string", default: "100" },
        "per-second": { type: "string", default: "200" },
        "answer-ms": { type: "string", default: "60" },
      },
    });
    await measureRotations({
      write,
      rotations: Number(values.rotations),
      sendsPerSecond: Number(values["per-second"]),
      answerMs: Number(values["answer-ms"]),
    });
  },
};
