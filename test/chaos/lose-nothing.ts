import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasRedis } from "../support/redis.ts";
import { renderTable } from "./tally.ts";
import type { Trouble } from "./troubles.ts";
import { ENDPOINTS, openWorld, type World } from "./world.ts";

const SETTLED_WITHIN_MS = 180_000;

/** Each trouble once, under load, and then the table: `npm run chaos` does the same for long. */
export function loseNothing(through: string, troubles: readonly Trouble[]): void {
  describe(`what was answered 200 is delivered to every endpoint, through ${through}`, () => {
    let world: World;
    beforeAll(async () => {
      world = await openWorld();
    }, 120_000);
    afterAll(() => world.close());

    for (const { name, needsRedis = false, cause } of troubles) {
      it.skipIf(needsRedis && !hasRedis)(
        needsRedis ? `${name} (needs redis-server)` : name,
        { timeout: SETTLED_WITHIN_MS },
        () => world.during(name, () => cause(world)),
      );
    }

    it("loses nothing", { timeout: SETTLED_WITHIN_MS }, async () => {
      const rows = await world.settle();
      process.stdout.write(`${renderTable(rows, ENDPOINTS.length)}\n`);
      const lost = rows.filter((row) => row.lost > 0);
      expect(lost, lost.length === 0 ? "" : await world.waiting()).toEqual([]);
      expect(world.acknowledged()).toBeGreaterThan(20 * rows.length);
    });
  });
}
