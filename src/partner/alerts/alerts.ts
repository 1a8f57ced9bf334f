import { hash } from "node:crypto";
import { type Selectable, sql } from "kysely";
import { NO_TENANT, writeOwnEvent } from "../../events/write-notifications.ts";
import { ownBody } from "../../fanout/own-events.ts";
import { newId } from "../../ids.ts";
import type { DatabaseTransaction } from "../../store/database.ts";
import type { AlertTable } from "../../store/schema/alerts.ts";

export type AlertRow = Selectable<AlertTable>;

export type AlertKind =
  | "key_rejected"
  | "webhook_dropped"
  | "health"
  | "silence"
  | "dialog360_unreachable"
  | "channel_gone";

/** What an alert is about. */
export type AlertSubject =
  | { of: "number"; id: string; tenant_id: string; phone_number_id: string }
  | { of: "endpoint"; id: string; tenant_id: string; phone_number_id: string | null }
  | { of: "tenant"; id: string }
  | { of: "gateway" };

/** A row of `phone_number` as the subject of an alert. */
export function numberSubject(row: {
  id: string;
  tenant_id: string;
  phone_number_id: string;
}): AlertSubject {
  const { id, tenant_id, phone_number_id } = row;
  return { of: "number", id, tenant_id, phone_number_id };
}

/**
 * Raises an alert, unless this one is open already: then only the time at which it was last seen, and
 * how often, change. The event `alert.raised` is of the tenant that the subject belongs to, or without an
 * owner, and in the caller's transaction.
 * @param options.detail what is wrong, in words for a person; without any secret
 * @returns whether it is new
 */
export async function raiseAlert(
  trx: DatabaseTransaction,
  options: { kind: AlertKind; subject: AlertSubject; detail: string },
): Promise<boolean> {
  const { kind, subject, detail } = options;
  const about = columnsOf(subject);
  const row = await trx
    .insertInto("alert")
    .values({ id: newId("alt"), kind, ...about, detail })
    .onConflict((conflict) =>
      conflict
        .columns(["kind", "subject"])
        .where("cleared_at", "is", null)
        .doUpdateSet({ last_seen_at: sql`now()`, count: sql`alert.count + 1` }),
    )
    .returningAll()
    .returning(sql<boolean>`xmax = 0`.as("inserted"))
    .executeTakeFirstOrThrow();
  if (row.inserted) {
    await tell(trx, "alert.raised", row);
  }
  return row.inserted;
}

/**
 * Ends the open alert of this kind about this subject, if there is one, with the event `alert.cleared`.
 * @returns whether there was one
 */
export async function clearAlert(
  trx: DatabaseTransaction,
  options: { kind: AlertKind; subject: AlertSubject },
): Promise<boolean> {
  const row = await trx
    .updateTable("alert")
    .set({ cleared_at: sql`now()` })
    .where("kind", "=", options.kind)
    .where("subject", "=", columnsOf(options.subject).subject)
    .where("cleared_at", "is", null)
    .returningAll()
    .executeTakeFirst();
  if (row !== undefined) {
    await tell(trx, "alert.cleared", row);
  }
  return row !== undefined;
}

function columnsOf(subject: AlertSubject) {
  const none = { tenant_id: null, number_id: null, phone_number_id: null, endpoint_id: null };
  switch (subject.of) {
    case "number": {
      const { id, tenant_id, phone_number_id } = subject;
      return { ...none, subject: id, tenant_id, number_id: id, phone_number_id };
    }
    case "endpoint": {
      const { id, tenant_id, phone_number_id } = subject;
      return { ...none, subject: id, tenant_id, phone_number_id, endpoint_id: id };
    }
    case "tenant":
      return { ...none, subject: subject.id, tenant_id: subject.id };
    case "gateway":
      return { ...none, subject: "" };
    default:
      return subject satisfies never;
  }
}

async function tell(
  trx: DatabaseTransaction,
  type: "alert.raised" | "alert.cleared",
  row: AlertRow,
): Promise<void> {
  const tenantId = row.tenant_id ?? NO_TENANT;
  const value = {
    alert_id: row.id,
    kind: row.kind,
    phone_number_id: row.phone_number_id,
    endpoint_id: row.endpoint_id,
    detail: row.detail,
    raised_at: row.raised_at.toISOString(),
    cleared_at: row.cleared_at?.toISOString() ?? null,
  };
  await writeOwnEvent(trx, {
    tenantId,
    type,
    phoneNumberId: row.phone_number_id,
    wabaId: null,
    identity: hash("sha256", JSON.stringify([type, row.id]), "buffer"),
    conversation: null,
    body: ownBody(tenantId, type, value),
  });
}
