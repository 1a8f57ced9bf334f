import type { Context } from "koa";
import { ApiError } from "../errors.ts";
import { readBody } from "../http/body.ts";
import { publicRoute, type Reply, type Route } from "../http/route.ts";
import { type ClientRow, secretMatches } from "./clients.ts";
import type { Directory } from "./directory.ts";
import type { FailedLogins } from "./failed-logins.ts";
import { PARTNER_SCOPES, TENANT_SCOPES } from "./scopes.ts";
import type { SigningKeys } from "./signing-keys.ts";
import type { Tokens } from "./tokens.ts";

const FORM_BYTES_MAX = 16 * 1024;
const NO_STORE = { "cache-control": "no-store", pragma: "no-cache" };

/** OAuth 2.0's side: the token endpoint, the key set and the metadata. */
export function tokenRoutes(options: {
  directory: Directory;
  tokens: Tokens;
  signingKeys: SigningKeys;
  failedLogins: FailedLogins;
  url: string;
}): Route[] {
  const { directory, tokens, signingKeys, failedLogins, url } = options;
  return [
    publicRoute(
      { method: "POST", path: "/oauth2/token", operationId: "issueToken" },
      async ({ ctx }) => {
        const form = await readForm(ctx);
        const credentials = clientCredentials(ctx, form);
        const key = `${credentials.id} ${ctx.ip}`;
        const pauseSeconds = failedLogins.pauseSeconds(key);
        if (pauseSeconds !== undefined) {
          throw new ApiError("rate_limited", "Too many wrong secrets; wait before the next try.", {
            headers: { "retry-after": String(pauseSeconds) },
          });
        }
        failedLogins.begin(key);
        const client = await directory.findClient(credentials.id);
        if (!secretMatches(client, credentials.secret) || client === undefined) {
          return oauthError(401, "invalid_client", "No client with this id and secret.");
        }
        failedLogins.succeeded(key);
        if (form.get("grant_type") !== "client_credentials") {
          return oauthError(
            400,
            "unsupported_grant_type",
            "grant_type must be client_credentials.",
          );
        }
        const scopes = narrowedScopes(client, form.get("scope"));
        if (scopes === undefined) {
          return oauthError(400, "invalid_scope", `This client has: ${client.scopes.join(" ")}.`);
        }
        const { token, expiresIn } = await tokens.issue(client, scopes);
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
          jwks_uri: `${url}/.well-known/jwks.json`,
          grant_types_supported: ["client_credentials"],
          response_types_supported: [],
          token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
          scopes_supported: [...TENANT_SCOPES, ...PARTNER_SCOPES],
        },
      }),
    ),
  ];
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

/** RFC 6749, section 2.3.1: HTTP Basic, each half form-encoded first; or the form itself. */
function clientCredentials(ctx: Context, form: URLSearchParams): { id: string; secret: string } {
  const basic = /^Basic +([\w+/=-]+) *$/i.exec(ctx.get("authorization"))?.[1];
  if (basic === undefined) {
    return { id: form.get("client_id") ?? "", secret: form.get("client_secret") ?? "" };
  }
  const [id = "", ...secret] = Buffer.from(basic, "base64").toString().split(":");
  return { id: formDecode(id), secret: formDecode(secret.join(":")) };
}

function formDecode(text: string): string {
  return new URLSearchParams(`v=${text.replaceAll("&", "%26")}`).get("v") ?? "";
}

/** Without a wish the client's own scopes; `undefined` when more is wished than it has. */
function narrowedScopes(client: ClientRow, wish: string | null): string[] | undefined {
  const wanted = wish?.split(" ").filter((scope) => scope !== "") ?? [];
  if (wanted.length === 0) {
    return client.scopes;
  }
  return wanted.every((scope) => client.scopes.includes(scope)) ? wanted : undefined;
}

/** RFC 6749, section 5.2: the token endpoint has an error form of its own. */
function oauthError(status: number, error: string, description: string): Reply {
  return {
    status,
    headers: {
      ...NO_STORE,
      ...(status === 401 && { "www-authenticate": 'Basic realm="waba-gateway"' }),
    },
    body: { error, error_description: description },
  };
}
