import type { Write } from "../main.ts";
import type { Contender } from "../support/contender.ts";
import type { Lab } from "../support/lab.ts";

/** One question with its contenders; starts them and stops them. */
export type Part = (lab: Lab, options: { write: Write; calls: number }) => Promise<void>;

export async function stopAll(contenders: readonly Contender[]): Promise<void> {
  await Promise.all(contenders.map(({ stop }) => stop()));
}
