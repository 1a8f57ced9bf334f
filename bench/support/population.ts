import { createHash, randomBytes } from "node:crypto";
import { request } from "undici";
import { newId, newSecretText } from "../../src/ids.ts";
import { Secret } from "../../src/secret.ts";
import { openDatabase } from "../../src/store/database.ts";
import { apiKeySealContext } from "../../src/tenancy/phone-numbers.ts";
import { TENANT_SCOPES } from "../../src/tenancy/scopes.ts";
import { createSealer } from "../../src/tenancy/sealing.ts";
import type { Target } from "./sends.ts";

export type MasterKey = { id: string; key: Secret };

type Row = { tenantId: string; clientId: string; phoneNumberIds: string[] };

/** A running database's tenants: how to get a token for each, and where each number is called. */
export type Population = { clients: Row[]; secret: string };

const ROWS_A_STATEMENT = 1000;
/** Meta's ids are numbers of 15 digits. */
const FIRST_PHONE_NUMBER_ID = 106_540_352_000_000;
const TOKENS_AT_ONCE = 16;

export function newMasterKey(): MasterKey {
  return { id: "bench", key: new Secret(randomBytes(32).toString("base64")) };
}

/** Tenants with a client and running numbers each, put straight into the database: the API would check every key. */
export async function populate(options: {
  databaseUrl: string;
  masterKey: MasterKey;
  tenants: number;
  numbers: number;
}): Promise<Population> {
  const { databaseUrl, masterKey, tenants, numbers } = options;
  const sealer = createSealer([masterKey]);
  const secret = newSecretText();
  const clients = Array.from({ length: tenants }, (_, index): Row => ({
    tenantId: newId("ten"),
    clientId: newId("cli"),
    phoneNumberIds: Array.from({ length: numbers / tenants }, (__, place) =>
      String(FIRST_PHONE_NUMBER_ID + (index * numbers) / tenants + place),
    ),
  }));
  const { db, close } = openDatabase({ url: new Secret(databaseUrl), onIdleError: () => {} });
  for (const some of chunks(clients)) {
    await db
      .insertInto("tenant")
      .values(some.map(({ tenantId }) => ({ id: tenantId, name: "bench", external_id: null })))
      .execute();
    await db
      .insertInto("client")
      .values(
        some.map(({ tenantId, clientId }) => ({
          id: clientId,
          tenant_id: tenantId,
          secret_sha256: createHash("sha256").update(secret).digest(),
          scopes: [...TENANT_SCOPES],
        })),
      )
      .execute();
  }
  const owned = clients.flatMap(({ tenantId, phoneNumberIds }) =>
    phoneNumberIds.map((phoneNumberId) => ({ tenantId, phoneNumberId })),
  );
  for (const some of chunks(owned)) {
    const rows = some.map(({ tenantId, phoneNumberId }) => {
      const id = newId("num");
      const key = new Secret(`key-of-${phoneNumberId}-${newSecretText()}`);
      return {
        id,
        tenant_id: tenantId,
        phone_number_id: phoneNumberId,
        state: "running" as const,
        api_key_sealed: sealer.seal(key, apiKeySealContext({ id, tenant_id: tenantId })),
        key_last4: key.reveal().slice(-4),
        throughput: 1000 as const,
      };
    });
    await db.insertInto("phone_number").values(rows).execute();
  }
  await close();
  return { clients, secret };
}

/** One target a number; each tenant's token comes from the gateway's own token endpoint. */
export async function fetchTargets(url: string, population: Population): Promise<Target[]> {
  const targets: Target[] = [];
  const left = population.clients.values();
  async function fetchInTurn(): Promise<void> {
    for (const { clientId, phoneNumberIds } of left) {
      const token = await fetchToken(url, { id: clientId, secret: population.secret });
      targets.push(...phoneNumberIds.map((id) => ({ path: `/v23.0/${id}/messages`, token })));
    }
  }
  await Promise.all(Array.from({ length: TOKENS_AT_ONCE }, fetchInTurn));
  return targets;
}

async function fetchToken(url: string, client: { id: string; secret: string }): Promise<string> {
  const { statusCode, body } = await request(`${url}/oauth2/token`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "grant_type=client_credentials",
  });
  const { access_token: token } = (await body.json()) as { access_token?: string };
  if (token === undefined) {
    throw new Error(`no token for ${client.id}: ${statusCode}`);
  }
  return token;
}

function chunks<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / ROWS_A_STATEMENT) }, (_, index) =>
    items.slice(index * ROWS_A_STATEMENT, (index + 1) * ROWS_A_STATEMENT),
  );
}
