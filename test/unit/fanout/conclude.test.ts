import { describe, expect, it } from "vitest";
import { conclude } from "../../../src/fanout/conclude.ts";
import type { ClaimedDelivery } from "../../../src/fanout/claim.ts";
import type { OutboundResult } from "../../../src/outbound/exchange.ts";

const STARTED_AT = new Date("2025-06-15T12:00:00.000Z");
const policy = { scheduleMs: [5000, 30_000], horizonMs: 86_400_000 };

function delivery(fields: Partial<ClaimedDelivery> = {}): ClaimedDelivery {
  return {
    tenant_id: "ten_a",
    event_xid: "700",
    event_seq: "1",
    endpoint_id: "whe_a",
    id: "dlv_a",
    event_id: "evt_a",
    attempt_count: 1,
    attempts_before_replay: null,
    replayed_at: null,
    conversation: null,
    claimed_at: STARTED_AT,
    stopped_ms: 0,
    lease_token: "b9b1f5b0-6d3e-4c44-9f3c-0d8a2f6f2f11",
    endpoint: {
      id: "whe_a",
      tenant_id: "ten_a",
      url: "https://example.com/hook",
      headers_sealed: null,
      signing_secret_sealed: Buffer.alloc(0),
      previous_signing_secret_sealed: null,
      format: "cloud_api",
      timeout_seconds: 10,
      held: false,
      troubled: false,
      mine: true,
    },
    type: "message.received",
    phone_number_id: null,
    waba_id: null,
    received_at: STARTED_AT,
    body: Buffer.from("{}"),
    ...fields,
  };
}

function answer(status: number, fields: { body?: string; byAllowList?: boolean } = {}) {
  return {
    kind: "answer",
    status,
    headers: {},
    body: Buffer.from(fields.body ?? ""),
    bodyTruncated: false,
    byAllowList: fields.byAllowList ?? false,
    durationMs: 130.4,
  } as const satisfies OutboundResult;
}

const concluded = (result: OutboundResult, fields: Partial<ClaimedDelivery> = {}) =>
  conclude({ delivery: delivery(fields), startedAt: STARTED_AT, result, policy, random: 0 });

describe("what an attempt does to its delivery", () => {
  it("ends it when the endpoint took it", () => {
    const settlement = concluded(answer(204));
    expect(settlement).toMatchObject({
      state: "delivered",
      nextAttemptAt: null,
      attempt: { outcome: "delivered", status: 204, durationMs: 130, startedAt: STARTED_AT },
    });
  });

  it("sets the next one by the schedule, counted from the end of this one", () => {
    const settlement = concluded(answer(500), { attempt_count: 2 });
    expect(settlement.state).toBe("pending");
    expect(settlement.nextAttemptAt?.getTime()).toBe(STARTED_AT.getTime() + 30_130);
    expect(settlement.attempt).toMatchObject({
      outcome: "retry",
      status: 500,
      reason: "Attempt 2, because the one before did not succeed. The endpoint answered 500.",
      next: "Tried again at 2025-06-15T12:00:30.130Z.",
    });
  });

  it("gives it up when the horizon has passed, and says so", () => {
    const received_at = new Date(STARTED_AT.getTime() - policy.horizonMs);
    const settlement = concluded(answer(500), { received_at });
    expect(settlement).toMatchObject({
      state: "exhausted",
      nextAttemptAt: null,
      attempt: { outcome: "exhausted", next: "None: 1d have passed since the event." },
    });
  });

  it("keeps it when the endpoint is gone", () => {
    const settlement = concluded(answer(410));
    expect(settlement).toMatchObject({
      state: "pending",
      attempt: { outcome: "endpoint_gone", status: 410 },
    });
    expect(settlement.sign?.kind).toBe("gone");
  });

  it("charges nothing for an attempt that we cut short ourselves", () => {
    const settlement = concluded({
      kind: "failed",
      reason: "aborted",
      detail: "We are stopping.",
      durationMs: 3,
    });
    expect(settlement).toMatchObject({ state: "pending", attempt: undefined });
    expect(settlement.nextAttemptAt?.getTime()).toBe(STARTED_AT.getTime() + 3);
  });

  it("tells why nothing was answered", () => {
    const settlement = concluded({
      kind: "refused_address",
      code: "url_resolves_private",
      detail: "example.com resolves to a private address.",
      durationMs: 2,
    });
    expect(settlement.attempt).toMatchObject({
      status: null,
      answer: null,
      outcome: "retry",
      reason: "First attempt. example.com resolves to a private address.",
    });
  });

  it.each([
    ["the first KiB of what a public host answered", { body: "x".repeat(5000) }, 1024],
    ["nothing of an empty answer", { body: "" }, undefined],
    [
      "nothing of what a host on the allow list answered",
      { body: "x", byAllowList: true },
      undefined,
    ],
  ])("keeps %s", (_name, fields, bytes) => {
    expect(concluded(answer(500, fields)).attempt?.answer?.length).toBe(bytes);
  });
});
