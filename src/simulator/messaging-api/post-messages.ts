import { newWamid } from "../ids.ts";
import { parseJson } from "../json.ts";
import { type Recipient, recipientId } from "../messages/outgoing-message.ts";
import { parameterInvalid } from "./meta-errors.ts";
import type { Operation } from "./operation.ts";
import { parseMessage } from "./parse-message.ts";
import { proxiedError, proxiedSuccess } from "./proxied-answer.ts";

function contact(recipient: Recipient) {
  switch (recipient.kind) {
    case "phone":
      return { input: recipient.input, wa_id: recipient.waId };
    case "user":
      return { input: recipient.userId, user_id: recipient.userId };
    case "group":
      return { input: recipient.groupId, wa_id: recipient.groupId };
    default:
      return recipient satisfies never;
  }
}

/** `POST /messages`: a send, a read receipt or a typing indicator. */
export const postMessages: Operation = ({ phoneNumber, contentType, body }, effects) => {
  const { wabaId } = phoneNumber;
  // Meta takes a body of another type for form fields, and then finds none of its parameters.
  const json = contentType.includes("json") ? parseJson(body) : {};
  if (json === undefined) {
    return proxiedError(parameterInvalid("The body is not valid JSON."), wabaId);
  }
  const parsed = parseMessage(json);
  switch (parsed.kind) {
    case "refused":
      return proxiedError(parsed.error, wabaId);
    case "read":
      return proxiedSuccess({ success: true }, wabaId);
    case "send": {
      const { message } = parsed;
      const wamid = newWamid(recipientId(message.recipient), "outbound");
      effects.acceptMessage(phoneNumber, wamid, message);
      const status = message.type === "template" ? { message_status: "accepted" } : {};
      return proxiedSuccess(
        {
          messaging_product: "whatsapp",
          contacts: [contact(message.recipient)],
          messages: [{ id: wamid, ...status }],
        },
        wabaId,
      );
    }
    default:
      return parsed satisfies never;
  }
};
