import type { DatabaseTransaction } from "../store/database.ts";

/** An event as the follower hands it on; `value` is Meta's change value, parsed. */
export type FollowedEvent = {
  tenantId: string;
  id: string;
  type: string;
  phoneNumberId: string | null;
  wabaId: string | null;
  receivedAt: Date;
  value: unknown;
};

/** Writes down what events mean. Applying the same ones again changes nothing; any shape is borne. */
export type ApplyEvents = (
  trx: DatabaseTransaction,
  events: readonly FollowedEvent[],
) => Promise<void>;
