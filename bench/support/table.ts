import type { Write } from "../main.ts";
import type { Figures } from "./measure.ts";
import { median } from "./statistics.ts";

const NAME_WIDTH = 22;

/** Medians over the rounds. */
export function writeTable(write: Write, figures: readonly Figures[]): void {
  write(`${"".padEnd(NAME_WIDTH)}CPU µs/call   calls/s   p50 ms   p99 ms`);
  for (const { name, cpuUs, perSecond, p50Ms, p99Ms } of figures) {
    const columns = [
      median(cpuUs).toFixed(1).padStart(11),
      median(perSecond).toFixed(0).padStart(10),
      median(p50Ms).toFixed(2).padStart(9),
      median(p99Ms).toFixed(2).padStart(9),
    ];
    write(`${name.padEnd(NAME_WIDTH)}${columns.join("")}`);
  }
}

/** A figure beside what it should be at most. */
export function writeFigure(
  write: Write,
  what: string,
  { value, atMost, unit = "" }: { value: number; atMost?: number; unit?: string },
): void {
  const verdict =
    atMost === undefined ? "" : `  (at most ${atMost}${unit}${value <= atMost ? "" : ": MISSED"})`;
  write(`  ${what.padEnd(58)}${value.toFixed(2).padStart(7)}${unit}${verdict}`);
}

/** Likewise one that should be so much at least. */
export function writeAtLeast(
  write: Write,
  what: string,
  { value, atLeast }: { value: number; atLeast: number },
): void {
  const verdict = `  (at least ${atLeast}${value >= atLeast ? "" : ": MISSED"})`;
  write(`  ${what.padEnd(58)}${value.toFixed(2).padStart(7)}${verdict}`);
}
