import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { split } from "../../../src/inbox/split.ts";
import { applyWindows, findWindow } from "../../../src/records/windows.ts";
import { fragmentOf } from "../../../src/events/present-event.ts";
import { deleteTenant } from "../../../src/tenancy/tenants.ts";
import { notification } from "../../fixtures/notification.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildTenant, sealer } from "../rows.ts";
import { insertNumber } from "../../../src/partner/numbers.ts";
import { Secret } from "../../../src/secret.ts";
import { apply, followed, ODD_VALUES, PHONE_NUMBER_ID } from "./followed.ts";

let database: TestDatabase;
let tenantId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ id: tenantId } = await buildTenant(database.db));
  await insertNumber(database.db, tenantId, {
    phoneNumberId: PHONE_NUMBER_ID,
    fields: {},
    apiKey: new Secret("a key"),
    sealer,
  });
});
afterAll(() => database.drop());

async function lastInbound(user: string): Promise<string | undefined> {
  const found = await findWindow(database.db, tenantId, { phoneNumberId: PHONE_NUMBER_ID, user });
  return found?.lastInboundAt?.toISOString();
}

function message(fields: object): object {
  return { messages: [{ id: "wamid.1", type: "text", ...fields }] };
}

const received = (value: unknown) => followed(tenantId, "message.received", value);

/** A fixture, split as the inbox does. */
function fixture(name: string) {
  const [fragment] = split(notification(name));
  return followed(tenantId, fragment?.type ?? "", fragmentOf(fragment?.body ?? Buffer.alloc(0)));
}

describe("a window", () => {
  it("opens with a message, at the time that Meta says", async () => {
    await apply(database.db, applyWindows, fixture("message-text"));
    expect(await lastInbound("15550002222")).toBe("2025-06-15T15:06:40.000Z");
  });

  it("opens with a message of a user without a phone number", async () => {
    await apply(database.db, applyWindows, fixture("message-from-bsuid"));
    expect(await lastInbound("US.13491208655302741918")).toBe("2025-06-15T15:06:41.000Z");
  });

  it("opens with a call that the user makes", async () => {
    await apply(database.db, applyWindows, fixture("call-connect"));
    expect(await lastInbound("15550002222")).toBe("2025-06-15T15:06:49.000Z");
  });

  it("opens under both names of a user who has both", async () => {
    const both = {
      messages: [{ from: "4915112345678", from_user_id: "DE.77", timestamp: "1750000100" }],
    };
    await apply(database.db, applyWindows, received(both));
    const named = {
      messages: [{ from: "4915112345679", timestamp: "1750000100" }],
      contacts: [
        { wa_id: "4915112345679", user_id: "DE.78" },
        { wa_id: "4915112345670", user_id: "DE.79" },
      ],
    };
    await apply(database.db, applyWindows, received(named));
    const users = ["4915112345678", "DE.77", "4915112345679", "DE.78"];
    const times = await Promise.all(users.map(lastInbound));
    expect(new Set(times)).toEqual(new Set(["2025-06-15T15:08:20.000Z"]));
    expect(await lastInbound("DE.79")).toBeUndefined();
  });

  it("is never put back, in whichever order and however often events come", async () => {
    const times = ["1750000300", "1750000100", "1750000200"];
    const events = times.map((timestamp) => received(message({ from: "333", timestamp })));
    await apply(database.db, applyWindows, ...events);
    expect(await lastInbound("333")).toBe("2025-06-15T15:11:40.000Z");
    for (const event of events) {
      await apply(database.db, applyWindows, event);
    }
    expect(await lastInbound("333")).toBe("2025-06-15T15:11:40.000Z");
  });

  it("does not open in the future", async () => {
    await apply(
      database.db,
      applyWindows,
      received(message({ from: "444", timestamp: "9999999999" })),
    );
    expect(await lastInbound("444")).toBe("2026-01-31T12:00:00.000Z");
  });

  it.each<[string, string, object, boolean]>([
    ["a reaction", "9001", { type: "reaction", reaction: { message_id: "wamid.0" } }, true],
    ["what cannot be shown", "9002", { type: "unsupported", errors: [{ code: 131_051 }] }, true],
    ["a tap on a button", "9003", { type: "button", button: { text: "No" } }, true],
    [
      "a system message",
      "9004",
      { type: "system", system: { type: "user_changed_number" } },
      false,
    ],
    ["a message to a group", "9005", { group_id: "1203" }, false],
  ])("knows whether it opens with %s", async (_what, from, fields, opens) => {
    const value = message({ from, timestamp: "1750000000", ...fields });
    await apply(database.db, applyWindows, received(value));
    expect((await lastInbound(from)) !== undefined).toBe(opens);
  });

  it("does not open with a call that the business makes, nor with a message of its own", async () => {
    const call = { from: "15550783881", to: "555", direction: "BUSINESS_INITIATED", timestamp: 1 };
    const echo = { message_echoes: [{ from: "15550783881", to: "555", timestamp: "1" }] };
    await apply(
      database.db,
      applyWindows,
      followed(tenantId, "call.connect", { calls: [call] }),
      followed(tenantId, "message.echo", echo),
    );
    expect(await lastInbound("555")).toBeUndefined();
    expect(await lastInbound("15550783881")).toBeUndefined();
  });

  it("is found under the forms of a number that people dial differently", async () => {
    const value = message({ from: "551187654321", timestamp: "1750000000" });
    await apply(database.db, applyWindows, received(value));
    expect(await lastInbound("5511987654321")).toBe("2025-06-15T15:06:40.000Z");
  });

  it("is its tenant's and its number's only", async () => {
    const { id: other } = await buildTenant(database.db);
    const options = { phoneNumberId: PHONE_NUMBER_ID, user: "15550002222" };
    expect(await findWindow(database.db, other, options)).toBeUndefined();
    const elsewhere = { ...options, phoneNumberId: "1" };
    expect(await findWindow(database.db, tenantId, elsewhere)).toBeUndefined();
  });
});

describe("applyWindows", () => {
  it("bears any shape, and events that have no owner", async () => {
    const types = ["message.received", "call.connect"];
    const odd = ODD_VALUES.flatMap((value) => types.map((type) => followed(tenantId, type, value)));
    const value = message({ from: "666", timestamp: "1750000000" });
    await apply(
      database.db,
      applyWindows,
      ...odd,
      followed("", "message.received", value),
      followed("ten_00000000000000000000000000", "message.received", value),
      followed(tenantId, "message.received", value, { phoneNumberId: null }),
    );
    expect(await lastInbound("666")).toBeUndefined();
  });

  it("leaves nothing behind of a tenant that is deleted", async () => {
    const { id } = await buildTenant(database.db);
    const value = message({ from: "777", timestamp: "1750000000" });
    const event = followed(id, "message.received", value);
    await apply(database.db, applyWindows, event);
    await deleteTenant(database.db, id);
    await apply(database.db, applyWindows, event);
    const left = await database.db
      .selectFrom("customer_service_window")
      .select("user_id")
      .where("tenant_id", "=", id)
      .execute();
    expect(left).toEqual([]);
  });
});
