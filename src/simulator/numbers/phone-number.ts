import { newApiKey, newDialog360Id, randomDigits } from "../ids.ts";

/** Where a number's notifications go. */
export type Webhook = { url: string; headers: Record<string, string> };

/** Conditions under which 360dialog takes no calls for a number. */
export type PhoneNumberState = {
  disabled: boolean;
  unpaid: boolean;
  notRunning: boolean;
  /** It was registered too often: no registration is taken. Unset is not. */
  registrationBlocked?: boolean;
  /** What a registration must bring as its PIN; any will do while it is unset. */
  pin?: string;
};

/** One registered number with its channel, its WABA and its only living key. */
export type PhoneNumber = PhoneNumberState & {
  phoneNumberId: string;
  displayPhoneNumber: string;
  wabaId: string;
  channelId: string;
  apiKey: string;
  webhook?: Webhook;
  /** Where Meta stores its data, as the last registration said. */
  region?: string;
};

/** What may be chosen about a new number; the rest is made up. */
export type NewPhoneNumber = {
  phoneNumberId?: string;
  displayPhoneNumber?: string;
  wabaId?: string;
};

/** A number that works, with a first key and no webhook. */
export function newPhoneNumber(chosen: NewPhoneNumber): PhoneNumber {
  return {
    phoneNumberId: chosen.phoneNumberId ?? randomDigits(15),
    displayPhoneNumber: chosen.displayPhoneNumber ?? `1555${randomDigits(7)}`,
    wabaId: chosen.wabaId ?? randomDigits(15),
    channelId: newDialog360Id("CH"),
    apiKey: newApiKey(),
    disabled: false,
    unpaid: false,
    notRunning: false,
  };
}
