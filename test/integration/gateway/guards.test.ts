import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ApiError } from "../../../src/errors.ts";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { createGuards, type Guards, type Send } from "../../../src/gateway/guards/create-guards.ts";
import { insertNumber } from "../../../src/partner/numbers.ts";
import {
  createFindDestinationRules,
  deleteDestinationRule,
  insertDestinationRule,
} from "../../../src/records/destination-rules.ts";
import { applyMarketingPreferences } from "../../../src/records/marketing-preferences.ts";
import { putOptIn } from "../../../src/records/opt-ins.ts";
import { applyWindows } from "../../../src/records/windows.ts";
import { Secret } from "../../../src/secret.ts";
import { type ChangeFeed, startChangeFeed } from "../../../src/store/change-feed.ts";
import type { Database } from "../../../src/store/database.ts";
import { createDirectory } from "../../../src/tenancy/directory.ts";
import { type SendGuardSettings, tenantGuards } from "../../../src/tenancy/guard-settings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildTenant, event, notification, sealer } from "../rows.ts";
import { apply, followed, PHONE_NUMBER_ID, WABA_ID } from "../records/followed.ts";

let database: TestDatabase;
let feed: ChangeFeed;
let guards: Guards;
let tenantId: string;
let number: Send["number"];
let statements: number;
let wanted: string[];

const ALL_ENFORCED: SendGuardSettings = {
  customer_service_window: "enforce",
  opt_in: "enforce",
  destination: "enforce",
  template: "enforce",
};
const DAY_MS = 86_400_000;

beforeAll(async () => {
  database = await createTestDatabase();
  feed = startChangeFeed({ db: database.db, onError: () => {} });
  ({ id: tenantId } = await buildTenant(database.db));
  const { id } = await insertNumber(database.db, tenantId, {
    phoneNumberId: PHONE_NUMBER_ID,
    fields: { waba_id: WABA_ID, state: "running" },
    apiKey: new Secret("a key"),
    sealer,
  });
  const watched_since = new Date(Date.now() - 30 * DAY_MS);
  await database.db.updateTable("phone_number").set({ watched_since }).execute();
  const directory = createDirectory({ db: database.db, feed, sealer });
  const tenant = await directory.findTenant(tenantId);
  const found = tenant?.numbers.find((each) => each.id === id);
  if (found === undefined) {
    throw new Error("the directory does not know the number");
  }
  number = found;
});
afterAll(async () => {
  await feed.stop();
  await database.drop();
});

