import { type Agent, request } from "undici";
import type { Webhook } from "../numbers/phone-number.ts";
import type { Attempt } from "./notification.ts";

function requestHeaders(webhook: Webhook): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "user-agent": "360dialog-simulator",
  };
  for (const [name, value] of Object.entries(webhook.headers)) {
    headers[name.toLowerCase()] = value;
  }
  return headers;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return "code" in error && typeof error.code === "string"
    ? `${error.code}: ${error.message}`
    : error.message;
}

/** Posts the body once, never following a redirect, and tells what came of it. */
export async function post(input: {
  agent: Agent;
  webhook: Webhook;
  body: Buffer;
  timeoutMs: number;
  stopping: AbortSignal;
}): Promise<Attempt> {
  const { agent, webhook, body, timeoutMs, stopping } = input;
  const at = new Date();
  const startedMs = performance.now();
  const attempt = (end: Pick<Attempt, "status" | "error">): Attempt => ({
    at,
    durationMs: Math.round(performance.now() - startedMs),
    url: webhook.url,
    ...end,
  });
  const deadline = new AbortController();
  const timeout = setTimeout(
    () => deadline.abort(new Error(`no answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    const response = await request(webhook.url, {
      method: "POST",
      headers: requestHeaders(webhook),
      body,
      dispatcher: agent,
      signal: AbortSignal.any([stopping, deadline.signal]),
    });
    await response.body.dump();
    return attempt({ status: response.statusCode });
  } catch (error) {
    return attempt({ error: describe(error) });
  } finally {
    clearTimeout(timeout);
  }
}
