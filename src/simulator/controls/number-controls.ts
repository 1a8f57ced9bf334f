import type { NewPhoneNumber, PhoneNumber, PhoneNumberState } from "../numbers/phone-number.ts";
import type { PhoneNumbers } from "../numbers/phone-numbers.ts";

/** A number as its owner learns of it when it is made. */
export type CreatedPhoneNumber = Pick<
  PhoneNumber,
  "phoneNumberId" | "displayPhoneNumber" | "wabaId" | "channelId" | "apiKey"
>;

/** Numbers and their keys. */
export type NumberControls = {
  createNumber: (chosen?: NewPhoneNumber) => CreatedPhoneNumber;
  listNumbers: () => PhoneNumber[];
  getNumber: (phoneNumberId: string) => PhoneNumber;
  /** Makes a new key. The old one is dead at once, and the number forgets its webhook. */
  rotateKey: (phoneNumberId: string) => string;
  setNumberState: (phoneNumberId: string, state: Partial<PhoneNumberState>) => void;
};

/** Binds these controls to the numbers. */
export function createNumberControls(parts: {
  phoneNumbers: PhoneNumbers;
  rotationClearsWebhook: boolean;
}): NumberControls {
  const { phoneNumbers, rotationClearsWebhook } = parts;
  return {
    createNumber(chosen = {}) {
      const { phoneNumberId, displayPhoneNumber, wabaId, channelId, apiKey } =
        phoneNumbers.create(chosen);
      return { phoneNumberId, displayPhoneNumber, wabaId, channelId, apiKey };
    },
    listNumbers: () => phoneNumbers.list().map((phoneNumber) => structuredClone(phoneNumber)),
    getNumber: (phoneNumberId) => structuredClone(phoneNumbers.get(phoneNumberId)),
    rotateKey: (phoneNumberId) =>
      phoneNumbers.rotateKey(phoneNumberId, { clearWebhook: rotationClearsWebhook }),
    setNumberState: (phoneNumberId, state) => phoneNumbers.setState(phoneNumberId, state),
  };
}
