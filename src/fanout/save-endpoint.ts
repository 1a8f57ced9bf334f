import { ApiError, type FieldError, InvalidRequest } from "../errors.ts";
import type { CheckVersion } from "../http/etag.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { Secret } from "../secret.ts";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import {
  brokenHeaderRules,
  brokenNumberRules,
  brokenUrlRules,
  duplicateRule,
} from "./check-endpoint.ts";
import type { EndpointSecrets } from "./endpoint-secrets.ts";
import { forgetFailures } from "./endpoint-state.ts";
import {
  changeEndpoints,
  type EndpointChanges,
  type EndpointWish,
  getEndpoint,
  insertEndpoint,
  lockEndpoint,
  updateEndpoint,
  type WebhookEndpointRow,
} from "./endpoints.ts";
import type { EndpointOwner } from "./owner-route.ts";
import { endpointEtag } from "./present.ts";
import { proveUrl } from "./prove-url.ts";

export type SaveEndpoint = {
  /** @throws {InvalidRequest} that names every broken rule */
  create(
    caller: EndpointOwner,
    wish: EndpointWish,
  ): Promise<{ endpoint: WebhookEndpointRow; signingSecret: Secret }>;
  /** @throws {NotFound}, {InvalidRequest}, {ApiError} `etag_mismatch` */
  change(
    caller: EndpointOwner,
    options: { endpointId: string; changes: EndpointChanges; checkVersion: CheckVersion },
  ): Promise<WebhookEndpointRow>;
};

const TRIES_MAX = 3;

/** Endpoints as their owner saves them. Hosts are asked before a transaction begins, never in one. */
export function createSaveEndpoint(options: {
  db: Database;
  outbound: OutboundAgent;
  endpointSecrets: EndpointSecrets;
}): SaveEndpoint {
  const { db, outbound, endpointSecrets } = options;

  /** Only what else is in order is proved: a URL that must not be called is not. */
  async function proofOf(
    broken: FieldError[],
    wish: Pick<EndpointWish, "url" | "headers" | "timeout_seconds">,
    token: Secret | null,
  ): Promise<FieldError[]> {
    if (broken.length > 0 || token === null) {
      return broken;
    }
    const { url, headers, timeout_seconds } = wish;
    return proveUrl(outbound, { url, headers, token, timeoutMs: timeout_seconds * 1000 });
  }

  async function brokenByChange(
    caller: EndpointOwner,
    row: WebhookEndpointRow,
    changes: EndpointChanges,
  ): Promise<FieldError[]> {
    const { url, headers, phone_number_ids, verify_token } = changes;
    const key = { id: row.id, tenant_id: row.tenant_id };
    const newUrl = url === row.url ? undefined : url;
    const broken = [
      ...fixedByDropIn(row, changes),
      ...(newUrl === undefined ? [] : await brokenUrlRules(newUrl, outbound)),
      ...brokenHeaderRules(headers ?? {}),
      ...(phone_number_ids === undefined
        ? []
        : await brokenNumberRules(db, caller, phone_number_ids)),
    ];
    const known =
      row.verify_token_sealed === null
        ? null
        : endpointSecrets.openVerifyToken(key, row.verify_token_sealed);
    const token = verify_token === undefined ? known : verify_token;
    const toBeProved = newUrl !== undefined || (verify_token ?? null) !== null;
    return proofOf(
      broken,
      {
        url: url ?? row.url,
        headers: headers ?? endpointSecrets.openHeaders(key, row.headers_sealed),
        timeout_seconds: changes.timeout_seconds ?? row.timeout_seconds,
      },
      toBeProved ? token : null,
    );
  }

  async function write(
    trx: DatabaseTransaction,
    row: WebhookEndpointRow,
    of: { changes: EndpointChanges; broken: FieldError[] },
  ): Promise<WebhookEndpointRow> {
    const { changes, broken } = of;
    const { url = row.url, phone_number_ids: phoneNumberIds = row.phone_number_ids } = changes;
    const others = { url, phoneNumberIds, except: row.id };
    refuse([...broken, ...(await duplicateRule(trx, row.tenant_id, others))]);
    const updated = await updateEndpoint(trx, row.tenant_id, {
      endpointId: row.id,
      changes,
      endpointSecrets,
    });
    return url === row.url ? updated : forgetFailures(trx, updated);
  }

  return {
    async create(caller, wish) {
      const { tenantId } = caller;
      const broken = await proofOf(
        [
          ...(await brokenUrlRules(wish.url, outbound)),
          ...brokenHeaderRules(wish.headers),
          ...(await brokenNumberRules(db, caller, wish.phone_number_ids)),
        ],
        wish,
        wish.verify_token,
      );
      return changeEndpoints(db, tenantId, async (trx) => {
        const others = { url: wish.url, phoneNumberIds: wish.phone_number_ids };
        refuse([...broken, ...(await duplicateRule(trx, tenantId, others))]);
        return insertEndpoint(trx, tenantId, { wish, endpointSecrets });
      });
    },

    async change(caller, { endpointId, changes, checkVersion }) {
      const { tenantId, phoneNumberIds: among } = caller;
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        const before = await getEndpoint(db, tenantId, { endpointId, among });
        checkVersion(endpointEtag(before));
        const broken = await brokenByChange(caller, before, changes);
        const changed = await changeEndpoints(db, tenantId, async (trx) => {
          const row = await lockEndpoint(trx, tenantId, { endpointId, among });
          checkVersion(endpointEtag(row));
          // What was proved would not be what is written.
          return isProvedAs(row, before) ? write(trx, row, { changes, broken }) : undefined;
        });
        if (changed !== undefined) {
          return changed;
        }
      }
      throw new ApiError("etag_mismatch", "Others keep changing its URL at the same time.");
    },
  };
}

function refuse(errors: FieldError[]): void {
  if (errors.length > 0) {
    throw new InvalidRequest(errors);
  }
}

function isProvedAs(row: WebhookEndpointRow, before: WebhookEndpointRow): boolean {
  const tokens = [row, before].map((each) => each.verify_token_sealed?.toString("hex"));
  return row.url === before.url && tokens[0] === tokens[1];
}

/**
 * The drop-in settings find their endpoint by its number or WABA, and change its URL without a word
 * of any token.
 */
function fixedByDropIn(row: WebhookEndpointRow, changes: EndpointChanges): FieldError[] {
  return (["phone_number_ids", "waba_ids", "verify_token"] as const)
    .filter((name) => row.managed_by === "drop_in" && changes[name] !== undefined)
    .map((name) => ({
      code: "managed_by_drop_in",
      pointer: `/${name}`,
      detail: `${name} of an endpoint that the drop-in settings have made cannot be changed.`,
    }));
}
