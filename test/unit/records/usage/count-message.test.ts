import { describe, expect, it } from "vitest";
import {
  bucketOf,
  countMessage,
  type UsageMessage,
} from "../../../../src/records/usage/count-message.ts";
import { isFrozen, openSince } from "../../../../src/records/usage/frozen-days.ts";
import type { UsageMark } from "../../../../src/records/usage/usage-mark.ts";

const mark = (fields: Partial<UsageMark>): UsageMark => ({
  tenantId: "ten_1",
  key: "00",
  phoneNumberId: "101",
  direction: "outbound",
  country: "DE",
  day: null,
  price: null,
  ...fields,
});
const price = (category: string, billable: boolean, rank: number) => ({ category, billable, rank });
const SENT = mark({ price: price("marketing", true, 1) });
const DELIVERED = mark({ day: "2026-01-11", price: price("utility", false, 3) });
const READ = mark({ day: "2026-01-12" });
const OPEN = "2026-01-05";

function all(marks: readonly UsageMark[], openDay = OPEN, before?: UsageMessage) {
  return marks.reduce<UsageMessage | undefined>(
    (so, each) => countMessage(so, each, openDay),
    before,
  );
}

describe("a message", () => {
  it.each([
    ["sent, delivered, read", [SENT, DELIVERED, READ]],
    ["read, delivered, sent", [READ, DELIVERED, SENT]],
    ["read, sent, delivered", [READ, SENT, DELIVERED]],
    ["with repeats", [DELIVERED, READ, SENT, DELIVERED, SENT, READ]],
  ])("is counted alike, %s", (_order, marks) => {
    const { key: _key, price: _price, ...place } = mark({ day: "2026-01-11" });
    expect(bucketOf(all(marks))).toEqual({ ...place, category: "utility", billable: false });
  });

  it("is not counted before it has arrived", () => {
    expect(bucketOf(all([SENT]))).toBeUndefined();
  });

  it("that was only read has the price that came when it was sent", () => {
    expect(bucketOf(all([READ, SENT]))).toMatchObject({
      day: "2026-01-12",
      category: "marketing",
      billable: true,
    });
  });

  it("without a price is counted as unknown", () => {
    expect(bucketOf(all([READ]))).toMatchObject({ category: "unknown", billable: false });
  });

  it("gets the country that a later status tells", () => {
    expect(bucketOf(all([mark({ ...READ, country: "ZZ" }), SENT]))).toMatchObject({
      country: "DE",
    });
  });

  it("stays where it is counted once the day is frozen", () => {
    const counted = all([READ]);
    expect(all([DELIVERED, SENT], "2026-01-13", counted)).toEqual(counted);
  });

  it("that is heard of when its day is frozen counts on the first open day, and only there", () => {
    const late = all([READ], "2026-01-20");
    expect(bucketOf(late)).toMatchObject({ day: "2026-01-20" });
    expect(bucketOf(all([DELIVERED], "2026-01-20", late))).toMatchObject({
      day: "2026-01-20",
      category: "utility",
    });
    expect(bucketOf(all([DELIVERED], "2026-01-21", late))).toMatchObject({
      day: "2026-01-20",
      category: "unknown",
    });
  });
});

describe("a day", () => {
  it.each([
    ["2026-01-08T23:59:59.999Z", "2026-01-01", false],
    ["2026-01-09T00:59:59.999Z", "2025-12-31", true],
    ["2026-01-09T00:30:00.000Z", "2026-01-01", false],
    ["2026-01-09T01:00:00.000Z", "2026-01-01", true],
  ])("at %s, %s is frozen: %s", (now, day, frozen) => {
    expect(isFrozen(day, new Date(now))).toBe(frozen);
  });

  it("is not written any more from when it may be shown as frozen", () => {
    expect(openSince(new Date("2026-01-08T23:59:59.999Z"))).toBe("2026-01-01");
    expect(openSince(new Date("2026-01-09T00:00:00.000Z"))).toBe("2026-01-02");
  });
});
