import { vi } from "vitest";

/** Waits until the check passes; gives up after ten seconds. */
export async function eventually<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  return await vi.waitFor(check, { timeout: 10_000, interval: 10 });
}
