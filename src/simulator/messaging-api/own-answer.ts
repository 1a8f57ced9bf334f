import { randomInt } from "node:crypto";
import type { Answer } from "../http/answer.ts";

function ownAnswer(status: number, body: unknown): Answer {
  return {
    status,
    headers: {
      "content-type": "application/json",
      "access-control-allow-origin": "https://hub.360dialog.com",
      vary: "Origin",
      "strict-transport-security": "max-age=15724800; includeSubDomains",
      server: "istio-envoy",
      "x-envoy-upstream-service-time": String(randomInt(3, 60)),
    },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** A good answer of 360dialog's own calls, which carry none of Meta's headers. */
export function ownSuccess(body: unknown): Answer {
  return ownAnswer(200, body);
}

/** An error in the `meta` form of 360dialog's own calls and of its gateway. */
export function metaFormError(
  status: number,
  developerMessage: string,
  details?: readonly string[],
): Answer {
  return ownAnswer(status, {
    meta: {
      success: false,
      http_code: status,
      developer_message: developerMessage,
      ...(details === undefined ? {} : { details }),
    },
  });
}

/** An error in the flat form of 360dialog's newer calls. */
export function flatError(status: number, error: string): Answer {
  return ownAnswer(status, { error });
}
