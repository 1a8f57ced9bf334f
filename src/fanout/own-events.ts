import { createHash } from "node:crypto";
import { type NewEvent, writeOwnEvent } from "../events/write-notifications.ts";
import type { DatabaseTransaction } from "../store/database.ts";
import type { ConditionChange } from "./write-conditions.ts";

/**
 * Tells the tenant's other endpoints that this one takes nothing any more: once, because the change
 * and the event are one commit. In an envelope like Meta's, so that every format can hold it.
 */
export async function tellDisabled(
  trx: DatabaseTransaction,
  { endpoint }: ConditionChange,
): Promise<void> {
  const disabledAt = new Date().toISOString();
  const value = { endpoint_id: endpoint.id, url: endpoint.url, disabled_at: disabledAt };
  await writeOwnEvent(trx, ownEvent(endpoint, "endpoint.disabled", value), {
    exceptEndpointId: endpoint.id,
  });
}

/** An event of ours in an envelope like Meta's. */
export function ownBody(tenantId: string, type: string, value: object): Buffer {
  const entry = [{ id: tenantId, changes: [{ field: type, value }] }];
  return Buffer.from(JSON.stringify({ object: "waba_gateway", entry }));
}

function ownEvent(
  endpoint: ConditionChange["endpoint"],
  type: string,
  value: { endpoint_id: string },
): NewEvent {
  const { tenant_id: tenantId, phone_number_ids: numbers } = endpoint;
  const body = ownBody(tenantId, type, value);
  return {
    tenantId,
    type,
    // An endpoint of one number concerns whoever listens for that number.
    phoneNumberId: numbers?.length === 1 ? (numbers[0] ?? null) : null,
    wabaId: null,
    identity: createHash("sha256").update(body).digest(),
    conversation: null,
    body,
  };
}
