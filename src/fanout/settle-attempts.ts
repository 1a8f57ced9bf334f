import type { Database } from "../store/database.ts";
import type { ConditionPolicy } from "./condition.ts";
import { type ConditionChange, lockConditions, writeConditions } from "./write-conditions.ts";
import { tellDisabled } from "./own-events.ts";
import { settleDeliveries, type Settlement } from "./settle.ts";

export type Settled = {
  /** Whether each still had its lease, in their order. */
  matched: boolean[];
  changes: readonly ConditionChange[];
};

/**
 * Ends attempts and, in the same commit, says what they make of their endpoints. A success of a
 * sound endpoint changes nothing there, so as a rule it is one statement.
 */
export async function settleAttempts(
  db: Database,
  settlements: readonly Settlement[],
  policy: ConditionPolicy,
): Promise<Settled> {
  const concerned = settlements.filter(concernsEndpoint);
  if (concerned.length === 0) {
    return { matched: await settleDeliveries(db, settlements), changes: [] };
  }
  return db.transaction().execute(async (trx) => {
    // First the endpoints, in the order of their ids, as claims lock them: nobody waits in a circle,
    // and no claim puts a delivery off behind one that ends just now.
    const ids = new Set(concerned.map(({ delivery }) => delivery.endpoint_id));
    const endpoints = await lockConditions(trx, [...ids]);
    const { changes, told } = await writeConditions(trx, { endpoints, settlements, policy });
    for (const change of changes) {
      if (change.to === "disabled") {
        await tellDisabled(trx, change);
      }
    }
    return { matched: await settleDeliveries(trx, told), changes };
  });
}

function concernsEndpoint({ sign, delivery }: Settlement): boolean {
  return (
    delivery.conversation !== null ||
    (sign !== undefined && (delivery.endpoint.troubled || sign.kind !== "success"))
  );
}
