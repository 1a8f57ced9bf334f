import type { Answer } from "../http/answer.ts";
import type { RecordedRequest } from "../http/recorded-request.ts";
import type { PhoneNumber } from "../numbers/phone-number.ts";
import { hasLeftInPart } from "./left-in-path.ts";
import type { OperationEffects } from "./operation.ts";
import { isKnownPath, OPERATIONS } from "./operations.ts";
import { flatError, metaFormError } from "./own-answer.ts";

/** The parts of a URL as it stands in a request line. */
export function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf("?");
  return mark === -1
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}

function invalidKey(path: string): Answer {
  return path.startsWith("/v1/configs/")
    ? metaFormError(401, "Invalid API key")
    : flatError(401, "Invalid api token.");
}

function refusedForState(phoneNumber: PhoneNumber): Answer | undefined {
  if (phoneNumber.disabled) {
    return metaFormError(400, "Your WhatsApp for Business API has been disabled");
  }
  if (phoneNumber.unpaid) {
    return metaFormError(
      400,
      "Could not send message due to lack of payment. Messaging can resume once overdue invoices towards 360Dialog are settled. Please reach out to our integration partner.",
    );
  }
  return phoneNumber.notRunning
    ? metaFormError(502, "WhatsApp for Business API not available")
    : undefined;
}

/** Answers one call of the Messaging API; `phoneNumber` is the one whose living key came with it. */
export function answerMessagingCall(input: {
  request: RecordedRequest;
  phoneNumber: PhoneNumber | undefined;
  effects: OperationEffects;
  leftInPathStatus: 404 | 403;
}): Answer {
  const { request, phoneNumber, effects, leftInPathStatus } = input;
  const { path, query } = splitUrl(request.url);
  if (phoneNumber === undefined) {
    return invalidKey(path);
  }
  const refusal = refusedForState(phoneNumber);
  if (refusal !== undefined) {
    return refusal;
  }
  if (leftInPathStatus === 404 && hasLeftInPart(path, isKnownPath)) {
    return metaFormError(404, "Not found");
  }
  const operation = OPERATIONS.get(`${request.method} ${path}`);
  if (operation === undefined) {
    return metaFormError(403, "The endpoint is blocked");
  }
  const contentType = request.headers["content-type"]?.toLowerCase() ?? "";
  return operation({ phoneNumber, query, contentType, body: request.body }, effects);
}
