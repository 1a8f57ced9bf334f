import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import type { PartnerApi } from "../../dialog360/partner.ts";
import type { Secret } from "../../secret.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import { auditJob } from "../audit/record-audit.ts";
import { readState } from "./link-state.ts";
import { findLink, type OnboardingLinkRow, useLink, whyUnusable } from "./links.ts";
import { beginAnew, noteChannel } from "./note-channel.ts";
import { findOwners } from "./owner-of-client.ts";
import { parseReturn, type ReturnQuery } from "./parse-return.ts";
import type { Refusal, Refusals } from "./refusals.ts";

/** What a return came to; each has its words on the page. */
export type ReturnOutcome =
  | { kind: "accepted"; channelCount: number; revokedCount: number }
  | { kind: "needs_confirmation" }
  | { kind: "nothing_shared" }
  | { kind: "unreachable" }
  | { kind: "refused"; code: Refusal };

export type TakeReturn = (query: Record<string, unknown>) => Promise<ReturnOutcome>;

const OPERATION = "completeOnboarding";

/**
 * Judges what comes back from 360dialog's page. Nothing in its query is proved by itself: the state must
 * be one that we signed, the channels must be the client's by the Partner API, and the client this
 * tenant's, or nobody's and just heard of. Every return but one that shares nothing is in the audit, and
 * counts there where it used no link up.
 */
export function createTakeReturn(options: {
  db: Database;
  partnerApi: PartnerApi | undefined;
  platformSecret: Secret | undefined;
  refusals: Refusals;
  /** There is a channel to look at; told after the commit. */
  onNoted: () => void;
}): TakeReturn {
  const { db, partnerApi, platformSecret, refusals, onNoted } = options;

  async function refuse(
    code: Refusal,
    link: OnboardingLinkRow | undefined,
  ): Promise<ReturnOutcome> {
    await refusals.note({ operation: OPERATION, code, link });
    return { kind: "refused", code };
  }

  return async (query) => {
    const given = parseReturn(query);
    const stateText = typeof query["state"] === "string" ? query["state"] : "";
    const state = platformSecret && readState(stateText, platformSecret);
    const link = state && (await findLink(db, state));
    if (link === undefined || partnerApi === undefined) {
      return refuse("link_invalid", undefined);
    }
    const unusable = whyUnusable(link) ?? (given === undefined ? "query_invalid" : undefined);
    if (unusable !== undefined || given === undefined) {
      return refuse(unusable ?? "query_invalid", link);
    }
    const { hubClientId } = given;
    if (hubClientId === undefined) {
      return { kind: "nothing_shared" };
    }
    const verified = await verify(partnerApi, { ...given, hubClientId });
    if (verified === "unreachable") {
      return { kind: "unreachable" };
    }
    if (verified) {
      await awaitEvent(db, link, { ...given, hubClientId });
    }
    const outcome = await db.transaction().execute(async (trx) => {
      const locked = await findLink(
        trx,
        { linkId: link.id, tenantId: link.tenant_id },
        { lock: true },
      );
      return locked === undefined || whyUnusable(locked) !== undefined
        ? undefined
        : judge(trx, locked, { ...given, hubClientId, verified });
    });
    if (outcome === undefined) {
      // Another return was faster.
      return refuse("link_used", link);
    }
    onNoted();
    return outcome;
  };
}

type Judged = Omit<ReturnQuery, "state" | "hubClientId"> & {
  hubClientId: string;
  verified: boolean;
};

async function judge(
  trx: DatabaseTransaction,
  link: OnboardingLinkRow,
  { hubClientId, channelIds, revokedIds, verified }: Judged,
): Promise<ReturnOutcome> {
  const outcome = await decideOn(trx, link, { hubClientId, channelIds, revokedIds, verified });
  const isRefused = outcome.kind === "refused";
  await useLink(trx, link, {
    outcome: isRefused
      ? "refused"
      : outcome.kind === "accepted"
        ? "accepted"
        : "needs_confirmation",
    refusal: isRefused ? outcome.code : null,
    hubClientId,
    channelIds,
  });
  return judged(trx, link, outcome, { client_id: hubClientId, channel_id: channelIds.join(" ") });
}

