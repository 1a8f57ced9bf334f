import {
  type CryptoKey,
  decodeJwt,
  decodeProtectedHeader,
  importPKCS8,
  type JWK,
  type JWTPayload,
  SignJWT,
} from "jose";
import { Secret } from "../../src/secret.ts";
import type { Database } from "../../src/store/database.ts";
import { createSealer } from "../../src/tenancy/sealing.ts";
import type { SignOptions } from "./identity-provider.ts";

/** Somebody who has got hold of the gateway's own signing key. */
export type Forger = {
  kid: string;
  publicJwk: JWK;
  privateKey: (alg: string) => Promise<CryptoKey>;
  /** The given token signed again, with what is said here put over it. */
  sign: (token: string, options?: SignOptions) => Promise<string>;
};

/** `masterKey` is that of the gateway's `MASTER_KEYS`, under the id `test`. */
export async function openForger(options: { db: Database; masterKey: string }): Promise<Forger> {
  const { db, masterKey } = options;
  const sealer = createSealer([{ id: "test", key: new Secret(masterKey) }]);
  const row = await db.selectFrom("signing_key").selectAll().executeTakeFirstOrThrow();
  const context = { purpose: "signing_key", rowId: row.id, tenantId: "" } as const;
  const pem = sealer.open(row.private_key_sealed, context).reveal();
  const privateKey = (alg: string): Promise<CryptoKey> => importPKCS8(pem, alg);
  return {
    kid: row.id,
    publicJwk: row.public_jwk,
    privateKey,
    async sign(token, { claims = {}, header = {}, without = [] } = {}) {
      const all: JWTPayload = { ...decodeJwt(token), ...claims };
      const left = Object.entries(all).filter(([name]) => !without.includes(name));
      const headers = { ...decodeProtectedHeader(token), alg: "RS256", ...header };
      const kept = Object.entries(headers).filter(([name]) => !without.includes(name));
      return new SignJWT(Object.fromEntries(left))
        .setProtectedHeader(Object.fromEntries(kept) as { alg: string })
        .sign(await privateKey(headers.alg));
    },
  };
}
