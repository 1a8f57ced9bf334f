import type { WhatsAppCall } from "../http/whatsapp-calls.ts";
import type { IdentifiedCall } from "./identify.ts";
import type { ReadMessage } from "./read-message.ts";

/** One send on its way. */
export type Sending = {
  call: WhatsAppCall;
  identified: IdentifiedCall;
  body: Buffer;
  read: ReadMessage;
  messageId: string;
};

/** The send as guards judge it. */
export function guardedSend({ identified, read }: Sending) {
  const { caller, number, operation } = identified;
  return {
    tenantId: caller.tenantId,
    number,
    operation: operation.operationId,
    recipient: read.recipient,
    message: read.body,
  };
}
