import { parseJson, isObject } from "../../json.ts";
import type { PhoneNumber, Webhook } from "../../numbers/phone-number.ts";
import type { Operation } from "../operation.ts";
import { setWebhookFrom } from "./number-webhook.ts";
import type { CheckWebhookUrl } from "./parse-webhook.ts";

/** `POST /waba_webhook`: one webhook for the numbers of the WABA that have none of their own. */
export function setWabaWebhook(parts: {
  checkUrl: CheckWebhookUrl;
  setWebhook: (
    phoneNumber: PhoneNumber,
    webhook: Webhook,
    options: { overrideAll: boolean },
  ) => void;
}): Operation {
  return ({ phoneNumber, body }) => {
    const json = parseJson(body);
    const overrideAll = isObject(json) && json["override_all"] === true;
    return setWebhookFrom(body, parts.checkUrl, (webhook) =>
      parts.setWebhook(phoneNumber, webhook, { overrideAll }),
    );
  };
}
