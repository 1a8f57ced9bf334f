/** Long enough for a machine that is busy with something else. */
const TIMEOUT_MS = 15_000;

export type Caller = {
  get<T>(path: string): Promise<T>;
  send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<T>;
};

/** Calls the gateway with one token; an answer that is not 2xx is thrown, with what it says. */
export function createCaller(url: string, token: string): Caller {
  const authorization = `Bearer ${token}`;
  return {
    get: (path) => callJson(`${url}${path}`, { headers: { authorization } }),
    send: (method, path, body) =>
      callJson(`${url}${path}`, {
        method,
        headers: { authorization, ...(body && { "content-type": "application/json" }) },
        ...(body && { body: JSON.stringify(body) }),
      }),
  };
}

export async function fetchToken(
  url: string,
  client: { id: string; secret: string },
): Promise<{ access_token: string; expires_in: number }> {
  const basic = Buffer.from(`${client.id}:${client.secret}`).toString("base64");
  return callJson(`${url}/oauth2/token`, {
    method: "POST",
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
}

/** The gateway said no. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
}

async function callJson<T>(url: string, init: RequestInit): Promise<T> {
  const name = `${init.method ?? "GET"} ${url}`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    text = await response.text();
  } catch (cause) {
    throw new Error(`${name} got no answer`, { cause });
  }
  if (!response.ok) {
    throw new CallFailed(`${name} was answered ${response.status}: ${detailOf(text)}`);
  }
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** What a problem document says in words, or else the whole text. */
function detailOf(text: string): string {
  try {
    const { detail, error_description } = JSON.parse(text) as Record<string, string | undefined>;
    return detail ?? error_description ?? text;
  } catch {
    return text;
  }
}
