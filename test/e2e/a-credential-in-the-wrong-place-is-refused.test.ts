import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchToken } from "../support/call.ts";
import {
  addNumber,
  BOOTSTRAP,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";
import {
  type IdentityProvider,
  register,
  startIdentityProvider,
} from "../support/identity-provider.ts";
import {
  bearer,
  type Credential,
  expectRefused,
  INVALID,
  MISSING,
  noScope,
  onBoth,
  type RouteName,
  sendWith,
  SUSPENDED,
  TWO,
  type Verdict,
  WRONG_AUDIENCE,
} from "../support/refusals.ts";

const SCOPE = "messages:send numbers:read";

let gateway: TestGateway;
let tenant: TestTenant;
let other: TestTenant;
let idp: IdentityProvider;

beforeAll(async () => {
  gateway = await startTestGateway();
  [tenant, other] = [await buildTenant(gateway), await buildTenant(gateway)];
  idp = await startIdentityProvider({ audience: "waba" });
  await register(gateway, idp, { tenant_id: tenant.id });
});
afterAll(async () => {
  await idp.close();
  await gateway.stop();
});

describe("a good credential in a place or form that does not count", () => {
  it.each<[string, () => Credential, Record<RouteName, Verdict>]>([
    ["nowhere", () => ({}), onBoth(MISSING)],
    ["an empty Authorization", () => ({ headers: { authorization: "" } }), onBoth(MISSING)],
    ["Bearer and nothing", () => ({ headers: { authorization: "Bearer " } }), onBoth(MISSING)],
    [
      "a client by HTTP Basic",
      () => {
        const { id, secret } = tenant.client;
        const basic = Buffer.from(`${id}:${secret}`).toString("base64");
        return { headers: { authorization: `Basic ${basic}` } };
      },
      onBoth(MISSING),
    ],
    [
      "another scheme",
      () => ({ headers: { authorization: `Token ${tenant.token}` } }),
      onBoth(MISSING),
    ],
    ["no scheme", () => ({ headers: { authorization: tenant.token } }), onBoth(MISSING)],
    [
      "a cookie",
      () => ({ headers: { cookie: `token=${tenant.token}; __Host-session=${tenant.token}` } }),
      onBoth(MISSING),
    ],
    [
      "headers that others use",
      () => ({ headers: { "x-access-token": tenant.token, "x-api-key": tenant.token } }),
      onBoth(MISSING),
    ],
    [
      "access_token of a POST, or of a route of ours",
      () => ({ query: `?access_token=${tenant.token}` }),
      onBoth(MISSING),
    ],
    ["an empty D360-API-KEY", () => ({ headers: { "d360-api-key": "" } }), onBoth(MISSING)],
    [
      "360dialog's own key in D360-API-KEY",
      () => ({ headers: { "d360-api-key": tenant.apiKey } }),
      { tenant: MISSING, messages: INVALID },
    ],
    [
      "two D360-API-KEY headers",
      () => ({ headers: { "d360-api-key": [tenant.token, other.token] } }),
      { tenant: MISSING, messages: TWO },
    ],
    [
      "two Authorization headers",
      () => ({ headers: { authorization: [`Bearer ${tenant.token}`, `Bearer ${other.token}`] } }),
      onBoth(TWO),
    ],
    [
      "an Authorization header beside one with a client",
      () => ({ headers: { authorization: ["Basic YTpi", `Bearer ${tenant.token}`] } }),
      onBoth(TWO),
    ],
  ])("%s", async (_name, make, verdicts) => {
    await expectRefused(gateway, make(), verdicts);
  });

  it("is refused as two where Authorization and D360-API-KEY differ", async () => {
    const headers = { authorization: `Bearer ${tenant.token}`, "d360-api-key": other.token };
    await expectRefused(gateway, { headers }, { messages: TWO });
  });

  it("counts where a client may put it, however it writes the scheme", async () => {
    const authorization = `Bearer ${tenant.token}`;
    const places: Credential[] = [
      { headers: { authorization: `bearer ${tenant.token}` } },
      { headers: { authorization: `BEARER   ${tenant.token}  ` } },
      { headers: { "d360-api-key": tenant.token } },
      { headers: { authorization, "d360-api-key": tenant.token } },
      { headers: { authorization: [authorization, authorization] } },
      { headers: { authorization, cookie: "session=1" } },
      { headers: { authorization }, query: "?access_token=ignored" },
    ];
    for (const place of places) {
      expect((await sendWith(gateway, place, "messages")).status).toBe(200);
    }
    const path = `/health_status?access_token=${tenant.token}`;
    expect((await gateway.call("GET", path)).status).toBe(200);
  });
});

describe("a good token is refused with 403", () => {
  it("when its tenant is suspended, also one of another issuer", async () => {
    const suspended = await buildTenant(gateway);
    const own = await startIdentityProvider({ audience: "waba" });
    await register(gateway, own, { tenant_id: suspended.id });
    const foreign = await own.sign({ claims: { scope: SCOPE } });
    expect((await sendWith(gateway, bearer(foreign), "messages")).status).toBe(200);
    await gateway.partner("POST", `/partner/v1/tenants/${suspended.id}/suspend`);
    for (const token of [suspended.token, foreign]) {
      await expectRefused(gateway, bearer(token), onBoth(SUSPENDED));
    }
    await own.close();
  });

  it("of the partner on a tenant's routes, and of a tenant on the partner's", async () => {
    const partner = bearer(await fetchToken(gateway.url, BOOTSTRAP));
    await expectRefused(gateway, partner, onBoth(WRONG_AUDIENCE));
    const foreign = await idp.sign({ claims: { scope: "partner:read partner:write" } });
    for (const token of [tenant.token, foreign]) {
      const { status, json } = await gateway.call("GET", "/partner/v1/tenants", { token });
      expect([status, json.code]).toEqual([403, "wrong_audience"]);
    }
  });

  it("that lacks the scope, which is named", async () => {
    const foreign = (scope: unknown) => idp.sign({ claims: { scope } });
    const tokens = [
      await fetchToken(gateway.url, tenant.client, "events:read"),
      await idp.sign(),
      // Beyond its registration; in other letters; not the text that it has to be.
      await foreign("events:read tokens:write partner:write"),
      await foreign("MESSAGES:SEND numbers:readx"),
      await foreign({ "messages:send": true }),
    ];
    for (const token of tokens) {
      await expectRefused(gateway, bearer(token), {
        tenant: noScope("numbers:read"),
        messages: noScope("messages:send"),
      });
    }
  });
});

describe("a number outside the token", () => {
  it("is answered like one that does not exist", async () => {
    const second = await addNumber(gateway, tenant.id);
    const limit = { phone_number_ids: [tenant.phoneNumberId] };
    const made = await tenant.call("POST", "/tenant/v1/tokens", { body: { name: "x", ...limit } });
    const tokens: string[] = [
      made.json.token,
      await idp.sign({ claims: { scope: SCOPE, ...limit } }),
    ];
    for (const token of tokens) {
      const get = async (id: string): Promise<string> => {
        const { status, json } = await gateway.call("GET", `/tenant/v1/numbers/${id}`, { token });
        return `${status} ${json.detail}`;
      };
      const send = async (id: string): Promise<string> => {
        const body = textMessage("15550001111", "x");
        const { status, json } = await gateway.call("POST", `/${id}/messages`, { token, body });
        return `${status} ${json.detail}`;
      };
      expect(await get(second.phoneNumberId)).toBe(await get("1"));
      expect(await get(second.phoneNumberId)).toMatch(/^404/);
      expect(await send(second.phoneNumberId)).toBe(await send("1"));
      expect(await send(second.phoneNumberId)).toMatch(/^404/);
      expect(await get(tenant.phoneNumberId)).toMatch(/^200/);
      expect(await send(tenant.phoneNumberId)).toMatch(/^200/);
      // The only number that it can mean.
      expect((await sendWith(gateway, bearer(token), "messages")).status).toBe(200);
    }
  });
});
