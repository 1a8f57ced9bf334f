import { randomUUID } from "node:crypto";
import {
  createLocalJWKSet,
  type CryptoKey,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importPKCS8,
  type JWK,
} from "jose";
import { sql } from "kysely";
import { Secret } from "../secret.ts";
import { announceChange, type ChangeFeed } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import type { Sealer } from "./sealing.ts";

/** RFC 9068, section 2.1: every resource server must take RS256. */
export const SIGNING_ALGORITHM = "RS256";

const ROTATE_AFTER_DAYS = 30;
// A new key is published this long before it signs, so that whoever caches the key set has it.
const PUBLISH_AHEAD_MINUTES = 60;

type SigningKey = { id: string; privateKey: CryptoKey };

export type SigningKeys = {
  /** The key that signs now. */
  current(): SigningKey;
  /** All public keys whose tokens may still live, as a JWK set (RFC 7517). */
  jwks(): { keys: JWK[] };
  /** The key set as jose looks keys up in it. */
  keySet(): ReturnType<typeof createLocalJWKSet>;
  /** Makes the next key when it is time and forgets those that no living token needs. */
  rotate: () => Promise<void>;
};

export async function openSigningKeys(options: {
  db: Database;
  sealer: Sealer;
  feed: ChangeFeed;
  tokenLifetimeMs: number;
  onError: (error: unknown) => void;
}): Promise<SigningKeys> {
  const { db, sealer } = options;

  async function rotate(): Promise<void> {
    await db.transaction().execute(async (trx) => {
      await sql`select pg_advisory_xact_lock(hashtext('signing_key'))`.execute(trx);
      const keys = await trx
        .selectFrom("signing_key")
        .select([
          "id",
          "active_from",
          sql<boolean>`created_at < now() - make_interval(days => ${ROTATE_AFTER_DAYS})`.as("old"),
        ])
        .orderBy("active_from", "desc")
        .execute();
      if (keys[0] === undefined || keys[0].old) {
        const made = await makeKey(sealer);
        const aheadMinutes = keys[0] === undefined ? 0 : PUBLISH_AHEAD_MINUTES;
        await trx
          .insertInto("signing_key")
          .values({ ...made, active_from: sql`now() + make_interval(mins => ${aheadMinutes})` })
          .execute();
        await announceChange(trx, { kind: "signing_key", key: made.id });
      }
      // A key's last token was signed when its successor became active; those that live longer than
      // others are counted one by one.
      await sql`
        delete from signing_key old where exists (
          select 1 from signing_key next where next.active_from > old.active_from
          and next.active_from < now() - make_interval(secs => ${options.tokenLifetimeMs / 1000 + 3600})
        ) and not exists (
          select 1 from long_lived_token where signing_key_id = old.id
        )`.execute(trx);
    });
    await load();
  }

  let keys: (SigningKey & { jwk: JWK; activeFromMs: number })[] = [];
  let keySet = createLocalJWKSet({ keys: [] });

  async function load(): Promise<void> {
    const rows = await db
      .selectFrom("signing_key")
      .selectAll()
      .orderBy("active_from", "desc")
      .execute();
    keys = await Promise.all(
      rows.map(async (row) => {
        const pem = sealer.open(row.private_key_sealed, sealContext(row.id)).reveal();
        const privateKey = await importPKCS8(pem, SIGNING_ALGORITHM);
        const jwk = row.public_jwk as JWK;
        return { id: row.id, privateKey, jwk, activeFromMs: row.active_from.getTime() };
      }),
    );
    keySet = createLocalJWKSet(jwks());
  }

  function jwks(): { keys: JWK[] } {
    return { keys: keys.map((key) => key.jwk) };
  }

  options.feed.subscribe((change) => {
    if (change.kind === "signing_key" && !keys.some((key) => key.id === change.key)) {
      // Missed now, the next rotation or start reads it.
      load().catch(options.onError);
    }
  });
  await rotate();
  return {
    current() {
      const key = keys.find(({ activeFromMs }) => activeFromMs <= Date.now()) ?? keys.at(-1);
      if (key === undefined) {
        throw new Error("there is no signing key");
      }
      return key;
    },
    jwks,
    keySet: () => keySet,
    rotate,
  };
}

async function makeKey(sealer: Sealer) {
  const id = randomUUID();
  const { privateKey, publicKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: id, alg: SIGNING_ALGORITHM, use: "sig" };
  const pem = new Secret(await exportPKCS8(privateKey));
  return {
    id,
    public_jwk: JSON.stringify(jwk),
    private_key_sealed: sealer.seal(pem, sealContext(id)),
  };
}

function sealContext(id: string) {
  return { purpose: "signing_key", rowId: id, tenantId: "" } as const;
}
