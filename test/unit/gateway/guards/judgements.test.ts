import { describe, expect, it } from "vitest";
import { OPT_IN_MISSING, OPTED_OUT } from "../../../../src/gateway/guards/judge-consent.ts";
import { DESTINATION_RESTRICTED } from "../../../../src/gateway/guards/judge-destination.ts";
import { TEMPLATE_UNAVAILABLE } from "../../../../src/gateway/guards/judge-template.ts";
import { WINDOW_CLOSED } from "../../../../src/gateway/guards/judge-window.ts";
import type { Judgement, Known } from "../../../../src/gateway/guards/judgement.ts";
import type { Subject } from "../../../../src/gateway/guards/read-send.ts";
import type { DestinationRule } from "../../../../src/records/destination-rules.ts";
import { NOTHING_KNOWN, type SendFacts } from "../../../../src/records/send-facts.ts";

const now = new Date("2026-01-31T12:00:00.000Z");
const HOUR_MS = 3_600_000;
const hoursAgo = (hours: number): Date => new Date(now.getTime() - hours * HOUR_MS);

const TEXT: Subject = {
  users: ["15550002222"],
  kind: "free_form",
  template: undefined,
  marketing: false,
};
const TEMPLATE: Subject = {
  ...TEXT,
  kind: "template",
  template: { name: "order_ready", language: "en_US" },
};
const NAMELESS: Subject = { ...TEMPLATE, template: undefined };
const MARKETING: Subject = { ...TEMPLATE, marketing: true };
const OPAQUE: Subject = { ...TEXT, kind: "opaque" };

const WATCHED: Partial<SendFacts> = { watchedSince: hoursAgo(500) };
const OPEN: Partial<SendFacts> = { ...WATCHED, lastInboundAt: hoursAgo(23) };
const SHUT: Partial<SendFacts> = { ...WATCHED, lastInboundAt: hoursAgo(25) };
const NEW: Partial<SendFacts> = { watchedSince: hoursAgo(1) };
const template = (status: string | null, category: string | null): Partial<SendFacts> => ({
  template: { status, category },
  templatesSyncedAt: hoursAgo(1),
});

type Row = [
  name: string,
  subject: Subject,
  facts: Partial<SendFacts>,
  result: "pass" | "refuse" | "unknown",
];

function judge(
  judgement: Judgement,
  subject: Subject,
  known: Omit<Partial<Known>, "facts"> & { facts?: Partial<SendFacts> },
) {
  return judgement.judge(subject, {
    country: "DE",
    rules: [],
    now,
    ...known,
    facts: { ...NOTHING_KNOWN, ...known.facts },
  });
}

describe("window_closed", () => {
  it.each<Row>([
    ["a text while it is open", TEXT, OPEN, "pass"],
    ["a text when it is shut", TEXT, SHUT, "refuse"],
    ["a text to a stranger", TEXT, WATCHED, "refuse"],
    ["a text to a stranger by a new number", TEXT, NEW, "unknown"],
    ["a text by a number of which nothing is known", TEXT, {}, "unknown"],
    ["a template when it is shut", TEMPLATE, SHUT, "pass"],
    ["marketing when it is shut", MARKETING, SHUT, "pass"],
    ["an encrypted message when it is shut", OPAQUE, SHUT, "pass"],
  ])("%s", (_name, subject, facts, result) => {
    expect(judge(WINDOW_CLOSED, subject, { facts }).result).toBe(result);
  });

  it("tells when the user was last heard of", () => {
    const { lastInboundAt } = judge(WINDOW_CLOSED, TEXT, { facts: SHUT });
    expect(lastInboundAt).toEqual(hoursAgo(25));
    expect(judge(WINDOW_CLOSED, TEXT, { facts: WATCHED })).not.toHaveProperty("lastInboundAt");
  });
});

describe("opt_in_missing", () => {
  const AGREED = { optedInAt: hoursAgo(1000) };
  it.each<Row>([
    ["a template to one who agreed", TEMPLATE, AGREED, "pass"],
    ["a template to one who did not", TEMPLATE, WATCHED, "refuse"],
    ["a template to one who wrote, but did not agree", TEMPLATE, OPEN, "refuse"],
    ["a template of a number of which nothing is known", TEMPLATE, {}, "refuse"],
    ["marketing to one who did not", MARKETING, WATCHED, "refuse"],
    ["a text to one who agreed, shut", TEXT, { ...SHUT, ...AGREED }, "pass"],
    ["a text to one who wrote", TEXT, OPEN, "pass"],
    ["a text to one who did not, shut", TEXT, SHUT, "refuse"],
    ["a text to a stranger by a new number", TEXT, NEW, "unknown"],
    ["an encrypted message to one who did not", OPAQUE, SHUT, "pass"],
  ])("%s", (_name, subject, facts, result) => {
    expect(judge(OPT_IN_MISSING, subject, { facts }).result).toBe(result);
  });
});

