import { describe, expect, it } from "vitest";
import type { FollowedEvent } from "../../../src/records/follow-events.ts";
import { parseStatus } from "../../../src/records/parse-status.ts";
import { readFileSync } from "node:fs";

const receivedAt = new Date("2025-06-15T12:00:00.000Z");

function followed(fields: Partial<FollowedEvent> = {}): FollowedEvent {
  return {
    tenantId: "ten_1",
    id: "evt_1",
    type: "message.status.sent",
    phoneNumberId: "106540352242922",
    wabaId: null,
    receivedAt,
    value: {},
    ...fields,
  };
}

const status = (item: unknown, fields: Partial<FollowedEvent> = {}) =>
  parseStatus(followed({ value: { statuses: [item] }, ...fields }));

function fixture(name: string): unknown {
  const file = `${import.meta.dirname}/../../fixtures/notifications/${name}.json`;
  const { entry } = JSON.parse(readFileSync(file, "utf8")) as {
    entry: { changes: { value: unknown }[] }[];
  };
  return entry[0]?.changes[0]?.value;
}

describe("a status", () => {
  it("is taken from its event", () => {
    expect(parseStatus(followed({ value: fixture("status-sent") }))).toEqual({
      tenant_id: "ten_1",
      phone_number_id: "106540352242922",
      wamid: "wamid.SENT1",
      status: "sent",
      recipient: "15550002222",
      recipient_key: "15550002222",
      user_key: null,
      callback_data: "order-4711",
      happened_at: new Date(1750000002000),
      received_at: receivedAt,
      event_id: "evt_1",
      errors: null,
      pricing: JSON.stringify({
        billable: true,
        pricing_model: "PMP",
        type: "regular",
        category: "utility",
      }),
    });
  });

  it("keeps the errors of a failure", () => {
    const failed = followed({ type: "message.status.failed", value: fixture("status-failed") });
    expect(JSON.parse(parseStatus(failed)?.errors ?? "")[0].code).toBe(131026);
  });

  it("of a group is each participant's", () => {
    expect(parseStatus(followed({ value: fixture("status-group") }))).toMatchObject({
      recipient: "15550002222",
      recipient_key: "120363040000000001",
    });
  });

  it("of a user without a phone is the business-scoped id's", () => {
    expect(status({ id: "wamid.A", recipient_user_id: "US.1A" })).toMatchObject({
      recipient: "US.1A",
      recipient_key: null,
      user_key: "US.1A",
    });
  });

  it.each([
    ["another type of event", { type: "message.received" }],
    ["an event of no number", { phoneNumberId: null }],
    ["a body that is not JSON", { value: undefined }],
    ["null", { value: null }],
    ["statuses that are none", { value: { statuses: 1 } }],
    ["a status that is null", { value: { statuses: [null] } }],
    ["a status without an id", { value: { statuses: [{ status: "sent" }] } }],
  ])("is not read from %s", (_name, fields) => {
    expect(parseStatus(followed(fields))).toBeUndefined();
  });

  it.each([["no time"], [""], ["-1"], ["1e99"], [null], [{}]])(
    "with the time %j has that of its event",
    (timestamp) => {
      expect(status({ id: "wamid.A", timestamp })?.happened_at).toEqual(receivedAt);
    },
  );

  it("is what a database can hold", () => {
    expect(
      status({ id: "wamid.A", biz_opaque_callback_data: "a\0b\ud800", errors: ["\0\ud800"] }),
    ).toMatchObject({ callback_data: "a\uFFFDb\uFFFD", errors: '["\\u0000\\ud800"]' });
  });
});
