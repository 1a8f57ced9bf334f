import { describe, expect, it } from "vitest";
import { usageMarkOf } from "../../../../src/records/usage/usage-mark.ts";
import { followed, ODD_VALUES } from "../../../integration/records/followed.ts";

const AT = String(Date.UTC(2026, 0, 30, 23, 59, 59) / 1000);
const status = (name: string, fields: object) =>
  usageMarkOf(
    followed("ten_1", `message.status.${name}`, {
      statuses: [{ id: "wamid.A", timestamp: AT, recipient_id: "4915112345678", ...fields }],
    }),
  );
const pmp = { billable: true, pricing_model: "PMP", category: "marketing", type: "regular" };

describe("the usage that an event tells", () => {
  it("of a delivery is its day in UTC, its country and its price", () => {
    expect(status("delivered", { pricing: pmp })).toMatchObject({
      direction: "outbound",
      country: "DE",
      day: "2026-01-30",
      price: { category: "marketing", billable: true, rank: 3 },
    });
  });

  it.each([
    ["sent", { pricing: pmp }, null, "marketing"],
    ["read", {}, "2026-01-30", undefined],
    ["played", {}, "2026-01-30", undefined],
    ["failed", { pricing: pmp }, null, undefined],
    ["deleted", {}, null, undefined],
  ])("of %s says when it arrived and what it costs, if it does", (name, fields, day, category) => {
    const mark = status(name, fields);
    expect([mark?.day, mark?.price?.category]).toEqual([day, category]);
  });

  it.each([
    [
      "without `billable`, by its type",
      { category: "utility", type: "regular" },
      ["utility", true],
    ],
    ["of a free type", { category: "utility", type: "free_entry_point" }, ["utility", false]],
    ["without a category", { billable: true }, ["unknown", true]],
    ["whose category is no word", { category: "+49 151", billable: true }, ["unknown", true]],
    ["that is none", 7, ["unknown", false]],
  ])("is a price %s", (_which, pricing, expected) => {
    const { category, billable } = status("delivered", { pricing })?.price ?? {};
    expect([category, billable]).toEqual(expected);
  });

  it("has the category of the conversation where the price names none", () => {
    const conversation = { id: "1", origin: { type: "service" } };
    expect(status("sent", { conversation, pricing: {} })?.price?.category).toBe("service");
  });

  it("of a message is inbound, free and without category", () => {
    const message = { id: "wamid.B", from: "12125550123", timestamp: AT };
    expect(
      usageMarkOf(followed("ten_1", "message.received", { messages: [message] })),
    ).toMatchObject({
      direction: "inbound",
      country: "US",
      day: "2026-01-30",
      price: { category: "none", billable: false },
    });
  });

  it.each([
    ["a business-scoped id", { recipient_id: undefined, recipient_user_id: "BR.13491" }, "BR"],
    ["nobody", { recipient_id: undefined }, "ZZ"],
    ["a group", { recipient_type: "group", recipient_id: "120363" }, "ZZ"],
    [
      "a participant",
      { recipient_type: "group", recipient_id: "120363", recipient_participant_id: "12125550123" },
      "US",
    ],
  ])("places %s", (_whom, fields, country) => {
    expect(status("read", fields)?.country).toBe(country);
  });

  it("is apart for each participant of a group, and for another number", () => {
    const keys = [
      status("read", {}),
      status("sent", {}),
      status("read", { recipient_participant_id: "12125550123" }),
      usageMarkOf(
        followed(
          "ten_1",
          "message.status.read",
          { statuses: [{ id: "wamid.A" }] },
          { phoneNumberId: "9" },
        ),
      ),
    ].map((mark) => mark?.key);
    expect(keys[0]).toBe(keys[1]);
    expect(new Set(keys).size).toBe(3);
  });

  it("is nothing where there is no number, no id or no message", () => {
    const value = { statuses: [{ id: "wamid.A" }] };
    const none = followed("ten_1", "message.status.read", value, { phoneNumberId: null });
    expect(usageMarkOf(none)).toBeUndefined();
    expect(
      usageMarkOf(followed("ten_1", "message.echo", { messages: [{ id: "1" }] })),
    ).toBeUndefined();
    for (const odd of ODD_VALUES) {
      for (const type of ["message.received", "message.status.delivered", "template.x"]) {
        expect(usageMarkOf(followed("ten_1", type, odd))).toBeUndefined();
      }
    }
  });
});
