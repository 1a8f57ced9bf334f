import { type RawBuilder, type Selectable, sql } from "kysely";
import { ApiError, InvalidRequest } from "../../errors.ts";
import { newId } from "../../ids.ts";
import { announceChange } from "../../store/change-feed.ts";
import {
  brokenUniqueConstraint,
  type Database,
  type DatabaseTransaction,
} from "../../store/database.ts";
import type { KeyRotationReason, KeyRotationTable } from "../../store/schema/keys.ts";
import type { PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import { lockNumber } from "../numbers.ts";
import { endRejection } from "./key-rejections.ts";

export type KeyRotationRow = Selectable<KeyRotationTable>;

/** Who wants a new key, and why. */
export type RotationWish = {
  reason: Exclude<KeyRotationReason, "given">;
  actor: string | null;
  jobId: string | null;
};

/** A rotation that this process works on, until its lease has lapsed. */
export type LeasedRotation = { rotation: KeyRotationRow; lease: string };

/** Renewed each second; calls wait 5 s, and within that another process must have gone on. */
export const LEASE_SECONDS = 3;

const leaseUntil = sql<Date>`clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})`;

/** Whether a rotation was left by who worked on it, or is to be tried again; for a look once a second. */
export const ROTATION_DUE = sql<boolean>`exists (
  select from key_rotation where closed_at is null and coalesce(retry_at, leased_until) < now())`;

/**
 * Opens a rotation: from its commit on calls of the number wait for the new key.
 * @param options.also done in the same transaction
 * @throws {NotFound}; {InvalidRequest} `channel_id_missing`; {ApiError} `rotation_in_progress`
 */
export async function openRotation(
  db: Database,
  numberId: string,
  options: {
    wish: RotationWish;
    also?: ((trx: DatabaseTransaction, rotationId: string) => Promise<void>) | undefined;
  },
): Promise<LeasedRotation> {
  const { wish, also } = options;
  const [id, lease] = [newId("rot"), newId("rot")];
  try {
    return await db.transaction().execute(async (trx) => {
      const number = await lockNumber(trx, numberId);
      if (number.channel_id === null) {
        const detail = "The number has no channel_id, by which 360dialog could be asked for a key.";
        throw new InvalidRequest([{ code: "channel_id_missing", pointer: "", detail }]);
      }
      const rotation = await trx
        .insertInto("key_rotation")
        .values({
          id,
          number_id: numberId,
          reason: wish.reason,
          actor: wish.actor,
          job_id: wish.jobId,
          lease,
          leased_until: leaseUntil,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await announceChange(trx, { kind: "tenant", key: number.tenant_id });
      await also?.(trx, id);
      return { rotation, lease };
    });
  } catch (error) {
    throw brokenUniqueConstraint(error) === "key_rotation_open"
      ? rotationInProgress({ cause: error })
      : error;
  }
}

export function rotationInProgress(options: { cause?: unknown } = {}): ApiError {
  const detail = "The number's key is being changed already; see its history for what comes of it.";
  return new ApiError("rotation_in_progress", detail, options);
}

/** A key by hand while another is being made would be dead at once. @throws {ApiError} `rotation_in_progress` */
export async function demandNoRotation(db: Database, numberId: string): Promise<void> {
  if ((await findOpenRotation(db, numberId)) !== undefined) {
    throw rotationInProgress();
  }
}

/** The number's rotation that is not closed; with `retry_at` it waits to be tried again. */
export async function findOpenRotation(
  db: Database,
  numberId: string,
): Promise<Pick<KeyRotationRow, "id" | "retry_at"> | undefined> {
  return db
    .selectFrom("key_rotation")
    .select(["id", "retry_at"])
    .where("number_id", "=", numberId)
    .where("closed_at", "is", null)
    .executeTakeFirst();
}

/** Writes down that the number has a key that was made elsewhere, in the transaction of that. */
export async function noteGivenKey(
  trx: DatabaseTransaction,
  number: PhoneNumberRow,
  actor: string | null,
): Promise<void> {
  const now = sql<Date>`clock_timestamp()`;
  await trx
    .insertInto("key_rotation")
    .values({
      id: newId("rot"),
      number_id: number.id,
      reason: "given",
      actor,
      made_at: now,
      closed_at: now,
      key_last4: number.key_last4,
      outcome: "rotated",
    })
    .execute();
  await endRejection(trx, number);
}

/** The oldest rotation that nobody works on and that is due; calls wait for it again. */
export async function takeOverRotation(db: Database): Promise<LeasedRotation | undefined> {
  const lease = newId("rot");
  return db.transaction().execute(async (trx) => {
    const rotation = await trx
      .updateTable("key_rotation")
      .set({
        lease,
        leased_until: leaseUntil,
        retry_at: null,
        attempt_count: sql`attempt_count + 1`,
      })
      .where("id", "=", (q) =>
        q
          .selectFrom("key_rotation")
          .select("id")
          .where("closed_at", "is", null)
          .where(sql<boolean>`coalesce(retry_at, leased_until) < now()`)
          .orderBy("opened_at")
          .limit(1)
          .forUpdate()
          .skipLocked(),
      )
      .returningAll()
      .executeTakeFirst();
    if (rotation === undefined) {
      return undefined;
    }
    await announceRotation(trx, rotation.number_id);
    return { rotation, lease };
  });
}

/** What a rotation has become; `undefined` where another process has gone on with it, or it is gone. */
export async function writeRotation(
  db: Database | DatabaseTransaction,
  { rotation, lease }: LeasedRotation,
  columns: RotationChange,
): Promise<KeyRotationRow | undefined> {
  return db
    .updateTable("key_rotation")
    .set(columns)
    .where("id", "=", rotation.id)
    .where("lease", "=", lease)
    .where("closed_at", "is", null)
    .returningAll()
    .executeTakeFirst();
}

type RotationChange = {
  [Column in keyof KeyRotationRow]?: KeyRotationRow[Column] | RawBuilder<KeyRotationRow[Column]>;
};

/** Keeps others from a rotation while this process works on it. */
export function keepLease(db: Database, leased: LeasedRotation): { stop: () => void } {
  const timer = setInterval(() => {
    // Where this fails the lease lapses, and another process goes on.
    writeRotation(db, leased, { leased_until: leaseUntil }).catch(() => {});
  }, 1000);
  return { stop: () => clearInterval(timer) };
}

/** Makes every process see how the number's rotation stands. */
export async function announceRotation(trx: DatabaseTransaction, numberId: string): Promise<void> {
  const number = await trx
    .selectFrom("phone_number")
    .select("tenant_id")
    .where("id", "=", numberId)
    .executeTakeFirst();
  if (number !== undefined) {
    await announceChange(trx, { kind: "tenant", key: number.tenant_id });
  }
}
