import { type Selectable, sql } from "kysely";
import type { Schemas } from "../../http/contract-types.ts";
import { newId } from "../../ids.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import type { OnboardingLinkTable } from "../../store/schema/onboarding.ts";

export type OnboardingLinkRow = Selectable<OnboardingLinkTable>;

/** Long enough for a customer who gets it by mail. */
const LIVES_DAYS = 7;
/** Who asks afterwards what became of it is told so for so long. */
const KEPT_DAYS = 90;

export async function createLink(
  db: Database,
  tenantId: string,
  { wantedClientId, opened }: { wantedClientId: string | null; opened: boolean },
): Promise<OnboardingLinkRow> {
  return db
    .insertInto("onboarding_link")
    .values({
      id: newId("onb"),
      tenant_id: tenantId,
      wanted_client_id: wantedClientId,
      expires_at: new Date(Date.now() + LIVES_DAYS * 86_400_000),
      opened_at: opened ? sql`clock_timestamp()` : null,
      used_at: null,
      outcome: null,
      refusal: null,
      hub_client_id: null,
      channel_ids: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Why a link does not count, or `undefined` where it does. */
export function whyUnusable(link: OnboardingLinkRow): "link_used" | "link_expired" | undefined {
  if (link.used_at !== null) {
    return "link_used";
  }
  return link.expires_at.getTime() <= Date.now() ? "link_expired" : undefined;
}

/** The link as it is, locked where a transaction asks; `undefined` for one that is not this tenant's. */
export async function findLink(
  db: Database | DatabaseTransaction,
  { linkId, tenantId }: { linkId: string; tenantId: string },
  { lock = false }: { lock?: boolean } = {},
): Promise<OnboardingLinkRow | undefined> {
  return db
    .selectFrom("onboarding_link")
    .selectAll()
    .where("id", "=", linkId)
    .where("tenant_id", "=", tenantId)
    .$if(lock, (q) => q.forUpdate())
    .executeTakeFirst();
}

/** The last opening counts: what was heard before it proves nothing about who comes back. */
export async function noteOpened(db: Database, linkId: string): Promise<void> {
  await db
    .updateTable("onboarding_link")
    .set({ opened_at: sql`clock_timestamp()` })
    .where("id", "=", linkId)
    .where("used_at", "is", null)
    .execute();
}

/** What a return came to; from here on the link is used. */
export async function useLink(
  trx: DatabaseTransaction,
  link: OnboardingLinkRow,
  used: {
    outcome: NonNullable<OnboardingLinkRow["outcome"]>;
    refusal: string | null;
    hubClientId: string;
    channelIds: string[];
  },
): Promise<void> {
  await trx
    .updateTable("onboarding_link")
    .set({
      used_at: sql`now()`,
      outcome: used.outcome,
      refusal: used.refusal,
      hub_client_id: used.hubClientId,
      channel_ids: used.channelIds,
    })
    .where("id", "=", link.id)
    .execute();
}

export async function listLinks(
  db: Database,
  page: {
    limit: number;
    after: string[] | undefined;
    tenantId: string | undefined;
    outcome: OnboardingLinkRow["outcome"] | undefined;
  },
): Promise<OnboardingLinkRow[]> {
  const { outcome = null } = page;
  return db
    .selectFrom("onboarding_link")
    .selectAll()
    .$if(page.tenantId !== undefined, (q) => q.where("tenant_id", "=", page.tenantId ?? ""))
    .$if(outcome !== null, (q) => q.where("outcome", "=", outcome))
    .$if(page.after !== undefined, (q) => q.where("id", ">", page.after?.[0] ?? ""))
    .orderBy("id")
    .limit(page.limit + 1)
    .execute();
}

/** Called once an hour. What waits for a person is kept. */
export async function pruneLinks(db: Database): Promise<void> {
  await db
    .deleteFrom("onboarding_link")
    .where("expires_at", "<", sql<Date>`now() - make_interval(days => ${KEPT_DAYS})`)
    .where("outcome", "is distinct from", "needs_confirmation")
    .execute();
}

export function presentLink(link: OnboardingLinkRow): Schemas["OnboardingLinkState"] {
  const unusable = link.outcome === null ? whyUnusable(link) : undefined;
  return {
    id: link.id,
    tenant_id: link.tenant_id,
    state:
      link.outcome ??
      (unusable === undefined ? (link.opened_at === null ? "new" : "opened") : "expired"),
    code: link.refusal,
    client_id: link.hub_client_id,
    channel_ids: link.channel_ids ?? [],
    created_at: link.created_at.toISOString(),
    expires_at: link.expires_at.toISOString(),
    opened_at: link.opened_at?.toISOString() ?? null,
    used_at: link.used_at?.toISOString() ?? null,
  };
}
