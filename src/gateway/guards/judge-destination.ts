import { type DestinationRule, isInForce } from "../../records/destination-rules.ts";
import { ifMarketing, type Judgement, mayBeMarketing, pass, refuse, unknown } from "./judgement.ts";

/** Countries that may not be sent to, or not with marketing (Meta's 130497). */
export const DESTINATION_RESTRICTED: Judgement = {
  code: "destination_restricted",
  guard: "destination",
  needsFacts: (subject, { rules, now }) =>
    mayBeMarketing(subject) && find("marketing_blocked", rules, now) !== undefined,
  judge(subject, known) {
    const { country, rules, now } = known;
    if (country === undefined) {
      return unknown("The recipient's country cannot be told.");
    }
    const blocked = find("blocked", rules, now);
    if (blocked !== undefined) {
      return refuse(`Nothing may be sent to ${country}.${because(blocked)}`);
    }
    const restricted = find("marketing_blocked", rules, now);
    return restricted === undefined
      ? pass(`No rule restricts ${country}.`)
      : ifMarketing(subject, known, {
          yes: refuse(`No marketing may be sent to ${country}.${because(restricted)}`),
          no: pass(`Only marketing is restricted in ${country}; this is none.`),
          unknown: unknown(`No marketing may be sent to ${country}; this may be some.`),
        });
  },
};

function find(
  effect: DestinationRule["effect"],
  rules: readonly DestinationRule[],
  now: Date,
): DestinationRule | undefined {
  return rules.find((rule) => rule.effect === effect && isInForce(rule, now));
}

function because({ note }: DestinationRule): string {
  return note === null ? "" : ` ${note}`;
}
