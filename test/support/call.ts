import { request } from "undici";
import { checkAnswer } from "./answers-contract.ts";

export type Answer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what the contract checked
  json: any;
};

export type CallOptions = {
  token?: string | undefined;
  /** A list is a header that comes more than once. */
  headers?: Record<string, string | string[]>;
  /** An object is sent as JSON, text and bytes as they are. */
  body?: object | string | Buffer;
};

/** One HTTP call; whatever comes back must be what `openapi.yaml` says. */
export async function call(
  url: string,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Answer> {
  const { token, body } = options;
  const asIs = body === undefined || typeof body === "string" || Buffer.isBuffer(body);
  const response = await request(`${url}${path}`, {
    method: method as "GET",
    headers: {
      ...(!asIs && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...options.headers,
    },
    ...(body !== undefined && { body: asIs ? body : JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await response.body.arrayBuffer());
  const contentType = String(response.headers["content-type"] ?? "");
  checkAnswer({ method, path }, { status: response.statusCode, contentType, body: bytes });
  return {
    status: response.statusCode,
    headers: response.headers,
    body: bytes,
    json: contentType.includes("json") ? JSON.parse(bytes.toString("utf8")) : undefined,
  };
}

/** A token by client credentials. */
export async function fetchToken(
  url: string,
  client: { id: string; secret: string },
  scope?: string,
): Promise<string> {
  const form = new URLSearchParams({ grant_type: "client_credentials", ...(scope && { scope }) });
  const basic = Buffer.from(`${client.id}:${client.secret}`).toString("base64");
  const answer = await call(url, "POST", "/oauth2/token", {
    headers: {
      authorization: `Basic ${basic}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: form.toString(),
  });
  return answer.json.access_token as string;
}

/** Revokes a token by RFC 7009. */
export async function revoke(
  url: string,
  client: { id: string; secret: string },
  token: string,
): Promise<Answer> {
  const form = { token, client_id: client.id, client_secret: client.secret };
  return call(url, "POST", "/oauth2/revoke", {
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form).toString(),
  });
}
