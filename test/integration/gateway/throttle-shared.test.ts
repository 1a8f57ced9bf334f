import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Refusal } from "../../../src/gateway/throttle/refusal.ts";
import {
  createThrottle,
  type Throttle,
  type ThrottledNumber,
} from "../../../src/gateway/throttle/throttle.ts";
import { Secret } from "../../../src/secret.ts";
import { eventually } from "../../support/eventually.ts";
import { mostInASecond, offerLoad, type Offered } from "../../support/offered-load.ts";
import { hasRedis, startRedis, type TestRedis } from "../../support/redis.ts";
import { systemClock as now } from "../../support/system-clock.ts";

const PREFIX = "wg-test";
const PROCESS = fileURLToPath(new URL("throttle-process.ts", import.meta.url));

/** Throttles with connections of their own to one Redis. */
describe.skipIf(!hasRedis)("throttles over one Redis (needs redis-server)", () => {
  let redis: TestRedis;
  let numbers = 0;
  const throttles: Throttle[] = [];

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await Promise.all(throttles.splice(0).map((throttle) => throttle.stop()));
  });
  afterAll(async () => {
    await redis.stop();
    await redis.remove();
  });

  const freshNumber = (throughput: 20 | 80 | 1000 = 80) => {
    numbers += 1;
    return { phoneNumberId: `${numbers}`, throughput };
  };

  async function open(): Promise<Throttle> {
    const throttle = createThrottle({ url: new Secret(redis.url), prefix: PREFIX, now });
    throttles.push(throttle);
    await eventually(() => throttle.state() === "ok");
    return throttle;
  }

  const offer = (
    throttle: Throttle,
    number: ReturnType<typeof freshNumber>,
    load: { perSecond: number; seconds: number },
  ): Promise<Offered> =>
    offerLoad({ take: () => throttle.takeSend(number, undefined), now, ...load });

  function spawnSender(phoneNumberId: string, seconds: number) {
    const args = [PROCESS, redis.url, PREFIX, phoneNumberId, "250", `${seconds}`];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async (): Promise<string> => (await lines.next()).value as string;
    return { child, line };
  }

  it("let no more through together than one may, and nearly all of it", async () => {
    const number = freshNumber();
    const two = [await open(), await open()];
    const offered = await Promise.all(
      two.map((throttle) => offer(throttle, number, { perSecond: 250, seconds: 5 })),
    );
    const times = offered.map(({ admittedMs }) => admittedMs);
    expect(mostInASecond(...times)).toBeLessThanOrEqual(80);
    expect(times.flat().length).toBeGreaterThan(0.85 * 80 * 5);
  });

  it("let a burst through on a fresh number, waiting for one answer", async () => {
    const throttle = await open();
    for (const throughput of [20, 80, 1000] as const) {
      const number = freshNumber(throughput);
      expect(await burst(throttle, number, throughput + 10)).toBe(throughput);
    }
  });

  it("let a burst through that comes in over many turns", async () => {
    const throttle = await open();
    const { admittedMs } = await offer(throttle, freshNumber(), { perSecond: 800, seconds: 0.1 });
    expect(admittedMs.length).toBe(80);
  });

  it("let through all of what comes at once to several of them, when it is no more than one may", async () => {
    for (const shares of [
      [30, 30],
      [40, 40],
      [70, 10],
      [20, 40, 20],
    ]) {
      const number = freshNumber();
      const several = await Promise.all(shares.map(open));
      const refused = await Promise.all(
        several.flatMap((throttle, i) =>
          Array.from({ length: shares[i] ?? 0 }, async () => throttle.takeSend(number, undefined)),
        ),
      );
      expect(refused.filter((one) => one !== undefined)).toEqual([]);
      const isAll = shares.reduce((sum, share) => sum + share) === 80;
      expect(!isAll || (await several[0]?.takeSend(number, undefined)) !== undefined).toBe(true);
    }
  });

  it("share fairly: who wishes for little gets it, the others the same", async () => {
    const number = freshNumber();
    const [quiet, greedy, greedier] = [await open(), await open(), await open()];
    // Until the first of them has given way.
    await offer(greedier, number, { perSecond: 300, seconds: 0.5 });
    const offered = await Promise.all([
      offer(quiet, number, { perSecond: 8, seconds: 6 }),
      offer(greedy, number, { perSecond: 150, seconds: 6 }),
      offer(greedier, number, { perSecond: 300, seconds: 6 }),
    ]);
    const beginMs = now() - 3000;
    const [few, many, more] = offered.map(
      ({ admittedMs }) => admittedMs.filter((atMs) => atMs > beginMs).length / 3,
    ) as [number, number, number];
    expect(few).toBeGreaterThanOrEqual(6.5);
    expect(many + more).toBeGreaterThan(55);
    expect(Math.abs(many - more)).toBeLessThan(10);
    expect(mostInASecond(...offered.map(({ admittedMs }) => admittedMs))).toBeLessThanOrEqual(80);
  });

  it("hold the limit in processes of their own, and take over from one that is killed", async () => {
    const { phoneNumberId } = freshNumber();
    const killed = spawnSender(phoneNumberId, 60);
    expect(await killed.line()).toBe("begun");
    const left = spawnSender(phoneNumberId, 5);
    expect(await left.line()).toBe("begun");
    const beginMs = now();
    await eventually(() => now() - beginMs > 1500);
    await kill(killed.child);
    const killedMs = now();
    const times = JSON.parse(await left.line()) as number[];
    expect(mostInASecond(times)).toBeLessThanOrEqual(80);
    const after = times.filter((atMs) => atMs > killedMs + 2300 && atMs <= killedMs + 3300);
    expect(after.length).toBeGreaterThan(70);
    expect(times.filter((atMs) => atMs < killedMs && atMs > killedMs - 1000).length).toBeLessThan(
      65,
    );
  });

  it("give back at once what a process holds that stops", async () => {
    const number = freshNumber();
    const [first, second] = [await open(), await open()];
    expect(await burst(first, number, 60)).toBe(60);
    await first.stop();
    // Its lease would have lasted a second more; only what it used has to be waited for.
    const stoppedMs = now();
    await eventually(() => now() - stoppedMs > 1030);
    expect(await burst(second, number, 80)).toBe(80);
  });

  it("slow down together when upstream complains to one", async () => {
    const number = freshNumber();
    const [first, second] = [await open(), await open()];
    const answer = {
      status: 429,
      headers: { "retry-after": "1" },
      body: Buffer.from(""),
      limit: "number" as const,
    };
    expect(await second.takeSend(number, undefined)).toBeUndefined();
    first.learn(number, { ...answer, user: undefined });
    expect(await first.takeSend(number, undefined)).toMatchObject({ limit: "number" });
    const fresh = await open();
    expect(await fresh.takeSend(number, undefined)).toMatchObject({ limit: "number" });
    const { admittedMs } = await offer(second, number, { perSecond: 300, seconds: 4 });
    expect(
      mostInASecond(admittedMs.filter((atMs) => atMs > (admittedMs[0] ?? 0) + 1000)),
    ).toBeLessThanOrEqual(40);
  });

  it("keep uploads within their own limit", async () => {
    const number = freshNumber();
    const two = [await open(), await open()];
    const offered = await Promise.all(
      two.map((throttle) =>
        offerLoad({ take: () => throttle.takeUpload(number), perSecond: 60, seconds: 3, now }),
      ),
    );
    const times = offered.map(({ admittedMs }) => admittedMs);
    expect(mostInASecond(...times)).toBeLessThanOrEqual(25);
    expect(times.flat().length).toBeGreaterThan(40);
  });

  it.each(["one after the other", "all at once"])(
    "let three more of a pair through for each process than its burst, at most: %s",
    async (how) => {
      const number = freshNumber(1000);
      const three = [await open(), await open(), await open()];
      const sends: (Refusal | undefined)[] = [];
      const take = async (i: number) => (three[i % 3] as Throttle).takeSend(number, "user");
      if (how === "all at once") {
        sends.push(...(await Promise.all(Array.from({ length: 90 }, (_, i) => take(i)))));
      } else {
        for (let i = 0; i < 90; i += 1) {
          sends.push(await take(i));
        }
      }
      const refused = sends.filter((refusal) => refusal !== undefined);
      expect(refused.every(({ limit }) => limit === "pair")).toBe(true);
      expect(sends.length - refused.length).toBeGreaterThanOrEqual(45);
      expect(sends.length - refused.length).toBeLessThanOrEqual(45 + 3 * 3);
    },
  );

  it("know a pair's burst that another process has used up", async () => {
    const number = freshNumber(1000);
    const [first, second] = [await open(), await open()];
    for (let i = 0; i < 45; i += 1) {
      expect(await first.takeSend(number, "user")).toBeUndefined();
    }
    const sends: unknown[] = [];
    for (let i = 0; i < 6; i += 1) {
      sends.push(await second.takeSend(number, "user"));
    }
    expect(sends.filter((refusal) => refusal === undefined)).toHaveLength(3);
  });

  it("count failing look-ups of media together", async () => {
    const number = freshNumber();
    const two = [await open(), await open()];
    let went = 0;
    for (let i = 0; i < 40; i += 1) {
      const throttle = two[i % 2] as Throttle;
      if (throttle.takeMediaLookup(number, `bad-${i}`) === undefined) {
        went += 1;
        throttle.noteMediaLookup(number, `bad-${i}`, false);
        // The other process is to know of it before the next one.
        await throttle.takeSend(freshNumber(), undefined);
      }
    }
    expect(went).toBeGreaterThanOrEqual(15);
    expect(went).toBeLessThanOrEqual(16);
  });
});

/** Many calls at once; how many were let through. */
async function burst(throttle: Throttle, number: ThrottledNumber, calls: number): Promise<number> {
  const take = async () => throttle.takeSend(number, undefined);
  const refusals = await Promise.all(Array.from({ length: calls }, take));
  return refusals.filter((refusal) => refusal === undefined).length;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
