import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fragmentOf } from "../../../src/events/present-event.ts";
import { split } from "../../../src/inbox/split.ts";
import { applyMarketingPreferences } from "../../../src/records/marketing-preferences.ts";
import { notification } from "../../fixtures/notification.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildTenant } from "../rows.ts";
import { apply, followed, ODD_VALUES } from "./followed.ts";

let database: TestDatabase;
let tenantId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ id: tenantId } = await buildTenant(database.db));
});
afterAll(() => database.drop());

async function said(user: string): Promise<[stop: string | undefined, resume: string | undefined]> {
  const row = await database.db
    .selectFrom("marketing_preference")
    .select(["stopped_at", "resumed_at"])
    .where("tenant_id", "=", tenantId)
    .where("user_id", "=", user)
    .executeTakeFirst();
  return [row?.stopped_at?.toISOString(), row?.resumed_at?.toISOString()];
}

function preference(fields: object) {
  const one = { category: "marketing_messages", ...fields };
  return followed(tenantId, "contact.preference_changed", { user_preferences: [one] });
}

function failed(fields: object) {
  return followed(tenantId, "message.status.failed", { statuses: [{ id: "wamid.1", ...fields }] });
}

describe("what a user says of marketing", () => {
  it("is kept as it comes over a hook", async () => {
    const [fragment] = split(notification("user-preferences"));
    const value = fragmentOf(fragment?.body ?? Buffer.alloc(0));
    const event = followed(tenantId, fragment?.type ?? "", value);
    await apply(database.db, applyMarketingPreferences, event);
    expect(await said("15550002222")).toEqual(["2025-06-15T15:06:57.000Z", undefined]);
  });

  it("is the last stop and the last resumption, in whichever order they come", async () => {
    const events = [
      preference({ wa_id: "1111", user_id: "US.1", value: "resume", timestamp: 1_750_000_200 }),
      preference({ wa_id: "1111", user_id: "US.1", value: "stop", timestamp: "1750000300" }),
      preference({ wa_id: "1111", user_id: "US.1", value: "stop", timestamp: "1750000100" }),
      preference({ wa_id: "1111", user_id: "US.1", value: "signup", timestamp: "1750000050" }),
    ];
    const last = ["2025-06-15T15:11:40.000Z", "2025-06-15T15:10:00.000Z"];
    await apply(database.db, applyMarketingPreferences, ...events);
    expect(await said("1111")).toEqual(last);
    for (const event of events.toReversed()) {
      await apply(database.db, applyMarketingPreferences, event);
    }
    expect(await said("1111")).toEqual(last);
    expect(await said("US.1")).toEqual(last);
  });

  it("is also learnt from a message that failed for it", async () => {
    const errors = [{ code: 131_026 }, { code: 131_050 }];
    await apply(
      database.db,
      applyMarketingPreferences,
      failed({ recipient_id: "2222", timestamp: "1750000000", errors }),
      failed({ recipient_id: "3333", timestamp: "1750000000", errors: [{ code: 131_026 }] }),
      failed({ recipient_id: "4444", timestamp: "1750000000", recipient_type: "group", errors }),
    );
    expect(await said("2222")).toEqual(["2025-06-15T15:06:40.000Z", undefined]);
    expect(await said("3333")).toEqual([undefined, undefined]);
    expect(await said("4444")).toEqual([undefined, undefined]);
  });

  it("is nothing when it is about something else", async () => {
    const other = { wa_id: "5555", value: "stop", timestamp: 1_750_000_000, category: "news" };
    const odd = { wa_id: "5555", value: "perhaps", timestamp: 1_750_000_000 };
    await apply(database.db, applyMarketingPreferences, preference(other), preference(odd));
    expect(await said("5555")).toEqual([undefined, undefined]);
  });

  it("may have any shape and no owner", async () => {
    const types = ["contact.preference_changed", "message.status.failed"];
    const odd = ODD_VALUES.flatMap((value) => types.map((type) => followed(tenantId, type, value)));
    const stop = { wa_id: "6666", value: "stop", timestamp: 1_750_000_000 };
    const nobodys = { ...preference(stop), tenantId: "" };
    await apply(database.db, applyMarketingPreferences, ...odd, nobodys);
    expect(await said("6666")).toEqual([undefined, undefined]);
  });
});
