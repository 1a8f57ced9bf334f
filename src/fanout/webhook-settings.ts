import { NotFound } from "../errors.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { Database } from "../store/database.ts";
import { brokenUrlRules } from "./check-endpoint.ts";
import {
  type DropInPlace,
  findDropIn,
  readSettings,
  type SetDropIn,
  type Settings,
} from "./drop-in-endpoint.ts";
import { changeEndpoints } from "./endpoints.ts";

/** The drop-in form of a number's or a WABA's one endpoint. */
export type WebhookSettings = {
  /** @throws {NotFound} when nothing is set */
  get(tenantId: string, place: DropInPlace): Promise<Settings>;
  /** Creates the endpoint, or replaces its URL and headers. @throws {InvalidRequest} */
  set(tenantId: string, place: DropInPlace, settings: Settings): Promise<Settings>;
};

export function createWebhookSettings(options: {
  db: Database;
  outbound: Pick<OutboundAgent, "checkUrl">;
  setDropIn: SetDropIn;
}): WebhookSettings {
  const { db, outbound, setDropIn } = options;
  return {
    async get(tenantId, place) {
      const endpoint = await findDropIn(db, tenantId, place);
      if (endpoint === undefined) {
        throw new NotFound();
      }
      return readSettings(endpoint);
    },

    async set(tenantId, place, settings) {
      const checked = { ...settings, urlErrors: await brokenUrlRules(settings.url, outbound) };
      await changeEndpoints(db, tenantId, (trx) =>
        setDropIn(trx, tenantId, { place, settings: checked }),
      );
      return settings;
    },
  };
}
