import { createLocalJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, fetchToken, revoke } from "../support/call.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

const PATH = "/tenant/v1/tokens";
const YEAR_MS = 366 * 86_400_000;

describe("a long-lived token", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let second: { phoneNumberId: string };

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
    second = await addNumber(gateway, tenant.id);
  });
  afterAll(() => gateway.stop());

  const make = (body: object, token = tenant.token): Promise<Answer> =>
    gateway.call("POST", PATH, { token, body: { name: "tool", ...body } });
  const idsSeen = async (token = tenant.token): Promise<string[]> => {
    const { json } = await gateway.call("GET", `${PATH}?limit=200`, { token });
    return json.data.map((each: { id: string }) => each.id);
  };
  const statusOf = async (token: string, path = "/tenant/v1/numbers"): Promise<number> =>
    (await gateway.call("GET", path, { token })).status;

  it("is a token like any other, by the key set alone, and is shown once", async () => {
    const { status, headers, json } = await make({ scopes: ["numbers:read"] });
    expect(status).toBe(201);
    expect(headers["cache-control"]).toBe("no-store");
    const { json: jwks } = await gateway.call("GET", "/.well-known/jwks.json");
    const { payload } = await jwtVerify(json.token, createLocalJWKSet(jwks), {
      issuer: gateway.url,
      audience: gateway.url,
      typ: "at+jwt",
    });
    expect(payload).toMatchObject({
      jti: json.id,
      client_id: tenant.client.id,
      tenant_id: tenant.id,
      scope: "numbers:read",
      exp: Date.parse(json.expires_at) / 1000,
    });
    expect(await statusOf(json.token)).toBe(200);
    expect(await statusOf(json.token, "/tenant/v1/events")).toBe(403);
    const { body } = await tenant.call("GET", PATH);
    expect(body.toString()).toContain(json.id);
    expect(body.toString()).not.toContain(json.token);
    const rows = await gateway.database.db.selectFrom("long_lived_token").selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(json.token.split(".")[2]);
  });

  it("has without a wish what its maker has, but for making tokens, and lives a year", async () => {
    const { json } = await make({});
    const maker = (await gateway.partner("GET", `/partner/v1/tenants/${tenant.id}/clients`)).json;
    const { scopes } = maker.data[0] as { scopes: string[] };
    expect(json.scopes).toEqual(scopes.filter((scope) => scope !== "tokens:write"));
    expect(json.phone_number_ids).toBeNull();
    const livesMs = Date.parse(json.expires_at) - Date.now();
    expect(livesMs).toBeGreaterThan(YEAR_MS - 3 * 86_400_000);
    expect(livesMs).toBeLessThanOrEqual(YEAR_MS);
    expect((await make({}, json.token)).json.code).toBe("insufficient_scope");
  });

  it("has at most its maker's scopes", async () => {
    const narrow = await fetchToken(gateway.url, tenant.client, "tokens:write events:read");
    const wide = await make({ scopes: ["events:read", "messages:send"] }, narrow);
    expect(wide.status).toBe(422);
    expect(wide.json.errors).toMatchObject([{ code: "scope_not_held", pointer: "/scopes/1" }]);
    expect((await make({}, narrow)).json.scopes).toEqual(["events:read"]);
    // Asked for by name, it may make tokens too: again no more than it may do itself.
    const maker = await make({ scopes: ["tokens:write"] }, narrow);
    expect((await make({ scopes: ["events:read"] }, maker.json.token)).status).toBe(422);
    expect((await make({ scopes: ["partner:read"] })).status).toBe(422);
  });

  it("has at most its maker's numbers, and sees the tokens of those", async () => {
    const scopes = ["tokens:write", "numbers:read"];
    const limited = await make({ scopes, phone_number_ids: [tenant.phoneNumberId] });
    const token = limited.json.token as string;
    const inherited = await make({ scopes: ["numbers:read"] }, token);
    expect(inherited.json.phone_number_ids).toEqual([tenant.phoneNumberId]);
    const { json } = await gateway.call("GET", "/tenant/v1/numbers", {
      token: inherited.json.token,
    });
    expect(json.data).toMatchObject([{ phone_number_id: tenant.phoneNumberId }]);

    const outside = await make({ phone_number_ids: [second.phoneNumberId] }, token);
    expect(outside.json.errors).toMatchObject([
      { code: "unknown_number", pointer: "/phone_number_ids/0" },
    ]);
    const whole = await make({});
    expect(new Set(await idsSeen(token))).toEqual(new Set([limited.json.id, inherited.json.id]));
    const beyond = await gateway.call("DELETE", `${PATH}/${whole.json.id}`, { token });
    expect([beyond.status, beyond.json.code]).toEqual([404, "not_found"]);
    expect((await gateway.call("DELETE", `${PATH}/${inherited.json.id}`, { token })).status).toBe(
      204,
    );
  });

  it.each([
    ["past", -1000],
    ["more than a year away", YEAR_MS + 60_000],
  ])("is refused with an end that is %s", async (_name, fromNowMs) => {
    const { status, json } = await make({
      expires_at: new Date(Date.now() + fromNowMs).toISOString(),
    });
    expect(status).toBe(422);
    expect(json.errors).toMatchObject([{ code: "expires_at_range", pointer: "/expires_at" }]);
  });

  it("ends when it was told to, and is listed no more", async () => {
    const { json } = await make({ expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    expect(await idsSeen()).toContain(json.id);
    await gateway.database.db
      .updateTable("long_lived_token")
      .set({ expires_at: new Date(Date.now() - 1000) })
      .where("id", "=", json.id)
      .execute();
    expect(await idsSeen()).not.toContain(json.id);
  });

  it("ends when it is revoked, by the list or by RFC 7009, and is listed no more", async () => {
    const [first, third] = [(await make({})).json, (await make({})).json];
    expect(await statusOf(first.token)).toBe(200);
    expect((await tenant.call("DELETE", `${PATH}/${first.id}`)).status).toBe(204);
    expect((await tenant.call("DELETE", `${PATH}/${first.id}`)).status).toBe(404);
    await revoke(gateway.url, tenant.client, third.token);
    expect([await statusOf(first.token), await statusOf(third.token)]).toEqual([401, 401]);
    const seen = await idsSeen();
    expect(seen).not.toContain(first.id);
    expect(seen).not.toContain(third.id);
  });

  it("of another tenant is like one that does not exist", async () => {
    const other = await buildTenant(gateway);
    const theirs = await other.call("POST", PATH, { body: { name: "theirs" } });
    const foreign = await tenant.call("DELETE", `${PATH}/${theirs.json.id}`);
    const missing = await tenant.call("DELETE", `${PATH}/tok_00000000000000000000000000`);
    expect({ ...foreign.json, request_id: "" }).toEqual({ ...missing.json, request_id: "" });
    expect([foreign.status, missing.status]).toEqual([404, 404]);
    expect(await idsSeen()).not.toContain(theirs.json.id);
    expect(await statusOf(theirs.json.token)).toBe(200);
  });

  it("ends with its client, and is listed no more", async () => {
    const owner = await buildTenant(gateway);
    const made = await owner.call("POST", PATH, { body: { name: "tool" } });
    const clients = `/partner/v1/tenants/${owner.id}/clients`;
    const { json } = await gateway.partner("POST", clients, {});
    const client = { id: json.client_id as string, secret: json.client_secret as string };
    await gateway.partner("DELETE", `${clients}/${owner.client.id}`);
    expect(await statusOf(made.json.token)).toBe(401);
    expect(await idsSeen(await fetchToken(gateway.url, client))).toEqual([]);
  });

  it("ends with its tenant", async () => {
    const owner = await buildTenant(gateway);
    const { json } = await owner.call("POST", PATH, { body: { name: "tool" } });
    await gateway.partner("POST", `/partner/v1/tenants/${owner.id}/suspend`);
    expect(await statusOf(json.token)).toBe(403);
    await gateway.partner("DELETE", `/partner/v1/tenants/${owner.id}`);
    expect(await statusOf(json.token)).toBe(401);
  });
});
