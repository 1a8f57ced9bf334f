import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import {
  type IdentityProvider,
  register,
  startIdentityProvider,
} from "../support/identity-provider.ts";
import { bearer, expectRefused, INVALID, onBoth, sendWith } from "../support/refusals.ts";

const AUDIENCE = "waba";
const SCOPE = "messages:send numbers:read";

let gateway: TestGateway;
let tenant: TestTenant;
let other: TestTenant;
let idp: IdentityProvider;
let issuerId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  [tenant, other] = [await buildTenant(gateway), await buildTenant(gateway)];
  idp = await startIdentityProvider({ audience: AUDIENCE });
  issuerId = await register(gateway, idp, { tenant_id: tenant.id });
});
afterAll(async () => {
  await idp.close();
  await gateway.stop();
});

async function numbersOf(token: string): Promise<string[]> {
  const { json } = await gateway.call("GET", "/tenant/v1/numbers", { token });
  return json.data.map((number: { phone_number_id: string }) => number.phone_number_id);
}

describe("a foreign issuer", () => {
  it("speaks for its tenant, whatever its tokens claim", async () => {
    const token = await idp.sign({
      claims: { scope: SCOPE, tenant_id: other.id, client_id: other.client.id, tenant: other.id },
    });
    expect(await numbersOf(token)).toEqual([tenant.phoneNumberId]);
    expect((await sendWith(gateway, bearer(token), "messages")).status).toBe(200);
    expect(gateway.simulator.requests.at(-1)?.headers["d360-api-key"]).toBe(tenant.apiKey);
  });

  it.each(["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"])(
    "may sign with %s",
    async (alg) => {
      const provider = await startIdentityProvider({ audience: AUDIENCE, alg });
      await register(gateway, provider, { tenant_id: tenant.id });
      const token = await provider.sign({ claims: { scope: SCOPE } });
      expect(await numbersOf(token)).toEqual([tenant.phoneNumberId]);
      await provider.close();
    },
  );

  it.each<[string, object]>([
    ["scope", { scope: SCOPE }],
    ["scp as text", { scp: SCOPE }],
    ["scp as a list", { scp: ["numbers:read", "messages:send", 1] }],
    ["a list of audiences", { scope: SCOPE, aud: ["another", AUDIENCE] }],
    ["a clock that is half a minute slow", { scope: SCOPE, exp: Math.floor(Date.now() / 1000) }],
    ["a type", { scope: SCOPE }],
  ])("may write %s", async (name, claims) => {
    const header = name === "a type" ? { typ: "at+jwt" } : {};
    const token = await idp.sign({ claims: { ...claims }, header });
    expect((await sendWith(gateway, bearer(token), "tenant")).status).toBe(200);
    expect((await sendWith(gateway, bearer(token), "messages")).status).toBe(200);
  });

  it("limits its tokens to some numbers as we do", async () => {
    const second = await addNumber(gateway, tenant.id);
    const claims = { scope: SCOPE, phone_number_ids: [second.phoneNumberId] };
    expect(await numbersOf(await idp.sign({ claims }))).toEqual([second.phoneNumberId]);
    const none = await idp.sign({ claims: { ...claims, phone_number_ids: [] } });
    expect(await numbersOf(none)).toEqual([]);
    expect((await sendWith(gateway, bearer(none), "messages")).status).toBe(404);
    await gateway.partner("DELETE", `/partner/v1/numbers/${second.numberId}`);
  });

  it("of the partner speaks for the tenant that its claim names, if it is listed", async () => {
    const shared = await startIdentityProvider({ audience: AUDIENCE });
    const tenants = {
      tenant_claim: "https://example.com/tenant",
      tenant_ids: [tenant.id, other.id],
    };
    await register(gateway, shared, tenants);
    for (const each of [tenant, other]) {
      const token = await shared.sign({
        claims: { scope: SCOPE, "https://example.com/tenant": each.id },
      });
      expect(await numbersOf(token)).toEqual([each.phoneNumberId]);
    }
    await gateway.partner("DELETE", `/partner/v1/tenants/${(await buildTenant(gateway)).id}`);
    await shared.close();
  });

  it("speaks for another tenant to another audience", async () => {
    await register(gateway, idp, { tenant_id: other.id, audience: "waba-of-the-other" });
    const token = await idp.sign({ claims: { scope: SCOPE, aud: "waba-of-the-other" } });
    expect(await numbersOf(token)).toEqual([other.phoneNumberId]);
  });

  it("makes no tokens of ours", async () => {
    const token = await idp.sign({ claims: { scope: `${SCOPE} tokens:write` } });
    const body = { name: "tool" };
    const { status, json } = await gateway.call("POST", "/tenant/v1/tokens", { token, body });
    expect([status, json.code]).toEqual([403, "insufficient_scope"]);
  });

  it("is asked for its keys once, however many tokens come, known or not", async () => {
    const provider = await startIdentityProvider({ audience: AUDIENCE });
    await register(gateway, provider, { tenant_id: tenant.id });
    const good = await provider.sign({ claims: { scope: SCOPE } });
    const another = await provider.sign({ claims: { scope: SCOPE, sub: "another" } });
    await Promise.all([good, another, good].map((token) => numbersOf(token)));
    for (let n = 0; n < 20; n++) {
      const token = await provider.sign({
        claims: { scope: SCOPE },
        header: { kid: `guess ${n}` },
      });
      await expectRefused(gateway, bearer(token), { tenant: INVALID });
    }
    expect(await numbersOf(good)).toEqual([tenant.phoneNumberId]);
    const fetches = provider.fetches.map(({ method, url }) => `${method} ${url}`);
    expect(fetches).toEqual([`GET ${new URL(provider.jwksUrl).pathname}`]);
    expect(provider.fetches[0]?.headers.authorization).toBeUndefined();
    await provider.close();
  });

  it("that is registered again counts by its new registration", async () => {
    const provider = await startIdentityProvider({ audience: AUDIENCE });
    const id = await register(gateway, provider, { tenant_id: tenant.id });
    const token = await provider.sign({ claims: { scope: SCOPE } });
    expect(await numbersOf(token)).toEqual([tenant.phoneNumberId]);
    await gateway.partner("DELETE", `/partner/v1/issuers/${id}`);
    await expectRefused(gateway, bearer(token), onBoth(INVALID));
    await register(gateway, provider, { tenant_id: other.id });
    expect(await numbersOf(token)).toEqual([other.phoneNumberId]);
    await provider.close();
  });
});

