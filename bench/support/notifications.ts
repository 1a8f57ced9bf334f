import { randomBytes } from "node:crypto";
import type { HookedNumber } from "./hooked.ts";
import type { NextRequest } from "./sends.ts";

let messages = 0;
/** So that a second run over the same database sends nothing that was seen before. */
const RUN = randomBytes(6).toString("hex");
const TEXT = "Hello! I would like to know when my order will arrive, please. ".repeat(5);

/** What 360dialog posts for one text message: about 900 bytes, one event. */
export function notificationBody({ phoneNumberId, wabaId }: HookedNumber, id: string): string {
  const from = `1555${String(messages % 10_000_000).padStart(7, "0")}`;
  return JSON.stringify({
    object: "whatsapp_business_account",
    entry: [
      {
        id: wabaId,
        changes: [
          {
            value: {
              messaging_product: "whatsapp",
              metadata: {
                display_phone_number: "15550783881",
                phone_number_id: phoneNumberId,
              },
              contacts: [{ profile: { name: "Sheena Nelson" }, wa_id: from }],
              messages: [
                {
                  from,
                  id,
                  timestamp: String(Math.floor(Date.now() / 1000)),
                  type: "text",
                  text: { body: TEXT },
                },
              ],
            },
            field: "messages",
          },
        ],
      },
    ],
  });
}

export function newWamid(): string {
  return `wamid.${RUN}${String(messages++).padStart(12, "0")}`;
}

/** Notifications to the numbers' hooks in turn, no two alike, as 360dialog writes them. */
export function notificationsTo(host: string, numbers: readonly HookedNumber[]): NextRequest {
  const heads = numbers.map(
    ({ hookPath, hookSecret }) =>
      `POST ${hookPath} HTTP/1.1\r\nhost: ${host}\r\nx-gateway-hook-secret: ${hookSecret}\r\n` +
      "user-agent: bench\r\naccept: */*\r\ncontent-type: application/json\r\n",
  );
  let turn = 0;
  return () => {
    turn = (turn + 1) % numbers.length;
    const number = numbers[turn];
    if (number === undefined) {
      throw new Error("there are no numbers to send to");
    }
    const body = notificationBody(number, newWamid());
    return `${heads[turn]}content-length: ${body.length}\r\n\r\n${body}`;
  };
}
