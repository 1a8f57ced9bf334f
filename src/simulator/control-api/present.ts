import type { Fault } from "../http/fault.ts";
import type { RecordedRequest } from "../http/recorded-request.ts";
import { parseJson } from "../json.ts";
import type { Template } from "../messaging-api/templates/template.ts";
import type { PhoneNumber } from "../numbers/phone-number.ts";
import type { Notification } from "../webhooks/notification.ts";

const SHOWN_BYTES_MAX = 64 * 1024;

/** JSON where it is JSON, else text; of what is large, only how large it is. */
const presentBody = (body: Buffer) =>
  body.length > SHOWN_BYTES_MAX ? `${body.length} bytes` : (parseJson(body) ?? body.toString());

export const presentPhoneNumber = (phoneNumber: PhoneNumber) => ({
  phone_number_id: phoneNumber.phoneNumberId,
  display_phone_number: phoneNumber.displayPhoneNumber,
  waba_id: phoneNumber.wabaId,
  channel_id: phoneNumber.channelId,
  api_key: phoneNumber.apiKey,
  webhook: phoneNumber.webhook ?? null,
  disabled: phoneNumber.disabled,
  unpaid: phoneNumber.unpaid,
  not_running: phoneNumber.notRunning,
  registration_blocked: phoneNumber.registrationBlocked ?? false,
  pin: phoneNumber.pin ?? null,
  region: phoneNumber.region ?? null,
});

export const presentFault = (fault: Fault) => ({
  kind: fault.kind,
  phone_number_id: fault.phoneNumberId,
  method: fault.method,
  path: fault.path ?? "/messages",
  times: fault.times,
  delay_ms: fault.delayMs,
  after_handling: fault.afterHandling,
  ...(fault.kind === "answer"
    ? { status: fault.status, headers: fault.headers, body: fault.body }
    : {}),
});

export const presentRequest = (request: RecordedRequest) => ({
  received_at: request.receivedAt,
  method: request.method,
  url: request.url,
  headers: request.headers,
  body: presentBody(request.body),
  complete: request.complete,
  phone_number_id: request.phoneNumberId ?? null,
  status: request.status ?? null,
});

export const presentNotification = (notification: Notification) => ({
  created_at: notification.createdAt,
  phone_number_id: notification.phoneNumberId,
  destination: notification.destination ?? null,
  body: presentBody(notification.body),
  settled: notification.settled,
  outcome: notification.outcome ?? null,
  attempts: notification.attempts.map((attempt) => ({
    at: attempt.at,
    duration_ms: attempt.durationMs,
    url: attempt.url ?? null,
    status: attempt.status ?? null,
    error: attempt.error ?? null,
  })),
});

export const presentTemplate = (template: Template) => ({
  id: template.externalId,
  waba_id: template.wabaId,
  name: template.name,
  language: template.language,
  category: template.category,
  status: template.status,
  rejected_reason: template.rejectedReason,
  components: template.components,
});
