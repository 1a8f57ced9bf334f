import { hash } from "node:crypto";
import { NO_TENANT } from "./no-tenant.ts";
import type { NewEvent } from "./write-notifications.ts";

/** What the partner is told of every tenant: how its numbers and endpoints are, never what they say. */
const TOLD_TO_PARTNER = /^(?:endpoint|number|alert|onboarding)\./;

/** Whether events of this type are the partner's to know, whole. */
export function isToldToPartner(type: string): boolean {
  return TOLD_TO_PARTNER.test(type);
}

/**
 * The partner's own copy of a tenant's event: one without an owner, which names the tenant in its
 * envelope. Its endpoints are matched with that, so that those of tenants are matched as ever.
 * @returns `undefined` where the event is not the partner's to know, or is its own already
 */
export function copyForPartner(event: NewEvent): NewEvent | undefined {
  const { tenantId, type, identity, body } = event;
  if (tenantId === NO_TENANT || !isToldToPartner(type)) {
    return undefined;
  }
  return {
    ...event,
    tenantId: NO_TENANT,
    identity: hash(
      "sha256",
      JSON.stringify(["for the partner", identity.toString("hex")]),
      "buffer",
    ),
    body: withTenant(body, tenantId),
  };
}

/**
 * Written into the text, so that every number keeps its digits; as the last member, which is the one
 * that counts. Events of all these types are envelopes.
 */
function withTenant(body: Buffer, tenantId: string): Buffer {
  const withoutBrace = body.toString("utf8").trimEnd().slice(0, -1);
  return Buffer.from(`${withoutBrace},"tenant_id":${JSON.stringify(tenantId)}}`);
}
