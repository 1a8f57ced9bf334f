import type { Benchmark } from "./main.ts";
import {
  NEARLY_ALL_WITHIN_MINUTES,
  OUTAGE,
  recover,
  USELESS_CALLS_MAX,
} from "./recovery/outage.ts";
import { writeFigure } from "./support/table.ts";

/** An outage of hours and the time after it, on a simulated clock, by the gateway's own policies. */
export const benchmark: Benchmark = {
  summary: "how an endpoint recovers after three hours, beside a schedule for each message",
  async run(write) {
    const { hours, eventsPerSecond, capacityPerSecond } = OUTAGE;
    write(
      `${hours} h down at ${eventsPerSecond} events/s, then ${capacityPerSecond}/s and no more; simulated\n`,
    );
    const runs = [
      { refusesWith: 429, hold: true },
      { refusesWith: 503, hold: true },
      { refusesWith: 429, hold: false },
    ] as const;
    for (const run of runs) {
      const { refusesWith, hold } = run;
      const { events, uselessCalls, halfMinutes, nearlyAllMinutes, exhausted } = recover(run);
      write(
        `${hold ? "hold, probe and ramp" : "a schedule for each message"}; beyond capacity ${refusesWith}`,
      );
      writeFigure(write, "events", { value: events });
      writeFigure(write, "half delivered after", { value: halfMinutes, unit: " min" });
      writeFigure(write, "99 % delivered after", {
        value: nearlyAllMinutes,
        unit: " min",
        ...(hold && { atMost: NEARLY_ALL_WITHIN_MINUTES }),
      });
      writeFigure(write, "useless calls", {
        value: uselessCalls,
        ...(hold && { atMost: USELESS_CALLS_MAX }),
      });
      writeFigure(write, "exhausted", { value: exhausted, ...(hold && { atMost: 0 }) });
      write("");
    }
  },
};
