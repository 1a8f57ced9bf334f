import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createThrottle, type Throttle } from "../../../src/gateway/throttle/throttle.ts";
import { Secret } from "../../../src/secret.ts";
import { eventually } from "../../support/eventually.ts";
import { mostInASecond, offerLoad, type Offered } from "../../support/offered-load.ts";
import { hasRedis, startRedis, type TestRedis } from "../../support/redis.ts";
import { systemClock as now } from "../../support/system-clock.ts";

/** A throttle whose Redis is taken away under load; calls must not notice. */
describe.skipIf(!hasRedis)("a throttle whose Redis fails (needs redis-server)", () => {
  let redis: TestRedis;
  let operator: Redis;
  let throttle: Throttle;
  let numbers = 0;

  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    operator = new Redis(redis.url, { retryStrategy: () => 100 });
    operator.on("error", () => {});
    throttle = createThrottle({ url: new Secret(redis.url), prefix: "wg-test", now });
    await eventually(() => throttle.state() === "ok");
  });
  afterEach(async () => {
    await throttle.stop();
    operator.disconnect();
  });
  afterAll(async () => {
    await redis.stop();
    await redis.remove();
  });

  const freshNumber = () => {
    numbers += 1;
    return { phoneNumberId: `${numbers}`, throughput: 80 as const };
  };

  /** Sends on one number, and to one user each, while something happens to Redis. */
  async function sendWhile(seconds: number, happens: () => Promise<unknown>): Promise<Offered> {
    const number = freshNumber();
    let users = 0;
    const take = () => {
      users += 1;
      return throttle.takeSend(number, `user-${users % 40}`);
    };
    const load = offerLoad({ take, perSecond: 250, seconds, now });
    const beginMs = now();
    await eventually(() => now() - beginMs > 700);
    await happens();
    return await load;
  }

  it("goes on without a pause when it is killed, and is shared again when it is back", async () => {
    const offered = await sendWhile(5, async () => {
      await redis.stop();
      await eventually(() => throttle.state() === "lost");
      await redis.start();
      await eventually(() => throttle.state() === "ok");
    });
    expectSteady(offered, 5);
    const number = freshNumber();
    expect(await throttle.takeSend(number, undefined)).toBeUndefined();
    expect(await operator.keys(`*:number:${number.phoneNumberId}`)).toHaveLength(1);
  });

  it("goes on when it is flushed, scripts and all", async () => {
    const offered = await sendWhile(3, async () => {
      await operator.flushall();
      await operator.script("FLUSH");
    });
    expectSteady(offered, 3);
    expect(throttle.state()).toBe("ok");
  });

  it("waits for no more than one answer when it is paused", async () => {
    const offered = await sendWhile(4, async () => {
      await operator.client("PAUSE", 1500, "ALL");
      await eventually(() => throttle.state() === "lost");
      expect(throttle.takeSend(freshNumber(), "user")).toBeUndefined();
      await eventually(() => throttle.state() === "ok");
    });
    expectSteady(offered, 4);
  });

  it("goes on when it hangs", async () => {
    const offered = await sendWhile(4, async () => {
      redis.freeze();
      await eventually(() => throttle.state() === "lost");
      redis.thaw();
      await eventually(() => throttle.state() === "ok");
    });
    expectSteady(offered, 4);
  });

  it("keeps to itself while it cannot write", async () => {
    const offered = await sendWhile(3, async () => {
      await operator.config("SET", "maxmemory", "1");
      await eventually(() => throttle.state() === "lost");
      await operator.config("SET", "maxmemory", "0");
      await eventually(() => throttle.state() === "ok");
    });
    expectSteady(offered, 3);
  });

  it("keeps a pair's limit while it is away, and tells of it when it is back", async () => {
    const number = freshNumber();
    await redis.stop();
    await eventually(() => throttle.state() === "lost");
    const sends = Array.from({ length: 60 }, () => throttle.takeSend(number, "user"));
    expect(sends.filter((refusal) => refusal === undefined)).toHaveLength(45);
    await redis.start();
    await eventually(() => throttle.state() === "ok");
    expect(throttle.takeSend(number, "user")).toMatchObject({ limit: "pair" });
  });

  it("leaves a quiet conversation its burst, however long it was away", async () => {
    let laterMs = 0;
    const url = new Secret(redis.url);
    const own = createThrottle({ url, prefix: "wg-test", now: () => now() + laterMs });
    const number = freshNumber();
    await eventually(() => own.state() === "ok");
    await redis.stop();
    await eventually(() => own.state() === "lost");
    for (let minute = 0; minute < 180; minute++) {
      expect(own.takeSend(number, "user")).toBeUndefined();
      laterMs += 60_000;
    }
    await redis.start();
    await eventually(() => own.state() === "ok");
    const sends = await Promise.all(
      Array.from({ length: 10 }, async () => own.takeSend(number, "user")),
    );
    expect(sends).toEqual(Array(10).fill(undefined));
    await own.stop();
  });

  it("starts without it, and finds it when it comes", async () => {
    await redis.stop();
    const early = createThrottle({ url: new Secret(redis.url), prefix: "wg-test", now });
    const number = freshNumber();
    const sends = Array.from({ length: 100 }, () => early.takeSend(number, undefined));
    expect(sends.filter((refusal) => refusal === undefined)).toHaveLength(80);
    await redis.start();
    await eventually(() => early.state() === "ok");
    await early.stop();
    expect(early.state()).toBe("lost");
  });
});

function expectSteady({ admittedMs, waitedMsMax }: Offered, seconds: number): void {
  expect(mostInASecond(admittedMs)).toBeLessThanOrEqual(80);
  expect(admittedMs.length).toBeGreaterThan(0.85 * 80 * seconds);
  // An answer is waited for 250 ms, and no call waits for two.
  expect(waitedMsMax).toBeLessThan(500);
}
