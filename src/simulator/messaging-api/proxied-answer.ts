import { randomInt } from "node:crypto";
import type { Answer } from "../http/answer.ts";
import { newTraceId, randomHex } from "../ids.ts";

/** What Meta refuses a call with. */
export type MetaError = {
  status: number;
  code: number;
  /** Without the `(#code)` in front. */
  message: string;
  details?: string;
};

function businessUsage(wabaId: string): string {
  const usage = {
    type: "whatsapp",
    call_count: 1,
    total_cputime: 1,
    total_time: 1,
    estimated_time_to_regain_access: 0,
  };
  return JSON.stringify({ [wabaId]: [usage] });
}

function proxiedAnswer(input: {
  status: number;
  body: unknown;
  wabaId: string;
  traceId: string;
}): Answer {
  return {
    status: input.status,
    headers: {
      "content-type": "application/json; charset=UTF-8",
      "facebook-api-version": "v19.0",
      "x-business-use-case-usage": businessUsage(input.wabaId),
      "x-fb-trace-id": input.traceId,
      "x-fb-request-id": newTraceId(),
      "x-fb-rev": "1019531337",
      "x-fb-debug": Buffer.from(randomHex(32) + randomHex(32)).toString("base64"),
      "x-fb-connection-quality": "EXCELLENT; q=0.9, rtt=12, rtx=0, c=10, mss=1380, tbw=3405",
      "cache-control": "private, no-cache, no-store, must-revalidate",
      pragma: "no-cache",
      expires: "Sat, 01 Jan 2000 00:00:00 GMT",
      "access-control-allow-origin": "*",
      vary: "Origin,Accept-Encoding",
      "strict-transport-security": "max-age=15724800; includeSubDomains",
      server: "Google Frontend",
      via: "1.1 google",
      "x-cloud-trace-context": `${randomHex(32)}/${randomInt(1, 2 ** 47)}`,
    },
    // Meta escapes slashes, so a receiver that cuts strings instead of parsing shows itself here.
    body: Buffer.from(JSON.stringify(input.body).replaceAll("/", "\\/")),
  };
}

/** Meta's good answer, as 360dialog passes it on. */
export function proxiedSuccess(body: unknown, wabaId: string): Answer {
  return proxiedAnswer({ status: 200, body, wabaId, traceId: newTraceId() });
}

/** Meta's error envelope, as 360dialog passes it on. */
export function proxiedError(error: MetaError, wabaId: string): Answer {
  const traceId = newTraceId();
  const body = {
    error: {
      message: `(#${error.code}) ${error.message}`,
      type: "OAuthException",
      code: error.code,
      ...(error.details === undefined
        ? {}
        : { error_data: { messaging_product: "whatsapp", details: error.details } }),
      fbtrace_id: traceId,
    },
  };
  return proxiedAnswer({ status: error.status, body, wabaId, traceId });
}
