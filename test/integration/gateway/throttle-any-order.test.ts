import * as fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leaseScript } from "../../../src/gateway/throttle/lease-script.ts";
import type { Shared } from "../../../src/gateway/throttle/shared.ts";
import { createThrottle } from "../../../src/gateway/throttle/throttle.ts";
import { mostInASecond } from "../../support/offered-load.ts";
import { hasRedis, startRedis, type TestRedis } from "../../support/redis.ts";
import { createVirtualTime, type VirtualTime } from "../../support/virtual-time.ts";

const SECONDS = 8;
/** As long as a question is waited for. */
const ANSWER_MS = 250;
const IN_VIRTUAL_TIME = leaseScript.lua.replace("redis.call('TIME')", "{ ARGV[#ARGV], 0 }");

/**
 * The script itself on a real Redis, but in a time of its own, so that questions and answers can
 * overtake each other, come too late, or never.
 */
describe.skipIf(!hasRedis)("leases (needs redis-server)", () => {
  let server: TestRedis;
  let redis: Redis;
  let runs = 0;

  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
    await server.remove();
  });

  /** A number between nothing and one, each time another. */
  type Random = () => number;

  function badConnection(time: VirtualTime, random: Random, slowness: number): Shared {
    const delayMs = () => random() * slowness * (random() < 0.2 ? 240 : 10);
    return {
      usable: () => true,
      state: () => "ok",
      stop: async () => {},
      run: (_script, keys, args) =>
        new Promise((resolve) => {
          time.after(ANSWER_MS, () => resolve(undefined));
          const isLost = random() < 0.02;
          const isVeryLate = random() < 0.05;
          time.after(delayMs() * (isVeryLate ? 5 : 1), async () => {
            if (!isLost) {
              const nowSeconds = time.now() / 1000;
              const given = [...keys, ...args, nowSeconds];
              const answer = (await redis.eval(
                IN_VIRTUAL_TIME,
                keys.length,
                ...given,
              )) as unknown[];
              const isAnswerLost = random() < 0.03;
              time.after(delayMs(), () => isAnswerLost || resolve(answer));
            }
          });
        }),
    };
  }

  /** Sends at a pace that changes all the time, now and then many at once; when each was let through. */
  function sendAsItComes(take: () => unknown, time: VirtualTime, random: Random): number[] {
    const admittedMs: number[] = [];
    let perSecond = 0;
    async function send(): Promise<void> {
      const refusal = await take();
      if (refusal === undefined) {
        admittedMs.push(time.now());
      }
    }
    function change(): void {
      perSecond = random() < 0.3 ? 0.5 : random() * 150;
      time.after(200 + random() * 2500, change);
    }
    function arrive(): void {
      const calls = random() < 0.02 ? 40 : 1;
      for (let i = 0; i < calls; i += 1) {
        void send();
      }
      time.after(Math.min(800, (-Math.log(1 - random()) * 1000) / perSecond), arrive);
    }
    change();
    arrive();
    return admittedMs;
  }

  it("hold the limit whatever becomes of questions and answers", { timeout: 60_000 }, async () => {
    const settings = fc.record({
      seed: fc.integer({ min: 1, max: 2 ** 31 }),
      processes: fc.integer({ min: 2, max: 4 }),
      throughput: fc.constantFrom(20 as const, 80 as const),
      slowness: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const property = fc.asyncProperty(
      settings,
      async ({ seed, processes, throughput, slowness }) => {
        runs += 1;
        const time = createVirtualTime();
        const random = randomFrom(seed);
        const number = { phoneNumberId: `${runs}`, throughput };
        const admitted = Array.from({ length: processes }, () => {
          // No two processes agree on the time.
          const aheadMs = random() * 1000;
          const throttle = createThrottle({
            url: undefined,
            prefix: "wg-test",
            now: () => time.now() + aheadMs,
            open: () => badConnection(time, random, slowness),
          });
          return sendAsItComes(() => throttle.takeSend(number, undefined), time, random);
        });
        await time.pass(SECONDS * 1000);
        expect(mostInASecond(...admitted)).toBeLessThanOrEqual(throughput);
        expect(admitted.flat().length).toBeGreaterThan(throughput);
      },
    );
    await fc.assert(property, { numRuns: 60, endOnFailure: true });
  });
});

/** The same numbers for the same seed (a linear congruence is random enough here). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
