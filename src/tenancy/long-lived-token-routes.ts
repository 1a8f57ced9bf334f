import { type FieldError, InvalidRequest } from "../errors.ts";
import type { TenantCaller } from "../http/caller.ts";
import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { checkOwnNumbers } from "./check-own-numbers.ts";
import {
  createLongLivedToken,
  listLongLivedTokens,
  type LongLivedTokenRow,
  revokeLongLivedToken,
} from "./long-lived-tokens.ts";
import type { OwnTokens } from "./own-tokens.ts";

/** A tenant's tokens for tools that cannot get themselves a new one every hour. */
export function longLivedTokenRoutes(options: { db: Database; sign: OwnTokens["sign"] }): Route[] {
  const { db, sign } = options;
  const path = "/tenant/v1/tokens";
  const scope = "tokens:write";
  return [
    tenantRoute(
      { method: "POST", path, operationId: "createLongLivedToken", scope },
      async ({ caller, body }) => {
        const wish = body as Schemas["LongLivedTokenCreate"];
        const { phoneNumberIds: among } = caller;
        const phoneNumberIds = wish.phone_number_ids ?? null;
        if (phoneNumberIds !== null) {
          await checkOwnNumbers(db, caller.tenantId, { phoneNumberIds, among });
        }
        const { row, token } = await createLongLivedToken(db, caller.tenantId, {
          sign,
          fields: {
            client_id: caller.clientId,
            name: wish.name,
            scopes: heldScopes(wish.scopes, caller),
            phone_number_ids: phoneNumberIds ?? (among && [...among]),
            expires_at: parseExpiry(wish.expires_at, new Date()),
          },
        });
        const headers = { "cache-control": "no-store" };
        return { status: 201, headers, body: { ...presentLongLivedToken(row), token } };
      },
    ),
    tenantRoute(
      { method: "GET", path, operationId: "listLongLivedTokens", scope },
      async ({ caller, query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const among = caller.phoneNumberIds;
        const rows = await listLongLivedTokens(db, caller.tenantId, { ...page, among });
        const body = presentPage(rows, page, (row) => [row.id], presentLongLivedToken);
        return { status: 200, body };
      },
    ),
    tenantRoute(
      {
        method: "DELETE",
        path: `${path}/{token_id}`,
        operationId: "revokeLongLivedToken",
        scope,
      },
      async ({ caller, params }) => {
        await revokeLongLivedToken(db, caller.tenantId, {
          tokenId: params["token_id"] ?? "",
          among: caller.phoneNumberIds,
        });
        return { status: 204 };
      },
    ),
  ];
}

/**
 * Without a wish what the maker may do, but for making tokens: one that leaks would otherwise live on
 * in those that it makes.
 * @throws {InvalidRequest} naming each scope that the maker lacks
 */
function heldScopes(
  wish: readonly string[] | undefined,
  maker: Pick<TenantCaller, "scopes">,
): string[] {
  if (wish === undefined) {
    return [...maker.scopes].filter((scope) => scope !== "tokens:write");
  }
  const errors = wish.flatMap((scope, index): FieldError[] => {
    const detail = `Your own token lacks the scope ${scope}.`;
    return maker.scopes.has(scope)
      ? []
      : [{ code: "scope_not_held", pointer: `/scopes/${index}`, detail }];
  });
  if (errors.length > 0) {
    throw new InvalidRequest(errors);
  }
  return [...wish];
}

/**
 * A token says its end in whole seconds.
 * @throws {InvalidRequest} for a time that has passed or is more than a year away
 */
export function parseExpiry(wish: string | undefined, now: Date): Date {
  const latest = new Date(now);
  latest.setUTCFullYear(now.getUTCFullYear() + 1);
  const expiresAt = new Date(wish ?? latest);
  expiresAt.setUTCMilliseconds(0);
  if (!(expiresAt > now && expiresAt <= latest)) {
    const detail = `expires_at must lie in the future, and not after ${latest.toISOString()}.`;
    throw new InvalidRequest([{ code: "expires_at_range", pointer: "/expires_at", detail }]);
  }
  return expiresAt;
}

function presentLongLivedToken(row: LongLivedTokenRow): Schemas["LongLivedToken"] {
  return {
    id: row.id,
    client_id: row.client_id,
    name: row.name,
    // Those of its maker, which were checked when its client was made.
    scopes: row.scopes as Schemas["TenantScope"][],
    phone_number_ids: row.phone_number_ids,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}
