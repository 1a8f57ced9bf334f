import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sql } from "kysely";
import { readEvents } from "../src/events/read-events.ts";
import { readDeliveries } from "../src/fanout/read-deliveries.ts";
import { Secret } from "../src/secret.ts";
import { openDatabase } from "../src/store/database.ts";
import type { Benchmark } from "./main.ts";
import {
  DEAD_ENDPOINT,
  endpointId,
  loadHistory,
  PAUSED_ENDPOINT,
  TENANT,
} from "./pages/load-history.ts";
import { openPostgres } from "./support/postgres.ts";

const PAGE_MS_MAX = 50;
const TIMES = 21;
const DAY_MS = 86_400_000;

type Filter = Omit<Partial<Parameters<typeof readDeliveries>[2]>, "limit">;

const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS);

/** Each page from its list's beginning, and from the middle of the history. */
const FILTERS: Record<string, Filter> = {
  all: {},
  "of an endpoint": { endpointId: endpointId(0) },
  "of an endpoint, delivered": { endpointId: endpointId(0), state: "delivered" },
  "of an endpoint, exhausted (none)": { endpointId: endpointId(0), state: "exhausted" },
  "of a dead endpoint, delivered (none)": { endpointId: DEAD_ENDPOINT, state: "delivered" },
  exhausted: { state: "exhausted" },
  "cancelled (none)": { state: "cancelled" },
  held: { state: "held" },
  "pending (none)": { state: "pending" },
  "delivering (none)": { state: "delivering" },
  "of a paused endpoint, held": { endpointId: PAUSED_ENDPOINT, state: "held" },
  "since yesterday": { from: ago(1.5) },
  "of a day, of an endpoint": { endpointId: endpointId(1), from: ago(10), to: ago(9) },
  "before all": { to: ago(60) },
  "of one event": { eventId: `evt_${"7".padStart(26, "0")}` },
};

/** How long a page takes over a long history. */
export const benchmark: Benchmark = {
  summary: "pages of 50 over --rows N deliveries of one tenant",
  async run(write, args) {
    const { values } = parseArgs({
      args,
      options: { rows: { type: "string", default: "10000000" } },
    });
    const dataDir = await mkdtemp(join(tmpdir(), "wg-pages-"));
    const postgres = await openPostgres(dataDir);
    try {
      const url = new Secret(await postgres.createDatabase());
      const loader = openDatabase({
        url,
        connectionsMax: 1,
        statementTimeoutMs: 0,
        onIdleError: () => {},
      });
      const startMs = performance.now();
      await loadHistory(loader.db, {
        deliveries: Number(values.rows),
        onDay: (day) => day % 10 === 0 && write(`loaded ${day} days`),
      });
      await loader.close();
      write(`${values.rows} rows in ${((performance.now() - startMs) / 1000).toFixed(0)} s\n`);
      const { db, close } = openDatabase({ url, onIdleError: () => {} });
      const { rows } = await sql<{ xid: string; seq: string; id: string; live: string | null }>`
        select event_xid as xid, event_seq as seq, id,
          (select id from delivery where created_at >= ${ago(15)} limit 1) as live
        from delivery_finished where created_at >= ${ago(15)} limit 1`.execute(db);
      const [row] = rows;
      if (row === undefined || row.live === null) {
        throw new Error("of 15 days ago there is no delivery of both kinds: more --rows");
      }
      const middle = [row.xid, row.seq, ""];

      write("page                                       median ms   worst ms");
      const measured = async (name: string, read: () => Promise<unknown>): Promise<void> => {
        const each: number[] = [];
        for (let n = 0; n < TIMES; n++) {
          const beganMs = performance.now();
          await read();
          each.push(performance.now() - beganMs);
        }
        const sorted = each.toSorted((left, right) => left - right);
        const [median = 0, worst = 0] = [sorted[Math.floor(TIMES / 2)], sorted.at(-1)];
        const verdict = median <= PAGE_MS_MAX ? "" : "   over the bar";
        write(
          `${name.padEnd(42)}${median.toFixed(1).padStart(10)}${worst.toFixed(1).padStart(11)}${verdict}`,
        );
      };
      for (const [name, filter] of Object.entries(FILTERS)) {
        for (const after of [undefined, middle]) {
          const page = { among: null, ...filter, limit: 50, after };
          await measured(`deliveries ${name}${after ? ", middle" : ""}`, () =>
            readDeliveries(db, TENANT, page),
          );
        }
      }
      for (const [name, id] of [
        ["that waits", row.live],
        ["that is finished", row.id],
        ["that is not there", "dlv_x0123456789ab0123456789abc"],
      ] as const) {
        const page = { among: null, id, limit: 50, after: undefined };
        await measured(`the delivery ${name}, by its id`, () => readDeliveries(db, TENANT, page));
      }
      const events = { among: null, limit: 50, after: undefined };
      await measured("events all", () => readEvents(db, TENANT, events));
      await measured("events since yesterday", () =>
        readEvents(db, TENANT, { ...events, from: ago(1.5) }),
      );
      await close();
    } finally {
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};
