import { describe, expect, it } from "vitest";
import { findFailureReason } from "../../../../src/simulator/messages/failing-recipients.ts";
import type { OutgoingMessage } from "../../../../src/simulator/messages/outgoing-message.ts";
import { failedEntry, statusEntry } from "../../../../src/simulator/messages/status.ts";

const now = new Date("2026-01-02T03:04:05.678Z");
const message: OutgoingMessage = {
  recipient: { kind: "phone", input: "+49170", waId: "49170" },
  type: "text",
  bizOpaqueCallbackData: "order 7",
};
const context = { wamid: "wamid.X", message, conversationId: "c" };

describe("statusEntry", () => {
  it("has what Meta sends, with times as text", () => {
    expect(statusEntry(context, "sent", now)).toEqual({
      id: "wamid.X",
      status: "sent",
      timestamp: "1767323045",
      recipient_id: "49170",
      biz_opaque_callback_data: "order 7",
      conversation: { id: "c", expiration_timestamp: "1767409445", origin: { type: "service" } },
      pricing: {
        billable: false,
        pricing_model: "PMP",
        category: "service",
        type: "free_customer_service",
      },
    });
  });

  it("has no price when read", () => {
    expect(statusEntry(context, "read", now)).not.toHaveProperty("pricing");
  });

  it("names a group as such", () => {
    const toGroup = { ...message, recipient: { kind: "group", groupId: "g" } } as const;
    expect(statusEntry({ ...context, message: toGroup }, "sent", now)).toMatchObject({
      recipient_id: "g",
      recipient_type: "group",
    });
  });
});

describe("failedEntry", () => {
  it("carries the error and the callback data", () => {
    const reason = { code: 131026, title: "Message undeliverable", details: "No." };
    expect(failedEntry(context, reason, now)).toMatchObject({
      status: "failed",
      biz_opaque_callback_data: "order 7",
      errors: [{ code: 131026, title: "Message undeliverable", error_data: { details: "No." } }],
    });
  });
});

describe("findFailureReason", () => {
  it.each([
    ["49170131026", 131026],
    ["49170131047", 131047],
    ["US.131049", 131049],
    ["491310260", undefined],
  ])("reads the end of %s as %s", (user, code) => {
    expect(findFailureReason(user)?.code).toBe(code);
  });
});