async function decideOn(
  trx: DatabaseTransaction,
  link: OnboardingLinkRow,
  { hubClientId, channelIds, revokedIds, verified }: Judged,
): Promise<ReturnOutcome> {
  const tenantId = link.tenant_id;
  const named = [...channelIds, ...revokedIds];
  const owners = await findOwners(trx, { hubClientId, channelIds: named });
  if ([...owners].some((owner) => owner !== tenantId)) {
    return { kind: "refused", code: "channel_taken" };
  }
  if (!verified) {
    return { kind: "refused", code: "client_unverified" };
  }
  if (!owners.has(tenantId) && !(await heardSinceOpened(trx, link, hubClientId))) {
    return { kind: "needs_confirmation" };
  }
  return acceptChannels(trx, { tenantId, hubClientId, channelIds, revokedIds, by: link.id });
}

/** The channels of a client that is this tenant's, or becomes it now. */
export async function acceptChannels(
  trx: DatabaseTransaction,
  accepted: {
    tenantId: string;
    hubClientId: string;
    channelIds: readonly string[];
    revokedIds: readonly string[];
    by: string;
  },
): Promise<ReturnOutcome> {
  const { tenantId, hubClientId, channelIds, revokedIds, by } = accepted;
  // In one order, so that two returns at once cannot wait for each other.
  for (const id of [...new Set([...channelIds, ...revokedIds])].toSorted()) {
    if ((await noteChannel(trx, { channel: { id, hubClientId }, tenantId, by })) !== "noted") {
      return { kind: "refused", code: "channel_taken" };
    }
    if (channelIds.includes(id)) {
      await beginAnew(trx, id);
    }
  }
  return { kind: "accepted", channelCount: channelIds.length, revokedCount: revokedIds.length };
}

const EVENT_COMES_WITHIN_MS = 3000;
const LOOK_EVERY_MS = 200;

/** The browser may be faster than the event of the same signup: it waits for it a moment. */
async function awaitEvent(
  db: Database,
  link: OnboardingLinkRow,
  client: { hubClientId: string; channelIds: string[] },
): Promise<void> {
  if ((await findOwners(db, client)).size > 0) {
    return;
  }
  const endAtMs = performance.now() + EVENT_COMES_WITHIN_MS;
  while (!(await heardSinceOpened(db, link, client.hubClientId)) && performance.now() < endAtMs) {
    await sleep(LOOK_EVERY_MS);
  }
}

/** Whether 360dialog has told us of the client while the customer was at its page. */
async function heardSinceOpened(
  db: Database | DatabaseTransaction,
  link: OnboardingLinkRow,
  hubClientId: string,
): Promise<boolean> {
  if (link.opened_at === null) {
    return false;
  }
  const { rows } = await sql<{ heard: boolean }>`
    select exists (select from partner_event e, onboarding_link l
      where l.id = ${link.id} and e.hub_client_id = ${hubClientId}
        and e.received_at >= l.opened_at) as heard`.execute(db);
  return rows[0]?.heard === true;
}

const CHANNELS_MAX = 1000;

/** Whether the client has these channels, by the Partner API. */
async function verify(
  partnerApi: PartnerApi,
  given: { hubClientId: string; channelIds: string[]; revokedIds: string[] },
): Promise<boolean | "unreachable"> {
  const { hubClientId: clientId } = given;
  const call = await partnerApi.listChannels({ limit: CHANNELS_MAX, offset: 0, clientId });
  if (call.kind !== "ok") {
    return call.kind === "refused" && (call.status === 403 || call.status === 404)
      ? false
      : "unreachable";
  }
  const own = new Set(
    call.value.rows.filter((row) => row.hubClientId === clientId).map((row) => row.id),
  );
  return own.size > 0 && [...given.channelIds, ...given.revokedIds].every((id) => own.has(id));
}

async function judged(
  trx: DatabaseTransaction,
  link: OnboardingLinkRow,
  outcome: ReturnOutcome,
  about: Record<string, string> = {},
): Promise<ReturnOutcome> {
  await auditJob(trx, OPERATION, {
    target: { link_id: link.id, tenant_id: link.tenant_id, ...about },
    before: null,
    after:
      outcome.kind === "refused"
        ? { state: "refused", kind: outcome.code }
        : { state: outcome.kind },
  });
  return outcome;
}
