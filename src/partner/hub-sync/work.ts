import { setTimeout as sleep } from "node:timers/promises";
import { type Selectable, sql } from "kysely";
import type { OwnCall } from "../../dialog360/messaging.ts";
import type { PartnerApi } from "../../dialog360/partner.ts";
import { keepWorkingAlone } from "../../store/alone.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import type { HubSyncTable } from "../../store/schema/hub-sync.ts";
import { compareChannels } from "./compare.ts";
import { compareNumber, type Difference } from "./differences.ts";

type HubSync = Selectable<HubSyncTable>;

const LOOK_ANYWAY_MS = 5 * 60_000;
const PAGE_CHANNELS = 200;
const PAGE_NUMBERS = 20;
/** Between calls of the Partner API. */
const PAUSE_MS = 200;
const TRIES_MAX = 5;
/** Doubled with each failure. */
const RETRY_AFTER_SECONDS = 5;

/** Whether a comparison is under way; for a look once a second. */
export const SOMETHING_TO_COMPARE = sql<boolean>`
  select exists (select from hub_sync where state = 'running' and due_at <= now())`;

type Deps = { db: Database; partnerApi: PartnerApi | undefined; onError: (error: unknown) => void };

/** Works on comparisons, oldest first. */
export function compareWithHub(deps: Deps): ReturnType<typeof keepWorkingAlone> {
  const { db, partnerApi } = deps;
  return keepWorkingAlone({
    ...deps,
    lock: "hub_sync",
    lookAnywayMs: LOOK_ANYWAY_MS,
    async step() {
      const sync = partnerApi && (await findDue(db));
      if (partnerApi === undefined || sync === undefined) {
        return undefined;
      }
      const read = sync.stage === "channels" ? readChannels : readNumbers;
      await read(db, partnerApi, sync);
      return PAUSE_MS;
    },
  });
}

async function findDue(db: Database): Promise<HubSync | undefined> {
  return db
    .selectFrom("hub_sync")
    .selectAll()
    .where("state", "=", "running")
    .where("due_at", "<=", sql<Date>`now()`)
    .orderBy("due_at")
    .limit(1)
    .executeTakeFirst();
}

/** The next page of channels: what differs and how far it is read is one commit. */
async function readChannels(db: Database, api: PartnerApi, sync: HubSync): Promise<void> {
  const page = { limit: PAGE_CHANNELS, offset: sync.next_offset };
  const call = await api.listChannels(page);
  if (call.kind !== "ok") {
    await noteFailure(db, sync, call);
    return;
  }
  const { rows: channels, total } = call.value;
  const next = sync.next_offset + PAGE_CHANNELS;
  const { differences, numberIds } = await compareChannels(db, { channels, rules: sync.rules });
  await db.transaction().execute(async (trx) => {
    await writeDifferences(trx, sync.id, differences);
    await noteSeen(trx, sync.id, numberIds);
    await trx
      .updateTable("hub_sync")
      .set({
        next_offset: next,
        channels: sync.channels + channels.length,
        failed_count: 0,
        stage: next < total ? "channels" : "numbers",
      })
      .where("id", "=", sync.id)
      .execute();
  });
}

/** The numbers whose channels were not in the list are asked for one by one: a list may shift while it is read. */
async function readNumbers(db: Database, api: PartnerApi, sync: HubSync): Promise<void> {
  const rows = await db
    .selectFrom("phone_number as n")
    .selectAll("n")
    .where("n.id", ">", sync.next_number_id)
    .where("n.channel_id", "is not", null)
    .where(
      sql<boolean>`not exists (
        select from hub_sync_seen s where s.sync_id = ${sync.id} and s.number_id = n.id)`,
    )
    .orderBy("n.id")
    .limit(PAGE_NUMBERS)
    .execute();
  const differences: Difference[] = [];
  for (const row of rows) {
    const call = await api.findChannel(row.channel_id ?? "");
    if (call.kind !== "ok") {
      await noteFailure(db, sync, call);
      return;
    }
    differences.push(...compareNumber(row, call.value));
    await sleep(PAUSE_MS);
  }
  const last = rows.at(-1);
  await db.transaction().execute(async (trx) => {
    await writeDifferences(trx, sync.id, differences);
    await trx
      .updateTable("hub_sync")
      .set(
        last === undefined
          ? { state: "finished", finished_at: sql<Date>`now()` }
          : { next_number_id: last.id, failed_count: 0 },
      )
      .where("id", "=", sync.id)
      .execute();
  });
}

async function writeDifferences(
  trx: DatabaseTransaction,
  syncId: string,
  differences: readonly Difference[],
): Promise<void> {
  if (differences.length > 0) {
    await trx
      .insertInto("hub_difference")
      .values(differences.map((difference) => ({ sync_id: syncId, ...difference })))
      // A channel that comes again on the next page.
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

async function noteSeen(
  trx: DatabaseTransaction,
  syncId: string,
  numberIds: readonly string[],
): Promise<void> {
  await sql`
    insert into hub_sync_seen (sync_id, number_id)
    select ${syncId}, unnest(${[...numberIds]}::text[]) on conflict do nothing`.execute(trx);
}

async function noteFailure(
  db: Database,
  sync: HubSync,
  call: Exclude<OwnCall<unknown>, { kind: "ok" }>,
): Promise<void> {
  const failed_count = sync.failed_count + 1;
  const failure = describeFailure(call);
  await db
    .updateTable("hub_sync")
    .set(
      failed_count < TRIES_MAX
        ? {
            failed_count,
            failure,
            due_at: sql<Date>`now() + make_interval(secs => ${RETRY_AFTER_SECONDS * 2 ** sync.failed_count})`,
          }
        : { failed_count, failure, state: "failed", finished_at: sql<Date>`now()` },
    )
    .where("id", "=", sync.id)
    .execute();
}

function describeFailure(call: Exclude<OwnCall<unknown>, { kind: "ok" }>): string {
  switch (call.kind) {
    case "key_rejected":
      return "360dialog does not take D360_PARTNER_API_KEY.";
    case "refused":
      return `360dialog's Partner API answered ${call.status}: ${call.detail}.`;
    case "unreachable":
      return "360dialog's Partner API could not be reached.";
    default:
      return call satisfies never;
  }
}

/** What was compared long ago; called once an hour. */
export async function pruneHubSyncs(db: Database): Promise<void> {
  await sql`delete from hub_sync where created_at < now() - interval '30 days'`.execute(db);
}
