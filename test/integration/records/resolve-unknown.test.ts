import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoggedSend, WrittenOutcome } from "../../../src/records/message-log.ts";
import { resolveUnknown } from "../../../src/records/resolve-unknown.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { makeDay } from "../../support/make-day.ts";
import { buildTenant } from "../rows.ts";
import { answered, record, send, statusEvent, type StatusFields, writeSends } from "./sends.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  // In the first hour of a day, 25 hours ago is the day before yesterday.
  const dayBefore = new Date(Date.now() - 48 * HOUR_MS).toISOString().slice(0, 10);
  await makeDay(database.db, "message", dayBefore);
});
afterAll(() => database.drop());

// Longer than this file runs: some of its sends were made when it was loaded.
const SENDING_MS_MAX = 400_000;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

type Given = { send: Partial<LoggedSend>; outcome?: WrittenOutcome | "sending" };
type Told = StatusFields & {
  afterMs?: number;
  receivedMsAgo?: number;
  ofAnotherTenant?: boolean;
};

/** What becomes of sends, each of a minute ago, once these statuses have come. */
async function resolved(options: { sends: Given[]; statuses: Told[] }): Promise<string[]> {
  const { id: tenantId } = await buildTenant(database.db);
  const { id: otherId } = await buildTenant(database.db);
  const sentAtMs = Date.now() - MINUTE_MS;
  const sends = options.sends.map(({ send: fields, outcome = { kind: "unknown" } as const }) => ({
    send: send(tenantId, { sentAtMs, ...fields }),
    outcome: outcome === "sending" ? undefined : outcome,
  }));
  await writeSends(database.db, sends);
  const [first] = sends;
  await record(
    database.db,
    ...options.statuses.map(
      ({ afterMs = 0, receivedMsAgo = 3000, ofAnotherTenant = false, ...fields }) =>
        statusEvent(ofAnotherTenant ? otherId : tenantId, {
          happenedAt: new Date((first?.send.sentAtMs ?? sentAtMs) + afterMs),
          receivedAt: new Date(Date.now() - receivedMsAgo),
          ...fields,
        }),
    ),
  );
  await resolveUnknown(database.db, { sendingMsMax: SENDING_MS_MAX });
  const rows = await database.db
    .selectFrom("message")
    .select(["id", "state", "wamid", "resolved_at"])
    .where("tenant_id", "=", tenantId)
    .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return sends.map(({ send: { id } }) => {
    const row = byId.get(id);
    return [row?.state, row?.wamid, row?.resolved_at && "resolved"].filter(Boolean).join(" ");
  });
}

const RESOLVED = "accepted wamid.W resolved";
const W = "wamid.W";

