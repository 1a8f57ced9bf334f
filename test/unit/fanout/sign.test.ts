import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { newSigningSecret } from "../../../src/fanout/endpoint-secrets.ts";
import { signatureHeaders } from "../../../src/fanout/sign.ts";
import { Secret } from "../../../src/secret.ts";

const NOW_SECONDS = Math.floor(Date.now() / 1000);

function sign(body: string | Uint8Array, secrets: readonly [Secret, ...Secret[]]) {
  const [deliveryId, timestampSeconds] = ["dlv_0123456789abcdef0123456789", NOW_SECONDS];
  return signatureHeaders({ deliveryId, timestampSeconds, body: Buffer.from(body), secrets });
}

const verify = (secret: Secret, body: string, headers: Record<string, string>) =>
  new Webhook(secret.reveal()).verify(body, headers);

describe("the signature of a delivery", () => {
  it("passes the check of Standard Webhooks' own library", () => {
    const secret = newSigningSecret();
    const body = '{"text":"grüße \\u0000 👋"}';
    expect(verify(secret, body, sign(body, [secret]))).toEqual(JSON.parse(body));
  });

  it("is what one makes by hand of id, timestamp and body", () => {
    const secret = new Secret(`whsec_${Buffer.alloc(32, 7).toString("base64")}`);
    const headers = sign("{}", [secret]);
    const base = `dlv_0123456789abcdef0123456789.${NOW_SECONDS}.{}`;
    const made = createHmac("sha256", Buffer.alloc(32, 7)).update(base).digest("base64");
    expect(headers).toMatchObject({
      "webhook-id": "dlv_0123456789abcdef0123456789",
      "webhook-timestamp": String(NOW_SECONDS),
      "webhook-signature": `v1,${made}`,
    });
  });

  it("comes a second time as Meta makes it, keyed by the secret's whole text", () => {
    const secret = newSigningSecret();
    const made = createHmac("sha256", secret.reveal()).update("{}").digest("hex");
    expect(sign("{}", [secret])["x-hub-signature-256"]).toBe(`sha256=${made}`);
  });

  it("passes with either secret while one is rotated, and Meta's with the newest", () => {
    const [newest, older] = [newSigningSecret(), newSigningSecret()];
    const headers = sign("{}", [newest, older]);
    expect(verify(newest, "{}", headers)).toEqual({});
    expect(verify(older, "{}", headers)).toEqual({});
    const made = createHmac("sha256", newest.reveal()).update("{}").digest("hex");
    expect(headers["x-hub-signature-256"]).toBe(`sha256=${made}`);
  });

  it("fails for another secret", () => {
    expect(() => verify(newSigningSecret(), "{}", sign("{}", [newSigningSecret()]))).toThrow();
  });

  it.each(["webhook-id", "webhook-timestamp"])("fails for another %s", (name) => {
    const secret = newSigningSecret();
    const headers = { ...sign("{}", [secret]), [name]: String(NOW_SECONDS - 1) };
    expect(() => verify(secret, "{}", headers)).toThrow();
  });

  it("changes with every byte of the body, and with none stays the same", () => {
    const secret = newSigningSecret();
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (body, at, change) => {
        const changed = Uint8Array.from(body);
        const index = at % changed.length;
        changed[index] = (changed[index] ?? 0) ^ change;
        expect(sign(body, [secret])).toEqual(sign(body, [secret]));
        for (const name of ["webhook-signature", "x-hub-signature-256"]) {
          expect(sign(changed, [secret])[name]).not.toBe(sign(body, [secret])[name]);
        }
      }),
    );
  });
});

describe("a new signing secret", () => {
  it("is whsec_ and 32 random bytes", () => {
    const [one, other] = [newSigningSecret().reveal(), newSigningSecret().reveal()];
    expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(one).not.toBe(other);
  });
});
