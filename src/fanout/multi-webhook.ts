import { sql } from "kysely";
import { NotFound } from "../errors.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import { brokenUrlRules } from "./check-endpoint.ts";
import {
  type CheckedSettings,
  readSettings,
  type SetDropIn,
  type Settings,
} from "./drop-in-endpoint.ts";
import { activateEndpoint, stopEndpoint } from "./endpoint-state.ts";
import { changeEndpoints, removeEndpoint, type WebhookEndpointRow } from "./endpoints.ts";

export type Destination = Settings & { name: string };

/** 360dialog's multi_webhook: a number's further endpoints, by name. */
export type MultiWebhook = {
  get(
    tenantId: string,
    phoneNumberId: string,
  ): Promise<{ enabled: boolean; destinations: Destination[] }>;
  /** The whole list anew; without one, only the switch. @throws {InvalidRequest} */
  replace(
    tenantId: string,
    phoneNumberId: string,
    wish: { enabled: boolean; destinations: Destination[] | undefined },
  ): Promise<void>;
  /** False when they are switched off. @throws {InvalidRequest} */
  append(tenantId: string, phoneNumberId: string, destinations: Destination[]): Promise<boolean>;
  /** Changes one by its name. False when they are off. @throws {NotFound}, {InvalidRequest} */
  change(
    tenantId: string,
    phoneNumberId: string,
    wish: { name: string } & Partial<Settings>,
  ): Promise<boolean>;
};

type CheckedDestination = CheckedSettings & { name: string };

export function createMultiWebhook(options: {
  db: Database;
  outbound: Pick<OutboundAgent, "checkUrl">;
  setDropIn: SetDropIn;
}): MultiWebhook {
  const { db, outbound, setDropIn } = options;

  function check(destinations: Destination[]): Promise<CheckedDestination[]> {
    return Promise.all(
      destinations.map(async (each) => ({
        ...each,
        urlErrors: await brokenUrlRules(each.url, outbound),
      })),
    );
  }

  async function setAll(
    trx: DatabaseTransaction,
    tenantId: string,
    of: { phoneNumberId: string; destinations: CheckedDestination[] },
  ): Promise<void> {
    for (const { name, ...settings } of of.destinations) {
      await setDropIn(trx, tenantId, {
        place: { phoneNumberId: of.phoneNumberId, name },
        settings,
      });
    }
  }

  return {
    async get(tenantId, phoneNumberId) {
      const endpoints = await listNamed(db, tenantId, phoneNumberId);
      return {
        enabled: await isEnabled(db, tenantId, phoneNumberId),
        destinations: endpoints.map((endpoint) => ({
          name: endpoint.name ?? "",
          ...readSettings(endpoint),
        })),
      };
    },

    async replace(tenantId, phoneNumberId, { enabled, destinations }) {
      const checked = destinations && (await check(destinations));
      await changeEndpoints(db, tenantId, async (trx) => {
        await trx
          .updateTable("phone_number")
          .set({ multi_webhook_enabled: enabled })
          .where("tenant_id", "=", tenantId)
          .where("phone_number_id", "=", phoneNumberId)
          .execute();
        if (checked !== undefined) {
          const names = new Set(checked.map(({ name }) => name));
          for (const { id, name } of await listNamed(trx, tenantId, phoneNumberId)) {
            if (!names.has(name ?? "")) {
              await removeEndpoint(trx, tenantId, id);
            }
          }
          await setAll(trx, tenantId, { phoneNumberId, destinations: checked });
        }
        for (const endpoint of await listNamed(trx, tenantId, phoneNumberId)) {
          await (enabled
            ? reopen(trx, endpoint)
            : stopEndpoint(trx, tenantId, { endpointId: endpoint.id, state: "paused" }));
        }
      });
    },

    async append(tenantId, phoneNumberId, destinations) {
      const checked = await check(destinations);
      return changeEndpoints(db, tenantId, async (trx) => {
        if (!(await isEnabled(trx, tenantId, phoneNumberId))) {
          return false;
        }
        await setAll(trx, tenantId, { phoneNumberId, destinations: checked });
        return true;
      });
    },

    async change(tenantId, phoneNumberId, wish) {
      const urlErrors = wish.url === undefined ? [] : await brokenUrlRules(wish.url, outbound);
      return changeEndpoints(db, tenantId, async (trx) => {
        const endpoints = await listNamed(trx, tenantId, phoneNumberId);
        const old = endpoints.find(({ name }) => name === wish.name);
        if (old === undefined) {
          throw new NotFound();
        }
        if (!(await isEnabled(trx, tenantId, phoneNumberId))) {
          return false;
        }
        const destination = { ...readSettings(old), ...wish, urlErrors };
        await setAll(trx, tenantId, { phoneNumberId, destinations: [destination] });
        return true;
      });
    },
  };
}

async function listNamed(
  db: Pick<DatabaseTransaction, "selectFrom">,
  tenantId: string,
  phoneNumberId: string,
): Promise<WebhookEndpointRow[]> {
  return db
    .selectFrom("webhook_endpoint")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where("managed_by", "=", "drop_in")
    .where("name", "is not", null)
    .where(sql<boolean>`phone_number_ids = array[${phoneNumberId}]`)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}

async function isEnabled(
  db: Pick<DatabaseTransaction, "selectFrom">,
  tenantId: string,
  phoneNumberId: string,
): Promise<boolean> {
  const number = await db
    .selectFrom("phone_number")
    .select("multi_webhook_enabled")
    .where("tenant_id", "=", tenantId)
    .where("phone_number_id", "=", phoneNumberId)
    .executeTakeFirst();
  return number?.multi_webhook_enabled ?? false;
}

async function reopen(trx: DatabaseTransaction, endpoint: WebhookEndpointRow): Promise<void> {
  if (endpoint.state === "paused") {
    await activateEndpoint(trx, endpoint.tenant_id, endpoint.id);
  }
}
