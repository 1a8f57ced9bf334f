import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import type { Access, EntityHealth, Messaging, OwnCall } from "../../dialog360/messaging.ts";
import type { Origins } from "../../dialog360/origins.ts";
import type { PartnerApi } from "../../dialog360/partner.ts";
import { ApiError } from "../../errors.ts";
import { announceChange } from "../../store/change-feed.ts";
import type { Database } from "../../store/database.ts";
import {
  apiKeySealContext,
  markKeyRejected,
  type PhoneNumberRow,
} from "../../tenancy/phone-numbers.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import { type AlertKind, clearAlert, numberSubject, raiseAlert } from "../alerts/alerts.ts";
import { auditJob } from "../audit/record-audit.ts";
import type { ConnectNumber } from "../connect-number.ts";
import { refreshFromHub } from "./refresh-from-hub.ts";
import { isOurWebhook } from "./webhook.ts";

/** `unreachable`: 360dialog gave no answer, or none that says anything about the number. */
export type Checked = "answered" | "busy" | "unreachable" | "not_asked";

export type CheckDeps = {
  db: Database;
  sealer: Sealer;
  messaging: Messaging;
  partnerApi: PartnerApi | undefined;
  connect: ConnectNumber;
  origins: Origins;
  url: string;
  unusableUrl: string | undefined;
  /** How long a newer key may take to be stored after it has killed the older one. */
  newerKeyWithinMs?: number;
};

const NEWER_KEY_WITHIN_MS = 6000;

/** Compares a running number with how it should be; repairs its webhook, raises and clears alerts. */
export async function checkNumber(deps: CheckDeps, number: PhoneNumberRow): Promise<Checked> {
  const access = accessOf(deps, number);
  if (access === undefined) {
    return "not_asked";
  }
  const webhook = await deps.messaging.findWebhook(access);
  if (webhook.kind === "key_rejected") {
    return rejectKey(deps, number);
  }
  if (webhook.kind !== "ok") {
    return judgeFailure(deps, number, webhook);
  }
  const health = await deps.messaging.checkKey(access);
  if (health.kind === "key_rejected") {
    return rejectKey(deps, number);
  }
  if (health.kind !== "ok") {
    return judgeFailure(deps, number, health);
  }
  await setAlert(deps.db, number, { kind: "key_rejected", wrong: undefined });
  await setAlert(deps.db, number, { kind: "health", wrong: describeIll(health.value.entities) });
  if (deps.unusableUrl === undefined) {
    await keepWebhook(deps, number, { access, webhook: webhook.value });
  }
  return checkChannel(deps, number);
}

function accessOf(deps: CheckDeps, number: PhoneNumberRow): Access | undefined {
  const origin = deps.origins.resolve(number.base_url);
  return origin === undefined || number.api_key_sealed === null
    ? undefined
    : { origin, apiKey: deps.sealer.open(number.api_key_sealed, apiKeySealContext(number)) };
}

/** Raises the alert where something is wrong, and clears it where nothing is. */
export async function setAlert(
  db: Database,
  number: PhoneNumberRow,
  { kind, wrong }: { kind: AlertKind; wrong: string | undefined },
): Promise<void> {
  const subject = numberSubject(number);
  await db.transaction().execute(async (trx) => {
    await (wrong === undefined
      ? clearAlert(trx, { kind, subject })
      : raiseAlert(trx, { kind, subject, detail: wrong }));
  });
}

/** Whether it is the key, or a rotation whose new key is being stored, is known a little later. */
async function rejectKey(deps: CheckDeps, number: PhoneNumberRow): Promise<Checked> {
  const { db, newerKeyWithinMs = NEWER_KEY_WITHIN_MS } = deps;
  await sleep(newerKeyWithinMs);
  const { id, tenant_id: tenantId, api_key_sealed: apiKeySealed } = number;
  await markKeyRejected(db, tenantId, { id, apiKeySealed });
  const now = await db
    .selectFrom("phone_number")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  if (now?.state === "key_rejected") {
    await setAlert(db, now, { kind: "key_rejected", wrong: KEY_REJECTED });
  }
  return "answered";
}

export const KEY_REJECTED = "360dialog refuses the API key of this number: it needs a new one.";

async function judgeFailure(
  deps: CheckDeps,
  number: PhoneNumberRow,
  call: Exclude<OwnCall<unknown>, { kind: "ok" | "key_rejected" }>,
): Promise<Checked> {
  if (call.kind === "unreachable" || call.status >= 500) {
    return "unreachable";
  }
  if (call.status === 429) {
    return "busy";
  }
  const wrong = `360dialog answers ${call.status} for this number: ${call.detail}.`;
  await setAlert(deps.db, number, { kind: "health", wrong });
  return "answered";
}

/** What cannot send as it should, in words; `undefined` where all can. */
export function describeIll(entities: readonly EntityHealth[]): string | undefined {
  const ill = entities.filter(({ canSend }) => canSend === "BLOCKED" || canSend === "LIMITED");
  const words = ill.map(({ type, canSend, reasons }) => [`${type} is ${canSend}`, ...reasons]);
  return ill.length === 0
    ? undefined
    : `Sending is restricted: ${words.map((each) => each.join(": ")).join("; ")}.`;
}

async function keepWebhook(
  deps: CheckDeps,
  number: PhoneNumberRow,
  found: { access: Access; webhook: Parameters<typeof isOurWebhook>[1]["webhook"] },
): Promise<void> {
  const { db, connect, url } = deps;
  const kind = "webhook_dropped";
  if (await isOurWebhook(db, { numberId: number.id, webhook: found.webhook, url })) {
    await setAlert(db, number, { kind, wrong: undefined });
    return;
  }
  const wrong =
    found.webhook === null
      ? "360dialog had no webhook for this number: what came meanwhile may be lost."
      : "360dialog had another webhook for this number: what came meanwhile went there.";
  await setAlert(db, number, { kind, wrong });
  try {
    await connect.registerHook(number, found.access.apiKey);
  } catch (error) {
    if (error instanceof ApiError) {
      // The alert lasts, and the next look tries again.
      return;
    }
    throw error;
  }
  await db.transaction().execute(async (trx) => {
    // Of what was lost meanwhile nothing is known: so not whether a customer service window is shut.
    await trx
      .updateTable("phone_number")
      .set({ watched_since: sql`now()` })
      .where("id", "=", number.id)
      .execute();
    await announceChange(trx, { kind: "tenant", key: number.tenant_id });
    await auditJob(trx, "watch", {
      target: { number_id: number.id },
      before: { kind },
      after: { kind: "webhook_set" },
    });
    await clearAlert(trx, { kind, subject: numberSubject(number) });
  });
}

async function checkChannel(deps: CheckDeps, number: PhoneNumberRow): Promise<Checked> {
  const { db, partnerApi } = deps;
  if (partnerApi === undefined || number.channel_id === null) {
    return "answered";
  }
  const call = await partnerApi.findChannel(number.channel_id);
  if (call.kind !== "ok") {
    return call.kind === "unreachable" ? "unreachable" : "answered";
  }
  const channel = call.value;
  const gone = channel === undefined || channel.terminated;
  const wrong = gone ? "360dialog has ended this number's channel, or has none." : undefined;
  await setAlert(db, number, { kind: "channel_gone", wrong });
  if (channel !== undefined) {
    await db.transaction().execute((trx) => refreshFromHub(trx, number.id, channel));
  }
  return "answered";
}
