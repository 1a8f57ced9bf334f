import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLink } from "../../../src/partner/onboarding/links.ts";
import { noteChannel } from "../../../src/partner/onboarding/note-channel.ts";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { claimDeliveries } from "../../../src/fanout/claim.ts";
import { deleteEndpoint } from "../../../src/fanout/endpoints.ts";
import { settleDeliveries } from "../../../src/fanout/settle.ts";
import { createIdempotency } from "../../../src/gateway/idempotency/idempotency.ts";
import { newId } from "../../../src/ids.ts";
import { numberSubject, raiseAlert } from "../../../src/partner/alerts/alerts.ts";
import { createMediaIds } from "../../../src/records/media-ids.ts";
import { type ChangeFeed, startChangeFeed } from "../../../src/store/change-feed.ts";
import { createClient } from "../../../src/tenancy/clients.ts";
import { createDirectory, type Directory } from "../../../src/tenancy/directory.ts";
import { createFindHook, createHook, type FindHook } from "../../../src/tenancy/hooks.ts";
import {
  createFindIssuers,
  insertIssuerAsPartner,
  type IssuerFields,
} from "../../../src/tenancy/issuers.ts";
import { createLongLivedToken } from "../../../src/tenancy/long-lived-tokens.ts";
import {
  createTenant,
  deleteTenant,
  findTenant,
  listTenants,
  setTenantState,
  updateTenant,
  upsertTenant,
} from "../../../src/tenancy/tenants.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import {
  buildEndpoint,
  buildKnown,
  buildNumber,
  buildTenant,
  event,
  notification,
  sealer,
} from "../rows.ts";
import { record, send, statusEvent, writeSends } from "../records/sends.ts";

let database: TestDatabase;
let feed: ChangeFeed;
let directory: Directory;
let findHook: FindHook;
beforeAll(async () => {
  database = await createTestDatabase();
  feed = startChangeFeed({ db: database.db, onError: () => {} });
  directory = createDirectory({ db: database.db, feed, sealer });
  findHook = createFindHook({ db: database.db, feed });
});
afterAll(async () => {
  await feed.stop();
  await database.drop();
});

async function buildLedger(tenantId: string): Promise<void> {
  const { db } = database;
  const { id: endpointId } = await buildEndpoint(db, tenantId);
  await deleteEndpoint(db, tenantId, { endpointId, among: null });
  const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
  const place = { tenant_id: tenantId, hour, endpoint_id: endpointId, phone_number_id: "" };
  const nothing = { filtered: 0, delivered: 0, exhausted: 0, pending: 0, delivering: 0 };
  await db
    .insertInto("ledger")
    .values({ ...place, ...nothing, pass: 1, received: 1, cancelled: 1, missing: 0 })
    .execute();
  await db
    .insertInto("ledger_drift")
    .values({ ...place, event_id: "evt_1" })
    .execute();
  await db
    .insertInto("traffic")
    .values({ tenant_id: tenantId, phone_number_id: "101", hour, events: 1 })
    .execute();
}

/** A tenant with something in each table that holds tenants' data. */
async function buildWhole(): Promise<{ id: string; hook: [token: string, secret: string] }> {
  const { db } = database;
  const { id } = await buildTenant(db);
  const { client } = await createClient(db, id, { name: null, scopes: [], phone_number_ids: null });
  await buildTokenAndIssuer(id, client.id);
  const number = await buildNumber(db, id);
  const { token, secret } = await createHook(db, number.id);
  await buildOnboarding(id);
  await db.insertInto("number_move").values({ tenant_id: id, number_id: number.id }).execute();
  const alert = {
    kind: "key_rejected",
    subject: numberSubject(number),
    detail: "Refused.",
  } as const;
  await db.transaction().execute((trx) => raiseAlert(trx, alert));
  await buildEndpoint(db, id, { max_in_flight: 1 });
  await buildLedger(id);
  await buildKnown(db, id);
  await writeNotifications(db, [notification([event(id), event(id)])]);
  const { deliveries: claimed } = await claimDeliveries(database.inOneTrip, { deliveriesMax: 100 });
  await settleDeliveries(
    db,
    claimed
      .filter((delivery) => delivery.tenant_id === id)
      .map((delivery) => ({
        delivery,
        state: "delivered",
        nextAttemptAt: null,
        attempt: {
          startedAt: new Date(),
          durationMs: 1,
          status: 200,
          answer: null,
          outcome: "delivered",
          reason: "First attempt.",
          next: "Nothing more.",
        },
      })),
  );
  await createIdempotency({ db, sealer, leaseMs: 1000 }).begin({
    tenantId: id,
    numberId: number.id,
    operation: "sendMessage",
    key: "once",
    body: Buffer.from("{}"),
    search: "",
    messageId: newId("msg"),
  });
  await writeSends(db, [{ send: send(id), outcome: undefined }]);
  await record(db, statusEvent(id, { wamid: "wamid.A" }));
  const mediaIds = createMediaIds({ db, onError: () => {}, onDropped: () => {} });
  mediaIds.note(id, "101", "8001");
  await mediaIds.drain();
  await db
    .insertInto("erasure")
    .values({ id: newId("era"), tenant_id: id, user_sealed: Buffer.of(1), phone_number_ids: null })
    .execute();
  return { id, hook: [token.reveal(), secret.reveal()] };
}

