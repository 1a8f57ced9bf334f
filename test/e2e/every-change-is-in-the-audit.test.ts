import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chainAudit } from "../../src/partner/audit/chain.ts";
import { openApi } from "../support/answers-contract.ts";
import { fetchToken } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  BOOTSTRAP,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { runGatewayCommand } from "../support/run-command.ts";

type Entry = {
  id: string;
  phase: string;
  request_id: string;
  operation: string;
  actor: { kind: string; id: string; tenant_id: string | null };
  status: number | null;
  code: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  target: Record<string, string>;
};

const secretUrl = (host: string): string => `https://${host}.example.com/a-secret-path`;

describe("a change", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  async function entriesOf(query: string): Promise<Entry[]> {
    const { json, status } = await gateway.partner("GET", `/partner/v1/audit?${query}`);
    expect(status).toBe(200);
    return json.data as Entry[];
  }

  /** Entries are shown once whatever began before them, in any database of the server, has ended. */
  const bothEntriesOf = (query: string): Promise<Entry[]> =>
    eventually(async () => {
      const found = await entriesOf(query);
      return found.length >= 2 && found;
    });

  it("of the partner's is told with who, what, before and after", async () => {
    const path = `/partner/v1/numbers/${tenant.numberId}`;
    await gateway.partner("POST", `${path}/suspend`);
    await gateway.partner("POST", `${path}/resume`);
    const [begun, ended, ...more] = await bothEntriesOf("operation=suspendNumber");
    expect(more).toEqual([]);
    const actor = { kind: "partner", id: BOOTSTRAP.id, tenant_id: null };
    const same = { operation: "suspendNumber", actor, target: { number_id: tenant.numberId } };
    expect(begun).toMatchObject({ ...same, phase: "begun", status: null });
    expect(begun?.before).toMatchObject({ state: "running", waba_id: tenant.wabaId });
    expect(ended).toMatchObject({ ...same, phase: "ended", status: 200, code: null });
    expect(ended?.after).toMatchObject({ state: "suspended" });
    expect(ended?.request_id).toBe(begun?.request_id);
  });

  it("of the drop-in webhook settings is told, with the URL's host before and after", async () => {
    const { phoneNumberId, wabaId } = tenant;
    const set = async (method: string, path: string, body: object, requestId: string) => {
      const headers = { "x-request-id": requestId };
      const answer = await tenant.call(method, path, { body, headers });
      const [begun, ended, ...more] = await bothEntriesOf(`request_id=${requestId}`);
      expect(more).toEqual([]);
      expect(begun?.actor).toEqual({ kind: "tenant", id: tenant.client.id, tenant_id: tenant.id });
      expect(ended?.status).toBe(answer.status);
      return { begun, ended };
    };
    const first = { url: secretUrl("one"), headers: { Authorization: "a-secret-value" } };
    const made = await set("POST", "/v1/configs/webhook", first, "drop-in-1");
    expect(made.begun).toMatchObject({
      operation: "setWebhookSettings",
      target: { phone_number_id: phoneNumberId },
      before: null,
    });
    expect(made.ended?.after).toMatchObject({ url: "https://one.example.com" });
    const changed = await set(
      "POST",
      "/v1/configs/webhook",
      { url: secretUrl("two") },
      "drop-in-2",
    );
    expect(changed.begun?.before).toMatchObject({ url: "https://one.example.com" });
    expect(changed.ended?.after).toMatchObject({ url: "https://two.example.com" });
    const waba = await set("POST", "/waba_webhook", { url: secretUrl("three") }, "drop-in-3");
    expect(waba.ended).toMatchObject({
      operation: "setWabaWebhookSettings",
      target: { waba_id: wabaId },
      after: { url: "https://three.example.com" },
    });
    const destinations = [{ name: "further", url: secretUrl("four") }];
    const multi = await set("POST", "/multi_webhook", { enabled: true, destinations }, "drop-in-4");
    expect(multi.begun?.before).toMatchObject({ destinations: [] });
    expect(multi.ended?.after).toMatchObject({
      enabled: true,
      destinations: [{ url: "https://four.example.com" }],
    });
    const refused = await set("POST", "/v1/configs/webhook", { url: "http://x" }, "drop-in-5");
    expect(refused.ended).toMatchObject({ status: 400, after: null });
    expect(JSON.stringify(await entriesOf("limit=200"))).not.toContain("a-secret");
  });

  it("of a token that is revoked is told, and what was not the client's is none", async () => {
    const { id, secret } = tenant.client;
    const token = await fetchToken(gateway.url, tenant.client);
    const revoke = (revoked: string, requestId: string) =>
      fetch(`${gateway.url}/oauth2/revoke`, {
        method: "POST",
        headers: { "x-request-id": requestId },
        body: new URLSearchParams({ client_id: id, client_secret: secret, token: revoked }),
      });
    expect((await revoke(token, "revoke-1")).status).toBe(200);
    const found = await bothEntriesOf("request_id=revoke-1");
    expect(found.map(({ phase, status }) => [phase, status])).toEqual([
      ["begun", null],
      ["ended", 200],
    ]);
    const { jti } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(found[1]).toMatchObject({
      operation: "revokeToken",
      actor: { kind: "tenant", id, tenant_id: tenant.id },
      target: { jti },
    });
    await revoke("no-token", "revoke-2");
    expect(await entriesOf("request_id=revoke-2")).toEqual([]);
  });

  it("of a tenant's is told by its request id, and without what is the tenant's own", async () => {
    const user = "4915112345678";
    const answer = await tenant.call("PUT", `/tenant/v1/opt-ins/${tenant.phoneNumberId}/${user}`, {
      headers: { "x-request-id": "audited-1" },
      body: { source: "form", obtained_at: "2025-06-15T12:00:00Z", proof: `wrote from ${user}` },
    });
    expect(answer.status).toBeLessThan(300);
    const found = await bothEntriesOf("request_id=audited-1");
    expect(found.map(({ phase }) => phase)).toEqual(["begun", "ended"]);
    expect(found[0]?.actor).toEqual({
      kind: "tenant",
      id: tenant.client.id,
      tenant_id: tenant.id,
    });
    expect(JSON.stringify(found)).not.toMatch(/4915112345678|wrote from|form/);
    expect(await entriesOf(`tenant_id=${tenant.id}&operation=putOptIn`)).toHaveLength(2);
  });

  it("that is refused is told with the code of the refusal", async () => {
    const none = "num_00000000000000000000000000";
    await gateway.partner("DELETE", `/partner/v1/numbers/${none}`);
    const found = await bothEntriesOf("operation=deleteNumber");
    expect(found.map(({ status, code }) => [status, code])).toEqual([
      [null, null],
      [404, "not_found"],
    ]);
  });

  it("holds no secret that was given or made in it", async () => {
    const endpoint = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: "https://receiver.example.com/path-secret", headers: { "X-Own": "own-value" } },
    });
    const own = await gateway.partner("POST", "/partner/v1/webhook-endpoints", {
      url: "https://receiver.example.com/path-secret-of-partner",
      headers: { "X-Own": "own-value" },
      verify_token: null,
    });
    expect(own.status).toBe(201);
    const secrets = [
      endpoint.json.secret as string,
      own.json.secret as string,
      "path-secret",
      "own-value",
      tenant.apiKey,
      tenant.client.secret,
    ];
    const { rows } = await sql<{ row: string }>`
      select entry::text as row from audit_entry entry`.execute(gateway.database.db);
    const text = rows.map(({ row }) => row).join("\n");
    expect(text).toContain("createWebhookEndpoint,");
    expect(text).toContain("createWebhookEndpointOfPartner");
    for (const secret of secrets) {
      expect(text).not.toContain(secret);
    }
  });

  it("is begun in the audit before it is made, and not made when it cannot be", async () => {
    await sql`alter table audit_entry rename to audit_entry_away`.execute(gateway.database.db);
    const refused = await gateway.partner("POST", "/partner/v1/tenants", { name: "Unaudited" });
    await sql`alter table audit_entry_away rename to audit_entry`.execute(gateway.database.db);
    expect(refused.status).toBe(500);
    const { json } = await gateway.partner("GET", "/partner/v1/tenants");
    expect(JSON.stringify(json)).not.toContain("Unaudited");
  });

  it("is read page after page, each entry once", async () => {
    const all = await entriesOf("limit=200");
    const paged: Entry[] = [];
    let cursor = "";
    do {
      const page = await gateway.partner("GET", `/partner/v1/audit?limit=3${cursor}`);
      paged.push(...(page.json.data as Entry[]));
      cursor = page.json.next_cursor === null ? "" : `&cursor=${page.json.next_cursor as string}`;
    } while (cursor !== "");
    expect(paged.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  });

  it("is of an operation of the contract", async () => {
    const known = new Set(
      Object.values(openApi.paths as Record<string, Record<string, { operationId?: string }>>)
        .flatMap((item) => Object.values(item))
        .map(({ operationId }) => operationId),
    );
    for (const { operation } of await entriesOf("limit=200")) {
      expect(known).toContain(operation);
    }
  });

  it("that is changed or taken out afterwards is found by `gateway audit verify`", async () => {
    const { db, url } = gateway.database;
    const verify = (...args: string[]) =>
      runGatewayCommand(["audit", "verify", ...args], { DATABASE_URL: url });
    const sound = await eventually(async () => {
      await chainAudit(db);
      const verified = await verify("--json");
      return JSON.parse(verified.out).waiting === 0 && verified;
    });
    expect(sound).toMatchObject({ code: 0, error: "" });
    expect(JSON.parse(sound.out)).toMatchObject({ faults: [], waiting: 0 });
    const { rows } = await sql<{ id: string }>`
      update audit_entry set actor = 'somebody else'
      where id = (select entry_id from audit_link where position = 2) returning id`.execute(db);
    await sql`delete from audit_entry
      where id = (select entry_id from audit_link where position = 5)`.execute(db);
    const found = await verify();
    expect(found.code).toBe(1);
    expect(found.out).toContain(`entry ${rows[0]?.id} has been changed`);
    expect(found.out).toMatch(/entry aud_\w{26} is missing/);
    expect(found.error).toContain("2 faults in the audit");
  });
});
