import { describe, expect, it } from "vitest";
import { learnFromStatuses } from "../../../../src/gateway/throttle/learn-from-statuses.ts";
import type { FollowedEvent } from "../../../../src/records/follow-events.ts";

const failed = (status: object, fields: Partial<FollowedEvent> = {}): FollowedEvent => ({
  tenantId: "ten_a",
  id: "evt_a",
  type: "message.status.failed",
  phoneNumberId: "101",
  wabaId: "201",
  receivedAt: new Date(),
  value: { statuses: [status] },
  ...fields,
});
const STATUS = { recipient_id: "15550100002", errors: [{ code: 131_056 }] };

async function learnt(event: FollowedEvent): Promise<unknown[]> {
  const told: unknown[] = [];
  const apply = learnFromStatuses({ learnFromStatus: (...what) => void told.push(what) });
  await apply(undefined as never, [event]);
  return told;
}

describe("a failed status", () => {
  it("teaches its code, for the number and the user", async () => {
    expect(await learnt(failed(STATUS))).toEqual([["101", "15550100002", 131_056]]);
    const byScopedId = { recipient_user_id: "US.1", errors: [{ code: 130_429 }] };
    expect(await learnt(failed(byScopedId))).toEqual([["101", "US.1", 130_429]]);
  });

  it("of long ago teaches nothing", async () => {
    expect(await learnt(failed(STATUS, { receivedAt: new Date(Date.now() - 120_000) }))).toEqual(
      [],
    );
  });

  it.each([
    ["a status of another kind", { type: "message.status.sent" }],
    ["one without a number", { phoneNumberId: null }],
    ["an odd value", { value: { statuses: "x" } }],
    ["no value", { value: undefined }],
  ])("is none: %s", async (_name, fields) => {
    expect(await learnt(failed(STATUS, fields))).toEqual([]);
  });
});
