import { expect } from "vitest";
import type { Answer } from "./call.ts";
import { type TestGateway, textMessage } from "./gateway.ts";

/** How a call says who makes it, well or badly. */
export type Credential = { headers?: Record<string, string | string[]>; query?: string };

/** What it must come to: status, `code` and `WWW-Authenticate`. */
export type Verdict = { status: number; code: string; challenge: string | RegExp | undefined };

/** A route of ours, `GET /tenant/v1/numbers`, and one of the WhatsApp API, `POST /messages`. */
export type RouteName = "tenant" | "messages";

export const MISSING: Verdict = { status: 401, code: "token_missing", challenge: "Bearer" };
export const INVALID: Verdict = {
  status: 401,
  code: "token_invalid",
  challenge: /^Bearer error="invalid_token", error_description="[^"\\]+"$/,
};
export const TWO: Verdict = { status: 400, code: "multiple_credentials", challenge: undefined };
export const WRONG_AUDIENCE: Verdict = {
  status: 403,
  code: "wrong_audience",
  challenge: undefined,
};
export const SUSPENDED: Verdict = {
  status: 403,
  code: "tenant_suspended",
  challenge: undefined,
};
export const NO_KEYS: Verdict = { status: 503, code: "overloaded", challenge: undefined };

export function noScope(scope: string): Verdict {
  const challenge = `Bearer error="insufficient_scope", scope="${scope}"`;
  return { status: 403, code: "insufficient_scope", challenge };
}

const META_CODES: Record<number, number> = { 400: 190, 401: 190, 403: 10, 503: 131016 };

export function bearer(token: string): Credential {
  return { headers: { authorization: `Bearer ${token}` } };
}

export function sendWith(
  gateway: TestGateway,
  { headers = {}, query = "" }: Credential,
  route: RouteName,
): Promise<Answer> {
  const body = textMessage("15550001111", "x");
  return route === "tenant"
    ? gateway.call("GET", `/tenant/v1/numbers${query}`, { headers })
    : gateway.call("POST", `/messages${query}`, { headers, body });
}

/** The call is refused in this very way, and nothing reaches 360dialog. */
export async function expectRefused(
  gateway: TestGateway,
  credential: Credential,
  verdicts: Partial<Record<RouteName, Verdict>>,
): Promise<void> {
  const before = gateway.simulator.requests.length;
  for (const [route, verdict] of Object.entries(verdicts) as [RouteName, Verdict][]) {
    const answer = await sendWith(gateway, credential, route);
    const { status, code, challenge } = verdict;
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    const given = answer.headers["www-authenticate"];
    expect(given).toEqual(
      challenge instanceof RegExp ? expect.stringMatching(challenge) : challenge,
    );
    expect(answer.json.error?.code).toBe(route === "messages" ? META_CODES[status] : undefined);
  }
  expect(gateway.simulator.requests.length).toBe(before);
}

export function onBoth(verdict: Verdict): Record<RouteName, Verdict> {
  return { tenant: verdict, messages: verdict };
}
