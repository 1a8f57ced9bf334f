import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ListedTemplate } from "../../../src/records/store-templates.ts";
import {
  createTemplateSync,
  type ListTemplates,
  type TemplateSync,
} from "../../../src/records/template-sync.ts";
import { askForTemplates, needTemplates } from "../../../src/records/template-wants.ts";
import { applyTemplateEvents } from "../../../src/records/templates.ts";
import { type ChangeFeed, startChangeFeed } from "../../../src/store/change-feed.ts";
import { createDirectory } from "../../../src/tenancy/directory.ts";
import { deleteTenant } from "../../../src/tenancy/tenants.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildNumber, buildTenant, sealer } from "../rows.ts";
import { apply, followed } from "./followed.ts";

let database: TestDatabase;
let feed: ChangeFeed;
let sync: TemplateSync;
let tenantId: string;
let wabaId: string;
/** What 360dialog has, and how often it was asked. */
let listed: Awaited<ReturnType<ListTemplates>>;
let asked: string[];
let whileListing: () => Promise<void>;

beforeAll(async () => {
  database = await createTestDatabase();
  feed = startChangeFeed({ db: database.db, onError: () => {} });
});
afterAll(async () => {
  await feed.stop();
  await database.drop();
});

beforeEach(async () => {
  await database.db.deleteFrom("template_sync").execute();
  ({ id: tenantId } = await buildTenant(database.db));
  wabaId = String(randomBytes(6).readUIntBE(0, 6));
  await buildNumber(database.db, tenantId, { waba_id: wabaId, state: "running" });
  listed = { kind: "ok", templates: [] };
  asked = [];
  whileListing = async () => {};
  sync = createSync();
});
afterEach(() => sync.stop());

function createSync(): TemplateSync {
  return createTemplateSync({
    db: database.db,
    directory: createDirectory({ db: database.db, feed, sealer }),
    async listTemplates(number) {
      asked.push(number.phoneNumberId);
      await whileListing();
      return listed;
    },
    pauseMs: 0,
  });
}

function template(name: string, fields: Partial<ListedTemplate> = {}): ListedTemplate {
  const usual = { category: "UTILITY", status: "approved", quality: null };
  const components = [{ type: "BODY", text: "Your \u0000 order \ud800 is ready." }];
  return { name, language: "en_US", ...usual, components, externalId: "1", ...fields };
}

async function cached(): Promise<Record<string, string | null>> {
  const rows = await database.db
    .selectFrom("template")
    .select(["name", "status"])
    .where("tenant_id", "=", tenantId)
    .orderBy("name")
    .execute();
  return Object.fromEntries(rows.map(({ name, status }) => [name, status]));
}

async function state() {
  return database.db
    .selectFrom("template_sync")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .executeTakeFirstOrThrow();
}

function paused(name: string) {
  return followed(
    tenantId,
    "template.status_changed",
    { event: "PAUSED", message_template_name: name, message_template_language: "en_US" },
    { wabaId, receivedAt: new Date(Date.now() + 1000) },
  );
}

