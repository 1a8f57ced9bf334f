import { ApiError } from "../../errors.ts";
import { countryOf } from "../../records/country-of.ts";
import type { FindDestinationRules } from "../../records/destination-rules.ts";
import { findSendFacts, NOTHING_KNOWN } from "../../records/send-facts.ts";
import type { Database } from "../../store/database.ts";
import { OPT_IN_MISSING, OPTED_OUT } from "./judge-consent.ts";
import { DESTINATION_RESTRICTED } from "./judge-destination.ts";
import { TEMPLATE_UNAVAILABLE } from "./judge-template.ts";
import { WINDOW_CLOSED } from "./judge-window.ts";
import type { Check, Judgement } from "./judgement.ts";
import { readSend, type Send, type Subject } from "./read-send.ts";

export type { Check } from "./judgement.ts";
export type { Send } from "./read-send.ts";

export type Guards = {
  /**
   * Asks only the guards that are on, and the database at most once. The promise gives the codes to
   * warn of, and throws the 422 of the first guard in force that refuses.
   */
  check(send: Send): Promise<string[]>;
  /** Every guard, on or off, for a dry run. */
  inspect(send: Send): Promise<Check[]>;
};

/** In the order in which they refuse. */
const JUDGEMENTS: readonly Judgement[] = [
  WINDOW_CLOSED,
  OPT_IN_MISSING,
  OPTED_OUT,
  DESTINATION_RESTRICTED,
  TEMPLATE_UNAVAILABLE,
];

export function createGuards(options: {
  db: Database;
  findDestinationRules: FindDestinationRules;
  /** Told of a WABA whose cached templates may be stale; not waited for. */
  wantTemplates: (tenantId: string, wabaId: string) => void;
}): Guards {
  const { db, findDestinationRules, wantTemplates } = options;

  async function judge(
    { tenantId, number }: Send,
    subject: Subject,
    judgements: readonly Judgement[],
  ): Promise<Check[]> {
    const now = new Date();
    const placed = judgements.some(({ guard }) => guard === "destination")
      ? subject.users.map(countryOf)
      : [];
    const country = placed.find((each) => each !== undefined);
    const rules = country === undefined ? [] : await findDestinationRules(country);
    const needed = judgements.some(({ needsFacts }) => needsFacts(subject, { rules, now }));
    const facts = needed
      ? await findSendFacts(db, tenantId, {
          numberId: number.id,
          phoneNumberId: number.phoneNumberId,
          wabaId: number.wabaId,
          users: subject.users,
          template: subject.template,
        })
      : NOTHING_KNOWN;
    const isStale = needed && subject.template && facts.template?.status !== "approved";
    if (isStale && number.wabaId !== null) {
      wantTemplates(tenantId, number.wabaId);
    }
    const known = { facts, country, rules, now };
    return judgements.map((each) => ({ code: each.code, ...each.judge(subject, known) }));
  }

  return {
    async check(send) {
      const { guards } = send.number;
      const read = guards === undefined ? undefined : readSend(send);
      if (guards === undefined || read?.kind !== "subject") {
        return [];
      }
      const on = JUDGEMENTS.filter(({ guard }) => guards[guard] !== "off");
      const checks = await judge(send, read.subject, on);
      const refused = checks.filter(({ result }) => result === "refuse");
      const enforced = refused.find(({ code }) =>
        on.some((each) => each.code === code && guards[each.guard] === "enforce"),
      );
      if (enforced !== undefined) {
        throw refusal(enforced);
      }
      return refused.map(({ code }) => code);
    },

    async inspect(send) {
      const read = readSend(send);
      return read.kind === "subject"
        ? judge(send, read.subject, JUDGEMENTS)
        : JUDGEMENTS.map(({ code }) => ({ code, result: "pass", detail: read.why }));
    },
  };
}

function refusal({ code, detail, lastInboundAt }: Check): ApiError {
  return new ApiError(code, detail, {
    ...(code === "window_closed" && {
      members: { last_inbound_at: lastInboundAt?.toISOString() ?? null },
    }),
  });
}
