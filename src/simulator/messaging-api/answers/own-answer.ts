import { randomInt } from "node:crypto";
import type { Answer } from "../../http/answer.ts";

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
export function ownSuccess(body: unknown, status: 200 | 201 = 200): Answer {
  return ownAnswer(status, body);
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

/** An error in the form of the hub's `/token`. */
export function oauthError(status: number, error: string, description: string): Answer {
  return ownAnswer(status, { error, error_description: description });
}

/** An error in the form of `/multi_webhook`, where something stands against it. */
export function messageError(status: number, message: string): Answer {
  return ownAnswer(status, { message });
}

/** The forms in which 360dialog's gateway has written an error: the older are still met. */
export const OWN_ERROR_FORMS = ["A", "B", "C"] as const;

export type OwnErrorForm = (typeof OWN_ERROR_FORMS)[number];

/** 360dialog's own rate limit, which comes as a 400 whatever the form. */
export function endpointLimitError(form: OwnErrorForm): Answer {
  const text = "You have exceeded the endpoint rate limit.";
  switch (form) {
    case "A":
      return metaFormError(400, text);
    case "B":
      return ownAnswer(400, { meta: { httpCode: 400, developerMessage: text, success: false } });
    case "C":
      return flatError(400, text);
    default:
      return form satisfies never;
  }
}