/** The same database, each of whose statements is counted. */
function counting(db: Database): Database {
  return db.withPlugin({
    transformQuery({ node }) {
      statements++;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
}

beforeEach(async () => {
  const db = counting(database.db);
  wanted = [];
  guards = createGuards({
    db,
    findDestinationRules: createFindDestinationRules({ db, feed }),
    wantTemplates: (tenant, wabaId) => void wanted.push(`${tenant} ${wabaId}`),
  });
  // The rules are remembered from the first send on.
  await guards.inspect(text("4915112345678"));
  statements = 0;
  wanted = [];
});
afterEach(async () => {
  for (const table of ["customer_service_window", "opt_in", "marketing_preference"] as const) {
    await database.db.deleteFrom(table).execute();
  }
  await database.db.deleteFrom("template").execute();
  await database.db.deleteFrom("template_sync").execute();
});

function send(message: Record<string, unknown>, settings: SendGuardSettings = ALL_ENFORCED): Send {
  const recipient = message["to"] as string;
  return {
    tenantId,
    number: { ...number, guards: settings },
    operation: "sendMessage",
    recipient,
    message,
  };
}

const text = (to: string, settings?: SendGuardSettings): Send =>
  send({ to, type: "text", text: { body: "x" } }, settings);

const template = (to: string, settings?: SendGuardSettings): Send =>
  send({ to, type: "template", template: { name: "news", language: { code: "en" } } }, settings);

const optIn = (user: string, obtainedAt = new Date()) =>
  putOptIn(database.db, tenantId, {
    phoneNumberId: PHONE_NUMBER_ID,
    user,
    source: "form",
    obtainedAt,
    proof: "1",
  });

const wrote = (from: string, receivedAt: Date) => {
  const messages = [
    { from, type: "text", timestamp: String(Math.floor(receivedAt.getTime() / 1000)) },
  ];
  return apply(
    database.db,
    applyWindows,
    followed(tenantId, "message.received", { messages }, { receivedAt }),
  );
};

async function cache(status: string, category: string): Promise<void> {
  const now = new Date();
  const waba = { tenant_id: tenantId, waba_id: WABA_ID };
  await database.db
    .insertInto("template_sync")
    .values({ ...waba, synced_at: now })
    .execute();
  await database.db
    .insertInto("template")
    .values({ ...waba, name: "news", language: "en", status, category, changed_at: now })
    .execute();
}

async function refusal(checking: Promise<string[]>): Promise<ApiError> {
  const error: unknown = await checking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiError)) {
    throw new Error("it was not refused", { cause: error });
  }
  return error;
}

describe("a guard in force", () => {
  it("refuses a text outside the window, and tells when the user last wrote", async () => {
    const yesterday = new Date(Math.floor(Date.now() / 1000) * 1000 - 25 * 3_600_000);
    await wrote("4915112345678", yesterday);
    const error = await refusal(guards.check(text("4915112345678")));
    expect([error.status, error.code]).toEqual([422, "window_closed"]);
    expect(error.members).toEqual({ last_inbound_at: yesterday.toISOString() });
    const stranger = await refusal(guards.check(text("4915112345679")));
    expect(stranger.members).toEqual({ last_inbound_at: null });
  });

  it("refuses nobody who may have written a moment ago, unread as yet", async () => {
    const { db } = database;
    const follow = db.insertInto("follower").values({ name: "records", xid: "0", seq: "0" });
    await follow.execute();
    const stored = (phoneNumberId: string, type: string, says: string) =>
      writeNotifications(db, [
        notification([event(tenantId, { phoneNumberId, type, body: Buffer.from(says) })]),
      ]);
    const said = '{"from":"4915112345678"}';
    await stored("1", "message.received", said);
    await stored(PHONE_NUMBER_ID, "message.status.read", said);
    await stored(PHONE_NUMBER_ID, "message.received", '{"from":"4915112345679"}');
    await expect(guards.check(text("4915112345678"))).rejects.toThrow();
    await stored(PHONE_NUMBER_ID, "message.received", said);
    expect(await guards.check(text("+49 151 12345678"))).toEqual([]);
    await db.updateTable("follower").set({ xid: "9000000000000000000" }).execute();
    await expect(guards.check(text("4915112345678"))).rejects.toThrow();
    await db.deleteFrom("follower").execute();
  });

  it("refuses nobody where too much is unread to be looked through", async () => {
    const { db } = database;
    await db.insertInto("follower").values({ name: "records", xid: "0", seq: "0" }).execute();
    const many = Array.from({ length: 1000 }, () => event(tenantId));
    await writeNotifications(db, [notification(many)]);
    expect(await guards.check(text("4915112345678"))).toEqual([]);
    await db.deleteFrom("follower").execute();
  });

  it("lets a text inside the window pass without an opt-in", async () => {
    await wrote("4915112345678", new Date());
    expect(await guards.check(text("+49 151 12345678"))).toEqual([]);
  });

  it("refuses a template to one who has not agreed", async () => {
    await cache("approved", "UTILITY");
    const error = await refusal(guards.check(template("4915112345678")));
    expect([error.status, error.code]).toEqual([422, "opt_in_missing"]);
    await optIn("4915112345678");
    expect(await guards.check(template("4915112345678"))).toEqual([]);
  });

  it("refuses marketing to one who stopped it, until that user agrees anew", async () => {
    await cache("approved", "MARKETING");
    await optIn("4915112345678", new Date(Date.now() - DAY_MS));
    const stop = { wa_id: "4915112345678", category: "marketing_messages", value: "stop" };
    await apply(
      database.db,
      applyMarketingPreferences,
      followed(
        tenantId,
        "contact.preference_changed",
        { user_preferences: [stop] },
        {
          receivedAt: new Date(Date.now() - 60_000),
        },
      ),
    );
    const error = await refusal(guards.check(template("4915112345678")));
    expect([error.status, error.code]).toEqual([422, "opted_out"]);
    await optIn("4915112345678");
    expect(await guards.check(template("4915112345678"))).toEqual([]);
  });

  it("refuses what a shipped rule forbids", async () => {
    await optIn("5351234567");
    await optIn("12125550123");
    await cache("approved", "MARKETING");
    const cuba = await refusal(guards.check(template("5351234567")));
    expect([cuba.status, cuba.code]).toEqual([422, "destination_restricted"]);
    const usa = await refusal(guards.check(template("12125550123")));
    expect([usa.status, usa.code]).toEqual([422, "destination_restricted"]);
  });

  it("refuses a template that the cache says is paused, or does not have", async () => {
    await optIn("4915112345678");
    await cache("paused", "UTILITY");
    const error = await refusal(guards.check(template("4915112345678")));
    expect([error.status, error.code]).toEqual([422, "template_unavailable"]);
    await database.db.deleteFrom("template").execute();
    const absent = await refusal(guards.check(template("4915112345678")));
    expect(absent.code).toBe("template_unavailable");
    // The template may have been made since the last sync.
    expect(wanted).toEqual([`${tenantId} ${WABA_ID}`, `${tenantId} ${WABA_ID}`]);
  });

  it("never refuses for what is not known", async () => {
    await optIn("15550002222");
    expect(await guards.check(template("15550002222"))).toEqual([]);
    expect(wanted).toEqual([`${tenantId} ${WABA_ID}`]);
  });
});

describe("a guard that warns", () => {
  it("lets the send pass, and names what it would have refused", async () => {
    const warning: SendGuardSettings = {
      ...ALL_ENFORCED,
      customer_service_window: "warn",
      opt_in: "warn",
    };
    expect(await guards.check(text("4915112345678", warning))).toEqual([
      "window_closed",
      "opt_in_missing",
    ]);
  });

  it("does not stop another from refusing", async () => {
    const mixed: SendGuardSettings = { ...ALL_ENFORCED, customer_service_window: "warn" };
    expect((await refusal(guards.check(text("4915112345678", mixed)))).code).toBe("opt_in_missing");
  });
});

describe("what guards cost", () => {
  it.each<[string, () => Send, number]>([
    ["nothing when all are off", () => text("4915112345678", tenantGuards({})), 0],
    ["one query for all of them, a text", () => text("4915112345678"), 1],
    ["one query for all of them, a template", () => template("4915112345678"), 1],
    [
      "one query for a user with two names",
      () => send({ to: "4915112345678", recipient: "DE.1" }),
      1,
    ],
    [
      "nothing for a template when only the window counts",
      () => template("4915112345678", tenantGuards({ customer_service_window: "enforce" })),
      0,
    ],
    [
      "nothing for a text when only templates count",
      () => text("4915112345678", tenantGuards({ template: "enforce" })),
      0,
    ],
    [
      "nothing for a destination without a rule for marketing",
      () => template("4915112345678", tenantGuards({ destination: "enforce" })),
      0,
    ],
    [
      "one query for one with such a rule",
      () => template("12125550123", tenantGuards({ destination: "enforce" })),
      1,
    ],
    ["nothing for a group", () => send({ to: "1203", recipient_type: "group", type: "text" }), 0],
  ])("is %s", async (_what, make, queries) => {
    statements = 0;
    await guards.check(make()).catch(() => {});
    expect(statements).toBe(queries);
  });

  it("is one query for a dry run of everything", async () => {
    await guards.inspect(template("12125550123"));
    expect(statements).toBe(1);
  });
});

describe("an inspection", () => {
  it("asks every guard, also those that are off", async () => {
    const checks = await guards.inspect(text("5351234567", tenantGuards({})));
    expect(checks.map(({ code, result }) => [code, result])).toEqual([
      ["window_closed", "refuse"],
      ["opt_in_missing", "refuse"],
      ["opted_out", "pass"],
      ["destination_restricted", "refuse"],
      ["template_unavailable", "pass"],
    ]);
  });

  it("lets pass what cannot be judged, and says why", async () => {
    const checks = await guards.inspect({ ...text("4915112345678"), message: undefined });
    expect(new Set(checks.map(({ result, detail }) => `${result}: ${detail}`))).toEqual(
      new Set(["pass: The body cannot be read."]),
    );
  });
});

describe("a destination rule", () => {
  it("counts as soon as the change is heard of, and no longer than it is there", async () => {
    const only = tenantGuards({ destination: "enforce" });
    expect(await guards.check(text("4915112345678", only))).toEqual([]);
    const rule = await insertDestinationRule(database.db, {
      country: "DE",
      effect: "blocked",
      from_at: new Date(0),
      until_at: null,
      note: "A test.",
    });
    await feed.read();
    const error = await refusal(guards.check(text("4915112345678", only)));
    expect(error.message).toBe("Nothing may be sent to DE. A test.");
    expect(await deleteDestinationRule(database.db, rule.id)).toBe(true);
    expect(await deleteDestinationRule(database.db, rule.id)).toBe(false);
    await feed.read();
    expect(await guards.check(text("4915112345678", only))).toEqual([]);
  });
});
