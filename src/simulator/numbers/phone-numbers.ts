import { newApiKey } from "../ids.ts";
import {
  type NewPhoneNumber,
  newPhoneNumber,
  type PhoneNumber,
  type PhoneNumberState,
  type Webhook,
} from "./phone-number.ts";

/** No number has this id. */
export class PhoneNumberNotFound extends Error {
  constructor(phoneNumberId: string) {
    super(`there is no number ${phoneNumberId}`);
  }
}

/** Another number has this id already. */
export class PhoneNumberExists extends Error {
  constructor(phoneNumberId: string) {
    super(`number ${phoneNumberId} exists already`);
  }
}

/** All numbers, found by id or by living key. */
export class PhoneNumbers {
  readonly #byId = new Map<string, PhoneNumber>();
  readonly #byKey = new Map<string, PhoneNumber>();
  /** Not in the state file: set anew by whoever sets it. */
  readonly #wabaWebhooks = new Map<string, Webhook>();
  readonly #changed: () => void;

  constructor(initial: readonly PhoneNumber[], changed: () => void) {
    this.#changed = changed;
    for (const phoneNumber of initial) {
      this.#index(phoneNumber);
    }
  }

  create(chosen: NewPhoneNumber): PhoneNumber {
    const phoneNumber = newPhoneNumber(chosen);
    if (this.#byId.has(phoneNumber.phoneNumberId)) {
      throw new PhoneNumberExists(phoneNumber.phoneNumberId);
    }
    this.#index(phoneNumber);
    this.#changed();
    return phoneNumber;
  }

  list(): PhoneNumber[] {
    return [...this.#byId.values()];
  }

  find(phoneNumberId: string): PhoneNumber | undefined {
    return this.#byId.get(phoneNumberId);
  }

  get(phoneNumberId: string): PhoneNumber {
    const phoneNumber = this.#byId.get(phoneNumberId);
    if (phoneNumber === undefined) {
      throw new PhoneNumberNotFound(phoneNumberId);
    }
    return phoneNumber;
  }

  findByKey(apiKey: string): PhoneNumber | undefined {
    return this.#byKey.get(apiKey);
  }

  /** Gives the number a new key; the old one is dead from here on. */
  rotateKey(phoneNumberId: string, { clearWebhook }: { clearWebhook: boolean }): string {
    const phoneNumber = this.get(phoneNumberId);
    this.#byKey.delete(phoneNumber.apiKey);
    phoneNumber.apiKey = newApiKey();
    this.#byKey.set(phoneNumber.apiKey, phoneNumber);
    if (clearWebhook) {
      delete phoneNumber.webhook;
    }
    this.#changed();
    return phoneNumber.apiKey;
  }

  setWebhook(phoneNumberId: string, webhook: Webhook): void {
    this.get(phoneNumberId).webhook = webhook;
    this.#changed();
  }

  /** Sets the webhook of the numbers that have none; of all of the WABA's when told so. */
  setWabaWebhook(
    wabaId: string,
    webhook: Webhook,
    { overrideAll }: { overrideAll: boolean },
  ): void {
    this.#wabaWebhooks.set(wabaId, webhook);
    for (const phoneNumber of overrideAll ? this.#byId.values() : []) {
      if (phoneNumber.wabaId === wabaId) {
        delete phoneNumber.webhook;
      }
    }
    this.#changed();
  }

  /** Where the number's notifications go: its own webhook before its WABA's. */
  findWebhook(phoneNumberId: string): Webhook | undefined {
    const phoneNumber = this.#byId.get(phoneNumberId);
    return phoneNumber?.webhook ?? this.#wabaWebhooks.get(phoneNumber?.wabaId ?? "");
  }

  setState(phoneNumberId: string, state: Partial<PhoneNumberState>): void {
    Object.assign(this.get(phoneNumberId), state);
    this.#changed();
  }

  setRegion(phoneNumberId: string, region: string): void {
    this.get(phoneNumberId).region = region;
    this.#changed();
  }

  #index(phoneNumber: PhoneNumber): void {
    this.#byId.set(phoneNumber.phoneNumberId, phoneNumber);
    this.#byKey.set(phoneNumber.apiKey, phoneNumber);
  }
}