async function buildTokenAndIssuer(tenantId: string, clientId: string): Promise<void> {
  const { db } = database;
  const signingKeyId = randomUUID();
  await db
    .insertInto("signing_key")
    .values({
      id: signingKeyId,
      public_jwk: "{}",
      private_key_sealed: Buffer.alloc(0),
      active_from: new Date(),
    })
    .execute();
  const fields = { client_id: clientId, name: "tool", scopes: [], phone_number_ids: null };
  await createLongLivedToken(db, tenantId, {
    fields: { ...fields, expires_at: new Date(Date.now() + 60_000) },
    sign: async () => ({ token: "", signingKeyId }),
  });
  await insertIssuerAsPartner(db, issuerOf({ tenant_id: tenantId }));
}

function issuerOf(fields: Partial<IssuerFields>): IssuerFields {
  return {
    iss: `https://${randomUUID()}.example.com`,
    audience: "waba",
    jwks_url: "https://idp.example.com/jwks",
    algorithms: ["RS256"],
    scopes: ["messages:send"],
    tenant_id: null,
    tenant_claim: null,
    tenant_ids: null,
    ...fields,
  };
}

/** In how many rows of each table the tenant's id stands. */
async function buildOnboarding(tenantId: string): Promise<void> {
  const channel = { id: newId("onb"), hubClientId: newId("onb") };
  await createLink(database.db, tenantId, { wantedClientId: null, opened: false });
  await database.db
    .transaction()
    .execute((trx) => noteChannel(trx, { channel, tenantId, by: "test" }));
}

async function rowsOf(tenantId: string): Promise<Record<string, number>> {
  const { rows: tables } = await sql<{ name: string }>`
    select c.table_name as name from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.column_name = 'tenant_id' and c.table_schema = 'public'
      and t.table_type = 'BASE TABLE' and c.table_name !~ '_\\d{8}$'
    order by 1`.execute(database.db);
  const counts = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await sql<{ count: string }>`
        select count(*) from ${sql.table(name)} where tenant_id = ${tenantId}`.execute(database.db);
      return [name, Number(rows[0]?.count)] as const;
    }),
  );
  return Object.fromEntries(counts);
}

