import { createEndpointSecrets } from "../../src/fanout/endpoint-secrets.ts";
import {
  changeEndpoints,
  ENDPOINT_DEFAULTS,
  type EndpointWish,
  insertEndpoint,
} from "../../src/fanout/endpoints.ts";
import { newId } from "../../src/ids.ts";
import { Secret } from "../../src/secret.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { createHook } from "../../src/tenancy/hooks.ts";
import { createSealer } from "../../src/tenancy/sealing.ts";
import type { MasterKey } from "./population.ts";

/** A number whose notifications we are to get, and where 360dialog posts them. */
export type HookedNumber = {
  tenantId: string;
  phoneNumberId: string;
  wabaId: string;
  hookPath: string;
  hookSecret: string;
};

export type HookedTenant = {
  tenantId: string;
  numbers: HookedNumber[];
  endpoints: { id: string; url: string }[];
};

export type TenantPlan = {
  numbers: number;
  endpoints: (Partial<EndpointWish> & { url: string })[];
};

const FIRST_PHONE_NUMBER_ID = 106_540_352_000_000;
const FIRST_WABA_ID = 102_290_129_000_000;
let made = 0;

/** Tenants with numbers, hooks and endpoints, put straight into the database: the API would ask 360dialog. */
export async function populateHooked(options: {
  databaseUrl: string;
  masterKey: MasterKey;
  tenants: readonly TenantPlan[];
}): Promise<HookedTenant[]> {
  const { db, close } = openDatabase({
    url: new Secret(options.databaseUrl),
    onIdleError: () => {},
  });
  const endpointSecrets = createEndpointSecrets(createSealer([options.masterKey]));
  const tenants: HookedTenant[] = [];
  for (const plan of options.tenants) {
    const tenantId = newId("ten");
    await db
      .insertInto("tenant")
      .values({ id: tenantId, name: "bench", external_id: null })
      .execute();
    const numbers: HookedNumber[] = [];
    for (let index = 0; index < plan.numbers; index++) {
      numbers.push(await addNumber(db, tenantId));
    }
    const endpoints = await changeEndpoints(db, tenantId, async (trx) => {
      const rows: { id: string; url: string }[] = [];
      for (const wish of plan.endpoints) {
        const { endpoint } = await insertEndpoint(trx, tenantId, {
          wish: { ...ENDPOINT_DEFAULTS, managed_by: "api", ...wish },
          endpointSecrets,
        });
        rows.push({ id: endpoint.id, url: endpoint.url });
      }
      return rows;
    });
    tenants.push({ tenantId, numbers, endpoints });
  }
  await close();
  return tenants;
}

async function addNumber(db: Database, tenantId: string): Promise<HookedNumber> {
  const numberId = newId("num");
  const place = made++;
  const phoneNumberId = String(FIRST_PHONE_NUMBER_ID + place);
  const wabaId = String(FIRST_WABA_ID + place);
  await db
    .insertInto("phone_number")
    .values({
      id: numberId,
      tenant_id: tenantId,
      phone_number_id: phoneNumberId,
      waba_id: wabaId,
      state: "running",
    })
    .execute();
  const { token, secret } = await createHook(db, numberId);
  const hookPath = `/hooks/360dialog/${token.reveal()}`;
  return { tenantId, phoneNumberId, wabaId, hookPath, hookSecret: secret.reveal() };
}
