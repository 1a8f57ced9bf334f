import { generateKeyPairSync, type webcrypto } from "node:crypto";
import { decodeJwt, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import {
  type IdentityProvider,
  register,
  type SignOptions,
  startIdentityProvider,
} from "../support/identity-provider.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { bearer, expectRefused, INVALID, NO_KEYS, onBoth, sendWith } from "../support/refusals.ts";

const AUDIENCE = "waba";
const SCOPE = "messages:send numbers:read";

let gateway: TestGateway;
let tenant: TestTenant;
let other: TestTenant;
/** Speaks for the tenant, whatever its tokens claim. */
let own: IdentityProvider;
/** The partner's: a claim says for which tenant. */
let shared: IdentityProvider;
/** Where headers and redirects point to; nobody must ever call it. */
let lure: Receiver;

beforeAll(async () => {
  gateway = await startTestGateway();
  [tenant, other] = [await buildTenant(gateway), await buildTenant(gateway)];
  own = await startIdentityProvider({ audience: AUDIENCE });
  shared = await startIdentityProvider({ audience: AUDIENCE, alg: "ES256" });
  lure = await startReceiver();
  await register(gateway, own, { tenant_id: tenant.id });
  await register(gateway, shared, { tenant_claim: "tenant", tenant_ids: [tenant.id] });
});
afterAll(async () => {
  await Promise.all([own.close(), shared.close(), lure.close()]);
  await gateway.stop();
});

type Row = [name: string, make: () => string | Promise<string>];

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** Good, but for what is said here. */
function foreign(options: () => SignOptions = () => ({})): () => Promise<string> {
  return () => {
    const { claims, ...rest } = options();
    return own.sign({ ...rest, claims: { scope: SCOPE, ...claims } });
  };
}

function claiming(claims: () => JWTPayload): () => Promise<string> {
  return () => shared.sign({ claims: { scope: SCOPE, ...claims() } });
}

/** A good token's claims under another key. */
async function resigned(header: object, key: webcrypto.CryptoKey | Uint8Array): Promise<string> {
  return new SignJWT(decodeJwt(await foreign()()))
    .setProtectedHeader({ alg: "RS256", kid: own.kid, ...header })
    .sign(key);
}

/** An issuer that was good until something ended it. */
async function ended(
  end: (issuer: { id: string; tenantId: string }) => Promise<unknown>,
): Promise<string> {
  const provider = await startIdentityProvider({ audience: AUDIENCE });
  const { id: tenantId } = await buildTenant(gateway);
  const id = await register(gateway, provider, { tenant_id: tenantId });
  const token = await provider.sign({ claims: { scope: SCOPE } });
  expect((await sendWith(gateway, bearer(token), "tenant")).status).toBe(200);
  await end({ id, tenantId });
  await provider.close();
  return token;
}

const ROWS: Row[] = [
  ["for another aud", foreign(() => ({ claims: { aud: "other" } }))],
  ["without aud", foreign(() => ({ without: ["aud"] }))],
  ["without exp", foreign(() => ({ without: ["exp"] }))],
  ["that expired more than a minute ago", foreign(() => ({ claims: { exp: inSeconds(-61) } }))],
  ["that is valid in more than a minute", foreign(() => ({ claims: { nbf: inSeconds(90) } }))],
  ["issued in more than a minute", foreign(() => ({ claims: { iat: inSeconds(90) } }))],
  ["of an iss that is not", foreign(() => ({ claims: { iss: "https://idp.example.com" } }))],
  ["of an iss with U+0000 in it", foreign(() => ({ claims: { iss: "https://idp\0" } }))],
  ["of an iss without end", foreign(() => ({ claims: { iss: "x".repeat(8000) } }))],
  ["of our iss", foreign(() => ({ claims: { iss: gateway.url, aud: gateway.url } }))],
  ["of another issuer's iss", foreign(() => ({ claims: { iss: shared.iss } }))],
  [
    "with alg none",
    async () => {
      const [, body] = (await foreign()()).split(".");
      return `${Buffer.from('{"alg":"none"}').toString("base64url")}.${body}.`;
    },
  ],
  [
    "with an algorithm that is not registered",
    async () => resigned({ alg: "PS256" }, (await generateKeyPair("PS256")).privateKey),
  ],
  [
    "with HS256 and the public key for a secret",
    () => resigned({ alg: "HS256" }, Buffer.from(own.publicJwk.n ?? "", "base64url")),
  ],
  [
    "signed by a stranger, with a jku",
    async () => {
      const { privateKey } = await generateKeyPair("RS256");
      return resigned({ jku: `${lure.url}/jwks.json` }, privateKey);
    },
  ],
  ["with a kid that its issuer does not have", foreign(() => ({ header: { kid: "nobody" } }))],
  ["that is a logout token", foreign(() => ({ header: { typ: "logout+jwt" } }))],
  ["limited to a number that is no list", foreign(() => ({ claims: { phone_number_ids: "1" } }))],
  ["limited to null", foreign(() => ({ claims: { phone_number_ids: null } }))],
  ["that names no tenant where it must", claiming(() => ({}))],
  ["that names a tenant not listed", claiming(() => ({ tenant: other.id }))],
  ["that names its tenant in a list", claiming(() => ({ tenant: [tenant.id] }))],
  ["that names its tenant in another claim", claiming(() => ({ tenant_id: tenant.id }))],
  [
    "whose key is too short",
    async () => {
      const weak = await startIdentityProvider({ audience: AUDIENCE });
      const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
      const token = await weak.sign({ claims: { scope: SCOPE } });
      const short = publicKey.export({ format: "jwk" }) as JWK;
      weak.publicJwk = { ...short, kid: weak.kid, alg: "RS256" };
      await register(gateway, weak, { tenant_id: tenant.id });
      await expectRefused(gateway, bearer(token), { tenant: INVALID });
      await weak.close();
      return token;
    },
  ],
  [
    "whose issuer has been removed",
    () => ended(({ id }) => gateway.partner("DELETE", `/partner/v1/issuers/${id}`)),
  ],
  [
    "whose tenant has been deleted",
    () => ended(({ tenantId }) => gateway.partner("DELETE", `/partner/v1/tenants/${tenantId}`)),
  ],
];

describe("a token of another issuer is refused with 401", () => {
  it("but not when it is good", async () => {
    const tokens = [await foreign()(), await claiming(() => ({ tenant: tenant.id }))()];
    for (const token of tokens) {
      expect((await sendWith(gateway, bearer(token), "tenant")).status).toBe(200);
      expect((await sendWith(gateway, bearer(token), "messages")).status).toBe(200);
    }
  });

  it.each<Row>(ROWS)("%s", async (_name, make) => {
    await expectRefused(gateway, bearer(await make()), onBoth(INVALID));
    expect(lure.received).toEqual([]);
  });

  it("that names two audiences with a registration each", async () => {
    const both = await startIdentityProvider({ audience: AUDIENCE });
    await register(gateway, both, { tenant_id: tenant.id });
    await register(gateway, both, { tenant_id: other.id, audience: "other" });
    const token = await both.sign({ claims: { scope: SCOPE, aud: [AUDIENCE, "other"] } });
    await expectRefused(gateway, bearer(token), onBoth(INVALID));
    await both.close();
  });
});

type Break = (provider: IdentityProvider) => unknown;

function answering(answer: NonNullable<IdentityProvider["answer"]>): Break {
  return (provider) => {
    provider.answer = answer;
  };
}

describe("a token whose issuer's keys cannot be had is answered 503", () => {
  it.each<[string, Break]>([
    ["as nobody listens", (provider) => provider.close()],
    ["as it fails", answering((_received, res) => res.writeHead(500).end())],
    [
      "as it redirects",
      answering((_received, res) => res.writeHead(302, { location: lure.url }).end()),
    ],
    ["as it answers with a page", answering((_received, res) => res.end("<html>"))],
    ["as it answers with no key set", answering((_received, res) => res.end('{"keys":[1]}'))],
    ["as it does not stop", answering((_received, res) => res.end(" ".repeat(300_000)))],
  ])("%s", async (_name, breakIt) => {
    const broken = await startIdentityProvider({ audience: AUDIENCE });
    const token = await broken.sign({ claims: { scope: SCOPE } });
    await register(gateway, broken, { tenant_id: tenant.id });
    await breakIt(broken);
    await expectRefused(gateway, bearer(token), onBoth(NO_KEYS));
    expect(broken.fetches.length).toBeLessThanOrEqual(1);
    expect(lure.received).toEqual([]);
    await broken.close();
  });
});