describe("opted_out", () => {
  const STOPPED = { stoppedAt: hoursAgo(10) };
  const promotion = template("approved", "MARKETING");
  const notice = template("approved", "UTILITY");
  it.each<Row>([
    ["marketing to one who said nothing", MARKETING, {}, "pass"],
    ["marketing to one who stopped it", MARKETING, STOPPED, "refuse"],
    ["a marketing template", TEMPLATE, { ...STOPPED, ...promotion }, "refuse"],
    ["a utility template", TEMPLATE, { ...STOPPED, ...notice }, "pass"],
    [
      "an authentication template",
      TEMPLATE,
      { ...STOPPED, ...template("", "AUTHENTICATION") },
      "pass",
    ],
    ["a template of no known category", TEMPLATE, { ...STOPPED, ...template("", null) }, "unknown"],
    ["a template that is not in the cache", TEMPLATE, STOPPED, "unknown"],
    ["a template that is not named", NAMELESS, STOPPED, "unknown"],
    [
      "marketing by the operation, utility by the cache",
      MARKETING,
      { ...STOPPED, ...notice },
      "refuse",
    ],
    ["a text", TEXT, STOPPED, "pass"],
    ["an encrypted message", OPAQUE, STOPPED, "pass"],
    ["after a resumption", MARKETING, { ...STOPPED, resumedAt: hoursAgo(9) }, "pass"],
    [
      "after a resumption before the stop",
      MARKETING,
      { ...STOPPED, resumedAt: hoursAgo(11) },
      "refuse",
    ],
    ["after a new opt-in", MARKETING, { ...STOPPED, optedInAt: hoursAgo(9) }, "pass"],
    ["after an old opt-in", MARKETING, { ...STOPPED, optedInAt: hoursAgo(11) }, "refuse"],
  ])("%s", (_name, subject, facts, result) => {
    expect(judge(OPTED_OUT, subject, { facts }).result).toBe(result);
  });
});

function rule(
  effect: "blocked" | "marketing_blocked",
  from_at: Date,
  until_at: Date | null = null,
  note: string | null = null,
): DestinationRule {
  return { country: "DE", effect, from_at, until_at, note };
}

describe("destination_restricted", () => {
  const promotion = template("approved", "MARKETING");
  const notice = template("approved", "UTILITY");
  const blocked = [rule("blocked", hoursAgo(1))];
  const noMarketing = [rule("marketing_blocked", hoursAgo(1))];

  it.each<[string, Subject, Known["rules"], Partial<SendFacts>, string]>([
    ["no rule", TEXT, [], {}, "pass"],
    ["a text where nothing may go", TEXT, blocked, {}, "refuse"],
    ["an encrypted message where nothing may go", OPAQUE, blocked, {}, "refuse"],
    ["a template where nothing may go", TEMPLATE, blocked, notice, "refuse"],
    ["a rule of tomorrow", TEXT, [rule("blocked", hoursAgo(-1))], {}, "pass"],
    ["a rule from this moment on", TEXT, [rule("blocked", now)], {}, "refuse"],
    ["a rule until this moment", TEXT, [rule("blocked", hoursAgo(2), now)], {}, "pass"],
    ["a rule until later", TEXT, [rule("blocked", hoursAgo(2), hoursAgo(-1))], {}, "refuse"],
    ["a text where no marketing may go", TEXT, noMarketing, {}, "pass"],
    ["a promotion where no marketing may go", TEMPLATE, noMarketing, promotion, "refuse"],
    ["a notice where no marketing may go", TEMPLATE, noMarketing, notice, "pass"],
    ["a template of no known category", TEMPLATE, noMarketing, {}, "unknown"],
    ["marketing by its operation", MARKETING, noMarketing, {}, "refuse"],
    ["both rules", TEXT, [...noMarketing, ...blocked], {}, "refuse"],
  ])("%s", (_name, subject, rules, facts, result) => {
    expect(judge(DESTINATION_RESTRICTED, subject, { rules, facts }).result).toBe(result);
  });

  it("is unknown where the country is", () => {
    expect(judge(DESTINATION_RESTRICTED, TEXT, { country: undefined }).result).toBe("unknown");
  });

  it("says why, in the words of the rule", () => {
    const rules = [rule("blocked", hoursAgo(1), null, "Sanctions.")];
    const { detail } = judge(DESTINATION_RESTRICTED, TEXT, { rules });
    expect(detail).toBe("Nothing may be sent to DE. Sanctions.");
  });

  it("asks the database only where the category matters", () => {
    const { needsFacts } = DESTINATION_RESTRICTED;
    expect(needsFacts(TEXT, { rules: noMarketing, now })).toBe(false);
    expect(needsFacts(TEMPLATE, { rules: blocked, now })).toBe(false);
    expect(needsFacts(TEMPLATE, { rules: noMarketing, now })).toBe(true);
  });
});

describe("template_unavailable", () => {
  it.each<Row>([
    ["a text", TEXT, {}, "pass"],
    ["an approved one", TEMPLATE, template("approved", "UTILITY"), "pass"],
    ["a paused one", TEMPLATE, template("paused", "UTILITY"), "refuse"],
    ["a disabled one", TEMPLATE, template("disabled", null), "refuse"],
    ["a rejected one", TEMPLATE, template("rejected", null), "refuse"],
    ["a deleted one", TEMPLATE, template("deleted", null), "refuse"],
    ["a pending one", TEMPLATE, template("pending", "UTILITY"), "unknown"],
    ["one in appeal", TEMPLATE, template("in_appeal", null), "unknown"],
    ["one in no known state", TEMPLATE, template(null, "UTILITY"), "unknown"],
    ["one that is not there after a sync", TEMPLATE, { templatesSyncedAt: hoursAgo(1) }, "refuse"],
    ["one before the first sync", TEMPLATE, {}, "unknown"],
    [
      "one that an event told of before the first sync",
      TEMPLATE,
      { template: { status: "paused", category: null } },
      "refuse",
    ],
    ["one that is not named", NAMELESS, { templatesSyncedAt: hoursAgo(1) }, "unknown"],
  ])("%s", (_name, subject, facts, result) => {
    expect(judge(TEMPLATE_UNAVAILABLE, subject, { facts }).result).toBe(result);
  });
});
