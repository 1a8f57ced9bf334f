import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fragmentOf, parseKeepingDigits } from "../../../src/events/present-event.ts";
import { split } from "../../../src/inbox/split.ts";
import { applyTemplateEvents, type TemplateRow } from "../../../src/records/templates.ts";
import { notification } from "../../fixtures/notification.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildTenant } from "../rows.ts";
import { apply, followed, ODD_VALUES, WABA_ID } from "./followed.ts";

let database: TestDatabase;
let tenantId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ id: tenantId } = await buildTenant(database.db));
});
afterAll(() => database.drop());

async function cached(name: string): Promise<Partial<TemplateRow> | undefined> {
  return database.db
    .selectFrom("template")
    .select(["status", "category", "quality", "external_id"])
    .where("tenant_id", "=", tenantId)
    .where("waba_id", "=", WABA_ID)
    .where("name", "=", name)
    .executeTakeFirst();
}

function told(type: string, name: string, fields: object, minute = 0) {
  const value = {
    message_template_id: 1_689_556_908_129_832,
    message_template_name: name,
    message_template_language: "en_US",
    ...fields,
  };
  const receivedAt = new Date(Date.UTC(2026, 0, 31, 12, minute));
  return followed(tenantId, `template.${type}`, value, { receivedAt, phoneNumberId: null });
}

describe("an event of a template", () => {
  it("is taken as it comes over a hook", async () => {
    const [fragment] = split(notification("template-status"));
    const value = fragmentOf(fragment?.body ?? Buffer.alloc(0));
    await apply(
      database.db,
      applyTemplateEvents,
      followed(tenantId, fragment?.type ?? "", value, { phoneNumberId: null }),
    );
    expect(await cached("order_ready")).toEqual({
      status: "approved",
      category: "UTILITY",
      quality: null,
      external_id: "1689556908129832",
    });
  });

  it("changes what it tells and nothing else", async () => {
    const apart = [
      told("status_changed", "a", { event: "APPROVED", message_template_category: "utility" }, 1),
      told("quality_changed", "a", { new_quality_score: "GREEN" }, 2),
      told("category_changed", "a", { new_category: "MARKETING" }, 3),
      told("status_changed", "a", { event: "PAUSED" }, 4),
    ];
    for (const event of apart) {
      await apply(database.db, applyTemplateEvents, event);
    }
    const last = { status: "paused", category: "MARKETING", quality: "GREEN" };
    expect(await cached("a")).toMatchObject(last);
    await apply(database.db, applyTemplateEvents, ...apart.toReversed());
    expect(await cached("a")).toMatchObject(last);
  });

  it("that comes late changes nothing", async () => {
    await apply(
      database.db,
      applyTemplateEvents,
      told("status_changed", "b", { event: "PAUSED" }, 9),
    );
    await apply(
      database.db,
      applyTemplateEvents,
      told("status_changed", "b", { event: "APPROVED" }, 8),
    );
    expect(await cached("b")).toMatchObject({ status: "paused" });
  });

  it.each(["REINSTATED", "UNPAUSED"])("makes it approved again: %s", async (event) => {
    await apply(
      database.db,
      applyTemplateEvents,
      told("status_changed", event, { event: "DISABLED" }),
    );
    await apply(database.db, applyTemplateEvents, told("status_changed", event, { event }, 1));
    expect(await cached(event)).toMatchObject({ status: "approved" });
  });

  it("keeps all the digits of Meta's id", async () => {
    const value = parseKeepingDigits(
      `{"event":"APPROVED","message_template_id":12345678901234567890,
        "message_template_name":"digits","message_template_language":"en_US"}`,
    );
    const event = followed(tenantId, "template.status_changed", value, { phoneNumberId: null });
    await apply(database.db, applyTemplateEvents, event);
    expect((await cached("digits"))?.external_id).toBe("12345678901234567890");
  });

  it("that only suggests a category changes none", async () => {
    await apply(
      database.db,
      applyTemplateEvents,
      told("category_changed", "c", { correct_category: "MARKETING" }),
    );
    await apply(
      database.db,
      applyTemplateEvents,
      told("category_detected", "c", { new_category: "MARKETING" }),
    );
    expect(await cached("c")).toBeUndefined();
  });

  it("with new texts makes the next sync due", async () => {
    await database.db
      .insertInto("template_sync")
      .values({ tenant_id: tenantId, waba_id: WABA_ID, next_at: new Date("2999-01-01") })
      .execute();
    await apply(database.db, applyTemplateEvents, told("components_changed", "a", {}));
    const { next_at } = await database.db
      .selectFrom("template_sync")
      .select("next_at")
      .executeTakeFirstOrThrow();
    expect(next_at.getTime()).toBeLessThan(Date.now() + 60_000);
  });

  it("may have any shape and no owner", async () => {
    const types = ["status_changed", "quality_changed", "category_changed", "components_changed"];
    const odd = ODD_VALUES.flatMap((value) =>
      types.map((type) => followed(tenantId, `template.${type}`, value)),
    );
    const nobodys = { ...told("status_changed", "d", { event: "PAUSED" }), tenantId: "" };
    const nowhere = { ...told("status_changed", "d", { event: "PAUSED" }), wabaId: null };
    await apply(database.db, applyTemplateEvents, ...odd, nobodys, nowhere);
    expect(await cached("d")).toBeUndefined();
  });
});
