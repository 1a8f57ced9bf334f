import type { Secret } from "../../secret.ts";
import type { Database } from "../../store/database.ts";
import { parsePartnerEvent } from "./partner-event.ts";
import { isPartnerHook } from "./partner-hooks.ts";
import { isSigned } from "./signature.ts";

/** What came to an address that is no number's. */
export type HookCall = {
  token: string;
  /** The value of `x-360dialog-signature`; empty where there is none. */
  signature: string;
  /** The body is read only once the address is known. */
  readBody: () => Promise<Buffer>;
};

/** Stores a partner event, once; `false` where the address or the signature is wrong. */
export type TakePartnerEvent = (call: HookCall) => Promise<boolean>;

export function createTakePartnerEvent(options: {
  db: Database;
  /** Without one nothing can be checked, and everything is refused. */
  platformSecret: Secret | undefined;
  /** Told after the commit. */
  onStored: () => void;
}): TakePartnerEvent {
  const { db, platformSecret, onStored } = options;
  return async ({ token, signature, readBody }) => {
    if (platformSecret === undefined || !(await isPartnerHook(db, token))) {
      return false;
    }
    const body = await readBody();
    if (!isSigned({ body, given: signature, platformSecret })) {
      return false;
    }
    const { identity, event, hubClientId, channelId } = parsePartnerEvent(body);
    await db
      .insertInto("partner_event")
      .values({
        identity,
        event,
        hub_client_id: hubClientId,
        channel_id: channelId,
        body,
        applied_at: null,
        failure: null,
      })
      .onConflict((conflict) => conflict.column("identity").doNothing())
      .execute();
    onStored();
    return true;
  };
}
