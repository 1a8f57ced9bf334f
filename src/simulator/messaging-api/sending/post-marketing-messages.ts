import { type MetaError, MetaRefusal, parameterInvalid } from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { Operation } from "../operation.ts";
import { bodyParameters } from "../parameters.ts";
import type { TemplateStore } from "../templates/template-store.ts";
import type { AcceptMessage } from "./accept-message.ts";
import { namedTemplates } from "./check-template.ts";
import { parseMessage } from "./parse-message.ts";
import { type CheckSend, send } from "./post-messages.ts";

const NOT_MARKETING: MetaError = {
  status: 400,
  code: 131055,
  message: "Method not allowed",
  details: "Only marketing template messages are supported",
};

/** `POST /marketing_messages`: marketing templates only; its errors come wrapped in `detail`. */
export function postMarketingMessages(parts: {
  templates: TemplateStore;
  checks: readonly CheckSend[];
  acceptMessage: AcceptMessage;
}): Operation {
  const { templates, checks, acceptMessage } = parts;
  return proxied(
    (call) => {
      const { phoneNumber } = call;
      const body = bodyParameters(call);
      const parsed = parseMessage(body);
      if (parsed.kind === "refused") {
        throw new MetaRefusal(parsed.error);
      }
      if (parsed.kind === "read" || parsed.message.type !== "template") {
        throw new MetaRefusal(parameterInvalid("Message must be a template message."));
      }
      const named = namedTemplates(templates, phoneNumber.wabaId, body);
      if (named.some(({ category }) => category !== "MARKETING")) {
        throw new MetaRefusal(NOT_MARKETING);
      }
      return send({ phoneNumber, message: parsed.message, body, checks, acceptMessage });
    },
    (envelope) => ({ detail: envelope }),
  );
}
