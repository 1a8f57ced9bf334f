import { randomHex } from "../../ids.ts";
import type { JsonObject } from "../../json.ts";
import { envelope } from "../../messages/envelope.ts";
import { unixSeconds } from "../../messages/unix-seconds.ts";
import type { PhoneNumber } from "../../numbers/phone-number.ts";
import type { WebhookSender } from "../../webhooks/webhook-sender.ts";

/** Tells the number's webhook what became of a group. */
export type TellGroupUpdate = (phoneNumber: PhoneNumber, field: string, update: JsonObject) => void;

/** Binds group updates to the number's webhook. */
export function createTellGroupUpdate(sender: WebhookSender): TellGroupUpdate {
  return (phoneNumber, field, update) => {
    const group = { timestamp: unixSeconds(new Date()), request_id: randomHex(16), ...update };
    sender.sendJson(phoneNumber.phoneNumberId, envelope(phoneNumber, { groups: [group] }, field));
  };
}
