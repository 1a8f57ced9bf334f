import { every } from "../../clock.ts";
import type { Database } from "../../store/database.ts";
import { auditJob } from "../audit/record-audit.ts";
import type { OnboardingLinkRow } from "./links.ts";

/** Why a link does not open, or a return brings nothing. */
export type Refusal =
  | "link_invalid"
  | "link_used"
  | "link_expired"
  | "query_invalid"
  | "client_unverified"
  | "channel_taken";

export type Refused = {
  operation: "openOnboardingLink" | "completeOnboarding";
  code: Refusal;
  /** `undefined` where the state is none of ours. */
  link: Pick<OnboardingLinkRow, "id" | "tenant_id"> | undefined;
};

/** What is refused without using a link up, so as often as somebody likes who needs no token. */
export type Refusals = {
  /** In the audit, as far as it bears it. */
  note: (refused: Refused) => Promise<void>;
  stop: () => Promise<void>;
};

/** Of one operation and code in a period. Each has its own, so that a flood of one hides no other. */
const ONE_BY_ONE_MAX = 20;
/** What is only counted until then is lost with a process that is killed. */
const PERIOD_MS = 3_600_000;

/**
 * Writes the first of a period down one by one, and of the others how many they were, when it ends. Each
 * process counts for itself.
 */
export function createRefusals(options: {
  db: Database;
  onError: (error: unknown) => void;
  periodMs?: number;
}): Refusals {
  const { db, onError, periodMs = PERIOD_MS } = options;
  const counts = new Map<string, { refused: Refused; count: number }>();

  async function audit({ operation, code, link }: Refused, more: object = {}): Promise<void> {
    await db.transaction().execute((trx) =>
      auditJob(trx, operation, {
        target: link === undefined ? {} : { link_id: link.id, tenant_id: link.tenant_id },
        before: null,
        after: { state: "refused", kind: code, ...more },
      }),
    );
  }

  async function endPeriod(): Promise<void> {
    const ended = [...counts.values()];
    counts.clear();
    for (const { refused, count } of ended) {
      if (count > ONE_BY_ONE_MAX) {
        await audit({ ...refused, link: undefined }, { count: count - ONE_BY_ONE_MAX });
      }
    }
  }

  const periods = every(periodMs, endPeriod, onError);
  return {
    async note(refused) {
      const key = `${refused.operation} ${refused.code}`;
      const count = (counts.get(key)?.count ?? 0) + 1;
      counts.set(key, { refused, count });
      if (count <= ONE_BY_ONE_MAX) {
        await audit(refused);
      }
    },
    async stop() {
      await periods.stop();
      // Without its database a gateway stops all the same.
      await endPeriod().catch(onError);
    },
  };
}
