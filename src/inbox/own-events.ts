import { hash } from "node:crypto";
import { NO_TENANT } from "../events/no-tenant.ts";
import type { NewEvent } from "../events/write-notifications.ts";
import type { HookOwner } from "../tenancy/hooks.ts";
import type { Fragment } from "./fragment.ts";

/** Which of these tenants sent this message from the number. */
export type FindSender = (message: {
  tenantIds: readonly string[];
  phoneNumberId: string;
  wamid: string;
}) => Promise<string | undefined>;

/**
 * Whose each fragment is. A number's hook yields events for that number only; what belongs to its
 * WABA as a whole goes to each tenant with a number on it; anything else is kept without an owner.
 * Of a number that has moved, the statuses of what another tenant sent before go to that one.
 */
export async function ownEvents(
  fragments: readonly Fragment[],
  owner: HookOwner,
  find: {
    tenantsOfWaba: (wabaId: string) => Promise<string[]>;
    sender: FindSender;
  },
): Promise<NewEvent[]> {
  const owned = await Promise.all(
    fragments.map(async (fragment) => {
      const tenantIds = await ownersOf(fragment, owner, find);
      return tenantIds.map((tenantId) => newEvent(fragment, tenantId, owner));
    }),
  );
  return owned.flat();
}

async function ownersOf(
  fragment: Fragment,
  owner: HookOwner,
  find: Parameters<typeof ownEvents>[2],
): Promise<string[]> {
  const { phoneNumberId, wabaId, type } = fragment;
  if (phoneNumberId !== null) {
    return [
      phoneNumberId === owner.phoneNumberId
        ? ((await findFormerSender(fragment, owner, find.sender)) ?? owner.tenantId)
        : NO_TENANT,
    ];
  }
  if (type === "unknown.notification") {
    // No envelope to contradict the address it came to.
    return [owner.tenantId];
  }
  const tenantIds =
    wabaId !== null && wabaId === owner.wabaId ? await find.tenantsOfWaba(wabaId) : [];
  // None, when the WABA's last number has just gone: kept all the same.
  return tenantIds.length > 0 ? tenantIds : [NO_TENANT];
}

async function findFormerSender(
  { wamid }: Fragment,
  { formerTenantIds: tenantIds, phoneNumberId }: HookOwner,
  findSender: FindSender,
): Promise<string | undefined> {
  return wamid === null || tenantIds.length === 0
    ? undefined
    : findSender({ tenantIds, phoneNumberId, wamid });
}

function newEvent(fragment: Fragment, tenantId: string, owner: HookOwner): NewEvent {
  const { type, wabaId, user, identityParts, body } = fragment;
  // What has no envelope is of the number whose address it came to.
  const phoneNumberId =
    type === "unknown.notification" ? owner.phoneNumberId : fragment.phoneNumberId;
  const scope = identityScope(fragment, tenantId, owner);
  const identity = hash("sha256", JSON.stringify([scope, identityParts]), "buffer");
  const conversation = user === null ? null : conversationOf(phoneNumberId, user);
  return { tenantId, type, phoneNumberId, wabaId, identity, conversation, body };
}

const CONVERSATION_BYTES = 16;

/** A digest, because it is only compared, and a user's number need not stand in one more place. */
function conversationOf(phoneNumberId: string | null, user: string): Buffer {
  const digest = hash("sha256", JSON.stringify([phoneNumberId, user]), "buffer");
  return digest.subarray(0, CONVERSATION_BYTES);
}

/** Never across numbers; what is of a whole WABA is counted for each tenant that gets it. */
function identityScope(fragment: Fragment, tenantId: string, owner: HookOwner): unknown {
  const { phoneNumberId, type } = fragment;
  if (tenantId === NO_TENANT) {
    // What strayed to another's hook must not make a repeat of what its owner has yet to get.
    return ["stray", phoneNumberId];
  }
  return type === "unknown.notification"
    ? ["hook", owner.phoneNumberId]
    : (phoneNumberId ?? ["tenant", tenantId]);
}
