import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { eventually } from "../support/eventually.ts";
import type { Member } from "./member.ts";
import type { Moment } from "./postgres-proxy.ts";
import type { World } from "./world.ts";

export type Trouble = {
  name: string;
  needsRedis?: true;
  /** Brings it about, and returns when all processes run again. */
  cause: (world: World) => Promise<void>;
};

const WRITES = /insert into notification/;
const CLAIMS = /attempt_count = d\.attempt_count \+ 1/;
const SWEEPS = /lease_until < now\(\)\s*returning|lease_until < now\(\)\s*$/m;
const COMES_WITHIN_MS = 20_000;

/** Kills each of them at its next such moment, and waits until they run again. */
async function killEachAt(members: readonly Member[], moment: Moment): Promise<void> {
  await Promise.all(
    members.map(async (member) => {
      let revived: Promise<void> | undefined;
      const struck = member.proxy.strikeAt(moment, () => {
        revived = member.kill();
      });
      await within(struck, `${member.role} never came to ${String(moment.statement)}`);
      await revived;
    }),
  );
}

async function within(work: Promise<void>, otherwise: string): Promise<void> {
  const waiting = new AbortController();
  const late = delay(COMES_WITHIN_MS, undefined, { signal: waiting.signal }).then(() => {
    throw new Error(otherwise);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    waiting.abort();
    await late.catch(() => {});
  }
}

export const KILLS: readonly Trouble[] = [
  {
    name: "killed before the commit",
    cause: ({ apis }) => killEachAt(apis, { statement: WRITES, when: "before" }),
  },
  {
    name: "killed after the commit, before the 200",
    cause: ({ apis }) => killEachAt(apis, { statement: WRITES, when: "committed" }),
  },
  {
    name: "killed within a claim",
    cause: ({ workers }) => killEachAt(workers, { statement: CLAIMS, when: "open" }),
  },
  {
    name: "killed after a claim",
    cause: ({ workers }) => killEachAt(workers, { statement: CLAIMS, when: "committed" }),
  },
  {
    name: "killed after the POST, before settling",
    async cause({ workers, answerBy }) {
      const killed = new Promise<void>((resolve, reject) => {
        answerBy((_received, res) => {
          answerBy();
          Promise.all(workers.map((worker) => worker.kill())).then(() => resolve(), reject);
          res.writeHead(200).end();
        });
      });
      await within(killed, "nothing was delivered");
    },
  },
  {
    name: "killed in the sweeper",
    async cause({ workers, answerBy, query }) {
      // Held in flight, so that there is something whose lease can run out.
      answerBy(() => {});
      await eventually(
        async () => (await query("select from delivery where state = 'delivering'")) > 10,
      );
      const killed = killEachAt(workers, { statement: SWEEPS, when: "open" });
      await query("update delivery set lease_until = now() where state = 'delivering'");
      await killed;
      answerBy();
    },
  },
];

export const SERVERS: readonly Trouble[] = [
  {
    name: "PostgreSQL restarted at once",
    cause: ({ postgres }) => postgres.crashAndRestart(),
  },
  {
    name: "Redis stopped, and started empty",
    needsRedis: true,
    async cause({ redis, acknowledged }) {
      await redis?.stop();
      const before = acknowledged();
      await eventually(() => acknowledged() > before + 100, { withinMs: 20_000 });
      await redis?.start();
    },
  },
  {
    name: "Redis flushed",
    needsRedis: true,
    async cause({ redis }) {
      if (redis !== undefined) {
        const client = new Redis(redis.url);
        await client.flushall();
        client.disconnect();
      }
    },
  },
  {
    name: "half-open connections to PostgreSQL",
    async cause({ apis, workers, acknowledged }) {
      for (const { proxy } of [...apis, ...workers]) {
        proxy.freeze();
      }
      const before = acknowledged();
      await eventually(() => acknowledged() > before + 100, { withinMs: 60_000 });
    },
  },
];

export const SURROUNDINGS: readonly Trouble[] = [
  {
    name: "clocks an hour on, an hour back, and right",
    async cause({ apis, workers, acknowledged }) {
      for (let step = 0; step < 3; step++) {
        for (const member of [...apis, ...workers]) {
          member.signal("SIGUSR2");
        }
        const before = acknowledged();
        await eventually(() => acknowledged() > before + 60, { withinMs: 20_000 });
      }
    },
  },
  {
    name: "a receiver that accepts and never answers",
    async cause({ answerBy }) {
      answerBy((received, res) => {
        if (received.url !== "/one") {
          res.writeHead(200).end();
        }
      });
      await delay(3000);
      answerBy();
    },
  },
  {
    name: "an endpoint held, its workers killed meanwhile",
    async cause({ workers, answerBy, query }) {
      const held = "select from webhook_endpoint where state = 'held'";
      answerBy((received, res) => {
        res.writeHead(received.url === "/two" ? 500 : 200).end();
      });
      await eventually(async () => (await query(held)) === 1, { withinMs: 30_000 });
      await Promise.all(workers.map((worker) => worker.kill()));
      answerBy();
      await eventually(async () => (await query(held)) === 0, { withinMs: 60_000 });
    },
  },
  {
    name: "slow DNS",
    async cause({ dns }) {
      Object.assign(dns.slowness, { delayMs: 900, dropEvery: 3 });
      await delay(4000);
      Object.assign(dns.slowness, { delayMs: 0, dropEvery: 0 });
    },
  },
];
