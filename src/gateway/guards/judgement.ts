import type { DestinationRule } from "../../records/destination-rules.ts";
import type { SendFacts } from "../../records/send-facts.ts";
import { type WindowState, windowState } from "../../records/windows.ts";
import type { SendGuardName } from "../../store/schema/tenancy.ts";
import type { Subject } from "./read-send.ts";

export type CheckCode =
  | "window_closed"
  | "opt_in_missing"
  | "opted_out"
  | "destination_restricted"
  | "template_unavailable";

/** What one guard says of a send; what is `unknown` is never refused. */
export type Check = {
  code: CheckCode;
  result: "pass" | "refuse" | "unknown";
  detail: string;
  lastInboundAt?: Date;
};

/** What is known when a send is judged. */
export type Known = {
  facts: SendFacts;
  /** The recipient's, and the rules for it; `undefined` where it cannot be told. */
  country: string | undefined;
  rules: readonly DestinationRule[];
  now: Date;
};

export type Verdict = Omit<Check, "code">;

/** One reason to refuse a send: the guard it belongs to, and whether it needs the facts. */
export type Judgement = {
  code: CheckCode;
  guard: SendGuardName;
  needsFacts: (subject: Subject, known: Pick<Known, "rules" | "now">) => boolean;
  judge: (subject: Subject, known: Known) => Verdict;
};

export function pass(detail: string): Verdict {
  return { result: "pass", detail };
}

export function refuse(detail: string): Verdict {
  return { result: "refuse", detail };
}

export function unknown(detail: string): Verdict {
  return { result: "unknown", detail };
}

/** What has come and is not read yet may be the message that opens it. */
export function stateOfWindow({ facts, now }: Known): WindowState {
  const { lastInboundAt, watchedSince, mayHaveWritten } = facts;
  const state = windowState({ lastInboundAt, watchedSince: watchedSince ?? now, now });
  return state === "closed" && mayHaveWritten ? "unknown" : state;
}

export function mayBeMarketing({ kind, marketing }: Subject): boolean {
  return marketing || kind === "template";
}

/** Marketing is what is sent as such, and a template of that category as far as it is known. */
export function ifMarketing(
  subject: Subject,
  { facts }: Known,
  verdicts: { yes: Verdict; no: Verdict; unknown: Verdict },
): Verdict {
  if (subject.marketing) {
    return verdicts.yes;
  }
  const category = facts.template?.category ?? null;
  if (subject.kind === "template" && category === null) {
    return verdicts.unknown;
  }
  return category === "MARKETING" ? verdicts.yes : verdicts.no;
}
