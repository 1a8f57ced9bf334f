import type { Context } from "koa";
import { ApiError } from "../errors.ts";
import { type Audit, underAudit } from "../http/audit.ts";
import { readBody } from "../http/body.ts";
import type { Caller } from "../http/caller.ts";
import { publicRoute, type Reply, type Route } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import type { ClientLogin } from "./client-login.ts";
import type { ClientRow } from "./clients.ts";
import type { OwnTokens } from "./own-tokens.ts";
import { revokeToken } from "./revoked-tokens.ts";
import { PARTNER_SCOPES, TENANT_SCOPES } from "./scopes.ts";
import type { SigningKeys } from "./signing-keys.ts";

const FORM_BYTES_MAX = 16 * 1024;
const NO_STORE = { "cache-control": "no-store", pragma: "no-cache" };
const CLIENT_AUTHENTICATION = ["client_secret_basic", "client_secret_post"];

/** OAuth 2.0's side: tokens and their revocation, the key set and the metadata. */
export function tokenRoutes(options: {
  db: Database;
  login: ClientLogin;
  ownTokens: OwnTokens;
  signingKeys: SigningKeys;
  audit: Audit;
  url: string;
}): Route[] {
  const { db, login, ownTokens, signingKeys, audit, url } = options;
  return [
    publicRoute(
      { method: "POST", path: "/oauth2/token", operationId: "issueToken" },
      async ({ ctx }) => {
        const form = await readForm(ctx);
        const client = await login(ctx, form);
        if (client === undefined) {
          return invalidClient();
        }
        if (form.get("grant_type") !== "client_credentials") {
          return oauthError("unsupported_grant_type", "grant_type must be client_credentials.");
        }
        const scopes = narrowedScopes(client, form.get("scope"));
        if (scopes === undefined) {
          return oauthError("invalid_scope", `This client has: ${client.scopes.join(" ")}.`);
        }
        const { token, expiresIn } = await ownTokens.issue(client, scopes);
        return {
          status: 200,
          headers: NO_STORE,
          body: {
            access_token: token,
            token_type: "Bearer",
            expires_in: expiresIn,
            scope: scopes.join(" "),
          },
        };
      },
    ),
    publicRoute(
      { method: "POST", path: "/oauth2/revoke", operationId: "revokeToken", writes: true },
      async ({ ctx, requestId }) => {
        const form = await readForm(ctx);
        const client = await login(ctx, form);
        if (client === undefined) {
          return invalidClient();
        }
        const token = form.get("token") ?? "";
        if (token === "") {
          return oauthError("invalid_request", "token must hold the token to revoke.");
        }
        const claims = await ownTokens.check(token).catch(unlessInvalid);
        if (claims?.clientId === client.id) {
          const { jti, expiresAtMs } = claims;
          const revoked = { caller: callerOf(client), operation: "revokeToken", requestId };
          await underAudit(
            audit,
            { ...revoked, params: { jti }, before: null },
            {
              run: () => revokeToken(db, { jti, expiresAt: new Date(expiresAtMs) }),
              endOf: () => ({ status: 200, code: null, after: null }),
            },
          );
        }
        // RFC 7009, section 2.2: what is no token, or not this client's, is answered alike.
        return { status: 200, headers: NO_STORE };
      },
    ),
    publicRoute({ method: "GET", path: "/.well-known/jwks.json", operationId: "getJwks" }, () => ({
      status: 200,
      headers: { "cache-control": "public, max-age=300" },
      body: signingKeys.jwks(),
    })),
    publicRoute(
      {
        method: "GET",
        path: "/.well-known/oauth-authorization-server",
        operationId: "getAuthorizationServerMetadata",
      },
      // RFC 8414, section 2.
      () => ({
        status: 200,
        body: {
          issuer: url,
          token_endpoint: `${url}/oauth2/token`,
          revocation_endpoint: `${url}/oauth2/revoke`,
          jwks_uri: `${url}/.well-known/jwks.json`,
          grant_types_supported: ["client_credentials"],
          response_types_supported: [],
          token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
          revocation_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
          scopes_supported: [...TENANT_SCOPES, ...PARTNER_SCOPES],
        },
      }),
    ),
  ];
}

function callerOf(client: ClientRow): Caller {
  const base = { clientId: client.id, scopes: new Set(client.scopes) };
  return client.tenant_id === null
    ? { kind: "partner", ...base }
    : {
        kind: "tenant",
        tenantId: client.tenant_id,
        phoneNumberIds: client.phone_number_ids,
        ...base,
      };
}

async function readForm(ctx: Context): Promise<URLSearchParams> {
  if (ctx.request.is("urlencoded") === false) {
    throw new ApiError(
      "unsupported_media_type",
      "Send the body as application/x-www-form-urlencoded.",
    );
  }
  return new URLSearchParams((await readBody(ctx.req, { bytesMax: FORM_BYTES_MAX })).toString());
}

/** Without a wish the client's own scopes; `undefined` when more is wished than it has. */
function narrowedScopes(client: ClientRow, wish: string | null): string[] | undefined {
  const wanted = wish?.split(" ").filter((scope) => scope !== "") ?? [];
  if (wanted.length === 0) {
    return client.scopes;
  }
  return wanted.every((scope) => client.scopes.includes(scope)) ? wanted : undefined;
}

function unlessInvalid(error: unknown): undefined {
  if (!(error instanceof ApiError && error.code === "token_invalid")) {
    throw error;
  }
}

function invalidClient(): Reply {
  const reply = oauthError("invalid_client", "No client with this id and secret.");
  const challenge = { "www-authenticate": 'Basic realm="waba-gateway"' };
  return { ...reply, status: 401, headers: { ...reply.headers, ...challenge } };
}

/** RFC 6749, section 5.2: OAuth's endpoints have an error form of their own. */
function oauthError(error: string, description: string): Reply {
  return { status: 400, headers: NO_STORE, body: { error, error_description: description } };
}
