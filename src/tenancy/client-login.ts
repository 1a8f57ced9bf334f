import type { Context } from "koa";
import { ApiError } from "../errors.ts";
import { type ClientRow, secretMatches } from "./clients.ts";
import type { Directory } from "./directory.ts";
import type { FailedLogins } from "./failed-logins.ts";

/** Every client's id is of this form, so that nothing else is looked up or counted. */
const CLIENT_ID = /^[!-~]{1,200}$/;

/**
 * Which client makes a call of OAuth, by HTTP Basic or in the form; `undefined` when there is none
 * with this id and secret.
 * @throws {ApiError} `rate_limited` after too many wrong secrets
 */
export type ClientLogin = (ctx: Context, form: URLSearchParams) => Promise<ClientRow | undefined>;

export function createClientLogin(options: {
  directory: Pick<Directory, "findClient">;
  failedLogins: FailedLogins;
}): ClientLogin {
  const { directory, failedLogins } = options;
  return async (ctx, form) => {
    const credentials = clientCredentials(ctx, form);
    if (!CLIENT_ID.test(credentials.id)) {
      return undefined;
    }
    const key = `${credentials.id} ${ctx.ip}`;
    const pauseSeconds = failedLogins.pauseSeconds(key);
    if (pauseSeconds !== undefined) {
      throw new ApiError("rate_limited", "Too many wrong secrets; wait before the next try.", {
        headers: { "retry-after": String(pauseSeconds) },
      });
    }
    failedLogins.begin(key);
    const client = await directory.findClient(credentials.id);
    if (!secretMatches(client, credentials.secret)) {
      return undefined;
    }
    failedLogins.succeeded(key);
    return client;
  };
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
