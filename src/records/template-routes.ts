import { ApiError, NotFound } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { queryText } from "../http/query.ts";
import { type Route, type TenantCall, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { askForTemplates, listWabaSyncs, needTemplates, type WabaSync } from "./template-wants.ts";
import { listTemplates, type TemplateRow } from "./templates.ts";

const CURSOR_NAME = /^[^\0]{1,512}$/;
const CURSOR = [CURSOR_ID, CURSOR_NAME, CURSOR_NAME];
const ASK_EVERY_SECONDS = 60;

/** The cached templates of a tenant's WABAs. `poke` starts the sync, now that something is due. */
export function templateRoutes({ db, poke }: { db: Database; poke: () => void }): Route[] {
  const path = "/tenant/v1/templates";

  /** @throws {NotFound} for a WABA that the token has no number on */
  async function syncsOf({ caller, query }: TenantCall): Promise<WabaSync[]> {
    const wabaId = queryText(query, "waba_id");
    const among = caller.phoneNumberIds;
    const syncs = await listWabaSyncs(db, caller.tenantId, { among, wabaId });
    if (wabaId !== undefined && syncs.length === 0) {
      throw new NotFound();
    }
    return syncs;
  }

  return [
    tenantRoute(
      { method: "GET", path, operationId: "listTemplates", scope: "templates:read" },
      async (call) => {
        const { caller, query } = call;
        const page = parsePage(query, CURSOR);
        const syncs = await syncsOf(call);
        const unknown = syncs.filter(({ asked_at }) => asked_at === null);
        if (unknown.length > 0) {
          await needTemplates(db, caller.tenantId, unknown.map(wabaOf));
          poke();
        }
        const rows = await listTemplates(db, caller.tenantId, {
          ...page,
          wabaIds: syncs.map(wabaOf),
          name: queryText(query, "name"),
          status: queryText(query, "status"),
        });
        const data = presentPage(rows, page, keyOf, presentTemplate);
        return { status: 200, body: { ...data, syncs: syncs.map(presentSync) } };
      },
    ),
    tenantRoute(
      {
        method: "POST",
        path: `${path}/sync`,
        operationId: "syncTemplates",
        scope: "templates:write",
      },
      async (call) => {
        const syncs = await syncsOf(call);
        const asked = await askForTemplates(db, call.caller.tenantId, {
          wabaIds: syncs.map(wabaOf),
          evenAfterFailure: true,
        });
        if (asked.length === 0 && syncs.length > 0) {
          throw new ApiError(
            "rate_limited",
            "A WABA's templates are synced once a minute at most.",
            {
              headers: { "retry-after": String(secondsToWait(syncs)) },
            },
          );
        }
        poke();
        return { status: 202, body: { syncs: asked.map(presentSync) } };
      },
    ),
  ];
}

const keyOf = (row: TemplateRow): string[] => [row.waba_id, row.name, row.language];
const wabaOf = (sync: WabaSync): string => sync.waba_id;

/** Until the first of them may be asked for again. */
function secondsToWait(syncs: readonly WabaSync[]): number {
  const askedAtMs = syncs.map(({ asked_at }) => asked_at?.getTime() ?? Date.now());
  const waitedSeconds = (Date.now() - Math.min(...askedAtMs)) / 1000;
  return Math.min(ASK_EVERY_SECONDS, Math.max(1, Math.ceil(ASK_EVERY_SECONDS - waitedSeconds)));
}

function presentSync(row: WabaSync): Schemas["TemplateSync"] {
  return {
    waba_id: row.waba_id,
    synced_at: row.synced_at?.toISOString() ?? null,
    failure: row.failure,
  };
}

function presentTemplate(row: TemplateRow): Schemas["Template"] {
  return {
    waba_id: row.waba_id,
    name: row.name,
    language: row.language,
    category: row.category,
    status: row.status,
    quality: row.quality,
    components: Array.isArray(row.components) ? (row.components as Record<string, never>[]) : null,
    external_id: row.external_id,
    synced_at: row.synced_at?.toISOString() ?? null,
  };
}
