import type { Answer } from "../http/answer.ts";
import type { OperationTable } from "../http/operation-table.ts";
import type { RecordedRequest } from "../http/recorded-request.ts";
import { splitUrl } from "../http/split-url.ts";
import type { PhoneNumber } from "../numbers/phone-number.ts";
import { flatError, metaFormError } from "./answers/own-answer.ts";
import { hasLeftInPart } from "./left-in-path.ts";
import type { Limiter } from "./limits/limiter.ts";
import type { Operation } from "./operation.ts";

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
export async function answerMessagingCall(input: {
  request: RecordedRequest;
  phoneNumber: PhoneNumber | undefined;
  operations: OperationTable<Operation>;
  limiter: Limiter;
  leftInPathStatus: 404 | 403;
}): Promise<Answer> {
  const { request, phoneNumber, operations, limiter, leftInPathStatus } = input;
  const { path, query } = splitUrl(request.url);
  if (phoneNumber === undefined) {
    return invalidKey(path);
  }
  const refusal = refusedForState(phoneNumber);
  if (refusal !== undefined) {
    return refusal;
  }
  if (leftInPathStatus === 404 && hasLeftInPart(path, (rest) => operations.knows(rest))) {
    return metaFormError(404, "Not found");
  }
  const found = operations.find(request.method, path);
  if (found === undefined) {
    return metaFormError(403, "The endpoint is blocked");
  }
  const { method, headers, body } = request;
  const { phoneNumberId } = phoneNumber;
  const overLimit = limiter.refuseCall({ phoneNumberId, method, path, nowMs: Date.now() });
  if (overLimit !== undefined) {
    return overLimit;
  }
  return await found.operation({ phoneNumber, ids: found.ids, query, headers, body });
}