describe("a tenant", () => {
  it("is made active, with an id of ours", async () => {
    const tenant = await createTenant(database.db, { name: "Acme", external_id: "crm-1" });
    expect(tenant).toMatchObject({ name: "Acme", external_id: "crm-1", state: "active" });
    expect(tenant.id).toMatch(/^ten_[0-9a-z]{26}$/);
    expect(await findTenant(database.db, tenant.id)).toEqual(tenant);
  });

  it("has no external id that another has", async () => {
    const [one] = [await createTenant(database.db, { name: "a", external_id: "crm-2" })];
    const other = await createTenant(database.db, { name: "b", external_id: "crm-3" });
    const taken = { code: "external_id_taken", status: 409 };
    await expect(
      createTenant(database.db, { name: "c", external_id: "crm-2" }),
    ).rejects.toMatchObject(taken);
    await expect(
      updateTenant(database.db, other.id, { external_id: "crm-2" }),
    ).rejects.toMatchObject(taken);
    expect(await updateTenant(database.db, one.id, { external_id: "crm-2" })).toMatchObject({
      external_id: "crm-2",
    });
  });

  it("may have no external id, like any other", async () => {
    const [one, other] = [await buildTenant(database.db), await buildTenant(database.db)];
    expect([one.external_id, other.external_id]).toEqual([null, null]);
  });

  it("is made once by its external id, however many ask at once", async () => {
    const upserts = await Promise.all(
      [1, 2, 3, 4].map((n) =>
        upsertTenant(database.db, { name: `name ${n}`, external_id: "crm-4" }),
      ),
    );
    expect(new Set(upserts.map(({ tenant }) => tenant.id)).size).toBe(1);
    expect(upserts.filter(({ created }) => created)).toHaveLength(1);
    const again = await upsertTenant(database.db, { name: "new name", external_id: "crm-4" });
    expect(again).toMatchObject({ created: false, tenant: { name: "new name" } });
  });

  it("is the same when nothing about it is changed", async () => {
    const tenant = await buildTenant(database.db);
    expect(await updateTenant(database.db, tenant.id, {})).toEqual(tenant);
    expect(await updateTenant(database.db, "ten_none", {})).toBeUndefined();
    expect(await updateTenant(database.db, "ten_none", { name: "x" })).toBeUndefined();
  });

  it("is found by its external id, or not at all", async () => {
    const { id } = await createTenant(database.db, { name: "a", external_id: "crm-5" });
    const list = (externalId: string) =>
      listTenants(database.db, { limit: 5, after: undefined, externalId });
    expect((await list("crm-5")).map((row) => row.id)).toEqual([id]);
    expect(await list("crm-none")).toEqual([]);
  });

  it("that is suspended is so in every process", async () => {
    const { id } = await buildTenant(database.db);
    expect(await directory.findTenant(id)).toMatchObject({ state: "active" });
    await database.db.transaction().execute((trx) => setTenantState(trx, id, "suspended"));
    await feed.read();
    expect(await directory.findTenant(id)).toMatchObject({ state: "suspended" });
  });
});

describe("a tenant that is deleted", () => {
  it("is erased with all that is its own, and nothing of another's", async () => {
    const [gone, kept] = [await buildWhole(), await buildWhole()];
    const before = await rowsOf(kept.id);
    expect(Object.values(await rowsOf(gone.id)).filter((count) => count === 0)).toEqual([]);
    expect(await deleteTenant(database.db, gone.id)).toBe(true);
    expect(Object.values(await rowsOf(gone.id)).filter((count) => count > 0)).toEqual([]);
    expect(await rowsOf(kept.id)).toEqual(before);
    expect(await findTenant(database.db, gone.id)).toBeUndefined();
    expect(await findTenant(database.db, kept.id)).toBeDefined();
  });

  it("is gone in every process: the tenant, its clients, its hooks", async () => {
    const { id, hook } = await buildWhole();
    const { client } = await createClient(database.db, id, {
      name: null,
      scopes: [],
      phone_number_ids: null,
    });
    expect(await directory.findTenant(id)).toBeDefined();
    expect(await directory.findClient(client.id)).toBeDefined();
    expect(await findHook(...hook)).toMatchObject({ tenantId: id });
    await deleteTenant(database.db, id);
    await feed.read();
    expect(await directory.findTenant(id)).toBeUndefined();
    expect(await directory.findClient(client.id)).toBeUndefined();
    expect(await findHook(...hook)).toBeUndefined();
  });

  it("is spoken for by no issuer any more, also not by one that speaks for others as well", async () => {
    const [gone, kept] = [await buildTenant(database.db), await buildTenant(database.db)];
    const findIssuers = createFindIssuers({ db: database.db, feed });
    const shared = await insertIssuerAsPartner(
      database.db,
      issuerOf({ tenant_claim: "tenant", tenant_ids: [gone.id, kept.id] }),
    );
    const own = await insertIssuerAsPartner(database.db, issuerOf({ tenant_id: gone.id }));
    expect(await findIssuers(shared.iss)).toHaveLength(1);
    expect(await findIssuers(own.iss)).toHaveLength(1);
    await deleteTenant(database.db, gone.id);
    await feed.read();
    expect(await findIssuers(shared.iss)).toMatchObject([{ tenant_ids: [kept.id] }]);
    expect(await findIssuers(own.iss)).toEqual([]);
  });

  it("was there before", async () => {
    expect(await deleteTenant(database.db, "ten_none")).toBe(false);
  });
});
