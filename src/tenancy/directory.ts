import { sql } from "kysely";
import type { Secret } from "../secret.ts";
import type { Soon } from "../soon.ts";
import type { ChangeFeed } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import { createRemembered, type Remembered } from "../store/remembered.ts";
import type { PhoneNumberState } from "../store/schema/tenancy.ts";
import { type ClientRow, findClientToAuthenticate } from "./clients.ts";
import { effectiveGuards, guardsIfAnyIsOn, type SendGuardSettings } from "./guard-settings.ts";
import { apiKeySealContext } from "./phone-numbers.ts";
import type { Sealer } from "./sealing.ts";

/** A number as path 1 needs it. */
export type DirectoryNumber = {
  id: string;
  tenantId: string;
  phoneNumberId: string;
  wabaId: string | null;
  state: PhoneNumberState;
  /** Sends a second that 360dialog grants it. */
  throughput: 20 | 80 | 1000;
  /** `null`: the configured default of 360dialog's Messaging API. */
  baseUrl: string | null;
  /** Those that count for this number, when any of them is on. */
  guards?: SendGuardSettings | undefined;
  apiKeySealed: Buffer | null;
  /** A new key is being made: calls wait for it, because the old one may be dead any moment. */
  rotating: boolean;
  /** Opened at first use and kept as long as the entry. `undefined`: there is no key. */
  apiKey: () => Secret | undefined;
};

export type DirectoryTenant = {
  id: string;
  state: "active" | "suspended";
  numbers: readonly DirectoryNumber[];
};

/** What every call asks for, remembered: with it a forwarded call waits for no query. */
export type Directory = {
  findTenant(tenantId: string): Soon<DirectoryTenant | undefined>;
  /** The number as the database has it now. */
  reloadNumber: (number: DirectoryNumber) => Promise<DirectoryNumber | undefined>;
  findClient(clientId: string): Soon<ClientRow | undefined>;
};

const TENANTS_MAX = 10_000;
const CLIENTS_MAX = 20_000;

export function createDirectory(options: {
  db: Database;
  feed: ChangeFeed;
  sealer: Sealer;
}): Directory {
  const { db, feed, sealer } = options;
  const tenants: Remembered<DirectoryTenant | undefined> = createRemembered({
    feed,
    load: (tenantId) => loadTenant(db, tenantId, { sealer }),
    entriesMax: TENANTS_MAX,
  });
  const clients = createRemembered({
    feed,
    load: (clientId) => findClientToAuthenticate(db, clientId),
    entriesMax: CLIENTS_MAX,
  });
  feed.subscribe(({ kind, key }) => {
    if (kind === "tenant") {
      tenants.forget(key);
    } else if (kind === "client") {
      clients.forget(key);
    }
  });
  return {
    findTenant: tenants.get,
    findClient: clients.get,
    async reloadNumber(known) {
      const tenant = await loadTenant(db, known.tenantId, { sealer, numberId: known.id });
      const [number] = tenant?.numbers ?? [];
      if (number === undefined || !isAsKnown(number, known)) {
        tenants.forget(known.tenantId);
      }
      return number;
    },
  };
}

const NO_KEY = Buffer.alloc(0);

function isAsKnown(number: DirectoryNumber, known: DirectoryNumber): boolean {
  return (
    number.state === known.state &&
    number.rotating === known.rotating &&
    Buffer.compare(number.apiKeySealed ?? NO_KEY, known.apiKeySealed ?? NO_KEY) === 0
  );
}

/** With all of its numbers, or with one. */
async function loadTenant(
  db: Database,
  tenantId: string,
  { sealer, numberId }: { sealer: Sealer; numberId?: string },
): Promise<DirectoryTenant | undefined> {
  const rows = await db
    .selectFrom("tenant as t")
    .leftJoin("phone_number as n", "n.tenant_id", "t.id")
    .where("t.id", "=", tenantId)
    .$if(numberId !== undefined, (q) => q.where("n.id", "=", numberId ?? ""))
    .select(["t.state as tenant_state", "n.id", "n.phone_number_id", "n.waba_id", "n.state"])
    .select(["n.base_url", "n.api_key_sealed", "n.throughput"])
    .select(["n.guards", "t.guards as tenant_guards"])
    .select(
      sql<boolean>`exists (select from key_rotation r where r.number_id = n.id
        and r.closed_at is null and r.made_at is null and r.retry_at is null)`.as("rotating"),
    )
    .orderBy("n.id")
    .execute();
  const [first] = rows;
  if (first === undefined) {
    return undefined;
  }
  const numbers = rows.flatMap((row): DirectoryNumber[] => {
    if (
      row.id === null ||
      row.phone_number_id === null ||
      row.state === null ||
      row.throughput === null
    ) {
      return [];
    }
    const context = apiKeySealContext({ id: row.id, tenant_id: tenantId });
    const sealed = row.api_key_sealed;
    return [
      {
        id: row.id,
        tenantId,
        phoneNumberId: row.phone_number_id,
        wabaId: row.waba_id,
        state: row.state,
        throughput: row.throughput,
        baseUrl: row.base_url,
        guards: guardsIfAnyIsOn(effectiveGuards(row.tenant_guards, row.guards ?? {})),
        apiKeySealed: sealed,
        rotating: row.rotating,
        apiKey: once(() => (sealed === null ? undefined : sealer.open(sealed, context))),
      },
    ];
  });
  return { id: tenantId, state: first.tenant_state, numbers };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
