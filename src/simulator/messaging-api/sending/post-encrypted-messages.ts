import { MetaRefusal } from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { Operation } from "../operation.ts";
import { bodyParameters } from "../parameters.ts";
import type { AcceptMessage } from "./accept-message.ts";
import { checkProduct } from "./parse-message.ts";
import { parseRecipient } from "./parse-recipient.ts";
import { type CheckSend, send } from "./post-messages.ts";

/** `POST /messages_encrypted`: a send whose content nobody on the way can read, nor check. */
export function postEncryptedMessages(parts: {
  checks: readonly CheckSend[];
  acceptMessage: AcceptMessage;
}): Operation {
  return proxied((call) => {
    const { phoneNumber } = call;
    const body = bodyParameters(call);
    const error = checkProduct(body);
    if (error !== undefined) {
      throw new MetaRefusal(error);
    }
    const recipient = parseRecipient(body);
    if (!("kind" in recipient)) {
      throw new MetaRefusal(recipient);
    }
    return send({ phoneNumber, message: { recipient, type: "encrypted" }, body, ...parts });
  });
}
