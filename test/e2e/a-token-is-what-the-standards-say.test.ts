import {
  createLocalJWKSet,
  decodeProtectedHeader,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from "jose";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchToken, revoke } from "../support/call.ts";
import {
  BOOTSTRAP,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

describe("a token", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  const ask = (fields: Record<string, string>) =>
    gateway.call("POST", "/oauth2/token", {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(fields).toString(),
    });

  it("is got by a standard client that knows nothing but the issuer", async () => {
    const insecure = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(gateway.url);
    const discovery = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
    const server = await oauth.processDiscoveryResponse(issuer, discovery);
    const client = { client_id: tenant.client.id };
    const auth = oauth.ClientSecretBasic(tenant.client.secret);
    const parameters = new URLSearchParams({ scope: "messages:send" });
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      auth,
      parameters,
      insecure,
    );
    expect(response.headers.get("cache-control")).toBe("no-store");
    const result = await oauth.processClientCredentialsResponse(server, client, response);
    expect(result).toMatchObject({
      token_type: "bearer",
      expires_in: 3600,
      scope: "messages:send",
    });

    const { json: jwks } = await gateway.call("GET", "/.well-known/jwks.json");
    const { payload } = await jwtVerify(result.access_token, createLocalJWKSet(jwks), {
      issuer: gateway.url,
      audience: gateway.url,
      typ: "at+jwt",
    });
    expect(payload).toMatchObject({
      sub: tenant.client.id,
      client_id: tenant.client.id,
      tenant_id: tenant.id,
      scope: "messages:send",
    });
    expect(payload.jti).toBeTruthy();
    expect(Number(payload.exp) - Number(payload.iat)).toBe(3600);
  });

  it("is revoked by a standard client, for that client only", async () => {
    const insecure = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(gateway.url);
    const discovery = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
    const server = await oauth.processDiscoveryResponse(issuer, discovery);
    const revokeAs = async ({ client }: TestTenant, token: string): Promise<void> => {
      const auth = oauth.ClientSecretBasic(client.secret);
      const client_id = { client_id: client.id };
      const answer = await oauth.revocationRequest(server, client_id, auth, token, insecure);
      await oauth.processRevocationResponse(answer);
    };
    const other = await buildTenant(gateway, { name: "Other" });
    const token = await fetchToken(gateway.url, tenant.client);
    const status = async () => (await tenant.call("GET", "/tenant/v1/numbers", { token })).status;
    for (const nothing of ["no token", `${token}x`, tenant.apiKey]) {
      await revokeAs(tenant, nothing);
    }
    await revokeAs(other, token);
    expect(await status()).toBe(200);
    await revokeAs(tenant, token);
    expect(await status()).toBe(401);
    await revokeAs(tenant, token);
    expect((await tenant.call("GET", "/tenant/v1/numbers")).status).toBe(200);
  });

  it("is revoked for nobody who is not its client", async () => {
    const { id: client_id, secret: client_secret } = tenant.client;
    const token = await fetchToken(gateway.url, tenant.client);
    const askToRevoke = (fields: Record<string, string>) =>
      gateway.call("POST", "/oauth2/revoke", {
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(fields).toString(),
      });
    const wrong = await askToRevoke({ token, client_id, client_secret: "wrong" });
    expect([wrong.status, wrong.json.error]).toEqual([401, "invalid_client"]);
    expect(wrong.headers["www-authenticate"]).toBe('Basic realm="waba-gateway"');
    const nobody = await askToRevoke({ token });
    expect([nobody.status, nobody.json]).toEqual([401, wrong.json]);
    const nothing = await askToRevoke({ client_id, client_secret });
    expect([nothing.status, nothing.json.error]).toEqual([400, "invalid_request"]);
    const json = await gateway.call("POST", "/oauth2/revoke", { token, body: { token } });
    expect([json.status, json.json.code]).toEqual([415, "unsupported_media_type"]);
    expect((await tenant.call("GET", "/tenant/v1/numbers", { token })).status).toBe(200);
  });

  it("is given for a client in the form as well as in HTTP Basic, and only for the right secret", async () => {
    const grant = { grant_type: "client_credentials", client_id: tenant.client.id };
    expect((await ask({ ...grant, client_secret: tenant.client.secret })).status).toBe(200);
    const wrong = await ask({ ...grant, client_secret: "wrong" });
    expect([wrong.status, wrong.json.error]).toEqual([401, "invalid_client"]);
    const unknown = await ask({ ...grant, client_id: "cli_unknown", client_secret: "wrong" });
    expect([unknown.status, unknown.json]).toEqual([401, wrong.json]);
    for (const client_id of ["", "a\0b", "x".repeat(10_000)]) {
      const malformed = await ask({ ...grant, client_id, client_secret: "wrong" });
      expect([malformed.status, malformed.json]).toEqual([401, wrong.json]);
    }
    const otherGrant = await ask({
      ...grant,
      grant_type: "password",
      client_secret: tenant.client.secret,
    });
    expect([otherGrant.status, otherGrant.json.error]).toEqual([400, "unsupported_grant_type"]);
    const wide = await ask({
      ...grant,
      client_secret: tenant.client.secret,
      scope: "partner:write",
    });
    expect([wide.status, wide.json.error]).toEqual([400, "invalid_scope"]);
  });

  it("lets a client do no more than its scope, and says which is wanted", async () => {
    const token = await fetchToken(gateway.url, tenant.client, "numbers:read");
    const answer = await gateway.call("POST", "/messages", { token, body: {} });
    expect([answer.status, answer.json.code]).toEqual([403, "insufficient_scope"]);
    expect(answer.headers["www-authenticate"]).toBe(
      'Bearer error="insufficient_scope", scope="messages:send"',
    );
  });

  it.each(["no-token", "forged", "unsigned", "typ", "audience", "expired"])(
    "that is %s is refused with 401",
    async (kind) => {
      const header = decodeProtectedHeader(tenant.token);
      const { privateKey } = await generateKeyPair("RS256");
      const forge = (claims: object, typ: string) =>
        new SignJWT({
          client_id: tenant.client.id,
          tenant_id: tenant.id,
          scope: "numbers:read",
          ...claims,
        })
          .setProtectedHeader({ alg: "RS256", kid: String(header.kid), typ })
          .setIssuer(gateway.url)
          .setAudience(gateway.url)
          .setExpirationTime("1h")
          .sign(privateKey);
      const [head = "", body = "", signature = ""] = tenant.token.split(".");
      const tokens: Record<string, string> = {
        "no-token": "abc",
        forged: await forge({}, "at+jwt"),
        unsigned: `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url")}.${body}.`,
        typ: `${Buffer.from(JSON.stringify({ ...header, typ: "JWT" })).toString("base64url")}.${body}.${signature}`,
        audience: `${head}.${Buffer.from("{}").toString("base64url")}.${signature}`,
        expired: await forge({ exp: 1 }, "at+jwt"),
      };
      const answer = await gateway.call("GET", "/tenant/v1/numbers", { token: tokens[kind] ?? "" });
      expect([answer.status, answer.json.code]).toEqual([401, "token_invalid"]);
      expect(answer.headers["www-authenticate"]).toContain('error="invalid_token"');
    },
  );

  it("stops working when its client is revoked, and when its tenant is suspended or deleted", async () => {
    const other = await buildTenant(gateway, { name: "Leaving" });
    const status = async () => {
      const { status: code, json } = await other.call("GET", "/tenant/v1/numbers");
      return `${code} ${json.code ?? ""}`;
    };
    const path = `/partner/v1/tenants/${other.id}`;
    expect(await status()).toBe("200 ");
    await gateway.partner("POST", `${path}/suspend`);
    expect(await status()).toBe("403 tenant_suspended");
    await gateway.partner("POST", `${path}/resume`);
    expect(await status()).toBe("200 ");
    await gateway.partner("DELETE", `${path}/clients/${other.client.id}`);
    expect(await status()).toBe("401 token_invalid");

    const gone = await buildTenant(gateway, { name: "Gone" });
    await gateway.partner("DELETE", `/partner/v1/tenants/${gone.id}`);
    expect((await gone.call("GET", "/tenant/v1/numbers")).status).toBe(401);
  });

  it("is refused for a while after ten wrong secrets in a minute", async () => {
    const { client } = await buildTenant(gateway, { name: "Guessed at" });
    const grant = { grant_type: "client_credentials", client_id: client.id };
    for (let tries = 0; tries < 10; tries++) {
      expect((await ask({ ...grant, client_secret: "wrong" })).status).toBe(401);
    }
    const limited = await ask({ ...grant, client_secret: client.secret });
    expect([limited.status, limited.json.code]).toEqual([429, "rate_limited"]);
    expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
    const revoking = await revoke(gateway.url, client, "token");
    expect([revoking.status, revoking.json.code]).toEqual([429, "rate_limited"]);
    expect(await fetchToken(gateway.url, BOOTSTRAP)).toBeTruthy();
  });
});