describe("a send without an answer", () => {
  it.each<[string, Partial<LoggedSend>, Told[], string]>([
    ["by a status of its recipient", {}, [{ wamid: W }], RESOLVED],
    ["by any status", {}, [{ wamid: W, status: "failed" }], RESOLVED],
    ["by several of one wamid", {}, [{ wamid: W }, { wamid: W, status: "read" }], RESOLVED],
    ["not by none", {}, [], "unknown"],
    ["not by another number's", {}, [{ wamid: W, phoneNumberId: "1" }], "unknown"],
    ["not by another tenant's", {}, [{ wamid: W, ofAnotherTenant: true }], "unknown"],
    ["not by another recipient's", { recipient: "15550009999" }, [{ wamid: W }], "unknown"],
    ["not where it had no recipient", { recipient: undefined }, [{ wamid: W }], "unknown"],
    ["by the digits of a phone", { recipient: "+1 (555) 000-2222" }, [{ wamid: W }], RESOLVED],
    [
      "by a business-scoped id",
      { recipient: "US.1A" },
      [{ wamid: W, item: { recipient_user_id: "US.1A" } }],
      RESOLVED,
    ],
    [
      "by a business-scoped id without a phone",
      { recipient: "US.1A" },
      [{ wamid: W, item: { recipient_id: undefined, recipient_user_id: "US.1A" } }],
      RESOLVED,
    ],
    [
      "not by another business-scoped id",
      { recipient: "US.1A" },
      [{ wamid: W, item: { recipient_user_id: "US.1B" } }],
      "unknown",
    ],
    ["by one 4 s before it", {}, [{ wamid: W, afterMs: -4 * SECOND_MS }], RESOLVED],
    ["not by one 7 s before it", {}, [{ wamid: W, afterMs: -7 * SECOND_MS }], "unknown"],
    ["by one 9 min after it", {}, [{ wamid: W, afterMs: 9 * MINUTE_MS }], RESOLVED],
    ["not by one 11 min after it", {}, [{ wamid: W, afterMs: 11 * MINUTE_MS }], "unknown"],
    [
      "by the same callback data",
      { callbackData: "order" },
      [{ wamid: W, item: { biz_opaque_callback_data: "order" } }],
      RESOLVED,
    ],
    [
      "not by other callback data",
      { callbackData: "order" },
      [{ wamid: W, item: { biz_opaque_callback_data: "another" } }],
      "unknown",
    ],
    ["not by no callback data", { callbackData: "order" }, [{ wamid: W }], "unknown"],
    [
      "not by callback data that it had not",
      {},
      [{ wamid: W, item: { biz_opaque_callback_data: "order" } }],
      "unknown",
    ],
    // From now on, or it would be 2 s old on a slow machine.
    ["not by one that came a moment ago", {}, [{ wamid: W, receivedMsAgo: -MINUTE_MS }], "unknown"],
    ["not by two wamids", {}, [{ wamid: W }, { wamid: "wamid.V" }], "unknown"],
    [
      "by the one of two wamids that fits",
      {},
      [{ wamid: W }, { wamid: "wamid.V", phoneNumberId: "1" }],
      RESOLVED,
    ],
  ])("is resolved %s", async (_name, fields, statuses, expected) => {
    expect(await resolved({ sends: [{ send: fields }], statuses })).toEqual([expected]);
  });

  it.each<[string, Given[], string[]]>([
    ["two sends that it fits", [{ send: {} }, { send: {} }], ["unknown", "unknown"]],
    [
      "one that is under way besides",
      [
        { send: { sentAtMs: Date.now() - 20 * SECOND_MS } },
        { send: { sentAtMs: Date.now() - 20 * SECOND_MS }, outcome: "sending" },
      ],
      ["unknown", "sending"],
    ],
    [
      "one that is not its own",
      [{ send: {} }, { send: { recipient: "1" } }],
      [RESOLVED, "unknown"],
    ],
    [
      "one whose answer told another",
      [{ send: {} }, { send: {}, outcome: answered("wamid.V") }],
      [RESOLVED, "accepted wamid.V"],
    ],
    [
      "one whose answer told this one",
      [{ send: {} }, { send: {}, outcome: answered(W) }],
      ["unknown", `accepted ${W}`],
    ],
    [
      "one that was refused",
      [{ send: {} }, { send: {}, outcome: answered("", 400) }],
      [RESOLVED, "refused"],
    ],
  ])("with %s", async (_name, sends, expected) => {
    expect(await resolved({ sends, statuses: [{ wamid: W }] })).toEqual(expected);
  });

  it("is each told from the other where two sends have each a wamid of its own", async () => {
    const sends = ["a", "b"].map((callbackData) => ({ send: { callbackData } }));
    const statuses = ["a", "b"].map((data) => ({
      wamid: `wamid.${data}`,
      item: { biz_opaque_callback_data: data },
    }));
    expect(await resolved({ sends, statuses })).toEqual([
      "accepted wamid.a resolved",
      "accepted wamid.b resolved",
    ]);
  });
});

describe("time", () => {
  it.each<[string, number, Given["outcome"], string]>([
    ["leaves a send under way that may still be answered", 350 * SECOND_MS, "sending", "sending"],
    ["makes one unknown whose process must have died", 450 * SECOND_MS, "sending", "unknown"],
    ["leaves an unknown one for a day", 23 * HOUR_MS, { kind: "unknown" }, "unknown"],
    ["makes it unresolved then", 25 * HOUR_MS, { kind: "unknown" }, "unresolved"],
    ["makes one unresolved that was never ended", 25 * HOUR_MS, "sending", "unresolved"],
  ])("%s", async (_name, ageMs, outcome, expected) => {
    const sentAtMs = Date.now() - ageMs;
    expect(
      await resolved({
        sends: [{ send: { sentAtMs }, ...(outcome && { outcome }) }],
        statuses: [],
      }),
    ).toEqual([expected]);
  });

  it("lets one be resolved whose process died", async () => {
    const sentAtMs = Date.now() - 450 * SECOND_MS;
    const sends = [{ send: { sentAtMs }, outcome: "sending" as const }];
    expect(await resolved({ sends, statuses: [{ wamid: W }] })).toEqual([RESOLVED]);
  });
});

describe("how many are unknown", () => {
  it("is told, so that nobody looks for what is not there", async () => {
    const own = await createTestDatabase();
    const { id } = await buildTenant(own.db);
    const look = () => resolveUnknown(own.db, { sendingMsMax: SENDING_MS_MAX });
    expect(await look()).toBe(0);
    await writeSends(own.db, [
      { send: send(id), outcome: { kind: "unknown" } },
      { send: send(id), outcome: undefined },
    ]);
    expect(await look()).toBe(1);
    await own.drop();
  });
});