describe("the sync of templates", () => {
  it("asks for nothing that nobody needs", async () => {
    await sync.syncDue();
    expect(asked).toEqual([]);
  });

  it("fetches a WABA at first need, and again six hours later", async () => {
    listed = { kind: "ok", templates: [template("a"), template("b", { status: "paused" })] };
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    expect(asked).toHaveLength(1);
    expect(await cached()).toEqual({ a: "approved", b: "paused" });
    const { synced_at, next_at, failure } = await state();
    expect((next_at.getTime() - (synced_at?.getTime() ?? 0)) / 60_000).toBeCloseTo(360, 0);
    expect(failure).toBeNull();
  });

  it("keeps components as they are, U+0000 and lone surrogates too", async () => {
    listed = { kind: "ok", templates: [template("a")] };
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    const { components } = await database.db
      .selectFrom("template")
      .select("components")
      .where("tenant_id", "=", tenantId)
      .executeTakeFirstOrThrow();
    expect(components).toEqual(template("a").components);
  });

  it("forgets what is no longer there, and keeps a thousand that are", async () => {
    const many = Array.from({ length: 1200 }, (_, index) => template(`t${index}`));
    listed = { kind: "ok", templates: [...many, template("gone"), template("t1")] };
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    expect(Object.keys(await cached())).toHaveLength(1201);
    listed = { kind: "ok", templates: many };
    await database.db
      .updateTable("template_sync")
      .set({ next_at: new Date(0) })
      .execute();
    await sync.syncDue();
    const names = Object.keys(await cached());
    expect([names.length, names.includes("gone")]).toEqual([1200, false]);
  });

  it("does not undo what an event has told since it began", async () => {
    listed = { kind: "ok", templates: [template("a"), template("b")] };
    whileListing = () => apply(database.db, applyTemplateEvents, paused("a"), paused("new"));
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    expect(await cached()).toEqual({ a: "paused", b: "approved", new: "paused" });
  });

  it("backs off after failures, and keeps what it had", async () => {
    listed = { kind: "ok", templates: [template("a")] };
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    listed = { kind: "failed", reason: "360dialog answered 500: oops." };
    const delaysMinutes: number[] = [];
    for (let failures = 1; failures <= 6; failures++) {
      await database.db
        .updateTable("template_sync")
        .set({ next_at: new Date(0) })
        .execute();
      await sync.syncDue();
      const { next_at } = await state();
      delaysMinutes.push(Math.round((next_at.getTime() - Date.now()) / 60_000));
    }
    expect(delaysMinutes).toEqual([1, 5, 15, 60, 360, 360]);
    const { failure, failed_count, synced_at } = await state();
    expect([failure, failed_count]).toEqual(["360dialog answered 500: oops.", 6]);
    expect(synced_at).not.toBeNull();
    expect(await cached()).toEqual({ a: "approved" });

    listed = { kind: "ok", templates: [] };
    await database.db
      .updateTable("template_sync")
      .set({ next_at: new Date(0) })
      .execute();
    await sync.syncDue();
    expect(await state()).toMatchObject({ failure: null, failed_count: 0 });
    expect(await cached()).toEqual({});
  });

  it("is run by one process at a time", async () => {
    const other = createSync();
    let both: Promise<void> | undefined;
    whileListing = async () => {
      both ??= other.syncDue();
      await both;
    };
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    expect(asked).toHaveLength(1);
    await other.stop();
  });

  it("says so when no number of the WABA can ask", async () => {
    await database.db
      .updateTable("phone_number")
      .set({ state: "key_rejected" })
      .where("tenant_id", "=", tenantId)
      .execute();
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    expect((await state()).failure).toBe("No number of this WABA is running.");
    expect(asked).toEqual([]);
  });

  it("forgets a WABA that the tenant has no number on any more", async () => {
    listed = { kind: "ok", templates: [template("a")] };
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    await database.db.deleteFrom("phone_number").where("tenant_id", "=", tenantId).execute();
    await database.db
      .updateTable("template_sync")
      .set({ next_at: new Date(0) })
      .execute();
    sync = createSync();
    await sync.syncDue();
    expect(await cached()).toEqual({});
    await expect(state()).rejects.toThrow("no result");
  });

  it("leaves nothing of a tenant that is deleted meanwhile", async () => {
    listed = { kind: "ok", templates: [template("a")] };
    whileListing = async () => void (await deleteTenant(database.db, tenantId));
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    expect(await cached()).toEqual({});
  });

  it("does not keep a stop waiting for an answer", async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    whileListing = () => answered;
    await needTemplates(database.db, tenantId, [wabaId]);
    const running = sync.syncDue();
    await eventually(() => asked.length > 0);
    await sync.stop();
    await running;
    answer();
  });
});

describe("asking for a sync", () => {
  it("works once a minute for each WABA", async () => {
    const options = { wabaIds: [wabaId], evenAfterFailure: true };
    expect(await askForTemplates(database.db, tenantId, options)).toHaveLength(1);
    expect(await askForTemplates(database.db, tenantId, options)).toEqual([]);
    const wabaIds = [wabaId, "1"];
    const others = await askForTemplates(database.db, tenantId, { ...options, wabaIds });
    expect(others.map(({ waba_id }) => waba_id)).toEqual(["1"]);
    const aMinuteAgo = new Date(Date.now() - 61_000);
    await database.db.updateTable("template_sync").set({ asked_at: aMinuteAgo }).execute();
    expect(await askForTemplates(database.db, tenantId, options)).toHaveLength(1);
  });

  it("ends a back-off only when a person asks", async () => {
    listed = { kind: "failed", reason: "x" };
    await needTemplates(database.db, tenantId, [wabaId]);
    await sync.syncDue();
    await database.db
      .updateTable("template_sync")
      .set({ asked_at: new Date(0) })
      .execute();
    const wabaIds = [wabaId];
    const bySend = { wabaIds, evenAfterFailure: false };
    expect(await askForTemplates(database.db, tenantId, bySend)).toEqual([]);
    const byPerson = { wabaIds, evenAfterFailure: true };
    expect(await askForTemplates(database.db, tenantId, byPerson)).toHaveLength(1);
  });
});
