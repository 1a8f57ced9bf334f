import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import { type ApplyEvents, valueOf } from "./follow-events.ts";
import { isMediaId, mediaIdsOf, NAMES_MEDIA } from "./parse-media-ids.ts";
import { findUnread } from "./unread-events.ts";
import { createWriteBehind } from "./write-behind.ts";

export type SeenMediaId = { tenantId: string; phoneNumberId: string; mediaId: string };

export type MediaIds = {
  /** A media id was seen on a number, as by an upload. Written behind. */
  note(tenantId: string, phoneNumberId: string, mediaId: string): void;
  /** The number it was last seen on: in memory, in the database, or in what is not followed yet. */
  find(tenantId: string, mediaId: string): Promise<string | undefined>;
  /** Notes those of inbound messages. */
  apply: ApplyEvents;
  drain(): Promise<void>;
};

const REMEMBERED_MAX = 10_000;
const KEPT_DAYS = 30;
const PRUNE_BATCH = 5000;

/**
 * Which number a media id belongs to, for calls that name none. What is remembered needs no
 * forgetting: whoever asks checks that the number is still the tenant's.
 */
export function createMediaIds(options: {
  db: Database;
  onError: (error: unknown) => void;
  onDropped: (count: number) => void;
}): MediaIds {
  const { db, onError, onDropped } = options;
  const remembered = new Map<string, string>();
  const behind = createWriteBehind<SeenMediaId, readonly SeenMediaId[]>({
    pack: (seen) => seen,
    write: (seen) => writeMediaIds(db, seen),
    split: (seen) => seen.map((each) => [each]),
    weigh: () => 0,
    onError,
    onDropped,
  });

  function remember({ tenantId, phoneNumberId, mediaId }: SeenMediaId): void {
    const key = `${tenantId} ${mediaId}`;
    remembered.delete(key);
    remembered.set(key, phoneNumberId);
    if (remembered.size > REMEMBERED_MAX) {
      remembered.delete(remembered.keys().next().value ?? "");
    }
  }

  async function findStored(tenantId: string, mediaId: string): Promise<string | undefined> {
    const row = await db
      .selectFrom("media_id")
      .select("phone_number_id")
      .where("tenant_id", "=", tenantId)
      .where("media_id", "=", mediaId)
      .executeTakeFirst();
    return row?.phone_number_id;
  }

  /** A tenant is told of a message at once, and may ask for its media before the follower has it. */
  async function findInUnread(tenantId: string, mediaId: string): Promise<string | undefined> {
    const unread = await findUnread(db, { tenantId, types: NAMES_MEDIA, texts: [mediaId] });
    return unread
      .flatMap(({ type, phone_number_id: phoneNumberId, body }) =>
        mediaIdsOf({ tenantId, type, phoneNumberId, value: valueOf(body) }),
      )
      .findLast((seen) => seen.mediaId === mediaId)?.phoneNumberId;
  }

  return {
    note(tenantId, phoneNumberId, mediaId) {
      const seen = { tenantId, phoneNumberId, mediaId };
      remember(seen);
      behind.add(seen);
    },
    async find(tenantId, mediaId) {
      const known = remembered.get(`${tenantId} ${mediaId}`);
      if (known !== undefined || !isMediaId(mediaId)) {
        return known;
      }
      const found =
        (await findStored(tenantId, mediaId)) ??
        (await findInUnread(tenantId, mediaId)) ??
        // What was followed between these two was in neither.
        (await findStored(tenantId, mediaId));
      if (found !== undefined) {
        remember({ tenantId, mediaId, phoneNumberId: found });
      }
      return found;
    },
    apply: (trx, events) => writeMediaIds(trx, events.flatMap(mediaIdsOf)),
    drain: () => behind.drain(),
  };
}

/** In the order of the key, so that two writers of the same ones cannot deadlock. */
async function writeMediaIds(
  db: Database | DatabaseTransaction,
  seen: readonly SeenMediaId[],
): Promise<void> {
  if (seen.length === 0) {
    return;
  }
  await sql`
    insert into media_id (tenant_id, media_id, phone_number_id)
    select tenant_id, media_id, (array_agg(phone_number_id order by place desc))[1]
    from unnest(
      ${seen.map(({ tenantId }) => tenantId)}::text[], ${seen.map(({ mediaId }) => mediaId)}::text[],
      ${seen.map(({ phoneNumberId }) => phoneNumberId)}::text[]
    ) with ordinality as g (tenant_id, media_id, phone_number_id, place)
    join tenant t on t.id = g.tenant_id
    group by tenant_id, media_id order by tenant_id, media_id
    on conflict (tenant_id, media_id) do update
      set phone_number_id = excluded.phone_number_id, seen_at = now()`.execute(db);
}

/** 360dialog keeps media for 30 days at most; called once an hour. */
export async function pruneMediaIds(db: Database): Promise<void> {
  const { numAffectedRows = 0n } = await sql`
    delete from media_id where (tenant_id, media_id) in (
      select tenant_id, media_id from media_id
      where seen_at < now() - make_interval(days => ${KEPT_DAYS}) limit ${PRUNE_BATCH})`.execute(
    db,
  );
  if (numAffectedRows === BigInt(PRUNE_BATCH)) {
    await pruneMediaIds(db);
  }
}