const good = () => ({
  iss: "https://login.example.com",
  jwks_url: idp.jwksUrl,
  audience: AUDIENCE,
  algorithms: ["ES256"],
  scopes: ["messages:send"],
  tenant_id: tenant.id,
});

describe("the registration of an issuer", () => {
  it("is shown, listed and removed", async () => {
    const { status, json } = await gateway.partner("GET", `/partner/v1/issuers/${issuerId}`);
    expect(status).toBe(200);
    expect(json).toEqual({
      id: issuerId,
      iss: idp.iss,
      audience: AUDIENCE,
      jwks_url: idp.jwksUrl,
      algorithms: ["RS256"],
      scopes: ["messages:send", "numbers:read"],
      tenant_id: tenant.id,
      tenant_claim: null,
      tenant_ids: null,
      created_at: expect.any(String),
    });
    const seen: string[] = [];
    let cursor = "";
    do {
      const list = await gateway.partner("GET", `/partner/v1/issuers?limit=2${cursor}`);
      seen.push(...list.json.data.map((issuer: { id: string }) => issuer.id));
      cursor = list.json.next_cursor === null ? "" : `&cursor=${list.json.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toContain(issuerId);
    expect(new Set(seen).size).toBe(seen.length);

    const made = await gateway.partner("POST", "/partner/v1/issuers", good());
    const path = `/partner/v1/issuers/${made.json.id}`;
    expect((await gateway.partner("DELETE", path)).status).toBe(204);
    expect((await gateway.partner("DELETE", path)).status).toBe(404);
    expect((await gateway.partner("GET", path)).status).toBe(404);
  });

  it.each<[string, string, () => object]>([
    ["issuer_own", "/iss", () => ({ iss: gateway.url })],
    ["issuer_own", "/iss", () => ({ iss: `${gateway.url.toUpperCase()}/` })],
    ["issuer_taken", "/iss", () => ({ iss: idp.iss })],
    ["enum", "/algorithms/0", () => ({ algorithms: ["HS256"] })],
    ["enum", "/algorithms/0", () => ({ algorithms: ["none"] })],
    ["minItems", "/algorithms", () => ({ algorithms: [] })],
    ["enum", "/scopes/0", () => ({ scopes: ["tokens:write"] })],
    ["enum", "/scopes/1", () => ({ scopes: ["messages:send", "partner:read"] })],
    ["unknown_tenant", "/tenant_id", () => ({ tenant_id: "ten_00000000000000000000000000" })],
    ["tenant_choice", "/tenant_id", () => ({ tenant_id: undefined })],
    ["tenant_choice", "/tenant_id", () => ({ tenant_claim: "t", tenant_ids: [tenant.id] })],
    ["tenant_choice", "/tenant_id", () => ({ tenant_id: undefined, tenant_claim: "t" })],
    ["tenant_choice", "/tenant_id", () => ({ tenant_ids: [tenant.id] })],
    [
      "unknown_tenant",
      "/tenant_ids/1",
      () => ({ tenant_id: undefined, tenant_claim: "t", tenant_ids: [tenant.id, "x"] }),
    ],
    ["pattern", "/tenant_claim", () => ({ tenant_claim: 'a"b' })],
    ["pattern", "/iss", () => ({ iss: "" })],
    ["required", "/audience", () => ({ audience: undefined })],
    ["url_not_https", "/jwks_url", () => ({ jwks_url: "http://login.example.com/jwks" })],
    ["url_port", "/jwks_url", () => ({ jwks_url: "https://login.example.com:443/jwks" })],
    ["url_host_underscore", "/jwks_url", () => ({ jwks_url: "https://log_in.example.com/jwks" })],
    ["url_host_not_public", "/jwks_url", () => ({ jwks_url: "https://169.254.169.254/jwks" })],
    ["url_host_own", "/jwks_url", () => ({ jwks_url: `${gateway.url}/.well-known/jwks.json` })],
    ["url_unresolvable", "/jwks_url", () => ({ jwks_url: "https://no.such.host.example.net/" })],
  ])("is refused as %s at %s", async (code, pointer, fields) => {
    const body = { ...good(), ...fields() };
    const { status, json } = await gateway.partner("POST", "/partner/v1/issuers", body);
    expect([status, json.code]).toEqual([422, "invalid_request"]);
    expect(json.errors).toContainEqual(expect.objectContaining({ code, pointer }));
  });
});
