import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import { CompactEncrypt, decodeJwt, exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchToken, revoke } from "../support/call.ts";
import { type Forger, openForger } from "../support/forger.ts";
import {
  BOOTSTRAP,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { bearer, expectRefused, INVALID, onBoth, sendWith } from "../support/refusals.ts";

const MASTER_KEY = randomBytes(32).toString("base64");

let gateway: TestGateway;
let tenant: TestTenant;
let other: TestTenant;
let forger: Forger;
/** Where headers of bad tokens point to; nobody must ever call it. */
let lure: Receiver;

beforeAll(async () => {
  gateway = await startTestGateway({ env: { MASTER_KEYS: `test:${MASTER_KEY}` } });
  [tenant, other] = [await buildTenant(gateway), await buildTenant(gateway)];
  forger = await openForger({ db: gateway.database.db, masterKey: MASTER_KEY });
  lure = await startReceiver();
});
afterAll(async () => {
  await lure.close();
  await gateway.stop();
});

type Row = [name: string, make: () => string | Promise<string>];

const parts = (token: string) => token.split(".") as [head: string, body: string, sig: string];
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
const base64url = (value: object): string =>
  Buffer.from(JSON.stringify(value)).toString("base64url");

/** The tenant's good token, signed with the gateway's own key, but for what is said here. */
function forged(options: () => Parameters<Forger["sign"]>[1]): () => Promise<string> {
  return () => forger.sign(tenant.token, options());
}

/** The tenant's good claims, signed by HMAC with `secret`. */
function hmacSigned(secret: string | Buffer, header: object): string {
  const signed = `${base64url({ typ: "at+jwt", ...header })}.${parts(tenant.token)[1]}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** The tenant's good claims, signed with a key of the stranger's. */
async function strangerSigned(header: object = {}, alg = "RS256"): Promise<string> {
  const { privateKey } = await generateKeyPair(alg);
  return new SignJWT(decodeJwt(tenant.token))
    .setProtectedHeader({ alg, typ: "at+jwt", kid: forger.kid, ...header })
    .sign(privateKey);
}

const FORMS: Row[] = [
  ["that is a word", () => "abc"],
  ["cut off", () => tenant.token.slice(0, -8)],
  ["of two segments", () => parts(tenant.token).slice(0, 2).join(".")],
  ["of four segments", () => `${tenant.token}.${parts(tenant.token)[2]}`],
  ["with an empty signature", () => `${parts(tenant.token).slice(0, 2).join(".")}.`],
  ["whose payload is no JSON", () => `${parts(tenant.token)[0]}.bm90IGpzb24.AAAA`],
  ["whose payload is a list", () => `${parts(tenant.token)[0]}.${base64url([])}.AAAA`],
  ["that is huge", () => tenant.token + "A".repeat(12_000)],
  ["with a space in it", () => tenant.token.replace(".", ". ")],
  ["twice in one header", () => `${tenant.token}, ${tenant.token}`],
  ["that is a client's secret", () => tenant.client.secret],
  ["that is 360dialog's key of the number", () => tenant.apiKey],
  [
    "that is encrypted (JWE)",
    async () =>
      new CompactEncrypt(Buffer.from(tenant.token))
        .setProtectedHeader({ alg: "RSA-OAEP", enc: "A256GCM", cty: "JWT" })
        .encrypt(await importJWK({ ...forger.publicJwk, use: "enc" }, "RSA-OAEP")),
  ],
];

const SIGNATURES: Row[] = [
  ["with alg none", () => `${base64url({ alg: "none" })}.${parts(tenant.token)[1]}.`],
  [
    "with alg None and its signature left",
    () => [base64url({ alg: "None" }), ...parts(tenant.token).slice(1)].join("."),
  ],
  [
    "with HS256 and the public key for a secret",
    async () => {
      const key = await importJWK(forger.publicJwk, "RS256", { extractable: true });
      const pem = await exportSPKI(key as Exclude<typeof key, Uint8Array>);
      return hmacSigned(pem, { alg: "HS256", kid: forger.kid });
    },
  ],
  [
    "with HS256 and the key's modulus for a secret",
    () => hmacSigned(Buffer.from(forger.publicJwk.n ?? "", "base64url"), { alg: "HS256" }),
  ],
  ["with HS256 and no secret", () => hmacSigned("", { alg: "HS256", kid: "/dev/null" })],
  ["signed by a stranger", () => strangerSigned()],
  ["with a kid that nobody has", forged(() => ({ header: { kid: "nobody" } }))],
  ["with a kid that is SQL", () => strangerSigned({ kid: "' or 1=1 --" })],
  ["with a kid that is a path", () => strangerSigned({ kid: "../../../../etc/passwd" })],
  ["with no kid, signed by a stranger", () => strangerSigned({ kid: undefined })],
  ["with a jku of the stranger's", () => strangerSigned({ jku: `${lure.url}/jwks.json` })],
  ["with an x5u of the stranger's", () => strangerSigned({ x5u: `${lure.url}/cert.pem` })],
  [
    "with the stranger's key in jwk",
    () => {
      const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      return strangerSigned({ jwk: publicKey.export({ format: "jwk" }) });
    },
  ],
  ["with a certificate in x5c", () => strangerSigned({ x5c: ["MIIB"] })],
  ["signed with RS512", forged(() => ({ header: { alg: "RS512" } }))],
  ["signed with PS256", forged(() => ({ header: { alg: "PS256" } }))],
  ["signed with ES256", () => strangerSigned({}, "ES256")],
  ["with a critical header", () => hmacSigned("x", { alg: "RS256", crit: ["x"], x: 1 })],
  ["not encoded", () => hmacSigned("x", { alg: "RS256", crit: ["b64"], b64: false })],
  [
    "with the signature of another token",
    () => [...parts(tenant.token).slice(0, 2), parts(other.token)[2]].join("."),
  ],
  [
    "with another payload",
    () => {
      const [head, , signature] = parts(tenant.token);
      const claims = { ...decodeJwt(tenant.token), tenant_id: other.id };
      return [head, base64url(claims), signature].join(".");
    },
  ],
];

/** Signed with the gateway's very own key. */
const CLAIMS: Row[] = [
  ["that has expired", forged(() => ({ claims: { exp: inSeconds(-10) } }))],
  ["that is not valid yet", forged(() => ({ claims: { nbf: inSeconds(3600) } }))],
  ["issued in the future", forged(() => ({ claims: { iat: inSeconds(3600) } }))],
  ["issued as text", forged(() => ({ claims: { iat: "now" as never } }))],
  ["with exp as text", forged(() => ({ claims: { exp: "2999-01-01" as never } }))],
  ...["exp", "iat", "jti", "client_id", "scope", "iss", "aud", "typ", "tenant_id"].map(
    (name): Row => [`without ${name}`, forged(() => ({ without: [name] }))],
  ),
  ["with iss as a list", forged(() => ({ claims: { iss: [gateway.url] as never } }))],
  [
    "of an iss that nobody registered",
    forged(() => ({ claims: { iss: "https://idp.example.com" } })),
  ],
  ["of our iss with a slash more", forged(() => ({ claims: { iss: `${gateway.url}/` } }))],
  ["for another aud", forged(() => ({ claims: { aud: "https://other.example.com" } }))],
  ["for a list of other auds", forged(() => ({ claims: { aud: ["https://a.example", "b"] } }))],
  ["with typ JWT", forged(() => ({ header: { typ: "JWT" } }))],
  ["whose limit to some numbers is no list", forged(() => ({ claims: { phone_number_ids: "1" } }))],
  ["of a client that is not", forged(() => ({ claims: { client_id: "cli_unknown" } }))],
  ["of another tenant's client", forged(() => ({ claims: { client_id: other.client.id } }))],
  ["for another tenant than its client's", forged(() => ({ claims: { tenant_id: other.id } }))],
  ["of the partner's client for a tenant", forged(() => ({ claims: { client_id: BOOTSTRAP.id } }))],
];

const ENDED: Row[] = [
  [
    "that has been revoked",
    async () => {
      const token = await fetchToken(gateway.url, tenant.client);
      expect((await tenant.call("GET", "/tenant/v1/numbers", { token })).status).toBe(200);
      await revoke(gateway.url, tenant.client, token);
      return token;
    },
  ],
  [
    "that was to live long and has been revoked",
    async () => {
      const { json } = await tenant.call("POST", "/tenant/v1/tokens", { body: { name: "tool" } });
      await tenant.call("DELETE", `/tenant/v1/tokens/${json.id}`);
      return json.token as string;
    },
  ],
  [
    "whose client has been revoked",
    async () => {
      const { id, client, token } = await buildTenant(gateway);
      await gateway.partner("DELETE", `/partner/v1/tenants/${id}/clients/${client.id}`);
      return token;
    },
  ],
  [
    "whose tenant has been deleted",
    async () => {
      const { id, token } = await buildTenant(gateway);
      await gateway.partner("DELETE", `/partner/v1/tenants/${id}`);
      return token;
    },
  ],
];

describe("a token of ours is refused with 401", () => {
  it("but not when it is good, though signed by the forger of the bad ones", async () => {
    const token = await forger.sign(tenant.token);
    expect((await sendWith(gateway, bearer(token), "tenant")).status).toBe(200);
    expect((await sendWith(gateway, bearer(token), "messages")).status).toBe(200);
  });

  it.each<Row>([...FORMS, ...SIGNATURES, ...CLAIMS, ...ENDED])("%s", async (_name, make) => {
    const token = await make();
    await expectRefused(gateway, bearer(token), onBoth(INVALID));
    // The same in the header of 360dialog's clients.
    await expectRefused(gateway, { headers: { "d360-api-key": token } }, { messages: INVALID });
    expect(lure.received).toEqual([]);
  });
});
